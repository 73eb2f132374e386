//! The rows of a projection in a backup.

use super::{File, file_name, of_file, point};
use crate::event::Position;
use crate::schema::Identifier;
use crate::store::Error;
use crate::store::sqlite::copy::Copying;
use crate::store::sqlite::failure::Failure;
use crate::store::sqlite::{Layout, Store};

impl Store {
    /// Copies the file of a generation into the store in `to`, as it is at one moment; how far that has come.
    /// Nothing where it is not there, or damaged, of which it is warned: rows can be made again.
    pub(in crate::store::sqlite) fn copy_table(
        &self,
        name: &Identifier,
        generation: u64,
        to: &Layout,
        copying: &mut Copying<'_>,
    ) -> Result<Option<Position>, Failure> {
        let file = File::of(&self.layout, name, generation);
        if !file.exists()? {
            return Ok(None);
        }
        let damaged = |what: String| {
            let what = format!("{what}; the copy is made without its rows");
            self.options.warn(&of_file(name, &file, Error::Damaged { what }));
            Ok(None)
        };
        let connection = match file.open(&self.layout, &self.options) {
            Ok(connection) => connection,
            Err(error) => return damaged(error.to_string()),
        };
        let read = || {
            connection.execute_batch("BEGIN")?;
            let check = "PRAGMA quick_check(1)";
            let said: String = connection.query_row(check, [], |row| row.get(0))?;
            let select = "SELECT position FROM ream_checkpoint";
            Ok((said, connection.query_row(select, [], |row| row.get(0))?))
        };
        let read: rusqlite::Result<(String, u64)> = read();
        match read {
            Ok((said, position)) if said == "ok" => {
                copying.copy(&connection, to, &file.name)?;
                point(to, name, generation)?;
                Ok(Some(Position(position)))
            }
            Ok((said, _)) => damaged(said),
            Err(error) => damaged(error.to_string()),
        }
    }

    /// How large the file of a generation is, with its log, in bytes.
    pub(in crate::store::sqlite) fn table_bytes(&self, name: &Identifier, generation: u64) -> u64 {
        File::of(&self.layout, name, generation).bytes()
    }
}

/// Removes the copy of a generation that turned out not to be the one that serves.
pub(in crate::store::sqlite) fn remove_copy(
    to: &Layout,
    name: &Identifier,
    generation: u64,
) -> Result<(), Error> {
    super::unpoint(to, name)?;
    File::of(to, name, generation).remove()
}

/// The path of the file of a generation within a store.
pub(in crate::store::sqlite) fn table_path(name: &Identifier, generation: u64) -> String {
    format!("{}/{}", super::DIRECTORY, file_name(name, generation))
}
