//! Who runs what follows the log: checkpoints, and the locks of runners.

use std::fmt::Write as _;
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _};

use super::Store;
use super::event_row::{Head, recorded_and_link};
use super::failure::Failure;
use super::lock::{MOMENT, Queue, Turn};
use crate::event::{Link, Position};
use crate::schema::Identifier;
use crate::store::{Checkpoint, Error, Options};

/// How often, and how long between, it is looked whether someone runs something.
const LOOKS: u32 = 3;
const LOOK: Duration = Duration::from_millis(1);

impl Store {
    pub(crate) fn take_run(&self, name: &str, wait: Duration) -> Result<Turn, Error> {
        self.take(&run_lock(name), name, wait)
    }

    /// The turn to be the store's server. No name's lock has a dot.
    #[cfg(all(feature = "serve", unix))]
    pub(crate) fn take_server(&self) -> Result<Turn, Error> {
        self.take("runners/ream.serve", "the server of this store", MOMENT)
    }

    /// The turn to make the projection `name` anew, which one has at a time.
    pub(crate) fn take_rebuild(&self, name: &Identifier) -> Result<Turn, Error> {
        self.take(&rebuild_lock(name.as_str()), &format!("the rebuild of {name}"), MOMENT)
    }

    /// Takes a lock, and signs it; `what` it stands for.
    fn take(&self, lock: &str, what: &str, wait: Duration) -> Result<Turn, Error> {
        self.layout.place.check_writable()?;
        self.layout.place.make_directory("runners")?;
        let options = Options { lock_timeout: wait, ..self.options.clone() };
        match Queue::of_runner(&self.layout, lock.to_owned()).enter(&options) {
            Ok(turn) => {
                let since = (self.options.clock)();
                turn.sign(&format!("process {} since {since}\n", std::process::id()))
                    .map_err(Error::io("write", &self.layout.place.path(lock)))?;
                Ok(turn)
            }
            Err(Error::Busy { .. }) => {
                Err(Error::Running { name: what.into(), by: self.signature(lock)? })
            }
            Err(error) => Err(error),
        }
    }

    pub(crate) fn runner(&self, name: &str) -> Result<Option<String>, Error> {
        self.holder(&run_lock(name))
    }

    /// Whether someone makes the projection `name` anew.
    pub(super) fn is_made(&self, name: &Identifier) -> Result<bool, Error> {
        Ok(self.holder(&rebuild_lock(name.as_str()))?.is_some())
    }

    /// Who has signed and keeps a lock; `None` where no one does.
    fn holder(&self, lock: &str) -> Result<Option<String>, Error> {
        if self.layout.place.identify(lock)?.is_none() {
            return Ok(None);
        }
        let queue = Queue::of_runner(&self.layout, lock.to_owned());
        for _ in 0..LOOKS {
            if queue.try_enter()?.is_some() {
                return Ok(None);
            }
            // A process that gave up waiting for the lock may get it all the same, and gives it back.
            thread::sleep(LOOK);
        }
        self.signature(lock).map(Some)
    }

    /// Who has signed a lock.
    fn signature(&self, lock: &str) -> Result<String, Error> {
        let signed = self.layout.place.read_small(lock)?.unwrap_or_default();
        let signed = signed.lines().next().unwrap_or_default();
        Ok(if signed.is_empty() { "another process".into() } else { signed.into() })
    }
}

/// The lock of who makes the projection `name` anew.
pub(super) fn rebuild_lock(name: &str) -> String {
    format!("{}.rebuild", run_lock(name))
}

/// A checkpoint at `position` in the store `id`.
pub(super) fn checkpoint_in(
    connection: &Connection,
    id: &str,
    position: Position,
) -> Result<Checkpoint, Failure> {
    let link = match link_at(connection, id, position)? {
        Ok(link) => link,
        Err(head) => return Err(Error::BeyondHead { position, head }.into()),
    };
    Ok(Checkpoint { position, link })
}

/// The link of the event at `position` in the store `id`; where there is none, the head.
pub(super) fn link_at(
    connection: &Connection,
    id: &str,
    position: Position,
) -> Result<Result<Link, Position>, Failure> {
    if position.0 == 0 {
        return Ok(Ok(Link::genesis(id)));
    }
    let mut select = connection.prepare_cached("SELECT header FROM events WHERE position = ?1")?;
    // Where no event can stand, none does.
    let number = i64::try_from(position.0).unwrap_or(i64::MAX);
    match select.query_row([number], |row| recorded_and_link(row, 0)).optional()? {
        Some((_, link)) => Ok(Ok(link)),
        None => Ok(Err(Head::read(connection, id)?.position)),
    }
}

/// The lock of who runs what is called `name`, without case, as names are. No other lock's name is this
/// with something behind a dot: a dot in `name` is written in another way.
fn run_lock(name: &str) -> String {
    let mut lock = String::from("runners/");
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' => {
                lock.push(byte.to_ascii_lowercase().into());
            }
            // Writing into a string does not fail.
            _ => drop(write!(lock, "%{byte:02x}")),
        }
    }
    lock
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{rebuild_lock, run_lock};

    #[test]
    fn no_two_names_have_one_lock() {
        let names = ["x", "x.next", "x.rebuild", "x.rebuild.next", "x%2enext", "é", "../x", "x/y"];
        let locks = names.iter().flat_map(|name| [run_lock(name), rebuild_lock(name)]);
        // A queue is two files.
        let files = locks.flat_map(|lock| [format!("{lock}.next"), lock]);
        let files: BTreeSet<String> = files.collect();
        assert_eq!(files.len(), 4 * names.len(), "{files:?}");
        assert!(files.iter().all(|file| file.matches('/').count() == 1), "{files:?}");
        assert_eq!(run_lock("MAIL"), run_lock("mail"));
    }
}
