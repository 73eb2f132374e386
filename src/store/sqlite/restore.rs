//! Making a store of a backup: in a new directory, and as it was at some event, where that is asked for.

mod ending;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::copy::{self, Copying};
use super::event_row::Head;
use super::failure::Failure;
use super::runs::checkpoint_in;
use super::table::table_path;
use super::{Layout, Store};
use crate::event::Position;
use crate::platform::directory::Access;
use crate::schema::Identifier;
use crate::store::backup::{KNOWN, KnownBackup, MOST_BYTES};
use crate::store::place::{Filling, MANIFEST, Marker};
use crate::store::restore::{Dropped, RestoreUntil, Restored};
use crate::store::{
    Backup, BackupFile, BackupProgress, BackupProjection, Checkpoint, Error, Options, PlaceFault,
};

/// Makes a store in `target` of the backup in `path`. `record` says in it that it was restored, before it is in its
/// place.
pub(in crate::store) fn restore(
    (path, target): (&Path, &Path),
    until: Option<RestoreUntil>,
    options: &Options,
    progress: &mut dyn FnMut(BackupProgress),
    record: impl FnOnce(Store, &Restored) -> Result<(), Error>,
) -> Result<Restored, Error> {
    let source = open(path, options)?;
    let (marker, text) = Marker::read_text(&source.layout.place)?;
    let backup = Manifest::read(&source, &marker)?;
    let (filling, place) = Filling::begin(target, options)?;
    let layout = Layout::of(place);
    let of = backup.files.iter().map(|file| file.bytes).sum();
    let mut copying = Copying::new(options, of, progress);
    let manifest = Manifest { source: &source, backup: &backup };
    let end = source.look(|connection| {
        manifest.check_head(connection)?;
        let end = end(connection, &backup, until)?;
        copying.copy(connection, &layout, "db")?;
        Ok(end)
    })?;
    let dropped = if end == backup.head {
        Dropped::default()
    } else {
        ending::end_at(&layout, options, &backup.head, &end)?
    };
    let projections = manifest.copy_tables(&layout, &end, &mut copying)?;
    let found = copy::complete(&layout, (&marker, &text), &end, options, copying.progress)?;
    if let Some(what) = found.damage
        && backup.damaged.is_none()
    {
        return Err(Error::Damaged { what });
    }
    remember(&source, &layout, &backup)?;
    let files = projections.iter().map(|(_, file)| &**file).chain(["db"]);
    let bytes = files.map(|file| layout.place.length(file)).sum();
    let is_damaged = backup.damaged.is_some();
    let path = filling.target().to_owned();
    let projections = projections.into_iter().map(|(name, _)| name).collect();
    let restored =
        Restored { path, backup, head: end, bytes, dropped, projections, to_rebuild: Vec::new() };
    let recorded = record(Store::of_marker(layout.clone(), marker, options)?, &restored);
    // What is damaged may not be written to, and is restored all the same.
    if !is_damaged {
        recorded?;
    }
    Marker::finish(&layout.place)?;
    filling.finish()?;
    Ok(restored)
}

/// Opens a backup.
fn open(path: &Path, options: &Options) -> Result<Store, Error> {
    let layout = Layout::open(path, options)?;
    if !layout.place.is_backup() {
        return Err(Error::Place { path: path.to_owned(), fault: PlaceFault::NoBackup });
    }
    Store::open_in(layout, options)
}

/// Has the new store know of the backup, which keeps what is removed from it.
fn remember(source: &Store, layout: &Layout, backup: &Backup) -> Result<(), Error> {
    let path = source.layout.place.real_path("").components().collect::<PathBuf>();
    let (time, head) = (backup.time, Some(backup.head));
    let known = KnownBackup { partial: path.clone(), path, time, head };
    let mut file = layout.place.open_file(KNOWN, Access::Create)?;
    let written = file.write_all(known.added_to(&[]).as_bytes());
    written.map_err(Error::io("write", &layout.place.path(KNOWN)))
}

/// Where the log ends, and what stands there.
fn end(
    connection: &Connection,
    backup: &Backup,
    until: Option<RestoreUntil>,
) -> Result<Checkpoint, Failure> {
    match until {
        None => Ok(backup.head),
        Some(RestoreUntil::Position(position)) => {
            checkpoint_in(connection, &backup.store, position)
        }
        Some(RestoreUntil::Time(time)) => {
            let last = ending::last_recorded(connection, time, backup.head.position.0)?;
            checkpoint_in(connection, &backup.store, Position(last))
        }
    }
}

/// A backup, and what its manifest says of it.
struct Manifest<'m> {
    source: &'m Store,
    backup: &'m Backup,
}

impl Manifest<'_> {
    /// Reads the manifest, and compares it with the marker and the files.
    fn read(source: &Store, marker: &Marker) -> Result<Backup, Error> {
        let text = source.layout.place.read_text(MANIFEST, MOST_BYTES)?.unwrap_or_default();
        let path = source.layout.root.clone();
        let backup = Backup::parse(path, &text).map_err(|reason| lie(source, reason))?;
        let manifest = Manifest { source, backup: &backup };
        manifest.same("store", &backup.store, &marker.id)?;
        manifest.same("format", &backup.format, &marker.format)?;
        let mut files = vec!["db".to_owned()];
        for projection in &backup.projections {
            files.push(table_path(&manifest.name_of(projection)?, projection.generation));
        }
        let said: Vec<_> = backup.files.iter().map(|file| file.name.clone()).collect();
        manifest.same("files", &said.join(", "), &files.join(", "))?;
        for BackupFile { name, bytes } in &backup.files {
            let found = source.layout.place.length(name);
            manifest.same(&format!("bytes of {name}"), bytes, &found)?;
        }
        Ok(backup)
    }

    /// That the manifest says what is there.
    fn same<T: PartialEq + ToString>(&self, key: &str, said: &T, found: &T) -> Result<(), Error> {
        if said == found {
            return Ok(());
        }
        let (said, found) = (said.to_string(), found.to_string());
        Err(lie(self.source, format!("it says {said} for `{key}`, and the backup has {found}")))
    }

    /// Compares it with the events.
    fn check_head(&self, connection: &Connection) -> Result<(), Failure> {
        let Backup { head, events, .. } = self.backup;
        let found = Head::read(connection, self.source.id())?;
        self.same("head", &head.position, &found.position)?;
        self.same("link", &head.link(), &found.link)?;
        let count = connection.query_row("SELECT count(*) FROM events", [], |row| row.get(0))?;
        self.same("events", events, &count)?;
        Ok(())
    }

    fn name_of(&self, projection: &BackupProjection) -> Result<Identifier, Error> {
        let name = projection.name.parse();
        name.map_err(|_| lie(self.source, format!("`{}` is not a projection", projection.name)))
    }

    /// Copies the rows of the projections that have not come further than `end`; their names, and their files.
    fn copy_tables(
        &self,
        layout: &Layout,
        end: &Checkpoint,
        copying: &mut Copying<'_>,
    ) -> Result<Vec<(String, String)>, Error> {
        layout.place.make_directory("projections")?;
        let mut copied = Vec::new();
        for projection in &self.backup.projections {
            let name = self.name_of(projection)?;
            let serves = self.source.name(&projection.name)?.map(|name| name.generation);
            let key = format!("generation of {name}");
            self.same(&key, &projection.generation, &serves.unwrap_or_default())?;
            if projection.position > end.position {
                continue;
            }
            let position = self.source.copy_table(&name, projection.generation, layout, copying);
            let position =
                position.map_err(|failed| failed.into_error(layout, "write the copy"))?;
            // It is damaged, and can be made again.
            let Some(position) = position else { continue };
            self.same(&format!("position of {name}"), &projection.position, &position)?;
            let file = table_path(&name, projection.generation);
            copied.push((projection.name.clone(), file));
        }
        Ok(copied)
    }
}

/// That a manifest is not that of the backup that it stands in.
fn lie(source: &Store, reason: String) -> Error {
    let path = source.layout.place.path(MANIFEST);
    Error::Place { path, fault: PlaceFault::Manifest { reason } }
}
