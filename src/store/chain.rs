//! The chain: each event carries a hash over the event before it, its own fields and its payload.
//!
//! A link is 128 bits of BLAKE3 (<https://github.com/BLAKE3-team/BLAKE3-specs>) over tagged,
//! length-prefixed fields, integers in little-endian order. What a removal erases (type, time,
//! data, metadata) enters through the payload hash alone, salted with 128 random bits which are
//! erased with it: so a removal neither breaks the chain nor leaves a trace to guess from.

use std::fmt;
use std::io;

use crate::event::{DataRef, NewEvent, Position, Timestamp, Version};
use crate::platform::{self, Origin};

/// How many bytes a salt has.
const SALT_BYTES: usize = 16;
/// How many bytes a link has.
const LINK_BYTES: usize = 16;

/// An event's chain link: what stands at its position, and before it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Link([u8; LINK_BYTES]);

/// The hash of an event's salt, type, time, data and metadata.
pub(crate) type PayloadHash = [u8; 32];

/// The random bits in a payload hash.
pub(crate) type Salt = [u8; SALT_BYTES];

impl Link {
    /// The link before the first event of the store `id`.
    pub(crate) fn genesis(id: &str) -> Self {
        let mut hasher = Fields::new(b"ream genesis 1");
        hasher.text(id);
        Self::truncated(&hasher.finish())
    }

    /// The link of the event that follows the one with this link.
    pub(crate) fn next(&self, event: &Linked<'_>) -> Self {
        let mut hasher = Fields::new(b"ream link 1");
        hasher.0.update(&self.0);
        hasher.number(event.position.0);
        hasher.number(event.version.0);
        hasher.0.update(&event.recorded.as_micros().to_le_bytes());
        hasher.text(event.stream);
        hasher.optional(event.id.map(str::as_bytes));
        hasher.0.update(event.payload);
        Self::truncated(&hasher.finish())
    }

    fn truncated(hash: &PayloadHash) -> Self {
        let mut link = [0; LINK_BYTES];
        link.copy_from_slice(&hash[..LINK_BYTES]);
        Self(link)
    }

    /// The bytes of the link.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The link with these bytes, where it can be one.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Link({self})")
    }
}

/// What of an event outlives its removal, and so enters its link by itself.
pub(crate) struct Linked<'a> {
    pub(crate) position: Position,
    pub(crate) stream: &'a str,
    pub(crate) version: Version,
    pub(crate) recorded: Timestamp,
    pub(crate) id: Option<&'a str>,
    pub(crate) payload: &'a PayloadHash,
}

/// What of an event a removal erases.
pub(crate) struct Payload<'a> {
    pub(crate) event_type: &'a str,
    pub(crate) time: Option<Timestamp>,
    pub(crate) data: DataRef<'a>,
    pub(crate) metadata: Option<&'a str>,
}

impl<'a> Payload<'a> {
    /// The payload of an event that is to be stored.
    pub(crate) fn of(event: &'a NewEvent) -> Self {
        Self {
            event_type: event.event_type.as_str(),
            time: event.time,
            data: event.data.borrow(),
            metadata: event.metadata.as_ref().map(crate::event::Json::as_str),
        }
    }

    /// The salted hash of the payload.
    pub(crate) fn hash(&self, salt: &Salt) -> PayloadHash {
        let mut hasher = Fields::new(b"ream payload 1");
        hasher.0.update(salt);
        hasher.text(self.event_type);
        hasher.optional(
            self.time.map(|time| time.as_micros().to_le_bytes()).as_ref().map(|bytes| &bytes[..]),
        );
        hasher.data(self.data);
        hasher.optional(self.metadata.map(str::as_bytes));
        hasher.finish()
    }
}

/// The checksum of a state: 128 bits of BLAKE3 over what it is of, and its data.
pub(crate) fn state_checksum(
    stream: &str,
    version: Version,
    position: Position,
    data: DataRef<'_>,
) -> [u8; LINK_BYTES] {
    let mut hasher = Fields::new(b"ream state 1");
    hasher.text(stream);
    hasher.number(version.0);
    hasher.number(position.0);
    hasher.data(data);
    Link::truncated(&hasher.finish()).0
}

/// The salted hash of the command that a decision was about: 128 bits of BLAKE3.
pub(crate) fn command_hash(salt: &Salt, command: &str) -> [u8; LINK_BYTES] {
    let mut hasher = Fields::new(b"ream command 1");
    hasher.0.update(salt);
    hasher.text(command);
    Link::truncated(&hasher.finish()).0
}

/// The hash of a permit to run a program: over the store's id, the projection's name, the program's
/// words and the directory that it is run in, as they are remembered; keyed by where the store's
/// database comes from.
pub(crate) fn permit_hash(
    origin: &Origin,
    store: &str,
    name: &str,
    program: &[String],
    directory: &str,
) -> [u8; 32] {
    let Origin { machine, user, inode, born: (seconds, nanos) } = origin;
    let mut key = Fields::new(b"ream origin 1");
    key.text(machine);
    key.number((*user).into());
    key.number(*inode);
    key.0.update(&seconds.to_le_bytes());
    key.number((*nanos).into());
    let mut hasher = Fields::of(blake3::Hasher::new_keyed(&key.finish()), b"ream permit 1");
    hasher.text(store);
    hasher.text(name);
    hasher.number(program.len() as u64);
    for word in program {
        hasher.text(word);
    }
    hasher.text(directory);
    hasher.finish()
}

/// A hash over fields that can't be taken for other fields.
struct Fields(blake3::Hasher);

impl Fields {
    fn new(tag: &[u8]) -> Self {
        Self::of(blake3::Hasher::new(), tag)
    }

    fn of(mut hasher: blake3::Hasher, tag: &[u8]) -> Self {
        hasher.update(tag);
        Self(hasher)
    }

    fn number(&mut self, number: u64) {
        self.0.update(&number.to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.update(bytes);
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn data(&mut self, data: DataRef<'_>) {
        match data {
            DataRef::Json(text) => {
                self.0.update(b"j");
                self.text(text);
            }
            DataRef::Bytes(bytes) => {
                self.0.update(b"b");
                self.bytes(bytes);
            }
        }
    }

    fn optional(&mut self, bytes: Option<&[u8]>) {
        match bytes {
            Some(bytes) => {
                self.0.update(b"+");
                self.bytes(bytes);
            }
            None => {
                self.0.update(b"-");
            }
        }
    }

    fn finish(&self) -> PayloadHash {
        *self.0.finalize().as_bytes()
    }
}

/// Salts, drawn from one random seed that is never stored.
pub(crate) struct Salts(blake3::OutputReader);

impl Salts {
    /// A source seeded by the system.
    ///
    /// # Errors
    ///
    /// Where the system has no randomness to give.
    pub(crate) fn new() -> Result<Self, io::Error> {
        let mut seed = [0; 32];
        platform::random(&mut seed)?;
        Ok(Self(blake3::Hasher::new_keyed(&seed).finalize_xof()))
    }

    /// A salt that was never given before.
    pub(crate) fn draw(&mut self) -> Salt {
        let mut salt = [0; SALT_BYTES];
        self.0.fill(&mut salt);
        salt
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALT: Salt = [7; SALT_BYTES];

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros).unwrap()
    }

    fn payload() -> Payload<'static> {
        Payload { event_type: "OrderPaid", time: None, data: DataRef::Json("{}"), metadata: None }
    }

    fn linked(payload: &PayloadHash) -> Linked<'_> {
        Linked {
            position: Position(2),
            stream: "order-42",
            version: Version(1),
            recorded: at(5),
            id: None,
            payload,
        }
    }

    #[test]
    fn every_field_of_the_payload_counts() {
        let hash = payload().hash(&SALT);
        let mut others = vec![payload().hash(&[8; SALT_BYTES])];
        for change in [
            Payload { event_type: "OrderPai", ..payload() },
            Payload { time: Some(at(0)), ..payload() },
            Payload { data: DataRef::Json("{ }"), ..payload() },
            Payload { data: DataRef::Bytes(b"{}"), ..payload() },
            Payload { metadata: Some("{}"), ..payload() },
        ] {
            others.push(change.hash(&SALT));
        }
        assert!(!others.contains(&hash));
    }

    #[test]
    fn every_field_of_the_event_counts() {
        let (hash, other) = (payload().hash(&SALT), payload().hash(&[0; SALT_BYTES]));
        let genesis = Link::genesis("4fz0k7m2q9xwb");
        let link = genesis.next(&linked(&hash));
        assert_ne!(Link::genesis("4fz0k7m2q9xwc").next(&linked(&hash)), link);
        for change in [
            Linked { position: Position(3), ..linked(&hash) },
            Linked { stream: "order-43", ..linked(&hash) },
            Linked { version: Version(2), ..linked(&hash) },
            Linked { recorded: at(6), ..linked(&hash) },
            Linked { id: Some("a"), ..linked(&hash) },
            linked(&other),
        ] {
            assert_ne!(genesis.next(&change), link);
        }
    }

    /// The format is stored: this test fails when it changes.
    #[test]
    fn the_format_stays() {
        let hash = payload().hash(&SALT);
        let link = Link::genesis("4fz0k7m2q9xwb").next(&linked(&hash));
        assert_eq!(link.to_string(), "fc47c79f96b8940591d16cf4ab0c0430");
    }

    #[test]
    fn salts_do_not_repeat() {
        let mut salts = Salts::new().unwrap();
        let drawn: std::collections::HashSet<Salt> = (0..1000).map(|_| salts.draw()).collect();
        assert_eq!(drawn.len(), 1000);
    }
}
