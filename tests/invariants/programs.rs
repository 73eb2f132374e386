//! Programs that ream starts: ended with it, whatever ends it; what they decide is stored whole.

use std::fs;

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Call, Home, Running, ended, killed_at_each_call, traced, until};

/// Answers with two events and a state.
const DECIDE: [&str; 7] = ["decide", "s", "{}", "--id=once", "--", "sh", "-c"];
const ANSWER: &str = r#"read -r line
    echo '{"append":{"type":"A"}}'; echo '{"append":{"type":"B"}}'; echo '{"state":{"n":2}}'"#;

/// The versions of the stream and of its state; 0 where there is none.
#[track_caller]
fn versions(home: &Home) -> (u64, u64) {
    let store = home.open();
    store.check().unwrap();
    let version = store.stream("s").map_or(0, |stream| stream.version.0);
    (version, store.state("s").map_or(0, |state| state.version.0))
}

#[test]
fn a_kill_at_any_call_leaves_events_and_state_together() {
    let args = [&DECIDE[..], &[ANSWER]].concat();
    let (mut before, mut after) = (0, 0);
    killed_at_each_call(&Home::new(), &args, |home, end, place| {
        let found = versions(home);
        match found {
            (0, 0) => before += 1,
            (2, 2) => after += 1,
            _ => panic!("{place}: {found:?}"),
        }
        assert!(end.stdout.is_empty() || found == (2, 2), "{place}: told before it was stored");
        // With its id it can be decided again, and is stored once.
        let again = home.run(&args).done();
        assert!(again.contains("\"version\":1") && again.contains("\"version\":2"), "{again}");
        assert_eq!(again.contains("\"duplicate\":true"), found == (2, 2), "{place}: {again}");
        assert_eq!(versions(home), (2, 2));
    });
    assert!(before > 100 && after > 5, "{before} {after}");
}

#[test]
fn an_answer_is_told_when_it_is_synced_also_when_who_made_it_died_before_that() {
    let args = [&DECIDE[..], &[ANSWER]].concat();
    for dies in [false, true] {
        let home = Home::new();
        if dies {
            let killed = ended(&mut home.injected("db-wal", "fsync,fdatasync:signal=KILL", &args));
            assert_eq!((killed.code, &*killed.stdout), (None, ""), "{killed:#?}");
        }
        let calls = traced(&home, "fsync,fdatasync,write", &args);
        let synced = calls.iter().position(|call| call.syncs("db-wal")).unwrap();
        // The program writes to its own output, which is a pipe.
        let told = calls.iter().rposition(Call::writes_out).unwrap();
        assert!(calls[told].text().contains("position"), "{calls:#?}");
        assert!(synced < told, "{calls:#?}");
        assert_eq!(versions(&home), (2, 2));
    }
}

/// A process that writes its number, and so does a child of its; both wait for the end of stdin, and
/// the child for nothing else.
const FAMILY: &str = r"echo $$ >> pids; sh -c 'echo $$ >> pids; cat'; exec sleep 1000";

/// `ream decide --serve` of a script that writes process numbers, once it has written as many.
fn serving(home: &Home, script: &str, count: usize) -> (Running, Vec<u32>) {
    let running = Running::start(&mut home.ream(&["decide", "--serve", "--", "sh", "-c", script]));
    let path = home.place().join("pids");
    let pids = until("the processes", || {
        let text = fs::read_to_string(&path).ok().filter(|text| text.ends_with('\n'))?;
        let pids: Vec<u32> = text.lines().map(|line| line.parse().unwrap()).collect();
        (pids.len() == count).then_some(pids)
    });
    (running, pids)
}

/// Waits until a process has ended, whoever is to take note of it.
#[track_caller]
fn is_gone(pid: u32) {
    until(&format!("the end of {pid}"), || {
        let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let state = state.rsplit(") ").next().unwrap_or_default();
        (state.is_empty() || state.starts_with('Z')).then_some(())
    });
}

#[test]
fn a_signal_ends_the_program_and_what_it_started() {
    for (signal, code) in
        [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129), (Signal::QUIT, 131)]
    {
        let home = Home::new();
        let (mut running, pids) = serving(&home, FAMILY, 2);
        let stdin = running.stdin();
        kill_process(Pid::from_raw(running.id().cast_signed()).unwrap(), signal).unwrap();
        running.end().failed(code, &["error: interrupted"]);
        pids.into_iter().for_each(is_gone);
        drop(stdin);
    }
}

#[test]
fn a_program_hears_of_a_signal_and_has_time_to_end() {
    let home = Home::new();
    let script = "trap 'echo bye >&2; exit 0' TERM; echo $$ >> pids; while :; do sleep 0.01; done";
    let (mut running, pids) = serving(&home, script, 1);
    let stdin = running.stdin();
    kill_process(Pid::from_raw(running.id().cast_signed()).unwrap(), Signal::TERM).unwrap();
    let end = running.end();
    assert_eq!(end.code, Some(143), "{end:#?}");
    assert!(end.stderr.ends_with("bye\nerror: interrupted\n"), "{end:#?}");
    pids.into_iter().for_each(is_gone);
    drop(stdin);
}

#[test]
fn a_kill_of_ream_ends_the_program_and_its_children_see_the_end_of_input() {
    let home = Home::new();
    let (mut running, pids) = serving(&home, FAMILY, 2);
    running.kill();
    pids.into_iter().for_each(is_gone);
}

#[test]
fn a_failure_leaves_no_process() {
    let leave = "(echo 1 >> begun; exec sleep 1000) & echo $! >> pids; echo $$ >> pids;";
    for (rest, options) in [
        ("sleep 1000", &["--timeout", "0.1"][..]),
        ("exit 1", &[]),
        ("echo bad; sleep 1000", &[]),
        ("yes", &[]),
        ("exit 0", &[]),
        // What it leaves behind has closed its output: no failure.
        ("exec >&-; exit 0", &[]),
    ] {
        let home = Home::new();
        let script = format!("{leave} {rest}");
        let args = [&["decide", "s"], options, &["--", "sh", "-c", &script]].concat();
        let end = ended(&mut home.ream(&args));
        assert_eq!(end.code, Some(7), "{rest}: {end:#?}");
        let pids = fs::read_to_string(home.place().join("pids")).unwrap();
        assert_eq!(pids.lines().count(), 2);
        pids.lines().for_each(|pid| is_gone(pid.parse().unwrap()));
        assert!(home.positions().is_empty());
    }
}

#[test]
fn who_hangs_in_the_queue_of_deciders_holds_no_one_up() {
    let home = Home::new();
    let script = "echo $$ >> pids; exec sleep 1000";
    let running = Running::start(&mut home.ream(&["decide", "s", "--", "sh", "-c", script]));
    let pids = home.place().join("pids");
    until("the program", || fs::read_to_string(&pids).ok().filter(|text| !text.is_empty()));
    // Another one waits, and then goes on without a turn; a writer does not wait at all.
    let args = ["decide", "s", "--lock-timeout", "0.1", "--", "sh", "-c", ANSWER];
    home.run(&args).done();
    home.run(&["append", "s", "T", "--lock-timeout", "0"]).done();
    assert_eq!(versions(&home), (3, 2));
    drop(running);
}

#[test]
fn deciders_on_one_stream_take_turns() {
    let home = Home::new();
    let script = r#"echo >> runs; read -r line; version=${line#*\"version\":}
        echo '{"append":{"type":"T"}}'; echo "{\"state\":$((${version%%,*} + 1))}""#;
    let (processes, each) = (8, 10);
    std::thread::scope(|scope| {
        for _ in 0..processes {
            scope.spawn(|| {
                for _ in 0..each {
                    home.run(&["decide", "s", "--", "sh", "-c", script]).done();
                }
            });
        }
    });
    let decided = processes * each;
    assert_eq!(versions(&home), (decided, decided));
    let state = home.run(&["state", "get", "s", "--data"]).done();
    assert_eq!(state, format!("{decided}\n"));
    let runs = fs::read_to_string(home.place().join("runs")).unwrap().lines().count() as u64;
    assert!(runs <= decided + decided / 2, "{runs} runs for {decided} decisions");
}
