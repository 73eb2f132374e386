//! The chain, recomputed from the tables by another hand: 128 bits of SHA-256 over the link before,
//! time of recording, version, stream, id and a hash of all else.

use rusqlite::Connection;
use rusqlite::types::Value;
use sha2::{Digest as _, Sha256};

use crate::support::{Home, numbered, sized};

/// A hash over fields, written out: tag, then bytes.
struct Hash(Vec<u8>);

impl Hash {
    fn new(tag: &str) -> Self {
        Self(tag.as_bytes().to_vec())
    }

    fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn number(self, number: i64) -> Self {
        self.raw(&number.to_be_bytes())
    }

    /// A number as LEB128.
    fn varint(mut self, number: usize) -> Self {
        let mut rest = number;
        while rest > 127 {
            self.0.push(u8::try_from(rest % 128).unwrap() + 128);
            rest /= 128;
        }
        self.0.push(u8::try_from(rest).unwrap());
        self
    }

    fn sized(self, bytes: &[u8]) -> Self {
        self.varint(bytes.len()).raw(bytes)
    }

    fn optional(self, bytes: Option<&[u8]>) -> Self {
        match bytes {
            Some(bytes) => self.raw(b"+").sized(bytes),
            None => self.raw(b"-"),
        }
    }

    fn optional_number(self, number: Option<i64>) -> Self {
        match number {
            Some(number) => self.raw(b"+").number(number),
            None => self.raw(b"-"),
        }
    }

    fn half(self) -> Vec<u8> {
        Sha256::digest(&self.0)[..16].to_vec()
    }
}

/// A row of the table of events.
pub(crate) struct Row {
    position: i64,
    stream: String,
    version: i64,
    pub(crate) recorded: i64,
    link: Vec<u8>,
    sum: i64,
    id: Option<String>,
    event_type: Option<String>,
    pub(crate) time: Option<i64>,
    data: Value,
    metadata: Option<String>,
    salt: Option<Vec<u8>>,
    payload_hash: Option<Vec<u8>>,
}

impl Row {
    /// The sum of the row: over what outlives a removal, and what does not where it is still there.
    fn sum_of_fields(&self) -> i64 {
        let text = |text: &Option<String>| text.as_deref().map(str::as_bytes).map(<[u8]>::to_vec);
        let fields = Hash::new("")
            .number(self.position)
            .sized(self.stream.as_bytes())
            .number(self.version)
            .number(self.recorded)
            .raw(&self.link)
            .optional(text(&self.id).as_deref())
            .optional(text(&self.event_type).as_deref())
            .optional_number(self.time);
        let fields = match &self.data {
            Value::Text(text) => fields.raw(b"+j").sized(text.as_bytes()),
            Value::Blob(bytes) => fields.raw(b"+b").sized(bytes),
            _ => fields.raw(b"-"),
        };
        let fields = fields.optional(text(&self.metadata).as_deref()).optional(None);
        xxhash_rust::xxh3::xxh3_64(&fields.0).cast_signed()
    }

    /// The hash of the payload: what is kept of it, or what is computed from it.
    fn payload(&self) -> Vec<u8> {
        if let Some(hash) = &self.payload_hash {
            assert_eq!(hash.len(), 16);
            return hash.clone();
        }
        let salt = self.salt.as_deref().unwrap();
        assert_eq!(salt.len(), 16);
        let hash = Hash::new("p")
            .raw(salt)
            .sized(self.event_type.as_deref().unwrap().as_bytes())
            .optional_number(self.time);
        let hash = match &self.data {
            Value::Text(text) => hash.raw(b"j").sized(text.as_bytes()),
            Value::Blob(bytes) => hash.raw(b"b").sized(bytes),
            other => panic!("{other:?}"),
        };
        hash.optional(self.metadata.as_deref().map(str::as_bytes)).optional(None).half()
    }
}

fn rows(home: &Home) -> Vec<Row> {
    let database = Connection::open(home.file("db")).unwrap();
    let mut statement = database
        .prepare(
            "SELECT position, stream, header, id, type, data, metadata, salt, payload_hash
             FROM events ORDER BY position",
        )
        .unwrap();
    let rows = statement.query_map([], |row| {
        let header: Vec<u8> = row.get(2)?;
        let [version, recorded, sum, time] = numbers(&header);
        Ok(Row {
            position: row.get(0)?,
            stream: row.get(1)?,
            version: version.unwrap(),
            recorded: recorded.unwrap(),
            link: header[16..32].to_vec(),
            sum: sum.unwrap(),
            id: row.get(3)?,
            event_type: row.get(4)?,
            time,
            data: row.get(5)?,
            metadata: row.get(6)?,
            salt: row.get(7)?,
            payload_hash: row.get(8)?,
        })
    });
    rows.unwrap().map(Result::unwrap).collect()
}

/// The numbers in a header: version, time of recording, sum, and the time that was given.
fn numbers(header: &[u8]) -> [Option<i64>; 4] {
    assert!(matches!(header.len(), 40 | 48), "{header:?}");
    [0, 8, 32, 40].map(|at| header[at..].first_chunk().map(|bytes| i64::from_be_bytes(*bytes)))
}

/// Changes each event, and gives it the sum that it should have, as who writes to the database by another
/// hand may.
pub(crate) fn change(home: &Home, change: impl Fn(&mut Row)) {
    let database = Connection::open(home.file("db")).unwrap();
    for mut row in rows(home) {
        change(&mut row);
        let header = Hash::new("").number(row.version).number(row.recorded).raw(&row.link);
        let header = header.number(row.sum_of_fields());
        let header = row.time.map_or(header.0.clone(), |time| header.number(time).0);
        let update = "UPDATE events SET header = ?2 WHERE position = ?1";
        assert_eq!(database.execute(update, (row.position, header)), Ok(1));
    }
}

/// Recomputes each link and each sum, and gives the last link.
#[track_caller]
fn verify(home: &Home) -> Vec<u8> {
    let id = home.open().id().to_owned();
    let mut before = Hash::new("ream genesis 1").sized(id.as_bytes()).half();
    for row in rows(home) {
        let link = Hash::new("l")
            .raw(&before)
            .number(row.recorded)
            .varint(usize::try_from(row.version).unwrap())
            .sized(row.stream.as_bytes())
            .optional(row.id.as_deref().map(str::as_bytes))
            .raw(&row.payload())
            .half();
        assert_eq!(link, row.link, "position {}", row.position);
        assert_eq!(row.sum_of_fields(), row.sum, "position {}", row.position);
        before = link;
    }
    before
}

/// The link that the bell tells, as text.
fn acknowledged(home: &Home) -> String {
    let record = std::fs::read_to_string(home.file("bell/bell")).unwrap();
    record.split(' ').nth(1).unwrap().to_owned()
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

const SECRET: &str = "attack-at-dawn";

/// A store with events of each kind, some of which are secret.
fn mixed() -> Home {
    let home = Home::new();
    let mut store = home.open();
    store.append(&numbered("kept", 3)).unwrap();
    let mut secrets: Vec<_> = (0..100)
        .map(|number| sized("secret", &format!(r#"{{"n":{number},"s":"{SECRET}"}}"#)))
        .collect();
    secrets[1].id = Some("an id".parse().unwrap());
    secrets[2].time = ream::Timestamp::from_micros(7);
    secrets[3].metadata = Some(format!(r#"{{"m":"{SECRET}"}}"#).parse().unwrap());
    secrets[4].data = ream::Data::Bytes(SECRET.as_bytes().into());
    secrets[5].event_type = SECRET.parse().unwrap();
    secrets[6].data = ream::Data::Bytes(Box::default());
    store.append(&secrets).unwrap();
    let mut last = sized("kept", "[]");
    last.data = ream::Data::Bytes(b"\0\xff".as_slice().into());
    store.append(&[last]).unwrap();
    home
}

#[test]
fn each_link_covers_the_event_and_the_link_before() {
    let home = mixed();
    let last = verify(&home);
    assert_eq!(rows(&home).len(), 104);
    assert_eq!(acknowledged(&home), hex(&last));
}

#[test]
fn the_chain_holds_when_streams_are_removed() {
    let home = mixed();
    let before: Vec<Vec<u8>> = rows(&home).into_iter().map(|row| row.link).collect();
    home.open().remove(&["secret".parse().unwrap()]).unwrap();
    let last = verify(&home);
    let after: Vec<Vec<u8>> = rows(&home).into_iter().map(|row| row.link).collect();
    assert_eq!(after[..104], before);
    assert_eq!(after.len(), 105);
    assert_eq!(acknowledged(&home), hex(&last));
    home.append("secret");
    home.open().remove(&["secret".parse().unwrap(), "kept".parse().unwrap()]).unwrap();
    verify(&home);
}

#[test]
fn a_removed_event_leaves_a_skeleton_and_no_more() {
    let home = mixed();
    let before = rows(&home);
    home.open().remove(&["secret".parse().unwrap()]).unwrap();
    for (row, was) in rows(&home).iter().zip(&before) {
        assert_eq!(
            (row.position, &row.stream, row.version, row.recorded, &row.id),
            (was.position, &was.stream, was.version, was.recorded, &was.id)
        );
        if row.stream == "secret" {
            assert!(row.event_type.is_none() && row.time.is_none() && row.metadata.is_none());
            assert!(row.salt.is_none() && row.data == Value::Null, "{}", row.position);
            assert_eq!(row.payload_hash, Some(was.payload()));
        } else {
            assert!(row.payload_hash.is_none() && row.salt == was.salt && row.data == was.data);
        }
    }
}

#[test]
fn what_was_removed_is_in_no_file_of_the_store() {
    let home = mixed();
    home.run(&["stream", "rm", "secret", "--yes"]).done();
    // No connection is left: here the files may be read as files.
    for file in ["db", "db-wal", "db-shm"] {
        let bytes = std::fs::read(home.file(file)).unwrap();
        let found =
            bytes.windows(SECRET.len()).filter(|window| *window == SECRET.as_bytes()).count();
        assert_eq!(found, 0, "the removed data is still in {file}");
    }
}

#[test]
fn no_two_events_have_the_same_salt() {
    let home = mixed();
    home.open().append(&numbered("kept", 50)).unwrap();
    let salts: std::collections::HashSet<_> = rows(&home).into_iter().map(|row| row.salt).collect();
    assert_eq!(salts.len(), 154);
}
