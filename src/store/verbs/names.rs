//! Subscriptions, and what holds for each name: how it failed, how it is given back, what is near to it.

use crate::event::{Position, SubscriptionName};
use crate::near;
use crate::store::rules::Act;
use crate::store::rules::names::{self, Holder, Kind, Name};
use crate::store::{Checkpoint, Error, LastFailure, NewSubscription, Store, Subscription};

impl Store {
    /// Makes a subscription whose checkpoint is at `start`, and records that; or finds the one with its name.
    ///
    /// # Errors
    ///
    /// [`Error::SubscriptionDiffers`] where that follows something else, [`Error::NameTaken`] where a
    /// projection has the name, [`Error::BeyondHead`].
    pub fn subscribe(
        &mut self,
        new: &NewSubscription,
        start: Position,
    ) -> Result<Subscription, Error> {
        let name = new.name.as_str();
        if let Holder::Known(known) = names::subscribe(self.name(name)?.as_ref(), new)? {
            return Ok(known);
        }
        let checkpoint = self.checkpoint(start)?;
        self.act(|tx| {
            let found = tx.look().name(name)?;
            match names::subscribe(found.as_ref(), new)? {
                // Another was faster.
                Holder::Known(known) => Ok((known, Vec::new())),
                Holder::Nobody { generation } => {
                    tx.put_name(&names::subscribed(new, generation, checkpoint))?;
                    let act = Act::SubscriptionCreated { name: name.into(), position: start };
                    Ok((Subscription { follows: new.clone(), checkpoint }, vec![act]))
                }
            }
        })
    }

    /// The subscription `name`.
    ///
    /// # Errors
    ///
    /// [`Error::SubscriptionNotFound`].
    pub fn subscription(&self, name: &str) -> Result<Subscription, Error> {
        let found = names::subscription(self.name(name)?.as_ref(), name);
        found.map_err(|error| self.with_near(error))
    }

    /// The subscriptions, by name.
    ///
    /// # Errors
    ///
    /// Where the store can't be read.
    pub fn subscriptions(&self) -> Result<Vec<Subscription>, Error> {
        self.known(Kind::Subscription, names::subscription_in)
    }

    /// What `read` makes of the names of a kind, but for what a later ream made: of that is warned, and the
    /// rest is there.
    pub(super) fn known<T>(
        &self,
        kind: Kind,
        read: impl Fn(&Name) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let store = &self.engine;
        let mut known = Vec::new();
        for name in &self.names(kind)? {
            match read(name) {
                Err(error @ Error::NewerRecord(_)) => store.options().warn(&error),
                read => known.push(read?),
            }
        }
        Ok(known)
    }

    /// Has a subscription go on from `to`, wherever it is, and records that.
    ///
    /// # Errors
    ///
    /// [`Error::SubscriptionNotFound`].
    pub fn seek_subscription(
        &mut self,
        name: &SubscriptionName,
        to: &Checkpoint,
    ) -> Result<(), Error> {
        let sought = self.act(|tx| {
            let found = tx.look().name(name.as_str())?;
            let from = names::subscription(found.as_ref(), name.as_str())?.checkpoint;
            let Some(found) = found.filter(|_| from != *to) else { return Ok(((), Vec::new())) };
            tx.put_name(&Name { checkpoint: Some(*to), ..found })?;
            let (name, from, to) = (name.to_string(), from.position, to.position);
            Ok(((), vec![Act::SubscriptionMoved { name, from, to }]))
        });
        sought.map_err(|error| self.with_near(error))
    }

    /// Removes a subscription, and records that; whether there was one.
    ///
    /// # Errors
    ///
    /// Where the store can't be written.
    pub fn remove_subscription(&mut self, name: &SubscriptionName) -> Result<bool, Error> {
        self.give_back(name.as_str(), Kind::Subscription)
    }

    /// Gives a name back, where it is of a kind, and records that; whether it was.
    pub(super) fn give_back(&mut self, name: &str, kind: Kind) -> Result<bool, Error> {
        self.act(|tx| {
            let found = tx.look().name(name)?;
            let Some(found) = names::of_kind(found.as_ref(), name, kind) else {
                return Ok((false, Vec::new()));
            };
            tx.put_name(&found.given_back())?;
            Ok((true, Act::giving_back(found).into_iter().collect()))
        })
    }

    /// How what is called `name` failed last.
    ///
    /// # Errors
    ///
    /// Where the store can't be read.
    pub fn last_failure(&self, name: &str) -> Result<Option<LastFailure>, Error> {
        Ok(names::last_failure(self.name(name)?.as_ref(), name))
    }

    /// Records how what is called `name` failed, or that it no longer does. Where there is no such
    /// subscription or projection, nothing is recorded.
    ///
    /// # Errors
    ///
    /// Where the store can't be written.
    pub fn record_failure(&mut self, name: &str, message: Option<&str>) -> Result<(), Error> {
        if message.is_none() && self.last_failure(name)?.is_none() {
            return Ok(());
        }
        let store = &self.engine;
        let now = (store.options().clock)();
        self.transact(false, |tx| {
            let found = tx.look().name(name)?;
            let Some(found) = names::exactly(found.as_ref(), name) else { return Ok(()) };
            tx.put_name(&found.clone().failing(message.map(|message| (now, message))))
        })
    }

    /// An error with the names that are near to the one that was not found.
    pub(in crate::store) fn with_near(&self, mut error: Error) -> Error {
        let (name, near, kind) = match &mut error {
            Error::ProjectionNotFound { name, near } => (name, near, Kind::Projection),
            Error::SubscriptionNotFound { name, near } => (name, near, Kind::Subscription),
            _ => return error,
        };
        match self.names(kind) {
            Ok(names) => {
                let names = names.into_iter().map(|known| known.text);
                *near = names.filter(|known| near::is_near(name, known)).collect();
                error
            }
            Err(failed) => failed,
        }
    }
}
