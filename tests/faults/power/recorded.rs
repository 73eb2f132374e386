//! What processes did to the files of a store, by strace.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::support::{Home, calls, ended};

/// The calls that change files, or make what was changed durable.
const KINDS: &str = "trace=openat,open,pwrite64,write,pwritev,writev,ftruncate,truncate,fallocate,fsync,fdatasync,\
                     rename,renameat,renameat2,unlink,unlinkat,link,linkat";

/// A call, by paths from the store's directory on.
#[derive(Debug, Clone)]
pub(super) enum Call {
    Make {
        path: String,
        truncates: bool,
    },
    Write {
        path: String,
        at: Option<u64>,
        bytes: Vec<u8>,
    },
    Length {
        path: String,
        bytes: u64,
    },
    Sync {
        path: String,
    },
    /// A sync that failed.
    FailedSync {
        path: String,
    },
    Rename {
        from: String,
        to: String,
    },
    Remove {
        path: String,
    },
}

/// What a command said, behind so many calls.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) command: usize,
    pub(super) at: usize,
    pub(super) text: String,
}

/// What was done to a store.
#[derive(Debug)]
pub(super) struct Recording {
    /// The files before.
    pub(super) before: BTreeMap<String, Vec<u8>>,
    pub(super) calls: Vec<Call>,
    pub(super) said: Vec<Said>,
    /// Behind how many calls each command began.
    pub(super) begun: Vec<usize>,
}

/// Runs commands one after another, and records them.
pub(super) fn recorded(home: &Home, commands: &[&[&str]]) -> Recording {
    let mut recording = Recording::of(home);
    for args in commands {
        let code = recording.run(home, args, &[], "");
        assert_eq!(code, Some(0), "{args:?}");
    }
    recording
}

/// The files below a directory, but for the shared memory, which is none after a power loss.
fn read_all(root: &Path, directory: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_all(root, &path, files);
        } else if !path.is_symlink() && !path.to_string_lossy().ends_with("-shm") {
            let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            files.insert(name, fs::read(&path).unwrap());
        }
    }
}

impl Recording {
    /// One of a store to which nothing is done yet.
    pub(super) fn of(home: &Home) -> Self {
        let store = home.store().canonicalize().unwrap();
        let mut before = BTreeMap::new();
        read_all(&store, &store, &mut before);
        Self { before, calls: Vec::new(), said: Vec::new(), begun: Vec::new() }
    }

    /// Runs a command, and records it: while strace does `more`, and with remedies switched off. Its exit code.
    pub(super) fn run(
        &mut self,
        home: &Home,
        args: &[&str],
        more: &[&str],
        off: &str,
    ) -> Option<i32> {
        let store = home.store().canonicalize().unwrap();
        let command = self.begun.len();
        self.begun.push(self.calls.len());
        let strace =
            ["strace", "-f", "-y", "-xx", "-s", "100000", "-e", KINDS, "-e", "signal=none"];
        let mut process = home.wrapped(&[&strace, more].concat(), args);
        let end = ended(process.env("REAM_FAULTS", off));
        let lines: Vec<String> = end.stderr.lines().map(str::to_owned).collect();
        for call in calls(&lines) {
            self.take(command, call.text(), &store);
        }
        end.code
    }

    fn take(&mut self, command: usize, text: &str, store: &Path) {
        let (call, result) = text.rsplit_once(" = ").unwrap();
        // What is short is filled up with spaces; so is the end of a call that was told in two parts.
        let call = call.trim_end().strip_suffix(')').unwrap_or_else(|| panic!("{text}"));
        let (name, arguments) = call.split_once('(').unwrap_or_else(|| panic!("{text}"));
        let is_sync = matches!(name, "fsync" | "fdatasync");
        if result.starts_with('-') && !is_sync {
            return;
        }
        let arguments: Vec<&str> = arguments.split(", ").collect();
        if matches!(name, "write" | "writev") && arguments[0].starts_with("1<") {
            let text = String::from_utf8(string(arguments[1])).unwrap();
            self.said.push(Said { command, at: self.calls.len(), text });
            return;
        }
        let calls = parse(name, &arguments, result, store).into_iter();
        // The shared memory is none after a power loss.
        self.calls.extend(calls.filter(|call| !call.path().ends_with("-shm")));
    }
}

impl Call {
    fn path(&self) -> &str {
        match self {
            Self::Make { path, .. }
            | Self::Write { path, .. }
            | Self::Length { path, .. }
            | Self::Sync { path }
            | Self::FailedSync { path }
            | Self::Remove { path }
            | Self::Rename { from: path, .. } => path,
        }
    }
}

/// What a call does to a file of the store, where it does something.
fn parse(name: &str, arguments: &[&str], result: &str, store: &Path) -> Option<Call> {
    let within = |path: Vec<u8>| {
        let path = String::from_utf8(path).ok()?;
        Some(Path::new(&path).strip_prefix(store).ok()?.to_string_lossy().into_owned())
    };
    // A descriptor, as `5<path>`.
    let open = |text: &str| within(bytes(text.split_once('<')?.1.split_once('>')?.0));
    let at = |directory: &str, name: &str| {
        let name = string(name);
        if name.starts_with(b"/") {
            return within(name);
        }
        let directory = bytes(directory.split_once('<')?.1.split_once('>')?.0);
        within([directory, b"/".into(), name].concat())
    };
    Some(match name {
        "open" | "openat" => {
            let flags = arguments[if name == "open" { 1 } else { 2 }];
            let truncates = flags.contains("O_TRUNC");
            if !truncates && !flags.contains("O_CREAT") {
                return None;
            }
            Call::Make { path: open(result)?, truncates }
        }
        "write" => Call::Write { path: open(arguments[0])?, at: None, bytes: string(arguments[1]) },
        "pwrite64" => {
            let (path, bytes) = (open(arguments[0])?, string(arguments[1]));
            Call::Write { path, at: arguments[3].parse().ok(), bytes }
        }
        "ftruncate" => {
            Call::Length { path: open(arguments[0])?, bytes: arguments[1].parse().unwrap() }
        }
        "fsync" | "fdatasync" if result.starts_with('-') => {
            Call::FailedSync { path: open(arguments[0])? }
        }
        "fsync" | "fdatasync" => Call::Sync { path: open(arguments[0])? },
        "rename" => {
            Call::Rename { from: within(string(arguments[0]))?, to: within(string(arguments[1]))? }
        }
        "renameat" | "renameat2" => Call::Rename {
            from: at(arguments[0], arguments[1])?,
            to: at(arguments[2], arguments[3])?,
        },
        "unlink" => Call::Remove { path: within(string(arguments[0]))? },
        "unlinkat" => Call::Remove { path: at(arguments[0], arguments[1])? },
        other => panic!("{other} is not known to the model"),
    })
}

/// The bytes of a string as strace writes it, in hexadecimal digits.
fn string(text: &str) -> Vec<u8> {
    assert!(!text.ends_with("..."), "strace was to write all of it");
    bytes(text.trim_matches('"'))
}

fn bytes(text: &str) -> Vec<u8> {
    let digits = text.split("\\x").skip(1);
    digits.map(|digits| u8::from_str_radix(digits, 16).unwrap()).collect()
}
