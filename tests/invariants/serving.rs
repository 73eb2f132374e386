//! A server's socket: it is for the user who runs it. And a disk that takes no more, under a server.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
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

/// How many requests panic at first.
const PANICS: usize = 8;

/// Starts a server whose first requests panic, and waits until it listens; with what it says to that.
fn panics_at_first(home: &Home, args: &[&str]) -> (Running, String) {
    let mut serve = home.ream(&[&["serve"], args].concat());
    let mut server = Running::start(serve.env("REAM_FAULTS", "panic"));
    let line = server.lines().next().unwrap();
    (server, line)
}

/// That a server ends as it should, and has said that there were panics.
fn ends_well(server: Running) {
    let id = rustix::process::Pid::from_raw(server.id().try_into().unwrap()).unwrap();
    rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
    let ended = server.end();
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert_eq!(ended.stderr.matches("a test asks for this panic").count(), PANICS, "{ended:#?}");
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

#[test]
fn panics_are_the_end_of_their_requests_alone() {
    let home = Home::new();
    let (server, _) = panics_at_first(&home, &[]);
    let mut other = Client::of(&home);
    let unknown = "ERROR \"outcome unknown: the request was broken off\"\n";
    let set = "AGGREGATE SET k 1";
    for _ in 0..PANICS {
        let mut client = Client::of(&home);
        assert_eq!(client.says(set, "1"), unknown);
        assert_eq!(client.line(), "", "it is closed");
    }
    // Who was connected beside it goes on, and the same is done by the next one.
    let state = "k \"00000000-0000-0000-0000-000000000001\"";
    assert_eq!(other.says(set, "1"), format!("AGGREGATE SET DONE {state}\n"));
    assert_eq!(other.says("EVENT PUBLISH s", "1"), "EVENT PUBLISHED s 1\n");
    ends_well(server);
}

/// The status of an answer over HTTP to a request that changes something, and its body.
fn answered(address: &str, token: &str, request: &str, body: &str) -> (u16, String) {
    let mut connection = TcpStream::connect(address).unwrap();
    let head = format!(
        "{request} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    connection.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.into())
}

#[test]
fn panics_in_requests_over_http_are_answered_as_of_unknown_outcome() {
    for (request, body) in [
        ("POST /events?atomic=true", "{\"stream\":\"s\",\"type\":\"T\",\"id\":\"1\"}\n"),
        ("POST /events", "{\"stream\":\"s\",\"type\":\"T\",\"id\":\"1\"}\n"),
        ("PUT /states/s?version=0", "1"),
        ("DELETE /states/s", ""),
    ] {
        let home = Home::new();
        let (server, line) = panics_at_first(&home, &["--http", "127.0.0.1:0"]);
        let address = line.split('"').nth(7).unwrap();
        let token = fs::read_to_string(home.file("serve.token")).unwrap();
        let asks = || answered(address, token.trim_end(), request, body);
        for (status, problem) in (0..PANICS).map(|_| asks()) {
            assert_eq!(status, 500, "{request}: {problem}");
            for word in ["\"outcome\":\"unknown\"", "\"exit_code\":9", "urn:ream:outcome-unknown"] {
                assert!(problem.contains(word), "{request}: {problem}");
            }
        }
        assert_ne!(asks().0, 500, "{request}");
        ends_well(server);
    }
}
