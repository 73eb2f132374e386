//! The place of a store: its directory, which is held open, and what may stand in it.
//!
//! A store is named by a path, and a path can lead elsewhere a moment later. So the directory is opened
//! once; everything in it is looked up from there, without following links, and is used only where it is
//! of the right kind, of this user alone and under no other name. SQLite opens its files by path: what it
//! has opened is compared with what stands in the directory, before anything is read from it.

mod filling;
mod marker;
mod mounts;
#[cfg(all(feature = "serve", unix))]
mod private;

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::platform::directory::{self, Access, Directory, Entry, Kind};
use crate::platform::{self, FileIdentity};
use crate::store::{Error, Options, PlaceFault};

pub(super) use filling::Filling;
pub(super) use marker::{ENGINE, Marker, random_id};
#[cfg(all(feature = "serve", unix))]
pub(crate) use private::read_private;

/// What may stand in a store's directory, below which the directories hold files alone. A directory
/// comes before what is in it.
const ENTRIES: [(&str, Kind); 15] = [
    ("store", Kind::File),
    (MANIFEST, Kind::File),
    ("backups", Kind::File),
    ("db", Kind::File),
    ("db-wal", Kind::File),
    ("db-shm", Kind::File),
    ("db-journal", Kind::File),
    ("bell", Kind::Directory),
    ("bell/bell", Kind::File),
    ("changes", Kind::File),
    ("lock", Kind::File),
    ("turnstile", Kind::File),
    ("runners", Kind::Directory),
    ("deciders", Kind::Directory),
    ("projections", Kind::Directory),
];

/// What a directory may hold in which the marker of a store is begun: what is made before the store is whole.
const MADE: [&str; 11] = [
    "store",
    "store.new",
    "db",
    "db-wal",
    "db-shm",
    "db-journal",
    "bell",
    "changes",
    "lock",
    "turnstile",
    "projections",
];

/// What it may hold before that.
const MADE_FIRST: [&str; 3] = ["lock", "turnstile", "store.new"];

/// What makes a store a backup: the manifest.
pub(super) const MANIFEST: &str = "backup.json";

/// The most bytes that a file of a few lines may have.
const SMALL: u64 = 4096;

/// The directory of a store, open.
#[derive(Debug)]
pub(super) struct Place {
    directory: Directory,
    /// Where it is, as it was named.
    named: PathBuf,
    user: u32,
    /// Whether owners and permissions are left alone.
    trusts: bool,
    /// Whether a manifest stands here: nothing is written to a backup.
    has_manifest: AtomicBool,
    /// Whether others may read something.
    open_to_read: AtomicBool,
    /// How much was taken from others.
    mended: AtomicUsize,
}

impl Place {
    /// Opens the directory `named`. Whether it may be used is not looked at.
    pub(super) fn open(named: &Path, options: &Options) -> Result<Self, Error> {
        let directory = Directory::open(named).map_err(|error| {
            let path = named.to_owned();
            match error.kind() {
                io::ErrorKind::NotFound => Error::NoStore { path },
                io::ErrorKind::NotADirectory => Error::NotADirectory { path },
                _ => Error::io("find", named)(error),
            }
        })?;
        Ok(Self {
            directory,
            named: named.to_owned(),
            user: directory::user(),
            trusts: options.trust_owner,
            has_manifest: AtomicBool::new(false),
            open_to_read: AtomicBool::new(false),
            mended: AtomicUsize::new(0),
        })
    }

    /// Opens the directory `named` to make a store in it, or to use the one that is there. It is made where
    /// nothing stands there, and taken from others where it holds no store yet.
    pub(super) fn make(named: &Path, options: &Options) -> Result<Self, Error> {
        Self::check_outside_stores(named)?;
        make_directory(named)?;
        let place = Self::open(named, options).map_err(|error| match error {
            // A name that leads nowhere.
            Error::NoStore { path } => Error::NotADirectory { path },
            error => error,
        })?;
        if !Marker::stands(&place)? && place.may_become_store()? {
            place.make_private()?;
        }
        place.check(options)?;
        Ok(place)
    }

    /// That a path does not lie in a store, in which nothing else belongs.
    pub(super) fn check_outside_stores(path: &Path) -> Result<(), Error> {
        match Marker::above(path) {
            None => Ok(()),
            Some(store) => {
                Err(Error::Place { path: path.to_owned(), fault: PlaceFault::Inside { store } })
            }
        }
    }

    /// Whether the directory holds nothing, or a store that is half made; `false` where it is whole by now.
    /// Anything else is an error.
    fn may_become_store(&self) -> Result<bool, Error> {
        let names = self.list(".")?;
        let ours = if Marker::is_begun(self)? { &MADE[..] } else { &MADE_FIRST };
        if names.iter().all(|name| ours.contains(&&**name)) {
            return Ok(true);
        }
        // Another may have finished it meanwhile.
        if Marker::stands(self)? {
            return Ok(false);
        }
        Err(Error::NotEmpty { path: self.named.clone() })
    }

    /// That the directory, and all that may stand in it, may be used. Nothing is changed.
    pub(super) fn check(&self, options: &Options) -> Result<(), Error> {
        self.judge(".", &self.own_entry()?, Kind::Directory)?;
        self.check_file_system(options)?;
        for (name, kind) in ENTRIES {
            let found = self.look(name, kind)?;
            if name == MANIFEST {
                self.has_manifest.store(found.is_some(), Ordering::Relaxed);
            }
        }
        Ok(())
    }

    /// Whether this is a backup, as far as [`Place::check`] has seen.
    pub(super) fn is_backup(&self) -> bool {
        self.has_manifest.load(Ordering::Relaxed)
    }

    /// That this is not a backup: nothing may change what is kept to be restored.
    pub(super) fn check_writable(&self) -> Result<(), Error> {
        if self.is_backup() {
            return Err(Error::Place { path: self.named.clone(), fault: PlaceFault::Backup });
        }
        Ok(())
    }

    /// Takes from others what they may do with the directory, where it is this user's.
    fn make_private(&self) -> Result<(), Error> {
        let entry = self.own_entry()?;
        if entry.owner != self.user || entry.mode & 0o777 == 0o700 {
            return Ok(());
        }
        let taken = self.directory.set_mode(".", 0o700);
        taken.map_err(Error::io("take the permissions of others from", &self.named))
    }

    fn own_entry(&self) -> Result<Entry, Error> {
        self.directory.entry().map_err(Error::io("look at", &self.named))
    }

    /// The kind of file system that it lies on, where other machines share that.
    pub(super) fn shared_file_system(&self) -> Option<String> {
        let mounts = platform::mount_table()?;
        mounts::shared_file_system(&mounts, self.directory.path()).map(str::to_owned)
    }

    /// That it lies on a file system of this machine alone.
    fn check_file_system(&self, options: &Options) -> Result<(), Error> {
        if !options.unsafe_file_system
            && !self.directory.is_surely_local()
            && let Some(kind) = self.shared_file_system()
        {
            let path = self.named.clone();
            return Err(Error::Place { path, fault: PlaceFault::Shared { kind } });
        }
        Ok(())
    }

    /// The path of `name`, as messages tell it.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        if name == "." { self.named.clone() } else { self.named.join(name) }
    }

    /// The path of `name` as it was when the directory was opened: absolute, and no symbolic link leads
    /// there.
    pub(super) fn real_path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// What stands under `name`, where that is fit; nothing where nothing does.
    fn look(&self, name: &str, kind: Kind) -> Result<Option<Entry>, Error> {
        let found = self.directory.look(name);
        let found = found.map_err(|error| Error::io("look at", &self.path(name))(error))?;
        if let Some(entry) = &found {
            self.judge(name, entry, kind)?;
        }
        Ok(found)
    }

    /// How long the file `name` is, in bytes; 0 where there is none.
    pub(super) fn length(&self, name: &str) -> u64 {
        self.directory.look(name).ok().flatten().map_or(0, |entry| entry.length)
    }

    /// Which file stands under `name`, where one does.
    pub(super) fn identify(&self, name: &str) -> Result<Option<FileIdentity>, Error> {
        Ok(self.look(name, Kind::File)?.map(|entry| entry.identity))
    }

    /// That what stands under `name` may be used.
    fn judge(&self, name: &str, entry: &Entry, kind: Kind) -> Result<(), Error> {
        let Entry { owner, mode, names, .. } = *entry;
        let fault = if entry.kind != kind {
            PlaceFault::Kind { found: entry.kind.to_string(), wanted: kind.to_string() }
        } else if kind == Kind::File && names > 1 {
            PlaceFault::Names { names }
        } else if self.trusts {
            return Ok(());
        } else if owner != self.user {
            PlaceFault::Owner { owner, user: self.user }
        } else if mode & 0o022 != 0 {
            PlaceFault::Writable { mode, directory: kind == Kind::Directory }
        } else {
            if mode & 0o077 != 0 {
                self.open_to_read.store(true, Ordering::Relaxed);
            }
            return Ok(());
        };
        Err(Error::Place { path: self.path(name), fault })
    }

    /// Opens a file. What others could read, they can't any more, where it is opened to be written.
    pub(super) fn open_file(&self, name: &str, access: Access) -> Result<File, Error> {
        Ok(self.open_identified(name, access)?.0)
    }

    /// The same, and which file it is.
    pub(super) fn open_identified(
        &self,
        name: &str,
        access: Access,
    ) -> Result<(File, FileIdentity), Error> {
        // A device may do something when it is opened.
        self.look(name, Kind::File)?;
        let (file, entry) = self
            .directory
            .open_file(name, access)
            .map_err(|error| Error::io("open", &self.path(name))(error))?;
        self.judge(name, &entry, Kind::File)?;
        if access != Access::Read {
            self.take_from_others(name, &entry);
        }
        Ok((file, entry.identity))
    }

    /// Reads a file of a few lines, no more of it than such a file ever has; `None` where there is none.
    pub(super) fn read_small(&self, name: &str) -> Result<Option<String>, Error> {
        self.read_text(name, SMALL)
    }

    /// Reads a file of text, no more of it than so many bytes; `None` where there is none.
    pub(super) fn read_text(&self, name: &str, most: u64) -> Result<Option<String>, Error> {
        let mut bytes = Vec::new();
        let file = match self.open_file(name, Access::Read) {
            Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                return Ok(None);
            }
            opened => opened?,
        };
        let read = file.take(most).read_to_end(&mut bytes);
        read.map_err(|error| Error::io("read", &self.path(name))(error))?;
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Makes a directory for its owner alone, where it is not there.
    pub(super) fn make_directory(&self, name: &str) -> Result<(), Error> {
        if self.look(name, Kind::Directory)?.is_some() {
            return Ok(());
        }
        match self.directory.create_directory(name) {
            // Another was faster.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                self.look(name, Kind::Directory).map(drop)
            }
            made => made.map_err(|error| Error::io("create", &self.path(name))(error)),
        }
    }

    /// Takes from others what they may read of a store. Whoever calls this knows that it is one.
    pub(super) fn mend(&self) -> Result<(), Error> {
        if !self.open_to_read.load(Ordering::Relaxed) {
            return Ok(());
        }
        for (name, kind) in [(".", Kind::Directory)].into_iter().chain(ENTRIES) {
            let Some(entry) = self.look(name, kind)? else { continue };
            self.take_from_others(name, &entry);
            if kind == Kind::Directory && name != "." && name != "bell" {
                self.mend_below(name)?;
            }
        }
        Ok(())
    }

    /// The same for the files in a directory. Whether they may be used shows when one is.
    fn mend_below(&self, directory: &str) -> Result<(), Error> {
        for name in self.list(directory)? {
            let name = format!("{directory}/{name}");
            let found = self.directory.look(&name);
            if let Ok(Some(entry)) = found
                && entry.kind == Kind::File
                && self.judge(&name, &entry, Kind::File).is_ok()
            {
                self.take_from_others(&name, &entry);
            }
        }
        Ok(())
    }

    /// Takes from others what they may read. Where that can't be changed, as on a file system that is
    /// read-only, the store is used all the same: they can't change it.
    fn take_from_others(&self, name: &str, entry: &Entry) {
        if !self.trusts
            && entry.mode & 0o077 != 0
            && self.directory.set_mode(name, entry.mode & 0o700).is_ok()
        {
            self.mended.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How much was taken from others since the directory was opened.
    pub(super) fn mended(&self) -> usize {
        self.mended.load(Ordering::Relaxed)
    }

    /// That the files of the database `name` may be used by SQLite, which waits for the other end of a
    /// named pipe, and plays back whatever journal it finds: ream leaves none.
    pub(super) fn check_database(&self, name: &str) -> Result<(), Error> {
        for beside in ["", "-wal", "-shm"] {
            let name = format!("{name}{beside}");
            if let Some(entry) = self.look(&name, Kind::File)? {
                self.take_from_others(&name, &entry);
            }
        }
        let journal = format!("{name}-journal");
        match self.look(&journal, Kind::File)? {
            None => Ok(()),
            Some(_) => Err(Error::Damaged {
                what: format!("{} is there, and ream leaves none", self.path(&journal).display()),
            }),
        }
    }

    /// Takes back what SQLite may have given away of the files beside the database `name`, which
    /// [`Place::check_database`] has just found to be this user's. For root it gives a log to whoever owns
    /// what it finds under the database's path, and that may lead elsewhere for a moment.
    pub(super) fn take_back(&self, name: &str) {
        for beside in ["-wal", "-shm"] {
            let name = format!("{name}{beside}");
            if !self.trusts
                && let Ok(Some(entry)) = self.directory.look(&name)
                && entry.owner != self.user
            {
                // Where that fails, the next look tells whose it is.
                let _ = self.directory.set_owner(&name, self.user);
            }
        }
    }

    pub(super) fn list(&self, name: &str) -> Result<Vec<String>, Error> {
        self.directory.list(name).map_err(|error| Error::io("list", &self.path(name))(error))
    }

    pub(super) fn sync(&self, name: &str) -> Result<(), Error> {
        self.directory.sync(name).map_err(|error| Error::io("sync", &self.path(name))(error))
    }

    /// Renames in the place of what stood under the new name.
    pub(super) fn rename(&self, from: &str, to: &str) -> Result<(), Error> {
        self.directory.rename(from, to).map_err(|error| Error::io("write", &self.path(to))(error))
    }

    /// Removes a file or a link, where there is one.
    pub(super) fn remove(&self, name: &str) -> Result<(), Error> {
        match self.directory.remove(name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::io("remove", &self.path(name))(error))
            }
            _ => Ok(()),
        }
    }

    /// Makes a symbolic link under `name` that leads to `to`, in the place of what stood there. It is
    /// for other programs: where links need a privilege, there is none.
    pub(super) fn link(&self, to: &str, name: &str) -> Result<(), Error> {
        let new = format!("{name}.new");
        self.remove(&new)?;
        match self.directory.link(to, &new) {
            Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(()),
            made => made
                .and_then(|()| self.directory.rename(&new, name))
                .map_err(|error| Error::io("link", &self.path(name))(error)),
        }
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
