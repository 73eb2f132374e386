//! Ports of TCP: who may connect, and what each may ask for.

use std::fs::{self, Permissions};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ream::serve::{ServeOptions, Server};
use ream::{Options, Store};
use tempfile::TempDir;

use crate::command::{ream, signal, start, started, told};
use crate::secrets;
use crate::support::{Client, Home};

/// The answer where a token is needed.
const NEEDED: &str = "ERROR \"a token is needed\"\n";

/// A server on a free port, and the token that it made.
pub(crate) fn home(change: impl FnOnce(&mut ServeOptions)) -> Home {
    let mut options = ServeOptions::default();
    options.tcp = vec!["127.0.0.1:0".parse().unwrap()];
    change(&mut options);
    Home::with(&options)
}

fn own_token(home: &Home) -> String {
    let token = fs::read_to_string(home.path().join("serve.token")).unwrap().trim_end().to_owned();
    secrets::keep(&token);
    token
}

pub(crate) fn tokens(lines: &str) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tokens");
    lines.lines().filter_map(|line| line.split(' ').nth(2)).for_each(secrets::keep);
    fs::write(&path, lines).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    (directory, path)
}

#[test]
fn a_token_is_the_first_thing_that_is_said() {
    let home = home(|_| ());
    let token = own_token(&home);
    let mut client = home.tcp_client();
    client.asks(&format!("TOKEN \"{token}\"\n"), "TOKEN TAKEN admin\n");
    client.asks("EVENT PUBLISH s 1\n1\n", "EVENT PUBLISHED s 1\n");
    let mut later = home.tcp_client();
    let first = format!("REAM 1.1 TOKEN \"{token}\"\nEVENT PUBLISH s 1\n2\n");
    later.asks(&first, "REAM 1.1\nTOKEN TAKEN admin\nEVENT PUBLISHED s 2 2\n");
    let wrong = format!("{}x", &token[1..]);
    for first in [
        "PING\n".to_owned(),
        "EVENT PUBLISH s 1\n1\n".to_owned(),
        "REAM 1.1\n".to_owned(),
        format!("TOKEN {token}\n"),
        format!("TOKEN \"{wrong}\"\nEVENT PUBLISH s 1\n1\n"),
        format!("REAM 1.1 TOKEN \"{wrong}\"\nEVENT PUBLISH s 1\n1\n"),
        "TOKEN \"\"\n".to_owned(),
        "\u{e9}\n".to_owned(),
    ] {
        let mut client = home.tcp_client();
        client.send(&first);
        assert_eq!(client.rest(), NEEDED, "{first}");
    }
    assert_eq!(home.stored().len(), 2);
    home.end();
}

#[test]
fn a_token_that_does_not_come_ends_the_connection_after_ten_seconds() {
    let home = home(|options| options.keep_alive = Duration::from_secs(1));
    let begun = Instant::now();
    let (mut silent, mut slow) = (home.tcp_client(), home.tcp_client());
    slow.send("TOKEN \"");
    // It is not asked whether it is there before it may say so.
    assert_eq!((silent.rest(), slow.rest()), (NEEDED.into(), NEEDED.into()));
    let took = begun.elapsed();
    assert!((9..30).contains(&took.as_secs()), "{took:?}");
    home.end();
}

#[test]
fn what_a_token_does_not_allow_is_refused_and_the_rest_goes_on() {
    let (_place, path) = tokens("ann read r\nbob append a\ncat admin o\n");
    let home = home(|options| options.token_file = Some(path));
    assert!(!home.path().join("serve.token").exists());
    let mut client = home.tcp_client();
    client.asks("TOKEN \"a\"\n", "TOKEN TAKEN append\n");
    client.asks("EVENT PUBLISH s 1\n1\n", "EVENT PUBLISHED s 1\n");
    let state = "k \"00000000-0000-0000-0000-000000000001\"";
    client.asks("AGGREGATE SET k 1 1\n1\n", &format!("AGGREGATE SET DONE {state}\n"));
    client.asks(
        "EVENT REMOVE s\nAGGREGATE REMOVE k 1\nPROJECTION CREATE p 1 +a\nPING\n",
        &format!(
            "EVENT NON REMOVED s \"not allowed\"\nAGGREGATE NON REMOVED {state} \"not allowed\"\n\
             PROJECTION NON CREATED p \"not allowed\"\nPONG\n"
        ),
    );
    let mut reader = home.tcp_client();
    reader.asks("REAM 1.1 TOKEN \"r\"\n", "REAM 1.1\nTOKEN TAKEN read\n");
    reader.asks(
        "EVENT PUBLISH s 1\n1\nAGGREGATE SET k 1 1\n2\nEVENT LIST\n",
        &format!(
            "EVENT NON PUBLISHED s \"not allowed\"\nAGGREGATE NON SET {state} \"not allowed\"\n\
             EVENT LISTED 1 s\n"
        ),
    );
    reader.asks("EVENT SUBSCRIBE s FROM 1\n", "EVENT SUBSCRIBED s FROM 1\n");
    reader.gets("EVENT s 1 1 POSITION 1 TYPE Event\n1\n");
    let mut all = home.tcp_client();
    all.asks("TOKEN \"o\"\nEVENT REMOVE s\n", "TOKEN TAKEN admin\nEVENT REMOVED s\n");
    // Who acts is whose token it is.
    assert_eq!(home.acts(), [("StreamRemoved".into(), serde_json::json!({"user": "cat"}))]);
    // Whoever owns the store needs none on a Unix socket, and there is none here.
    assert!(!home.path().join("serve.sock").exists());
    home.end();
}

/// A request as a page sends it by `fetch`, with such a method.
fn fetched(port: u16, method: &str, body: &str) -> String {
    format!(
        "{method} / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: keep-alive\r\n\
         Content-Length: {}\r\nUser-Agent: Mozilla/5.0\r\nContent-Type: text/plain;charset=UTF-8\r\n\
         Accept: */*\r\nOrigin: http://example.org\r\nSec-Fetch-Site: cross-site\r\n\
         Sec-Fetch-Mode: no-cors\r\nReferer: http://example.org/\r\nAccept-Encoding: gzip\r\n\r\n{body}",
        body.len()
    )
}

#[test]
fn what_a_page_of_a_browser_sends_changes_nothing() {
    let home = home(|options| options.no_token = true);
    let body = "\nEVENT PUBLISH s 1\n1\nEVENT REMOVE kept\n";
    home.append("kept", "1");
    // What comes is what was sent: a port that takes anything has the publishing as a line of its own.
    let control = TcpListener::bind("127.0.0.1:0").unwrap();
    let sent = fetched(home.port().port(), "POST", body);
    let mut page = TcpStream::connect(control.local_addr().unwrap()).unwrap();
    page.write_all(sent.as_bytes()).unwrap();
    drop(page);
    let mut recorded = String::new();
    control.accept().unwrap().0.read_to_string(&mut recorded).unwrap();
    assert!(recorded.contains("\nEVENT PUBLISH s 1\n1\n"), "{recorded}");

    // A page may have any method where it is of the same origin, as after a change of its name's address.
    for method in ["POST", "GET", "PING", "EVENT"] {
        let mut page = home.tcp_client();
        page.send(fetched(home.port().port(), method, body));
        assert_eq!(page.rest(), "ERROR \"this port speaks REAM, and not HTTP\"\n", "{method}");
    }
    // Nor does any other first line that is no message, where 1.0 goes on behind it.
    let mut other = home.tcp_client();
    other.send(format!("PING / x\n{body}"));
    assert_eq!(other.rest(), "ERROR \"it has more than belongs to it\"\n");
    assert_eq!(home.stored(), ["kept 1 T Json(\"1\")"]);
    // A client is served beside that.
    let mut client = home.tcp_client();
    client.asks("EVENT LIST\n", "EVENT LISTED 1 kept\n");
    home.end();
}

#[test]
fn tls_on_a_plain_port_is_told_so() {
    let home = home(|_| ());
    let mut client = home.tcp_client();
    client.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03");
    assert_eq!(client.rest(), "ERROR \"this port speaks REAM without TLS\"\n");
    home.end();
}

pub(crate) fn store() -> (TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let store = home.path().join("s");
    Store::init(&store, &Options::default()).unwrap();
    (home, store)
}

/// The address in a line that says that a port is listened on.
pub(crate) fn address(line: &str) -> String {
    let (_, address) = line.split_once("\"address\":\"").unwrap();
    address.split_once('"').unwrap().0.to_owned()
}

#[test]
fn the_command_names_the_file_of_the_token_and_never_the_token() {
    let (_home, store) = store();
    let (server, line) = start(&store, &["--tcp", "127.0.0.1:0"]);
    let address = address(&line);
    let file = store.join("serve.token");
    let told_of = format!(
        "{{\"listening\":\"tcp\",\"address\":\"{address}\",\"token_file\":\"{}\"}}\n",
        file.display()
    );
    assert_eq!(line, told_of);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let token = fs::read_to_string(&file).unwrap().trim_end().to_owned();
    for words in ["TOKEN \"{}\"\n", "REAM 1.1 TOKEN \"{}\" x\n", "TOKEN {}\n", "{}\n"] {
        let mut client = Client::of(TcpStream::connect(&address).unwrap());
        client.send(words.replace("{}", &token));
        client.finish();
        let answers = client.rest();
        assert!(answers.contains("TAKEN") != answers.contains("ERROR"), "{answers}");
        assert!(!answers.contains(&token), "{answers}");
    }
    signal(&server, "TERM");
    let ended = server.wait_with_output().unwrap();
    assert_eq!(told(&ended), (Some(0), String::new()));
    let said = [ended.stdout, line.into_bytes()].concat();
    assert!(!String::from_utf8_lossy(&said).contains(&token));
    // For the eye, too, and the token stays.
    let (server, line) = start(&store, &["--tcp", "127.0.0.1:0", "--format", "table"]);
    let words = line.strip_prefix("listening on 127.0.0.1:").unwrap();
    let of = format!(", for who has a token of {}\n", file.display());
    assert!(words.ends_with(&of) && !words.contains(&token), "{line}");
    assert_eq!(fs::read_to_string(&file).unwrap().trim_end(), token);
    signal(&server, "TERM");
    assert_eq!(told(&server.wait_with_output().unwrap()), (Some(0), String::new()));
}

#[test]
fn without_tokens_it_says_who_may_do_what() {
    let (_home, store) = store();
    let (server, line) = start(&store, &["--tcp", "127.0.0.1:0", "--no-token"]);
    let address = address(&line);
    assert_eq!(line, format!("{{\"listening\":\"tcp\",\"address\":\"{address}\"}}\n"));
    let mut client = Client::of(TcpStream::connect(&address).unwrap());
    client.asks("EVENT LIST\n", "REAM 1.0\nEVENT LISTED 0\n");
    signal(&server, "TERM");
    let words = format!("warning: whoever reaches {address} may do everything with this store\n");
    assert_eq!(told(&server.wait_with_output().unwrap()), (Some(0), words));
    assert!(!store.join("serve.token").exists());

    let refused = |args: &[&str]| {
        let (code, words) = told(&ream(&store, &[&["serve"], args].concat()).output().unwrap());
        assert_eq!(code, Some(2), "{words}");
        words
    };
    let words = refused(&["--tcp", "127.0.0.1:0", "--tcp", "0.0.0.0:0", "--no-token"]);
    assert!(words.contains("and 0.0.0.0:0 is open to others"), "{words}");
    assert!(words.ends_with("ream serve --help\n"), "{words}");
    refused(&["--no-token"]);
    let nowhere = ream(&store, &["serve", "--tcp", "elsewhere:1"]).output().unwrap();
    let (code, words) = told(&nowhere);
    let reason = "not an IP address and a port, as in 127.0.0.1:7326";
    assert!(code == Some(6) && words.contains(reason), "{words}");
}

#[test]
fn tokens_that_can_not_be_used_are_an_error_before_anything_listens() {
    let (_home, store) = store();
    let (_place, path) = tokens("ann read hidden\nbob all hidden-too\n");
    let serve = |path: &Path| {
        let args = ["serve", "--tcp", "127.0.0.1:0", "--token-file", path.to_str().unwrap()];
        let ended = ream(&store, &args).output().unwrap();
        assert!(ended.stdout.is_empty() && !told(&ended).1.contains("hidden"), "{ended:?}");
        told(&ended)
    };
    let (code, words) = serve(&path);
    let line = format!(
        "error: {}, line 2: its second field is none of read, append, admin\n",
        path.display()
    );
    assert_eq!((code, words), (Some(6), line));
    fs::write(&path, "ann read hidden\n").unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    let (code, words) = serve(&path);
    assert_eq!(code, Some(1), "{words}");
    assert!(words.contains(" is readable by others (mode 0644)\nhint: chmod 600 "), "{words}");
    let (code, words) = serve(&path.with_file_name("none"));
    assert_eq!(code, Some(1), "{words}");
    assert!(words.starts_with("error: can't open ") && words.contains("No such file"), "{words}");
}

#[test]
fn a_port_that_is_taken_is_an_error() {
    let (_home, store) = store();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let mut options = ServeOptions::default();
    options.tcp = vec![address];
    let error = Server::bind(&store, &Options::default(), &options).unwrap_err();
    assert_eq!(error.to_string(), format!("can't listen on {address}"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_server_that_is_busy_has_hundreds_of_connections_wait() {
    let (_home, store) = store();
    let mut options = ServeOptions::default();
    options.tcp = vec!["127.0.0.1:0".parse().unwrap()];
    // It listens, and takes none of them yet.
    let server = Server::bind(&store, &Options::default(), &options).unwrap();
    let address = server.tcp().next().unwrap();
    // One for which there is no place asks again and again, until it gives up.
    let connect = |_| TcpStream::connect_timeout(&address, Duration::from_secs(20)).unwrap();
    let _clients: Vec<TcpStream> = (0..600).map(connect).collect();
}

#[test]
fn where_descriptors_run_out_the_store_has_what_it_needs() {
    let (_home, store) = store();
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 128; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_ream")]);
    command.arg("--store").arg(&store).args(["serve", "--tcp", "127.0.0.1:0", "--no-token"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let (server, line) = started(&mut command);
    let address = address(&line);
    let connect = |_| Client::of(TcpStream::connect(&address).unwrap());
    let mut clients: Vec<Client> = (0..150).map(connect).collect();
    assert_eq!(clients.last_mut().unwrap().rest(), "ERROR \"too many connections\"\n");
    for (at, client) in clients.iter_mut().enumerate().take(12) {
        client.gets("REAM 1.0\n");
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
    // Where there is room again, another has it.
    for mut client in clients.drain(..12) {
        client.finish();
        assert_eq!(client.rest(), "");
    }
    let mut next = connect(0);
    next.asks("PING\n", "REAM 1.0\nPONG\n");
    signal(&server, "TERM");
    assert_eq!(told(&server.wait_with_output().unwrap()).0, Some(0));
}
