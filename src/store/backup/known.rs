//! The backups that a store knows of: a line of JSON each. Who removes something is told which of them keep
//! it.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Backup, MOST_BYTES};
use crate::event::{Position, Timestamp};
use crate::store::Checkpoint;
use crate::store::place::MANIFEST;

/// How many are remembered: the newest.
const MOST: usize = 16;

impl Backup {
    /// The backup in `path`, where one is there that can be read.
    fn read(path: &Path) -> Option<Self> {
        let file = path.join(MANIFEST);
        // A device may do something when it is opened.
        if !fs::symlink_metadata(&file).is_ok_and(|found| found.is_file()) {
            return None;
        }
        let mut text = String::new();
        File::open(file).ok()?.take(MOST_BYTES).read_to_string(&mut text).ok()?;
        Self::parse(path.to_owned(), &text).ok()
    }
}

/// A backup that was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct KnownBackup {
    /// Where it is made.
    pub(in crate::store) path: PathBuf,
    /// Where it is while it is made.
    pub(in crate::store) partial: PathBuf,
    /// When it was begun.
    pub(in crate::store) time: Timestamp,
    /// The last event in it, once it is made.
    pub(in crate::store) head: Option<Checkpoint>,
}

/// The same as it is written. A path that is not UTF-8 can't be, and is not remembered.
#[derive(Serialize, Deserialize)]
struct KnownJson {
    path: PathBuf,
    partial: PathBuf,
    time: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    head: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    link: Option<String>,
}

impl KnownBackup {
    /// Those that the lines say, the newest last; a line that can't be read is passed over.
    pub(in crate::store) fn parse(lines: &str) -> Vec<Self> {
        lines.lines().filter_map(Self::parse_one).collect()
    }

    fn parse_one(line: &str) -> Option<Self> {
        let json: KnownJson = serde_json::from_str(line).ok()?;
        let head = match (json.head, json.link) {
            (Some(position), Some(digits)) => {
                Some(Checkpoint { position: Position(position), link: digits.parse().ok()? })
            }
            _ => None,
        };
        let KnownJson { path, partial, time, .. } = json;
        Some(Self { path, partial, time: time.parse().ok()?, head })
    }

    /// The lines that say `known` and this one, in the place of another at its path.
    pub(in crate::store) fn added_to(&self, known: &[Self]) -> String {
        let others: Vec<&Self> = known.iter().filter(|other| other.path != self.path).collect();
        let kept = &others[others.len().saturating_sub(MOST - 1)..];
        let lines = kept.iter().copied().chain([self]).filter_map(Self::to_line);
        lines.collect()
    }

    /// The lines that say `known` without this one.
    pub(in crate::store) fn taken_from(&self, known: &[Self]) -> String {
        known.iter().filter(|other| other.path != self.path).filter_map(Self::to_line).collect()
    }

    fn to_line(&self) -> Option<String> {
        let json = KnownJson {
            path: self.path.clone(),
            partial: self.partial.clone(),
            time: self.time.to_string(),
            head: self.head.map(|head| head.position.0),
            link: self.head.map(|head| head.link.to_string()),
        };
        Some(serde_json::to_string(&json).ok()? + "\n")
    }

    /// Where it is, as far as it may hold what stood at `position` of the store `id`, or behind it.
    pub(in crate::store) fn holds(&self, id: &str, position: Position) -> Option<&Path> {
        match Backup::read(&self.path) {
            Some(backup) if backup.store == id => {
                (backup.head.position >= position).then_some(&self.path)
            }
            // Another one was made there since.
            Some(_) => None,
            // It is being made, or its maker died.
            None => (self.head.is_none() && self.partial.is_dir()).then_some(&self.partial),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(path: &str, head: Option<u64>) -> KnownBackup {
        let time = "2026-11-23T04:49:13Z".parse().unwrap();
        let head = head.map(|head| Checkpoint { position: Position(head), link: [7; 16].into() });
        KnownBackup { path: path.into(), partial: format!("{path}.partial").into(), time, head }
    }

    #[test]
    fn the_newest_are_remembered_each_once() {
        let mut lines = String::from("half a line {\n");
        for number in 0..20 {
            let one = known(&format!("/b/{}", number % 18), Some(number));
            lines = one.added_to(&KnownBackup::parse(&lines));
        }
        let found = KnownBackup::parse(&lines);
        assert_eq!(found.len(), MOST);
        assert_eq!(found[15], known("/b/1", Some(19)));
        assert_eq!(found[0], known("/b/4", Some(4)));
    }

    #[test]
    fn a_backup_may_hold_what_is_not_behind_its_head() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("b");
        let at = |head| known(path.to_str().unwrap(), head);
        let (holds, partial) =
            (|head| at(head).holds("id", Position(5)).is_some(), at(None).partial);
        assert!(!holds(Some(5)) && !holds(None));
        fs::create_dir_all(&partial).unwrap();
        assert_eq!(at(None).holds("id", Position(5)), Some(&*partial));
        assert!(!holds(Some(5)));
        fs::create_dir_all(&path).unwrap();
        for (id, head, expected) in [("id", 5, true), ("id", 4, false), ("other", 5, false)] {
            let backup = Backup {
                path: path.clone(),
                made_by: String::new(),
                store: id.into(),
                format: 1,
                head: Checkpoint { position: Position(head), link: [7; 16].into() },
                time: at(None).time,
                events: head,
                files: Vec::new(),
                projections: Vec::new(),
                damaged: None,
            };
            fs::write(path.join(MANIFEST), backup.to_json().unwrap()).unwrap();
            assert_eq!(holds(None), expected);
        }
    }
}
