//! How many may wait at a port.

use std::io;
use std::net::TcpListener;

/// Has as many connections wait to be taken as the system lets wait: 128, which is what a port begins with, are
/// fewer than all clients of a server that was started again.
pub(crate) fn let_many_wait(socket: &TcpListener) -> io::Result<()> {
    Ok(rustix::net::listen(socket, i32::MAX)?)
}
