//! A store that SQLite keeps. The only rooms that know SQL.
//!
//! `db` holds events, states, decisions and the registry of names, in WAL mode with `synchronous=FULL`.
//! No room opens it, its WAL or its shared memory with an ordinary file call: closing such a
//! descriptor would drop SQLite's locks of the whole process.

mod backup;
mod compact;
mod copy;
mod database;
mod decision_rows;
mod decisions;
mod engine;
mod erase;
mod event_row;
mod failure;
mod init;
mod keys;
mod lock;
mod log;
mod look;
mod payload;
mod plan;
mod reading;
mod records;
mod redact;
mod registry;
mod remove;
mod restore;
mod runs;
mod schema;
mod scrub;
mod settings;
mod state_rows;
mod states;
mod stream_index;
mod streams;
mod table;
#[cfg(all(feature = "serve", unix))]
mod token;
mod transaction;
mod truncate;
mod tx;
mod verify;
mod view;
mod vitals;
mod watch;
mod writer;

use std::cell::OnceCell;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::Connection;

use self::lock::Queue;
use self::look::Looking;
use self::writer::Writer;
use super::place::{Marker, Place};
use super::{Error, Options};
use crate::platform::{self, FileIdentity, Origin};

pub(crate) use self::lock::Turn;
pub(super) use self::restore::restore;
pub(crate) use self::table::statements;
pub(crate) use self::watch::Watch;

/// Where a store is, and the names of what is in it.
#[derive(Debug, Clone)]
struct Layout {
    /// The store's directory, as it was named.
    root: PathBuf,
    /// The store's directory, open.
    place: Arc<Place>,
    /// The SQLite file of events, states, decisions and subscriptions.
    database: PathBuf,
    /// Its write-ahead log.
    wal: PathBuf,
    /// Its index of that log, which its users share.
    shared_memory: PathBuf,
    /// The directory that followers watch.
    bell_dir: PathBuf,
}

impl Layout {
    /// Opens the directory `root`, and looks whether it may be used. Nothing is changed.
    fn open(root: &Path, options: &Options) -> Result<Self, Error> {
        let place = Place::open(root, options)?;
        place.check(options)?;
        Ok(Self::of(place))
    }

    /// The layout in a directory that may be used.
    fn of(place: Place) -> Self {
        Self {
            root: place.path("."),
            database: place.real_path("db"),
            wal: place.real_path("db-wal"),
            shared_memory: place.real_path("db-shm"),
            bell_dir: place.real_path("bell"),
            place: Arc::new(place),
        }
    }
}

/// The store's files, who it is, and a connection to write by once something is written.
#[derive(Debug)]
pub(crate) struct Store {
    layout: Layout,
    marker: Marker,
    options: Options,
    /// Which file the database was when the store was opened.
    database: FileIdentity,
    queue: Queue,
    /// Whether this process has decided before.
    has_decided: bool,
    /// Whether what is in a writer's way is waited for.
    is_patient: bool,
    writer: Option<Writer>,
    /// What looking needs, once something is looked at.
    looking: OnceCell<Looking>,
}

impl Store {
    /// Opens the store in `path`.
    pub(crate) fn open(path: &Path, options: &Options) -> Result<Self, Error> {
        Self::open_in(Layout::open(path, options)?, options)
    }

    /// Opens the store whose directory is open.
    fn open_in(layout: Layout, options: &Options) -> Result<Self, Error> {
        database::check_version()?;
        let marker = Marker::read(&layout.place)?;
        layout.place.mend()?;
        Self::of_marker(layout, marker, options)
    }

    /// The store whose directory is open, and whose marker says or will say this.
    fn of_marker(layout: Layout, marker: Marker, options: &Options) -> Result<Self, Error> {
        let database = identify(&layout)?;
        let queue = Queue::of_writers(&layout);
        Ok(Self {
            layout,
            marker,
            options: options.clone(),
            database,
            queue,
            has_decided: false,
            is_patient: true,
            writer: None,
            looking: OnceCell::new(),
        })
    }

    pub(crate) fn id(&self) -> &str {
        &self.marker.id
    }

    pub(crate) fn max_data_bytes(&self) -> usize {
        self.marker.max_data_bytes
    }

    pub(crate) fn path(&self) -> &Path {
        &self.layout.root
    }

    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    /// Where the database comes from, or why that can't be told.
    pub(crate) fn origin(&self) -> Result<Origin, &'static str> {
        platform::origin(&self.layout.database)
    }

    pub(crate) fn mended(&self) -> usize {
        self.layout.place.mended()
    }

    pub(crate) fn is_interrupted(&self) -> bool {
        self.options.interrupted()
    }

    pub(crate) fn watch(&self) -> Watch {
        Watch::new(&self.layout)
    }

    /// A connection that only reads.
    fn reading_connection(&self) -> Result<Connection, Error> {
        database::open_to_read(&self.layout, &self.options)
    }

    /// That the database is still the file that was opened.
    fn check_in_place(&self) -> Result<(), Error> {
        check_in_place(&self.layout, self.database)
    }

    /// Opens what writing needs, where it is not open yet.
    fn open_writer(&mut self) -> Result<(), Error> {
        if self.writer.is_some() {
            return Ok(());
        }
        self.writer = Some(Writer::open(&self.layout, &self.marker, &self.options)?);
        Ok(())
    }
}

impl Store {
    /// Ends the use of the store, but for what the end of the process does.
    pub(crate) fn leave(mut self) {
        self.shorten_log();
        std::mem::forget(self);
    }

    fn shorten_log(&mut self) {
        if let Some(writer) = &mut self.writer {
            writer.shorten_log();
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.shorten_log();
    }
}

/// Which file the database is; that there is none is an error.
fn identify(layout: &Layout) -> Result<FileIdentity, Error> {
    let missing = || Error::io("find", &layout.place.path("db"))(io::ErrorKind::NotFound.into());
    layout.place.identify("db")?.ok_or_else(missing)
}

/// That the name of the store still leads to the database that was opened. A file that is open keeps its
/// number, so no other can have it.
fn check_in_place(layout: &Layout, opened: FileIdentity) -> Result<(), Error> {
    if platform::identify(&layout.place.path("db")).is_ok_and(|found| found == opened) {
        return Ok(());
    }
    Err(Error::Replaced { path: layout.root.clone() })
}
