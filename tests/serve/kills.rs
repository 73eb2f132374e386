//! A server that is killed: what was acknowledged is there, once.

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use ream::{Options, Query, Store};

use crate::command::start;

const PUBLISHERS: usize = 6;
/// How many acknowledgements lie between two kills, in turn: now it has just begun, now it is in full swing.
const BETWEEN: [usize; 6] = [150, 0, 400, 1, 60, 7];

/// One who publishes event after event, each until it is acknowledged.
struct Publisher {
    number: usize,
    socket: PathBuf,
    /// Told of each acknowledgement.
    acknowledged: Sender<()>,
    is_enough: Arc<AtomicBool>,
}

impl Publisher {
    /// Publishes; how many events were acknowledged.
    fn publish(&self) -> u64 {
        let (mut connection, mut next) = (None, 1);
        while !self.is_enough.load(Ordering::Relaxed) {
            let told = connection.as_mut().and_then(|connection| self.say(connection, next));
            let Some(version) = told else {
                connection = self.connect();
                // It may be about to listen.
                thread::yield_now();
                continue;
            };
            // In order, and where it stands by its first attempt.
            assert_eq!(version, next);
            next += 1;
            self.acknowledged.send(()).unwrap();
        }
        next - 1
    }

    fn connect(&self) -> Option<BufReader<UnixStream>> {
        let mut connection = BufReader::new(UnixStream::connect(&self.socket).ok()?);
        connection.get_mut().write_all(b"REAM 1.1\n").ok()?;
        for greeting in ["REAM 1.0\n", "REAM 1.1\n"] {
            let mut line = String::new();
            connection.read_line(&mut line).ok()?;
            (line == greeting).then_some(())?;
        }
        Some(connection)
    }

    /// Publishes an event; its version, where that is acknowledged.
    fn say(&self, connection: &mut BufReader<UnixStream>, next: u64) -> Option<u64> {
        let (number, json) = (self.number, next.to_string());
        let request =
            format!("EVENT PUBLISH s{number} {} ID \"{number}-{next}\"\n{json}\n", json.len());
        connection.get_mut().write_all(request.as_bytes()).ok()?;
        let mut line = String::new();
        connection.read_line(&mut line).ok().filter(|_| line.ends_with('\n'))?;
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(words[..2], ["EVENT", "PUBLISHED"], "{line}");
        words[3].parse().ok()
    }
}

/// Kills a server each time that so many more events were acknowledged, and starts it again; `REAM_KILLS`
/// times, or 12.
fn kill_again_and_again(store: &Path, acknowledged: &Receiver<()>) {
    let kills = std::env::var("REAM_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(12);
    for kill in 0..kills {
        let (mut server, _) = start(store, &[]);
        for _ in 0..BETWEEN[kill % BETWEEN.len()] {
            acknowledged.recv().unwrap();
        }
        server.kill().unwrap();
        server.wait().unwrap();
    }
}

#[test]
fn what_was_acknowledged_is_there_once_however_often_it_is_killed() {
    let home = tempfile::tempdir().unwrap();
    let store = home.path().join("s");
    Store::init(&store, &Options::default()).unwrap();
    let (telling, acknowledged) = mpsc::channel();
    let is_enough = Arc::<AtomicBool>::default();
    let publishers: Vec<_> = (0..PUBLISHERS)
        .map(|number| {
            let (acknowledged, is_enough) = (telling.clone(), Arc::clone(&is_enough));
            let socket = store.join("serve.sock");
            let publisher = Publisher { number, socket, acknowledged, is_enough };
            thread::spawn(move || publisher.publish())
        })
        .collect();
    kill_again_and_again(&store, &acknowledged);
    is_enough.store(true, Ordering::Relaxed);
    let acknowledged: Vec<u64> =
        publishers.into_iter().map(|publisher| publisher.join().unwrap()).collect();

    let store = Store::open(&store, &Options::default()).unwrap();
    let (mut ids, mut last) = (HashSet::new(), vec![0; PUBLISHERS]);
    let mut reader = store.read(&Query::default()).unwrap();
    let mut look = |event: &ream::EventRef<'_>| {
        let id = event.given_id.unwrap().to_owned();
        let (number, next) = id.split_once('-').unwrap();
        let (number, next): (usize, u64) = (number.parse().unwrap(), next.parse().unwrap());
        assert_eq!((event.version.0, next), (last[number] + 1, last[number] + 1), "{id}");
        last[number] = next;
        assert!(ids.insert(id), "{event:?}");
    };
    while !reader.next_batch(&mut look).unwrap().caught_up {}
    for (number, acknowledged) in acknowledged.iter().enumerate() {
        // The last one may be stored and not acknowledged.
        let is_next = last[number] == *acknowledged || last[number] == acknowledged + 1;
        assert!(is_next, "s{number}: {acknowledged} acknowledged, {} stored", last[number]);
    }
}
