//! Invariant 5: positions are explicit, so that neither removal nor VACUUM changes or reuses one.

use std::process::Command;

use rusqlite::Connection;

use crate::support::{Home, copy, ended, numbered, read};

/// Position, stream and header of all that the table holds, skeletons as well.
fn rows(home: &Home) -> Vec<(i64, String, Vec<u8>)> {
    let database = Connection::open(home.file("db")).unwrap();
    let mut statement =
        database.prepare("SELECT position, stream, header FROM events ORDER BY position").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    rows.unwrap().map(Result::unwrap).collect()
}

/// A store whose first and last streams were removed.
fn with_holes() -> Home {
    let home = Home::new();
    let mut store = home.open();
    for stream in ["first", "kept", "last"] {
        store.append(&numbered(stream, 5)).unwrap();
    }
    store.remove(&["first".parse().unwrap(), "last".parse().unwrap()]).unwrap();
    home
}

#[test]
fn a_removed_tail_keeps_its_rows() {
    let home = with_holes();
    let positions: Vec<i64> = rows(&home).iter().map(|row| row.0).collect();
    assert_eq!(positions, (1..=17).collect::<Vec<_>>());
    home.run(&["stream", "rm", "kept", "--yes"]).done();
    assert_eq!(home.append("new"), 19);
}

#[test]
fn a_vacuum_renumbers_nothing() {
    let home = with_holes();
    let (before, events) = (rows(&home), read(&home.open()));
    let mut sqlite = Command::new("sqlite3");
    sqlite.arg(home.file("db")).arg("VACUUM");
    ended(&mut sqlite).done();
    assert_eq!(rows(&home), before);
    assert_eq!(read(&home.open()), events);
    assert_eq!(home.append("new"), 18);
}

#[test]
fn a_copy_made_by_vacuum_has_the_same_numbers() {
    let home = with_holes();
    let before = rows(&home);
    let other = Home::new();
    std::fs::remove_dir_all(other.store()).unwrap();
    copy(&home.store(), &other.store());
    for file in ["db", "db-wal", "db-shm"] {
        let removed = std::fs::remove_file(other.file(file));
        assert!(removed.is_ok() || file != "db", "{removed:?}");
    }
    let mut sqlite = Command::new("sqlite3");
    sqlite.arg(home.file("db")).arg(format!("VACUUM INTO '{}'", other.file("db").display()));
    ended(&mut sqlite).done();
    assert_eq!(rows(&other), before);
}

#[test]
fn the_position_is_the_row_number_itself() {
    let home = Home::new();
    let database = Connection::open(home.file("db")).unwrap();
    let kind: (String, i64) = database
        .query_row(
            "SELECT type, pk FROM pragma_table_info('events') WHERE name = 'position'",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    assert_eq!(kind, ("INTEGER".into(), 1));
}
