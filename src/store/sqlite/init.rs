//! Making a store, and whether its place is fit for one.

use std::fs;
use std::io;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::connection::{self, failure};
use super::layout::Layout;
use super::lock::Queue;
use super::marker::Marker;
use super::{Store, log, mark, mounts, schema};
use crate::platform::{self, Ownership};
use crate::store::{Error, Options};

impl Store {
    /// Makes a store in `path`, or opens the one that is there; whether it is new.
    pub(crate) fn init(path: &Path, options: &Options) -> Result<(Self, bool), Error> {
        let layout = Layout::of(path);
        connection::check_version()?;
        make_directory(&layout)?;
        check_place(&layout, options)?;
        if layout.marker.exists() {
            return Ok((Self::open_checked(layout, options)?, false));
        }
        let turn = Queue::of_writers(&layout).enter(options)?;
        if layout.marker.exists() {
            return Ok((Self::open_checked(layout, options)?, false));
        }
        fill(&layout, &turn.lock, options)?;
        Ok((Self::open_checked(layout, options)?, true))
    }
}

/// Makes the directory, or takes one that holds nothing but what a store does.
fn make_directory(layout: &Layout) -> Result<(), Error> {
    let root = &layout.root;
    if let Some(parent) = root.parent() {
        fs::create_dir_all(parent).map_err(Error::io("create", parent))?;
    }
    match platform::create_private_dir(root) {
        Ok(()) => {
            let parent = root.parent().filter(|parent| !parent.as_os_str().is_empty());
            platform::sync_dir(parent.unwrap_or(Path::new("."))).map_err(Error::io("sync", root))
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            if !root.is_dir() {
                return Err(Error::NotADirectory { path: root.clone() });
            }
            if layout.marker.exists() {
                return Ok(());
            }
            for entry in fs::read_dir(root).map_err(Error::io("list", root))? {
                let name = entry.map_err(Error::io("list", root))?.file_name();
                if !name.to_str().is_some_and(Layout::owns) {
                    return Err(Error::NotEmpty { path: root.clone() });
                }
            }
            platform::make_private(root)
                .map_err(Error::io("take the permissions of others from", root))
        }
        Err(error) => Err(Error::io("create", root)(error)),
    }
}

/// Fills the directory; the marker comes last, so that a store that is half made is none.
fn fill(layout: &Layout, lock: &fs::File, options: &Options) -> Result<(), Error> {
    for dir in [&layout.bell_dir, &layout.projections] {
        match platform::create_private_dir(dir) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(Error::io("create", dir)(error));
            }
            _ => {}
        }
    }
    for file in [&layout.bell, &layout.turnstile, &layout.database] {
        // No connection lives yet, so the database may be opened here. SQLite gives the
        // permissions of the database to the files beside it.
        platform::open_private(file, true).map_err(Error::io("create", file))?;
    }
    create_tables(layout).map_err(|error| failure(layout, "create the tables", error))?;
    // The log stays for ever: see `connection::set_up`. Opening the store once creates it.
    drop(connection::open_to_read(layout, options)?);
    mark::make(lock).map_err(Error::io("write", &layout.lock))?;
    platform::sync_dir(&layout.root).map_err(Error::io("sync", &layout.root))?;
    let marker = Marker::new()
        .map_err(|error| Error::Engine { action: "get random bits", source: error.into() })?;
    marker.write(layout)
}

fn create_tables(layout: &Layout) -> rusqlite::Result<()> {
    let database =
        Connection::open_with_flags(&layout.database, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    database.execute_batch("PRAGMA page_size=4096; PRAGMA synchronous=FULL;")?;
    connection::write_by_log(&database)?;
    let made: bool = database.query_row(
        "SELECT count(*) > 0 FROM sqlite_schema WHERE name = 'events'",
        [],
        |row| row.get(0),
    )?;
    if !made {
        database.execute_batch(&format!("BEGIN IMMEDIATE; {} COMMIT;", schema::TABLES))?;
    }
    // SQLite would do that when it closes, and not say what came of it.
    log::move_log(&database, &layout.database, "TRUNCATE").map(drop)
}

/// That the store belongs to who asks, and lies on a file system of this machine alone.
pub(super) fn check_place(layout: &Layout, options: &Options) -> Result<(), Error> {
    let path = || layout.root.clone();
    let metadata = match fs::metadata(&layout.root) {
        Ok(metadata) if metadata.is_dir() => metadata,
        Ok(_) => return Err(Error::NotADirectory { path: path() }),
        Err(error) => {
            return Err(match error.kind() {
                io::ErrorKind::NotFound => Error::NoStore { path: path() },
                io::ErrorKind::NotADirectory => Error::NotADirectory { path: path() },
                _ => Error::io("find", &layout.root)(error),
            });
        }
    };
    if !options.trust_owner {
        check_owner(layout, platform::ownership(&metadata))?;
    }
    if !options.unsafe_file_system
        && !platform::is_surely_local(&layout.root)
        && let Some(mounts) = platform::mount_table()
        && let Ok(root) = fs::canonicalize(&layout.root)
        && let Some(kind) = mounts::shared_file_system(&mounts, &root)
    {
        return Err(Error::NetworkFileSystem { path: path(), kind: kind.into() });
    }
    Ok(())
}

fn check_owner(layout: &Layout, ownership: Ownership) -> Result<(), Error> {
    let Ownership { owner, user, mode } = ownership;
    if owner != user {
        return Err(Error::ForeignOwner { path: layout.root.clone(), owner, user });
    }
    if mode & 0o022 != 0 {
        return Err(Error::WritableByOthers { path: layout.root.clone(), mode });
    }
    Ok(())
}
