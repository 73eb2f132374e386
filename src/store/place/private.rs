//! Files with secrets: whoever else could read them could have taken what is in them.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::Path;

use super::Place;
use crate::platform::directory::{Access, Kind};
use crate::store::error::BadCredentials;
use crate::store::{Error, Options, PlaceFault};

/// The most bytes that such a file may have.
const MOST: u64 = 1 << 20;

/// Reads the file at `path`, which its owner alone may read. Symbolic links on the way are followed.
pub(crate) fn read_private(path: &Path, trust_owner: bool) -> Result<String, Error> {
    let found = fs::canonicalize(path).map_err(Error::io("open", path))?;
    let missing = || Error::io("open", path)(std::io::ErrorKind::NotFound.into());
    let (Some(parent), Some(name)) = (found.parent(), found.file_name().and_then(|n| n.to_str()))
    else {
        return Err(missing());
    };
    let options = Options { trust_owner, ..Options::default() };
    Place::open(parent, &options)?.read_private(name)?.ok_or_else(missing)
}

impl Place {
    /// Reads a file that its owner alone may read; `None` where there is none.
    pub(in crate::store) fn read_private(&self, name: &str) -> Result<Option<String>, Error> {
        if self.look(name, Kind::File)?.is_none() {
            return Ok(None);
        }
        let path = || self.path(name);
        let (file, entry) = self
            .directory
            .open_file(name, Access::Read)
            .map_err(|error| Error::io("open", &path())(error))?;
        self.judge(name, &entry, Kind::File)?;
        if !self.trusts && entry.mode & 0o077 != 0 {
            let fault = PlaceFault::Readable { mode: entry.mode };
            return Err(Error::Place { path: path(), fault });
        }
        let mut bytes = Vec::new();
        let read = file.take(MOST + 1).read_to_end(&mut bytes);
        read.map_err(|error| Error::io("read", &path())(error))?;
        let bad = |reason: String| {
            Error::BadCredentials(BadCredentials { path: path(), line: None, reason })
        };
        if bytes.len() as u64 > MOST {
            return Err(bad(format!("it has more than {MOST} bytes")));
        }
        String::from_utf8(bytes).map(Some).map_err(|_| bad("it is not UTF-8".into()))
    }

    /// Writes a file that its owner alone may read: the whole of it is there, or nothing. Durable when it
    /// returns. No other process does so at the same time.
    pub(in crate::store) fn write_private(&self, name: &str, text: &str) -> Result<(), Error> {
        let new = format!("{name}.new");
        self.remove(&new)?;
        let mut file = self.open_file(&new, Access::Create)?;
        let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
        written.map_err(|error| Error::io("write", &self.path(name))(error))?;
        self.rename(&new, name)?;
        self.sync(".")
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn only_a_file_of_the_user_alone_is_read() {
        let home = tempfile::tempdir().unwrap();
        let place = Place::open(home.path(), &Options::default()).unwrap();
        assert_eq!(place.read_private("key").unwrap(), None);
        place.write_private("key", "one\n").unwrap();
        place.write_private("key", "two\n").unwrap();
        assert_eq!(place.read_private("key").unwrap().as_deref(), Some("two\n"));
        assert_eq!(place.list(".").unwrap(), ["key"]);
        let (key, link) = (home.path().join("key"), home.path().join("link"));
        assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
        // A path may lead there by links, a name in the directory may not be one.
        symlink(&key, &link).unwrap();
        assert_eq!(read_private(&link, false).unwrap(), "two\n");
        let error = place.read_private("link").unwrap_err().to_string();
        assert!(error.ends_with("link is a symbolic link, not a file"), "{error}");
        for (mode, words) in [
            (0o640, "is readable by others (mode 0640)"),
            (0o604, "is readable by others (mode 0604)"),
            (0o620, "is writable by others (mode 0620)"),
        ] {
            fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
            let error = read_private(&key, false).unwrap_err().to_string();
            assert!(error.ends_with(words), "{error}");
            assert_eq!(read_private(&key, true).unwrap(), "two\n");
        }
        fs::set_permissions(&key, fs::Permissions::from_mode(0o400)).unwrap();
        assert_eq!(read_private(&key, false).unwrap(), "two\n");
    }

    #[test]
    fn what_is_too_long_or_no_text_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let place = Place::open(home.path(), &Options::default()).unwrap();
        let most = usize::try_from(MOST).unwrap();
        place.write_private("key", &"x".repeat(most)).unwrap();
        assert_eq!(place.read_private("key").unwrap().unwrap().len(), most);
        place.write_private("key", &"x".repeat(most + 1)).unwrap();
        let error = place.read_private("key").unwrap_err().to_string();
        assert!(error.ends_with("key: it has more than 1048576 bytes"), "{error}");
        fs::write(home.path().join("key"), b"\xff").unwrap();
        let error = place.read_private("key").unwrap_err().to_string();
        assert!(error.ends_with("key: it is not UTF-8"), "{error}");
        assert!(read_private(&home.path().join("none"), false).is_err());
        assert!(read_private(Path::new("/"), false).is_err());
    }
}
