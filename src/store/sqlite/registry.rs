//! The registry: a row for each name, of what follows the log: what it is, how far it has come, how it failed
//! last. No other room knows its table; who may have a name is [a rule](crate::store::rules::names).

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::failure::damaged;
use super::keys::check_around;
use super::payload::link;
use crate::event::{Link, Position, Timestamp};
use crate::store::Checkpoint;
use crate::store::hash::{Fields, sum};
use crate::store::rules::names::{self, Kind, Name};

const SELECT: &str = "SELECT name, kind, generation, record, permit, position, link, failed, failure, sum \
                      FROM names";

/// The words in the column of kinds.
const KINDS: [(Kind, &str); 2] =
    [(Kind::Projection, "projection"), (Kind::Subscription, "subscription")];

fn word(kind: Kind) -> &'static str {
    KINDS.into_iter().find(|(known, _)| *known == kind).map_or("", |(_, word)| word)
}

impl Name {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let name: String = row.get(0)?;
        let wrong = || damaged(format!("what is recorded of `{name}` is not what was stored"));
        let kind = match row.get_ref(1)?.as_str_or_null()? {
            Some(word) => {
                let kind = KINDS.into_iter().find(|(_, known)| *known == word);
                Some(kind.ok_or_else(wrong)?.0)
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
            fields.optional_text(self.kind.map(word));
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
            self.kind.map(word),
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
}

/// The row of `name`, but for upper and lower case.
pub(super) fn find(connection: &Connection, name: &str) -> rusqlite::Result<Option<Name>> {
    let mut statement = connection.prepare_cached(&format!("{SELECT} WHERE name = ?1"))?;
    let found = statement.query_row([name], Name::read).optional()?;
    if found.is_none() {
        check_around(connection, SELECT, "name", name, |row| Name::read(row).map(drop))?;
    }
    Ok(found)
}

/// Forgets the words of every failure, which may quote an event: that something failed, and when, stays.
pub(super) fn forget_messages(connection: &Connection) -> rusqlite::Result<()> {
    for mut name in all(connection)? {
        if name.failure.take().is_some() {
            name.put(connection)?;
        }
    }
    Ok(())
}

/// Moves the subscriptions that have come further back to `end`; their names.
pub(super) fn end_at(connection: &Connection, end: &Checkpoint) -> rusqlite::Result<Vec<String>> {
    let mut moved = Vec::new();
    for name in all(connection)? {
        if name.checkpoint.is_some_and(|checkpoint| checkpoint.position > end.position) {
            moved.push(name.text.clone());
            Name { checkpoint: Some(*end), ..name }.put(connection)?;
        }
    }
    Ok(moved)
}

/// What is kept of each name, by name.
pub(super) fn all(connection: &Connection) -> rusqlite::Result<Vec<Name>> {
    let mut statement = connection.prepare_cached(&format!("{SELECT} ORDER BY name"))?;
    let rows = statement.query_map([], Name::read)?;
    rows.collect()
}

/// What is kept of each name, by name: one by one, where some may not be what was stored. Those are told by what
/// stands in the place of their name.
pub(super) fn each(
    connection: &Connection,
) -> rusqlite::Result<Vec<Result<Name, (String, rusqlite::Error)>>> {
    let mut statement = connection.prepare_cached(&format!("{SELECT} ORDER BY name"))?;
    let rows = statement.query_map([], |row| {
        let name = row.get_ref(0)?.as_bytes().map(String::from_utf8_lossy);
        let name = name.unwrap_or_default().into_owned();
        Ok(Name::read(row).map_err(|error| (name, error)))
    })?;
    rows.collect()
}

/// The checkpoint of the subscription `name`, where there is one.
pub(super) fn checkpoint(
    connection: &Connection,
    name: &str,
) -> rusqlite::Result<Option<Position>> {
    let found = find(connection, name)?;
    let found = names::of_kind(found.as_ref(), name, Kind::Subscription);
    Ok(found.and_then(Name::position).map(Position))
}

/// Moves the checkpoint of the subscription `name`.
pub(super) fn move_checkpoint(
    connection: &Connection,
    name: &str,
    to: &Checkpoint,
) -> rusqlite::Result<()> {
    let found = find(connection, name)?;
    match names::of_kind(found.as_ref(), name, Kind::Subscription) {
        Some(found) => Name { checkpoint: Some(*to), ..found.clone() }.put(connection),
        None => Ok(()),
    }
}
