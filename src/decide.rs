//! Deciding: load, ask the aggregator, save; once more where another writer was faster.

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use crate::event::{BoundaryCommand, Command, Criteria, Version};
use crate::platform;
use crate::store::{
    Aggregate, Boundary, BoundaryDecision, ConditionFault, Decided, Decision, Error, Store,
};
use crate::wire;

/// Why a command was not decided. Nothing was stored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecideError<E> {
    /// The aggregator did not decide.
    #[error("the aggregator did not decide")]
    Aggregator(E),
    /// Other writers were faster, each time.
    #[error("other writers were faster, {attempts} times")]
    Overtaken {
        /// How often it was tried.
        attempts: u32,
        /// The last conflict.
        source: Error,
    },
    /// The store refused.
    #[error(transparent)]
    Store(#[from] Error),
}

impl Store {
    /// Decides a command: loads the stream's state and later events, asks `aggregator`, and stores
    /// what it answers, if the stream is still where it was. Otherwise it begins again, up to
    /// [`Command::attempts`] times.
    ///
    /// While `aggregator` runs, nothing of the store is locked. With an id that was decided before,
    /// it does not run, and the first answer is given.
    ///
    /// ```
    /// use ream::{Aggregate, Command, DecideError, Json, Options, Store};
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Default, Serialize, Deserialize)]
    /// struct Account {
    ///     balance: u64,
    /// }
    ///
    /// #[derive(Serialize, Deserialize)]
    /// #[serde(tag = "type", content = "data")]
    /// enum Happened {
    ///     Deposited { amount: u64 },
    ///     Withdrawn { amount: u64 },
    /// }
    ///
    /// fn apply(account: Account, event: Happened) -> Account {
    ///     let balance = match event {
    ///         Happened::Deposited { amount } => account.balance + amount,
    ///         Happened::Withdrawn { amount } => account.balance - amount,
    ///     };
    ///     Account { balance }
    /// }
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut store = Store::in_memory(&Options::default())?;
    /// let stream: ream::StreamName = "account-1".parse()?;
    ///
    /// let deposit = Command::new(stream.clone(), Json::parse(r#"{"deposit":100}"#)?);
    /// store.decide(&deposit, |aggregate: &Aggregate| {
    ///     let account = aggregate.fold(apply)?;
    ///     let event = Happened::Deposited { amount: 100 };
    ///     aggregate.accept().event(&event)?.state(&apply(account, event))
    /// })?;
    ///
    /// let withdraw = Command::new(stream, Json::parse(r#"{"withdraw":500}"#)?);
    /// let refused = store.decide(&withdraw, |aggregate| {
    ///     let account = aggregate.fold(apply).map_err(|error| error.to_string())?;
    ///     if account.balance < 500 {
    ///         return Err(format!("the balance is {}", account.balance));
    ///     }
    ///     let event = Happened::Withdrawn { amount: 500 };
    ///     aggregate.accept().event(&event).map_err(|error| error.to_string())
    /// });
    /// assert!(matches!(refused, Err(DecideError::Aggregator(why)) if why == "the balance is 100"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`DecideError::Aggregator`] with what `aggregator` gave instead of a decision;
    /// [`DecideError::Overtaken`]; [`DecideError::Store`] with what [`Store::load`] and
    /// [`Store::save`] refuse.
    pub fn decide<E>(
        &mut self,
        command: &Command,
        mut aggregator: impl FnMut(&Aggregate) -> Result<Decision, E>,
    ) -> Result<Decided, DecideError<E>> {
        if let Some(decided) = self.decided(command)? {
            return Ok(decided);
        }
        // Deciders on one stream take turns, or most of what they do would be for nothing.
        let _turn = self.queue(&[command.stream.as_str()])?;
        attempt(command.attempts, || {
            let aggregate = self.load(&command.stream)?;
            let decision = aggregator(&aggregate).map_err(DecideError::Aggregator)?;
            match self.save(&decision, command) {
                Err(source) if is_conflict(&source, aggregate.version) => Ok(Err(source)),
                saved => Ok(Ok(saved?)),
            }
        })
    }

    /// Decides a command on a boundary: reads the events that the command's criteria choose, asks `aggregator`, and
    /// stores what it answers, if no other event that is chosen has come since. Otherwise it begins again, as
    /// [`Store::decide`] does.
    ///
    /// ```
    /// use ream::{Boundary, BoundaryCommand, DecideError, Json, Options, Store, wire};
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Serialize, Deserialize)]
    /// #[serde(tag = "type")]
    /// enum Happened {
    ///     Subscribed { tags: Vec<String> },
    /// }
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut store = Store::in_memory(&Options::default())?;
    /// let course = wire::parse_query("tag=course:c1")?;
    /// let mut decided = Vec::new();
    /// for student in ["s1", "s2", "s3"] {
    ///     let command = BoundaryCommand::new(course.clone(), Json::parse("{}")?);
    ///     decided.push(store.decide_on(&command, |boundary: &Boundary| {
    ///         if boundary.events.len() == 2 {
    ///             return Err("the course is full".to_owned());
    ///         }
    ///         let event = Happened::Subscribed { tags: vec!["course:c1".into()] };
    ///         let stream = format!("student-{student}").parse().unwrap();
    ///         boundary.accept().event(stream, &event).map_err(|error| error.to_string())
    ///     }));
    /// }
    /// assert!(decided[0].is_ok() && decided[1].is_ok());
    /// assert!(matches!(&decided[2], Err(DecideError::Aggregator(why)) if why == "the course is full"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`DecideError::Aggregator`] with what `aggregator` gave instead of a decision;
    /// [`DecideError::Overtaken`]; [`DecideError::Store`] with what [`Store::boundary`] and
    /// [`Store::save_on`] refuse.
    pub fn decide_on<E>(
        &mut self,
        command: &BoundaryCommand,
        mut aggregator: impl FnMut(&Boundary) -> Result<BoundaryDecision, E>,
    ) -> Result<Decided, DecideError<E>> {
        if let Some(decided) = self.decided_on(command)? {
            return Ok(decided);
        }
        // Those who decide by the same tags take turns.
        let names = turns(&command.criteria);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let _turn = self.queue(&names)?;
        attempt(command.attempts, || {
            let boundary = self.boundary(&command.criteria)?;
            let decision = aggregator(&boundary).map_err(DecideError::Aggregator)?;
            match self.save_on(&decision, command) {
                Err(source) if has_come(&source) => Ok(Err(source)),
                saved => Ok(Ok(saved?)),
            }
        })
    }
}

/// Decides by `once`, which gives what came of it, or the conflict that it met: then once more, at most `most` times.
fn attempt<E>(
    most: u32,
    mut once: impl FnMut() -> Result<Result<Decided, Error>, DecideError<E>>,
) -> Result<Decided, DecideError<E>> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        match once()? {
            Ok(decided) => return Ok(decided),
            Err(source) if attempts >= most => {
                return Err(DecideError::Overtaken { attempts, source });
            }
            Err(_) => thread::sleep(pause(attempts, chance())),
        }
    }
}

/// How many tags of a boundary deciders take turns by.
const TURNS: usize = 4;

/// What those who decide on a boundary take turns by: its tags, of which it is enough to have one in common, or the
/// query as a whole where that has none. No stream has such a name.
fn turns(criteria: &Criteria) -> Vec<String> {
    let tags: BTreeSet<&str> = criteria.items.iter().flat_map(|item| item.tags.iter()).collect();
    if tags.is_empty() {
        return vec![format!("$query {}", wire::query_text(&criteria.canonical()))];
    }
    tags.into_iter().take(TURNS).map(|tag| format!("$tag {tag}")).collect()
}

/// Whether something has come to the boundary, or to a stream that gets a state, that the decision was made on.
fn has_come(error: &Error) -> bool {
    match error {
        Error::Condition(fault) => matches!(**fault, ConditionFault::Found { .. }),
        error => matches!(error, Error::WrongExpectedVersion { .. }),
    }
}

/// Whether the stream has moved on from the version that the decision was made of.
fn is_conflict(error: &Error, version: Version) -> bool {
    matches!(error, Error::WrongExpectedVersion { actual, .. } if *actual != version)
}

/// How long to wait before the next attempt: the later, the longer, up to 50 ms; a random part of
/// that, so that two who met do not meet again.
fn pause(attempts: u32, chance: u8) -> Duration {
    let most = Duration::from_micros(500 << attempts.min(7)).min(Duration::from_millis(50));
    most * u32::from(chance) / 256
}

/// A random number.
fn chance() -> u8 {
    let mut byte = [0];
    // Without one the pause is as long as any other.
    let _ = platform::random(&mut byte);
    byte[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end_growing() {
        let longest = |attempts| pause(attempts, 255);
        assert!(longest(1) < Duration::from_millis(1));
        assert!(longest(2) > longest(1));
        assert_eq!(longest(20), longest(u32::MAX));
        assert!(longest(20) <= Duration::from_millis(50));
        assert_eq!(pause(20, 0), Duration::ZERO);
    }
}
