//! More connections than there may be, and as many that say nothing.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use ream::platform;

use crate::command::{listening, signal, start, told};
use crate::secrets::Running;
use crate::support::Client;
use crate::tcp::{address, store};

/// How many connections there may be.
const MOST: usize = 1024;
const TOO_MANY: &str = "ERROR \"too many connections\"\n";

/// How many descriptors a process has open.
fn descriptors(server: &Child) -> usize {
    fs::read_dir(format!("/proc/{}/fd", server.id())).unwrap().count()
}

/// The most memory that a process has had so far, in KiB.
fn memory(server: &Child) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn end(server: Running) {
    signal(&server, "TERM");
    assert_eq!(told(&server.wait_with_output().unwrap()).0, Some(0));
}

#[test]
fn of_ten_thousand_connections_those_above_the_limit_hear_so_and_the_others_are_served() {
    platform::allow_descriptors(12_000);
    let (_home, store) = store();
    let args = ["--tcp", "127.0.0.1:0", "--no-token", "--keep-alive", "10m"];
    let (server, line) = start(&store, &args);
    let address = address(&line);
    let connect = || Client::of(TcpStream::connect(&address).unwrap());
    let mut first = connect();
    first.asks("EVENT SUBSCRIBE s 1\n", "REAM 1.0\nEVENT SUBSCRIBED s EMPTY\n");
    let before = descriptors(&server);

    // Those that follow something keep their places, however long this takes.
    let mut others: Vec<Client> = (1..MOST).map(|_| connect()).collect();
    for client in &mut others {
        client.asks("EVENT SUBSCRIBE s 1\n", "REAM 1.0\nEVENT SUBSCRIBED s EMPTY\n");
    }
    let mut refused: Vec<Client> = (MOST..10_000).map(|_| connect()).collect();
    for client in &mut refused {
        assert_eq!(client.rest(), TOO_MANY);
    }
    first.asks("EVENT PUBLISH s 1\n1\n", "EVENT PUBLISHED s 1\nEVENT s 1 1\n1\n");
    for client in &mut others {
        client.gets("EVENT s 1 1\n1\n");
    }
    let used = memory(&server);
    assert!(used < 128 << 10, "{used} KiB");

    // Once they have gone, what they held is there again; what the server's threads opened at first use stays.
    drop((others, refused));
    let begun = Instant::now();
    while descriptors(&server) > before + 32 {
        assert!(begun.elapsed() < Duration::from_secs(60), "{}", descriptors(&server));
        thread::yield_now();
    }
    connect().asks("PING\n", "REAM 1.0\nPONG\n");
    first.asks("PING\n", "PONG\n");
    end(server);
}

/// Who gets in at an address, while as many are connected as may be and all of them say nothing; how long that took.
fn gets_in(connect: impl Fn() -> Client, is_served: impl Fn(&mut Client) -> bool) -> Duration {
    let begun = Instant::now();
    let mut silent: Vec<Client> = (0..MOST).map(|_| connect()).collect();
    let mut refused = 0;
    while !is_served(&mut connect()) {
        refused += 1;
        assert!(begun.elapsed() < Duration::from_secs(60));
        // The next look is in a while, or once one of them is spoken to.
        silent[0].hears_within(Duration::from_millis(200));
    }
    assert!(refused > 0);
    begun.elapsed()
}

/// Starts a server with this option, and sees that someone gets in behind those that are silent.
fn is_reached(option: &str, is_served: fn(&Path, &mut Client) -> bool) {
    let (_home, store) = store();
    let (server, line) = match option {
        "--unix" => start(&store, &[]),
        _ => start(&store, &[option, "127.0.0.1:0"]),
    };
    let connect = || match option {
        "--unix" => Client::at(&store.join("serve.sock")),
        _ => Client::of(TcpStream::connect(address(&line)).unwrap()),
    };
    let took = gets_in(connect, |client| is_served(&store, client));
    // They have ten seconds.
    assert!((9..30).contains(&took.as_secs()), "{option}: {took:?}");
    end(server);
}

fn is_greeted(_: &Path, client: &mut Client) -> bool {
    client.line() == "REAM 1.0"
}

fn is_let_in(store: &Path, client: &mut Client) -> bool {
    let token = fs::read_to_string(store.join("serve.token")).unwrap();
    let first = format!("TOKEN \"{}\"\n", token.trim_end());
    is_greeted(store, client) && {
        client.asks(&first, "TOKEN TAKEN admin\n");
        true
    }
}

fn is_answered(_: &Path, client: &mut Client) -> bool {
    client.send_all_the_same(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
    client.line() == "HTTP/1.1 200 OK\r"
}

#[test]
fn behind_1024_silent_connections_a_client_gets_in_within_the_time_of_a_head() {
    platform::allow_descriptors(12_000);
    let faces = [
        thread::spawn(|| is_reached("--unix", is_greeted)),
        thread::spawn(|| is_reached("--tcp", is_let_in)),
        thread::spawn(|| is_reached("--http", is_answered)),
    ];
    for face in faces {
        face.join().unwrap();
    }
}

#[test]
fn those_that_are_refused_take_no_descriptors_of_the_store() {
    let (_home, store) = store();
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 128; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_ream")]);
    command.arg("--store").arg(&store).args(["serve", "--http", "127.0.0.1:0", "--unix"]);
    command.arg(store.join("serve.sock"));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let (server, lines) = listening(&mut command, 2);
    let mut client = Client::at(&store.join("serve.sock"));
    client.gets("REAM 1.0\n");
    // All of them are there, and none of them reads what it is told.
    let others: Vec<_> =
        (0..200).map(|_| TcpStream::connect(address(&lines[1])).unwrap()).collect();
    for at in 0..12 {
        let row = format!("{{\"id\":{at}}}");
        client.asks(
            &format!("EVENT PUBLISH s{at} 1\n1\nPROJECTION CREATE p{at} 1 +id\n"),
            &format!("EVENT PUBLISHED s{at} 1\nPROJECTION CREATED p{at}\n"),
        );
        client.asks(
            &format!("PROJECTION SET p{at} {}\n{row}\n", row.len()),
            &format!("PROJECTION SET DONE p{at} {at}\n"),
        );
    }
    drop(others);
    end(server);
}
