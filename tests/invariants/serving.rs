//! A server's socket: it is for the user who runs it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::support::{Home, Running, WRITER, ended, needs_root};

#[test]
fn a_connection_of_another_user_is_refused_whatever_the_mode() {
    needs_root("another user's connection");
    let place = tempfile::tempdir().unwrap();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let (socket, client) = (place.path().join("socket"), place.path().join("client"));
    fs::copy(WRITER, &client).unwrap();
    let home = Home::new();
    let mut server = Running::start(&mut home.ream(&["serve", "--unix", socket.to_str().unwrap()]));
    assert!(server.lines().next().is_some());
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    fs::set_permissions(&socket, fs::Permissions::from_mode(0o777)).unwrap();

    let own = ended(Command::new(&client).arg(&socket)).done();
    assert_eq!(own, "REAM 1.0\n");
    let mut other = Command::new("setpriv");
    other.args(["--reuid=65534", "--clear-groups"]).arg(&client).arg(&socket);
    assert_eq!(ended(&mut other).done(), "ERROR \"not allowed\"\n");
}
