//! The server beside processes of the commands: all of them write, follow and rebuild one store.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use ream::serve::ServeOptions;
use ream::{Data, Query};
use serde_json::{Value, json};

use crate::command::ream;
use crate::http::Browser;
use crate::http_live;
use crate::support::{Client, Home};

/// Who appends each event by a process of its own, and how many.
const LOOPS: usize = 8;
const LOOPED: usize = 6;
/// Who append event after event in one process, over a connection, or over HTTP, and how many each.
const STREAMING: usize = 4;
const PUBLISHERS: usize = 4;
const EACH: usize = 100;
const ALL: usize = LOOPS * LOOPED + (STREAMING + PUBLISHERS + 1) * EACH;

/// Counts the events of each stream.
const COUNTS: &str = concat!(
    "while IFS=:, read -r _ position _ stream _ version _; do ",
    r#"echo '{"upsert":{"row":{"stream":'$stream',"events":1,"last":'$version'},"#,
    r#""compute":{"events":"events + 1","last":":last"},"with":{"last":'$version'}}}'; "#,
    r#"echo '{"ack":'$position'}'; done"#
);

/// An event: its stream, version, position, and its data, which are its id.
type Seen = (String, u64, u64, String);

/// The stream of a writer's event, and its id: each second one goes where all write.
fn event(writer: &str, number: usize) -> (String, String) {
    let stream = if number.is_multiple_of(2) { "shared" } else { writer };
    (stream.into(), format!("{writer}-{number}"))
}

/// An event as it is shown, or acknowledged with its id.
fn seen(line: &str) -> Seen {
    let value: Value = serde_json::from_str(line).unwrap();
    let text = |member: &str| value[member].as_str().unwrap().to_owned();
    let id = if value["data"].is_string() { text("data") } else { text("id") };
    let number = |member: &str| value[member].as_u64().unwrap();
    (text("stream"), number("version"), number("position"), id)
}

/// `ream` on a store, with time to wait for its turn.
fn patient(store: &Path, args: &[&str]) -> Command {
    let mut command = ream(store, &[args, &["--lock-timeout", "60s"]].concat());
    command.env("REAM_ALLOW", "1");
    command
}

/// What a command prints that succeeds.
#[track_caller]
fn done(store: &Path, args: &[&str]) -> String {
    let ended = patient(store, args).output().unwrap();
    assert!(ended.status.success(), "{args:?}: {ended:?}");
    String::from_utf8(ended.stdout).unwrap()
}

fn loops(store: &Path, writer: &str) -> Vec<Seen> {
    let append = |number| {
        let (stream, id) = event(writer, number);
        let data = format!("\"{id}\"");
        seen(&done(store, &["append", &stream, "T", &data, "--id", &id]))
    };
    (1..=LOOPED).map(append).collect()
}

fn streams(store: &Path, writer: &str) -> Vec<Seen> {
    let mut append = patient(store, &["append", "--jsonl", "-"]);
    let mut append = append.stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = append.stdin.take().unwrap();
    let mut lines = BufReader::new(append.stdout.take().unwrap()).lines();
    // Each is acknowledged before the next one comes.
    let mut append_one = |number| {
        let (stream, id) = event(writer, number);
        let line = json!({"stream": stream, "type": "T", "id": id, "data": id});
        writeln!(stdin, "{line}").unwrap();
        seen(&lines.next().unwrap().unwrap())
    };
    let seen = (1..=EACH).map(&mut append_one).collect();
    drop(stdin);
    assert!(append.wait().unwrap().success());
    seen
}

/// A client that speaks 1.1.
fn client(store: &Path) -> Client {
    let mut client = Client::at(&store.join("serve.sock"));
    client.asks("REAM 1.1\n", "REAM 1.0\nREAM 1.1\n");
    client
}

fn publishes(store: &Path, writer: &str) -> Vec<Seen> {
    let mut client = client(store);
    let mut publish = |number| {
        let (stream, id) = event(writer, number);
        let data = format!("\"{id}\"");
        client.send(format!("EVENT PUBLISH {stream} {} ID \"{id}\"\n{data}\n", data.len()));
        let answer = client.line();
        let words: Vec<&str> = answer.split(' ').collect();
        assert_eq!(words[..3], ["EVENT", "PUBLISHED", &stream], "{answer}");
        (stream, words[3].parse().unwrap(), words[4].parse().unwrap(), id)
    };
    (1..=EACH).map(&mut publish).collect()
}

fn posts(address: SocketAddr, writer: &str) -> Vec<Seen> {
    let mut browser = Browser::at(address);
    let mut post = |number| {
        let (stream, id) = event(writer, number);
        let request = format!("POST /streams/{stream}?type=T&id={id}");
        let bearer = "Authorization: Bearer t-append";
        let answer = browser.asks(&request, bearer, format!("\"{id}\""));
        assert_eq!(answer.status, 200, "{answer:?}");
        seen(&answer.body)
    };
    (1..=EACH).map(&mut post).collect()
}

/// What a subscriber is told that is there all the time.
fn subscribes(store: &Path) -> Vec<Seen> {
    subscribed(store, 0, ALL)
}

/// The same of one that goes after some events, and goes on where it was.
fn comes_again(store: &Path) -> Vec<Seen> {
    let mut seen: Vec<Seen> = Vec::new();
    while seen.len() < ALL {
        let behind = seen.last().map_or(0, |(_, _, position, _)| *position);
        seen.extend(subscribed(store, behind, 7.min(ALL - seen.len())));
    }
    seen
}

/// So many events behind a position.
fn subscribed(store: &Path, behind: u64, count: usize) -> Vec<Seen> {
    let (mut client, from) = (client(store), behind + 1);
    client.send(format!("EVENT SUBSCRIBE \"*\" FROM {from}\n"));
    client.gets(&format!("EVENT SUBSCRIBED \"*\" FROM {from}\n"));
    let mut next = |_| {
        let (line, data) = (client.line(), client.line());
        let words: Vec<&str> = line.split(' ').collect();
        assert!(words[0] == "EVENT" && words[4] == "POSITION", "{line}");
        let id = serde_json::from_str(&data).unwrap();
        (words[1].into(), words[2].parse().unwrap(), words[5].parse().unwrap(), id)
    };
    (0..count).map(&mut next).collect()
}

/// The same over HTTP.
fn listens(mut browser: Browser) -> Vec<Seen> {
    let events = http_live::events(&mut browser, ALL);
    events.lines().filter_map(|line| line.strip_prefix("data: ")).map(seen).collect()
}

/// The same by a command.
fn tails(store: &Path) -> Vec<Seen> {
    done(store, &["tail", "--limit", &ALL.to_string()]).lines().map(seen).collect()
}

/// Has a projection be made again and again, and be made anew beside that, until it is enough; how often.
fn projects(store: &Path, args: &[&str], is_enough: &AtomicBool) -> usize {
    let mut times = 0;
    while !is_enough.load(Ordering::Relaxed) {
        let ended = patient(store, &[&["project"], args].concat()).output().unwrap();
        let words = String::from_utf8_lossy(&ended.stderr);
        // It ends for the one that took its place meanwhile.
        let has_ended = words.contains("the projection `counts` has been rebuilt meanwhile");
        assert!(ended.status.success() || has_ended, "{args:?}: {ended:?}");
        times += 1;
    }
    times
}

/// What is stored, in order, but for the records of acts; each position is taken.
fn stored(home: &Home) -> Vec<Seen> {
    let (mut stored, mut positions) = (Vec::new(), 1..);
    let mut note = |event: &ream::EventRef<'_>| {
        assert_eq!(Some(event.position.0), positions.next());
        if event.stream == "$ream" {
            return;
        }
        let id = event.given_id.unwrap().to_owned();
        let Data::Json(data) = event.data.to_data() else { panic!("{event:?}") };
        assert_eq!(data.as_str(), format!("\"{id}\""));
        stored.push((event.stream.to_string(), event.version.0, event.position.0, id));
    };
    let query = Query::of(vec!["*".parse().unwrap(), "$ream".parse().unwrap()]);
    let mut reader = home.open().read(&query).unwrap();
    while !reader.next_batch(&mut note).unwrap().caught_up {}
    stored
}

/// That each stream counts its events, each writer's are in their order, and all that was acknowledged is there.
fn is_whole(stored: &[Seen], acknowledged: &[Seen]) -> BTreeMap<String, u64> {
    let (mut versions, mut numbers) = (BTreeMap::new(), BTreeMap::new());
    for (stream, version, _, id) in stored {
        let last = versions.entry(stream.clone()).or_insert(0);
        let (writer, number) = id.rsplit_once('-').unwrap();
        let before = numbers.insert(writer, number.parse::<u64>().unwrap()).unwrap_or(0);
        assert_eq!(*version, *last + 1, "{id}");
        assert_eq!(number, (before + 1).to_string(), "{id}");
        *last += 1;
    }
    let mut acknowledged = acknowledged.to_vec();
    acknowledged.sort_by_key(|(_, _, position, _)| *position);
    assert!(acknowledged == stored, "{acknowledged:?} {stored:?}");
    versions
}

#[test]
fn beside_sixteen_processes_nothing_is_lost_or_doubled_and_all_see_the_same() {
    let mut options = ServeOptions::default();
    // A subscriber says nothing.
    options.keep_alive = Duration::from_secs(600);
    let home = Home::with_http(options);
    let (store, address) = (home.path(), home.address());
    let fields = ["stream:text:key", "events:integer", "last:integer"];
    done(&store, &[&["project", "create", "counts"], &fields[..]].concat());
    done(&store, &["project", "run", "counts", "--until-caught-up", "--", "sh", "-c", COUNTS]);
    let is_enough = Arc::<AtomicBool>::default();
    // None of these holds the store: where one fails, the server and the store go, and so do the others.
    let follow = |work: fn(&Path) -> Vec<Seen>| {
        let store = store.clone();
        thread::spawn(move || work(&store))
    };
    let browser = http_live::follows(&home, "", "");
    let followers: Vec<JoinHandle<Vec<Seen>>> = vec![
        follow(subscribes),
        follow(comes_again),
        follow(tails),
        follow(tails),
        thread::spawn(move || listens(browser)),
    ];
    let make = |args: &'static [&'static str]| {
        let (store, is_enough) = (store.clone(), Arc::clone(&is_enough));
        thread::spawn(move || projects(&store, args, &is_enough))
    };
    let makers = [make(&["run", "counts", "--until-caught-up"]), make(&["rebuild", "counts"])];
    let write = |work: fn(&Path, &str) -> Vec<Seen>, writer: String| {
        let store = store.clone();
        thread::spawn(move || work(&store, &writer))
    };
    let mut writers = vec![thread::spawn(move || posts(address, "http"))];
    writers.extend((0..LOOPS).map(|at| write(loops, format!("loop{at}"))));
    writers.extend((0..STREAMING).map(|at| write(streams, format!("lines{at}"))));
    writers.extend((0..PUBLISHERS).map(|at| write(publishes, format!("client{at}"))));
    let acknowledged: Vec<Seen> =
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect();
    let stored = stored(&home);
    assert_eq!(stored.len(), ALL);
    let versions = is_whole(&stored, &acknowledged);
    for (at, follower) in followers.into_iter().enumerate() {
        let followed = follower.join().unwrap();
        assert!(followed == stored, "{at}: {followed:?}");
    }
    is_enough.store(true, Ordering::Relaxed);
    for times in makers.map(|maker| maker.join().unwrap()) {
        assert!(times > 1, "{times}");
    }

    let rows = done(&store, &["project", "select", "counts", "--order-by", "stream", "--fresh"]);
    let row = |(stream, last): (&String, &u64)| {
        format!("{{\"stream\":\"{stream}\",\"events\":{last},\"last\":{last}}}\n")
    };
    assert_eq!(rows, versions.iter().map(row).collect::<String>());
    let again = done(&store, &["project", "rebuild", "counts", "--diff", "--yes"]);
    assert!(again.contains("\"changed\":0,\"gone\":0,\"new\":0,"), "{again}");
    home.end();
}
