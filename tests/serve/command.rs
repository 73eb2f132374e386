//! The command: its sockets, its end, and that there is one server.

use std::io::{BufRead as _, BufReader};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use ream::serve::{ServeOptions, Server};
use ream::{Options, Store};

use crate::http::Browser;
use crate::secrets::{Heard, Running};
use crate::support::Client;

pub(crate) fn ream(store: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ream"));
    command.arg("--store").arg(store).args(args);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Starts a server, and waits until it listens; with what it says to that.
pub(crate) fn start(store: &Path, args: &[&str]) -> (Running, String) {
    started(&mut ream(store, &[&["serve"], args].concat()))
}

/// The same for a server that is started so.
pub(crate) fn started(command: &mut Command) -> (Running, String) {
    let mut server = Running::new(command.spawn().unwrap());
    let mut line = String::new();
    BufReader::new(server.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    Heard::default().take(line.as_bytes());
    (server, line)
}

/// Starts a server, and waits until it listens on so many; with what it says to each.
pub(crate) fn listening(command: &mut Command, count: usize) -> (Running, Vec<String>) {
    let mut server = Running::new(command.spawn().unwrap());
    let lines = BufReader::new(server.stdout.as_mut().unwrap()).lines();
    let lines: Vec<_> = lines.take(count).map(Result::unwrap).collect();
    Heard::default().take(lines.join("\n").as_bytes());
    (server, lines)
}

pub(crate) fn signal(server: &Running, name: &str) {
    let killed = Command::new("kill").args(["-s", name, &server.id().to_string()]).status();
    assert!(killed.unwrap().success());
}

pub(crate) fn told(Output { status, stderr, .. }: &Output) -> (Option<i32>, String) {
    Heard::default().take(stderr);
    (status.code(), String::from_utf8_lossy(stderr).into_owned())
}

#[test]
fn it_says_that_it_listens_answers_what_it_took_and_ends_with_0() {
    let home = tempfile::tempdir().unwrap();
    let store = home.path().join("s");
    Store::init(&store, &Options::default()).unwrap();
    let (server, line) = start(&store, &[]);
    let socket = store.join("serve.sock");
    let listening = format!("{{\"listening\":\"unix\",\"path\":\"{}\"}}\n", socket.display());
    assert_eq!(line, listening);

    // There is one server of a store, and none takes a living one's socket.
    let second = told(&ream(&store, &["serve"]).output().unwrap());
    assert_eq!(second.0, Some(5), "{second:?}");
    assert!(
        second.1.contains("error: `the server of this store` is run by process "),
        "{second:?}"
    );
    let other = home.path().join("other");
    Store::init(&other, &Options::default()).unwrap();
    let taken = ream(&other, &["serve", "--unix", socket.to_str().unwrap()]).output().unwrap();
    assert_eq!(told(&taken).0, Some(5), "{taken:?}");

    let mut client = Client::at(&socket);
    client.gets("REAM 1.0\n");
    client.asks("EVENT PUBLISH s 1\n1\n", "EVENT PUBLISHED s 1\n");
    signal(&server, "TERM");
    assert_eq!(client.rest(), "ERROR \"the server is ending\"\n");
    let ended = server.wait_with_output().unwrap();
    assert_eq!(told(&ended), (Some(0), String::new()));
    assert!(!socket.exists());
}

#[test]
fn a_dead_server_s_socket_is_taken_over() {
    let home = tempfile::tempdir().unwrap();
    let store = home.path().join("s");
    Store::init(&store, &Options::default()).unwrap();
    let (mut server, _) = start(&store, &[]);
    server.kill().unwrap();
    server.wait().unwrap();
    assert!(store.join("serve.sock").exists());
    let (server, _) = start(&store, &[]);
    let mut client = Client::at(&store.join("serve.sock"));
    client.gets("REAM 1.0\n");
    // The store is in use as ever.
    let appended = ream(&store, &["append", "s", "T"]).output().unwrap();
    assert_eq!(told(&appended), (Some(0), String::new()));
    client.asks("EVENT LIST\n", "EVENT LISTED 1 s\n");
    signal(&server, "INT");
    assert_eq!(told(&server.wait_with_output().unwrap()).0, Some(0));
}

#[test]
fn a_server_whose_store_was_moved_leaves_the_socket_of_the_next_one() {
    let home = tempfile::tempdir().unwrap();
    let store = home.path().join("s");
    let serve = || {
        Store::init(&store, &Options::default()).unwrap();
        Server::bind(&store, &Options::default(), &ServeOptions::default()).unwrap()
    };
    let before = serve();
    std::fs::rename(&store, home.path().join("moved")).unwrap();
    let after = serve();
    drop(before);
    assert!(UnixStream::connect(store.join("serve.sock")).is_ok());
    drop(after);
    assert!(!store.join("serve.sock").exists());
}

#[test]
fn a_store_that_lost_events_is_served_to_be_read_alone() {
    let home = tempfile::tempdir().unwrap();
    let (store, old) = (home.path().join("s"), home.path().join("old"));
    Store::init(&store, &Options::default()).unwrap();
    let append = || assert!(ream(&store, &["append", "s", "T"]).status().unwrap().success());
    let copy = |from: &Path, to: &Path| {
        for file in ["db", "db-wal"] {
            std::fs::copy(from.join(file), to.join(file)).unwrap();
        }
    };
    append();
    std::fs::create_dir(&old).unwrap();
    copy(&store, &old);
    append();
    std::fs::remove_file(store.join("db-shm")).unwrap();
    copy(&old, &store);
    let (code, words) = told(&ream(&store, &["serve"]).output().unwrap());
    assert!(code == Some(1) && words.contains("the store lost acknowledged events"), "{words}");
    let (server, _) = start(&store, &["--read-only"]);
    let mut client = Client::at(&store.join("serve.sock"));
    client.asks("EVENT LIST\n", "REAM 1.0\nEVENT LISTED 1 s\n");
    client.asks("EVENT PUBLISH s 1\n1\n", "EVENT NON PUBLISHED s \"not allowed\"\n");
    signal(&server, "TERM");
    assert_eq!(server.wait_with_output().unwrap().status.code(), Some(0));
}

#[test]
fn a_server_whose_store_is_replaced_ends_with_1() {
    let home = tempfile::tempdir().unwrap();
    let (store, socket) = (home.path().join("s"), home.path().join("socket"));
    Store::init(&store, &Options::default()).unwrap();
    let (server, _) = start(&store, &["--unix", socket.to_str().unwrap()]);
    // From here on it serves.
    Client::at(&socket).gets("REAM 1.0\n");
    std::fs::rename(&store, home.path().join("old")).unwrap();
    Store::init(&store, &Options::default()).unwrap();
    let (code, words) = told(&server.wait_with_output().unwrap());
    assert_eq!(code, Some(1), "{words}");
    assert!(words.contains("was moved, removed or replaced"), "{words}");
    assert!(!socket.exists());
}

#[test]
fn a_socket_that_can_not_be_made_is_an_error() {
    let home = tempfile::tempdir().unwrap();
    let store = home.path().join("s");
    Store::init(&store, &Options::default()).unwrap();
    let file = home.path().join("file");
    std::fs::write(&file, "mine").unwrap();
    let refused = ream(&store, &["serve", "--unix", file.to_str().unwrap()]).output().unwrap();
    let (code, words) = told(&refused);
    assert_eq!(code, Some(1), "{words}");
    assert!(words.contains("something else has this name"), "{words}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
    let long = home.path().join("x".repeat(200));
    let refused = ream(&store, &["serve", "--unix", long.to_str().unwrap()]).output().unwrap();
    assert_eq!(told(&refused).0, Some(2), "{refused:?}");
}

#[test]
fn http_is_served_on_this_machine_with_the_token_in_the_store() {
    let home = tempfile::tempdir().unwrap();
    let store = home.path().join("s");
    Store::init(&store, &Options::default()).unwrap();
    let (server, line) = start(&store, &["--http", "127.0.0.1:0"]);
    let address = line.split('"').nth(7).unwrap().to_owned();
    let file = store.join("serve.token");
    let (address_json, file_json) = (&address, file.display());
    let listening = format!(
        "{{\"listening\":\"http\",\"address\":\"{address_json}\",\"token_file\":\"{file_json}\"}}\n"
    );
    assert_eq!(line, listening);
    assert!(!store.join("serve.sock").exists());
    let mut browser = Browser::at(address.parse().unwrap());
    browser.asks("GET /health", "", "").is(200, "");
    let token = std::fs::read_to_string(&file).unwrap();
    assert!(!line.contains(token.trim()), "{line}");
    let bearer = format!("Authorization: Bearer {}", token.trim());
    browser.asks("GET /x", &bearer, "").is_problem(404, "not-found");
    signal(&server, "TERM");
    assert_eq!(browser.rest(), "");
    assert_eq!(told(&server.wait_with_output().unwrap()), (Some(0), String::new()));
    for (option, value, code, words) in [
        ("--http", "0.0.0.0:0", 2, "other machines reach 0.0.0.0:0"),
        ("--http", "here", 6, "not an IP address and a port"),
        ("--allow-host", "a:80", 6, "a name without a port"),
        ("--allow-origin", "a", 6, "an origin is a scheme and a host"),
    ] {
        let refused = told(&ream(&store, &["serve", option, value]).output().unwrap());
        assert_eq!(refused.0, Some(code), "{refused:?}");
        assert!(refused.1.contains(words), "{refused:?}");
    }
}
