//! How a follower rests while no one wants what it reads, and goes on.

use super::{Error, Reader, ReaderEngine, Watch};
use crate::event::Position;

impl Reader {
    /// Goes on behind what is stored by now; up to where.
    pub(crate) fn skip(&mut self) -> Result<Position, Error> {
        match &mut self.0 {
            ReaderEngine::Sqlite(reader) => reader.skip(),
        }
    }
}

impl Watch {
    /// Sets whether a wait ends because events may have been stored, as it does at first.
    pub(crate) fn listen(&mut self, listens: bool) {
        match self {
            Self::Sqlite(watch) => watch.listen(listens),
        }
    }
}
