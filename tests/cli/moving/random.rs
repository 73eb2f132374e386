//! Random stores, exported and imported at random: in parts, killed half-way, again, and older ones after newer ones.
//!
//! A state is an array of the ids of the events that it was made of, so that it shows by itself whether it is true.
//! `REAM_TEST_SEED` has other stores.

use std::collections::{BTreeMap, BTreeSet};

use ream::{
    Before, Data, Error, EventId, EventType, Expect, Json, Mark, NewEvent, NewState, Options,
    Position, Store, StreamName, Version,
};
use rustix::process::Signal;

use super::text;
use crate::harness::{Ream, ream};

const STREAMS: [&str; 3] = ["a", "b", "c"];
/// How often each pair of stores is exported and imported.
const ROUNDS: usize = 12;

/// Numbers that look random, the same for a seed.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).unwrap()
    }

    fn of<'t, T>(&mut self, all: &'t [T]) -> &'t T {
        &all[self.below(all.len())]
    }
}

/// A version as a place in a list.
fn index(version: u64) -> usize {
    usize::try_from(version).unwrap()
}

/// The version that a state reflects, and the ids in it.
type StateOf = (u64, Vec<String>);

/// A store, and what it held at any time.
struct Side {
    home: Ream,
    store: Store,
    name: &'static str,
    events: usize,
    /// The ids of each stream, in the order of versions.
    ids: BTreeMap<&'static str, Vec<String>>,
    erased: BTreeSet<String>,
    /// Those of them that were removed, and not redacted.
    removed: BTreeSet<String>,
}

impl Side {
    fn new(name: &'static str) -> Self {
        let home = ream();
        let store = Store::open(&home.path(".ream"), &Options::default()).unwrap();
        let (ids, erased, removed) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
        Self { home, store, name, events: 0, ids, erased, removed }
    }

    /// Takes note of the ids of events that are here.
    fn look(&mut self) {
        let mut reader = self.store.read(&ream::Query::default()).unwrap();
        loop {
            let batch = reader.next_batch(|event| {
                let stream = STREAMS.iter().find(|stream| **stream == event.stream).unwrap();
                let ids = self.ids.entry(stream).or_default();
                // What was removed before it was seen is not asked about.
                let version = index(event.version.0);
                ids.resize(ids.len().max(version), String::new());
                ids[version - 1] = event.id().into_owned();
            });
            if batch.unwrap().caught_up {
                return;
            }
        }
    }

    fn ids(&self, stream: &str) -> &[String] {
        self.ids.get(stream).map_or(&[], Vec::as_slice)
    }

    fn states(&self) -> BTreeMap<&'static str, StateOf> {
        let state = |stream: &&'static str| match self.store.state(stream) {
            Err(Error::StateNotFound { .. }) => None,
            state => {
                let state = state.unwrap();
                let Data::Json(json) = state.data else { panic!("bytes") };
                Some((*stream, (state.version.0, serde_json::from_str(json.as_str()).unwrap())))
            }
        };
        STREAMS.iter().filter_map(state).collect()
    }

    /// Does something, of what anyone may do.
    fn act(&mut self, random: &mut Random) {
        let stream = *random.of(&STREAMS);
        let name = StreamName::new(stream).unwrap();
        let version = self.ids(stream).len();
        match random.below(10) {
            0 => {
                self.store.remove(&[name]).unwrap();
                self.removed.extend(self.ids(stream).to_vec());
            }
            1 | 2 if version > 0 => {
                let gone = random.below(version + 1);
                let mark = Before::Mark(Mark::Version(Version(gone as u64 + 1)));
                self.store.truncate(&[name], mark).unwrap();
                let gone = self.ids(stream)[..gone].to_vec();
                self.removed.extend(gone);
            }
            3 | 4 if version > 0 => {
                let id = random.of(self.ids(stream)).clone();
                let position = self.store.find_event(&id).unwrap();
                let [keeps_states, takes_tags] = [random.below(2) == 0, random.below(2) == 0];
                let redaction = ream::Redaction { keeps_states, takes_tags };
                match self.store.redact(&[position], "r", redaction) {
                    Ok(_) => drop(self.erased.insert(id)),
                    Err(error) => assert!(matches!(error, Error::Event(_)), "{error}"),
                }
            }
            5 => drop(self.store.remove_states(&[name]).unwrap()),
            6 | 7 => {
                let version = random.below(version + 1);
                let reflected = self.ids(stream)[..version].to_vec();
                let data = Data::Json(Json::parse(&format!("{reflected:?}")).unwrap());
                let state = NewState {
                    version: Some(Version(version as u64)),
                    ..NewState::new(name, data)
                };
                match self.store.set_state(&state) {
                    Err(Error::StateBehind { .. }) => {}
                    set => drop(set.unwrap()),
                }
            }
            _ => self.append(&name, version as u64, random.below(2) == 0),
        }
        self.erased.extend(self.removed.iter().cloned());
    }

    fn append(&mut self, stream: &StreamName, version: u64, with_state: bool) {
        self.events += 1;
        let id = format!("{}{}", self.name, self.events);
        let mut event = NewEvent::new(stream.clone(), EventType::new("T").unwrap());
        event.id = Some(EventId::new(&*id).unwrap());
        if with_state {
            let all = [self.ids(stream.as_str()), &[id]].concat();
            event.state = Some(Data::Json(Json::parse(&format!("{all:?}")).unwrap()));
            event.expect = Expect::At(Version(version));
        }
        self.store.append(&[event]).unwrap();
        self.look();
    }
}

/// What a store gave, and how it was by then.
struct Export {
    lines: String,
    states: BTreeMap<&'static str, StateOf>,
    ids: BTreeMap<&'static str, Vec<String>>,
    erased: BTreeSet<String>,
    removed: BTreeSet<String>,
}

impl Export {
    fn of(side: &Side) -> Self {
        let (lines, states) = (text(side.home.run(["export"])), side.states());
        let (ids, erased, removed) = (side.ids.clone(), side.erased.clone(), side.removed.clone());
        Self { lines, states, ids, erased, removed }
    }

    /// Imports the lines up to one of them; into a process that may be killed.
    fn import_part(&self, into: &mut Side, random: &mut Random) {
        let lines: Vec<&str> = self.lines.split_inclusive('\n').collect();
        let part = lines[..random.below(lines.len())].concat();
        let import = into.home.run(["import", "-", "-q"]);
        if random.below(2) == 0 {
            let mut running = import.start();
            running.write(&part).signal(Signal::KILL);
            running.end();
        } else {
            import.stdin(part).fails_with(6, ["the export is incomplete"]);
        }
    }

    /// No state came that is not of the first events of its stream, or that knows what was erased here alone.
    fn check_true(&self, before: &BTreeMap<&str, StateOf>, into: &Side) {
        for (stream, state) in into.states() {
            if before.get(stream) == Some(&state) {
                continue;
            }
            let (version, made_of) = &state;
            assert_eq!(self.states[stream].1, *made_of);
            let here = &into.ids(stream)[..index(*version)];
            let mut left = made_of.iter();
            for id in here {
                assert!(left.any(|one| one == id), "{stream}: {state:?}, here {here:?}");
                let alone = into.erased.contains(id) && !self.erased.contains(id);
                assert!(!alone, "{stream}: {state:?} knows of {id}");
            }
            for id in made_of.iter().filter(|id| !here.contains(id)) {
                assert!(self.erased.contains(id), "{stream}: {state:?}, without {id}: {here:?}");
            }
            if let (0, Some(first)) = (version, into.ids(stream).first()) {
                assert!(self.ids[stream].contains(first), "{stream}: {state:?}, before {first}");
            }
        }
    }

    /// Each state is there whose stream begins with the events that it reflects.
    fn check_whole(&self, before: &BTreeMap<&str, StateOf>, into: &Side) {
        let states = into.states();
        for (stream, (_, made_of)) in &self.states {
            let all = into.ids(stream);
            let is_here = |id: &&String| all.contains(*id);
            let same = made_of.iter().filter(|id| !self.erased.contains(*id) || is_here(id));
            let same: Vec<&String> = same.collect();
            let begins = all.iter().take(same.len()).eq(same.iter().copied());
            let is_erased = |id: &&String| into.erased.contains(*id) && !self.erased.contains(*id);
            // What came here before it was removed there is known to be the same where all of it is.
            let there = self.ids.get(stream).map_or(&[][..], Vec::as_slice);
            let gone = there.iter().take_while(|id| self.removed.contains(*id)).count();
            let is_same = all.get(..gone) == Some(&there[..gone]);
            let is_unknown = |id: &&String| self.removed.contains(*id) && !is_same;
            if same.is_empty() || !begins || same.iter().any(|id| is_erased(id) || is_unknown(id)) {
                continue;
            }
            let (version, found) =
                states.get(stream).unwrap_or_else(|| panic!("{stream}: {made_of:?} is not here"));
            let was_there = before.get(stream).is_some_and(|(at, _)| at == version);
            assert!(*version >= same.len() as u64, "{stream}: {made_of:?}, and {found:?} is older");
            assert!(was_there || found == made_of, "{stream}: {made_of:?}, and not {found:?}");
        }
    }
}

/// All that a store gives of itself.
fn contents(side: &Side) -> (Position, String, BTreeMap<&'static str, StateOf>) {
    (side.store.head().unwrap(), text(side.home.run(["read"])), side.states())
}

fn compare(seed: u64) {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let (mut from, mut into) = (Side::new("f"), Side::new("i"));
    let mut exports: Vec<Export> = Vec::new();
    for _ in 0..ROUNDS {
        for _ in 0..random.below(8) {
            from.act(&mut random);
        }
        for _ in 0..random.below(4) {
            into.act(&mut random);
        }
        exports.push(Export::of(&from));
        let (part, whole) = (random.below(exports.len()), random.below(2 * exports.len()));
        let before = into.states();
        exports[part].import_part(&mut into, &mut random);
        into.look();
        exports[part].check_true(&before, &into);

        let export = exports.get(whole).unwrap_or(&exports[exports.len() - 1]);
        let before = into.states();
        let first = into.home.run(["import", "-", "-q"]).stdin(export.lines.clone()).value();
        into.look();
        export.check_true(&before, &into);
        export.check_whole(&before, &into);
        let there = contents(&into);
        let again = into.home.run(["import", "-", "-q"]).stdin(export.lines.clone()).value();
        let sum = |a: &str, b: &str| first[a].as_u64().unwrap() + first[b].as_u64().unwrap();
        let all = [sum("imported", "duplicates"), sum("states", "states_there")];
        let said = ["imported", "duplicates", "states", "states_there", "states_left_out"];
        let said = said.map(|key| again[key].as_u64().unwrap());
        assert_eq!(said, [0, all[0], 0, all[1], first["states_left_out"].as_u64().unwrap()]);
        assert_eq!(contents(&into), there);
    }
}

#[test]
fn states_are_those_of_the_other_store_wherever_the_events_are() {
    let seed = std::env::var("REAM_TEST_SEED").map_or(1, |seed| seed.parse().unwrap());
    for seed in seed..seed + 4 {
        let compared = std::panic::catch_unwind(|| compare(seed));
        assert!(compared.is_ok(), "REAM_TEST_SEED={seed}");
    }
}
