//! File systems of a test's own: one that fills up, and a disk whose writes fail at times.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::{major, minor, syncfs};
use tempfile::TempDir;

use super::{ended, until};

/// A mounted file system, for as long as it is held.
pub(crate) struct Mounted(PathBuf);

impl Mounted {
    /// One in memory that holds so much.
    pub(crate) fn in_memory(place: &Path, size: &str) -> Self {
        let options = format!("size={size},mode=700");
        mount(&["-t", "tmpfs", "-o", &options, "ream-test"], place)
    }

    /// The one in an image, by a loop device that goes with it.
    fn of_image(image: &Path, place: &Path) -> Self {
        let mounted = mount(&["-o", "loop,discard", image.to_str().unwrap()], place);
        let device = fs::metadata(place).unwrap().dev();
        let device = format!("/sys/dev/block/{}:{}", major(device), minor(device));
        let device = fs::canonicalize(device).unwrap();
        // One page a request: of a longer one that fails half-way the loop device tells nothing.
        fs::write(device.join("queue/max_sectors_kb"), "4").unwrap();
        // No blocks set aside for small files: they would take what a full disk does not.
        let ext4 = Path::new("/sys/fs/ext4").join(device.file_name().unwrap());
        fs::write(ext4.join("mb_stream_req"), "0").unwrap();
        mounted
    }

    pub(crate) fn resize(&self, size: &str) {
        let options = format!("remount,size={size}");
        ended(Command::new("mount").args(["-o", &options]).arg(&self.0)).done();
    }

    /// Ends it in earnest, once the last process there is gone.
    #[track_caller]
    fn end(self) {
        until("its last process ends", || {
            (ended(Command::new("umount").arg(&self.0)).code == Some(0)).then_some(())
        });
        std::mem::forget(self);
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // Lazily: a process that a failed test left may still be there.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn mount(args: &[&str], place: &Path) -> Mounted {
    ended(Command::new("mount").args(args).arg(place)).done();
    Mounted(place.to_owned())
}

/// How large the disk is.
const BYTES: usize = 32 << 20;

/// A disk with an ext4 on it, which takes nothing new while the memory that it is kept in is full.
/// A write to what has been written before goes through.
pub(crate) struct Disk {
    /// `None` only while it is mounted anew.
    mounted: Option<Mounted>,
    _memory: Mounted,
    place: TempDir,
}

impl Disk {
    pub(crate) fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        for name in ["memory", "root"] {
            fs::create_dir(place.path().join(name)).unwrap();
        }
        let memory = Mounted::in_memory(&place.path().join("memory"), "40m");
        let image = place.path().join("memory/image");
        File::create(&image).unwrap().set_len(BYTES as u64).unwrap();
        let options = "nodiscard,lazy_itable_init=0,lazy_journal_init=0";
        let mut mkfs = Command::new("mkfs.ext4");
        ended(mkfs.args(["-q", "-b", "4096", "-E", options]).arg(&image)).done();
        // Each block is there, and so the file system's own are: what fails is data alone.
        let bytes = fs::read(&image).unwrap();
        fs::remove_file(&image).unwrap();
        fs::write(&image, bytes).unwrap();
        let mounted = Some(Mounted::of_image(&image, &place.path().join("root")));
        Self { mounted, _memory: memory, place }
    }

    /// Where its files are.
    pub(crate) fn root(&self) -> PathBuf {
        self.place.path().join("root")
    }

    fn filler(&self) -> PathBuf {
        self.place.path().join("memory/filler")
    }

    /// From now on what needs a new block fails as soon as it is synced.
    pub(crate) fn fail(&self) {
        // What was written so far is on it, and what no file uses is not.
        syncfs(File::open(self.root()).unwrap()).unwrap();
        ended(Command::new("fstrim").arg(self.root())).done();
        let mut filler = File::options().append(true).create(true).open(self.filler()).unwrap();
        let full = until("no more room", || filler.write_all(&[0; 4096]).err());
        assert_eq!(full.kind(), ErrorKind::StorageFull, "{full}");
    }

    /// It takes all again; what failed is not made up for.
    pub(crate) fn mend(&self) {
        fs::remove_file(self.filler()).unwrap();
    }

    /// Takes it away and brings it back: what was only in memory is gone.
    #[track_caller]
    pub(crate) fn bring_back(&mut self) {
        self.mounted.take().unwrap().end();
        let image = self.place.path().join("memory/image");
        self.mounted = Some(Mounted::of_image(&image, &self.root()));
    }
}
