//! A database that another program has written to: what it holds is data, not statements, and no line
//! comes of it that ream would not have written.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Home, Running, ended, until};

/// Has another program change the database `file`, and leave no log behind.
fn changed(home: &Home, file: &str, sql: &str) {
    let mut sqlite = Command::new("sqlite3");
    let close = "PRAGMA wal_checkpoint(TRUNCATE);";
    ended(sqlite.arg(home.file(file)).arg(format!("{sql}; {close}"))).done();
}

/// What `sqlite3` answers.
fn asked(home: &Home, sql: &str) -> String {
    let mut sqlite = Command::new("sqlite3");
    ended(sqlite.arg(home.file("db")).arg(sql)).done().trim().to_owned()
}

const ENDLESS: &str = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)";

#[test]
fn views_triggers_and_virtual_tables_are_refused() {
    let holds = |name: &str| format!("holds `{name}`, which ream never makes");
    for (words, sql) in [
        (holds("t"), format!("CREATE TRIGGER t AFTER INSERT ON events BEGIN SELECT (SELECT max(x) FROM ({ENDLESS} SELECT x FROM n)); END")),
        (holds("events"), format!("ALTER TABLE events RENAME TO old; CREATE VIEW events AS {ENDLESS} SELECT x AS position FROM n")),
        (holds("streams"), "DROP TABLE streams; CREATE VIRTUAL TABLE streams USING fts5(name, version, removed, protected, tail)".into()),
        // What is written into the schema by hand.
        ("the store is damaged: ".into(), "PRAGMA writable_schema=ON; INSERT INTO sqlite_schema VALUES ('table', 'x', 'x', 0, 'create  trigger x after insert on events begin select 1; end')".into()),
    ] {
        let home = Home::with(2);
        changed(&home, "db", &sql);
        for args in [
            &["append", "s", "T"][..],
            &["read"],
            &["tail", "--limit", "1"],
            &["status"],
            &["state", "list"],
            &["project", "list"],
            &["init"],
        ] {
            if args[0] == "init" {
                // It looks at the marker alone.
                home.run(args).done();
                continue;
            }
            home.run(args).failed(1, &[&words]);
        }
    }
}

#[test]
fn views_and_triggers_in_a_projections_file_are_refused() {
    let home = Home::with(1);
    home.run(&["project", "create", "p", "id:integer:key"]).done();
    let sql = format!("DROP TABLE p; CREATE VIEW p AS {ENDLESS} SELECT x AS id FROM n");
    changed(&home, "projections/p.1.db", &sql);
    for args in [&["project", "select", "p"][..], &["project", "set", "p", r#"{"id":1}"#]] {
        home.run(args).failed(1, &["p.1.db holds `p`, which ream never makes"]);
    }
}

#[test]
fn an_index_that_someone_added_is_no_harm() {
    let home = Home::with(2);
    changed(&home, "db", "CREATE INDEX mine ON events (type)");
    assert_eq!(home.append("s"), 3);
    assert_eq!(home.positions(), [1, 2, 3]);
}

#[test]
fn a_signal_ends_a_statement_without_end() {
    let home = Home::with(1);
    let root: u32 = asked(&home, "SELECT rootpage FROM sqlite_schema WHERE name = 'decisions'")
        .parse()
        .unwrap();
    changed(&home, "db", "SELECT 1");
    grow_without_bound(&home, root);
    let mut rm = Running::start(&mut home.ream(&["stream", "rm", "s", "--yes"]));
    // Whoever has the lock is at work in the database.
    let lock = OpenOptions::new().write(true).open(home.file("lock")).unwrap();
    until("the lock is taken", || match lock.try_lock() {
        Ok(()) => {
            lock.unlock().unwrap();
            None
        }
        Err(_) => Some(()),
    });
    let id = Pid::from_raw(rm.id().try_into().unwrap()).unwrap();
    kill_process(id, Signal::TERM).unwrap();
    assert_eq!(rm.lines().next(), None);
    rm.end().failed(143, &[]);
    drop(lock);
    // Nothing came of it.
    assert_eq!(home.positions(), [1]);
}

/// Makes of a table's root page one below which each page leads to the next 200 times, over eight floors:
/// no scan of it ends.
fn grow_without_bound(home: &Home, root: u32) {
    const CELLS: usize = 200;
    // A row of which each column is NULL.
    const ROW: [u8; 8] = [7, 7, 0, 0, 0, 0, 0, 0];
    let file = OpenOptions::new().read(true).write(true).open(home.file("db")).unwrap();
    let pages = u32::try_from(file.metadata().unwrap().len() / 4096).unwrap();
    let put =
        |page: u32, bytes: &[u8]| file.write_all_at(bytes, u64::from(page - 1) * 4096).unwrap();
    put(root, &page(2, CELLS, Some(pages + 1), &ROW));
    for floor in 1..8 {
        put(pages + floor, &page(2, CELLS, Some(pages + floor + 1), &ROW));
    }
    put(pages + 8, &page(10, 1, None, &ROW));
    file.write_all_at(&(pages + 8).to_be_bytes(), 28).unwrap();
}

/// A page of an index, of which each cell has this row and leads to this page
/// (<https://www.sqlite.org/fileformat2.html>).
fn page(kind: u8, cells: usize, child: Option<u32>, row: &[u8]) -> Vec<u8> {
    let child = child.map(u32::to_be_bytes);
    let (head, cell) = match &child {
        Some(child) => (12, [child, row].concat()),
        None => (8, row.to_vec()),
    };
    let start = 4096 - cells * cell.len();
    let two = |number: usize| u16::try_from(number).unwrap().to_be_bytes();
    let mut page = vec![0; 4096];
    page[0] = kind;
    page[3..5].copy_from_slice(&two(cells));
    page[5..7].copy_from_slice(&two(start));
    if let Some(child) = child {
        page[8..12].copy_from_slice(&child);
    }
    for number in 0..cells {
        let at = start + number * cell.len();
        page[head + number * 2..head + number * 2 + 2].copy_from_slice(&two(at));
        page[at..at + cell.len()].copy_from_slice(&cell);
    }
    page
}

/// What stands in the place of JSON: two lines, a line that begins like one, and what has no end.
const NO_JSON: [&str; 5] =
    ["{\"a\":1}'||char(10)||'{\"position\":9}", "", "x", "{\"a\":\"'||char(27)||'[2J\"}", "[1"];

#[test]
fn what_is_not_json_is_an_error_of_its_event_and_no_line() {
    for column in ["data", "metadata"] {
        for text in NO_JSON {
            let home = Home::with(3);
            changed(
                &home,
                "db",
                &format!("UPDATE events SET {column} = '{text}' WHERE position = 2"),
            );
            crate::chain::change(&home, |_| {});
            let words = ["the event at position 2 can't be read: it is not JSON"];
            for args in [
                &["read"][..],
                &["tail", "--limit", "3"],
                &["tail", "--limit", "3", "--", "cat"],
                &["decide", "s", "--", "sh", "-c", "read -r line"],
            ] {
                let end = home.run(args).failed(1, &words);
                // What came before is given, and nothing of it or behind it.
                assert!(
                    end.stdout.lines().all(|line| line.starts_with("{\"position\":1,")),
                    "{end:#?}"
                );
            }
            // What is not shown is removed like any other.
            home.run(&["stream", "rm", "s", "--yes"]).done();
        }
    }
    let home = Home::with(2);
    changed(&home, "db", "UPDATE events SET data = 7 WHERE position = 1");
    home.run(&["read"]).failed(1, &["the event at position 1 can't be read"]);
}

#[test]
fn a_field_of_a_projection_that_can_not_stand_in_a_line_is_an_error() {
    let home = Home::with(1);
    home.run(&["project", "create", "p", "id:integer:key", "j:json", "at:timestamp"]).done();
    let times = ["2026-01-01T00:00:00.000000Z\",\"id\":\"9", "x", "'||char(10)||'"];
    let fields = NO_JSON.map(|text| ("j", text)).into_iter().chain(times.map(|text| ("at", text)));
    for (field, text) in fields {
        let row = r#"{"id":1,"j":{},"at":"2026-01-01T00:00:00Z"}"#;
        home.run(&["project", "set", "p", row]).done();
        changed(&home, "projections/p.1.db", &format!("UPDATE p SET {field} = '{text}'"));
        for format in ["jsonl", "json", "csv"] {
            let args = ["project", "select", "p", "--format", format];
            let end = home.run(&args).failed(1, &[&format!("the field `{field}`")]);
            assert!(!end.stdout.contains('1'), "a part of the row is shown: {end:#?}");
        }
    }
}

#[test]
fn a_marker_is_believed_only_as_ream_writes_it() {
    let home = Home::with(1);
    let marker = fs::read_to_string(home.file("store")).unwrap();
    let id = marker.lines().find(|line| line.starts_with("id: ")).unwrap();
    for text in [
        marker.replace(id, "id: \",\"x\":\""),
        marker.replace(id, &format!("{id}\nid: 0000000000000")),
        format!("{marker}note: x\n"),
        marker.repeat(2000),
        String::new(),
    ] {
        fs::write(home.file("store"), text).unwrap();
        for args in [&["read"][..], &["append", "s", "T"], &["init"], &["status"]] {
            home.run(args).failed(1, &["/store/store is not the marker of a store: "]);
        }
    }
}
