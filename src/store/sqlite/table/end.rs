//! How a generation comes to its end: no row is written to one that serves no more, who waits for one goes on
//! with the next, and who reads on is told.
//!
//! Before the registry has another generation serve, or none, whoever changes it sets `next` in the file of
//! the old one: the fence. Every write reads that row in its own transaction, so that what is committed was
//! committed before the change. Where it is set, the registry says what came of it: whoever set it may have been
//! killed on the way.
//!
//! Who has an old file open would read the old rows for ever. So the table is given another name, and in its
//! place stands a view of a table that does not exist and whose name is a sentence: SQLite's error for the
//! next statement of such a reader is `no such table: main.users was rebuilt: open its file anew`.

use std::thread;

use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};

use super::columns::quoted;
use super::{File, Table, generations, unpoint};
use crate::schema::Identifier;
use crate::store::Error;
use crate::store::rules::names::{self, Kind};
use crate::store::sqlite::failure::failure;
use crate::store::sqlite::lock::Queue;
use crate::store::sqlite::log::truncated;
use crate::store::sqlite::runs::rebuild_lock;
use crate::store::sqlite::{Store, database, registry};
use crate::wait::{self, Deadline};

/// What the registry says of a generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Serves,
    /// It serves, and someone is about to change that.
    Ending,
    Ended(End),
}

/// How a generation came to serve no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Rebuilt,
    Dropped,
}

impl End {
    const ALL: [Self; 2] = [Self::Rebuilt, Self::Dropped];

    /// What who reads on is told.
    fn sentence(self, name: &Identifier) -> String {
        match self {
            Self::Rebuilt => format!("{name} was rebuilt: open its file anew"),
            Self::Dropped => format!("{name} was dropped"),
        }
    }

    /// The statement that makes the view, as the file keeps it.
    fn view(self, name: &Identifier) -> String {
        let sentence = self.sentence(name);
        format!("CREATE VIEW {} AS SELECT * FROM {}", quoted(name.as_str()), quoted(&sentence))
    }

    /// The same as an error of a projection that is open.
    fn error(self, name: &Identifier) -> Error {
        let name = name.to_string();
        match self {
            Self::Rebuilt => Error::Superseded(name),
            Self::Dropped => Error::Dropped(name),
        }
    }
}

impl Table {
    /// Begins a transaction that writes, where this generation serves.
    pub(super) fn begin(&self) -> Result<(), Error> {
        self.layout.place.check_writable()?;
        let deadline = Deadline::after(self.options.lock_timeout);
        let busy = || Error::Busy { waited: self.options.lock_timeout };
        let connection = &self.connection;
        loop {
            connection.execute_batch("BEGIN IMMEDIATE").map_err(|error| {
                match error.sqlite_error_code() {
                    Some(ErrorCode::DatabaseBusy) => busy(),
                    _ => self.tell("begin to write", error),
                }
            })?;
            let next = next(connection);
            if next == Ok(None) {
                return Ok(());
            }
            // What failed is told; a rollback that fails as well adds nothing.
            let _ = connection.execute_batch("ROLLBACK");
            next.map_err(|error| self.misread("read the checkpoint", error))?;
            match self.standing()? {
                Standing::Serves => {}
                Standing::Ended(end) => return Err(end.error(&self.name)),
                Standing::Ending if self.options.interrupted() => return Err(Error::Interrupted),
                Standing::Ending if deadline.is_over() => return Err(busy()),
                Standing::Ending => thread::sleep(wait::SWITCHED.min(deadline.left())),
            }
        }
    }

    /// That this generation serves. Costs a look at one row of its file, where no one is about to change
    /// that.
    pub(crate) fn check_serves(&self) -> Result<(), Error> {
        match next(&self.connection) {
            Ok(None) => return Ok(()),
            Ok(Some(_)) => {}
            Err(error) => return Err(self.misread("read the checkpoint", error)),
        }
        match self.standing()? {
            Standing::Serves | Standing::Ending => Ok(()),
            Standing::Ended(end) => Err(end.error(&self.name)),
        }
    }

    /// What the registry says, now that `next` is set. Where whoever set it is gone and has changed nothing,
    /// it is taken back.
    fn standing(&self) -> Result<Standing, Error> {
        self.layout.place.make_directory("runners")?;
        let lock = rebuild_lock(self.name.as_str());
        // Who has the turn is the only one who changes the registry.
        let turn = Queue::of_runner(&self.layout, lock).try_enter()?;
        if let Some(end) = self.end()? {
            return Ok(Standing::Ended(end));
        }
        if turn.is_none() {
            return Ok(Standing::Ending);
        }
        self.take_down()?;
        Ok(Standing::Serves)
    }

    /// How this generation came to its end, where it did.
    fn end(&self) -> Result<Option<End>, Error> {
        let name = self.name.as_str();
        let connection = database::open_to_read(&self.layout, &self.options)?;
        let found = registry::find(&connection, name)
            .map_err(|error| failure(&self.layout, "read the store", error))?;
        Ok(match names::of_kind(found.as_ref(), name, Kind::Projection) {
            Some(found) if found.generation == self.generation => None,
            // One of the same name may have been made since it was dropped.
            Some(_) if !self.says_dropped() => Some(End::Rebuilt),
            _ => Some(End::Dropped),
        })
    }

    /// Whether the file says that the projection was dropped.
    fn says_dropped(&self) -> bool {
        let view = End::Dropped.view(&self.name);
        let select = "SELECT 1 FROM sqlite_schema WHERE sql = ?1";
        self.connection.query_row(select, [view], |_| Ok(())).is_ok()
    }

    /// Puts up the fence, before the generation `next` serves or would.
    pub(crate) fn put_up(&self, next: u64) -> Result<(), Error> {
        // Who could pass it by has the file open, so a power loss that takes it takes them, too: it need
        // not be synced.
        let set = "UPDATE ream_checkpoint SET next = ?1";
        self.connection.execute(set, [next]).map(drop).map_err(|error| {
            match error.sqlite_error_code() {
                Some(ErrorCode::DatabaseBusy) => Error::Busy { waited: self.options.lock_timeout },
                _ => self.misread("write to the projection", error),
            }
        })
    }

    /// Takes the fence down, where there is one. The caller has the turn to rebuild, and knows that this
    /// generation serves.
    pub(crate) fn take_down(&self) -> Result<(), Error> {
        let clear = "UPDATE ream_checkpoint SET next = NULL";
        let taken = next(&self.connection).and_then(|next| match next {
            None => Ok(()),
            Some(_) => self.connection.execute(clear, []).map(drop),
        });
        taken.map_err(|error| self.tell("write to the projection", error))
    }

    /// What a failure of SQLite means that may come of the words which stand in the place of the rows.
    pub(super) fn ended(&self, error: &rusqlite::Error) -> Option<Error> {
        let message = error.to_string();
        let name = &self.name;
        let end = End::ALL.into_iter().find(|end| message.contains(&end.sentence(name)))?;
        Some(end.error(name))
    }
}

/// The generation that is about to follow the one in this file.
fn next(connection: &Connection) -> rusqlite::Result<Option<u64>> {
    connection.prepare_cached("SELECT next FROM ream_checkpoint")?.query_row([], |row| row.get(0))
}

impl Store {
    /// Has the link lead to the generation that serves, and ends the others. Who calls this has the turn to
    /// rebuild.
    pub(crate) fn follow_up(&self, name: &Identifier, serves: u64) -> Result<(), Error> {
        self.lead(name, serves)?;
        self.end(name, End::Rebuilt, serves)
    }

    /// Removes the link, and ends all generations of a projection that was dropped, of which `last` was the
    /// last that served.
    pub(crate) fn follow_up_drop(&self, name: &Identifier, last: u64) -> Result<(), Error> {
        unpoint(&self.layout, name)?;
        self.end(name, End::Dropped, last)
    }

    /// Does what may be left to do behind a rebuild, where no one makes the projection anew at this moment.
    pub(crate) fn follow_up_older(&self, name: &Identifier, serves: u64) -> Result<(), Error> {
        let generations = generations(&self.layout, name)?;
        if !generations.iter().any(|found| *found < serves) {
            return Ok(());
        }
        self.layout.place.make_directory("runners")?;
        let queue = Queue::of_runner(&self.layout, rebuild_lock(name.as_str()));
        let Some(_turn) = queue.try_enter()? else { return Ok(()) };
        let found = self.name(name.as_str())?;
        self.follow_up(name, names::serves(found.as_ref(), name.as_str())?)
    }

    /// Removes the files of generations that never served, and of those that serve no more but where they
    /// are still read: then whoever does this next does it.
    fn end(&self, name: &Identifier, end: End, last: u64) -> Result<(), Error> {
        for generation in generations(&self.layout, name)? {
            let file = File::of(&self.layout, name, generation);
            let serves = end == End::Rebuilt && generation == last;
            if generation > last || !serves && self.is_left(&file, name, end, last) {
                file.remove()?;
            }
        }
        Ok(())
    }

    /// Says in the file of a generation that it serves no more; whether no one can miss it.
    fn is_left(&self, file: &File, name: &Identifier, end: End, last: u64) -> bool {
        let views = End::ALL.map(|end| end.view(name));
        let old = match file.open_with(&self.layout, &self.options, &views) {
            Ok(old) => old,
            // In one that is damaged there is nothing to miss.
            Err(error) => return matches!(error, Error::Damaged { .. }),
        };
        match say(&old, name, end, last) {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => false,
            // Who has opened it and not yet its log would miss what is left there.
            _ => truncated(&old),
        }
    }
}

/// Puts the sentence into the place of the rows, where it is not there.
fn say(old: &Connection, name: &Identifier, end: End, last: u64) -> rusqlite::Result<()> {
    let transaction = Transaction::new_unchecked(old, TransactionBehavior::Immediate)?;
    let said = "SELECT count(*) FROM sqlite_schema WHERE type = 'view'";
    if transaction.query_row(said, [], |row| row.get::<_, i64>(0))? > 0 {
        return Ok(());
    }
    // Where no fence was put up, since the file could not be read, there is one now.
    let fence = "UPDATE ream_checkpoint SET next = coalesce(next, ?1)";
    transaction.execute(fence, [last + u64::from(end == End::Dropped)])?;
    transaction.execute_batch(&format!(
        "ALTER TABLE {} RENAME TO {}; {}",
        quoted(name.as_str()),
        quoted(&format!("ream_old_{name}")),
        end.view(name)
    ))?;
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Schema;
    use crate::store::sqlite::table::columns;

    #[test]
    fn every_statement_on_an_old_table_is_refused_with_the_sentence() {
        let name = Identifier::new("users").unwrap();
        for fields in [
            &["id:integer:key", "email:text:unique", "city:text:index", "d:decimal:9:2:index"][..],
            &["a:decimal:5:2:key", "b:text:key", "c:text:unique:null"],
        ] {
            for legacy in ["OFF", "ON"] {
                let old = Connection::open_in_memory().unwrap();
                old.execute_batch(&format!("PRAGMA legacy_alter_table={legacy}")).unwrap();
                let schema = Schema::of(fields).unwrap();
                let tables = [columns::CHECKPOINT, &columns::statements(&name, &schema)].concat();
                old.execute_batch(&tables).unwrap();
                old.execute_batch("INSERT INTO ream_checkpoint VALUES (0, x'00', NULL)").unwrap();
                let mut prepared = old.prepare("SELECT count(*) FROM users").unwrap();
                prepared.query_row([], |_| Ok(())).unwrap();
                for end in [End::Rebuilt, End::Dropped] {
                    // The first word stands.
                    say(&old, &name, end, 7).unwrap();
                    let refused = prepared.query_row([], |_| Ok(())).unwrap_err();
                    let words = "no such table: main.users was rebuilt: open its file anew";
                    assert!(refused.to_string().starts_with(words), "{refused}");
                    for sql in [
                        "SELECT * FROM users",
                        "INSERT INTO users DEFAULT VALUES",
                        "UPDATE users SET rowid = 1",
                        "DELETE FROM users",
                    ] {
                        let refused = old.prepare(sql).unwrap_err();
                        assert!(refused.to_string().starts_with(words), "{sql}: {refused}");
                    }
                }
                let next = "SELECT next FROM ream_checkpoint";
                assert_eq!(old.query_row(next, [], |row| row.get(0)), Ok(7_u64));
                let check = "PRAGMA integrity_check";
                let whole: String = old.query_row(check, [], |row| row.get(0)).unwrap();
                assert_eq!(whole, "ok");
            }
        }
    }
}
