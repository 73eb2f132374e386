//! What the system still has in memory of a failed write, until it forgets that as well.

use rusqlite::Connection;

use super::scene::Scene;

/// So much data fills a few frames of the log.
const BYTES: usize = 20_000;
/// And this is some of that.
const FORGOTTEN: u64 = 8_000;

/// A commit that failed, and a process that found it in memory and stays.
fn found(scene: &mut Scene) -> Connection {
    // In the way of the cut that the writer tries.
    let reader = scene.reading();
    scene.disk.fail();
    scene.fails("u", BYTES);
    drop(reader);
    let reader = scene.reading();
    reader.execute_batch("ROLLBACK").unwrap();
    reader
}

/// The same, and then a part of it is forgotten.
fn forgotten(scene: &mut Scene) -> Connection {
    let reader = found(scene);
    scene.forgets("db-wal", FORGOTTEN);
    scene.disk.mend();
    reader
}

shapes! {
    what_is_in_memory_is_saved: |scene| {
        let reader = found(scene);
        scene.disk.mend();
        scene.stores("u", BYTES);
        scene.stores("b1", 10);
        drop(reader);
    },
    what_was_forgotten_is_written_anew: |scene| {
        let reader = forgotten(scene);
        // It is stored already, as far as the other process knows.
        let _ = scene.append("u", BYTES, &["--id", "u"]);
        drop(reader);
        scene.stores("u", BYTES);
        scene.stores("b1", 10);
    },
}

#[test]
fn while_a_process_takes_it_for_what_it_was_nothing_is_written() {
    let left = Scene::played("", |scene| {
        let reader = forgotten(scene);
        let process = format!("process {}", std::process::id());
        let words = ["gone from memory", &*process, "hint: end the processes"];
        scene.append("u", BYTES, &["--id", "u"]).failed(1, &words);
        drop(reader);
        scene.stores("u", BYTES);
    });
    assert!(left.is_whole(), "{left:#?}");
}

#[test]
#[cfg_attr(not(feature = "faults"), ignore = "needs `--features faults`")]
fn without_a_look_at_the_log_something_else_gets_into_the_database() {
    let mut scene = Scene::without("no-check");
    let _reader = forgotten(&mut scene);
    scene.append("u", BYTES, &["--id", "u"]).failed(1, &["it is not what was stored"]);
}

/// The same of a row that is set by hand.
fn forgotten_row(scene: &mut Scene) -> Connection {
    let reader = scene.reading_rows();
    // The log begins, and the reader keeps it.
    scene.sets(1, 10).done();
    scene.disk.fail();
    scene.sets(2, BYTES).failed(1, &["the rows are stored"]);
    reader.execute_batch("ROLLBACK").unwrap();
    scene.forgets("projections/kept.1.db-wal", FORGOTTEN);
    scene.disk.mend();
    reader
}

#[test]
fn while_a_process_takes_rows_for_what_they_were_none_is_moved() {
    let left = Scene::played("", |scene| {
        let reader = forgotten_row(scene);
        scene.sets(3, 10).failed(1, &["gone from memory", "hint: end the processes"]);
        drop(reader);
        scene.sets(2, BYTES).done();
        scene.sets(3, 10).done();
    });
    assert!(left.is_whole(), "{left:#?}");
}

#[test]
#[cfg_attr(not(feature = "faults"), ignore = "needs `--features faults`")]
fn without_a_look_at_the_log_something_else_gets_into_a_row() {
    let mut scene = Scene::without("no-check");
    let _reader = forgotten_row(&mut scene);
    scene.sets(3, 10).done();
    let rows = scene.rows();
    assert!(!rows.contains(&"x".repeat(BYTES)), "{rows}");
}
