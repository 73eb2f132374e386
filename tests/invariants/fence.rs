//! One generation of a projection serves: no row is acknowledged in a file that does not, and who has such a
//! file open is told, whenever the process that changes what serves is killed.

use std::fs::File;
use std::io::Write as _;
use std::ops::ControlFlow;
use std::process::Command;
use std::time::Duration;

use ream::{Batched, Error, Options, Position, Projection, Row, Selection, Store};
use rusqlite::{Connection, OpenFlags};

use crate::support::{Ended, Home, Running, ended, killed_beside, until};

/// The calls of which the steps of a switch are made.
const CALLS: &str =
    "pwrite64,fsync,fdatasync,ftruncate,rename,renameat,renameat2,unlink,unlinkat,symlinkat";
const PROGRAM: [&str; 4] =
    ["--", "sed", "-n", r#"s/.*"position":\([0-9]*\).*/{"set":{"id":\1,"city":"Oslo"}}/p"#];
const REBUILD: [&str; 5] = ["project", "rebuild", "users", "--allow", "--quiet"];
const DROP: [&str; 5] = ["project", "drop", "users", "--yes", "--quiet"];
const CREATE: [&str; 7] =
    ["project", "create", "users", "id:integer:key", "city:text:index", "--from", "s"];
const CATCH_UP: [&str; 5] = ["project", "run", "users", "--until-caught-up", "--allow"];

/// A store with a projection that a program makes of three events.
fn prepared() -> Home {
    let home = Home::with(3);
    home.run(&[&CREATE[..], &PROGRAM].concat()).done();
    home.run(&CATCH_UP).done();
    home
}

/// How many rows the one that serves has.
#[track_caller]
fn rows(home: &Home) -> String {
    home.run(&["project", "select", "users", "--count"]).done()
}

/// What a process that stays has open of the projection.
struct Open {
    store: Store,
    users: Projection,
    /// Another program that has read the file.
    has_read: Connection,
    /// One that has opened it and not yet read.
    has_not_read: Connection,
}

impl Open {
    fn of(home: &Home) -> Self {
        let store = home.open();
        let users = store.projection("users").unwrap();
        let open = || {
            let file = home.file("projections/users.1.db");
            Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap()
        };
        let (has_read, has_not_read) = (open(), open());
        count(&has_read).unwrap();
        Self { store, users, has_read, has_not_read }
    }

    /// Sets a row on the generation that was opened.
    fn set(&mut self) -> Result<(), Error> {
        let row = Row::parse(br#"{"id":900,"city":"Rome"}"#, self.users.schema()).unwrap();
        self.users.set(&[row], Batched::AllOrNone).map(drop)
    }

    /// That every other program that has the file open is refused, and with words where it has the log open,
    /// too: who opens that later, when the file is gone, learns no more than that it can't.
    fn refused_with(&self, words: &str, place: &str) {
        for sql in ["SELECT * FROM users", "INSERT INTO users VALUES (7, 'x')"] {
            let refused = self.has_read.execute_batch(sql).unwrap_err().to_string();
            assert!(refused.contains(words), "{place}: {refused}");
            let refused = self.has_not_read.execute_batch(sql).unwrap_err().to_string();
            let is_told = refused.contains(words) || refused.contains("disk I/O error");
            assert!(is_told, "{place}: {refused}");
        }
    }
}

fn count(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("SELECT count(*) FROM users", [], |row| row.get(0))
}

/// The rows of a projection with the id 900.
fn set_by_hand(users: &Projection) -> usize {
    let mut found = 0;
    let mut selection = Selection::all(users.schema());
    selection.fields = vec![0];
    users
        .select(&selection, |row| {
            found += usize::from(matches!(row.value(0), Ok(ream::ValueRef::Integer(900))));
            ControlFlow::Continue(())
        })
        .unwrap();
    found
}

#[test]
fn no_row_is_acknowledged_behind_a_rebuild_or_a_drop() {
    for (args, words) in [(REBUILD, "rebuilt"), (DROP, "dropped")] {
        let home = prepared();
        let mut set = Running::start(&mut home.ream(&["project", "set", "users", "--jsonl", "-"]));
        let mut input = set.stdin();
        writeln!(input, r#"{{"id":100,"city":"Rome"}}"#).unwrap();
        until("that the first row is set", || (rows(&home) == "{\"count\":4}\n").then_some(()));
        home.run(&args).done();
        writeln!(input, r#"{{"id":101,"city":"Rome"}}"#).unwrap();
        drop(input);
        let told = format!("the projection `users` has been {words} meanwhile");
        let end = set.end().failed(1, &["stopped at line 2: 1 row is set", &told]);
        assert_eq!(end.stdout, "", "{words}");
        if words == "rebuilt" {
            assert_eq!(rows(&home), "{\"count\":3}\n");
        }
    }
}

#[test]
fn a_kill_at_any_step_of_a_rebuild_leaves_one_that_serves_and_no_row_beside_it() {
    let (mut old, mut new) = (0, 0);
    killed_beside(&prepared(), CALLS, &REBUILD, Open::of, |home, mut open, _: &Ended, place| {
        let set = open.set();
        let serves = open.store.projection("users").unwrap();
        let generation = serves.entry().generation;
        match set {
            Ok(()) => {
                assert_eq!((generation, set_by_hand(&serves)), (1, 1), "{place}");
                old += 1;
            }
            Err(error) => {
                assert!(matches!(error, Error::Superseded(_)), "{place}: {error}");
                assert_eq!((generation, set_by_hand(&serves)), (2, 0), "{place}");
                new += 1;
            }
        }
        // Who waits goes on with the one that serves.
        home.append("s");
        home.run(&CATCH_UP).done();
        let wait = Duration::from_secs(30);
        let mut waiting = open.store.projection("users").unwrap();
        std::mem::swap(&mut waiting, &mut open.users);
        assert!(open.store.wait_until_reached(&mut waiting, Position(4), wait).unwrap(), "{place}");
        assert_eq!(waiting.entry().generation, generation, "{place}");
        home.run(&REBUILD).done();
        assert_eq!(rows(home), "{\"count\":4}\n", "{place}");
        open.refused_with("no such table: main.users was rebuilt: open its file anew", place);
    });
    assert!(old > 20 && new > 5, "{old} {new}");
}

#[test]
fn a_kill_at_any_step_of_a_drop_leaves_one_that_serves_or_none_and_no_row_beside_it() {
    let (mut old, mut none) = (0, 0);
    killed_beside(&prepared(), CALLS, &DROP, Open::of, |home, mut open, _: &Ended, place| {
        match open.set() {
            Ok(()) => {
                let serves = open.store.projection("users").unwrap();
                assert_eq!(set_by_hand(&serves), 1, "{place}");
                old += 1;
            }
            Err(error) => {
                assert!(matches!(error, Error::Dropped(_)), "{place}: {error}");
                home.run(&["project", "select", "users"]).failed(4, &["no projection `users`"]);
                none += 1;
            }
        }
        home.run(&DROP).done();
        home.run(&[&CREATE[..], &PROGRAM].concat()).done();
        home.run(&CATCH_UP).done();
        assert_eq!(rows(home), "{\"count\":3}\n", "{place}");
        let refused = open.set().unwrap_err();
        assert!(matches!(refused, Error::Dropped(_)), "{place}: {refused}");
        open.refused_with("no such table: main.users was dropped", place);
    });
    assert!(old > 5 && none > 3, "{old} {none}");
}

#[test]
fn a_row_waits_for_the_one_who_is_about_to_change_what_serves() {
    let home = prepared();
    let mut options = Options::default();
    options.lock_timeout = Duration::from_millis(50);
    let store = Store::open(&home.store(), &options).unwrap();
    let mut open = Open { store, ..Open::of(&home) };
    open.users = open.store.projection("users").unwrap();
    // A rebuild that has put up the fence, and has not yet had the new file serve.
    let rebuild = File::create(home.file("runners/users.rebuild")).unwrap();
    rebuild.lock().unwrap();
    open.has_read.execute("UPDATE ream_checkpoint SET next = 2", []).unwrap();
    let refused = open.set().unwrap_err();
    assert!(matches!(refused, Error::Busy { .. }), "{refused}");
    assert_eq!(set_by_hand(&open.users), 0);
    // It is gone, and has changed nothing.
    rebuild.unlock().unwrap();
    open.set().unwrap();
    assert_eq!(set_by_hand(&open.users), 1);
}

#[test]
fn who_has_a_file_open_that_can_not_be_marked_is_warned_of() {
    for args in
        [&["project", "rebuild", "users", "--allow"][..], &["project", "drop", "users", "--yes"]]
    {
        let home = prepared();
        let mut open = Open::of(&home);
        // No process can open it any more; this one has it open. (To open it here would drop SQLite's locks.)
        let file = home.file("projections/users.1.db");
        let spoil = "printf 0123456789abcdef | dd of=$0 conv=notrunc status=none";
        ended(Command::new("sh").args(["-c", spoil]).arg(&file)).done();
        let end = home.run(args);
        let warned = format!(
            "warning: {} serves no more, and can't be opened to be marked so: rows that process {} may set in \
             it are lost; end what has it open\n",
            file.display(),
            std::process::id()
        );
        assert_eq!((end.code, &*end.stderr), (Some(0), &*warned), "{end:?}");
        // As it does here.
        open.set().unwrap();

        // Where no one has it open, there is nothing to warn of.
        let home = prepared();
        ended(Command::new("sh").args(["-c", spoil]).arg(home.file("projections/users.1.db")))
            .done();
        home.run(args).done();
    }
}

#[test]
fn who_waits_goes_on_with_what_was_rebuilt() {
    let home = prepared();
    // The event that is stored behind the record of the rebuild.
    let next = (home.open().head().unwrap().0 + 2).to_string();
    let at_least = ["project", "select", "users", "--at-least", &next, "--wait", "5s", "--count"];
    let waiting = Running::start(&mut home.ream(&at_least));
    let open = home.file("projections/users.1.db");
    let is_open = || {
        let descriptors = std::fs::read_dir(format!("/proc/{}/fd", waiting.id())).unwrap();
        let files = descriptors.map(|entry| std::fs::read_link(entry.unwrap().path()));
        files.flatten().any(|file| file == open)
    };
    until("that it has the old one open", || is_open().then_some(()));
    home.run(&REBUILD).done();
    home.append("s");
    home.run(&CATCH_UP).done();
    assert_eq!(waiting.end().done(), "{\"count\":4}\n");
}

#[test]
fn fresh_rows_are_read_while_rebuilds_go_on() {
    let home = prepared();
    std::thread::scope(|scope| {
        let rebuilds = scope.spawn(|| {
            for _ in 0..20 {
                home.run(&REBUILD).done();
            }
        });
        let mut reads = 0;
        while !rebuilds.is_finished() {
            home.append("s");
            home.run(&["project", "select", "users", "--fresh", "--allow", "--count"]).done();
            reads += 1;
        }
        rebuilds.join().unwrap();
        assert!(reads > 5, "{reads}");
    });
}

#[test]
fn an_idle_runner_is_ended_by_a_rebuild() {
    for per_event in [false, true] {
        let home = Home::with(3);
        let how: &[&str] = if per_event { &["--per-event"] } else { &[] };
        home.run(&[&CREATE[..], how, &PROGRAM].concat()).done();
        home.run(&CATCH_UP).done();
        let mut runner = Running::start(&mut home.ream(&["project", "run", "users"]));
        let store = home.open();
        until("that it runs", || store.runner("users").unwrap());
        home.run(&REBUILD).done();
        until("that it ends", || runner.has_ended().then_some(()));
        runner.end().failed(1, &["the projection `users` has been rebuilt meanwhile"]);
        // The name is free.
        home.run(&CATCH_UP).done();
    }
}
