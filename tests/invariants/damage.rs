//! Invariant 8: a store that lost acknowledged events refuses more, and can still be read.

use std::fs;
use std::io::Write as _;

use ream::Error;
use rusqlite::Connection;

use crate::chain;
use crate::support::{Home, Running, copy, numbered, position};

/// Damages a file as no process would. No connection lives when this is called.
fn change(home: &Home, file: &str, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(home.file(file)).unwrap();
    change(&mut bytes);
    fs::write(home.file(file), bytes).unwrap();
}

/// A store with `count` events, one commit each, all of them in its log.
fn in_the_log(count: u64) -> Home {
    let home = Home::new();
    for _ in 0..count {
        home.open().append(&numbered("s", 1)).unwrap();
    }
    assert!(home.length("db-wal") > 0);
    home
}

/// That the store says what it lost, goes on being read, and takes nothing more.
#[track_caller]
fn lost(home: &Home, acknowledged: u64) -> Vec<u64> {
    let told = format!("position {acknowledged} was acknowledged");
    let words = ["the store lost acknowledged events", &*told];
    let left: Vec<u64> = home.run(&["read"]).warned(&words).lines().map(position).collect();
    home.run(&["status"]).warned(&words);
    home.run(&["stream", "list"]).warned(&words);
    home.run(&["state", "list"]).warned(&words);
    for args in [
        &["append", "s", "T"][..],
        &["append", "new", "T", "--expect", "0"],
        &["stream", "rm", "s", "--yes"],
        &["stream", "protect", "s"],
    ] {
        if args[1] == "protect" && left.is_empty() {
            continue;
        }
        // Some read first, and warn.
        let end = home.run(args);
        assert_eq!(end.code, Some(1), "{end:#?}");
        for said in ["error: the store lost acknowledged events", &told, "\nhint: "] {
            assert!(end.stderr.contains(said), "{end:#?}");
        }
    }
    home.run(&["read"]).warned(&words);
    left
}

#[test]
fn a_log_cut_anywhere_is_noticed() {
    let whole = in_the_log(4);
    let length = usize::try_from(whole.length("db-wal")).unwrap();
    for kept in [0, 1, 32, 60, length / 2, length - 4120, length - 1] {
        let home = Home::new();
        fs::remove_dir_all(home.store()).unwrap();
        copy(&whole.store(), &home.store());
        change(&home, "db-wal", |bytes| bytes.truncate(kept));
        let left = lost(&home, 4);
        assert!(left.len() < 4 && left == (1..=left.len() as u64).collect::<Vec<_>>(), "{left:?}");
    }
}

#[test]
fn what_is_left_of_a_damaged_log_stays_as_it_is() {
    let home = Home::new();
    let mut append = Running::start(&mut home.ream(&["append", "--jsonl", "-"]));
    let (mut stdin, lines) = (append.stdin(), append.lines());
    for _ in 0..60 {
        writeln!(stdin, r#"{{"stream":"s","type":"T"}}"#).unwrap();
        lines.next().unwrap();
    }
    // It leaves a log that any other writer would cut.
    append.kill();
    assert!(append.end().code.is_none());
    change(&home, "db-wal", |bytes| bytes[20 * 4120] ^= 1);
    let log = fs::read(home.file("db-wal")).unwrap();
    assert!(log.len() > 100 * 4120, "{}", log.len());
    lost(&home, 60);
    assert!(fs::read(home.file("db-wal")).unwrap() == log, "the log was touched");
}

#[test]
fn a_bit_flipped_anywhere_in_the_log_is_noticed() {
    let whole = in_the_log(4);
    let length = usize::try_from(whole.length("db-wal")).unwrap();
    // In the header, in frames' headers and in their pages.
    for at in [8, 20, 32 + 10, 32 + 20, 32 + 24 + 1, 32 + 24 + 4000, length / 2, length - 100] {
        let home = Home::new();
        fs::remove_dir_all(home.store()).unwrap();
        copy(&whole.store(), &home.store());
        change(&home, "db-wal", |bytes| bytes[at] ^= 1 << (at % 8));
        let left = lost(&home, 4);
        assert!(left.len() < 4, "{at}");
    }
}

#[test]
fn a_log_that_is_gone_is_noticed() {
    let home = in_the_log(2);
    fs::remove_file(home.file("db-wal")).unwrap();
    assert_eq!(lost(&home, 2), [0; 0]);
}

#[test]
fn another_event_in_the_place_of_the_acknowledged_is_noticed() {
    let home = in_the_log(3);
    let twin = Home::new();
    fs::remove_dir_all(twin.store()).unwrap();
    copy(&home.store(), &twin.store());
    home.append("mine");
    twin.append("yours");
    fs::copy(twin.file("bell/bell"), home.file("bell/bell")).unwrap();
    home.run(&["append", "s", "T"]).failed(1, &["position 4 was acknowledged", "another event"]);
    home.run(&["read"]).warned(&["another event stands there"]);
    // The same where more was appended behind it.
    let twin_bell = fs::read(twin.file("bell/bell")).unwrap();
    fs::remove_file(home.file("bell/bell")).unwrap();
    home.append("mine");
    fs::write(home.file("bell/bell"), twin_bell).unwrap();
    home.run(&["append", "s", "T"]).failed(1, &["position 4 was acknowledged"]);
}

#[test]
fn the_library_refuses_as_well_and_goes_on_refusing() {
    let home = in_the_log(3);
    change(&home, "db-wal", |bytes| bytes.truncate(5000));
    let mut store = home.open();
    for _ in 0..3 {
        let refused = store.append(&numbered("s", 1));
        assert!(matches!(refused, Err(Error::LostEvents { .. })), "{refused:?}");
    }
    assert!(matches!(store.check(), Err(Error::LostEvents { .. })));
    let (said, hear) = std::sync::mpsc::channel();
    let mut options = ream::Options::default();
    options.on_warning = Some(std::sync::Arc::new(move |warning: &Error| {
        said.send(matches!(warning, Error::LostEvents { .. })).unwrap();
    }));
    let store = ream::Store::open(&home.store(), &options).unwrap();
    store.read(&ream::Query::default()).unwrap();
    assert_eq!(hear.try_iter().collect::<Vec<_>>(), [true]);
}

#[test]
fn who_removes_the_bell_goes_on_without_the_lost_events() {
    let home = in_the_log(3);
    change(&home, "db-wal", |bytes| bytes.truncate(5000));
    let left = lost(&home, 3).len() as u64;
    fs::remove_file(home.file("bell/bell")).unwrap();
    assert_eq!(home.append("s"), left + 1);
    assert_eq!(home.positions().len() as u64, left + 1);
}

#[test]
fn a_follower_of_a_store_that_lost_events_is_warned() {
    let home = in_the_log(3);
    change(&home, "db-wal", |bytes| bytes.truncate(5000));
    let mut tail = Running::start(&mut home.ream(&["tail"]));
    let warning = crate::support::Lines::of(tail.stderr()).next().unwrap();
    assert!(warning.starts_with("warning: the store lost acknowledged events"), "{warning}");
}

#[test]
fn an_old_bell_is_no_loss() {
    let home = in_the_log(2);
    let old = fs::read(home.file("bell/bell")).unwrap();
    home.append("s");
    fs::write(home.file("bell/bell"), old).unwrap();
    assert_eq!(home.positions(), [1, 2, 3]);
    assert_eq!(home.append("s"), 4);
}

#[test]
fn a_stored_time_that_is_none_is_an_error_that_says_so() {
    for micros in [i64::MIN, i64::MAX, ream::Timestamp::MAX.as_micros() + 1] {
        for column in ["time", "recorded"] {
            let home = Home::with(2);
            chain::change(&home, |row| match column {
                "time" => row.time = Some(micros),
                _ => row.recorded = micros,
            });
            let told = ["the store is damaged", &*micros.to_string()];
            home.run(&["read"]).failed(1, &told);
            home.run(&["read", "-n", "1"]).failed(1, &told);
            home.run(&["tail", "--limit", "1"]).failed(1, &told);
            home.run(&["stream", "rm", "s", "--yes"]).failed(1, &told);
            if column == "recorded" {
                home.run(&["status"]).failed(1, &told);
                home.run(&["append", "s", "T"]).failed(1, &told);
                home.run(&["read", "--since", "1d"]).failed(1, &told);
            }
        }
        let home = Home::with(2);
        home.run(&["tail", "--as", "n", "--retries", "0", "--", "false"]).failed(7, &[]);
        let database = Connection::open(home.file("db")).unwrap();
        assert_eq!(database.execute("UPDATE names SET failed = ?1", [micros]), Ok(1));
        drop(database);
        let told = ["the store is damaged", &*micros.to_string()];
        home.run(&["subscription", "show", "n"]).failed(1, &told);
    }
}

/// A store with the subscription `mail`, which failed, and the projection `rows`, all of it in the database.
fn named() -> Home {
    let home = Home::with(2);
    home.run(&["tail", "--as", "mail", "--retries", "0", "--", "false"]).failed(7, &[]);
    let program = ["--", "sh", "-c", "cat >/dev/null"];
    home.run(&[&["project", "create", "rows", "id:integer:key"], &program[..]].concat()).done();
    let database = Connection::open(home.file("db")).unwrap();
    database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(())).unwrap();
    home
}

#[test]
fn what_is_recorded_of_a_name_is_what_was_stored_or_an_error() {
    for (name, change) in [
        ("mail", "kind = 'projection'"),
        ("mail", "kind = 'other'"),
        ("mail", "kind = NULL"),
        ("rows", "generation = 2"),
        ("rows", "record = replace(record, 'cat', 'tac')"),
        ("rows", "permit = zeroblob(32)"),
        ("mail", "position = 1"),
        ("mail", "position = NULL"),
        ("mail", "link = zeroblob(16)"),
        ("mail", "link = NULL"),
        ("mail", "failed = failed + 1"),
        ("mail", "failed = NULL"),
        ("mail", "failure = 'it worked'"),
        ("mail", "failure = NULL"),
        ("mail", "sum = sum + 1"),
        ("mail", "name = 'Mail'"),
    ] {
        let home = named();
        let database = Connection::open(home.file("db")).unwrap();
        let update = format!("UPDATE names SET {change} WHERE name = '{name}'");
        assert_eq!(database.execute(&update, ()), Ok(1), "{change}");
        drop(database);
        let told = ["the store is damaged: what is recorded of `", "` is not what was stored"];
        home.run(&["subscription", "list"]).failed(1, &told);
        home.run(&["subscription", "show", name]).failed(1, &told);
    }
}

#[test]
fn a_name_that_a_flipped_bit_hides_is_not_given_a_second_time() {
    let home = named();
    change(&home, "db", |bytes| {
        let places: Vec<usize> =
            (0..bytes.len() - 4).filter(|at| bytes[*at..].starts_with(b"mail")).collect();
        assert!(!places.is_empty());
        for at in places {
            bytes[at + 3] ^= 1;
        }
    });
    let told = ["the store is damaged: ", "`maim`"];
    for args in [
        &["tail", "--as", "mail", "--", "cat"][..],
        &["project", "create", "mail", "id:integer:key"],
        &["subscription", "rm", "mail", "--yes"],
    ] {
        home.run(args).failed(1, &told);
    }
    assert!(!home.file("projections/mail.1.db").exists());
}
