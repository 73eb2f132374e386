//! The server under a service manager: signals, sockets that are open already, and what it says of itself.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use crate::command::{listening, ream, signal, started, told};
use crate::http::Browser;
use crate::secrets::Running;
use crate::support::Client;
use crate::tcp::{address, store, tokens};

/// Starts a server that has this socket open, under such a name, and waits until it listens.
fn given(store: &Path, socket: impl Into<OwnedFd>, name: &str, args: &[&str]) -> Command {
    let mut command = Command::new("sh");
    let script = "LISTEN_PID=${PID-$$} LISTEN_FDS=1 exec \"$@\" 3<&0 0</dev/null";
    command.args(["-c", script, "sh", env!("CARGO_BIN_EXE_ream"), "--store"]).arg(store);
    command.arg("serve").args(args).env("LISTEN_FDNAMES", name);
    command.stdin(Stdio::from(socket.into())).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Has a server end, which says nothing more.
#[track_caller]
fn end(server: Running) {
    signal(&server, "TERM");
    assert_eq!(told(&server.wait_with_output().unwrap()), (Some(0), String::new()));
}

/// Whether a token is known at an address.
fn lets_in(address: &str, token: &str) -> bool {
    let mut client = Client::of(TcpStream::connect(address).unwrap());
    client.gets("REAM 1.0\n");
    client.send(format!("TOKEN \"{token}\"\n"));
    client.line() == "TOKEN TAKEN read"
}

#[test]
fn a_hang_up_has_the_tokens_read_anew() {
    let (_home, store) = store();
    let (_place, path) = tokens("ann read one\n");
    let args =
        ["--tcp", "127.0.0.1:0", "--http", "127.0.0.1:0", "--token-file", path.to_str().unwrap()];
    let (mut server, lines) = listening(&mut ream(&store, &[&["serve"], &args[..]].concat()), 2);
    let (address, http) = (address(&lines[0]), address(&lines[1]));
    // Over HTTP each request brings one, on a connection that stays.
    let mut browser = Browser::at(http.parse().unwrap());
    let mut knows = |token: &str| {
        let bearer = format!("Authorization: Bearer {token}");
        browser.asks("GET /streams", &bearer, "").status == 200
    };
    assert!(knows("one") && !knows("two"));
    assert!(lets_in(&address, "one") && !lets_in(&address, "two"));
    let mut connected = Client::of(TcpStream::connect(&address).unwrap());
    connected.asks("TOKEN \"one\"\n", "REAM 1.0\nTOKEN TAKEN read\n");
    fs::write(&path, "ann read two\n").unwrap();
    signal(&server, "HUP");
    let begun = Instant::now();
    while !lets_in(&address, "two") {
        assert!(begun.elapsed() < Duration::from_secs(60));
    }
    assert!(!lets_in(&address, "one"));
    assert!(knows("two") && !knows("one"));
    // Who is in stays in.
    connected.asks("PING\n", "PONG\n");

    fs::write(&path, "ann two\n").unwrap();
    signal(&server, "HUP");
    let mut said = String::new();
    BufReader::new(server.stderr.as_mut().unwrap()).read_line(&mut said).unwrap();
    let wrong = "line 1: it has 2 fields, and not 3: NAME ACCESS TOKEN";
    assert_eq!(said, format!("warning: {}, {wrong}\n", path.display()));
    assert!(lets_in(&address, "two") && knows("two"));
    end(server);
}

#[test]
fn a_port_that_is_open_already_is_listened_on() {
    let (_home, store) = store();
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    let (server, line) = started(&mut given(&store, socket.try_clone().unwrap(), "ream", &[]));
    let file = store.join("serve.token");
    let ready = format!(
        "{{\"listening\":\"tcp\",\"address\":\"{address}\",\"token_file\":\"{}\"}}\n",
        file.display()
    );
    assert_eq!(line, ready);
    let token = fs::read_to_string(&file).unwrap();
    let mut client = Client::of(TcpStream::connect(&address).unwrap());
    let first = format!("TOKEN \"{}\"\n", token.trim_end());
    client.asks(&first, "REAM 1.0\nTOKEN TAKEN admin\n");
    assert!(!store.join("serve.sock").exists());
    end(server);

    let (server, line) = started(&mut given(&store, socket.try_clone().unwrap(), "http", &[]));
    assert_eq!(line, ready.replace("\"tcp\"", "\"http\""));
    let bearer = format!("Authorization: Bearer {}", token.trim_end());
    let mut browser = Browser::at(address.parse().unwrap());
    browser.asks("GET /streams", &bearer, "").is(200, "");
    end(server);
    let unix = UnixListener::bind(store.join("given")).unwrap();
    let (code, words) = told(&given(&store, unix, "http", &[]).output().unwrap());
    assert_eq!(code, Some(1), "{words}");

    // What is opened for all machines needs no less.
    let open = TcpListener::bind("0.0.0.0:0").unwrap();
    let (code, words) = told(&given(&store, open, "ream", &[]).output().unwrap());
    assert!(code == Some(2) && words.contains("it needs TLS"), "{words}");
    let named = given(&store, socket.try_clone().unwrap(), "web", &[]).output().unwrap();
    let (code, words) = told(&named);
    assert_eq!(code, Some(1), "{words}");
    assert!(words.contains("one is called `web`, and not `ream` or `http`"), "{words}");
    // Sockets of another process are none of this one's.
    let mut other = given(&store, socket, "ream", &["--unix"]);
    let (server, line) = started(other.arg(store.join("own")).env("PID", ""));
    assert!(line.contains("\"unix\""), "{line}");
    end(server);
}

#[test]
fn a_socket_that_is_open_already_is_listened_on_and_stays() {
    let (home, store) = store();
    let path = home.path().join("given");
    let socket = UnixListener::bind(&path).unwrap();
    let (server, line) = started(&mut given(&store, socket, "ream", &[]));
    assert_eq!(line, format!("{{\"listening\":\"unix\",\"path\":\"{}\"}}\n", path.display()));
    let mut client = Client::at(&path);
    client.asks("EVENT PUBLISH s 1\n1\n", "REAM 1.0\nEVENT PUBLISHED s 1\n");
    end(server);
    assert!(path.exists() && !store.join("serve.sock").exists());
}

#[test]
fn the_service_manager_hears_that_it_is_ready_and_that_it_ends() {
    let (home, store) = store();
    let path = home.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let hears = || {
        let mut said = [0; 64];
        let length = manager.recv(&mut said).unwrap();
        String::from_utf8_lossy(&said[..length]).into_owned()
    };
    let (server, _) = started(ream(&store, &["serve"]).env("NOTIFY_SOCKET", &path));
    assert_eq!(hears(), "READY=1");
    let mut client = Client::at(&store.join("serve.sock"));
    client.gets("REAM 1.0\n");
    // A time before that would be of another reload, for the manager.
    let now = || Duration::try_from(clock_gettime(ClockId::Monotonic)).unwrap().as_micros();
    let before = now();
    signal(&server, "HUP");
    let said = hears();
    let time = said.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap();
    assert!((before..=now()).contains(&time.parse().unwrap()), "{said}");
    assert_eq!(hears(), "READY=1");
    signal(&server, "TERM");
    assert_eq!(hears(), "STOPPING=1");
    assert_eq!(told(&server.wait_with_output().unwrap()), (Some(0), String::new()));
    // A manager that is gone keeps it from nothing.
    drop(manager);
    let (server, _) = started(ream(&store, &["serve"]).env("NOTIFY_SOCKET", &path));
    end(server);
}

#[cfg(target_os = "linux")]
#[test]
fn a_manager_may_listen_under_a_name_that_is_no_path() {
    use std::os::linux::net::SocketAddrExt as _;
    use std::os::unix::net::SocketAddr;
    let (_home, store) = store();
    let name = format!("ream-tests-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let manager = UnixDatagram::bind_addr(&address).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut command = ream(&store, &["serve"]);
    let (server, _) = started(command.env("NOTIFY_SOCKET", format!("@{name}")));
    let mut said = [0; 64];
    let length = manager.recv(&mut said).unwrap();
    assert_eq!(&said[..length], b"READY=1");
    end(server);
}
