//! Bits that flip in the database: what is given is what was written, or an error.
//!
//! The bits are those of cells, keys included: of the tables that hold what is given. What only leads
//! there (headers, pointers between pages, the index of ids) is for a look at the whole store.
//!
//! `REAM_BITS` says how many they are.

use std::collections::HashMap;
use std::fs;
use std::ops::Range;
use std::path::Path;

use ream::{
    Command, Error, Event, Expect, Json, NewEvent, NewState, Options, Pattern, Query, Store,
};
use rusqlite::Connection;

use crate::chance::{how_many, seeded};
use crate::support::{Home, copy, read, sized};

/// How many bits are flipped.
const FLIPS: usize = 500;
/// How many streams there are.
const STREAMS: usize = 40;

fn name(number: usize) -> String {
    format!("order-{number}")
}

/// A store with something of everything, all of it in its database.
pub(crate) fn filled() -> Home {
    let home = Home::new();
    let mut store = home.open();
    for round in 0..4 {
        for number in 0..STREAMS {
            let mut event = sized(&name(number), &format!(r#"{{"round":{round},"amount":100}}"#));
            if number % 3 == 0 {
                event.id = Some(format!("id-{round}-{number}").parse().unwrap());
            }
            store.append(&[event]).unwrap();
        }
    }
    // More than one page of positions.
    let long: Vec<NewEvent> = (0..150).map(|n| sized("long", &n.to_string())).collect();
    store.append(&long).unwrap();
    for number in (0..STREAMS).step_by(2) {
        let data = ream::Data::Json(Json::parse(&format!(r#"{{"n":{number}}}"#)).unwrap());
        store.set_state(&NewState::new(name(number).parse().unwrap(), data)).unwrap();
    }
    for number in 0..STREAMS {
        let command = decision(number);
        let aggregate = store.load(&command.stream).unwrap();
        let mut decision = aggregate.accept();
        decision.events.push(sized(command.stream.as_str(), "1"));
        store.save(&decision, &command).unwrap();
    }
    drop(store);
    for number in 0..12 {
        let name = format!("seen_{number}");
        home.run(&["tail", "--as", &name, "--until-caught-up", "--", "sh", "-c", "cat >/dev/null"])
            .done();
    }
    let database = Connection::open(home.file("db")).unwrap();
    let busy = database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0));
    assert_eq!(busy, Ok(0));
    home
}

fn decision(number: usize) -> Command {
    let data = Json::parse(&format!(r#"{{"n":{number}}}"#)).unwrap();
    let mut command = Command::new(name(number).parse().unwrap(), data);
    command.id = Some(format!("decision-{number}").parse().unwrap());
    command
}

/// All that a store gives, in one text each: what was given, or that it was refused.
fn given(store: &mut Store) -> Vec<(String, Result<String, Error>)> {
    let mut given: Vec<(String, Result<String, Error>)> = Vec::new();
    let mut add = |what: String, found: Result<String, Error>| given.push((what, found));
    let read = |store: &Store, query: &Query| {
        let mut reader = store.read(query)?;
        let mut events: Vec<Event> = Vec::new();
        while !reader.next_batch(|event| events.push(event.to_event()))?.caught_up {}
        Ok(format!("{events:?}"))
    };
    add("all".into(), read(store, &Query::default()));
    let all = || Pattern::new("*").unwrap();
    add("streams".into(), store.streams(&all(), None, 1000).map(|all| format!("{all:?}")));
    add("states".into(), store.states(&all(), None, 1000).map(|all| format!("{all:?}")));
    add("categories".into(), store.state_categories().map(|all| format!("{all:?}")));
    add("subscriptions".into(), store.subscriptions().map(|all| format!("{all:?}")));
    let status = store.status().map(|now| format!("{} {} {}", now.head, now.events, now.streams));
    add("status".into(), status);
    for stream in (0..STREAMS).map(name).chain(["long".into()]) {
        let one = Query::of(vec![Pattern::new(stream.as_str()).unwrap()]);
        add(format!("read {stream}"), read(store, &one));
        add(format!("stream {stream}"), store.stream(&stream).map(|found| format!("{found:?}")));
        let state = match store.state(&stream) {
            Err(Error::StateNotFound { .. }) => Ok("none".into()),
            found => found.map(|found| format!("{found:?}")),
        };
        add(format!("state {stream}"), state);
        let stream = stream.parse().unwrap();
        add(format!("load {stream}"), store.load(&stream).map(|found| format!("{found:?}")));
    }
    for number in 0..STREAMS {
        let found = store.decided(&decision(number)).map(|found| format!("{found:?}"));
        add(format!("decided {number}"), found);
    }
    for number in 0..12 {
        let found = store.subscription(&format!("seen_{number}"));
        add(format!("subscription {number}"), found.map(|found| format!("{found:?}")));
    }
    given
}

/// The bytes of the cells of tables that hold what is given, but for those that lead to pages.
fn cells(database: &Path) -> Vec<Range<usize>> {
    let roots = Connection::open(database).unwrap();
    let mut statement =
        roots.prepare("SELECT name, rootpage FROM sqlite_schema WHERE rootpage > 0").unwrap();
    let roots: HashMap<String, usize> = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let bytes = fs::read(database).unwrap();
    let mut cells = Vec::new();
    for table in ["events", "streams", "stream_pages", "states", "decisions", "names"] {
        let root = roots[table];
        let mut pages = vec![root];
        while let Some(page) = pages.pop() {
            let start = (page - 1) * 4096;
            let two = |at: usize| {
                usize::from(u16::from_be_bytes(
                    bytes[start + at..start + at + 2].try_into().unwrap(),
                ))
            };
            let four = |at: usize| {
                u32::from_be_bytes(bytes[start + at..start + at + 4].try_into().unwrap()) as usize
            };
            let kind = bytes[start];
            let is_interior = matches!(kind, 2 | 5);
            let header = if is_interior { 12 } else { 8 };
            let mut starts: Vec<usize> =
                (0..two(3)).map(|number| two(header + 2 * number)).collect();
            if is_interior {
                pages.push(four(8));
                pages.extend(starts.iter().map(|cell| four(*cell)));
            }
            starts.sort_unstable();
            let ends = starts.iter().skip(1).copied().chain([4096]);
            // A cell of an interior page of rows holds a pointer and a number that leads there.
            if kind != 5 {
                let skipped = if kind == 2 { 4 } else { 0 };
                cells.extend(
                    starts.iter().zip(ends).map(|(cell, end)| start + cell + skipped..start + end),
                );
            }
        }
    }
    assert!(cells.len() > 400, "{}", cells.len());
    cells
}

#[test]
fn a_flipped_bit_is_seen_or_changes_nothing() {
    let home = filled();
    let whole = fs::read(home.file("db")).unwrap();
    let right = given(&mut home.open());
    let right: Vec<(&str, &str)> = right
        .iter()
        .map(|(what, given)| (what.as_str(), given.as_ref().unwrap().as_str()))
        .collect();
    let cells = cells(&home.file("db"));
    let (seed, mut numbers) = seeded();
    let (mut reported, mut hidden) = (0, 0);
    let flips = how_many("REAM_BITS", FLIPS);
    for flip in 0..flips {
        let place = tempfile::tempdir().unwrap();
        let store = place.path().join("store");
        copy(&home.store(), &store);
        let cell = &cells[numbers.below(cells.len())];
        let at = cell.start + numbers.below(cell.len());
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << numbers.below(8);
        fs::write(store.join("db"), flipped).unwrap();
        let told = format!("seed {seed}, flip {flip}, byte {at}");
        let Ok(mut store) = Store::open(&store, &Options::default()) else { continue };
        let found = given(&mut store);
        for ((what, found), (_, right)) in found.iter().zip(&right) {
            if let Ok(found) = found {
                assert_eq!(found, right, "{told}: {what}");
            }
        }
        let errors = found.iter().filter(|(_, found)| found.is_err()).count();
        reported += usize::from(errors > 0);
        // No version is given twice: each of these streams is there.
        for number in 0..STREAMS {
            let mut event = sized(&name(number), "2");
            event.expect = Expect::NoStream;
            let again = store.append(&[event]);
            hidden += usize::from(matches!(again, Err(Error::Damaged { .. })));
            assert!(again.is_err(), "{told}: {} is written anew", name(number));
        }
    }
    // Many fall on bytes that are of no interest, such as the payload of a decision's salt.
    assert!(reported > flips / 2 && hidden > 0, "{reported} {hidden}");
    assert_eq!(read(&home.open()).len(), STREAMS * 5 + 150);
}
