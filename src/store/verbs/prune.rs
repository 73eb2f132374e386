//! Retention: how long events are kept, and pruning what is more.

use std::time::Duration;

use super::truncate::truncations_in;
use crate::event::{Pattern, Position, StreamName, Version};
use crate::store::rules::{self, Act};
use crate::store::{
    Before, Behind, Error, Mark, Query, Removal, Retained, Retention, Store, Subscription,
    Truncated,
};

/// How many streams are looked at together.
const PAGE: usize = 1000;

impl Store {
    /// How long events are kept, by pattern, where that is said.
    ///
    /// # Errors
    ///
    /// Where the store can't be read.
    pub fn retained(&self) -> Result<Vec<Retained>, Error> {
        rules::retained(self.look(|look| look.settings())?)
    }

    /// Sets how long the events of the streams are kept that a pattern matches, in the place of what was set for
    /// that pattern, and records that. Nothing is removed before [`Store::prune`].
    ///
    /// # Errors
    ///
    /// Where the store can't be written.
    pub fn set_retention(&mut self, pattern: &Pattern, retention: Retention) -> Result<(), Error> {
        let max_age = retention.max_age.map(|age| Duration::from_secs(age.as_secs()));
        let retention = Retention { max_age, ..retention };
        self.act(|tx| {
            let known = rules::retained(tx.look().settings()?)?;
            let known = known.into_iter().find(|known| known.pattern == *pattern);
            if known.map_or_else(Retention::default, |known| known.retention) == retention {
                return Ok(((), Vec::new()));
            }
            for setting in rules::settings(pattern, retention) {
                tx.put_setting(&setting)?;
            }
            Ok(((), vec![Act::RetentionSet { pattern: pattern.to_string(), retention }]))
        })
    }

    /// What [`Store::prune`] would take.
    ///
    /// # Errors
    ///
    /// Where the store can't be read.
    pub fn prunable(&self, past_subscriptions: bool) -> Result<Vec<Truncated>, Error> {
        let (names, last) = self.to_prune(past_subscriptions)?;
        self.look(|look| truncations_in(look, &names, &look.stream_facts(&names)?, &last))
    }

    /// Removes the events that are older or more than they may be, as [`Store::truncate`] does, in one transaction.
    /// A protected stream keeps all. What a subscription that follows a stream has not done yet stays, and what a
    /// projection has not that has a program, unless it is to go `past_subscriptions`.
    ///
    /// # Errors
    ///
    /// Where the store can't be written.
    pub fn prune(&mut self, past_subscriptions: bool) -> Result<Removal<Truncated>, Error> {
        let (names, last) = self.to_prune(past_subscriptions)?;
        let removed = self.act(|tx| {
            let look = tx.look();
            let truncated = truncations_in(&*look, &names, &look.stream_facts(&names)?, &last)?;
            drop(look);
            tx.truncate(&truncated)?;
            let acts = truncated.iter().map(Act::truncation).collect();
            Ok((truncated, acts))
        })?;
        Ok(Removal { removed, unfinished: self.finish_erasure() })
    }

    /// The streams of which something may go, and the last version of each that may.
    fn to_prune(&self, past: bool) -> Result<(Vec<StreamName>, Vec<Version>), Error> {
        let retained = self.retained()?;
        let followers = if past { Vec::new() } else { self.followers()? };
        let now = (self.engine.options().clock)();
        let (mut names, mut versions) = (Vec::new(), Vec::new());
        for Retained { pattern, retention: Retention { max_age, max_count } } in retained {
            let micros = max_age.map(|age| i64::try_from(age.as_micros()).unwrap_or(i64::MAX));
            let mut after: Option<String> = None;
            loop {
                let page = self.look(|look| {
                    let page = look.streams(&pattern, after.as_deref(), PAGE)?;
                    for stream in
                        page.iter().filter(|stream| !stream.protected && !is_reserved(&stream.name))
                    {
                        let name = std::slice::from_ref(&stream.name);
                        let at = |before| Ok::<_, Error>(look.last_before(name, before)?.pop());
                        let old = match micros {
                            Some(micros) => at(Before::Time(now.plus_micros(-micros)))?,
                            None => None,
                        };
                        let follows =
                            |one: &&Follower| one.query.chooses_stream(stream.name.as_str());
                        let done = followers.iter().filter(follows).map(|one| one.done).min();
                        let done = match done {
                            Some(done) => at(Before::Mark(Mark::Position(done.next())))?,
                            None => None,
                        };
                        for facts in look.stream_facts(name)? {
                            names.push(stream.name.clone());
                            versions.push(rules::prunable(&facts, max_count, old, done));
                        }
                    }
                    Ok(page)
                })?;
                if page.len() < PAGE {
                    break;
                }
                after = page.last().map(|stream| stream.name.to_string());
            }
        }
        Ok(largest(names, versions))
    }

    /// What follows the streams and has not done events that are removed from them, or would be: of what
    /// [`Store::truncatable`] says, and of what [`Store::prunable`] says would go past subscriptions.
    ///
    /// # Errors
    ///
    /// Where the store can't be read.
    pub fn behind(&self, truncated: &[Truncated]) -> Result<Vec<Behind>, Error> {
        let head = self.head()?;
        let mut behind = Vec::new();
        for Follower { name, is_projection, query, done } in self.followers()? {
            let mut events = 0;
            let follows =
                |one: &&Truncated| done < head && query.chooses_stream(one.stream.as_str());
            for one in truncated.iter().filter(follows) {
                let place = Before::Mark(Mark::Position(done.next()));
                let last =
                    self.look(|look| look.last_before(std::slice::from_ref(&one.stream), place))?;
                events += rules::not_done(one, last.first().copied().unwrap_or_default());
            }
            if events > 0 {
                behind.push(Behind { name, is_projection, checkpoint: done, events });
            }
        }
        Ok(behind)
    }

    /// What follows the log, and how far each has come.
    fn followers(&self) -> Result<Vec<Follower>, Error> {
        let mut followers = Vec::new();
        for Subscription { follows, checkpoint } in self.subscriptions()? {
            let (name, query) = (follows.name.to_string(), Query::by(follows.criteria));
            let done = checkpoint.position;
            followers.push(Follower { name, is_projection: false, query, done });
        }
        for entry in self.projections()? {
            if !entry.definition.program.is_empty() {
                let name = entry.name.to_string();
                let done = match self.projection(&name).and_then(|found| found.checkpoint()) {
                    // It is made anew from the first event on.
                    Err(Error::ProjectionLost { .. }) => Position(0),
                    checkpoint => checkpoint?.position,
                };
                let query = Query::of(entry.definition.from);
                followers.push(Follower { name, is_projection: true, query, done });
            }
        }
        Ok(followers)
    }
}

/// What follows the log, and how far it has come.
struct Follower {
    name: String,
    is_projection: bool,
    query: Query,
    done: Position,
}

/// Each name once, with the largest of its versions: what one pattern keeps, another may let go.
fn largest(names: Vec<StreamName>, versions: Vec<Version>) -> (Vec<StreamName>, Vec<Version>) {
    let mut each: std::collections::HashMap<StreamName, Version> = std::collections::HashMap::new();
    for (name, version) in names.into_iter().zip(versions) {
        let last = each.entry(name).or_default();
        *last = version.max(*last);
    }
    let mut each: Vec<(StreamName, Version)> = each.into_iter().collect();
    each.sort_unstable_by(|(a, _), (b, _)| a.as_str().cmp(b.as_str()));
    each.into_iter().unzip()
}

/// Whether a stream holds ream's own records, which are for ever.
fn is_reserved(name: &StreamName) -> bool {
    name.as_str().starts_with('$')
}
