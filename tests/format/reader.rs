//! The reader in Python reads what ream wrote, and sees what was changed.

use std::fs;
use std::path::Path;

use crate::{Home, made};

/// What is in the files of a store, but for the index of the log.
fn files(store: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = ["store", "db", "db-wal", "bell/bell", "changes", "lock"]
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), fs::read(store.join(name)).ok()?)))
        .collect();
    files.sort();
    files
}

#[test]
fn a_reader_in_python_reads_what_ream_wrote() {
    let home = Home::new();
    made::fill(&home);
    // Beside a log that is not moved into the database, which SQLite 3.40 must not do.
    let copy = home.copied();
    let before = files(&copy.store());
    assert!(before.iter().any(|(name, bytes)| name == "db-wal" && !bytes.is_empty()));
    let lines = copy.read_py().ok();
    assert!(before == files(&copy.store()), "a reader has changed the store");
    assert_eq!(home.is_read(), lines);
    assert_eq!(lines.lines().count(), 206);
    Home::new().is_read();
}

/// Bytes in the place of those of a header, from the one on and before the other.
macro_rules! header {
    ($from:literal, $bytes:literal, $to:literal) => {
        concat!(
            "events SET header = CAST(substr(header, 1, ",
            $from,
            " - 1) || ",
            $bytes,
            " || substr(header, ",
            $to,
            ") AS BLOB) WHERE position = 3"
        )
    };
}

#[test]
fn a_reader_in_python_sees_a_changed_column() {
    let home = Home::new();
    made::fill(&home);
    for (sql, error) in [
        ("events SET stream = 'x' WHERE position = 3", "the link at position 3"),
        (header!("1", "x'0000000000000009'", "9"), "the link at position 3"),
        (header!("9", "zeroblob(8)", "17"), "the link at position 3"),
        (header!("17", "zeroblob(16)", "33"), "the link at position 3"),
        ("events SET id = 'x' WHERE position = 1", "the link at position 1"),
        ("events SET id = NULL WHERE position = 2", "the link at position 2"),
        ("events SET type = 'x' WHERE position = 3", "the link at position 3"),
        (header!("41", "zeroblob(8)", "49"), "the link at position 3"),
        (header!("41", "x''", "49"), "the link at position 3"),
        (header!("41", "x'00'", "49"), "the header at position 3"),
        ("events SET data = '[ ]' WHERE position = 3", "the link at position 3"),
        ("events SET data = CAST(data AS BLOB) WHERE position = 3", "the link at position 3"),
        ("events SET metadata = '{}' WHERE position = 3", "the link at position 3"),
        ("events SET tags = 'x' WHERE position = 3", "the link at position 3"),
        ("events SET salt = zeroblob(16) WHERE position = 3", "the link at position 3"),
        ("events SET payload_hash = zeroblob(16) WHERE position = 3", "the event at position 3"),
        ("events SET payload_hash = zeroblob(16) WHERE id = 'gone'", "the link at position 203"),
        ("events SET stream = 'x' WHERE id = 'gone'", "the link at position 203"),
        ("events SET id = 'x' WHERE id = 'gone'", "the link at position 203"),
        ("events SET position = 1000 WHERE position = 3", "the event at position 3 is missing"),
        ("streams SET tail = x'01' WHERE name = 'order-1'", "the positions of the stream order-1"),
        ("streams SET removed = 1 WHERE name = 'order-1'", "the stream order-1 is wrong"),
        ("streams SET name = 'x' WHERE name = 'order-1'", "the streams are not those"),
        ("stream_pages SET page = 7 WHERE page = 1", "a page of the stream many-130 is missing"),
        (
            "stream_pages SET positions = x'01' WHERE stream = 'many-64'",
            "a page of the stream many-64 is missing",
        ),
    ] {
        let copy = home.copied();
        assert_eq!(copy.database().execute(&format!("UPDATE {sql}"), []), Ok(1), "{sql}");
        copy.read_py().fails(1, &format!("error: {error}"));
    }
    let copy = home.copied();
    copy.database().execute("INSERT INTO tags VALUES ('x', 1)", []).unwrap();
    copy.read_py().fails(1, "error: the tags are not those of the events");
}

#[test]
fn a_reader_in_python_sees_what_is_missing() {
    let home = Home::new();
    made::fill(&home);
    let stored = home.ream(&["append", "last", "T"]).ok();
    let copy = home.copied();
    let last = "DELETE FROM events WHERE stream = 'last'; DELETE FROM streams WHERE name = 'last'";
    copy.database().execute_batch(last).unwrap();
    let head = stored.split(r#""position":"#).nth(1).and_then(|rest| rest.split(',').next());
    copy.read_py()
        .fails(1, &format!("error: the store lost events: the bell says {}", head.unwrap()));

    // Without its bell it can't know.
    fs::remove_file(copy.store().join("bell/bell")).unwrap();
    copy.read_py().ok();
    fs::write(copy.store().join("bell/bell"), "00000000000000000211 00 00\n").unwrap();
    copy.read_py().ok();
}

#[test]
fn a_reader_in_python_sees_that_a_change_is_missing() {
    let home = Home::new();
    home.ream(&["append", "order-1", "Placed"]).ok();
    for version in 0..3 {
        home.ream(&["state", "set", "order-1", &version.to_string()]).ok();
    }
    home.is_read();
    home.database().execute_batch("PRAGMA user_version = 1").unwrap();
    home.read_py().fails(1, "error: the store lost changes: 2");
    // A record that is behind, as after a power loss, is no loss.
    home.database().execute_batch("PRAGMA user_version = 4").unwrap();
    home.read_py().ok();
}

#[test]
fn a_reader_in_python_knows_a_marker_by_each_line() {
    let home = Home::new();
    let marker = home.store().join("store");
    let whole = fs::read_to_string(&marker).unwrap();
    for (from, to, error) in [
        ("ream store", "ream shop", "this is not a store"),
        ("sqlite", "postgres", "the store has another engine"),
        ("format: 1", "format: 2", "the store has another format"),
        ("16777216", "16777217", "the marker's checksum is wrong"),
        ("checksum: ", "note: x\nchecksum: ", "the marker has other lines"),
    ] {
        fs::write(&marker, whole.replace(from, to)).unwrap();
        home.read_py().fails(1, &format!("error: {error}"));
    }
}
