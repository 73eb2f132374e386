//! What `verify` says: nothing of a store that is whole, and something of each bit that flips where it matters.
//!
//! `REAM_BITS` says how many flip in the database, and in its log; `REAM_OTHER_BITS` how many in each other file.

use std::fs;
use std::path::Path;

use ream::{
    Error, Finding, FindingKind, Options, Position, Store, Verification, Verified, Verifying,
};
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};

use crate::chance::{how_many, seeded};
use crate::flipped::filled;
use crate::support::{Home, copy, numbered, sized};

/// How many bits are flipped in the database, and in its log.
const FLIPS: usize = 200;

/// How many in each other file.
const OTHERS: usize = 50;

/// What a verification says of the store in a directory.
fn verify(store: &Path, asked: &Verification) -> Result<(Verified, Vec<Finding>), Error> {
    let store = Store::open(store, &Options::default())?;
    let mut findings = Vec::new();
    let verified = store.verify(asked, &mut |told| {
        if let Verifying::Found(finding) = told {
            findings.push(finding);
        }
    })?;
    assert_eq!(verified.findings, findings.len() as u64);
    Ok((verified, findings))
}

/// The kinds of what is found, and where.
pub(crate) fn found(store: &Path) -> Vec<(FindingKind, Option<u64>)> {
    let (_, findings) = verify(store, &Verification::default()).unwrap();
    findings.iter().map(|one| (one.kind, one.position.map(|at| at.0))).collect()
}

/// Whether something is not as it was stored. A record of what was acknowledged is never synced: a kill or a power
/// loss may leave half of it, which is told, and the next commit of its kind writes it anew.
pub(crate) fn is_of_what_is_stored(finding: &Finding) -> bool {
    finding.kind != FindingKind::Record
}

/// All rows that matter, as SQLite reads them; nothing where it can't.
pub(crate) fn rows(store: &Path) -> Option<Vec<Vec<Value>>> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
    let database = Connection::open_with_flags(store.join("db"), flags).ok()?;
    let mut all = Vec::new();
    for select in [
        "SELECT * FROM events ORDER BY position",
        "SELECT id, position FROM events INDEXED BY events_id WHERE id IS NOT NULL ORDER BY id",
        "SELECT * FROM streams ORDER BY name",
        "SELECT * FROM stream_pages ORDER BY stream, page",
        "SELECT * FROM states ORDER BY stream",
        "SELECT * FROM decisions ORDER BY id",
        "SELECT * FROM names ORDER BY name",
        "SELECT * FROM tags ORDER BY tag, position",
        "SELECT * FROM settings ORDER BY pattern, key",
        "SELECT name, sql FROM sqlite_schema ORDER BY name",
    ] {
        let mut statement = database.prepare(select).ok()?;
        let columns = statement.column_count();
        let mut rows = statement.query([]).ok()?;
        while let Some(row) = rows.next().ok()? {
            let values = (0..columns).map(|column| row.get(column).ok());
            all.push(values.collect::<Option<Vec<Value>>>()?);
        }
    }
    Some(all)
}

/// Flips bits in the file `name` of copies of the store, and has each that changes what is read be found.
fn flip(home: &Home, name: &str, flips: usize) -> usize {
    let whole = fs::read(home.file(name)).unwrap();
    let right = rows(&home.store()).unwrap();
    let (seed, mut numbers) = seeded();
    let mut told = 0;
    for flip in 0..flips {
        let place = tempfile::tempdir().unwrap();
        let store = place.path().join("store");
        copy(&home.store(), &store);
        let at = numbers.below(whole.len());
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << numbers.below(8);
        fs::write(store.join(name), flipped).unwrap();
        let is_changed = rows(&store).as_ref() != Some(&right);
        let is_found = match verify(&store, &Verification::default()) {
            Ok((_, findings)) => !findings.is_empty(),
            Err(error) => {
                assert!(is_damage(&error), "seed {seed}, flip {flip}, byte {at}: {error:?}");
                true
            }
        };
        assert!(is_found || !is_changed, "seed {seed}, flip {flip}, byte {at} is not found");
        told += usize::from(is_found);
    }
    println!("seed {seed}: {flips} bits of {name}, {told} are found");
    told
}

/// Whether an error says that what is stored can't be read at all.
fn is_damage(error: &Error) -> bool {
    matches!(error, Error::Damaged { .. } | Error::LostEvents { .. } | Error::Engine { .. })
}

#[test]
fn a_whole_store_is_said_to_be_whole() {
    let home = filled();
    let (verified, findings) = verify(&home.store(), &Verification::default()).unwrap();
    assert_eq!(findings, []);
    let counts = verified.counts;
    // Twelve subscriptions were made, which are acts in a stream of their own.
    assert_eq!((counts.events, counts.streams, counts.states), (362, 42, 20));
    assert_eq!((counts.decisions, counts.subscriptions), (40, 12));
    home.run(&["stream", "rm", "order-1", "long", "--yes"]).done();
    let (verified, findings) = verify(&home.store(), &Verification::default()).unwrap();
    assert_eq!(findings, []);
    assert_eq!(verified.counts.removed, 155);
}

#[test]
fn a_flipped_bit_in_the_database_is_found_where_it_changes_anything() {
    let home = filled();
    let flips = how_many("REAM_BITS", FLIPS);
    let told = flip(&home, "db", flips);
    // Many fall on pages and gaps that nothing is in.
    assert!(told > flips / 4, "{told}");
}

#[test]
fn a_flipped_bit_in_the_log_is_found_where_it_takes_anything_away() {
    let home = filled();
    let more: Vec<_> = (0..40).map(|n| sized(&format!("order-{n}"), "1")).collect();
    for event in more {
        home.open().append(&[event]).unwrap();
    }
    let flips = how_many("REAM_BITS", FLIPS);
    let told = flip(&home, "db-wal", flips);
    assert!(told > flips / 4, "{told}");
}

/// Changes the database by hand, as no bit that flips does.
fn change(home: &Home, sql: &str) {
    let database = Connection::open(home.file("db")).unwrap();
    database.execute_batch(sql).unwrap();
}

#[test]
fn what_is_missing_is_told_by_its_places() {
    let home = Home::with(100);
    change(&home, "DELETE FROM events WHERE position IN (5, 6, 7, 50)");
    let (_, findings) = verify(&home.store(), &Verification::default()).unwrap();
    let places = |one: &Finding| (one.kind, one.position, one.last);
    let at = |position| Some(Position(position));
    assert_eq!(
        findings.iter().map(places).collect::<Vec<_>>(),
        [
            (FindingKind::Missing, at(5), at(7)),
            (FindingKind::Missing, at(50), None),
            // Its stream lists them.
        ]
    );
}

#[test]
fn what_is_changed_together_with_its_sum_breaks_the_chain() {
    // Two stores with the same events: what is of one row is put into the other's, sum and all.
    let (home, other) = (Home::with(10), Home::with(10));
    let path = other.file("db");
    let sql = format!(
        "ATTACH '{}' AS other; \
         UPDATE events SET (header, data, salt) = \
         (SELECT header, data, salt FROM other.events WHERE position = 4) WHERE position = 4",
        path.display()
    );
    change(&home, &sql);
    assert_eq!(found(&home.store()), [(FindingKind::Link, Some(4)), (FindingKind::Link, Some(5))]);
}

#[test]
fn a_row_that_leads_elsewhere_is_found_where_the_events_hold() {
    let home = filled();
    // The row of another stream, sum and all, under this name: its sum does not fit.
    change(&home, "DELETE FROM streams WHERE name = 'order-3'");
    let kinds: Vec<FindingKind> = found(&home.store()).into_iter().map(|(kind, _)| kind).collect();
    assert!(kinds.contains(&FindingKind::Index), "{kinds:?}");
    let home = filled();
    change(&home, "DELETE FROM stream_pages WHERE page = 1");
    let findings = found(&home.store());
    assert!(findings.contains(&(FindingKind::Stream, None)), "{findings:?}");
    let home = filled();
    change(
        &home,
        "DELETE FROM decisions WHERE id = 'decision-3'; DELETE FROM states WHERE stream = 'order-2'",
    );
    // What is gone as a whole, and is named nowhere else, can't be missed.
    assert_eq!(found(&home.store()), []);
}

#[test]
fn an_earlier_head_is_the_beginning_of_this_log_or_it_is_not() {
    let home = Home::with(10);
    let head = home.open().checkpoint(Position(10)).unwrap();
    home.open().append(&numbered("t", 10)).unwrap();
    let mut asked = Verification::default();
    asked.against = Some(head);
    assert_eq!(verify(&home.store(), &asked).unwrap().1, []);
    let other = Home::with(20);
    let (_, findings) = verify(&other.store(), &asked).unwrap();
    assert_eq!(findings.len(), 1);
    assert_eq!(
        (findings[0].kind, findings[0].position),
        (FindingKind::Against, Some(Position(10)))
    );
    let shorter = Home::with(9);
    let (_, findings) = verify(&shorter.store(), &asked).unwrap();
    assert!(findings[0].what.contains("ends at position 9"), "{findings:?}");
}

/// While others write and remove, nothing is taken for damage.
#[test]
fn what_changes_meanwhile_is_no_finding() {
    let home = Home::with(5000);
    let path = home.store();
    let writing = std::thread::spawn({
        let path = path.clone();
        move || {
            let mut store = Store::open(&path, &Options::default()).unwrap();
            for round in 0..40 {
                let name = format!("r-{round}");
                store.append(&numbered(&name, 50)).unwrap();
                store.remove(&[name.parse().unwrap()]).unwrap();
            }
        }
    });
    let mut runs = 0;
    while !writing.is_finished() || runs == 0 {
        assert_eq!(found(&path), []);
        runs += 1;
    }
    writing.join().unwrap();
    assert_eq!(found(&path), []);
}

/// The small files beside the database say what was acknowledged, or nothing.
#[test]
fn a_flipped_bit_in_any_other_file_changes_nothing_that_is_read() {
    let home = filled();
    let right = crate::support::read(&home.open());
    let (seed, mut numbers) = seeded();
    let flips = how_many("REAM_OTHER_BITS", OTHERS);
    for name in ["store", "bell/bell", "changes", "lock", "turnstile"] {
        let whole = fs::read(home.file(name)).unwrap();
        for flip in 0..if whole.is_empty() { 0 } else { flips } {
            let place = tempfile::tempdir().unwrap();
            let store = place.path().join("store");
            copy(&home.store(), &store);
            let (at, bit) = (numbers.below(whole.len()), numbers.below(8));
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << bit;
            fs::write(store.join(name), flipped).unwrap();
            let told = format!("seed {seed}, {name}, flip {flip}, byte {at}, bit {bit}");
            match Store::open(&store, &Options::default()) {
                Ok(mut opened) => {
                    assert_eq!(crate::support::read(&opened), right, "{told}");
                    opened.append(&[sized("next", "1")]).unwrap();
                    drop(opened);
                    // An event rings the bell anew; the count stays as it is until something else changes.
                    let mut found = found(&store);
                    found.retain(|one| name != "changes" || *one != (FindingKind::Record, None));
                    assert_eq!(found, [], "{told}");
                }
                // Only the marker is needed to open a store.
                Err(error) => assert_eq!(name, "store", "{told}: {error}"),
            }
        }
    }
}

/// How far a projection has come is compared with the log; its rows can be made again, and have no sums.
#[test]
fn a_flipped_checkpoint_of_a_projection_is_found() {
    let home = Home::with(30);
    let create = ["project", "create", "rows", "id:integer:key", "--from", "s", "--", "sh", "-c"];
    home.run(&[&create[..], &["cat >/dev/null"]].concat()).done();
    home.run(&["project", "run", "rows", "--until-caught-up"]).done();
    let file = home.file("projections/rows.1.db");
    let whole = fs::read(&file).unwrap();
    let head = home.open().checkpoint(Position(30)).unwrap();
    let link = head.link();
    let at = whole.windows(16).rposition(|bytes| bytes == link.as_bytes()).unwrap();
    for bit in 0..how_many("REAM_OTHER_BITS", OTHERS) {
        let mut flipped = whole.clone();
        // The position stands before its link.
        flipped[at - 1 + bit % 17] ^= 1 << (bit % 8);
        fs::write(&file, flipped).unwrap();
        let kinds: Vec<FindingKind> = found(&home.store()).into_iter().map(|one| one.0).collect();
        assert_eq!(kinds, [FindingKind::Projection], "{bit}");
    }
    fs::write(&file, whole).unwrap();
    assert_eq!(found(&home.store()), []);
}
