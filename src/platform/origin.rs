//! What tells a file that was made here from a copy of it: machine, user, number and time of birth.

use std::path::Path;

/// Where a file comes from. A copy differs in one of these, wherever it was copied to; a file that was
/// moved within its file system does not. Kept as a hash only: systems ask that a machine's id is not
/// shown.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(
    not(any(target_os = "linux", target_os = "android")),
    allow(dead_code, reason = "it is made there alone")
)]
pub(crate) struct Origin {
    /// The machine's id: 32 hexadecimal digits.
    pub(crate) machine: String,
    /// The number of the user that this process acts as.
    pub(crate) user: u32,
    /// The file's number within its file system.
    pub(crate) inode: u64,
    /// When the file was made: seconds since 1970, and nanoseconds.
    pub(crate) born: (i64, u32),
}

/// Where the file at `path` comes from, without opening it; what the system can't tell, where it can't
/// tell one of them.
pub(crate) fn origin(path: &Path) -> Result<Origin, &'static str> {
    system::origin(path)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod system {
    use std::fs;
    use std::path::Path;

    use rustix::fs::{AtFlags, CWD, StatxFlags, statx};

    use super::Origin;

    pub(super) fn origin(path: &Path) -> Result<Origin, &'static str> {
        let text = fs::read_to_string("/etc/machine-id").unwrap_or_default();
        let machine = machine_id(&text).ok_or("there is no machine id in /etc/machine-id")?;
        let wanted = StatxFlags::INO | StatxFlags::BTIME;
        let born = "its file system does not keep when a file was made";
        let found = statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW, wanted).map_err(|_| born)?;
        let (seconds, nanos) = (found.stx_btime.tv_sec, found.stx_btime.tv_nsec);
        // What an image was filled with may be of no time at all.
        if !StatxFlags::from_bits_retain(found.stx_mask).contains(wanted) || seconds == 0 {
            return Err(born);
        }
        let user = rustix::process::geteuid().as_raw();
        Ok(Origin { machine, user, inode: found.stx_ino, born: (seconds, nanos) })
    }

    /// The id in the text of a file as machine-id(5) describes it. In an image that is to be started on
    /// many machines it is empty, or a word.
    pub(super) fn machine_id(text: &str) -> Option<String> {
        let id = text.trim_end();
        let is_id = id.len() == 32 && id.bytes().all(|digit| digit.is_ascii_hexdigit());
        (is_id && id.bytes().any(|digit| digit != b'0')).then(|| id.to_owned())
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod system {
    use std::path::Path;

    use super::Origin;

    pub(super) fn origin(_path: &Path) -> Result<Origin, &'static str> {
        Err("this system has no machine id that ream knows")
    }
}

#[cfg(all(test, any(target_os = "linux", target_os = "android")))]
mod tests {
    use super::origin;
    use super::system::machine_id;

    #[test]
    fn only_a_machine_of_its_own_has_an_id() {
        let id = "4c1c84dd2ac642fd9bbd6dc87e2d83b5";
        assert_eq!(machine_id(&format!("{id}\n")).as_deref(), Some(id));
        for none in ["", "\n", "uninitialized\n", "4c1c\n", &"0".repeat(32), &"x".repeat(32)] {
            assert_eq!(machine_id(none), None, "{none:?}");
        }
    }

    #[test]
    fn a_copy_is_another_file_and_one_that_was_moved_is_not() {
        let place = tempfile::tempdir().unwrap();
        let path = |name: &str| place.path().join(name);
        std::fs::write(path("db"), "1").unwrap();
        // Where the machine has no id, no file has an origin.
        let Ok(made) = origin(&path("db")) else { return };
        std::fs::copy(path("db"), path("copy")).unwrap();
        std::fs::rename(path("db"), path("moved")).unwrap();
        std::fs::write(path("moved"), "22").unwrap();
        assert!(origin(&path("moved")).unwrap() == made);
        assert!(origin(&path("copy")).unwrap() != made);
        assert!(origin(&path("db")).is_err());
    }
}
