//! Events, batches and reads in few words.

use std::ops::{Deref, DerefMut};

use ream::{
    Appended, Data, Error, Event, Expect, Json, NewEvent, Options, Pattern, Query, Reader,
    SealedEvent, Sealer, Store, Timestamp, Version,
};
use tempfile::TempDir;

/// A store, and the place where it is for as long as the test runs, where it is in one.
pub(crate) struct Fresh {
    #[allow(dead_code, reason = "it is kept until the test ends")]
    pub(crate) place: Option<TempDir>,
    pub(crate) store: Store,
}

impl Fresh {
    /// Another handle on the same store, as another process has.
    pub(crate) fn another(&self) -> Store {
        self.another_with(&Options::default())
    }

    pub(crate) fn another_with(&self, options: &Options) -> Store {
        self.store.again_with(options).unwrap()
    }
}

impl Deref for Fresh {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

impl DerefMut for Fresh {
    fn deref_mut(&mut self) -> &mut Store {
        &mut self.store
    }
}

pub(crate) fn event(stream: &str, event_type: &str) -> NewEvent {
    NewEvent::new(stream.parse().unwrap(), event_type.parse().unwrap())
}

/// What makes one event differ from another, in a chain: `event("s", "T").data("1").id("a")`.
pub(crate) trait Build: Sized {
    fn build(self, change: impl FnOnce(&mut NewEvent)) -> NewEvent;

    fn data(self, json: &str) -> NewEvent {
        self.build(|event| event.data = Data::Json(Json::parse(json).unwrap()))
    }

    fn bytes(self, bytes: &[u8]) -> NewEvent {
        self.build(|event| event.data = Data::Bytes(bytes.into()))
    }

    fn metadata(self, json: &str) -> NewEvent {
        self.build(|event| event.metadata = Some(Json::parse(json).unwrap()))
    }

    fn id(self, id: &str) -> NewEvent {
        self.build(|event| event.id = Some(id.parse().unwrap()))
    }

    fn time(self, micros: i64) -> NewEvent {
        self.build(|event| event.time = Some(Timestamp::from_micros(micros).unwrap()))
    }

    fn state(self, json: &str) -> NewEvent {
        self.build(|event| event.state = Some(Data::Json(Json::parse(json).unwrap())))
    }

    fn expect(self, expect: Expect) -> NewEvent {
        self.build(|event| event.expect = expect)
    }
}

impl Build for NewEvent {
    fn build(mut self, change: impl FnOnce(&mut NewEvent)) -> NewEvent {
        change(&mut self);
        self
    }
}

pub(crate) fn at(version: u64) -> Expect {
    Expect::At(Version(version))
}

/// `count` events of one stream, of which the data counts from 1.
pub(crate) fn numbered(stream: &str, count: u64) -> Vec<NewEvent> {
    (1..=count).map(|number| event(stream, "Counted").data(&number.to_string())).collect()
}

/// Events of one input, of which each but the first follows the one before it.
pub(crate) fn following<const N: usize>(events: [NewEvent; N]) -> Vec<SealedEvent> {
    let mut sealer = Sealer::new().unwrap();
    let events = events.into_iter().enumerate().map(|(index, event)| {
        let ready = sealer.seal(event);
        if index == 0 { ready } else { ready.following() }
    });
    events.collect()
}

/// Position, version and whether it was there already, of each.
pub(crate) fn places(appended: &[Appended]) -> Vec<(u64, u64, bool)> {
    appended.iter().map(|one| (one.position.0, one.version.0, one.duplicate)).collect()
}

pub(crate) fn query(patterns: &[&str]) -> Query {
    Query::of(patterns.iter().map(|pattern| Pattern::new(*pattern).unwrap()).collect())
}

pub(crate) fn drain(reader: &mut Reader) -> Vec<Event> {
    let mut events = Vec::new();
    loop {
        let before = events.len();
        let batch = reader.next_batch(|event| events.push(event.to_event())).unwrap();
        assert_eq!(batch.events, events.len() - before);
        if batch.caught_up {
            return events;
        }
    }
}

pub(crate) fn read(store: &Store, query: &Query) -> Vec<Event> {
    drain(&mut store.read(query).unwrap())
}

/// Every event that can be read, those of the reserved stream as well.
pub(crate) fn everything(store: &Store) -> Vec<Event> {
    read(store, &query(&["*", "$ream"]))
}

pub(crate) fn positions(events: &[Event]) -> Vec<u64> {
    events.iter().map(|event| event.position.0).collect()
}

pub(crate) fn versions(events: &[Event]) -> Vec<u64> {
    events.iter().map(|event| event.version.0).collect()
}

/// The acts that are recorded: the type of each, and its data.
pub(crate) fn acts(store: &Store) -> Vec<(String, String)> {
    let acts = read(store, &query(&["$ream"])).into_iter().map(|event| {
        let Data::Json(data) = event.data else { panic!("{event:?}") };
        (event.event_type.to_string(), data.as_str().to_owned())
    });
    acts.collect()
}

/// The store's last position.
pub(crate) fn head(store: &Store) -> u64 {
    let head = store.head().unwrap();
    assert_eq!(store.status().unwrap().head, head);
    head.0
}

/// That `error` is a conflict, and what it says: expected, actual, removed.
#[track_caller]
pub(crate) fn conflict(error: &Error) -> (Expect, u64, bool) {
    match error {
        Error::WrongExpectedVersion { expected, actual, removed, .. } => {
            (*expected, actual.0, *removed)
        }
        other => panic!("no conflict: {other:?}"),
    }
}
