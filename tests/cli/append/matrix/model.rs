//! The rules of appending, as the design states them, over a plain list.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use super::Mode;

/// An event that is sent: of the type `T`, without metadata.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) id: Option<String>,
    pub(super) data: String,
}

impl Line {
    pub(super) fn to_json(&self, stream: Option<&str>) -> String {
        let mut json = format!(r#"{{"type":"T","data":{}"#, self.data);
        for (key, value) in [("stream", stream), ("id", self.id.as_deref())] {
            if let Some(value) = value {
                write!(json, r#","{key}":"{value}""#).unwrap();
            }
        }
        json + "}"
    }
}

/// What must come of an append.
pub(super) struct Answer {
    pub(super) code: i32,
    pub(super) acks: String,
    /// What must stand on stderr, besides an error.
    pub(super) complaint: String,
}

#[derive(Debug, Clone)]
struct Stored {
    stream: String,
    version: u64,
    id: Option<String>,
    data: String,
    removed: bool,
}

/// A store: the event at position `n` is the one with the index `n - 1`.
#[derive(Debug, Clone, Default)]
pub(super) struct Model {
    events: Vec<Stored>,
    ids: HashMap<String, usize>,
}

/// What became of a line.
enum Done {
    Stored(usize),
    Found(usize),
    Conflict(String),
    IdReused(String),
}

impl Model {
    fn of<'m>(&'m self, stream: &'m str) -> impl Iterator<Item = &'m Stored> {
        self.events.iter().filter(move |event| event.stream == stream)
    }

    fn version(&self, stream: &str) -> u64 {
        self.of(stream).count() as u64
    }

    /// "`any`, `no-stream` and V hold, `exists` does not" for a stream that was removed.
    fn holds(&self, stream: &str, expect: &str) -> bool {
        let exists = self.of(stream).any(|event| !event.removed);
        match expect {
            "any" => true,
            "no-stream" => !exists,
            "exists" => exists,
            version => version == self.version(stream).to_string(),
        }
    }

    fn line(&mut self, stream: &str, expect: &str, line: &Line) -> Done {
        // "whatever was expected": the id goes first.
        if let Some(known) = line.id.as_ref().and_then(|id| self.ids.get(id)) {
            let event = &self.events[*known];
            let same = event.stream == stream && (event.removed || event.data == line.data);
            return if same {
                Done::Found(*known)
            } else {
                let (position, of, version) = (known + 1, &event.stream, event.version);
                let id = line.id.as_deref().unwrap_or_default();
                Done::IdReused(format!(
                    "id reused: `{id}` is the event at position {position} (`{of}`, version {version})"
                ))
            };
        }
        if !self.holds(stream, expect) {
            let actual = self.version(stream);
            return Done::Conflict(format!(
                "wrong expected version of the stream `{stream}`: expected {expect}, actual {actual}"
            ));
        }
        let index = self.events.len();
        if let Some(id) = &line.id {
            self.ids.insert(id.clone(), index);
        }
        let version = self.version(stream) + 1;
        let (id, data) = (line.id.clone(), line.data.clone());
        self.events.push(Stored { stream: stream.into(), version, id, data, removed: false });
        Done::Stored(index)
    }

    pub(super) fn append(
        &mut self,
        stream: &str,
        expect: &str,
        mode: Mode,
        lines: &[Line],
    ) -> Answer {
        let before = self.clone();
        let mut expect = expect.to_owned();
        let (mut acks, mut stored, mut found) = (String::new(), 0, 0);
        let mut failure = None;
        for (index, line) in lines.iter().enumerate() {
            let at = match self.line(stream, &expect, line) {
                Done::Stored(at) => {
                    acks += &self.ack(at, "");
                    stored += 1;
                    at
                }
                Done::Found(at) => {
                    let removed = if self.events[at].removed { ",\"removed\":true" } else { "" };
                    acks += &self.ack(at, &format!(",\"duplicate\":true{removed}"));
                    found += 1;
                    at
                }
                Done::Conflict(complaint) => {
                    failure = Some((3, index, complaint));
                    break;
                }
                Done::IdReused(complaint) => {
                    failure = Some((6, index, complaint));
                    break;
                }
            };
            // "holds for the first line of STREAM, the later ones follow on"
            expect = match &*expect {
                "any" | "exists" => "any".to_owned(),
                _ => self.events[at].version.to_string(),
            };
        }
        if mode == Mode::Atomic {
            // "A duplicate when each of its events is; when only some are, nothing is stored."
            if found > 0 && found < lines.len() && failure.as_ref().is_none_or(|f| f.0 == 3) {
                *self = before;
                let complaint = format!("{found} of {} events are stored already", lines.len());
                return Answer { code: 3, acks: String::new(), complaint };
            }
            if failure.is_some() {
                (stored, found) = (0, 0);
                *self = before;
                acks = String::new();
            }
        }
        let Some((code, index, reason)) = failure else {
            return Answer { code: 0, acks, complaint: String::new() };
        };
        if mode == Mode::Single {
            return Answer { code, acks, complaint: format!("error: {reason}") };
        }
        let events = if stored == 1 { "1 event is" } else { "0 events are" };
        let already =
            if found > 0 { format!(", {found} were there already") } else { String::new() };
        let line = index + 1;
        let complaint =
            format!("error: stopped at line {line}: {events} stored{already}\ncaused by: {reason}");
        Answer { code, acks, complaint }
    }

    fn ack(&self, at: usize, more: &str) -> String {
        let Stored { stream, version, id, .. } = &self.events[at];
        let position = at + 1;
        let id = id.clone().unwrap_or_else(|| format!("[link]/{position}"));
        format!(
            "{{\"stream\":\"{stream}\",\"version\":{version},\"position\":{position},\"id\":\"{id}\"{more}}}\n"
        )
    }

    /// Protects a stream from removal.
    pub(super) fn protect(&mut self) {
        self.record();
    }

    /// Removes a stream.
    pub(super) fn remove(&mut self, stream: &str) {
        for event in self.events.iter_mut().filter(|event| event.stream == stream) {
            event.removed = true;
        }
        self.record();
    }

    /// Each act is itself an event, of a stream that is not read with others.
    fn record(&mut self) {
        let version = self.version("$ream") + 1;
        let (id, data, removed) = (None, String::new(), false);
        self.events.push(Stored { stream: "$ream".into(), version, id, data, removed });
    }

    /// Position, stream and version of each event that is read.
    pub(super) fn visible(&self) -> Vec<(u64, String, u64)> {
        let read = |event: &Stored| !event.removed && event.stream != "$ream";
        let events = (1..).zip(&self.events).filter(|(_, event)| read(event));
        events.map(|(at, event)| (at, event.stream.clone(), event.version)).collect()
    }

    /// The streams that hold an event, by name, and their versions.
    pub(super) fn versions(&self) -> Vec<(String, u64)> {
        let streams: BTreeMap<_, _> =
            self.visible().into_iter().map(|(_, stream, version)| (stream, version)).collect();
        streams.into_iter().collect()
    }
}
