//! Making a backup: the store as it is at one moment, while others write.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::copy::{self, Copying};
use super::event_row::Head;
use super::lock::Queue;
use super::records::Witness;
use super::stream_index::{StreamRow, position_of};
use super::table::{remove_copy, table_path};
use super::writer::Writer;
use super::{Layout, Store, log, registry, state_rows};
use crate::event::{Position, Version};
use crate::platform::directory::Access;
use crate::schema::Identifier;
use crate::store::backup::{KNOWN, KnownBackup, MOST_BYTES};
use crate::store::place::{Filling, MANIFEST, Marker};
use crate::store::rules::names::{Kind, Name};
use crate::store::vitals::LastBackup;
use crate::store::{
    Backup, BackupFile, BackupProgress, BackupProjection, Checkpoint, Error, NewBackup, Options,
};

/// The lock of who changes it. No name's lock has a dot.
const KNOWN_LOCK: &str = "runners/ream.backups";

/// What of the rows of a projection was copied.
struct CopiedTable {
    name: Identifier,
    generation: u64,
    position: Position,
}

impl Store {
    /// Makes a backup in `path`.
    pub(crate) fn backup(
        &self,
        path: &Path,
        new: &NewBackup,
        progress: &mut dyn FnMut(BackupProgress),
    ) -> Result<Backup, Error> {
        let (filling, place) = Filling::begin(path, &self.options)?;
        let layout = Layout::of(place);
        let mut known = KnownBackup {
            path: filling.target().to_owned(),
            partial: filling.partial().to_owned(),
            time: (self.options.clock)(),
            head: None,
        };
        self.remember(&known);
        let made = self.fill(&layout, new, progress).and_then(|backup| {
            let backup = Backup { path: known.path.clone(), time: known.time, ..backup };
            write_manifest(&layout, &backup)?;
            Marker::finish(&layout.place)?;
            filling.finish()?;
            Ok(backup)
        });
        match &made {
            Ok(backup) => {
                known.head = Some(backup.head);
                self.remember(&known);
            }
            Err(_) => self.change_known(|lines| known.taken_from(lines)),
        }
        self.cut_long_log();
        made
    }

    /// Fills a directory with a copy of the store.
    fn fill(
        &self,
        layout: &Layout,
        new: &NewBackup,
        progress: &mut dyn FnMut(BackupProgress),
    ) -> Result<Backup, Error> {
        let (marker, text) = Marker::read_text(&self.layout.place)?;
        // What is wrong with the store ends this, or is what was asked for.
        let quiet = Options { on_warning: None, ..self.options.clone() };
        let source = Self::open_in(self.layout.clone(), &quiet)?;
        let names = if new.projections { source.names()? } else { Vec::new() };
        let projections: Vec<_> = names.iter().filter_map(projection).collect();
        let of = projections.iter().map(|(name, generation)| self.table_bytes(name, *generation));
        let of = of.sum::<u64>() + self.layout.place.length("db");
        let mut copying = Copying::new(&quiet, of, progress);
        // They go before the events: so no checkpoint lies beyond the last event that is copied.
        let tables = self.copy_tables(&projections, layout, &mut copying)?;
        // What was acknowledged is read before the first look at the events.
        let witness = Witness::read(&self.layout);
        let mut damaged = None;
        let (head, names) = source.look(|connection| {
            let head = Head::read(connection, self.id())?;
            if let Some(lost) = witness.lost(connection, &self.layout, &head)? {
                damaged = Some(lost.to_string());
                if !new.damaged {
                    return Err(lost.into());
                }
            }
            copying.copy(connection, layout, "db")?;
            let names = if tables.is_empty() { Vec::new() } else { registry::all(connection)? };
            Ok((Checkpoint { position: head.position, link: head.link }, names))
        })?;
        let tables = keep_serving(layout, tables, &names)?;
        let found = copy::complete(layout, (&marker, &text), &head, &quiet, copying.progress)?;
        if let Some(what) = found.damage {
            if !new.damaged {
                return Err(Error::Damaged { what });
            }
            damaged = Some(damaged.map_or(what.clone(), |lost: String| format!("{lost}; {what}")));
        }
        let paths = tables.iter().map(|table| table_path(&table.name, table.generation));
        let files = std::iter::once("db".into()).chain(paths);
        let file = |name: String| BackupFile { bytes: layout.place.length(&name), name };
        Ok(Backup {
            path: layout.root.clone(),
            made_by: concat!("ream ", env!("CARGO_PKG_VERSION")).into(),
            store: marker.id,
            format: marker.format,
            head,
            time: (self.options.clock)(),
            events: found.events,
            files: files.map(file).collect(),
            projections: tables.into_iter().map(CopiedTable::into_entry).collect(),
            damaged,
        })
    }

    fn copy_tables(
        &self,
        projections: &[(Identifier, u64)],
        layout: &Layout,
        copying: &mut Copying<'_>,
    ) -> Result<Vec<CopiedTable>, Error> {
        layout.place.make_directory("projections")?;
        let mut tables = Vec::new();
        for (name, generation) in projections {
            let copied = self.copy_table(name, *generation, layout, copying);
            let copied = copied.map_err(|failed| failed.into_error(layout, "write the copy"))?;
            let (name, generation) = (name.clone(), *generation);
            tables.extend(copied.map(|position| CopiedTable { name, generation, position }));
        }
        Ok(tables)
    }

    /// Cuts the log, which could not start over while the copy was made; where no one is in the way.
    fn cut_long_log(&self) {
        let options = Options { on_warning: None, ..self.options.clone() };
        if log::is_long(log::wal_bytes(&self.layout))
            && let Ok(Some(turn)) = Queue::of_writers(&self.layout).try_enter()
            && let Ok(mut writer) = Writer::open(&self.layout, &self.marker, &options)
        {
            // Otherwise whoever writes next does.
            let _ = writer.cut(&turn);
        }
    }
}

impl CopiedTable {
    fn into_entry(self) -> BackupProjection {
        let Self { name, generation, position } = self;
        BackupProjection { name: name.to_string(), generation, position }
    }
}

/// The projection that has a name, and its generation that serves.
fn projection(name: &Name) -> Option<(Identifier, u64)> {
    let is_projection = name.kind == Some(Kind::Projection);
    Some((is_projection.then_some(&name.text)?.parse().ok()?, name.generation))
}

/// Removes the copies of what no longer served when the events were copied.
fn keep_serving(
    layout: &Layout,
    tables: Vec<CopiedTable>,
    names: &[Name],
) -> Result<Vec<CopiedTable>, Error> {
    let serving: Vec<_> = names.iter().filter_map(projection).collect();
    let mut kept = Vec::new();
    for table in tables {
        if serving.contains(&(table.name.clone(), table.generation)) {
            kept.push(table);
        } else {
            remove_copy(layout, &table.name, table.generation)?;
        }
    }
    Ok(kept)
}

/// Writes the manifest, durably but for its name.
fn write_manifest(layout: &Layout, backup: &Backup) -> Result<(), Error> {
    let place = &layout.place;
    let text = backup
        .to_json()
        .map_err(|error| Error::Engine { action: "write the manifest", source: error.into() })?;
    let mut file = place.open_file(MANIFEST, Access::Create)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    written.map_err(Error::io("write", &place.path(MANIFEST)))
}

impl Store {
    pub(crate) fn is_backup(&self) -> bool {
        self.layout.place.is_backup()
    }

    /// The backups that the store knows of and that may hold events or the state of the stream `name`.
    pub(crate) fn backups_of(&self, name: &str) -> Result<Vec<PathBuf>, Error> {
        let known = KnownBackup::parse(&self.known_backups()?);
        if known.is_empty() {
            return Ok(Vec::new());
        }
        let first = self.look(|connection| {
            let row = StreamRow::read(connection, name)?;
            let event = position_of(connection, name, &row, Version(row.version.min(1)))?;
            let state = state_rows::stored(connection, name)?.map(|state| state.position);
            Ok(if event == 0 { state.unwrap_or(Position(0)) } else { Position(event) })
        })?;
        let holding = known.iter().filter_map(|backup| backup.holds(self.id(), first));
        Ok(holding.map(Path::to_owned).collect())
    }

    /// The last backup that was made, where one was.
    pub(super) fn last_backup(&self) -> Result<Option<LastBackup>, Error> {
        let known = KnownBackup::parse(&self.known_backups()?).into_iter();
        let last = known.filter(|backup| backup.head.is_some()).max_by_key(|backup| backup.time);
        Ok(last.map(|KnownBackup { path, time, .. }| {
            let is_there = path.join(MANIFEST).is_file();
            LastBackup { path, time, is_there }
        }))
    }

    /// The lines of the backups that were made; none where there were none.
    fn known_backups(&self) -> Result<String, Error> {
        Ok(self.layout.place.read_text(KNOWN, MOST_BYTES)?.unwrap_or_default())
    }

    /// Remembers a backup, in the place of an older one at its path.
    fn remember(&self, backup: &KnownBackup) {
        self.change_known(|lines| backup.added_to(lines));
    }

    /// Changes which backups are remembered. Where that is not possible, as on a file system that is read-only,
    /// a backup is made all the same.
    fn change_known(&self, change: impl FnOnce(&[KnownBackup]) -> String) {
        let place = &self.layout.place;
        let changed = || {
            place.check_writable()?;
            place.make_directory("runners")?;
            let mut queue = Queue::of_runner(&self.layout, KNOWN_LOCK.into());
            let _turn = queue.enter(&self.options)?;
            let lines = change(&KnownBackup::parse(&self.known_backups()?));
            let new = format!("{KNOWN}.new");
            place.remove(&new)?;
            let written = place.open_file(&new, Access::Create)?.write_all(lines.as_bytes());
            written.map_err(Error::io("write", &place.path(&new)))?;
            place.rename(&new, KNOWN)
        };
        // Of a backup no other is remembered.
        if let Err(error) = changed()
            && !place.is_backup()
        {
            self.options.warn(&error);
        }
    }
}
