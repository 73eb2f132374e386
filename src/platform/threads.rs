//! Threads that may not start: the system has room for so many, and a thread too many is an error like
//! any other. `std::thread::spawn` would end the process.

use std::io;
use std::thread::{Builder, JoinHandle};

/// Starts a thread.
///
/// # Errors
///
/// Where the system has no room for it.
pub fn spawn<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    Builder::new()
        .spawn(work)
        .map_err(|error| io::Error::new(error.kind(), format!("can't start a thread: {error}")))
}

/// Whether a thread can be started: to be asked before others' code starts one, and can't fail.
#[must_use]
pub fn can_spawn() -> bool {
    spawn(|| ()).is_ok_and(|thread| thread.join().is_ok())
}
