//! Writes what this ream does not write yet, as `docs/format.md` says it: nothing here is ream's own.

use rusqlite::{Connection, params};
use sha2::{Digest as _, Sha256};
use xxhash_rust::xxh3::xxh3_64;

/// Fields, one after another.
#[derive(Default)]
pub(crate) struct Fields(Vec<u8>);

impl Fields {
    pub(crate) fn raw(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.0.extend_from_slice(bytes.as_ref());
        self
    }

    pub(crate) fn number(self, number: i64) -> Self {
        self.raw(number.to_be_bytes())
    }

    /// A number as LEB128.
    pub(crate) fn varint(mut self, number: usize) -> Self {
        let mut rest = number;
        while rest > 127 {
            self.0.push(u8::try_from(rest % 128).unwrap() + 128);
            rest /= 128;
        }
        self.0.push(u8::try_from(rest).unwrap());
        self
    }

    pub(crate) fn bytes(self, bytes: &[u8]) -> Self {
        self.varint(bytes.len()).raw(bytes)
    }

    pub(crate) fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }

    pub(crate) fn optional(self, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.raw("+").text(text),
            None => self.raw("-"),
        }
    }

    pub(crate) fn sha256(&self) -> Vec<u8> {
        Sha256::digest(&self.0).to_vec()
    }

    /// XXH3-64 as SQLite keeps it.
    pub(crate) fn sum(&self) -> i64 {
        xxh3_64(&self.0).cast_signed()
    }
}

/// An event, as its row has it.
pub(crate) struct Event<'e> {
    pub(crate) position: i64,
    pub(crate) stream: &'e str,
    pub(crate) version: i64,
    pub(crate) recorded: i64,
    pub(crate) link: Vec<u8>,
    pub(crate) kind: Option<&'e str>,
    /// JSON.
    pub(crate) data: Option<&'e str>,
    pub(crate) tags: Option<&'e str>,
}

pub(crate) const SALT: [u8; 16] = [7; 16];

impl Event<'_> {
    pub(crate) fn payload_hash(&self) -> Vec<u8> {
        let fields = Fields::default().raw("p").raw(SALT);
        let fields = fields.text(self.kind.unwrap()).raw("-").raw("j");
        fields.text(self.data.unwrap()).optional(None).optional(self.tags).sha256()[..16].to_vec()
    }

    /// The link of this event, which has no id, behind the one with the link `before`.
    pub(crate) fn link_behind(&self, before: &[u8]) -> Vec<u8> {
        let version = usize::try_from(self.version).unwrap();
        let fields = Fields::default().raw("l").raw(before).number(self.recorded).varint(version);
        let fields = fields.text(self.stream).optional(None).raw(self.payload_hash());
        fields.sha256()[..16].to_vec()
    }

    pub(crate) fn sum(&self) -> i64 {
        let fields = Fields::default().number(self.position).text(self.stream);
        let fields = fields.number(self.version).number(self.recorded).raw(&self.link);
        let fields = fields.optional(None).optional(self.kind).raw("-");
        let fields = match self.data {
            Some(data) => fields.raw("+j").text(data),
            None => fields.raw("-"),
        };
        fields.optional(None).optional(self.tags).sum()
    }

    /// Puts the row in the place of the one at its position.
    pub(crate) fn store(&self, database: &Connection, payload_hash: Option<&[u8]>) {
        let salt = self.data.map(|_| SALT);
        let Self { position, stream, version, recorded, link, kind, data, tags } = self;
        let header = Fields::default().number(*version).number(*recorded).raw(link);
        let header = header.number(self.sum()).0;
        let insert = "REPLACE INTO events VALUES (?1, ?2, ?3, NULL, ?4, ?5, NULL, ?6, ?7, ?8)";
        let row = params![position, stream, header, kind, data, tags, salt, payload_hash];
        assert_eq!(database.execute(insert, row), Ok(1));
    }
}

/// Puts the row of a stream in the place of the one that it has, where it has one; `tail` is packed.
pub(crate) fn store_stream(
    database: &Connection,
    (name, version, removed): (&str, i64, i64),
    tail: &[u8],
) {
    let fields = Fields::default().text(name).number(version).number(removed).number(0);
    let row = params![name, version, removed, fields.bytes(tail).sum(), tail];
    let insert = "REPLACE INTO streams VALUES (?1, ?2, ?3, 0, ?4, ?5)";
    assert_eq!(database.execute(insert, row), Ok(1));
}

/// Stores a row of `names`; a subscription has done all up to an event.
pub(crate) fn store_name(
    database: &Connection,
    (name, kind): (&str, &str),
    record: &str,
    done: Option<&Event<'_>>,
) {
    let fields = Fields::default().text(name).optional(Some(kind)).number(0);
    let fields = fields.optional(Some(record)).raw("-");
    let fields = match done {
        Some(event) => fields.raw("+").number(event.position).raw("+").bytes(&event.link),
        None => fields.raw("--"),
    };
    let sum = fields.raw("--").sum();
    let (position, link) = (done.map(|event| event.position), done.map(|event| &event.link));
    let insert = "INSERT INTO names VALUES (?1, ?2, 0, ?3, NULL, ?4, ?5, NULL, NULL, ?6)";
    let row = params![name, kind, record, position, link, sum];
    assert_eq!(database.execute(insert, row), Ok(1));
}
