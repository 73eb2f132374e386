//! The registry: a row for each name, of what follows the log: what it is, how far it has come, how it failed
//! last. No other room knows its table.
//!
//! Names that differ in nothing but case are one name: they would be one file in some file systems. The row
//! of a name that was given back stays, with the last generation that it had, so that no file name is used
//! again.

use std::collections::HashMap;
use std::fmt::Display;

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde_json::value::RawValue;

use super::failure::{Failure, damaged};
use super::keys::check_around;
use super::payload::link;
use crate::event::{Link, Position, Timestamp};
use crate::excerpt::excerpt;
use crate::near;
use crate::store::hash::{Fields, sum};
use crate::store::{Checkpoint, Error, NewerRecord, Options};

const SELECT: &str = "SELECT name, kind, generation, record, permit, position, link, failed, failure, sum \
                      FROM names";

/// How much of a failure is kept, in bytes.
const MOST_FAILURE: usize = 2000;

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Projection,
    Subscription,
}

/// A row of `names`.
#[derive(Debug, Clone, Default)]
pub(super) struct Name {
    /// The name as it was first written.
    pub(super) text: String,
    /// What it stands for; nothing once it is free.
    pub(super) kind: Option<Kind>,
    /// The generation of a projection that serves, or the last one that did.
    pub(super) generation: u64,
    /// What it is made from, or what it follows, as JSON.
    pub(super) record: Option<String>,
    /// The permit of the program in `record`.
    pub(super) permit: Option<Vec<u8>>,
    /// How far a subscription has come. A projection has that in its file.
    pub(super) checkpoint: Option<Checkpoint>,
    /// When it failed last, where it has not gone on since.
    pub(super) failed: Option<Timestamp>,
    /// How it failed; nothing where that was forgotten.
    pub(super) failure: Option<String>,
}

/// Who has a name, as one who wants it for a kind finds it.
#[derive(Debug)]
pub(super) enum Holder {
    /// Something of that kind.
    Known(Box<Name>),
    /// No one. The last generation that the name had.
    Nobody { generation: u64 },
}

impl Kind {
    const ALL: [Self; 2] = [Self::Projection, Self::Subscription];

    /// The word in the column.
    fn word(self) -> &'static str {
        match self {
            Self::Projection => "projection",
            Self::Subscription => "subscription",
        }
    }

    /// The same as a part of a sentence.
    fn told(self) -> &'static str {
        match self {
            Self::Projection => "a projection",
            Self::Subscription => "a subscription",
        }
    }
}

impl Name {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let name: String = row.get(0)?;
        let wrong = || damaged(format!("what is recorded of `{name}` is not what was stored"));
        let kind = match row.get_ref(1)?.as_str_or_null()? {
            Some(word) => {
                let kind = Kind::ALL.into_iter().find(|kind| kind.word() == word);
                Some(kind.ok_or_else(wrong)?)
            }
            None => None,
        };
        let checkpoint = match row.get::<_, Option<u64>>(5)? {
            Some(position) => Some(Checkpoint {
                position: Position(position),
                link: link(row, 6).map_err(|_| wrong())?,
            }),
            None => None,
        };
        let read = Self {
            kind,
            generation: row.get(2)?,
            record: row.get(3)?,
            permit: row.get(4)?,
            checkpoint,
            failed: row.get(7)?,
            failure: row.get(8)?,
            text: name.clone(),
        };
        if row.get::<_, i64>(9)? == read.sum() { Ok(read) } else { Err(wrong()) }
    }

    fn sum(&self) -> i64 {
        sum(|fields| {
            fields.text(&self.text);
            fields.optional_text(self.kind.map(Kind::word));
            fields.number(self.generation);
            fields.optional_text(self.record.as_deref());
            fields.optional(self.permit.as_deref(), Fields::bytes);
            fields.optional_number(self.position());
            fields.optional(self.link().map(Link::as_bytes), Fields::bytes);
            fields.optional_time(self.failed);
            fields.optional_text(self.failure.as_deref());
        })
    }

    fn position(&self) -> Option<u64> {
        self.checkpoint.as_ref().map(|checkpoint| checkpoint.position.0)
    }

    fn link(&self) -> Option<&Link> {
        self.checkpoint.as_ref().map(|checkpoint| &checkpoint.link)
    }

    /// Stores it in the place of the row that the name had.
    pub(super) fn put(&self, connection: &Connection) -> rusqlite::Result<()> {
        let mut statement = connection.prepare_cached(
            "REPLACE INTO names VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?;
        statement.execute(params![
            self.text,
            self.kind.map(Kind::word),
            self.generation,
            self.record,
            self.permit,
            self.position(),
            self.link().map(Link::as_bytes),
            self.failed.map(Timestamp::as_micros),
            self.failure,
            self.sum(),
        ])?;
        Ok(())
    }

    /// Gives the name back: what stays is that its generations are used up.
    pub(super) fn give_back(self, connection: &Connection) -> rusqlite::Result<()> {
        let Self { text, generation, .. } = self;
        Self { text, generation, ..Self::default() }.put(connection)
    }

    /// Sets how it failed last, or that it no longer does.
    pub(super) fn set_failure(&mut self, failure: Option<(Timestamp, &str)>) {
        self.failed = failure.map(|(time, _)| time);
        self.failure = failure.map(|(_, message)| excerpt(message, MOST_FAILURE).into_owned());
    }
}

/// The row of `name`, but for upper and lower case.
fn find(connection: &Connection, name: &str) -> rusqlite::Result<Option<Name>> {
    let mut statement = connection.prepare_cached(&format!("{SELECT} WHERE name = ?1"))?;
    let found = statement.query_row([name], Name::read).optional()?;
    if found.is_none() {
        check_around(connection, SELECT, "name", name, |row| Name::read(row).map(drop))?;
    }
    Ok(found)
}

/// What `name` stands for, as it is written.
pub(super) fn find_exactly(connection: &Connection, name: &str) -> rusqlite::Result<Option<Name>> {
    Ok(find(connection, name)?.filter(|found| found.kind.is_some() && found.text == name))
}

/// What `name` stands for, as it is written, where that is of a kind.
pub(super) fn find_kind(
    connection: &Connection,
    name: &str,
    kind: Kind,
) -> rusqlite::Result<Option<Name>> {
    Ok(find_exactly(connection, name)?.filter(|found| found.kind == Some(kind)))
}

/// Who has `name`, but for upper and lower case, where it is wanted for a kind. What another kind has is
/// refused.
pub(super) fn holder(connection: &Connection, name: &str, kind: Kind) -> Result<Holder, Failure> {
    match find(connection, name)? {
        Some(found) if found.kind == Some(kind) => Ok(Holder::Known(found.into())),
        Some(Name { kind: Some(other), .. }) => {
            Err(Error::NameTaken { name: name.into(), what: other.told() }.into())
        }
        Some(Name { generation, .. }) => Ok(Holder::Nobody { generation }),
        None => Ok(Holder::Nobody { generation: 0 }),
    }
}

/// The last generation that `name` had, as it is written; 0 where it never had one.
pub(super) fn last_generation(connection: &Connection, name: &str) -> Result<u64, Failure> {
    let found = find(connection, name)?.filter(|found| found.text == name);
    Ok(found.map_or(0, |found| found.generation))
}

/// What there is of a kind, by name.
pub(super) fn all(connection: &Connection, kind: Kind) -> rusqlite::Result<Vec<Name>> {
    let mut all = rows(connection)?;
    all.retain(|name| name.kind == Some(kind));
    Ok(all)
}

/// The names of a kind that are near to `name`.
pub(super) fn near(
    connection: &Connection,
    name: &str,
    kind: Kind,
) -> rusqlite::Result<Vec<String>> {
    let names = all(connection, kind)?.into_iter().map(|found| found.text);
    Ok(names.filter(|known| near::is_near(name, known)).collect())
}

/// Forgets the words of every failure, which may quote an event: that something failed, and when, stays.
pub(super) fn forget_messages(connection: &Connection) -> rusqlite::Result<()> {
    for mut name in rows(connection)? {
        if name.failure.take().is_some() {
            name.put(connection)?;
        }
    }
    Ok(())
}

/// Why a record can't be read. Its row is as it was written, so an object that is not known here is one of
/// a later ream.
pub(super) fn unreadable(kind: Kind, name: &str, record: &str, error: &dyn Display) -> Error {
    let (what, reason) = (kind.word(), error.to_string());
    if serde_json::from_str::<HashMap<String, &RawValue>>(record).is_ok() {
        return Error::NewerRecord(NewerRecord { what, name: name.into(), reason });
    }
    Error::Damaged { what: format!("the {what} `{name}` is none: {reason}") }
}

/// What `read` reads of rows, but for what a later ream made: of that is warned, and the rest is there.
pub(super) fn known<T>(
    rows: Vec<Name>,
    options: &Options,
    read: impl Fn(Name) -> Result<T, Failure>,
) -> Result<Vec<T>, Failure> {
    let mut known = Vec::new();
    for row in rows {
        match read(row) {
            Err(Failure::Refused(error @ Error::NewerRecord(_))) => options.warn(&error),
            read => known.push(read?),
        }
    }
    Ok(known)
}

fn rows(connection: &Connection) -> rusqlite::Result<Vec<Name>> {
    let mut statement = connection.prepare_cached(&format!("{SELECT} ORDER BY name"))?;
    let rows = statement.query_map([], Name::read)?;
    rows.collect()
}

/// The checkpoint of the subscription `name`, where there is one.
pub(super) fn checkpoint(
    connection: &Connection,
    name: &str,
) -> rusqlite::Result<Option<Position>> {
    let found = find_kind(connection, name, Kind::Subscription)?;
    Ok(found.and_then(|found| found.position()).map(Position))
}

/// Moves the checkpoint of the subscription `name`.
pub(super) fn move_checkpoint(
    connection: &Connection,
    name: &str,
    to: &Checkpoint,
) -> rusqlite::Result<()> {
    match find_kind(connection, name, Kind::Subscription)? {
        Some(found) => Name { checkpoint: Some(*to), ..found }.put(connection),
        None => Ok(()),
    }
}
