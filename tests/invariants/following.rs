//! Programs that follow the log: each event counts once, whoever is killed and whenever.

use std::fs;
use std::time::{Duration, Instant};

use ream::{Data, Event, Json, NewEvent, Store};
use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Home, Running, killed_at_calls, read, until};

/// Adds each event's number to a sum and counts it: what is done twice shows.
const SUM: [&str; 3] = [
    "sed",
    "-n",
    r#"s/.*"data":\([0-9]*\)}$/{"upsert":{"row":{"id":1,"sum":\1,"count":1},"compute":{"sum":"sum + :n","count":"count + 1"},"with":{"n":\1}}}/p"#,
];
const REACT: [&str; 3] = [
    "sed",
    "-n",
    r#"s/.*"data":\([0-9]*\)}$/{"append":{"stream":"out","type":"Seen","data":\1}}/p"#,
];

/// What changes something, or waits for someone: a kill between two of these leaves what a kill at the
/// second one does.
const CALLS: &str = "write,pwrite64,fsync,fdatasync,ftruncate,unlink,rename,symlink,flock,ppoll,clone3,execve,exit_group";

fn create(home: &Home) {
    home.run(&["project", "create", "sums", "id:integer:key", "sum:integer", "count:integer"])
        .done();
}

/// The sum and the count, and the checkpoint that they are of.
#[track_caller]
fn sums(home: &Home) -> (u64, u64, u64) {
    let store = home.open();
    let projection = store.projection("sums").unwrap();
    let row = home.run(&["project", "select", "sums"]).done();
    let value = |name: &str| {
        let row: serde_json::Value = serde_json::from_str(&row).unwrap_or_default();
        row[name].as_u64().unwrap_or_default()
    };
    (value("sum"), value("count"), projection.checkpoint().unwrap().position.0)
}

/// The numbers that were reacted with.
fn reactions(store: &Store) -> Vec<u64> {
    let number = |event: &Event| match &event.data {
        Data::Json(json) => json.as_str().parse().unwrap(),
        Data::Bytes(_) => panic!("{event:?}"),
    };
    let events = read(store);
    events.iter().filter(|event| event.stream.as_str() == "out").map(number).collect()
}

#[test]
fn a_kill_at_any_moment_leaves_rows_and_checkpoint_together() {
    let prepared = Home::with(3);
    create(&prepared);
    let run = ["project", "run", "sums", "s", "--until-caught-up", "--retries", "0", "--"];
    let run = [&run[..], &SUM].concat();
    let (mut before, mut after) = (0, 0);
    killed_at_calls(&prepared, CALLS, &run, |home, _, place| {
        match sums(home) {
            (0, 0, 0) => before += 1,
            (6, 3, 3) => after += 1,
            found => panic!("{place}: {found:?}"),
        }
        home.run(&run).done();
        assert_eq!(sums(home), (6, 3, 3), "{place}");
    });
    assert!(before > 20 && after > 5, "{before} {after}");
}

#[test]
fn a_kill_at_any_moment_leaves_reactions_and_checkpoint_together() {
    let prepared = Home::with(3);
    let run = ["tail", "s", "--as", "echo", "--until-caught-up", "--retries", "0", "--"];
    let run = [&run[..], &REACT].concat();
    let (mut before, mut after) = (0, 0);
    killed_at_calls(&prepared, CALLS, &run, |home, _, place| {
        let store = home.open();
        let at = store.subscription("echo").map_or(0, |found| found.checkpoint.position.0);
        match (&reactions(&store)[..], at) {
            ([], 0) => before += 1,
            ([1, 2, 3], 3) => after += 1,
            found => panic!("{place}: {found:?}"),
        }
        home.run(&run).done();
        assert_eq!(reactions(&store), [1, 2, 3], "{place}");
    });
    assert!(before > 20 && after > 5, "{before} {after}");
}

#[test]
fn a_kill_at_any_moment_of_a_rebuild_leaves_the_old_one_or_the_new() {
    let prepared = Home::with(3);
    create(&prepared);
    let run = ["project", "run", "sums", "s", "--until-caught-up", "--"];
    prepared.run(&[&run[..], &SUM].concat()).done();
    // The old one is seen to be another.
    prepared.run(&["project", "update", "sums", "--set", "count = 100", "--yes"]).done();
    let (mut old, mut new) = (0, 0);
    let rebuild = ["project", "rebuild", "sums", "--retries", "0"];
    killed_at_calls(&prepared, CALLS, &rebuild, |home, _, place| {
        match sums(home) {
            (6, 100, 3) => old += 1,
            (6, 3, 3) => new += 1,
            found => panic!("{place}: {found:?}"),
        }
        home.run(&["project", "rebuild", "sums"]).done();
        assert_eq!(sums(home), (6, 3, 3), "{place}");
        let files = fs::read_dir(home.file("projections")).unwrap();
        let files = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        let files: Vec<String> =
            files.filter(|file| !file.contains('-') && file != "lock").collect();
        assert_eq!(files.len(), 2, "{place}: the link, and what it leads to: {files:?}");
        let linked = fs::canonicalize(home.file("projections/sums.db")).unwrap();
        assert!(files.iter().any(|file| linked.ends_with(file)), "{place}: {linked:?} {files:?}");
    });
    assert!(old > 20 && new > 5, "{old} {new}");
}

/// Steele, Lea and Flood's generator (`SplitMix64`).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// Counts and sums events, and acks each third.
const PROJECTOR: &str = "
import json, sys
for line in sys.stdin:
    e = json.loads(line)
    n = e['data']
    row = {'id': n % 7, 'sum': n, 'count': 1}
    compute = {'sum': 'sum + :n', 'count': 'count + 1'}
    print(json.dumps({'upsert': {'row': row, 'compute': compute, 'with': {'n': n}}}))
    if e['data'] % 3 == 0:
        print(json.dumps({'ack': e['position']}), flush=True)
";
/// Answers each event with one, and acks each third.
const REACTOR: &str = "
import json, sys
for line in sys.stdin:
    e = json.loads(line)
    print(json.dumps({'append': {'stream': 'out', 'type': 'Seen', 'data': e['data']}}))
    if e['data'] % 3 == 0:
        print(json.dumps({'ack': e['position']}), flush=True)
";

/// Runs `args` again and again on a store to which events are added, and kills it, its program or both at
/// a random moment; `REAM_KILLS` times, or 40. What `checkpoint` tells has to go on.
fn kill_at_random(
    home: &Home,
    seed: u64,
    args: &[&str],
    checkpoint: impl Fn(&Store) -> u64,
) -> u64 {
    let kills = std::env::var("REAM_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(40);
    let (mut random, mut number) = (Random(seed), 0);
    let mut store = home.open();
    for _ in 0..kills {
        let added: Vec<NewEvent> = (0..=random.below(60))
            .map(|_| {
                number += 1;
                let mut event = NewEvent::new("s".parse().unwrap(), "T".parse().unwrap());
                event.data = Data::Json(Json::parse(&number.to_string()).unwrap());
                event
            })
            .collect();
        store.append(&added).unwrap();
        let mut running = Running::start(&mut home.ream(args));
        let before = checkpoint(&store);
        // Now before the first ack, now at one, now a moment later.
        if random.below(4) > 0 && added.len() >= 3 {
            until("an ack", || (checkpoint(&store) > before).then_some(()));
        }
        let moment = Duration::from_micros(random.below(30_000));
        let begun = Instant::now();
        while begun.elapsed() < moment {
            std::thread::yield_now();
        }
        let (program, itself) =
            [(true, false), (false, true), (true, true)][usize::try_from(random.below(3)).unwrap()];
        let killed = if program { children(running.id()) } else { Vec::new() };
        for program in &killed {
            // It may have ended.
            let _ = kill_process(*program, Signal::KILL);
        }
        if !itself && !killed.is_empty() {
            until("that it is started again", || {
                children(running.id()).iter().any(|other| !killed.contains(other)).then_some(())
            });
        }
        running.kill();
        running.end();
    }
    number
}

/// The children of a process.
fn children(process: u32) -> Vec<Pid> {
    let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children"));
    let children = children.unwrap_or_default();
    children.split_whitespace().filter_map(|id| Pid::from_raw(id.parse().unwrap())).collect()
}

#[test]
fn kills_at_random_lose_and_repeat_no_row() {
    let home = Home::new();
    create(&home);
    let run = ["project", "run", "sums", "s", "--", "python3", "-c", PROJECTOR];
    let checkpoint =
        |store: &Store| store.projection("sums").unwrap().checkpoint().unwrap().position.0;
    let events = kill_at_random(&home, 11, &run, checkpoint);
    home.run(&["project", "run", "sums", "--until-caught-up"]).done();
    let total = home.run(&["project", "select", "sums"]).done();
    let rows = total.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let (mut sum, mut count) = (0, 0);
    for row in rows {
        sum += row["sum"].as_u64().unwrap();
        count += row["count"].as_u64().unwrap();
    }
    assert_eq!((sum, count), (events * (events + 1) / 2, events));
    let anew = home.run(&["project", "rebuild", "sums", "--dry-run"]).done();
    assert!(anew.contains(r#""changed":0,"gone":0,"new":0,"#), "{anew}");
}

#[test]
fn kills_at_random_lose_and_repeat_no_reaction() {
    let home = Home::new();
    let run = ["tail", "s", "--as", "echo", "--", "python3", "-c", REACTOR];
    let checkpoint =
        |store: &Store| store.subscription("echo").map_or(0, |found| found.checkpoint.position.0);
    let events = kill_at_random(&home, 12, &run, checkpoint);
    let last = [&run[..4], &["--until-caught-up"], &run[4..]].concat();
    home.run(&last).done();
    let mut seen = reactions(&home.open());
    assert!(seen.is_sorted(), "in their order");
    seen.dedup();
    assert_eq!(seen, (1..=events).collect::<Vec<_>>());
    assert_eq!(reactions(&home.open()).len(), seen.len(), "each once");
}
