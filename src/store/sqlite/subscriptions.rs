//! Subscriptions: their checkpoints are in the events' file, so that reactions commit with them.

use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};

use super::Store;
use super::failure::Failure;
use super::payload::link;
use super::registry::{self, is_table};
use crate::event::{EventType, Pattern, Position, SubscriptionName};
use crate::excerpt::excerpt;
use crate::near;
use crate::store::{Checkpoint, Error, LastFailure, NewSubscription, Subscription};

/// Made with the first of them. Names that differ in nothing but case would be one file in some file
/// systems.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS subscriptions (
    name TEXT PRIMARY KEY COLLATE NOCASE,
    position INTEGER NOT NULL,
    link BLOB NOT NULL,
    follows TEXT NOT NULL
) WITHOUT ROWID";

const COLUMNS: &str = "name, position, link, follows";

/// What a subscription follows, as JSON.
#[derive(Serialize, Deserialize)]
struct FollowsJson {
    from: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    types: Vec<String>,
}

impl Store {
    /// Makes a subscription whose checkpoint is at `start`, or finds it.
    pub(crate) fn subscribe(
        &mut self,
        new: &NewSubscription,
        start: Position,
    ) -> Result<Subscription, Error> {
        let follows = to_json(new);
        if let Some(found) =
            self.look(|connection| Self::find_subscription(connection, &new.name))?
        {
            if to_json(&found.follows) != follows || found.follows.name != new.name {
                let name = found.follows.name.to_string();
                return Err(Error::SubscriptionDiffers { name, follows: told(&found.follows) });
            }
            return Ok(found);
        }
        let checkpoint = self.checkpoint(start)?;
        self.write(false, |transaction| {
            let connection = transaction.connection();
            if registry::is_projection(connection, new.name.as_str())? {
                let name = new.name.to_string();
                return Err(Error::NameTaken { name, what: "a projection" }.into());
            }
            connection.execute_batch(TABLE)?;
            // Another may be faster.
            let insert = "INSERT OR IGNORE INTO subscriptions VALUES (?1, ?2, ?3, ?4)";
            let Checkpoint { position, link } = &checkpoint;
            let name = new.name.as_str();
            connection.execute(insert, params![name, position.0, link.as_bytes(), follows])?;
            Ok(())
        })?;
        self.subscription(new.name.as_str())
    }

    pub(crate) fn subscription(&self, name: &str) -> Result<Subscription, Error> {
        self.look(|connection| {
            let found = SubscriptionName::new(name).ok();
            let found = found.map(|name| Self::find_subscription(connection, &name)).transpose()?;
            match found.flatten().filter(|found| found.follows.name.as_str() == name) {
                Some(found) => Ok(found),
                None => {
                    let mut near = names(connection)?;
                    near.retain(|known| near::is_near(name, known));
                    Err(Error::SubscriptionNotFound { name: name.into(), near }.into())
                }
            }
        })
    }

    /// The subscriptions, by name.
    pub(crate) fn subscriptions(&self) -> Result<Vec<Subscription>, Error> {
        self.look(|connection| {
            if !is_table(connection, "subscriptions")? {
                return Ok(Vec::new());
            }
            let select = format!("SELECT {COLUMNS} FROM subscriptions ORDER BY name");
            let mut statement = connection.prepare(&select)?;
            let mut rows = statement.query([])?;
            let mut subscriptions = Vec::new();
            while let Some(row) = rows.next()? {
                subscriptions.push(Self::read_subscription(row)?);
            }
            Ok(subscriptions)
        })
    }

    fn find_subscription(
        connection: &Connection,
        name: &SubscriptionName,
    ) -> Result<Option<Subscription>, Failure> {
        if !is_table(connection, "subscriptions")? {
            return Ok(None);
        }
        let select = format!("SELECT {COLUMNS} FROM subscriptions WHERE name = ?1");
        let mut statement = connection.prepare(&select)?;
        let mut rows = statement.query([name.as_str()])?;
        rows.next()?.map(|row| Self::read_subscription(row)).transpose()
    }

    fn read_subscription(row: &rusqlite::Row<'_>) -> Result<Subscription, Failure> {
        let name = row.get_ref(0)?.as_str()?;
        let damaged = |error: &dyn std::fmt::Display| Error::Damaged {
            what: format!("the subscription `{name}` is none: {error}"),
        };
        let json = row.get_ref(3)?.as_str()?;
        let FollowsJson { from, types } =
            serde_json::from_str(json).map_err(|error| damaged(&error))?;
        let patterns = from.into_iter().map(Pattern::new).collect::<Result<_, _>>();
        Ok(Subscription {
            follows: NewSubscription {
                name: SubscriptionName::stored(name),
                patterns: patterns.map_err(|error| damaged(&error))?,
                types: types.iter().map(|text| EventType::stored(text)).collect(),
            },
            checkpoint: Checkpoint { position: Position(row.get(1)?), link: link(row, 2)? },
        })
    }

    /// Removes a subscription; whether there was one.
    pub(crate) fn remove_subscription(&mut self, name: &SubscriptionName) -> Result<bool, Error> {
        self.write(false, |transaction| {
            let connection = transaction.connection();
            if !is_table(connection, "subscriptions")? {
                return Ok(false);
            }
            let delete = "DELETE FROM subscriptions WHERE name = ?1";
            let removed = connection.execute(delete, [name.as_str()])? > 0;
            registry::forget_failure(connection, name.as_str())?;
            Ok(removed)
        })
    }

    /// How what is called `name` failed last.
    pub(crate) fn last_failure(&self, name: &str) -> Result<Option<LastFailure>, Error> {
        self.look(|connection| {
            if !is_table(connection, "failures")? {
                return Ok(None);
            }
            let select = "SELECT time, message FROM failures WHERE name = ?1";
            let found = connection.query_row(select, [name], |row| {
                Ok(LastFailure { time: row.get(0)?, message: row.get(1)? })
            });
            Ok(found.optional()?)
        })
    }

    /// Records how what is called `name` failed, or that it no longer does.
    pub(crate) fn record_failure(
        &mut self,
        name: &str,
        message: Option<&str>,
    ) -> Result<(), Error> {
        if message.is_none() && self.last_failure(name)?.is_none() {
            return Ok(());
        }
        let now = (self.options.clock)();
        self.write(false, |transaction| {
            let connection = transaction.connection();
            match message {
                Some(message) => {
                    connection.execute_batch(registry::FAILURES)?;
                    let replace = "REPLACE INTO failures VALUES (?1, ?2, ?3)";
                    connection.execute(
                        replace,
                        params![name, now.as_micros(), excerpt(message, registry::MOST_FAILURE)],
                    )?;
                }
                None => registry::forget_failure(connection, name)?,
            }
            Ok(())
        })
    }
}

fn names(connection: &Connection) -> Result<Vec<String>, Failure> {
    if !is_table(connection, "subscriptions")? {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare("SELECT name FROM subscriptions")?;
    let names = statement.query_map([], |row| row.get(0))?;
    Ok(names.collect::<rusqlite::Result<_>>()?)
}

fn to_json(new: &NewSubscription) -> String {
    let follows = FollowsJson {
        from: new.patterns.iter().map(ToString::to_string).collect(),
        types: new.types.iter().map(ToString::to_string).collect(),
    };
    // Lists of texts are always JSON.
    serde_json::to_string(&follows).unwrap_or_default()
}

/// What a subscription follows, for the eye.
fn told(follows: &NewSubscription) -> String {
    let patterns: Vec<&str> = follows.patterns.iter().map(Pattern::as_str).collect();
    let patterns = if patterns.is_empty() { "all streams".into() } else { patterns.join(" ") };
    let types: Vec<&str> = follows.types.iter().map(EventType::as_str).collect();
    if types.is_empty() { patterns } else { format!("{patterns}, of type {}", types.join(", ")) }
}
