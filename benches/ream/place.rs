//! Where the stores of a run are, and the commands that are run on them.

use std::ffi::OsStr;
use std::fs::File;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::FLOOR;
use crate::process::run;

/// Where the stores of a run are.
pub(crate) struct Place {
    directory: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        // Beside what is built, since a temporary directory may lie in memory.
        Self::within(env!("CARGO_TARGET_TMPDIR"))
    }

    /// One in memory, where a sync costs nothing.
    pub(crate) fn in_memory() -> Self {
        Self::within("/dev/shm")
    }

    fn within(directory: &str) -> Self {
        let place = Self { directory: TempDir::new_in(directory).unwrap() };
        let synchronous = Command::new("sqlite3").args([":memory:", "PRAGMA synchronous"]).output();
        let synchronous = synchronous.expect("the peer, `sqlite3`, is installed").stdout;
        assert_eq!(synchronous, b"2\n", "the peer syncs by default");
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// `ream` on the store of this name.
    pub(crate) fn ream<A: AsRef<OsStr>>(
        &self,
        store: &str,
        args: impl IntoIterator<Item = A>,
    ) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ream"));
        command.arg("--store").arg(self.path(store)).args(args);
        command
    }

    /// One lone append.
    pub(crate) fn append(&self, store: &str) -> Command {
        self.ream(store, ["append", "order-42", "OrderPaid", r#"{"amount":12}"#])
    }

    pub(crate) fn init(&self, store: &str) {
        run(&mut self.ream(store, ["init"]));
    }

    /// The peer's database of this name.
    pub(crate) fn peer(&self, database: &str, args: &[&str]) -> Command {
        let mut command = Command::new("sqlite3");
        command.arg(self.path(database)).args(args);
        command
    }

    /// The floor: see `main.rs`.
    pub(crate) fn floor(&self) -> Command {
        File::create(self.path("floor")).unwrap();
        let mut floor = Command::new(std::env::current_exe().unwrap());
        floor.arg(FLOOR).arg(self.path("floor"));
        floor
    }
}

/// Runs each command so many times, in random order: what runs after the same neighbour each time
/// would bear what that leaves behind. How long each took, by command.
pub(crate) fn in_turn<const N: usize>(
    times: usize,
    commands: &mut [Command; N],
) -> [Vec<Duration>; N] {
    let mut took = [const { Vec::new() }; N];
    let mut random = Random(11);
    let mut order: Vec<usize> = (0..N).collect();
    for _ in 0..times {
        for last in (1..N).rev() {
            order.swap(last, random.below(last + 1));
        }
        for index in &order {
            took[*index].push(run(&mut commands[*index]));
        }
    }
    took
}

/// Knuth's linear congruential generator (MMIX), of which the high bits are the random ones.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// A number from 0 on, below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}
