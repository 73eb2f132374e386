//! The chain: each event carries a link, a hash over the link before it, its own fields and its payload.
//!
//! Three hashes make a link (`hash` says how fields are written, and which hash it is):
//!
//! - the payload hash, over `ream payload 1`, the salt as it is, the type, the time if there is one, the
//!   data, the metadata if there is any, and the tags if there are any. What a removal erases enters the
//!   chain through it alone; its salt of 128 random bits is erased with the payload, so a removal neither
//!   breaks the chain nor leaves a trace to guess from;
//! - the seal, over `ream seal 1`, the stream, the id if the writer gave one, and the payload hash as it is;
//! - the link: the first 16 bytes of the hash over the link before (16 bytes), the version (8), the time of
//!   recording in microseconds (8) and the first 16 bytes of the seal. These are 48 bytes, which SHA-256
//!   takes as one block; the order of the chain gives the position.
//!
//! The link before the first event is the first 16 bytes of the hash over `ream genesis 1` and the store's
//! id. Payload hash and seal are made before the writers' lock is taken.

use std::io;

use sha2::{Digest as _, Sha256};

use super::hash::{Fields, Hash};
use crate::event::{DataRef, LINK_BYTES, Link, NewEvent, Timestamp, Version};
use crate::platform::{self, Origin};

/// How many bytes a salt has.
const SALT_BYTES: usize = 16;

/// The random bits in a payload hash.
pub(crate) type Salt = [u8; SALT_BYTES];

/// What of an event enters its link and can be known before its turn: stream, id and payload.
pub(crate) type Seal = [u8; LINK_BYTES];

fn first_half(hash: &Hash) -> [u8; LINK_BYTES] {
    let mut half = [0; LINK_BYTES];
    half.copy_from_slice(&hash[..LINK_BYTES]);
    half
}

impl Link {
    /// The link before the first event of the store `id`.
    pub(crate) fn genesis(id: &str) -> Self {
        let mut fields = Fields::hashed(b"ream genesis 1");
        fields.text(id);
        first_half(&fields.hash()).into()
    }

    /// The link of the event with this version and seal that follows the one with this link.
    pub(crate) fn next(&self, version: Version, recorded: Timestamp, seal: &Seal) -> Self {
        let mut block = [0; 3 * LINK_BYTES];
        block[..16].copy_from_slice(self.as_bytes());
        block[16..24].copy_from_slice(&version.0.to_be_bytes());
        block[24..32].copy_from_slice(&recorded.as_micros().to_be_bytes());
        block[32..].copy_from_slice(seal);
        first_half(&Sha256::digest(block).into()).into()
    }
}

/// The seal of an event.
pub(crate) fn seal(stream: &str, id: Option<&str>, payload: &Hash) -> Seal {
    let mut fields = Fields::hashed(b"ream seal 1");
    fields.text(stream);
    fields.optional_text(id);
    fields.raw(payload);
    first_half(&fields.hash())
}

/// What of an event a removal erases.
pub(crate) struct Payload<'a> {
    pub(crate) event_type: &'a str,
    pub(crate) time: Option<Timestamp>,
    pub(crate) data: DataRef<'a>,
    pub(crate) metadata: Option<&'a str>,
    pub(crate) tags: Option<&'a str>,
}

impl<'a> Payload<'a> {
    /// The payload of an event that is to be stored.
    pub(crate) fn of(event: &'a NewEvent) -> Self {
        Self {
            event_type: event.event_type.as_str(),
            time: event.time,
            data: event.data.borrow(),
            metadata: event.metadata.as_ref().map(crate::event::Json::as_str),
            tags: None,
        }
    }

    /// The salted hash of the payload.
    pub(crate) fn hash(&self, salt: &Salt) -> Hash {
        let mut fields = Fields::hashed(b"ream payload 1");
        fields.raw(salt);
        fields.text(self.event_type);
        fields.optional_time(self.time);
        fields.data(self.data);
        fields.optional_text(self.metadata);
        fields.optional_text(self.tags);
        fields.hash()
    }
}

/// The salted hash of the command that a decision was about.
pub(crate) fn command_hash(salt: &Salt, command: &str) -> Hash {
    let mut fields = Fields::hashed(b"ream command 1");
    fields.raw(salt);
    fields.text(command);
    fields.hash()
}

/// The hash of a permit to run a program: over where the store's database comes from, the store's id, the
/// projection's name, the program's words and the directory that it is run in, as they are remembered.
pub(crate) fn permit_hash(
    origin: &Origin,
    store: &str,
    name: &str,
    program: &[String],
    directory: &str,
) -> Hash {
    let Origin { machine, user, inode, born: (seconds, nanos) } = origin;
    let mut fields = Fields::hashed(b"ream permit 1");
    fields.text(machine);
    fields.number((*user).into());
    fields.number(*inode);
    fields.raw(&seconds.to_be_bytes());
    fields.number((*nanos).into());
    fields.text(store);
    fields.text(name);
    fields.number(program.len() as u64);
    for word in program {
        fields.text(word);
    }
    fields.text(directory);
    fields.hash()
}

/// Salts, made of one random seed that is never stored: halves of the hashes of the seed and a number.
pub(crate) struct Salts {
    seed: Hash,
    hashed: u64,
    /// The other half of the last hash.
    other: Option<Salt>,
}

impl Salts {
    /// A source seeded by the system.
    ///
    /// # Errors
    ///
    /// Where the system has no randomness to give.
    pub(crate) fn new() -> Result<Self, io::Error> {
        let mut seed = Hash::default();
        platform::random(&mut seed)?;
        Ok(Self { seed, hashed: 0, other: None })
    }

    /// A salt that was never given before.
    pub(crate) fn draw(&mut self) -> Salt {
        if let Some(other) = self.other.take() {
            return other;
        }
        self.hashed += 1;
        let mut hasher = Sha256::new();
        hasher.update(self.seed);
        hasher.update(self.hashed.to_be_bytes());
        let hash: Hash = hasher.finalize().into();
        let mut other = Salt::default();
        other.copy_from_slice(&hash[SALT_BYTES..]);
        self.other = Some(other);
        first_half(&hash)
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
        let (event_type, data) = ("OrderPaid", DataRef::Json("{}"));
        Payload { event_type, time: None, data, metadata: None, tags: None }
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
            Payload { tags: Some("{}"), ..payload() },
        ] {
            others.push(change.hash(&SALT));
        }
        assert!(!others.contains(&hash));
    }

    #[test]
    fn every_field_of_the_event_counts() {
        let (hash, other) = (payload().hash(&SALT), payload().hash(&[0; SALT_BYTES]));
        let sealed = seal("order-42", None, &hash);
        let others = [
            seal("order-43", None, &hash),
            seal("order-42", Some("a"), &hash),
            seal("order-42", None, &other),
        ];
        assert!(!others.contains(&sealed));
        let genesis = Link::genesis("4fz0k7m2q9xwb");
        let link = genesis.next(Version(1), at(5), &sealed);
        assert_ne!(Link::genesis("4fz0k7m2q9xwc").next(Version(1), at(5), &sealed), link);
        assert_ne!(genesis.next(Version(2), at(5), &sealed), link);
        assert_ne!(genesis.next(Version(1), at(6), &sealed), link);
        assert_ne!(genesis.next(Version(1), at(5), &others[0]), link);
        assert_ne!(link.next(Version(1), at(5), &sealed), link);
    }

    /// The format is stored: this test fails when it changes. `tests/format/read.py` makes the same links.
    #[test]
    fn the_format_stays() {
        let sealed = seal("order-42", None, &payload().hash(&SALT));
        let link = Link::genesis("4fz0k7m2q9xwb").next(Version(1), at(5), &sealed);
        assert_eq!(link.to_string(), "6017407f3fc420043bb7dc5410567d2a");
    }

    #[test]
    fn salts_do_not_repeat() {
        let mut salts = Salts::new().unwrap();
        let drawn: std::collections::HashSet<Salt> = (0..1000).map(|_| salts.draw()).collect();
        assert_eq!(drawn.len(), 1000);
    }
}
