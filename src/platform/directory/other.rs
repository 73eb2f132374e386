//! Directories where the system has no way to hold one open: by their paths. Kinds are looked at;
//! owners and permissions are those that the directory hands down.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::{Access, Entry, FileIdentity, Kind, OpenFile};

/// A directory.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
}

#[allow(
    clippy::unnecessary_wraps,
    clippy::unused_self,
    reason = "what needs nothing here can fail elsewhere"
)]
impl Directory {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        match fs::metadata(path)?.is_dir() {
            true => Ok(Self { path: path.to_owned() }),
            false => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn entry(&self) -> io::Result<Entry> {
        Ok(entry(&fs::metadata(&self.path)?))
    }

    pub(crate) fn look(&self, name: &str) -> io::Result<Option<Entry>> {
        match fs::symlink_metadata(self.path.join(name)) {
            Ok(metadata) => Ok(Some(entry(&metadata))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn open_file(&self, name: &str, access: Access) -> io::Result<(File, Entry)> {
        let (write, create) = (access != Access::Read, access == Access::Create);
        let mut options = OpenOptions::new();
        options.read(true).write(write).create(create).truncate(false);
        let file = options.open(self.path.join(name))?;
        let entry = entry(&file.metadata()?);
        Ok((file, entry))
    }

    pub(crate) fn create_directory(&self, name: &str) -> io::Result<()> {
        fs::create_dir(self.path.join(name))
    }

    pub(crate) fn set_mode(&self, _name: &str, _mode: u32) -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn set_owner(&self, _name: &str, _user: u32) -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn link(&self, _to: &str, _name: &str) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path.join(from), self.path.join(to))
    }

    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path.join(name))
    }

    pub(crate) fn list(&self, name: &str) -> io::Result<Vec<String>> {
        let entries = fs::read_dir(self.path.join(name))?;
        entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    }

    pub(crate) fn sync(&self, _name: &str) -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn is_surely_local(&self) -> bool {
        false
    }
}

/// Every file seems to be owned by this user.
pub(crate) fn user() -> u32 {
    0
}

pub(crate) fn open_files() -> Option<Vec<OpenFile>> {
    None
}

fn entry(metadata: &fs::Metadata) -> Entry {
    let file_type = metadata.file_type();
    let kind = if file_type.is_symlink() {
        Kind::Link
    } else if file_type.is_dir() {
        Kind::Directory
    } else if file_type.is_file() {
        Kind::File
    } else {
        Kind::Device
    };
    let mode = if file_type.is_dir() { 0o700 } else { 0o600 };
    Entry {
        kind,
        identity: FileIdentity { device: 0, inode: 0 },
        owner: 0,
        mode,
        names: 1,
        length: metadata.len(),
    }
}
