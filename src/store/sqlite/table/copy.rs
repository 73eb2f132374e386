//! The rows of a projection in a backup.

use super::{File, file_name, point};
use crate::event::Position;
use crate::schema::Identifier;
use crate::store::Error;
use crate::store::sqlite::copy::Copying;
use crate::store::sqlite::failure::Failure;
use crate::store::sqlite::{Layout, Store};

impl Store {
    /// Copies the file of a generation into the store in `to`, as it is at one moment; how far that has come.
    /// Nothing where it can't be read: rows can be made again.
    pub(in crate::store::sqlite) fn copy_table(
        &self,
        name: &Identifier,
        generation: u64,
        to: &Layout,
        copying: &mut Copying<'_>,
    ) -> Result<Option<Position>, Failure> {
        let file = File::of(&self.layout, name, generation);
        let Ok(connection) = file.open(&self.layout, &self.options) else { return Ok(None) };
        let position = connection.execute_batch("BEGIN").and_then(|()| {
            connection.query_row("SELECT position FROM ream_checkpoint", [], |row| row.get(0))
        });
        let Ok(position) = position else { return Ok(None) };
        copying.copy(&connection, to, &file.name)?;
        point(to, name, generation)?;
        Ok(Some(Position(position)))
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
