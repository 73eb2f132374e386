//! How a follower rests while no one wants what it reads, and goes on.

use super::Watch;

impl Watch {
    /// Sets whether a wait ends because events may have been stored, as it does at first.
    pub(crate) fn listen(&mut self, listens: bool) {
        match self {
            Self::Sqlite(watch) => watch.listen(listens),
        }
    }
}
