//! A store whose name leads to another user's from one moment to the next: that one is never used.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use ream::{DataRef, Error, NewEvent, Options, Query, Store};
use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::support::{Ended, Home, clean, copy, ended, needs_root, numbered, sized};

const NOBODY: u32 = 65534;
/// How often the name leads elsewhere, at least.
const FLIPS: usize = 5_000;
/// How many commands run meanwhile, at least.
const RUNS: usize = 150;
/// How often at most, where nothing comes of them.
const MOST: usize = 3_000;

/// One's own store, and another user's, which only looks the same.
fn two_stores() -> Home {
    let home = Home::with(3);
    home.run(&["project", "create", "p", "id:integer:key"]).done();
    home.run(&["project", "set", "p", r#"{"id":1}"#]).done();
    home.run(&["state", "set", "s", r#""mine""#]).done();
    let theirs = home.place().join("theirs");
    copy(&home.store(), &theirs);
    let mut store = Store::open(&theirs, &Options::default()).unwrap();
    store.append(&[sized("s", r#""theirs""#)]).unwrap();
    drop(store);
    let script = format!("chown -R {NOBODY}:{NOBODY} theirs && mv store mine");
    let mut shell = std::process::Command::new("sh");
    shell.args(["-ec", &script]);
    clean(&mut shell, home.place());
    ended(&mut shell).done();
    home
}

/// Ends the flipping when it is dropped: a failed assertion does that as well.
struct End<'f>(&'f AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Runs `work` again and again, now while `flip` is called without a pause, now while it is not, until
/// both were done often enough and `work` says that enough came of it.
fn while_flipped(flip: impl FnMut() + Send, mut work: impl FnMut() -> bool) {
    let (flips, runs, done) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        let (flips, runs, done) = (&flips, &runs, &done);
        scope.spawn(move || {
            let mut flip = flip;
            while !done.load(Ordering::Relaxed) {
                if runs.load(Ordering::Relaxed).is_multiple_of(2) {
                    flip();
                    flips.fetch_add(1, Ordering::Relaxed);
                } else {
                    thread::yield_now();
                }
            }
        });
        let _end = End(done);
        let mut enough = false;
        while runs.load(Ordering::Relaxed) < RUNS
            || flips.load(Ordering::Relaxed) < FLIPS
            || !enough && runs.load(Ordering::Relaxed) < MOST
        {
            enough = work();
            runs.fetch_add(1, Ordering::Relaxed);
        }
    });
}

/// What came of the commands.
#[derive(Default)]
struct Tally {
    done: usize,
    refused: usize,
    appended: u64,
}

const COMMANDS: [&[&str]; 7] = [
    &["read"],
    &["append", "s", "T", r#""mine""#],
    &["state", "get", "s", "--data"],
    &["project", "select", "p"],
    &["project", "set", "p", r#"{"id":1}"#],
    &["stream", "show", "s"],
    &["tail", "--as", "x", "--until-caught-up", "--", "sh", "-c", "! grep theirs"],
];

impl Tally {
    /// That a command used one's own store, or none.
    #[track_caller]
    fn count(&mut self, args: &[&str], end: &Ended) {
        assert!(!end.stdout.contains("theirs"), "{end:#?}");
        match end.code {
            Some(0) => {
                self.done += 1;
                self.appended += u64::from(args[0] == "append");
            }
            Some(1) => {
                let said = ["belongs to the user 65534", "was moved, removed or replaced"];
                assert!(said.iter().any(|words| end.stderr.contains(words)), "{end:#?}");
                self.refused += 1;
            }
            _ => panic!("{end:#?}"),
        }
    }
}

/// What another user's store holds, and what one's own does.
fn check(home: &Home, theirs: &Path, mine: &Path, tally: &Tally) {
    assert!(tally.done > 0 && tally.refused > 0, "{} {}", tally.done, tally.refused);
    let mut options = Options::default();
    options.trust_owner = true;
    assert_eq!(crate::support::read(&Store::open(theirs, &options).unwrap()).len(), 4);
    let mine = Store::open(mine, &options).unwrap();
    assert_eq!(crate::support::read(&mine).len() as u64, 3 + tally.appended);
    drop(mine);
    assert!(home.place().exists());
}

#[test]
fn a_name_that_flips_between_two_owners_stores_leads_to_ones_own_or_nowhere() {
    needs_root("a store of another user");
    let home = two_stores();
    let place = home.place().to_owned();
    symlink("mine", place.join("store")).unwrap();
    let before = contents(&place.join("theirs"));
    let mut to = ["theirs", "mine"].into_iter().cycle();
    let flip = || {
        symlink(to.next().unwrap(), place.join("new")).unwrap();
        fs::rename(place.join("new"), place.join("store")).unwrap();
    };
    let (mut tally, mut commands) = (Tally::default(), COMMANDS.into_iter().cycle());
    while_flipped(flip, || {
        let args = commands.next().unwrap();
        tally.count(args, &home.run(args));
        tally.done > 0 && tally.refused > 0
    });
    // Not a byte of it was touched, nor any of its times.
    assert_eq!(contents(&home.place().join("theirs")), before);
    check(&home, &home.place().join("theirs"), &home.place().join("mine"), &tally);
}

/// The files below a directory: their names, what is in them, and when they were changed.
fn contents(directory: &Path) -> Vec<(String, Vec<u8>, std::time::SystemTime)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let changed = path.symlink_metadata().unwrap().modified().unwrap();
        let name = path.to_str().unwrap().to_owned();
        if path.is_dir() {
            found.extend(contents(&path));
            found.push((name, Vec::new(), changed));
        } else if !path.is_symlink() {
            found.push((name, fs::read(&path).unwrap(), changed));
        }
    }
    found.sort();
    found
}

/// Who may write to the directory above can exchange the stores themselves, and no path tells.
#[test]
fn stores_that_are_exchanged_for_each_other_are_not_taken_for_each_other() {
    needs_root("a store of another user");
    let home = two_stores();
    let place = home.place().to_owned();
    fs::rename(place.join("mine"), place.join("store")).unwrap();
    let exchange = || {
        let (one, other) = (place.join("store"), place.join("theirs"));
        renameat_with(CWD, &one, CWD, &other, RenameFlags::EXCHANGE).unwrap();
    };
    let (mut tally, mut commands) = (Tally::default(), COMMANDS.into_iter().cycle());
    while_flipped(exchange, || {
        let args = commands.next().unwrap();
        tally.count(args, &home.run(args));
        tally.done > 0 && tally.refused > 0
    });
    let own =
        |name: &str| std::os::unix::fs::MetadataExt::uid(&place.join(name).metadata().unwrap());
    let (theirs, mine) =
        if own("theirs") == NOBODY { ("theirs", "store") } else { ("store", "theirs") };
    check(&home, &place.join(theirs), &place.join(mine), &tally);
}

/// The same within a process that has the right database open already.
#[test]
fn a_second_connection_is_looked_at_as_the_first_was() {
    needs_root("a store of another user");
    let home = two_stores();
    let place = home.place().to_owned();
    fs::rename(place.join("mine"), place.join("store")).unwrap();
    let exchange = || {
        let (one, other) = (place.join("store"), place.join("theirs"));
        renameat_with(CWD, &one, CWD, &other, RenameFlags::EXCHANGE).unwrap();
    };
    let (mut reads, mut appended) = (0, 0);
    let mut work = || {
        let Ok(mut store) = Store::open(&home.store(), &Options::default()) else {
            return reads > 0 && appended > 0;
        };
        let event: NewEvent = numbered("s", 1).remove(0);
        // Each of these opens a connection of its own, and the first one stays.
        match store.append(&[event]) {
            Ok(_) => appended += 1,
            Err(Error::Replaced { .. } | Error::Place { .. }) => {}
            Err(error) => panic!("{error:?}"),
        }
        for _ in 0..5 {
            let mut theirs = false;
            let mut look = || {
                let mut reader = store.read(&Query::default())?;
                reader.next_batch(|event| theirs |= event.data == DataRef::Json(r#""theirs""#))
            };
            reads += usize::from(look().is_ok());
            assert!(!theirs, "another user's events were read");
        }
        reads > 0 && appended > 0
    };
    while_flipped(exchange, &mut work);
    // In peace it does what it is for.
    if std::os::unix::fs::MetadataExt::uid(&place.join("store").metadata().unwrap()) == NOBODY {
        exchange();
    }
    work();
    assert!(reads > 0 && appended > 0, "{reads} {appended}");
}
