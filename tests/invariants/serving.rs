//! A server's socket: it is for the user who runs it. And a disk that takes no more, under a server.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::process::Command;

use crate::support::{Disk, Home, Mounted, Running, WRITER, ended, needs_root, text_of, until};

/// A client of a server.
struct Client(BufReader<UnixStream>);

impl Client {
    /// One that has been greeted by the server of a store.
    fn of(home: &Home) -> Self {
        let connected = UnixStream::connect(home.store().join("serve.sock")).unwrap();
        let mut client = Self(BufReader::new(connected));
        assert_eq!(client.line(), "REAM 1.0\n");
        client
    }

    /// The next line; nothing where the connection has ended.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line
    }

    /// What a request with a payload is answered.
    fn says(&mut self, request: &str, payload: &str) -> String {
        let said = format!("{request} {}\n{payload}\n", payload.len());
        self.0.get_mut().write_all(said.as_bytes()).unwrap();
        self.line()
    }
}

/// A server of a store, which listens.
fn serve(home: &Home) -> Running {
    let mut server = Running::start(&mut home.ream(&["serve"]));
    assert!(server.lines().next().is_some());
    server
}

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

#[test]
fn a_full_disk_refuses_and_the_server_goes_on_when_there_is_room() {
    needs_root("a file system that fills up");
    let home = Home::new();
    fs::remove_dir_all(home.store()).unwrap();
    fs::create_dir(home.store()).unwrap();
    let mounted = Mounted::in_memory(&home.store(), "2m");
    home.run(&["init", home.store().to_str().unwrap()]).done();
    let mut server = serve(&home);
    let (mut client, data) = (Client::of(&home), text_of(20_000));
    let mut stored = 0;
    let full = until("it is full", || {
        let told = client.says("EVENT PUBLISH s", &data);
        stored += 1;
        (told != format!("EVENT PUBLISHED s {stored}\n")).then_some(told)
    });
    stored -= 1;
    assert!(full.starts_with("EVENT NON PUBLISHED s \"no room left"), "{full}");
    let full = client.says("EVENT PUBLISH s", &text_of(300_000));
    assert!(full.starts_with("EVENT NON PUBLISHED s \"no room left"), "{full}");
    assert_eq!(home.positions(), (1..=stored).collect::<Vec<u64>>());
    mounted.resize("20m");
    let told = client.says("EVENT PUBLISH s", &data);
    assert_eq!(told, format!("EVENT PUBLISHED s {}\n", stored + 1));
    server.kill();
    assert_eq!(home.positions(), (1..=stored + 1).collect::<Vec<u64>>());
}

#[test]
fn what_a_failed_sync_leaves_is_told_as_unknown_and_the_server_goes_on() {
    needs_root("a disk whose writes fail");
    let disk = Disk::new();
    let home = Home::on(&disk);
    let mut server = serve(&home);
    let mut client = Client::of(&home);
    assert_eq!(client.says("EVENT PUBLISH s", "1"), "EVENT PUBLISHED s 1\n");
    let create = "PROJECTION CREATE rows 2 +id:integer text:text\n";
    client.0.get_mut().write_all(create.as_bytes()).unwrap();
    assert_eq!(client.line(), "PROJECTION CREATED rows\n");
    let (event, text) = (text_of(100_000), "x".repeat(100_000));
    let row = |id: u64| format!("{{\"id\":{id},\"text\":\"{text}\"}}");
    assert_eq!(client.says("PROJECTION SET rows", &row(1)), "PROJECTION SET DONE rows 1\n");

    disk.fail();
    let mut other = Client::of(&home);
    // In this order: where a commit failed the log is cut, which may give back what the next one needs.
    for (client, request, payload) in
        [(&mut other, "PROJECTION SET rows", &row(2)), (&mut client, "EVENT PUBLISH s", &event)]
    {
        let told = client.says(request, payload);
        assert!(told.starts_with("ERROR \"outcome unknown: "), "{request}: {told}");
        assert_eq!(client.line(), "", "it is closed");
    }
    disk.mend();

    let mut client = Client::of(&home);
    let told = client.says("EVENT PUBLISH s", "2");
    let version: u64 = told.trim_start_matches("EVENT PUBLISHED s ").trim_end().parse().unwrap();
    assert!((2..=3).contains(&version), "{told}");
    assert_eq!(client.says("PROJECTION SET rows", &row(3)), "PROJECTION SET DONE rows 3\n");
    server.kill();
    let rows = home.run(&["project", "select", "rows", "--fields", "id"]).done();
    assert!(rows.contains("\"id\":1}") && rows.contains("\"id\":3}"), "{rows}");
    assert_eq!(home.positions().len() as u64, version);
}

#[test]
fn with_a_file_of_tokens_another_user_may_connect_and_needs_one() {
    needs_root("another user's connection");
    let place = tempfile::tempdir().unwrap();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let (socket, client) = (place.path().join("socket"), place.path().join("client"));
    let tokens = place.path().join("tokens");
    fs::copy(WRITER, &client).unwrap();
    fs::write(&tokens, "ann read secret\n").unwrap();
    fs::set_permissions(&tokens, fs::Permissions::from_mode(0o600)).unwrap();
    let home = Home::new();
    let paths = [socket.to_str().unwrap(), tokens.to_str().unwrap()];
    let mut server =
        Running::start(&mut home.ream(&["serve", "--unix", paths[0], "--token-file", paths[1]]));
    assert!(server.lines().next().is_some());
    fs::set_permissions(&socket, fs::Permissions::from_mode(0o777)).unwrap();

    let says = |user: &str, line: &str| {
        let mut other = Command::new("setpriv");
        other.args([&format!("--reuid={user}"), "--clear-groups"]).arg(&client).arg(&socket);
        ended(other.args([line, "EVENT REMOVE s"])).done()
    };
    let (taken, needed) = ("TOKEN TAKEN read\n", "ERROR \"a token is needed\"\n");
    let refused = "EVENT NON REMOVED s \"not allowed\"\n";
    assert_eq!(says("65534", "TOKEN \"secret\""), format!("REAM 1.0\n{taken}{refused}"));
    assert_eq!(says("65534", "PING"), format!("REAM 1.0\n{needed}"));
    assert_eq!(says("65534", "TOKEN \"other\""), format!("REAM 1.0\n{needed}"));
    // Whoever owns the store needs none.
    assert_eq!(says("0", "PING"), "REAM 1.0\nPONG\nEVENT REMOVED s\n");
}
