//! Records of what was acknowledged: one line of text each, of fixed length and with a checksum, in a small
//! file that is rewritten in place after a commit.
//!
//! A torn write shows, and says nothing. A record is never synced: after a power loss it may be old,
//! never ahead of the database. A store that is behind one of its records has lost something.

use std::fs::File;
use std::marker::PhantomData;
use std::sync::Arc;

use super::Layout;
use crate::platform;
use crate::platform::directory::Access;
use crate::store::Error;
use crate::store::hash::checksum;
use crate::store::place::Place;

/// How long the line of a record is at most.
const LONGEST: usize = 128;

/// What a record says.
pub(super) trait Record: Copy {
    /// Its file in the store.
    const NAME: &'static str;
    /// What fails where it can't be written.
    const WRITE: &'static str;

    /// What it says, as text that is always of the same length.
    fn to_fields(self) -> String;

    /// What such a text says.
    fn from_fields(fields: &str) -> Option<Self>;
}

/// The line of a record.
pub(super) fn to_line(record: impl Record) -> String {
    let fields = record.to_fields();
    format!("{fields} {}\n", checksum(&fields))
}

/// What a line says; nothing where it is not whole.
pub(super) fn from_line<R: Record>(line: &str) -> Option<R> {
    let (fields, sum) = line.trim_end().rsplit_once(' ')?;
    if checksum(fields) != sum {
        return None;
    }
    R::from_fields(fields)
}

/// Reads a record; a missing or torn one says nothing.
pub(super) fn read<R: Record>(layout: &Layout) -> Option<R> {
    Reading::of(layout).read()
}

/// A record as a process keeps it that reads it again and again.
#[derive(Debug)]
pub(super) struct Reading<R> {
    place: Arc<Place>,
    file: Option<File>,
    record: PhantomData<R>,
}

impl<R: Record> Reading<R> {
    pub(super) fn of(layout: &Layout) -> Self {
        Self { place: Arc::clone(&layout.place), file: None, record: PhantomData }
    }

    /// What it says; a missing or torn one says nothing.
    pub(super) fn read(&mut self) -> Option<R> {
        if self.file.is_none() {
            self.file = Some(self.place.open_file(R::NAME, Access::Read).ok()?);
        }
        let mut line = [0; LONGEST];
        let length = platform::read_at(self.file.as_ref()?, &mut line, 0).ok()?;
        let said = std::str::from_utf8(&line[..length]).ok().and_then(from_line);
        if said.is_none() {
            // Another file may stand there by now.
            self.file = None;
        }
        said
    }

    /// Has the next read open it anew, in case another file stands there by now.
    pub(super) fn reopen(&mut self) {
        self.file = None;
    }
}

/// A record as a writer keeps it.
#[derive(Debug)]
pub(super) struct Writing<R> {
    file: Option<File>,
    record: PhantomData<R>,
}

impl<R: Record> Writing<R> {
    pub(super) fn new() -> Self {
        Self { file: None, record: PhantomData }
    }

    /// Has it say this.
    pub(super) fn write(&mut self, layout: &Layout, record: R) -> Result<(), Error> {
        let file = match self.file.take() {
            Some(file) => file,
            None => {
                layout.place.open_file(R::NAME, Access::Create).map_err(|error| match error {
                    Error::Io { path, source, .. } => Error::Io { action: R::WRITE, path, source },
                    error => error,
                })?
            }
        };
        platform::write_at(&file, to_line(record).as_bytes(), 0)
            .map_err(Error::io(R::WRITE, &layout.place.path(R::NAME)))?;
        self.file = Some(file);
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::fmt::Debug;

    use super::*;

    /// That a line that is torn or changed says nothing.
    #[track_caller]
    pub(in super::super) fn is_whole_or_nothing<R: Record + PartialEq + Debug>(record: R) {
        let line = to_line(record);
        assert_eq!(from_line(&line), Some(record));
        for at in 0..line.len() - 1 {
            let mut torn = line.clone().into_bytes();
            torn[at] = if torn[at] == b'7' { b'8' } else { b'7' };
            assert_eq!(from_line::<R>(&String::from_utf8(torn).unwrap()), None, "{at}");
            assert_eq!(from_line::<R>(&line[..at]), None, "{at}");
        }
    }
}
