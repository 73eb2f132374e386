//! Making a store.
//!
//! What makes a directory a store comes last, and what says that one is being made comes first: the marker
//! under another name. So a directory that someone is killed over is known for what it is, and one that
//! holds somebody else's files is left as it is.

use std::fs;
use std::io;
use std::path::Path;

use super::connection::{self};
use super::failure::failure;
use super::layout::Layout;
use super::lock::Queue;
use super::marker::Marker;
use super::{Store, database, log, mark, schema};
use crate::platform;
use crate::platform::directory::Access;
use crate::store::{Error, Options};

impl Store {
    /// Makes a store in `path`, or opens the one that is there; whether it is new.
    pub(crate) fn init(path: &Path, options: &Options) -> Result<(Self, bool), Error> {
        connection::check_version()?;
        make_directory(path)?;
        let layout = Layout::unchecked(path, options).map_err(|error| match error {
            // A name that leads nowhere.
            Error::NoStore { path } => Error::NotADirectory { path },
            error => error,
        })?;
        if !Marker::stands(&layout)? && may_become_store(&layout)? {
            layout.place.make_private()?;
        }
        layout.place.check(options)?;
        if Marker::stands(&layout)? {
            return Ok((Self::open_in(layout, options)?, false));
        }
        let turn = Queue::of_writers(&layout).enter(options)?;
        if Marker::stands(&layout)? {
            return Ok((Self::open_in(layout, options)?, false));
        }
        fill(&layout, &turn.lock, options)?;
        Ok((Self::open_in(layout, options)?, true))
    }
}

/// Makes the directory, where nothing stands there.
fn make_directory(root: &Path) -> Result<(), Error> {
    let parent = root.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent {
        fs::create_dir_all(parent).map_err(Error::io("create", parent))?;
    }
    match platform::create_private_dir(root) {
        Ok(()) => {
            platform::sync_dir(parent.unwrap_or(Path::new("."))).map_err(Error::io("sync", root))
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(Error::io("create", root)(error)),
    }
}

/// Whether the directory holds nothing, or a store that is half made; `false` where it is whole by now.
/// Anything else is an error.
fn may_become_store(layout: &Layout) -> Result<bool, Error> {
    let names = layout.place.list(".")?;
    let begun = Marker::is_begun(layout)?;
    let is_ours = |name: &String| if begun { Layout::owns(name) } else { Layout::precedes(name) };
    if names.iter().all(is_ours) {
        return Ok(true);
    }
    // Another may have finished it meanwhile.
    if Marker::stands(layout)? {
        return Ok(false);
    }
    Err(Error::NotEmpty { path: layout.root.clone() })
}

/// Fills the directory.
fn fill(layout: &Layout, lock: &fs::File, options: &Options) -> Result<(), Error> {
    let place = &layout.place;
    Marker::begin(layout)?;
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
    // The log stays for ever: see `connection::open_with`. Opening the store once creates it.
    drop(connection::open_to_read(layout, options)?);
    mark::make(lock).map_err(Error::io("write", &place.path("lock")))?;
    place.sync(".")?;
    Marker::finish(layout)
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
