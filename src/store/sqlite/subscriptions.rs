//! Subscriptions: their checkpoints are in the events' file, so that reactions commit with them.

use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::Store;
use super::failure::Failure;
use super::registry::{self, Holder, Kind, Name};
use super::runs::checkpoint_in;
use crate::event::{EventType, Pattern, Position, SubscriptionName};
use crate::store::{Error, LastFailure, NewSubscription, Subscription};

/// What stands where the message of a failure was forgotten.
const ERASED: &str = "(erased, since it may have quoted what was removed)";

/// What a subscription follows, as JSON.
///
/// Another key is of a later ream, and without it another subscription would be followed.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
        if let Some(found) = self.look(|connection| Ok(find_same(connection, new)?.ok()))? {
            return Ok(found);
        }
        let id = self.marker.id.clone();
        self.write(false, |transaction| {
            let connection = transaction.connection();
            // Another may be faster.
            let generation = match find_same(connection, new)? {
                Ok(found) => return Ok(found),
                Err(generation) => generation,
            };
            let checkpoint = checkpoint_in(connection, &id, start)?;
            let row = Name {
                text: new.name.to_string(),
                kind: Some(Kind::Subscription),
                generation,
                record: Some(to_json(new)),
                checkpoint: Some(checkpoint),
                ..Name::default()
            };
            row.put(connection)?;
            Ok(Subscription { follows: new.clone(), checkpoint })
        })
    }

    pub(crate) fn subscription(&self, name: &str) -> Result<Subscription, Error> {
        self.look(|connection| match registry::find_kind(connection, name, Kind::Subscription)? {
            Some(found) => subscription(found),
            None => {
                let near = registry::near(connection, name, Kind::Subscription)?;
                Err(Error::SubscriptionNotFound { name: name.into(), near }.into())
            }
        })
    }

    /// The subscriptions, by name.
    pub(crate) fn subscriptions(&self) -> Result<Vec<Subscription>, Error> {
        self.look(|connection| {
            let all = registry::all(connection, Kind::Subscription)?;
            registry::known(all, &self.options, subscription)
        })
    }

    /// Removes a subscription; whether there was one.
    pub(crate) fn remove_subscription(&mut self, name: &SubscriptionName) -> Result<bool, Error> {
        self.write(false, |transaction| {
            let connection = transaction.connection();
            match registry::find_kind(connection, name.as_str(), Kind::Subscription)? {
                Some(found) => Ok(found.give_back(connection).map(|()| true)?),
                None => Ok(false),
            }
        })
    }

    /// How what is called `name` failed last.
    pub(crate) fn last_failure(&self, name: &str) -> Result<Option<LastFailure>, Error> {
        let found = self.look(|connection| Ok(registry::find_exactly(connection, name)?))?;
        Ok(found.and_then(|found| {
            let message = found.failure.unwrap_or_else(|| ERASED.into());
            found.failed.map(|time| LastFailure { time, message })
        }))
    }

    /// Records how what is called `name` failed, or that it no longer does. Of what is not there nothing
    /// is recorded.
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
            if let Some(mut found) = registry::find_exactly(connection, name)? {
                found.set_failure(message.map(|message| (now, message)));
                found.put(connection)?;
            }
            Ok(())
        })
    }
}

/// The subscription that `new` would be, where it is there; the last generation that its name had, where
/// nothing has it.
fn find_same(
    connection: &Connection,
    new: &NewSubscription,
) -> Result<Result<Subscription, u64>, Failure> {
    let row = match registry::holder(connection, new.name.as_str(), Kind::Subscription)? {
        Holder::Known(row) => *row,
        Holder::Nobody { generation } => return Ok(Err(generation)),
    };
    let found = subscription(row)?;
    if found.follows.name != new.name || to_json(&found.follows) != to_json(new) {
        let name = found.follows.name.to_string();
        return Err(Error::SubscriptionDiffers { name, follows: told(&found.follows) }.into());
    }
    Ok(Ok(found))
}

/// The subscription in a row.
fn subscription(row: Name) -> Result<Subscription, Failure> {
    let Name { text: name, record, checkpoint, .. } = row;
    let damaged = |error: &dyn std::fmt::Display| Error::Damaged {
        what: format!("the subscription `{name}` is none: {error}"),
    };
    let record = record.unwrap_or_default();
    let FollowsJson { from, types } = serde_json::from_str(&record)
        .map_err(|error| registry::unreadable(Kind::Subscription, &name, &record, &error))?;
    let patterns = from.into_iter().map(Pattern::new).collect::<Result<_, _>>();
    Ok(Subscription {
        follows: NewSubscription {
            name: SubscriptionName::stored(&name),
            patterns: patterns.map_err(|error| damaged(&error))?,
            types: types.iter().map(|text| EventType::stored(text)).collect(),
        },
        checkpoint: checkpoint.ok_or_else(|| damaged(&"it has no checkpoint"))?,
    })
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
