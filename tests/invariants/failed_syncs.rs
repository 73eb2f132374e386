//! Invariant 17: Linux takes what a failed sync did not write for written; a store must not.
//!
//! Each shape has a commit or a checkpoint fail on a disk that takes nothing new for a while, goes
//! on as people do, and then takes the disk away and brings it back.

/// What switches off all that a store does against failed syncs.
const ALL_OFF: &str = "no-cut,no-mark,no-check,no-length";

/// Has each shape lose something where the remedies are switched off, and nothing where they are not.
macro_rules! shapes {
    ($($name:ident: $play:expr,)*) => {
        mod without_the_remedies {
            use super::*;

            $(
                #[test]
                fn $name() {
                    let left = Scene::played(crate::failed_syncs::ALL_OFF, $play);
                    assert!(left.lacks_some(), "{left:#?}");
                }
            )*
        }

        mod with_the_remedies {
            use super::*;

            $(
                #[test]
                fn $name() {
                    let left = Scene::played("", $play);
                    assert!(left.is_whole(), "{left:#?}");
                }
            )*
        }
    };
}

mod commits;
mod memory;
mod rows;
mod scene;
mod shapes;

use scene::Scene;

#[test]
fn a_disk_that_never_fails_loses_nothing() {
    let left = Scene::played("", |scene| {
        let (_tail, lines) = scene.tailing();
        let mut writer = scene.staying();
        scene.feeds(&mut writer, "b1", 150_000).unwrap();
        scene.stores("b2", 20_000);
        scene.projects();
        scene.hears(&lines, "b2");
    });
    assert!(left.is_whole(), "{left:#?}");
}
