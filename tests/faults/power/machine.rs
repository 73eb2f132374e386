//! A machine whose power fails: what is on its disk then.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::Path;

use super::recorded::Call;
use crate::chance::Numbers;

/// What a disk writes at once.
const SECTOR: usize = 512;
/// What a file system gives a file at once.
const BLOCK: usize = 4096;

/// When the name of a new file is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// When its directory is synced.
    Strictly,
    /// When its directory is synced, or the file itself.
    AsExt4,
}

/// A change of a file that is not synced.
#[derive(Debug, Clone)]
enum Change {
    Write {
        at: usize,
        bytes: Vec<u8>,
    },
    Length(usize),
    /// It is at least so long: what was to be written there is lost.
    Reach(usize),
}

#[derive(Debug, Clone, Default)]
struct File {
    synced: Vec<u8>,
    pending: Vec<Change>,
    /// Blocks that were new when their sync failed: nothing that is written there reaches the disk, until the file is
    /// cut and they are given to it anew.
    lost: BTreeSet<usize>,
    /// Where the next write without a place goes, as the one process that writes so has it.
    end: usize,
}

/// A change of names that is not synced.
#[derive(Debug, Clone)]
enum NameChange {
    Make(String, usize),
    Remove(String),
    Rename(String, String),
}

/// What is in memory, and what is on the disk.
#[derive(Debug)]
pub(super) struct Machine {
    how: Names,
    /// The file whose syncs do nothing.
    passed_over: Option<String>,
    files: Vec<File>,
    names: HashMap<String, usize>,
    synced: BTreeMap<String, usize>,
    pending: Vec<NameChange>,
}

/// What is on a disk.
#[derive(Debug)]
pub(super) struct Disk(BTreeMap<String, Vec<u8>>);

fn directory(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

impl NameChange {
    fn directory(&self) -> &str {
        match self {
            Self::Make(path, _) | Self::Remove(path) | Self::Rename(_, path) => directory(path),
        }
    }

    fn apply(&self, names: &mut BTreeMap<String, usize>) {
        match self {
            Self::Make(path, file) => drop(names.insert(path.clone(), *file)),
            Self::Remove(path) => drop(names.remove(path)),
            Self::Rename(from, to) => {
                if let Some(file) = names.remove(from) {
                    names.insert(to.clone(), file);
                }
            }
        }
    }
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>, keeps: impl FnMut() -> bool) {
        match self {
            Self::Length(bytes) => content.resize(*bytes, 0),
            Self::Reach(bytes) => content.resize(content.len().max(*bytes), 0),
            Self::Write { at, bytes } => write(content, *at, bytes, keeps),
        }
    }
}

/// Writes those sectors that `keeps` says.
fn write(content: &mut Vec<u8>, at: usize, bytes: &[u8], mut keeps: impl FnMut() -> bool) {
    let mut done = 0;
    while done < bytes.len() {
        let length = (SECTOR - (at + done) % SECTOR).min(bytes.len() - done);
        if keeps() {
            let (from, to) = (at + done, at + done + length);
            if content.len() < to {
                content.resize(to, 0);
            }
            content[from..to].copy_from_slice(&bytes[done..done + length]);
        }
        done += length;
    }
}

impl File {
    fn write(&mut self, at: usize, bytes: &[u8]) {
        let end = at + bytes.len();
        self.end = end;
        let mut from = at;
        while from < end {
            let to = end.min((from / BLOCK + 1) * BLOCK);
            self.pending.push(if self.lost.contains(&(from / BLOCK)) {
                Change::Reach(to)
            } else {
                Change::Write { at: from, bytes: bytes[from - at..to - at].to_vec() }
            });
            from = to;
        }
    }

    fn set_length(&mut self, bytes: usize) {
        self.lost.retain(|block| block * BLOCK < bytes);
        self.pending.push(Change::Length(bytes));
    }

    /// What was written is in memory alone, and taken for written: neither a later sync nor the same bytes in the
    /// same place bring it to the disk where its blocks were new, as ext4 does it; where they were not, it is lost
    /// until it is written again.
    fn fail_to_sync(&mut self) {
        let mut written = self.synced.len().div_ceil(BLOCK);
        for change in &mut self.pending {
            match change {
                Change::Length(bytes) => written = bytes.div_ceil(BLOCK).min(written),
                Change::Reach(_) => {}
                Change::Write { at, bytes } => {
                    let (block, end) = (*at / BLOCK, *at + bytes.len());
                    if block >= written {
                        self.lost.insert(block);
                    }
                    *change = Change::Reach(end);
                }
            }
        }
    }
}

impl Machine {
    /// One with these files, all of them synced.
    pub(super) fn new(
        files: &BTreeMap<String, Vec<u8>>,
        how: Names,
        passed_over: Option<&str>,
    ) -> Self {
        let names: BTreeMap<String, usize> = files.keys().cloned().zip(0..).collect();
        let files = files.values().map(|synced| File { synced: synced.clone(), ..File::default() });
        Self {
            how,
            passed_over: passed_over.map(str::to_owned),
            files: files.collect(),
            names: names.clone().into_iter().collect(),
            synced: names,
            pending: Vec::new(),
        }
    }

    pub(super) fn call(&mut self, call: &Call) {
        match call {
            Call::Make { path, truncates } => {
                if !self.names.contains_key(path) {
                    self.files.push(File::default());
                    let file = self.files.len() - 1;
                    self.names.insert(path.clone(), file);
                    self.pending.push(NameChange::Make(path.clone(), file));
                }
                let file = &mut self.files[self.names[path]];
                file.end = 0;
                if *truncates {
                    file.set_length(0);
                }
            }
            Call::Write { path, at, bytes } => {
                // It may have been removed while it was open.
                let Some(file) = self.names.get(path) else { return };
                let file = &mut self.files[*file];
                let at = at.map_or(file.end, |at| usize::try_from(at).unwrap());
                file.write(at, bytes);
            }
            Call::Length { path, bytes } => {
                let Some(file) = self.names.get(path) else { return };
                let length = usize::try_from(*bytes).unwrap();
                self.files[*file].set_length(length);
            }
            Call::Sync { path } => self.sync(path),
            Call::FailedSync { path } => {
                // Of a directory it changes nothing: its names are as durable as they were.
                if let Some(file) = self.names.get(path) {
                    self.files[*file].fail_to_sync();
                }
            }
            Call::Rename { from, to } => {
                if let Some(file) = self.names.remove(from) {
                    self.names.insert(to.clone(), file);
                    self.pending.push(NameChange::Rename(from.clone(), to.clone()));
                }
            }
            Call::Remove { path } => {
                if self.names.remove(path).is_some() {
                    self.pending.push(NameChange::Remove(path.clone()));
                }
            }
        }
    }

    fn sync(&mut self, path: &str) {
        if self.passed_over.as_deref() == Some(path) {
            return;
        }
        let Some(file) = self.names.get(path).copied() else {
            // A directory.
            let (synced, pending) = std::mem::take(&mut self.pending)
                .into_iter()
                .partition(|one| one.directory() == path);
            self.pending = pending;
            let synced: Vec<NameChange> = synced;
            for one in &synced {
                one.apply(&mut self.synced);
            }
            return;
        };
        let File { synced, pending, .. } = &mut self.files[file];
        pending.drain(..).for_each(|change| change.apply(synced, || true));
        if self.how == Names::AsExt4 {
            let is_this =
                |one: &NameChange| matches!(one, NameChange::Make(_, made) if *made == file);
            let (made, pending): (Vec<_>, Vec<_>) =
                std::mem::take(&mut self.pending).into_iter().partition(is_this);
            self.pending = pending;
            for one in &made {
                one.apply(&mut self.synced);
            }
        }
    }

    /// A disk as it may be afterwards.
    pub(super) fn lose_power(&self, numbers: &mut Numbers) -> Disk {
        // All that was not synced is lost, is kept, or each write, or each sector, by chance.
        let how = numbers.below(4);
        let mut names = self.synced.clone();
        let kept = match how {
            0 => 0,
            1 => self.pending.len(),
            _ => numbers.below(self.pending.len() + 1),
        };
        self.pending[..kept].iter().for_each(|change| change.apply(&mut names));
        let contents = names.into_iter().map(|(name, file)| {
            let File { synced, pending, .. } = &self.files[file];
            let mut content = synced.clone();
            for change in pending {
                match how {
                    0 => {}
                    1 => change.apply(&mut content, || true),
                    2 => {
                        if numbers.below(2) == 0 {
                            change.apply(&mut content, || true);
                        }
                    }
                    _ if matches!(change, Change::Length(_) | Change::Reach(_))
                        && numbers.below(2) == 0 => {}
                    _ => change.apply(&mut content, || numbers.below(2) == 0),
                }
            }
            (name, content)
        });
        Disk(contents.collect())
    }
}

impl Disk {
    /// Writes what is on it, as a store's directory.
    pub(super) fn write(&self, store: &Path) {
        use std::os::unix::fs::PermissionsExt as _;
        let private = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        for directory in ["", "bell", "projections", "runners", "deciders"] {
            fs::create_dir_all(store.join(directory)).unwrap();
            private(&store.join(directory), 0o700);
        }
        for (name, content) in &self.0 {
            fs::write(store.join(name), content).unwrap();
            private(&store.join(name), 0o600);
        }
    }
}
