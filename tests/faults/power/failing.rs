//! The same where syncs fail: what they were to write is lost, as ext4 does it, however often it is synced later.

use std::fs;
use std::ops::Range;

use super::recorded::{Call, Recording};
use super::{DISKS, Promise, lose_power};
use crate::chance::{Numbers, how_many, seeded};
use crate::support::{Home, copied, sized, text_of, traced};

/// How many commands have a sync that fails.
const ROUNDS: usize = 16;

/// What was recorded.
struct Failing {
    /// It is there as long as it is looked at.
    _home: Home,
    recording: Recording,
    /// From a sync that failed to the end of the next command that has cut the log: of a power loss in between nothing
    /// is promised.
    gaps: Vec<Range<usize>>,
}

/// The command of a round.
fn command(round: usize, many: &str) -> Vec<String> {
    let (id, state) = (format!("id-{round}"), format!("{{\"n\":{round}}}"));
    let words: &[&str] = match round % 4 {
        0 | 2 => &["append", "a", "T", "1", "--id", &id],
        1 => &["append", "--jsonl", many],
        _ => &["state", "set", "kept", &state],
    };
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Has processes write one after another, in each other one of which a sync fails, once or for good; and what failed is
/// done again by the next. Remedies are switched off, and syncs of this file alone fail, where one is given.
fn failing(numbers: &mut Numbers, off: &str, file: Option<&str>) -> Failing {
    let home = Home::with(3);
    let many: String = (0..40)
        .map(|number| {
            let data = text_of(10 + number * 37 % 2500);
            format!("{{\"stream\":\"s-{}\",\"type\":\"T\",\"data\":{data}}}\n", number % 5)
        })
        .collect();
    fs::write(home.place().join("many"), many).unwrap();
    let many = home.place().join("many").to_string_lossy().into_owned();
    home.open().append(&vec![sized("s-0", &text_of(3000)); 20]).unwrap();
    let (mut recording, mut gaps) = (Recording::of(&home), Vec::new());
    for round in 0..ROUNDS {
        let args = command(round, &many);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let syncs = traced(&copied(&home), "fsync,fdatasync", &args);
        let is_meant = |at: &usize| file.is_none_or(|file| syncs[*at].on(file));
        let meant: Vec<usize> = (0..syncs.len()).filter(is_meant).collect();
        if meant.is_empty() {
            recording.run(&home, &args, &[], off);
            continue;
        }
        let at = meant[numbers.below(meant.len())];
        let name = syncs[at].name();
        let when = syncs[..=at].iter().filter(|sync| sync.name() == name).count();
        let for_good = if numbers.below(2) == 0 { "+" } else { "" };
        let inject = format!("inject={name}:error=EIO:when={when}{for_good}");
        let before = recording.calls.len();
        recording.run(&home, &args, &["-e", &inject], off);
        let fails = |call: &Call| matches!(call, Call::FailedSync { .. });
        let failed = recording.calls[before..].iter().position(fails);
        let code = recording.run(&home, &args, &[], off);
        assert!(code == Some(0) || !off.is_empty(), "{args:?} behind {inject}: {code:?}");
        gaps.extend(failed.map(|failed| before + failed..recording.calls.len()));
    }
    assert!(!gaps.is_empty(), "no sync failed");
    Failing { _home: home, recording, gaps }
}

impl Failing {
    /// A moment outside of the gaps.
    fn at(&self, moment: usize) -> usize {
        let gap = self.gaps.iter().find(|gap| gap.contains(&moment));
        gap.map_or(moment, |gap| gap.end)
    }

    /// What was promised by then.
    fn promised(&self, moment: usize) -> Vec<Promise> {
        let said = self.recording.said.iter().filter(|said| said.at <= moment);
        said.flat_map(|said| {
            said.text.lines().filter_map(|line| {
                let line: serde_json::Value = serde_json::from_str(line).unwrap();
                let (position, id) = (line["position"].as_u64(), line["id"].as_str());
                match id {
                    Some(id) => Some(Promise::Event(position?, id.to_owned())),
                    None => Some(Promise::State),
                }
            })
        })
        .collect()
    }

    fn lose_power(&self, disks: usize) -> (usize, Option<String>) {
        let (at, promised) = (|moment| self.at(moment), |moment| self.promised(moment));
        lose_power(&self.recording, disks, None, at, promised)
    }
}

#[test]
fn what_is_acknowledged_behind_a_failed_sync_is_not_lost_with_it() {
    let disks = how_many("REAM_DISKS", DISKS) / 4;
    let (_, mut numbers) = seeded();
    assert_eq!(failing(&mut numbers, "", None).lose_power(disks), (0, None));
    assert_eq!(failing(&mut numbers, "", Some("db")).lose_power(disks), (0, None));
    // Where what failed is taken for written, as the system takes it, some of the disks have lost something; and where
    // the database is written again in blocks that stay as they were.
    for (off, file) in [("no-cut,no-mark", None), ("no-length", Some("db"))] {
        // It takes one that fails at such a moment.
        let mut histories = (0..5).map(|_| failing(&mut numbers, off, file));
        let is_lost = histories.any(|failing| failing.lose_power(disks).0 > 0);
        assert!(is_lost, "no disk lost anything with {off}");
    }
}
