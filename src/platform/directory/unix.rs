//! Directories on Unix.

use std::ffi::CStr;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{self as system, AtFlags, Dir, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::{Access, Entry, FileIdentity, Kind, OpenFile};

/// How a directory is held where that asks for no right to list it: who may not is told whose it is.
#[cfg(any(target_os = "linux", target_os = "android"))]
const HELD: OFlags = OFlags::PATH;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const HELD: OFlags = OFlags::RDONLY;

/// A directory, open.
#[derive(Debug)]
pub(crate) struct Directory {
    descriptor: OwnedFd,
    path: PathBuf,
}

impl Directory {
    /// Opens the directory that `path` leads to.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let path = fs::canonicalize(path)?;
        let flags = HELD | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let descriptor = system::open(&path, flags, Mode::empty())?;
        Ok(Self { descriptor, path })
    }

    /// Where it was when it was opened: absolute and free of symbolic links.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What the system knows about the directory itself.
    pub(crate) fn entry(&self) -> io::Result<Entry> {
        Ok(entry(&system::fstat(&self.descriptor)?))
    }

    /// What stands under `name`, if anything does; nothing is opened.
    pub(crate) fn look(&self, name: &str) -> io::Result<Option<Entry>> {
        match entry_of(&self.descriptor, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(entry) => Ok(Some(entry)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Opens a file, and says what was opened. Neither a named pipe nor a device makes it wait.
    pub(crate) fn open_file(&self, name: &str, access: Access) -> io::Result<(File, Entry)> {
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let flags = flags | if access == Access::Read { OFlags::RDONLY } else { OFlags::RDWR };
        let file = match system::openat(&self.descriptor, name, flags, Mode::empty()) {
            Err(Errno::NOENT) if access == Access::Create => {
                let mode = Mode::from_raw_mode(0o600);
                let flags = flags | OFlags::CREATE;
                let created = system::openat(&self.descriptor, name, flags, mode)?;
                system::fchmod(&created, mode)?;
                created
            }
            opened => opened?,
        };
        let entry = entry_of_open(&file)?;
        Ok((file.into(), entry))
    }

    /// Makes a directory for its owner alone, whatever the umask.
    pub(crate) fn create_directory(&self, name: &str) -> io::Result<()> {
        let mode = Mode::from_raw_mode(0o700);
        system::mkdirat(&self.descriptor, name, mode)?;
        Ok(system::chmodat(&self.descriptor, name, mode, AtFlags::empty())?)
    }

    /// Gives what stands under `name` these permission bits. A symbolic link would be followed: whoever
    /// calls this has looked. The directory's own name is `.`.
    pub(crate) fn set_mode(&self, name: &str, mode: u32) -> io::Result<()> {
        // The bits fit whatever width the system declares.
        let mode = Mode::from_bits_truncate(mode as _);
        Ok(system::chmodat(&self.descriptor, name, mode, AtFlags::empty())?)
    }

    /// Gives what stands under `name` to a user; a symbolic link is not followed.
    pub(crate) fn set_owner(&self, name: &str, user: u32) -> io::Result<()> {
        let user = Some(rustix::fs::Uid::from_raw(user));
        Ok(system::chownat(&self.descriptor, name, user, None, AtFlags::SYMLINK_NOFOLLOW)?)
    }

    /// Makes a symbolic link under `name` that leads to `to`.
    pub(crate) fn link(&self, to: &str, name: &str) -> io::Result<()> {
        Ok(system::symlinkat(to, &self.descriptor, name)?)
    }

    /// Renames, in the place of what stood under the new name.
    pub(crate) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(system::renameat(&self.descriptor, from, &self.descriptor, to)?)
    }

    /// Removes what is not a directory.
    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        Ok(system::unlinkat(&self.descriptor, name, AtFlags::empty())?)
    }

    /// The names in the directory `name`; those of this one are in `.`.
    pub(crate) fn list(&self, name: &str) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in Dir::new(self.open_directory(name)?)? {
            let entry = entry?;
            let found = entry.file_name().to_string_lossy().into_owned();
            if found != "." && found != ".." {
                names.push(found);
            }
        }
        Ok(names)
    }

    /// Makes the names in the directory `name` durable; those of this one are in `.`.
    pub(crate) fn sync(&self, name: &str) -> io::Result<()> {
        Ok(system::fsync(self.open_directory(name)?)?)
    }

    /// Whether it lies on a file system that no other machine can share, by one cheap question;
    /// where this says no, the mount table tells.
    pub(crate) fn is_surely_local(&self) -> bool {
        /// What statfs(2) calls ext, XFS, Btrfs, F2FS, ZFS, tmpfs, overlayfs and bcachefs.
        #[cfg(any(target_os = "linux", target_os = "android"))]
        const LOCAL: [u64; 8] = [
            0xef53,
            0x5846_5342,
            0x9123_683e,
            0xf2f5_2010,
            0x2fc1_2fc1,
            0x0102_1994,
            0x794c_7630,
            0xca45_1a4e,
        ];
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if let Ok(found) = system::fstatfs(&self.descriptor) {
            // The type is a 32-bit number, of whatever width and sign the system declares.
            return u64::try_from(found.f_type).is_ok_and(|kind| LOCAL.contains(&kind));
        }
        false
    }

    fn open_directory(&self, name: &str) -> io::Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(system::openat(&self.descriptor, name, flags, Mode::empty())?)
    }
}

/// The number of the user that this process acts as.
pub(crate) fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// The regular files that this process has open. None of them is opened for it. `None` where the
/// system has no list of them.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn open_files() -> Option<Vec<OpenFile>> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let list = system::open("/proc/self/fd", flags, Mode::empty()).ok()?;
    let mut files = Vec::with_capacity(16);
    let mut buffer = [std::mem::MaybeUninit::<u8>::uninit(); 2048];
    let mut names = system::RawDir::new(&list, &mut buffer);
    while let Some(name) = names.next() {
        let name = name.ok()?;
        let Some(descriptor) = number(name.file_name()) else { continue };
        // A descriptor of another thread may be closed by now.
        let Ok(stat) = system::statat(&list, name.file_name(), AtFlags::empty()) else { continue };
        if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile {
            files.push(OpenFile { descriptor, identity: entry(&stat).identity });
        }
    }
    Some(files)
}

/// The same where the system has no such list.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn open_files() -> Option<Vec<OpenFile>> {
    None
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn number(name: &CStr) -> Option<u32> {
    name.to_str().ok()?.parse().ok()
}

/// What the system knows about a file, but for its times: one whose times were asked for gets new ones with the
/// next write, and so do those that are written after it. On a file system without a journal a sync writes them
/// too.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn entry_of(directory: impl AsFd, name: &str, flags: AtFlags) -> Result<Entry, Errno> {
    use rustix::fs::{StatxFlags, makedev, statx};
    const ASKED: StatxFlags = StatxFlags::TYPE
        .union(StatxFlags::MODE)
        .union(StatxFlags::NLINK)
        .union(StatxFlags::UID)
        .union(StatxFlags::INO)
        .union(StatxFlags::SIZE);
    match statx(&directory, name, flags, ASKED) {
        Ok(found) => Ok(Entry {
            kind: kind(FileType::from_raw_mode(found.stx_mode.into())),
            identity: FileIdentity {
                device: makedev(found.stx_dev_major, found.stx_dev_minor),
                inode: found.stx_ino,
            },
            owner: found.stx_uid,
            mode: u32::from(found.stx_mode) & 0o7777,
            names: found.stx_nlink.into(),
            length: found.stx_size,
        }),
        // Before Linux 4.11, and where a sandbox does not know it.
        Err(Errno::NOSYS | Errno::PERM) => {
            system::statat(&directory, name, flags).map(|stat| entry(&stat))
        }
        Err(error) => Err(error),
    }
}

/// The same of a file that is open.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn entry_of_open(file: impl AsFd) -> Result<Entry, Errno> {
    entry_of(file, "", AtFlags::EMPTY_PATH)
}

/// What the system knows about a file.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn entry_of(directory: impl AsFd, name: &str, flags: AtFlags) -> Result<Entry, Errno> {
    system::statat(directory, name, flags).map(|stat| entry(&stat))
}

/// The same of a file that is open.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn entry_of_open(file: impl AsFd) -> Result<Entry, Errno> {
    system::fstat(file).map(|stat| entry(&stat))
}

fn kind(file: FileType) -> Kind {
    match file {
        FileType::RegularFile => Kind::File,
        FileType::Directory => Kind::Directory,
        FileType::Symlink => Kind::Link,
        FileType::Fifo => Kind::Pipe,
        FileType::Socket => Kind::Socket,
        _ => Kind::Device,
    }
}

// The numbers have other widths on other systems.
#[allow(
    clippy::useless_conversion,
    clippy::unnecessary_cast,
    clippy::cast_sign_loss,
    reason = "types differ"
)]
fn entry(stat: &Stat) -> Entry {
    Entry {
        kind: kind(FileType::from_raw_mode(stat.st_mode)),
        identity: FileIdentity { device: stat.st_dev as u64, inode: stat.st_ino as u64 },
        owner: stat.st_uid,
        mode: u32::from(stat.st_mode) & 0o7777,
        names: stat.st_nlink as u64,
        length: stat.st_size as u64,
    }
}
