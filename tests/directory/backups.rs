//! Backups: a store as it was at one moment, which is read and not written to.

use ream::{
    BackupProgress, Batched, Definition, Error, NewBackup, Options, PlaceFault, Position,
    ProjectionEntry, Query, Row, Schema, Store,
};

use crate::store;
use crate::support::{Build as _, Fresh, event, everything, head, numbered, positions, read};

/// Events that take several steps to copy.
fn large() -> Fresh {
    let mut store = store();
    let data = format!("\"{}\"", "x".repeat(9000));
    let events: Vec<_> = (0..500).map(|_| event("s", "T").data(&data)).collect();
    store.append(&events).unwrap();
    store
}

fn fault(error: &Error) -> Option<&PlaceFault> {
    match error {
        Error::Place { fault, .. } => Some(fault),
        _ => None,
    }
}

#[test]
fn a_backup_is_the_store_as_it_was_whatever_is_written_beside() {
    let store = large();
    let (mut writer, mut written) = (store.another(), 0);
    let mut steps = 0;
    let path = store.home().join("backup");
    let before = everything(&store);
    let backup = store
        .backup(&path, &NewBackup::default(), &mut |at| {
            let BackupProgress::Copied { bytes, of } = at else { return };
            // Where it began anew with each of these, it would never end.
            steps += 1;
            assert!(steps < 100, "it began anew");
            assert!(bytes <= of, "{at:?}");
            writer.append(&numbered("other", 1)).unwrap();
            written += 1;
        })
        .unwrap();
    assert!(steps > 3, "{steps}");
    assert_eq!(head(&store), 500 + written);
    assert_eq!((backup.head.position.0, backup.events), (500, 500));
    assert_eq!(backup.head, store.checkpoint(backup.head.position).unwrap());
    let copy = Store::open(&path, &Options::default()).unwrap();
    copy.check().unwrap();
    assert_eq!(copy.id(), store.id());
    assert_eq!(everything(&copy), before);
}

#[test]
fn a_backup_holds_what_was_acknowledged_before_it_began() {
    let mut store = store();
    for count in 1..=5 {
        store.append(&numbered("s", 1)).unwrap();
        let path = store.home().join(count.to_string());
        let backup = store.backup(&path, &NewBackup::default(), &mut |_| ()).unwrap();
        assert_eq!(backup.head.position.0, count);
        let copy = Store::open(&path, &Options::default()).unwrap();
        assert_eq!(positions(&read(&copy, &Query::default())), (1..=count).collect::<Vec<_>>());
    }
}

#[test]
fn a_store_in_a_directory_is_restored_from_a_backup_alone() {
    let refused = store().restored(None).unwrap_err();
    assert!(matches!(refused, Error::Engine { .. }), "{refused}");
}

#[test]
fn a_store_without_events_has_a_backup() {
    let store = store();
    let path = store.home().join("backup");
    let backup = store.backup(&path, &NewBackup::default(), &mut |_| ()).unwrap();
    assert_eq!((backup.head, backup.events), (store.checkpoint(Position(0)).unwrap(), 0));
    Store::open(&path, &Options::default()).unwrap().check().unwrap();
}

#[test]
fn a_backup_that_is_interrupted_leaves_nothing() {
    let store = large();
    let flag = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let mut options = Options::default();
    options.interrupt = Some(std::sync::Arc::clone(&flag));
    let path = store.home().join("backup");
    let mut steps = 0;
    let ended = store.another_with(&options).backup(&path, &NewBackup::default(), &mut |_| {
        steps += 1;
        flag.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    assert!(matches!(ended, Err(Error::Interrupted)), "{ended:?}");
    assert_eq!(steps, 1);
    assert!(!path.exists() && !store.home().join("backup.partial").exists());
    assert!(store.backups_of(&"s".parse().unwrap()).unwrap().is_empty());
}

#[test]
fn nothing_is_written_to_a_backup() {
    let mut store = store();
    store.append(&numbered("s", 1)).unwrap();
    let schema = Schema::of(&["id:integer:key"]).unwrap();
    let rows = ProjectionEntry::new("rows".parse().unwrap(), Definition::new(schema));
    store.create_projection(&rows).unwrap();
    let path = store.home().join("backup");
    let new = {
        let mut new = NewBackup::default();
        new.projections = true;
        new
    };
    let backup = store.backup(&path, &new, &mut |_| ()).unwrap();
    assert_eq!(backup.projections.len(), 1);
    let mut copy = Store::open(&path, &Options::default()).unwrap();
    let refused = copy.append(&numbered("s", 1)).unwrap_err();
    assert_eq!(fault(&refused), Some(&PlaceFault::Backup));
    let refused = copy.take_run("rows", std::time::Duration::ZERO).unwrap_err();
    assert_eq!(fault(&refused), Some(&PlaceFault::Backup));
    let mut rows = copy.projection("rows").unwrap();
    let row = Row::parse(br#"{"id":1}"#, rows.schema()).unwrap();
    let refused = rows.set(&[row], Batched::AllOrNone).unwrap_err();
    assert_eq!(fault(&refused), Some(&PlaceFault::Backup));
    // A backup of a backup is one.
    let again = copy.backup(&store.home().join("again"), &new, &mut |_| ()).unwrap();
    assert_eq!((again.head, &again.projections), (backup.head, &backup.projections));
}

#[test]
fn what_was_removed_is_looked_for_in_the_backups_that_are_known() {
    let mut store = store();
    store.append(&numbered("old", 1)).unwrap();
    let home = store.home().canonicalize().unwrap();
    let (first, second) = (home.join("first"), home.join("second"));
    store.backup(&first, &NewBackup::default(), &mut |_| ()).unwrap();
    store.append(&numbered("new", 1)).unwrap();
    let of = |store: &Fresh, name: &str| store.backups_of(&name.parse().unwrap()).unwrap();
    assert_eq!(of(&store, "new"), [""; 0].map(std::path::PathBuf::from));
    let mut during = Vec::new();
    store
        .backup(&second, &NewBackup::default(), &mut |_| {
            during = of(&store, "new");
        })
        .unwrap();
    assert_eq!(during, [home.join("second.partial")]);
    assert_eq!(of(&store, "new"), [&*second]);
    store.remove(&["old".parse().unwrap()]).unwrap();
    assert_eq!(of(&store, "old"), [&*first, &*second]);
    std::fs::remove_dir_all(&first).unwrap();
    assert_eq!(of(&store, "old"), [&*second]);
}
