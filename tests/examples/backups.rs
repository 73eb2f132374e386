//! The script that practises a restore.

use std::path::Path;
use std::process::Command;

use crate::{Ended, JQ, REAM, SH, needs, root};

/// Runs a script in a directory, in which `ream` is the program and `practise` the example.
fn sh(directory: &Path, script: &str) -> Ended {
    let example = root().join("examples/practise_restore.sh");
    let functions = format!(
        "ream() {{ {REAM} \"$@\"; }}; practise() {{ REAM={REAM} sh {} \"$@\"; }}",
        example.display()
    );
    let mut command = Command::new("sh");
    command.args(["-euc", &format!("{functions}\n{script}")]);
    Ended::of(&command.current_dir(directory).env_remove("REAM_STORE").output().unwrap())
}

#[test]
fn a_restore_is_practised_with_the_newest_backup() {
    needs(&[SH, JQ]);
    let home = tempfile::tempdir().unwrap();
    let run = |script: &str| sh(home.path(), script);
    assert_eq!(run("ream init; mkdir backups").code, 0);
    run("practise backups").fails(1, "none: there is no backup in backups\n");
    for day in ["monday-1", "tuesday-2"] {
        assert_eq!(run(&format!("ream append s T; ream backup backups/{day}")).code, 0);
    }
    let said = run("practise backups .ream");
    let expected = "backups/tuesday-2: restored, 2 events, up to 2\n";
    assert_eq!((said.code, &*said.out, &*said.err), (0, expected, ""));
    // Another store with as many events.
    assert_eq!(
        run("ream init other; for n in 1 2; do ream append --store other s T; done").code,
        0
    );
    let other = run("practise backups other");
    assert_eq!((other.code, &*other.out), (1, ""));
    let error = "backups/tuesday-2: other has another log: it does not go through ";
    assert!(other.err.contains(error), "{other:?}");
    // A backup that is not what its manifest says.
    assert_eq!(run("truncate -s 0 backups/tuesday-2/db").code, 0);
    let broken = run("practise backups");
    assert_eq!((broken.code, &*broken.out), (1, ""));
    assert!(broken.err.contains("backups/tuesday-2: can not be restored\n"), "{broken:?}");
}
