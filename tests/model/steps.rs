//! The steps: every verb, with what it may be asked.

mod chosen;

use ream::{
    Assignments, Batched, Before, Change, Checkpoint, Command, Condition, Data, Definition, Error,
    Expect, ImportedState, Json, Mark, NewEvent, NewState, NewSubscription, Parameters, Pattern,
    Position, ProjectionEntry, Redaction, RestoreUntil, Retention, Row, Schema, SealedEvent,
    Sealer, SetEach, Store, StreamName, Tags, Timestamp, Version,
};

pub(crate) use self::chosen::steps;
use crate::{Side, answers};

pub(crate) const STREAMS: [&str; 4] = ["a", "a-1", "b", "b-2"];
pub(crate) const NAMES: [&str; 3] = ["mail", "rows", "Rows"];
const IDS: [&str; 4] = ["i", "j", "k", "l"];
const PATTERNS: [&str; 4] = ["*", "a*", "b", "*-2"];
const FIELDS: [&[&str]; 2] = [&["id:integer:key", "n:integer:unique:null"], &["id:text:key"]];

/// An event that is to be stored.
#[derive(Debug, Clone)]
pub(crate) struct Ev {
    stream: usize,
    event_type: bool,
    data: u8,
    tags: u8,
    /// An id of its own, or that which another store would know the event at this position by.
    id: Option<Id>,
    expect: Option<Expected>,
    state: Option<u8>,
    follows: bool,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Id {
    Own(usize),
    Derived(u64),
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Expected {
    No,
    Some,
    At(u64),
}

/// How several events are appended.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Form {
    Whole,
    All,
    Each,
    Sealed,
}

#[derive(Debug, Clone)]
pub(crate) enum Step {
    Tick,
    Reopen,
    /// To go on with what a restore makes of a backup, whose log ends at a place.
    Restore(Option<Place>),
    Append(Form, Vec<Ev>),
    Units(Vec<Vec<Ev>>),
    Decide {
        stream: usize,
        id: Option<usize>,
        command: bool,
        stale: bool,
        events: Vec<Ev>,
        state: Option<u8>,
    },
    SetState {
        stream: usize,
        data: u8,
        version: Option<u64>,
        expect: Option<Expected>,
    },
    /// A state of another store, as of the acts that are there, or of one fewer.
    Import {
        stream: usize,
        data: u8,
        version: u64,
        stale: bool,
    },
    RemoveStates(Vec<usize>),
    Remove(Vec<usize>),
    RemoveAt(usize, u64),
    Redact(Vec<u64>, Redaction),
    Truncate(Vec<usize>, Place),
    Protect(Vec<usize>, bool),
    Retain(usize, Option<u64>, Option<u64>),
    Prune(bool),
    Subscribe(usize, u64),
    Move {
        name: usize,
        from: Option<u64>,
        to: u64,
    },
    React {
        name: usize,
        events: Vec<Ev>,
        from: u64,
        to: u64,
    },
    Seek(usize, u64),
    Unsubscribe(usize),
    Fail(usize, bool),
    Create(usize, usize),
    Drop(usize),
    Set(usize, Vec<u8>),
    Update(usize, u8),
    Delete(usize, u8),
    Commit {
        name: usize,
        rows: Vec<u8>,
        from: u64,
        to: u64,
    },
    Rebuild {
        name: usize,
        fields: usize,
        rows: Vec<u8>,
        switch: bool,
    },
    /// The same, of which in memory the `nth` thing that is asked of the engine fails.
    Failing(u64, Box<Step>),
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Place {
    Version(u64),
    Position(u64),
    Time(i64),
}

impl Place {
    fn before(self) -> Before {
        match self {
            Self::Version(version) => Before::Mark(Mark::Version(Version(version))),
            Self::Position(position) => Before::Mark(Mark::Position(Position(position))),
            Self::Time(seconds) => {
                let start = crate::clock().as_micros();
                Before::Time(Timestamp::from_micros(start - seconds * 1_000_000).unwrap())
            }
        }
    }
}

fn data(number: u8) -> Data {
    match number {
        0 => Data::Bytes(b"\x00\xff".as_slice().into()),
        number => Data::Json(Json::parse(&format!("{{\"n\":{number}}}")).unwrap()),
    }
}

fn expect(expected: Option<Expected>) -> Expect {
    match expected {
        None => Expect::Any,
        Some(Expected::No) => Expect::NoStream,
        Some(Expected::Some) => Expect::Exists,
        Some(Expected::At(version)) => Expect::At(Version(version)),
    }
}

fn stream(number: usize) -> StreamName {
    STREAMS[number].parse().unwrap()
}

fn streams(numbers: &[usize]) -> Vec<StreamName> {
    numbers.iter().map(|number| stream(*number)).collect()
}

/// The id that an event without one is known by.
fn derived(store: &Store, position: u64) -> Option<String> {
    let mut query =
        ream::Query::of(["*", "$ream"].map(|text| Pattern::new(text).unwrap()).to_vec());
    query.after = Some(Mark::Position(Position(position.checked_sub(1)?)));
    query.limit = Some(1);
    let find = || {
        let (mut reader, mut id) = (store.read(&query)?, None);
        reader.next_batch(|event| id = Some(event.to_event().id))?;
        Ok::<_, Error>(id)
    };
    match find() {
        // It is not this that was to fail; and beyond the head there is none.
        Err(Error::Engine { .. }) => find().unwrap(),
        found => found.unwrap_or_default(),
    }
}

impl Ev {
    fn made(&self, store: &Store) -> NewEvent {
        let event_type = if self.event_type { "T1" } else { "T2" };
        let mut event = NewEvent::new(stream(self.stream), event_type.parse().unwrap());
        event.data = data(self.data);
        let tags = ["x", "y"].iter().zip([1, 2]).filter(|(_, bit)| self.tags & bit > 0);
        event.tags = Tags::new(tags.map(|(tag, _)| tag)).unwrap();
        event.metadata = (self.data == 3).then(|| Json::parse("{\"m\":1}").unwrap());
        event.time = (self.data == 2).then(|| Timestamp::from_micros(5_000_000).unwrap());
        event.id = match self.id {
            None => None,
            Some(Id::Own(number)) => Some(IDS[number].parse().unwrap()),
            Some(Id::Derived(position)) => derived(store, position).map(|id| id.parse().unwrap()),
        };
        event.expect = expect(self.expect);
        event.state = self.state.map(data);
        event
    }
}

fn new(events: &[Ev], store: &Store) -> Vec<NewEvent> {
    events.iter().map(|event| event.made(store)).collect()
}

fn sealed(events: &[Ev], store: &Store) -> Vec<SealedEvent> {
    let mut sealer = Sealer::new().unwrap();
    let seal = |event: &Ev| {
        let ready = sealer.seal(event.made(store));
        if event.follows { ready.following() } else { ready }
    };
    events.iter().map(seal).collect()
}

fn row(schema: &Schema, number: u8) -> Row {
    let line = if schema.fields().len() == 2 {
        let n = if number.is_multiple_of(3) { "null".into() } else { (number % 3).to_string() };
        format!("{{\"id\":{},\"n\":{n}}}", number % 5)
    } else {
        format!("{{\"id\":\"r{}\"}}", number % 5)
    };
    Row::parse(line.as_bytes(), schema).unwrap()
}

fn rows(schema: &Schema, numbers: &[u8]) -> Vec<Row> {
    numbers.iter().map(|number| row(schema, *number)).collect()
}

fn entry(name: usize, fields: usize) -> ProjectionEntry {
    let schema = Schema::of(FIELDS[fields]).unwrap();
    ProjectionEntry::new(NAMES[name].parse().unwrap(), Definition::new(schema))
}

fn checkpoint(store: &Store, position: u64) -> Result<Checkpoint, Error> {
    store.checkpoint(Position(position))
}

fn set(done: &SetEach) -> String {
    format!("{} {}", done.set, done.stopped.as_ref().map(answers::stopped).unwrap_or_default())
}

impl Step {
    /// Does it by a handle; what that answers.
    pub(crate) fn run(&self, side: &mut Side, handle: usize) -> String {
        if let Self::Reopen = self {
            side.handles[handle] = side.handles[1 - handle].again().unwrap();
            return "opened".into();
        }
        if let Self::Restore(until) = self {
            let until = until.map(|place| match place.before() {
                Before::Time(time) => RestoreUntil::Time(time),
                Before::Mark(mark) => RestoreUntil::of(mark).unwrap(),
            });
            return answers::of(side.restore(handle, until), |done| done);
        }
        let store = &mut side.handles[handle];
        self.on_streams(store)
            .or_else(|| self.on_names(store))
            .unwrap_or_else(|| self.on_rows(store))
    }

    fn on_streams(&self, store: &mut Store) -> Option<String> {
        Some(match self {
            Self::Append(form, events) => match form {
                Form::Whole => {
                    answers::of(store.append(&new(events, store)), |done| answers::all(&done))
                }
                Form::All => {
                    answers::of(store.append_all(&new(events, store)), |done| answers::each(&done))
                }
                Form::Each => {
                    answers::of(store.append_each(&new(events, store)), |done| answers::each(&done))
                }
                Form::Sealed => {
                    let sealed = sealed(events, store);
                    answers::of(store.append_sealed_each(&sealed, None), |done| {
                        answers::each(&done)
                    })
                }
            },
            Self::Units(units) => {
                let units: Vec<_> = units.iter().map(|events| sealed(events, store)).collect();
                let units: Vec<&[SealedEvent]> = units.iter().map(Vec::as_slice).collect();
                answers::of(store.append_units(&units), |done| {
                    let one = |done: &Result<Vec<_>, _>| match done {
                        Ok(appended) => answers::all(appended),
                        Err(stopped) => answers::stopped(stopped),
                    };
                    done.iter().map(one).collect::<Vec<_>>().join(" | ")
                })
            }
            Self::Decide { .. } => self.decide(store)?,
            _ => return self.on_held(store),
        })
    }

    fn decide(&self, store: &mut Store) -> Option<String> {
        let Self::Decide { stream: on, id, command, stale, events, state } = self else {
            return None;
        };
        let loaded = store.load(&stream(*on));
        Some(answers::of(loaded, |loaded| {
            let json = if *command { "{\"c\":1}" } else { "{}" };
            let mut asked = Command::new(stream(*on), Json::parse(json).unwrap());
            asked.id = id.map(|id| IDS[id].parse().unwrap());
            let mut decision = loaded.accept();
            if *stale {
                decision.version = Version(decision.version.0.saturating_sub(1));
            }
            decision.events = new(events, store);
            decision.state = state.map(data);
            for event in &mut decision.events {
                (event.stream, event.state, event.expect) = (stream(*on), None, Expect::Any);
            }
            let known = match store.decided(&asked) {
                Ok(known) => known.as_ref().map(answers::decided).unwrap_or_default(),
                Err(error) => return answers::error(&error),
            };
            let saved = answers::of(store.save(&decision, &asked), |done| answers::decided(&done));
            format!("known: {known}; {saved}")
        }))
    }

    fn on_held(&self, store: &mut Store) -> Option<String> {
        Some(match self {
            Self::SetState { stream: of, data: state, version, expect: expected } => {
                let mut new = NewState::new(stream(*of), data(*state));
                (new.version, new.expect) = (version.map(Version), expect(*expected));
                answers::of(store.set_state(&new), |done| answers::state(&done))
            }
            Self::Import { stream: of, data: state, version, stale } => {
                let mut new = NewState::new(stream(*of), data(*state));
                new.version = Some(Version(*version));
                let acts = store.version("$ream");
                answers::of(acts, |Version(acts)| {
                    let acts = Version(if *stale { acts.saturating_sub(1) } else { acts });
                    answers::of(store.import_states(&[&new], acts), |done| match done.as_deref() {
                        Some([ImportedState::Refused(error)]) => answers::error(error),
                        done => format!("{done:?}"),
                    })
                })
            }
            Self::RemoveStates(of) => {
                answers::of(store.remove_states(&streams(of)), |done| answers::removal(&done))
            }
            Self::Remove(of) => {
                answers::of(store.remove(&streams(of)), |done| answers::removal(&done))
            }
            Self::RemoveAt(of, version) => {
                let removed = store.remove_at(&stream(*of), Version(*version));
                answers::of(removed, |done| answers::removal(&done))
            }
            Self::Redact(positions, redaction) => {
                let positions: Vec<Position> = positions.iter().copied().map(Position).collect();
                let redacted = store.redact(&positions, "because", *redaction);
                answers::of(redacted, |done| answers::removal(&done))
            }
            Self::Truncate(of, place) => {
                let truncated = store.truncate(&streams(of), place.before());
                answers::of(truncated, |done| answers::removal(&done))
            }
            Self::Protect(of, protected) => {
                answers::of(store.protect(&streams(of), *protected), answers::debug)
            }
            Self::Retain(pattern, age, count) => {
                let pattern = Pattern::new(PATTERNS[*pattern]).unwrap();
                let max_age = age.map(std::time::Duration::from_secs);
                let retention = Retention { max_age, max_count: *count };
                answers::of(store.set_retention(&pattern, retention), answers::debug)
            }
            Self::Prune(past) => answers::of(store.prune(*past), |done| answers::removal(&done)),
            _ => return None,
        })
    }

    fn on_names(&self, store: &mut Store) -> Option<String> {
        let subscription = |name: usize| NAMES[name].parse().unwrap();
        Some(match self {
            Self::Subscribe(name, start) => {
                let patterns = vec![Pattern::new("a*").unwrap()];
                let new = NewSubscription::of(subscription(*name), patterns);
                answers::of(store.subscribe(&new, Position(*start)), |made| {
                    format!("at {}", made.checkpoint.position)
                })
            }
            Self::Move { name, from, to } => answers::of(checkpoint(store, *to), |to| {
                let from = from.map(Position);
                answers::of(
                    store.move_subscription(&subscription(*name), from, &to),
                    answers::debug,
                )
            }),
            Self::React { name, events, from, to } => answers::of(checkpoint(store, *to), |to| {
                let sealed = sealed(events, store);
                let reacted = store.react(&subscription(*name), &sealed, Position(*from), &to);
                answers::of(reacted, |stopped| {
                    stopped.as_ref().map(answers::stopped).unwrap_or_default()
                })
            }),
            Self::Seek(name, to) => answers::of(checkpoint(store, *to), |to| {
                answers::of(store.seek_subscription(&subscription(*name), &to), answers::debug)
            }),
            Self::Unsubscribe(name) => {
                answers::of(store.remove_subscription(&subscription(*name)), answers::debug)
            }
            Self::Fail(name, failed) => {
                let message = failed.then_some("it failed");
                answers::of(store.record_failure(NAMES[*name], message), answers::debug)
            }
            Self::Create(name, fields) => {
                answers::of(store.create_projection(&entry(*name, *fields)), answers::debug)
            }
            Self::Drop(name) => {
                answers::of(store.drop_projection(&NAMES[*name].parse().unwrap()), answers::debug)
            }
            Self::Rebuild { name, fields, rows: numbers, switch } => {
                let rebuild = store.begin_rebuild(&entry(*name, *fields));
                answers::of(rebuild, |mut rebuild| {
                    let rows = rows(rebuild.projection.schema(), numbers);
                    let set = match rebuild.projection.set(&rows, Batched::Each) {
                        Ok(done) => set(&done),
                        Err(error) => return answers::error(&error),
                    };
                    let end = if *switch {
                        answers::of(store.switch(&rebuild), answers::debug)
                    } else {
                        answers::of(rebuild.discard(), answers::debug)
                    };
                    format!("{set}; {end}")
                })
            }
            _ => return None,
        })
    }

    fn on_rows(&self, store: &mut Store) -> String {
        let (Self::Set(name, _)
        | Self::Update(name, _)
        | Self::Delete(name, _)
        | Self::Commit { name, .. }) = self
        else {
            unreachable!("{self:?} is none of those")
        };
        let mut projection = match store.projection(NAMES[*name]) {
            Ok(projection) => projection,
            Err(error) => return answers::error(&error),
        };
        let schema = projection.schema().clone();
        let condition = |number: u8| {
            let text = if schema.fields().len() == 2 {
                format!("id >= {number} OR n = 1")
            } else {
                format!("id = 'r{number}'")
            };
            Condition::new(&text, &schema, &Parameters::default()).unwrap()
        };
        match self {
            Self::Set(_, numbers) => {
                let done = projection.set(&rows(&schema, numbers), Batched::Each);
                answers::of(done, |done| set(&done))
            }
            Self::Update(_, number) if schema.fields().len() == 2 => {
                let text = format!("n = n + {number}");
                let assignments = Assignments::new(&text, &schema, &Parameters::default()).unwrap();
                let updated = projection.update(&assignments, Some(&condition(*number)), false);
                answers::of(updated, answers::debug)
            }
            Self::Delete(_, number) | Self::Update(_, number) => {
                answers::of(projection.delete(&condition(*number), false), answers::debug)
            }
            Self::Commit { rows: numbers, from, to, .. } => {
                answers::of(store.checkpoint_of(&projection, Position(*to)), |to| {
                    let mut changes: Vec<Change> =
                        rows(&schema, numbers).into_iter().map(Change::Set).collect();
                    changes.push(Change::Delete(condition(4)));
                    let committed = projection.commit(&changes, Position(*from), &to);
                    answers::of(committed, |stopped| {
                        stopped.as_ref().map(answers::stopped).unwrap_or_default()
                    })
                })
            }
            _ => unreachable!("{self:?} is none of those"),
        }
    }
}
