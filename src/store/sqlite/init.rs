//! Making a store.
//!
//! What makes a directory a store comes last, and what says that one is being made comes first: the marker
//! under another name. So a directory that someone is killed over is known for what it is, and one that
//! holds somebody else's files is left as it is.

use std::path::Path;

use super::failure::failure;
use super::lock::{Queue, Turn};
use super::{Layout, Store, database, log, schema};
use crate::platform::directory::Access;
use crate::store::place::{Marker, Place};
use crate::store::{Error, Options};

impl Store {
    /// Makes a store in `path`, or opens the one that is there; whether it is new.
    pub(crate) fn init(path: &Path, options: &Options) -> Result<(Self, bool), Error> {
        database::check_version()?;
        let layout = Layout::of(Place::make(path, options)?);
        if Marker::stands(&layout.place)? {
            return Ok((Self::open_in(layout, options)?, false));
        }
        let turn = Queue::of_writers(&layout).enter(options)?;
        if Marker::stands(&layout.place)? {
            return Ok((Self::open_in(layout, options)?, false));
        }
        fill(&layout, &turn, options)?;
        Ok((Self::open_in(layout, options)?, true))
    }
}

/// Fills the directory.
fn fill(layout: &Layout, turn: &Turn, options: &Options) -> Result<(), Error> {
    let place = &layout.place;
    Marker::begin(place)?;
    // What someone was killed over holds no event.
    for file in ["db", "db-wal", "db-shm", "db-journal"] {
        place.remove(file)?;
    }
    for directory in ["bell", "projections"] {
        place.make_directory(directory)?;
    }
    for file in ["bell/bell", "changes", "turnstile", "db"] {
        // No connection lives yet, so the database may be opened here. SQLite gives the
        // permissions of the database to the files beside it.
        place.open_file(file, Access::Create)?;
    }
    create_tables(layout, options)?;
    // The log stays for ever: see `database::open_with`. Opening the store once creates it.
    drop(database::open_to_read(layout, options)?);
    turn.make_mark().map_err(Error::io("write", &place.path("lock")))?;
    place.sync(".")?;
    Marker::finish(place)
}

fn create_tables(layout: &Layout, options: &Options) -> Result<(), Error> {
    let failed = |error| failure(layout, "create the tables", error);
    let database = database::open(&layout.place, "db", options, &[], |_| Ok(()), failed)?;
    database
        .execute_batch(&format!(
            "PRAGMA page_size=4096; PRAGMA auto_vacuum=INCREMENTAL; PRAGMA synchronous=FULL; \
             PRAGMA application_id={};",
            schema::APPLICATION_ID
        ))
        .and_then(|()| database::write_by_log(&database))
        .and_then(|()| {
            database.execute_batch(&format!("BEGIN IMMEDIATE; {} COMMIT;", schema::TABLES))
        })
        .and_then(|()| log::move_log(&database, &layout.database, "TRUNCATE"))
        .map(drop)
        .map_err(failed)
}
