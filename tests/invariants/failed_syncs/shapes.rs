//! How a sync of events fails, and who goes on behind it.

use super::scene::Scene;

/// So much data fills some frames of the log, but fewer than have it start over.
const SHORT: usize = 20_000;
/// So much fills so many that the next writer has it start over.
const LONG: usize = 150_000;

shapes! {
    a_short_log_retried_with_the_id: |scene| {
        scene.disk.fail();
        scene.fails("u", SHORT);
        scene.disk.mend();
        scene.stores("u", SHORT);
        scene.stores("b1", 10);
        scene.stores("b2", 10);
    },
    a_short_log_retried_without_an_id: |scene| {
        scene.disk.fail();
        scene.append("u", SHORT, &[]).failed(9, &["outcome is unknown"]);
        scene.disk.mend();
        scene.append("u", SHORT, &[]).done();
        scene.stores("b1", 10);
    },
    a_long_log: |scene| {
        scene.disk.fail();
        scene.fails("u", LONG);
        scene.disk.mend();
        // It starts over here, and what was not written is written over.
        scene.stores("u", LONG);
        scene.stores("b1", SHORT);
        scene.stores("b2", SHORT);
    },
    a_reader_from_before: |scene| {
        let reader = scene.reading();
        scene.disk.fail();
        scene.fails("u", SHORT);
        scene.disk.mend();
        scene.tries("u", SHORT);
        scene.tries("b1", 10);
        drop(reader);
        scene.stores("u", SHORT);
        scene.stores("b1", 10);
    },
    a_reader_that_comes_after: |scene| {
        scene.disk.fail();
        scene.fails("u", SHORT);
        scene.disk.mend();
        let reader = scene.reading();
        scene.tries("u", SHORT);
        scene.tries("b1", 10);
        drop(reader);
        scene.stores("u", SHORT);
        scene.stores("b1", 10);
    },
    a_disk_that_still_fails: |scene| {
        scene.disk.fail();
        scene.fails("u", SHORT);
        scene.tries("u", SHORT);
        scene.tries("b1", SHORT);
        scene.disk.mend();
        scene.stores("u", SHORT);
        scene.stores("b1", SHORT);
    },
    a_checkpoint_that_fails: |scene| {
        scene.stores("b0", LONG);
        scene.disk.fail();
        // It moves the log into the database first.
        scene.tries("u", 10);
        scene.disk.mend();
        scene.stores("u", 10);
        scene.stores("b1", 10);
        scene.stores("b2", 10);
    },
    a_checkpoint_that_fails_while_the_log_has_room: |scene| {
        // The log has started over within its length, and is long again.
        scene.stores("b0", LONG);
        scene.stores("b1", LONG / 4 * 3);
        scene.disk.fail();
        scene.tries("u", 10);
        scene.disk.mend();
        scene.stores("u", 10);
        scene.stores("b2", 10);
        scene.stores("b3", 10);
    },
    a_stream_of_lines: |scene| {
        let mut stream = scene.streaming();
        scene.feeds(&mut stream, "b0", 10).unwrap();
        scene.disk.fail();
        scene.feeds(&mut stream, "u", SHORT).unwrap_err();
        scene.disk.mend();
        let mut stream = scene.streaming();
        for name in ["b0", "u", "b1", "b2"] {
            scene.feeds(&mut stream, name, if name == "u" { SHORT } else { 10 }).unwrap();
        }
    },
    a_writer_that_stays_and_tries_again: |scene| {
        let mut writer = scene.staying();
        scene.feeds(&mut writer, "b0", 10).unwrap();
        scene.disk.fail();
        scene.feeds(&mut writer, "u", SHORT).unwrap_err();
        scene.disk.mend();
        scene.feeds(&mut writer, "u", SHORT).unwrap();
        scene.feeds(&mut writer, "b1", 10).unwrap();
    },
    a_writer_that_stays_while_another_fails: |scene| {
        let mut writer = scene.staying();
        scene.feeds(&mut writer, "b0", 10).unwrap();
        scene.disk.fail();
        scene.fails("u", SHORT);
        scene.disk.mend();
        // Each process that has the log open is told of the failure once.
        let _ = scene.feeds(&mut writer, "u", SHORT);
        scene.feeds(&mut writer, "u", SHORT).unwrap();
        scene.feeds(&mut writer, "b1", 10).unwrap();
    },
    a_writer_that_stays_while_another_tries_again: |scene| {
        let mut writer = scene.staying();
        scene.feeds(&mut writer, "b0", 10).unwrap();
        scene.disk.fail();
        scene.feeds(&mut writer, "u", SHORT).unwrap_err();
        scene.disk.mend();
        scene.stores("u", SHORT);
        scene.stores("b1", 10);
        scene.feeds(&mut writer, "b2", 10).unwrap();
    },
    a_follower_in_between: |scene| {
        let (_tail, lines) = scene.tailing();
        scene.disk.fail();
        scene.fails("u", SHORT);
        scene.disk.mend();
        scene.stores("u", SHORT);
        scene.stores("b1", 10);
        scene.hears(&lines, "b1");
    },
    a_projector_in_between: |scene| {
        scene.projects();
        scene.disk.fail();
        scene.fails("u", SHORT);
        scene.disk.mend();
        scene.projects();
        scene.stores("u", SHORT);
        scene.projects();
        scene.stores("b1", 10);
        scene.projects();
    },
}
