//! The directory of a backup or of a restored store: it is filled under another name beside its place, and
//! put there when it is whole. So whoever is killed leaves nothing in its place, or all of it.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::Place;
use crate::platform;
use crate::platform::directory::Access;
use crate::store::{Error, Options, PlaceFault};

/// How the name of the directory ends while it is filled.
const ENDING: &str = ".partial";
/// The file that says that a directory is being filled, and what is in it. Who fills it has locked it.
const MARK: &str = "partial";
const TEXT: &str = "ream partial\n";
/// How often it is begun anew, where another process begins at the same moment.
const ATTEMPTS: usize = 10;

/// A directory that is being filled. Where it is dropped unfinished, it is removed.
#[derive(Debug)]
pub(in crate::store) struct Filling {
    /// Where it is filled.
    partial: PathBuf,
    /// Where it will be.
    target: PathBuf,
    /// Its mark, locked until it is in its place: no other process takes it for abandoned.
    mark: File,
    is_finished: bool,
}

impl Filling {
    /// Begins to fill a directory that will be `target`, which must be missing or an empty directory; the
    /// directory above it must be there. What another one left of it when it was killed is removed.
    pub(in crate::store) fn begin(
        target: &Path,
        options: &Options,
    ) -> Result<(Self, Place), Error> {
        let target = free(target)?;
        Place::check_outside_stores(&target)?;
        let mut name = target.file_name().map(ToOwned::to_owned).unwrap_or_default();
        name.push(ENDING);
        let partial = target.with_file_name(name);
        for _ in 0..ATTEMPTS {
            match platform::create_private_dir(&partial) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    remove_abandoned(&partial, options)?;
                    continue;
                }
                Err(error) => return Err(Error::io("create", &partial)(error)),
            }
            match own(&partial, options) {
                Ok((mark, place)) => {
                    return Ok((Self { partial, target, mark, is_finished: false }, place));
                }
                // Another process has taken it for abandoned before it was locked.
                Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    // While it is empty, whoever else has made it meanwhile makes it again.
                    let _ = fs::remove_dir(&partial);
                    return Err(error);
                }
            }
        }
        Err(running(&partial))
    }

    /// Where it will be: from the root on, without symbolic links.
    pub(in crate::store) fn target(&self) -> &Path {
        &self.target
    }

    /// Where it is filled.
    pub(in crate::store) fn partial(&self) -> &Path {
        &self.partial
    }

    /// Puts it in its place, durably. Everything in it is durable already, and no one has a file of it open.
    pub(in crate::store) fn finish(mut self) -> Result<(), Error> {
        match fs::rename(&self.partial, &self.target) {
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::DirectoryNotEmpty
                        | io::ErrorKind::AlreadyExists
                        | io::ErrorKind::NotADirectory
                ) =>
            {
                return Err(occupied(&self.target));
            }
            renamed => renamed.map_err(Error::io("create", &self.target))?,
        }
        self.is_finished = true;
        let parent = self.target.parent().unwrap_or(Path::new("."));
        platform::sync_dir(parent).map_err(Error::io("sync", parent))?;
        // It is whole with this file as well, and a store passes over what is not its own.
        let _ = fs::remove_file(self.target.join(MARK));
        // Closing the file does that, too, but not before a child that is being started lets go of it.
        let _ = self.mark.unlock();
        Ok(())
    }
}

impl Drop for Filling {
    fn drop(&mut self) {
        if !self.is_finished {
            // What can't be removed now is removed by the next one that is filled here.
            let _ = fs::remove_dir_all(&self.partial);
        }
    }
}

/// The path of a directory that is missing or empty, from the root on and without symbolic links.
fn free(target: &Path) -> Result<PathBuf, Error> {
    let look = |error| Error::io("look at", target)(error);
    match fs::canonicalize(target) {
        Ok(found) => {
            let entries = fs::read_dir(&found).map_err(|error| match error.kind() {
                io::ErrorKind::NotADirectory => occupied(target),
                _ => look(error),
            });
            if entries?.next().is_some() {
                return Err(occupied(target));
            }
            let parent = found.parent().map(platform::identify).transpose().map_err(look)?;
            let own = platform::identify(&found).map_err(look)?;
            if parent.is_none_or(|parent| !parent.is_beside(own)) {
                let (path, fault) = (target.to_owned(), PlaceFault::MountPoint);
                return Err(Error::Place { path, fault });
            }
            Ok(found)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // A symbolic link that leads nowhere.
            if target.symlink_metadata().is_ok() {
                return Err(occupied(target));
            }
            let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty());
            let parent = parent.unwrap_or(Path::new("."));
            let name = target.file_name().ok_or_else(|| occupied(target))?;
            Ok(fs::canonicalize(parent).map_err(Error::io("find", parent))?.join(name))
        }
        Err(error) => Err(look(error)),
    }
}

fn occupied(path: &Path) -> Error {
    Error::Place { path: path.to_owned(), fault: PlaceFault::Occupied }
}

fn running(partial: &Path) -> Error {
    let name = format!("the backup or restore into {}", partial.with_extension("").display());
    Error::Running { name, by: "another process".into() }
}

/// Takes a directory that was just made: locks it, and says what it is.
fn own(partial: &Path, options: &Options) -> Result<(File, Place), Error> {
    let place = Place::open(partial, options).map_err(|error| match error {
        Error::NoStore { path } => Error::io("open", &path)(io::ErrorKind::NotFound.into()),
        error => error,
    })?;
    place.check(options)?;
    let mut mark = lock(&place)?.ok_or_else(|| running(partial))?;
    check_stands(&place, partial)?;
    if let Err(error) = mark.write_all(TEXT.as_bytes()) {
        // It is locked, so it is no one else's.
        let _ = fs::remove_dir_all(partial);
        return Err(Error::io("write", &place.path(MARK))(error));
    }
    Ok((mark, place))
}

/// Locks the directory, where no one has.
fn lock(place: &Place) -> Result<Option<File>, Error> {
    let file = place.open_file(MARK, Access::Create)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(Error::io("lock", &place.path(MARK))(error)),
    }
}

/// That the directory is still under its name, now that it is locked.
fn check_stands(place: &Place, partial: &Path) -> Result<(), Error> {
    let found = platform::identify(partial).map_err(Error::io("find", partial))?;
    if found == place.own_entry()?.identity {
        return Ok(());
    }
    Err(Error::io("find", partial)(io::ErrorKind::NotFound.into()))
}

/// Removes what another one left that was killed. Only what is surely that is touched: it says so itself,
/// or holds nothing, and no one has locked it.
fn remove_abandoned(partial: &Path, options: &Options) -> Result<(), Error> {
    let place = match Place::open(partial, options) {
        // Its owner has just given it up, or put it in its place.
        Err(Error::NoStore { .. }) => return Ok(()),
        Err(Error::NotADirectory { path }) => return Err(occupied(&path)),
        opened => opened?,
    };
    place.check(options)?;
    let mark = place.read_small(MARK)?.unwrap_or_default();
    let is_marked = mark == TEXT;
    // Between its making and its mark there is no more in it than a part of that.
    let names = place.list(".")?;
    let is_new = names.iter().all(|name| name == MARK) && TEXT.starts_with(&mark);
    if !is_marked && !is_new {
        return Err(occupied(partial));
    }
    let Some(_lock) = lock(&place)? else { return Err(running(partial)) };
    if check_stands(&place, partial).is_err() {
        return Ok(());
    }
    fs::remove_dir_all(partial).map_err(Error::io("remove", partial))?;
    if is_marked {
        let (path, fault) = (partial.to_owned(), PlaceFault::Unfinished);
        options.warn(&Error::Place { path, fault });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> Options {
        Options::default()
    }

    fn fault(error: &Error) -> Option<&PlaceFault> {
        match error {
            Error::Place { fault, .. } => Some(fault),
            _ => None,
        }
    }

    #[test]
    fn a_directory_appears_when_it_is_whole_and_nothing_is_overwritten() {
        let home = tempfile::tempdir().unwrap();
        for exists in [false, true] {
            let target = home.path().join(format!("exists-{exists}"));
            if exists {
                fs::create_dir(&target).unwrap();
            }
            let (filling, place) = Filling::begin(&target, &options()).unwrap();
            place.open_file("db", Access::Create).unwrap();
            assert!(!target.join("db").exists());
            filling.finish().unwrap();
            assert_eq!(place.list(".").unwrap(), ["db"]);
            assert!(target.join("db").exists());
            let again = Filling::begin(&target, &options()).unwrap_err();
            assert_eq!(fault(&again), Some(&PlaceFault::Occupied));
        }
        let target = home.path().join("raced");
        let (filling, _) = Filling::begin(&target, &options()).unwrap();
        fs::create_dir(&target).unwrap();
        fs::write(target.join("mine"), "x").unwrap();
        assert_eq!(fault(&filling.finish().unwrap_err()), Some(&PlaceFault::Occupied));
        assert_eq!(fs::read_dir(&target).unwrap().count(), 1);
        assert!(!home.path().join("raced.partial").exists());
    }

    #[test]
    fn only_one_fills_a_directory() {
        let home = tempfile::tempdir().unwrap();
        let target = home.path().join("x");
        let (filling, _) = Filling::begin(&target, &options()).unwrap();
        let other = Filling::begin(&target, &options()).unwrap_err();
        assert!(matches!(other, Error::Running { .. }), "{other}");
        drop(filling);
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
        Filling::begin(&target, &options()).unwrap();
    }

    #[test]
    fn what_was_left_is_removed_and_what_is_another_s_stays() {
        let home = tempfile::tempdir().unwrap();
        let (target, partial) = (home.path().join("x"), home.path().join("x.partial"));
        let leave = |names: &[(&str, &str)]| {
            let _ = fs::remove_dir_all(&partial);
            platform::create_private_dir(&partial).unwrap();
            for (name, text) in names {
                fs::write(partial.join(name), text).unwrap();
            }
        };
        for left in [&[][..], &[("partial", "ream")], &[("partial", TEXT), ("db", "x")]] {
            leave(left);
            Filling::begin(&target, &options()).unwrap();
            assert!(!partial.exists());
        }
        for other in [&[("db", "x")][..], &[("partial", "of a song")], &[("lock", "")]] {
            leave(other);
            let refused = Filling::begin(&target, &options()).unwrap_err();
            assert_eq!(fault(&refused), Some(&PlaceFault::Occupied));
            assert_eq!(fs::read_dir(&partial).unwrap().count(), other.len());
        }
    }
}
