//! Erasing: no byte of rows that were deleted is left in the projection's files.
//!
//! As in the events' file what SQLite frees is overwritten, gaps that page splits leave are scrubbed, and the
//! log is cut. No mark is left behind for others to go on with: rows can be made again, so who wants them
//! gone and is told that they are not asks again.

use super::{File, Table, generations};
use crate::store::Error;
use crate::store::rules::names;
use crate::store::sqlite::Store;
use crate::store::sqlite::scrub::{Progress, Scrubbed};
use crate::store::sqlite::writer::wait_for_readers;
use crate::wait::Deadline;

/// What came of an attempt.
enum Step {
    Done,
    /// There is more to scrub.
    More,
    /// Someone reads this file.
    InTheWay(File),
}

impl Store {
    /// Has no byte of rows that are not there any more be left in the files of `table`; why some are,
    /// where they are. A reader that is in the way is waited for as long as a writer waits for others.
    pub(crate) fn erase_rows(&self, table: &Table) -> Option<Error> {
        let mut progress = Some(Progress::new());
        let deadline = Deadline::after(self.options.lock_timeout);
        loop {
            match self.try_erase_rows(table, &mut progress) {
                Ok(Step::Done) => return None,
                Ok(Step::More) => {}
                Ok(Step::InTheWay(file)) => match wait_for_readers(deadline, &self.options) {
                    Ok(true) => {}
                    Ok(false) => {
                        let (waited, by) = (self.options.lock_timeout, file.readers());
                        return Some(Error::LogHeld { waited, by });
                    }
                    Err(error) => return Some(error),
                },
                Err(error) => return Some(error),
            }
        }
    }

    /// Goes on for one turn; `progress` is nothing once all is scrubbed.
    fn try_erase_rows(
        &self,
        table: &Table,
        progress: &mut Option<Progress>,
    ) -> Result<Step, Error> {
        if let Some(scrubbing) = progress {
            match table.write(|connection| Ok((scrubbing.scrub(connection)?, true)))? {
                Scrubbed::Until(_) => return Ok(Step::More),
                Scrubbed::Unable => return Err(Error::CannotScrub),
                Scrubbed::All => *progress = None,
            }
        }
        if !table.settle()? {
            table.untidy.set(true);
            return Ok(Step::InTheWay(table.file.clone()));
        }
        self.erase_older(table)
    }

    /// Removes the generations before the one that serves, where readers kept them.
    fn erase_older(&self, table: &Table) -> Result<Step, Error> {
        let name = &table.name;
        let older = || -> Result<Option<u64>, Error> {
            let generations = generations(&self.layout, name)?;
            Ok(generations.into_iter().find(|found| *found < table.generation))
        };
        let Some(found) = older()? else { return Ok(Step::Done) };
        if let Ok(_turn) = self.take_rebuild(name) {
            let row = self.name(name.as_str())?;
            self.follow_up(name, names::serves(row.as_ref(), name.as_str())?)?;
        }
        Ok(match older()? {
            Some(_) => Step::InTheWay(File::of(&self.layout, name, found)),
            None => Step::Done,
        })
    }
}
