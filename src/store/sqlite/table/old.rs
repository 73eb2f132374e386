//! Generations that serve no more: what their readers find in them, and when their files go.
//!
//! Who has such a file open would read the old rows for ever. So the table is given another name, and in its
//! place stands a view of a table that does not exist and whose name is a sentence: SQLite's error for the
//! next statement of such a reader is `no such table: main.users was rebuilt: open its file anew`.

use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};

use super::columns::quoted;
use super::file::{self, File};
use crate::schema::Identifier;
use crate::store::Error;
use crate::store::rules::names;
use crate::store::sqlite::Store;
use crate::store::sqlite::lock::Queue;
use crate::store::sqlite::log::truncated;
use crate::store::sqlite::runs::rebuild_lock;

/// How a generation came to serve no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Rebuilt,
    Dropped,
}

impl End {
    pub(super) const ALL: [Self; 2] = [Self::Rebuilt, Self::Dropped];

    /// What who reads on is told.
    pub(super) fn sentence(self, name: &Identifier) -> String {
        match self {
            Self::Rebuilt => format!("{name} was rebuilt: open its file anew"),
            Self::Dropped => format!("{name} was dropped"),
        }
    }

    /// The statement that makes the view, as the file keeps it.
    pub(super) fn view(self, name: &Identifier) -> String {
        let sentence = self.sentence(name);
        format!("CREATE VIEW {} AS SELECT * FROM {}", quoted(name.as_str()), quoted(&sentence))
    }

    /// The same as an error of a projection that is open.
    pub(super) fn error(self, name: &Identifier) -> Error {
        let name = name.to_string();
        match self {
            Self::Rebuilt => Error::Superseded(name),
            Self::Dropped => Error::Dropped(name),
        }
    }
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
        file::unpoint(&self.layout, name)?;
        self.end(name, End::Dropped, last)
    }

    /// Does what may be left to do behind a rebuild, where no one makes the projection anew at this moment.
    pub(crate) fn follow_up_older(&self, name: &Identifier, serves: u64) -> Result<(), Error> {
        let generations = file::generations(&self.layout, name)?;
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
        for generation in file::generations(&self.layout, name)? {
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
