//! How a sync of rows that are set by hand fails, and who goes on behind it.

use super::scene::Scene;

/// So much data has the table grow by some pages.
const SHORT: usize = 20_000;
/// And so much by many.
const LONG: usize = 150_000;

shapes! {
    a_reader_keeps_the_log: |scene| {
        scene.sets(1, 10).done();
        let reader = scene.reading_rows();
        scene.sets(2, 10).done();
        scene.disk.fail();
        scene.sets(3, SHORT).failed(1, &[]);
        scene.disk.mend();
        scene.sets(3, SHORT);
        scene.sets(4, 10);
        drop(reader);
    },
    a_reader_kept_the_log_before: |scene| {
        scene.sets(1, 10).done();
        let reader = scene.reading_rows();
        scene.sets(2, LONG).done();
        drop(reader);
        scene.disk.fail();
        scene.sets(3, 10).failed(1, &[]);
        scene.disk.mend();
        scene.sets(3, 10).done();
        scene.sets(4, 10).done();
    },
}
