//! Commits that are no appends, whose sync fails.

use super::scene::Scene;

/// So much data fills some frames of the log.
const BYTES: usize = 20_000;

shapes! {
    a_state: |scene| {
        scene.sets_state(1, 10).done();
        scene.disk.fail();
        scene.sets_state(2, BYTES).failed(9, &["outcome is unknown"]);
        scene.disk.mend();
        scene.sets_state(2, BYTES).done();
    },
    a_state_under_a_reader: |scene| {
        scene.sets_state(1, 10).done();
        let reader = scene.reading();
        scene.disk.fail();
        scene.sets_state(2, BYTES).failed(9, &["outcome is unknown"]);
        scene.disk.mend();
        drop(reader);
        scene.sets_state(2, BYTES).done();
    },
    a_decision: |scene| {
        scene.disk.fail();
        scene.decides("u", BYTES).failed(9, &["outcome is unknown"]);
        scene.disk.mend();
        scene.decides("u", BYTES).done();
        scene.decides("b1", 10).done();
    },
}
