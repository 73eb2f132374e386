//! What differs between operating systems: directories, owners, mount tables, closed pipes,
//! processes, signals, threads.
//!
//! Unix-only code lives here and nowhere else. On other systems these functions do what is
//! possible: files get the permissions that their directory hands down, and owners and mounts are
//! not looked at.

#[cfg(all(unix, feature = "serve"))]
mod clock;
#[cfg(all(unix, feature = "serve"))]
mod descriptors;
pub(crate) mod directory;
mod origin;
mod process;
mod signals;
#[cfg(all(unix, feature = "serve"))]
mod sockets;
mod threads;

use std::fs::{self, File};
use std::io;
use std::ops::RangeInclusive;
use std::path::Path;

#[cfg(all(unix, feature = "serve"))]
pub use clock::monotonic_time;
#[cfg(all(unix, feature = "serve"))]
pub use descriptors::allow_descriptors;
#[cfg(all(unix, feature = "serve"))]
pub(crate) use descriptors::{descriptors_left, most_descriptors};
pub(crate) use origin::{Origin, origin};
pub(crate) use process::{Input, Output, Pipes, Process, ReadEnd, Sent};
pub use signals::IgnoredSignals;
#[cfg(all(unix, feature = "serve"))]
pub(crate) use sockets::let_many_wait;
pub use threads::{can_spawn, spawn};

/// What tells a file from another that later stands at the same path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileIdentity {
    device: u64,
    inode: u64,
}

impl FileIdentity {
    /// Whether both lie on one file system.
    pub(crate) fn is_beside(self, other: Self) -> bool {
        self.device == other.device
    }
}

#[cfg(unix)]
mod system {
    use std::os::fd::AsFd;
    use std::os::unix::fs::{
        DirBuilderExt as _, FileExt as _, MetadataExt as _, OpenOptionsExt as _,
        PermissionsExt as _,
    };

    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    use super::{File, FileIdentity, Path, RangeInclusive, fs, io};

    pub(crate) fn private(options: &mut fs::OpenOptions) -> &mut fs::OpenOptions {
        options.mode(0o600)
    }

    pub(crate) fn free_bytes(path: &Path) -> Option<u64> {
        let found = rustix::fs::statvfs(path).ok()?;
        Some(found.f_bavail.saturating_mul(found.f_frsize))
    }

    pub(crate) fn create_private_dir(path: &Path) -> io::Result<()> {
        fs::DirBuilder::new().mode(0o700).create(path)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))
    }

    pub(crate) fn is_own(metadata: &fs::Metadata) -> bool {
        metadata.uid() == super::directory::user()
    }

    pub(crate) fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        file.write_all_at(bytes, offset)
    }

    pub(crate) fn read_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        file.read_at(bytes, offset)
    }

    pub(crate) fn sync_dir(path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(crate) fn lock_holders(path: &Path, bytes: RangeInclusive<u64>) -> Vec<u32> {
        use rustix::fs::{major, minor};
        let Ok(metadata) = fs::symlink_metadata(path) else { return Vec::new() };
        let Ok(table) = fs::read_to_string("/proc/locks") else { return Vec::new() };
        let (major, minor) = (major(metadata.dev()), minor(metadata.dev()));
        let file = format!("{major:02x}:{minor:02x}:{}", metadata.ino());
        super::lock_holders_in(&table, &file, bytes)
    }

    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    pub(crate) fn lock_holders(_path: &Path, _bytes: RangeInclusive<u64>) -> Vec<u32> {
        Vec::new()
    }

    pub(crate) fn identify(path: &Path) -> io::Result<FileIdentity> {
        let metadata = fs::symlink_metadata(path)?;
        Ok(FileIdentity { device: metadata.dev(), inode: metadata.ino() })
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(crate) fn random(bytes: &mut [u8]) -> io::Result<()> {
        use rustix::rand::{GetRandomFlags, getrandom};
        let mut filled = 0;
        while filled < bytes.len() {
            filled += getrandom(&mut bytes[filled..], GetRandomFlags::empty())?;
        }
        Ok(())
    }

    pub(crate) fn wait_until_readable(
        input: &impl AsFd,
        timeout: std::time::Duration,
    ) -> io::Result<bool> {
        let timeout = Timespec::try_from(timeout).unwrap_or_default();
        match poll(&mut [PollFd::new(input, PollFlags::IN)], Some(&timeout)) {
            Ok(ready) => Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) fn wait_until_closed(output: &impl AsFd) {
        // No event is asked for: a closed reader shows as an error or a hang-up all the same.
        let mut fds = [PollFd::new(output, PollFlags::empty())];
        while let Err(rustix::io::Errno::INTR) = poll(&mut fds, None) {}
    }
}

#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps, reason = "what needs nothing here can fail elsewhere")]
mod system {
    use super::{File, FileIdentity, Path, RangeInclusive, fs, io};

    pub(crate) fn private(options: &mut fs::OpenOptions) -> &mut fs::OpenOptions {
        options
    }

    pub(crate) fn free_bytes(_path: &Path) -> Option<u64> {
        None
    }

    pub(crate) fn create_private_dir(path: &Path) -> io::Result<()> {
        fs::create_dir(path)
    }

    pub(crate) fn is_own(_metadata: &fs::Metadata) -> bool {
        true
    }

    pub(crate) fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        use std::io::{Seek as _, SeekFrom, Write as _};
        let mut file = file;
        file.seek(SeekFrom::Start(offset))?;
        file.write_all(bytes)
    }

    pub(crate) fn read_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        use std::io::{Read as _, Seek as _, SeekFrom};
        let mut file = file;
        file.seek(SeekFrom::Start(offset))?;
        file.read(bytes)
    }

    pub(crate) fn sync_dir(_path: &Path) -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn lock_holders(_path: &Path, _bytes: RangeInclusive<u64>) -> Vec<u32> {
        Vec::new()
    }

    pub(crate) fn identify(path: &Path) -> io::Result<FileIdentity> {
        fs::symlink_metadata(path)?;
        Ok(FileIdentity { device: 0, inode: 0 })
    }
}

/// Creates a directory that only its owner may enter, whatever the umask.
pub(crate) fn create_private_dir(path: &Path) -> io::Result<()> {
    system::create_private_dir(path)
}

/// Writes `bytes` at `offset`, in one call where the system allows it.
pub(crate) fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    system::write_at(file, bytes, offset)
}

/// Reads at `offset`, at most as much as `bytes` takes; how much that was.
pub(crate) fn read_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
    system::read_at(file, bytes, offset)
}

/// The processes that hold a POSIX lock on one of these bytes of the file at `path`, as far as the
/// system says; the file is not opened.
pub(crate) fn lock_holders(path: &Path, bytes: RangeInclusive<u64>) -> Vec<u32> {
    system::lock_holders(path, bytes)
}

/// The same by a table as `/proc/locks` has it, for a file as that names it. See `proc_locks(5)`.
#[cfg(any(test, target_os = "linux", target_os = "android"))]
fn lock_holders_in(table: &str, file: &str, bytes: RangeInclusive<u64>) -> Vec<u32> {
    let holder = |line: &str| {
        // `1: POSIX  ADVISORY  READ 4711 fd:00:131093 123 123`; who only waits has a `->`.
        let words: Vec<&str> = line.split_whitespace().collect();
        let &[_, "POSIX", _, _, process, locked, first, last] = &words[..] else { return None };
        let first: u64 = first.parse().ok()?;
        let last = if last == "EOF" { u64::MAX } else { last.parse().ok()? };
        let overlaps = first <= *bytes.end() && last >= *bytes.start();
        (locked == file && overlaps).then_some(process)?.parse().ok()
    };
    let mut holders: Vec<u32> = table.lines().filter_map(holder).collect();
    holders.sort_unstable();
    holders.dedup();
    holders
}

/// Has a file that is made be for its owner alone.
pub fn private(options: &mut fs::OpenOptions) -> &mut fs::OpenOptions {
    system::private(options)
}

/// Makes the names in a directory durable.
///
/// # Errors
///
/// Where the system refuses.
pub fn sync_dir(path: &Path) -> io::Result<()> {
    system::sync_dir(path)
}

/// Which file stands at `path`, without opening it.
pub(crate) fn identify(path: &Path) -> io::Result<FileIdentity> {
    system::identify(path)
}

/// Fills `bytes` with random bits from the system.
pub(crate) fn random(bytes: &mut [u8]) -> io::Result<()> {
    // A statically linked program lacks the symbol that the crate looks for, and would open
    // devices instead of making the call.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    return system::random(bytes);
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    return getrandom::fill(bytes).map_err(io::Error::from);
}

/// The system's mount table, where it has one to read.
pub(crate) fn mount_table() -> Option<String> {
    fs::read("/proc/self/mountinfo").ok().map(|table| String::from_utf8_lossy(&table).into_owned())
}

/// How many bytes are free for this user where `path` lies; nothing where the system does not say.
pub(crate) fn free_bytes(path: &Path) -> Option<u64> {
    system::free_bytes(path)
}

/// Standard input without a buffer.
#[cfg(unix)]
pub type Stdin = File;

/// Standard input.
#[cfg(not(unix))]
pub type Stdin = io::Stdin;

/// Standard input, for what also waits for it: what std's own buffer has taken shows no more in
/// [`wait_until_readable`].
///
/// # Errors
///
/// Where the system refuses.
#[allow(clippy::unnecessary_wraps, reason = "one system can fail")]
pub fn unbuffered_stdin() -> io::Result<Stdin> {
    #[cfg(unix)]
    {
        use std::os::fd::AsFd as _;
        Ok(io::stdin().as_fd().try_clone_to_owned()?.into())
    }
    #[cfg(not(unix))]
    Ok(io::stdin())
}

/// The number of the user that this process acts as, where the system has such numbers.
#[allow(clippy::unnecessary_wraps, reason = "one system has none")]
pub(crate) fn user() -> Option<u32> {
    #[cfg(unix)]
    return Some(directory::user());
    #[cfg(not(unix))]
    None
}

/// The name that `/etc/passwd` has for the user with this number.
pub(crate) fn user_name(user: u32) -> Option<String> {
    // What else knows users, such as a directory server, is not asked: the number says who it is.
    let table = fs::read("/etc/passwd").ok()?;
    user_name_in(&String::from_utf8_lossy(&table), user)
}

/// The same by a table of lines, `anna:x:1000:…`. See `passwd(5)`.
fn user_name_in(table: &str, user: u32) -> Option<String> {
    let number = user.to_string();
    let name = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| !name.is_empty())?.to_owned();
        (fields.nth(1) == Some(&number)).then_some(name)
    };
    table.lines().find_map(name)
}

/// Whether a file belongs to the user of this process.
#[must_use]
pub fn is_own(metadata: &std::fs::Metadata) -> bool {
    system::is_own(metadata)
}

/// Whether a user is the one of this process.
#[cfg(all(unix, feature = "serve"))]
pub(crate) fn is_own_user(user: u32) -> bool {
    user == directory::user()
}

/// Waits until `input` can be read from without waiting, or has ended; at most for `timeout`.
///
/// # Errors
///
/// Where the system refuses.
#[cfg(unix)]
pub fn wait_until_readable(
    input: &impl std::os::fd::AsFd,
    timeout: std::time::Duration,
) -> io::Result<bool> {
    system::wait_until_readable(input, timeout)
}

/// Waits until `input` can be read from; this system cannot tell, and reading waits.
///
/// # Errors
///
/// None.
#[cfg(not(unix))]
pub fn wait_until_readable<T>(_input: &T, _timeout: std::time::Duration) -> io::Result<bool> {
    Ok(true)
}

/// Waits until no one reads `output` any more: the other end of a pipe or a socket is closed.
///
/// Returns `false` at once where the system cannot tell.
#[cfg(unix)]
pub fn wait_until_closed(output: &impl std::os::fd::AsFd) -> bool {
    system::wait_until_closed(output);
    true
}

/// Waits until no one reads `output` any more; this system cannot tell.
#[cfg(not(unix))]
pub fn wait_until_closed<T>(_output: &T) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holders_of_locks_are_found_in_the_table_of_the_system() {
        let table = "\
1: FLOCK  ADVISORY  WRITE 1 fd:00:7 0 EOF
2: POSIX  ADVISORY  READ 30 fd:00:7 123 123
2: -> POSIX  ADVISORY  WRITE 31 fd:00:7 120 120
3: POSIX  ADVISORY  READ 20 fd:00:7 127 127
4: POSIX  ADVISORY  READ 20 fd:00:7 128 128
5: POSIX  ADVISORY  READ 40 fd:00:8 123 123
6: POSIX  ADVISORY  WRITE 50 fd:00:7 100 EOF
";
        assert_eq!(lock_holders_in(table, "fd:00:7", 123..=127), [20, 30, 50]);
        assert_eq!(lock_holders_in(table, "fd:00:7", 128..=128), [20, 50]);
        assert_eq!(lock_holders_in("", "fd:00:7", 123..=127), [0; 0]);
    }

    #[test]
    fn a_user_has_the_name_beside_the_number() {
        let table = "root:x:0:0:root:/root:/bin/sh\n# 1000\nanna:x:1000:100::/:\nbob:x:100:1000::/:\n:x:7:7::/:\n";
        assert_eq!(user_name_in(table, 1000).as_deref(), Some("anna"));
        assert_eq!(user_name_in(table, 100).as_deref(), Some("bob"));
        for none in [10, 7, 1] {
            assert_eq!(user_name_in(table, none), None);
        }
    }
}
