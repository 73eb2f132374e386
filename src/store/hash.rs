//! Fields that can't be taken for other fields; SHA-256 over them, and the sum in each row.
//!
//! What is hashed or summed begins with a tag, if with any, and goes on field by field. A number is eight
//! bytes, big end first; a varint is a number as LEB128, most often one byte; a text or bytes have their
//! length before them as a varint, since a block of SHA-256 has room for 55 bytes; a field that may be absent
//! is `-`, or `+` and then the field; data is `j` where it is JSON and `b` where it is not, and then the text
//! or the bytes. The hash is SHA-256 of FIPS 180-4
//! (<https://doi.org/10.6028/NIST.FIPS.180-4>): each language has it.
//!
//! The sum says that what is read is what was written. It is XXH3-64
//! (<https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md>) with the seed 0 over the columns that a
//! read fetches, kept as a signed integer. It is no proof against who means to deceive; the chain is.

use std::cell::RefCell;

use sha2::{Digest as _, Sha256};
use xxhash_rust::xxh3::xxh3_64;

use crate::event::{DataRef, Timestamp};

/// How much room is kept for the next row that is summed, in bytes.
const KEPT: usize = 1 << 20;

thread_local! {
    /// Where the fields of a row are gathered.
    static ROOM: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A SHA-256 hash.
pub(crate) type Hash = [u8; 32];

/// What takes the bytes of fields.
pub(crate) trait Sink {
    /// Takes some more bytes.
    fn put(&mut self, bytes: &[u8]);
}

impl Sink for Sha256 {
    fn put(&mut self, bytes: &[u8]) {
        self.update(bytes);
    }
}

impl Sink for &mut Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// Fields, one after another.
pub(crate) struct Fields<S>(pub(crate) S);

impl Fields<Sha256> {
    /// Fields to be hashed, behind a tag that says what they are.
    pub(crate) fn hashed(tag: &[u8]) -> Self {
        let mut fields = Self(Sha256::new());
        fields.0.put(tag);
        fields
    }

    /// The hash of the fields.
    pub(crate) fn hash(self) -> Hash {
        self.0.finalize().into()
    }
}

impl<S: Sink> Fields<S> {
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.0.put(bytes);
    }

    pub(crate) fn number(&mut self, number: u64) {
        self.raw(&number.to_be_bytes());
    }

    pub(crate) fn time(&mut self, time: Timestamp) {
        self.raw(&time.as_micros().to_be_bytes());
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.varint(bytes.len() as u64);
        self.raw(bytes);
    }

    /// A number as LEB128: seven bits a byte, low bits first.
    pub(crate) fn varint(&mut self, number: u64) {
        let mut rest = number;
        while rest >= 0x80 {
            // The low seven bits fit.
            self.raw(&[u8::try_from(rest & 0x7f).unwrap_or_default() | 0x80]);
            rest >>= 7;
        }
        self.raw(&[u8::try_from(rest).unwrap_or_default()]);
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    pub(crate) fn data(&mut self, data: DataRef<'_>) {
        match data {
            DataRef::Json(text) => {
                self.raw(b"j");
                self.text(text);
            }
            DataRef::Bytes(bytes) => {
                self.raw(b"b");
                self.bytes(bytes);
            }
        }
    }

    /// A field that may be absent, and is written by `write` where it is not.
    pub(crate) fn optional<T>(&mut self, field: Option<T>, write: impl FnOnce(&mut Self, T)) {
        match field {
            Some(field) => {
                self.raw(b"+");
                write(self, field);
            }
            None => self.raw(b"-"),
        }
    }

    pub(crate) fn optional_number(&mut self, number: Option<u64>) {
        self.optional(number, Self::number);
    }

    pub(crate) fn optional_time(&mut self, time: Option<Timestamp>) {
        self.optional(time, Self::time);
    }

    pub(crate) fn optional_text(&mut self, text: Option<&str>) {
        self.optional(text, Self::text);
    }
}

/// The sum of the fields that `write` writes.
#[inline]
pub(crate) fn sum(write: impl FnOnce(&mut Fields<&mut Vec<u8>>)) -> i64 {
    ROOM.with_borrow_mut(|room| {
        room.clear();
        room.shrink_to(KEPT);
        write(&mut Fields(room));
        xxh3_64(room).cast_signed()
    })
}

/// The checksum of a small text, as it stands behind it: the first eight bytes of its SHA-256 hash in
/// hexadecimal digits.
pub(crate) fn checksum(text: &str) -> String {
    let mut first = [0; 8];
    first.copy_from_slice(&Sha256::digest(text.as_bytes())[..8]);
    format!("{:016x}", u64::from_be_bytes(first))
}
