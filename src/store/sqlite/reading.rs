//! A connection that readers look by, again and again: up to where events are known to be durable, and while the
//! store is in its place.

mod durable;

use std::cell::Cell;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use self::durable::Beyond;
use super::event_row::Head;
use super::failure::Failure;
use super::failure::failure;
use super::look::{TRIES, WRITING};
use super::records::{self, Acknowledged, Witness};
use super::view::View;
use super::{Layout, Store, check_in_place};
use crate::platform::FileIdentity;
use crate::store::look::{self, Look};
use crate::store::place::Marker;
use crate::store::{Error, Options};

/// How long a follower that always has something to read goes on without a look whether its store is
/// still there.
const IN_PLACE: Duration = Duration::from_millis(500);

/// What a reader looks by.
#[derive(Debug)]
pub(crate) struct Reading {
    connection: Connection,
    layout: Layout,
    marker: Marker,
    database: FileIdentity,
    data_version: i64,
    /// When it was last looked whether the store is still there.
    found_in_place: Instant,
    /// Whether it was warned of the store.
    has_warned: bool,
    follow: bool,
    options: Options,
    bell: records::Reading<Acknowledged>,
    /// Everything up to here is known to be durable.
    durable: u64,
    beyond: Beyond,
    /// Whether the connection knows lists of numbers by now.
    knows_lists: Cell<bool>,
}

impl Store {
    /// What a reader looks by, who may follow the log.
    pub(crate) fn reading(&self, follow: bool) -> Result<Reading, Error> {
        let mut bell = records::Reading::of(&self.layout);
        let witness = Witness::beside(&mut bell, &self.layout);
        let mut reading = Reading {
            connection: self.reading_connection()?,
            layout: self.layout.clone(),
            marker: self.marker.clone(),
            database: self.database,
            data_version: 0,
            found_in_place: Instant::now(),
            has_warned: false,
            follow,
            options: self.options.clone(),
            bell,
            durable: 0,
            beyond: Beyond::Nothing,
            knows_lists: Cell::new(false),
        };
        // It goes through the file once, from front to back, so that a small cache does, and stays in
        // the processor's.
        let small = reading.connection.execute_batch("PRAGMA cache_size=64");
        small.map_err(|error| reading.tell(error.into()))?;
        reading.data_version = reading.data_version()?;
        let mut tries = 0;
        loop {
            let durable = reading.in_transaction(|reading| reading.begin(witness));
            if durable.map_err(|failure| reading.tell(failure))? || tries >= TRIES {
                return Ok(reading);
            }
            if reading.settle() {
                tries = TRIES;
            } else {
                thread::sleep(WRITING);
                tries += 1;
                if tries == TRIES {
                    reading.may_have_no_bell(Error::Busy { waited: WRITING * TRIES });
                }
            }
        }
    }
}

impl Reading {
    /// Warns of what is wrong with the store, once.
    fn warn(&mut self, warning: &Error) {
        if !std::mem::replace(&mut self.has_warned, true) {
            self.options.warn(warning);
        }
    }

    /// Looks for the first time; whether all that there is is known to be durable.
    fn begin(&mut self, witness: Witness) -> Result<bool, Failure> {
        let head = Head::read(&self.connection, &self.marker.id)?;
        if let Some(lost) = witness.lost(&self.connection, &self.layout, &head)? {
            self.warn(&lost);
        }
        self.durable_head(head.position.0);
        Ok(self.beyond != Beyond::Kept)
    }

    /// That the store is still there.
    fn check_in_place(&mut self) -> Result<(), Error> {
        check_in_place(&self.layout, self.database)?;
        if Marker::read(&self.layout.place)?.id != self.marker.id {
            return Err(Error::Replaced { path: self.layout.root.clone() });
        }
        self.found_in_place = Instant::now();
        Ok(())
    }

    /// A number that changes when another connection commits.
    fn data_version(&self) -> Result<i64, Error> {
        let version = self
            .connection
            .prepare_cached("PRAGMA data_version")
            .and_then(|mut statement| statement.query_row([], |row| row.get(0)));
        version.map_err(|error| self.tell(error.into()))
    }

    fn tell(&self, failed: Failure) -> Error {
        match failed {
            Failure::Refused(error) => error,
            Failure::Sqlite(error) => failure(&self.layout, "read the store", error),
        }
    }

    fn in_transaction<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.connection.prepare_cached("BEGIN")?.execute([])?;
        let done = work(self);
        // Nothing was written: ending the transaction can't fail in a way that matters.
        let _ = self.connection.prepare_cached("ROLLBACK").and_then(|mut end| end.execute([]));
        done
    }
}

impl look::Reading for Reading {
    fn look(
        &mut self,
        work: &mut dyn FnMut(&dyn Look, u64) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if self.follow && self.found_in_place.elapsed() >= IN_PLACE {
            self.check_in_place()?;
        }
        if self.beyond == Beyond::Kept && self.follow {
            self.settle();
        }
        let done = self.in_transaction(|reading| {
            let head = Head::read(&reading.connection, &reading.marker.id)?.position.0;
            let head = reading.durable_head(head);
            let Self { connection, layout, marker, knows_lists, .. } = &*reading;
            let id = &marker.id;
            Ok(work(&View { connection, layout, id, knows_lists }, head)?)
        });
        done.map_err(|failure| self.tell(failure))
    }

    fn changed(&mut self) -> Result<bool, Error> {
        self.check_in_place()?;
        let found = self.data_version()?;
        let changed = std::mem::replace(&mut self.data_version, found) != found;
        Ok(changed || self.beyond == Beyond::Kept)
    }
}
