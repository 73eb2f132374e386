//! Programs that follow the log: each event counts once, whoever is killed and whenever.

use std::fs;
use std::ops::{ControlFlow, RangeInclusive};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ream::{Data, Error, Event, Json, NewEvent, Selection, Store, ValueRef};
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
    // Each is done in a copy, where the program is not allowed by itself.
    let rebuild = ["project", "rebuild", "sums", "--allow", "--retries", "0"];
    killed_at_calls(&prepared, CALLS, &rebuild, |home, _, place| {
        match sums(home) {
            (6, 100, 3) => old += 1,
            (6, 3, 3) => new += 1,
            found => panic!("{place}: {found:?}"),
        }
        home.run(&["project", "rebuild", "sums", "--allow"]).done();
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
        let added = random.below(60) + 1;
        store.append(&numbers(number + 1..=number + added)).unwrap();
        number += added;
        let mut running = Running::start(&mut home.ream(args));
        let before = checkpoint(&store);
        // Now before the first ack, now at one, now a moment later.
        if random.below(4) > 0 && added >= 3 {
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
            // It goes on: what it had answered and not acked is answered again, and counts once.
            let before = checkpoint(&store);
            store.append(&numbers(number + 1..=number + 3)).unwrap();
            number += 3;
            until("its next ack", || (checkpoint(&store) > before).then_some(()));
        }
        running.kill();
        running.end();
    }
    number
}

/// Events with these numbers as their data.
fn numbers(numbers: RangeInclusive<u64>) -> Vec<NewEvent> {
    let event = |number: u64| {
        let mut event = NewEvent::new("s".parse().unwrap(), "T".parse().unwrap());
        event.data = Data::Json(Json::parse(&number.to_string()).unwrap());
        event
    };
    numbers.map(event).collect()
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

#[test]
fn a_reader_sees_the_old_one_or_the_new_whole() {
    const EVENTS: u64 = 900;
    let home = Home::with(EVENTS);
    home.run(&["project", "create", "rows", "id:integer:key", "made:integer"]).done();
    let made = |number: usize| {
        format!(r#"s/.*"data":\([0-9]*\)}}$/{{"set":{{"id":\1,"made":{number}}}}}/p"#)
    };
    let run = ["project", "run", "rows", "s", "--until-caught-up", "--", "sed", "-n"];
    home.run(&[&run[..], &[&made(0)]].concat()).done();
    let over = AtomicBool::new(false);
    let reads = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let store = home.open();
            let (mut seen, mut reads) = (0, 0_u32);
            while !over.load(Ordering::Relaxed) {
                let rows = store.projection("rows").unwrap();
                let mut found = Vec::new();
                let selected = rows.select(&Selection::all(rows.schema()), |row| {
                    match row.value(1).unwrap() {
                        ValueRef::Integer(made) => found.push(made),
                        other => panic!("{other:?}"),
                    }
                    ControlFlow::Continue(())
                });
                match selected {
                    // It was rebuilt since it was opened: no old answer.
                    Err(Error::Superseded(_)) if found.is_empty() => continue,
                    selected => selected.unwrap(),
                }
                assert_eq!(found.len() as u64, EVENTS, "not a part of one");
                assert!(found.iter().all(|made| *made == found[0]), "not some of each");
                assert!(found[0] >= seen, "not an older one again");
                (seen, reads) = (found[0], reads + 1);
            }
            reads
        });
        for number in 1..=8 {
            let rebuild = ["project", "rebuild", "rows", "--", "sed", "-n", &made(number)];
            home.run(&rebuild).done();
        }
        over.store(true, Ordering::Relaxed);
        reader.join().unwrap()
    });
    assert!(reads > 8, "{reads}");
    let shown = home.run(&["project", "select", "rows", "made = 8", "--count"]).done();
    assert_eq!(shown, format!("{{\"count\":{EVENTS}}}\n"));
}

#[test]
fn a_live_runner_is_fenced_by_a_rebuild() {
    let home = Home::with(3);
    create(&home);
    let run = ["project", "run", "sums", "s", "--", "python3", "-c", PROJECTOR];
    let mut runner = Running::start(&mut home.ream(&run));
    let store = home.open();
    until("that it runs", || {
        (store.projection("sums").unwrap().checkpoint().unwrap().position.0 == 3).then_some(())
    });
    home.run(&["project", "rebuild", "sums"]).done();
    let serves = || store.projection("sums").unwrap().checkpoint().unwrap().position.0;
    assert_eq!(serves(), 3);
    until("that it ends", || runner.has_ended().then_some(()));
    let ended = runner.end().failed(1, &["the projection `sums` has been rebuilt meanwhile"]);
    let hint = ended.stderr.lines().find(|line| line.starts_with("hint: go on with the new one: "));
    assert!(hint.is_some_and(|hint| hint.ends_with(" project run sums")), "{ended:?}");
    let appended = home.open().append(&crate::support::numbered("s", 3)).unwrap();
    home.run(&["project", "run", "sums", "--until-caught-up"]).done();
    assert_eq!(serves(), appended[2].position.0);
}

/// Restores the database as it was before three more events, which `sums` has done: it has lost what stood
/// at that place. A subscription, which is restored with the events, is given a place in another store.
fn restored(home: &Home) {
    let files = |script: &str| {
        let mut shell = std::process::Command::new("sh");
        shell.args(["-ec", script]).current_dir(home.place());
        assert!(shell.status().unwrap().success());
    };
    files("mkdir old; cp store/db store/db-wal old");
    home.open().append(&crate::support::numbered("s", 3)).unwrap();
    home.run(&["project", "run", "sums", "--until-caught-up"]).done();
    files("rm store/db-* store/bell/bell; cp old/* store");
    let elsewhere = Home::with(3).open().checkpoint(ream::Position(3)).unwrap();
    home.open().move_subscription(&"echo".parse().unwrap(), None, &elsewhere).unwrap();
}

#[test]
fn a_checkpoint_of_another_log_is_refused_with_what_mends_it() {
    let home = Home::with(3);
    create(&home);
    let run = ["project", "run", "sums", "s", "--until-caught-up", "--"];
    home.run(&[&run[..], &SUM].concat()).done();
    let react = ["tail", "s", "--as", "echo", "--until-caught-up", "--"];
    let react = [&react[..], &REACT].concat();
    home.run(&react).done();
    restored(&home);
    let (lost, other) = ("the store has lost what stood there", "another event stands there now");
    let told = |reason: &str| format!("is none of this store: {reason}");
    let listed = home.run(&["subscription", "list"]).warned(&[&told(lost), &told(other)]);
    for (name, reason) in [("sums", lost), ("echo", other)] {
        let name = format!("\"name\":\"{name}\"");
        let line = listed.lines().find(|line| line.contains(&name)).unwrap();
        assert!(line.contains(&format!("\"mismatch\":\"{reason}\"")), "{listed}");
    }
    for args in [&["--fresh"][..], &["--at-least", "1"], &["--at-least", "1", "--count"]] {
        home.run(&[&["project", "select", "sums"], args].concat()).failed(1, &[&told(lost)]);
    }
    let run = ["project", "run", "sums", "--until-caught-up"];
    let refused = home.run(&run).failed(1, &[&told(lost)]);
    assert!(
        refused.stderr.contains("hint: make it anew: ")
            && refused.stderr.ends_with(" project rebuild sums\n"),
        "{refused:?}"
    );
    let refused = home.run(&react).failed(1, &[&told(other)]);
    // Where it goes on is for a person to say: what is passed over is lost to it.
    assert!(refused.stderr.ends_with(" subscription show echo\n"), "{refused:?}");
    home.run(&["project", "rebuild", "sums"]).done();
    home.run(&["project", "run", "sums", "--until-caught-up"]).done();
    assert_eq!(sums(&home), (6, 3, 3));
    home.run(&["subscription", "seek", "echo", "end"]).done();
    home.run(&react).done();
    assert_eq!(reactions(&home.open()), [1, 2, 3]);
}

#[test]
fn a_program_that_does_not_read_holds_up_no_one() {
    let home = Home::new();
    create(&home);
    home.open().append(&crate::support::numbered("s", 1)).unwrap();
    let run =
        ["project", "run", "sums", "s", "--", "sh", "-c", "echo $$ >started; exec sleep 1000"];
    let running = Running::start(&mut home.ream(&run));
    until("that it runs", || home.place().join("started").exists().then_some(()));
    let mut store = home.open();
    let large = crate::support::text_of(100_000);
    let event = crate::support::sized("s", &large);
    for _ in 0..300 {
        store.append(std::slice::from_ref(&event)).unwrap();
    }
    // 30 MB went through the log, which started over again and again.
    assert!(home.length("db-wal") < 8_000_000, "{}", home.length("db-wal"));
    let status = fs::read_to_string(format!("/proc/{}/status", running.id())).unwrap();
    let peak = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    let peak: u64 = peak.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(peak < 40_000, "no more than a batch waits for it: {peak} KiB");
}
