//! The chain: each event carries a link, a hash over the link before it, its own fields and its payload.
//!
//! Two hashes make a link (`hash` says how fields are written, and which hash it is), and of each the first 16
//! bytes count:
//!
//! - the payload hash, over `p`, the salt as it is, the type, the time if there is one, the data, the metadata
//!   if there is any, and the tags if there are any. What a removal erases enters the chain through it alone;
//!   its salt of 128 random bits is erased with the payload, so a removal neither breaks the chain nor leaves a
//!   trace to guess from. It is made before the writers' lock is taken;
//! - the link, over `l`, the link before, the time of recording, the version as a varint, the stream, the id if
//!   the writer gave one, and the payload hash. The order of the chain gives the position.
//!
//! The link before the first event is made of `ream genesis 1` and the store's id. No tag begins with another
//! one, so nothing is hashed as two kinds of thing.
//!
//! Where the processor has no instructions for SHA-256, it is a quarter of what an append of many events costs.
//! So blocks are counted: they have 64 bytes, and 9 bytes of the last one are padding. A link takes one block
//! where the event has no id and its stream's name has up to 11 bytes (10 from version 128 on), and most often
//! two otherwise. Hence the short tags and the 16 bytes of the payload hash.
//!
//! More bytes of the payload hash would not make the chain stronger: what 128 bits allow can be done to the
//! links as well. To find another payload for a hash, or its salt, takes 2¹²⁸ tries. To find two payloads with
//! one hash takes 2⁶⁴, and helps only whoever makes both and then stores one of them.

use std::io;

use sha2::{Digest as _, Sha256};

use super::hash::{Fields, Hash};
use crate::event::{DataRef, LINK_BYTES, Link, NewEvent, Timestamp, Version};
use crate::platform::{self, Origin};

/// How many bytes a salt has.
const SALT_BYTES: usize = 16;

/// The random bits in a payload hash.
pub(crate) type Salt = [u8; SALT_BYTES];

/// The salted hash of what of an event a removal erases.
pub(crate) type PayloadHash = [u8; LINK_BYTES];

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

    /// The link of the event that follows the one with this link.
    pub(crate) fn next(&self, event: &Linked<'_>) -> Self {
        let mut fields = Fields::hashed(b"l");
        fields.raw(self.as_bytes());
        fields.time(event.recorded);
        fields.varint(event.version.0);
        fields.text(event.stream);
        fields.optional_text(event.id);
        fields.raw(event.payload);
        first_half(&fields.hash()).into()
    }
}

/// What of an event outlives its removal, and so enters its link by itself.
pub(crate) struct Linked<'a> {
    pub(crate) version: Version,
    pub(crate) recorded: Timestamp,
    pub(crate) stream: &'a str,
    pub(crate) id: Option<&'a str>,
    pub(crate) payload: &'a PayloadHash,
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
            tags: event.tags.borrow().text(),
        }
    }

    /// The salted hash of the payload.
    pub(crate) fn hash(&self, salt: &Salt) -> PayloadHash {
        let mut fields = Fields::hashed(b"p");
        fields.raw(salt);
        fields.text(self.event_type);
        fields.optional_time(self.time);
        fields.data(self.data);
        fields.optional_text(self.metadata);
        fields.optional_text(self.tags);
        first_half(&fields.hash())
    }
}

/// The salted hash of the command that a decision was about, and of the query that it was made on, where it was made on
/// one.
pub(crate) fn command_hash(salt: &Salt, query: Option<&str>, command: &str) -> Hash {
    let mut fields = Fields::hashed(b"ream command 1");
    fields.raw(salt);
    if let Some(query) = query {
        fields.text(query);
    }
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

    fn linked(payload: &PayloadHash) -> Linked<'_> {
        Linked { version: Version(1), recorded: at(5), stream: "order-42", id: None, payload }
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
        let (payload, other) = (payload().hash(&SALT), payload().hash(&[0; SALT_BYTES]));
        let genesis = Link::genesis("4fz0k7m2q9xwb");
        let event = linked(&payload);
        let link = genesis.next(&event);
        let others = [
            Link::genesis("4fz0k7m2q9xwc").next(&event),
            link.next(&event),
            genesis.next(&Linked { version: Version(2), ..event }),
            genesis.next(&Linked { recorded: at(6), ..event }),
            genesis.next(&Linked { stream: "order-43", ..event }),
            genesis.next(&Linked { id: Some("a"), ..event }),
            genesis.next(&Linked { payload: &other, ..event }),
        ];
        assert!(!others.contains(&link));
    }

    /// The format is stored: this test fails when it changes. `tests/format/read.py` makes the same links.
    #[test]
    fn the_format_stays() {
        let hash = payload().hash(&SALT);
        assert_eq!(Link::from(hash).to_string(), "ce9f386f68c8ddf36103ff533bfb3266");
        let long = "x".repeat(300);
        let (time, data) = (Some(at(-1)), DataRef::Bytes(long.as_bytes()));
        let whole = Payload { time, data, metadata: Some("{}"), tags: Some("a b"), ..payload() }
            .hash(&SALT);
        assert_eq!(Link::from(whole).to_string(), "38ce91217ea708549b1deed745908f88");
        let genesis = Link::genesis("4fz0k7m2q9xwb");
        assert_eq!(genesis.to_string(), "1957bf004918ef524fb726fa8d91015b");
        let link = genesis.next(&linked(&hash));
        assert_eq!(link.to_string(), "ef2a091da87b883c9e152a5b1ef5e30f");
        let (version, id) = (Version(300), Some("a"));
        let link = link.next(&Linked { version, id, ..linked(&whole) });
        assert_eq!(link.to_string(), "c6366a49125e6681e0df678f5b1aad7e");
    }

    #[test]
    fn salts_do_not_repeat() {
        let mut salts = Salts::new().unwrap();
        let drawn: std::collections::HashSet<Salt> = (0..1000).map(|_| salts.draw()).collect();
        assert_eq!(drawn.len(), 1000);
    }
}
