//! From what went wrong to a message, a hint and an exit code: one table.

mod condition;
mod place;

use std::fmt::Write as _;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use ream::program::{FollowError, ProgramError};
use ream::{AssignmentError, Error, EventFault, Expect, ExpressionError, FindingKind, platform};

use self::condition::unmet;
use self::place::place_hint;
use crate::hint::{CommandLine, Hint, quote, quote_all};
use crate::output::{Style, escape};
use crate::refused::{Damage, Refused};

/// Tells what went wrong with a command line, and gives the exit code.
pub(crate) fn report(error: &anyhow::Error, style: Style, line: &CommandLine) -> ExitCode {
    let (code, hint) = classify(error, line);
    let mut message = format!("{} {}\n", style.error("error:"), escape(&error.to_string()));
    if let Some(error) = error.chain().find_map(expression) {
        for line in error.excerpt().lines() {
            let _ = writeln!(message, "  {}", escape(line));
        }
    }
    if let Some((program, directory)) = error.chain().find_map(unallowed) {
        let directory = quote(directory);
        for (what, told) in [("program", quote_all(program)), ("directory", directory)] {
            let _ = writeln!(message, "  {what}: {}", escape(&told));
        }
    }
    for cause in error.chain().skip(1) {
        // Writing into a string does not fail.
        let _ = writeln!(message, "{} {}", style.dim("caused by:"), escape(&cause.to_string()));
    }
    for hint in hint.iter().flat_map(|hint| line.show(hint)) {
        let _ = writeln!(message, "{} {hint}", style.hint("hint:"));
    }
    // A closed stderr leaves no one to tell.
    let _ = io::stderr().write_all(message.as_bytes());
    ExitCode::from(code)
}

/// The expression that is wrong, where one is.
fn expression<'e>(cause: &'e (dyn std::error::Error + 'static)) -> Option<&'e ExpressionError> {
    if let Some(Error::Expression(error)) = cause.downcast_ref() {
        return Some(error);
    }
    // A source that is boxed is that box.
    let assignment = cause.downcast_ref::<Box<AssignmentError>>().map(|error| &**error);
    if let Some(AssignmentError::Overflow(error)) = assignment.or_else(|| cause.downcast_ref()) {
        return Some(error);
    }
    cause.downcast_ref()
}

/// The program that may not run, where one may not, and the directory that it would run in.
fn unallowed<'e>(cause: &'e (dyn std::error::Error + 'static)) -> Option<(&'e [String], &'e Path)> {
    match cause.downcast_ref() {
        Some(Error::NotAllowed(refused)) => Some((&refused.program, &refused.directory)),
        _ => None,
    }
}

/// The exit code, and what to do about it.
type Answer = (u8, Option<Hint>);

fn classify(error: &anyhow::Error, line: &CommandLine) -> Answer {
    for cause in error.chain() {
        if let Some(refused) = cause.downcast_ref::<Refused>() {
            return refused_code(refused, line);
        }
        if let Some(error) = cause.downcast_ref::<ExpressionError>() {
            return (6, error.hint().map(Hint::words));
        }
        if let Some(error) = cause.downcast_ref::<Error>() {
            return store_code(error, line);
        }
        if let Some(error) = cause.downcast_ref::<ProgramError>() {
            return program_code(error, line);
        }
    }
    (1, None)
}

fn refused_code(refused: &Refused, line: &CommandLine) -> Answer {
    let (code, hint) = match refused {
        Refused::Usage(_) => (2, Hint::own_help()),
        Refused::Invalid { hint, .. } => return (6, hint.clone()),
        Refused::NoStoreNear { itself: true, .. } => {
            (4, Hint::again("this directory is a store itself").option("--store", "."))
        }
        Refused::NoStoreNear { .. } => (4, Hint::other("", &["init"], &[])),
        Refused::Unconfirmed(_) => (2, Hint::again("").flag("--yes")),
        Refused::Undecided { error, .. } => return program_code(error, line),
        Refused::NotReached { name, .. } => (10, Hint::other("", &["project", "show"], &[name])),
        Refused::IsProjection(name) => {
            (4, Hint::other("see how far it has come", &["project", "show"], &[name]))
        }
        Refused::Broken(broken) => {
            let hints = broken.iter().rev().map(|(name, _)| make_anew(name));
            return (1, hints.reduce(|later, hint| hint.or(later)));
        }
        Refused::ForeignProgram { .. } => (1, Hint::again("").flag("--allow")),
        Refused::Stopped(error) => (7, stopped(error)),
        Refused::Unprintable(_) => {
            let hint = Hint::again("send them into a file or a pipe, or see them in base64");
            (2, hint.without("--data").without("--json").option("--format", "json"))
        }
        Refused::Damaged(damage) => return (1, Some(mend(damage))),
        Refused::Declined | Refused::Unwell(_) => return (1, None),
        Refused::Rejected(_) => return (8, None),
        Refused::Unfit { .. } => return (7, None),
        Refused::Signal(number) => return (128 + number, None),
    };
    (code, Some(hint))
}

/// To make a projection anew, whose rows can't be read or are of other events.
fn make_anew(name: &str) -> Hint {
    Hint::other("make it anew", &["project", "rebuild"], &[name])
}

/// What to do about a store that is not what was stored.
fn mend(damage: &Damage) -> Hint {
    if let Some(first) = damage.first {
        let before = first.saturating_sub(1).to_string();
        let words = "restore a backup; what stands before the damage can be read";
        let behind = (damage.last + 1).to_string();
        let rest = Hint::other("what stands behind it", &["read", "--from", &behind], &[]);
        return Hint::other(words, &["read", "--until", &before], &[]).or(rest);
    }
    let of = |kind| damage.of.get(&kind).map(String::as_str);
    if let Some(name) = of(FindingKind::Projection) {
        return make_anew(name);
    }
    if let Some(name) = of(FindingKind::Checkpoint) {
        return Hint::other("see how far it has come", &["subscription", "show"], &[name]);
    }
    if let Some(stream) = of(FindingKind::State) {
        let words = "make the state anew from its events";
        return Hint::other(words, &["read"], &[stream]);
    }
    if damage.kinds.keys().eq([&FindingKind::Record]) {
        let words = "it is written anew by now, or by the next change; whether the end of the log is whole, a head \
                     that was kept elsewhere shows, or a backup";
        return words.into();
    }
    if damage.kinds.keys().eq([&FindingKind::Against]) {
        return "the log holds in itself, and is not the one that had that head".into();
    }
    "keep a copy of the whole directory, and restore a backup; what is not named can be read".into()
}

/// The exit code of each cause, and what to do about it.
fn store_code(error: &Error, line: &CommandLine) -> Answer {
    let (code, hint) = match error {
        Error::WrongExpectedVersion { stream, expected: Expect::Exists, .. } => {
            (3, Hint::other("", &["stream", "show"], &[stream]))
        }
        Error::WrongExpectedVersion { stream, .. } => {
            (3, Hint::other("read what came in between, decide again", &["read"], &[stream]))
        }
        Error::Condition(fault) => (3, unmet(fault)),
        Error::PartlyDuplicate { .. } if line.has("--atomic") => {
            let hint = Hint::again("leave out what is stored, or let stored ids be skipped");
            (3, hint.without("--atomic"))
        }
        Error::PartlyDuplicate { .. } => (3, "leave out what is stored".into()),
        Error::IdReused { removed: true, .. } => {
            (6, "an id stands for one event for ever; that one has been removed".into())
        }
        Error::IdReused { position, .. } => {
            let words = "an id stands for one event for ever; see it";
            let place = &*position.to_string();
            (6, Hint::other(words, &["read", "--from", place, "--until", place], &[]))
        }
        Error::BeyondHead { head, .. } => (6, beyond(line, &head.next().to_string())),
        Error::BeyondStream { actual, .. } => (6, beyond(line, &format!("@{}", actual.next()))),
        Error::TooLarge { .. } => {
            (6, "how much a store takes is its setting max-data-bytes, in its file `store`".into())
        }
        Error::AggregateTooLarge { .. } => {
            (1, "store a state with each decision, or one now with `state set`".into())
        }
        Error::BoundaryTooLarge { .. } => (1, "choose fewer events: a narrower query".into()),
        Error::DecisionIdReused { .. } => {
            (6, "an id stands for one command on one stream or query, for ever".into())
        }
        Error::SameId { .. }
        | Error::OtherStream { .. }
        | Error::TimeAhead { .. }
        | Error::UniqueClash(_)
        | Error::Row { .. }
        | Error::Expression(_)
        | Error::FollowsNothing => return (6, None),
        Error::VersionNeedsStream => {
            (2, "name one stream, or give a position instead of a version".into())
        }
        error => return named_code(error, line),
    };
    (code, Some(hint))
}

/// The same for what is not there, or not as the command needs it.
fn named_code(error: &Error, line: &CommandLine) -> Answer {
    let (code, hint) = match error {
        Error::StreamNotFound { near, .. } => (4, near_names(near, &["stream", "list"])),
        Error::StateNotFound { near, .. } => (4, near_names(near, &["state", "list"])),
        Error::ProjectionNotFound { near, .. } => (4, near_names(near, &["project", "list"])),
        Error::ProjectionLost { name, .. } | Error::ProjectionDamaged { name, .. } => {
            (1, make_anew(name))
        }
        Error::ProjectionExists(name) | Error::ProjectionOpen(name) => {
            (1, Hint::other("see it", &["project", "show"], &[name]))
        }
        Error::StateWithoutVersion { .. } => {
            (6, "say \"expect\" with the version that the state was made of".into())
        }
        Error::StateAhead { stream, .. } => (6, Hint::other("", &["stream", "show"], &[stream])),
        Error::StateBehind { stream, .. } => (6, Hint::other("", &["state", "get"], &[stream])),
        Error::Event(EventFault::NotFound { .. }) => {
            (4, "an event is called by its position, by STREAM@N or by its id".into())
        }
        Error::Event(EventFault::Ambiguous { .. }) => (6, "say which one, by its position".into()),
        Error::Event(_) => return (6, None),
        Error::Protected { stream } => (1, Hint::other("", &["stream", "unprotect"], &[stream])),
        error => return stuck_code(error, line),
    };
    (code, Some(hint))
}

/// The same for what keeps a store from writing.
fn stuck_code(error: &Error, line: &CommandLine) -> Answer {
    let (code, hint) = match error {
        Error::Busy { waited } => (5, wait_longer(*waited, line)),
        Error::Damaged { .. } if line.is(&["restore"]) => {
            (1, "take another backup; what is in this one can be read with --store".into())
        }
        Error::LostEvents { .. } | Error::LostChanges { .. } | Error::Damaged { .. }
            if line.is(&["backup"]) =>
        {
            let all = Hint::other("see all that is wrong", &["verify"], &[]);
            (1, Hint::again("to back up what is left of it").flag("--damaged").or(all))
        }
        Error::LostEvents { path, .. } => (1, go_on_without("events", path)),
        Error::LostChanges { path, .. } => (1, go_on_without("changes", path)),
        Error::LogForgotten { .. } => {
            let words = "end the processes that have the store open, then run it again: nothing that was \
                         acknowledged is lost";
            (1, words.into())
        }
        Error::OutcomeUnknown { .. } if line.has("--id") => {
            (9, Hint::again("the event may be stored or not; its id makes it safe to run it again"))
        }
        Error::LogHeld { .. } => {
            let words = "a writer failed here before; nothing is written until the process that reads has \
                         ended";
            (5, words.into())
        }
        Error::OutcomeUnknown { .. } if changes_rows(line) => {
            (9, "the rows may be changed or not: look at them before it is run again".into())
        }
        Error::OutcomeUnknown { .. } => {
            let words = "the events may be stored or not; with an --id the same append can be run \
                         again safely";
            (9, words.into())
        }
        Error::Full { .. } => {
            (1, "make room and run it again: nothing that was acknowledged is lost".into())
        }
        Error::Interrupted => return (130, None),
        error => return follow_code(error, line),
    };
    (code, Some(hint))
}

/// Whether the command changes rows by hand.
fn changes_rows(line: &CommandLine) -> bool {
    ["set", "update", "delete"].iter().any(|verb| line.is(&["project", verb]))
}

/// What to do about a store that lost what was acknowledged.
fn go_on_without(what: &str, store: &Path) -> Hint {
    let words = format!(
        "keep a copy of the whole directory; reading still works. To go on without the lost {what}"
    );
    // Either record may name what is lost.
    let (bell, changes) = (store.join("bell/bell"), store.join("changes"));
    Hint::system(&words, ["rm".as_ref(), "-f".as_ref(), bell.as_os_str(), changes.as_os_str()])
}

/// The same for what follows the log.
fn follow_code(error: &Error, line: &CommandLine) -> Answer {
    let (code, hint) = match error {
        Error::NotAllowed(refused) => (
            1,
            match refused.no_permits {
                None => Hint::other("", &["project", "allow"], &[&refused.name]),
                Some(reason) => {
                    let words = format!("{reason}, so each run needs --allow");
                    Hint::again(&words).flag("--allow")
                }
            },
        ),
        Error::NoPermits(_) => (1, "run the program with --allow, or set REAM_ALLOW=1".into()),
        Error::SubscriptionNotFound { near, .. } => {
            (4, near_names(near, &["subscription", "list"]))
        }
        Error::SubscriptionDiffers { .. } => {
            let hint = Hint::again("take another name, or go on with what it follows");
            (6, hint.without("PATTERN").without("--type"))
        }
        Error::NameTaken { .. } => (6, Hint::other("", &["subscription", "list"], &[])),
        Error::Superseded(name) if line.is(&["project", "run"]) => {
            (1, Hint::other("go on with the new one", &["project", "run"], &[name]))
        }
        Error::Superseded(_) => (1, Hint::again("run it again on the new one")),
        Error::Dropped(_) => (1, "`project create` makes it again".into()),
        Error::Running { .. } if line.knows("--wait") => {
            (5, Hint::again("to wait until that ends").option("--wait", "1m"))
        }
        Error::Running { .. } => (5, "run it again when that has ended".into()),
        Error::CheckpointMoved { name, .. } => {
            let words = "see where it is, then run it again";
            (1, Hint::other(words, &["subscription", "show"], &[name]))
        }
        Error::OtherLog { name, projection: true, .. } => (1, make_anew(name)),
        Error::OtherLog { name, .. } => {
            let words = "see where it was, then say with `subscription seek` where it goes on";
            (1, Hint::other(words, &["subscription", "show"], &[name]))
        }
        error => return opening_code(error, line),
    };
    (code, Some(hint))
}

/// The same for a store that can't be opened.
fn opening_code(error: &Error, line: &CommandLine) -> Answer {
    let (code, hint) = match error {
        Error::NoStore { .. } if line.is(&["restore"]) => (4, Hint::help("", &["backup"])),
        Error::NoStore { path } => (4, init(path, line)),
        Error::NewerFormat { .. } | Error::UnknownEngine { .. } | Error::NewerRecord(_) => {
            (1, "install the ream that wrote it, or a later one".into())
        }
        Error::NotEmpty { path } => (1, Hint::again("").value("DIR", path.join(".ream"))),
        Error::BadCredentials(_) => return (6, None),
        Error::Place { path, fault } => return (1, place_hint(path, fault)),
        Error::NotADirectory { .. } => (4, "a store is a directory".into()),
        _ => return (1, None),
    };
    (code, Some(hint))
}

/// The same for a program that failed.
fn program_code(error: &ProgramError, line: &CommandLine) -> Answer {
    let code = if error.is_ours() { 1 } else { 7 };
    let hint = match error {
        ProgramError::NotStarted { program, file, source } => {
            return (code, not_started(program, file, source, line));
        }
        ProgramError::EndedEarly { .. } => {
            "a program reads the command before it accepts it with exit code 0; with --serve it answers \
             each line that it reads, with {\"ack\":VERSION} at the end"
        }
        ProgramError::TimedOut { .. } => {
            "an answer may wait in its buffer: flush it, and with --serve end it with {\"ack\":VERSION}; \
             --timeout 5m waits longer"
        }
        ProgramError::HeldOpen { .. } => {
            "redirect the output of what shall go on: command >/dev/null &"
        }
        ProgramError::BadReply { .. } => {
            "stdout is for replies, a JSON object a line: append, state, reject, ack; all else goes to stderr"
        }
        ProgramError::TooLong { .. } => "a state holds what the next decision needs, no more",
        ProgramError::Unseen { .. } => {
            "let it write {\"ack\":POSITION}, or run it with --per-event"
        }
        ProgramError::Interrupted => return (130, None),
        _ => return (code, None),
    };
    (code, Some(hint.into()))
}

/// What to do where a program that follows the log failed again and again.
fn stopped(error: &FollowError) -> Hint {
    match error {
        FollowError::Stopped { error: ProgramError::BadReply { .. }, .. } => {
            "stdout is for replies, a JSON object a line; all else goes to stderr".into()
        }
        FollowError::Stopped { error: ProgramError::HeldOpen { .. }, .. } => {
            "redirect the output of what shall go on: command >/dev/null &".into()
        }
        FollowError::Stopped { error: ProgramError::EndedEarly { .. }, .. } => {
            "a program reads events until its input ends; where its exit code alone is the ack: --per-event"
                .into()
        }
        FollowError::Stopped { events: Some((first, last)), .. } => {
            let words = "what came before is stored; see where it fails";
            let (first, last) = (&*first.to_string(), &*last.to_string());
            Hint::other(words, &["read", "--from", first, "--until", last], &[])
        }
        _ => "what came before is stored".into(),
    }
}

/// How the store is made that is not there.
fn init(path: &Path, line: &CommandLine) -> Hint {
    // Where the command line names it, that is what names it here.
    let path = path.to_string_lossy();
    let named = line.has("--store") || line.is(&["init"]);
    let path = [&*path];
    Hint::other("", &["init"], if named { &[] } else { &path })
}

/// How to begin where nothing is yet.
fn beyond(line: &CommandLine, next: &str) -> Hint {
    if line.is(&["subscription", "seek"]) {
        return Hint::again("to its end").value("POS|start|end|TIME", "end");
    }
    if !line.knows("--from") {
        return "no event stands there yet".into();
    }
    let hint = Hint::again("to begin with what comes next").without("--after").without("--from");
    hint.option("--from", next)
}

/// How to wait for longer than this.
fn wait_longer(waited: Duration, line: &CommandLine) -> Hint {
    if line.has("--jsonl") && !line.has("--atomic") {
        return "what came before is stored: leave it out, and wait longer with --lock-timeout 5m"
            .into();
    }
    let longer = waited.saturating_mul(2).as_secs();
    let longer = if longer <= 300 { "5m".into() } else { format!("{longer}s") };
    Hint::again("try again, or wait longer").option("--lock-timeout", longer)
}

/// What is wrong with a file that can't be run.
fn not_started(program: &str, file: &Path, source: &io::Error, line: &CommandLine) -> Option<Hint> {
    let exists = file.exists();
    // It is run in the directory that was remembered; from here it may have a longer name.
    let same = |a: &Path, b: &Path| Some(a.canonicalize().ok()? == b.canonicalize().ok()?);
    let near = same(file, Path::new(program)) == Some(true);
    let file: PathBuf = file.components().collect();
    let shown = if near { program.into() } else { file.to_string_lossy() };
    match source.kind() {
        io::ErrorKind::PermissionDenied if may_be_run(&file) => {
            Some(Hint::system("", ["chmod", "+x", &*shown]))
        }
        io::ErrorKind::NotFound if exists && shown.contains('/') => {
            Some(format!("the interpreter in the first line of {shown} is not there").into())
        }
        io::ErrorKind::NotFound if exists => {
            let path = format!("./{shown}");
            if line.has("PROGRAM") {
                return Some(
                    Hint::again("a file here is run with its path").value("PROGRAM", path),
                );
            }
            Some(format!("a file here is run with its path: {}", quote(path)).into())
        }
        _ => None,
    }
}

/// Whether a file was made to be run, and by this user or below the working directory.
fn may_be_run(file: &Path) -> bool {
    let Ok(metadata) = file.metadata() else { return false };
    let below = || Some(file.canonicalize().ok()?.starts_with(std::env::current_dir().ok()?));
    if !metadata.is_file() || !(platform::is_own(&metadata) || below() == Some(true)) {
        return false;
    }
    let mut start = [0; 4];
    let read = std::fs::File::open(file).and_then(|mut file| file.read(&mut start));
    read.is_ok_and(|read| start[..read].starts_with(b"#!") || start[..read] == *b"\x7fELF")
}

/// Names that are near to one that is not there, or the command that lists all.
fn near_names(near: &[String], list: &[&str]) -> Hint {
    let names: Vec<String> = near.iter().map(|name| format!("`{name}`")).collect();
    if names.is_empty() {
        return Hint::other("", list, &[]);
    }
    format!("there is {}", names.join(", ")).into()
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use ream::Position;

    use super::*;

    /// What is hinted where this command line fails so.
    fn hinted(line: &str, error: Error) -> Vec<String> {
        let args: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        // The arguments of these commands are told apart as those of each command are.
        let definition = clap::Command::new("ream")
            .arg(clap::Arg::new("store").long("store"))
            .subcommand(clap::Command::new("append").arg(clap::Arg::new("id").long("id")))
            .subcommand(clap::Command::new("project").subcommand(clap::Command::new("run")));
        let line = CommandLine::new(&args, &definition, "".as_ref());
        let (_, hint) = classify(&error.into(), &line);
        hint.iter().flat_map(|hint| line.show(hint)).collect()
    }

    #[test]
    fn what_takes_a_fault_or_a_race_is_hinted_on_the_same_store() {
        let unknown = || Error::OutcomeUnknown { source: "disk".into() };
        let words = "the event may be stored or not; its id makes it safe to run it again: ";
        let line = "ream --store shop append s T 1 --id k";
        assert_eq!(hinted(line, unknown()), [format!("{words}{line}")]);
        let without = hinted("ream --store shop append s T 1", unknown());
        assert!(!without[0].contains("shop"), "not safe to run again: {without:?}");
        let superseded = || Error::Superseded("rows".into());
        let line = "ream --store shop project run rows a-* -- ./rows.py";
        let words = "go on with the new one: ream --store shop project run rows";
        assert_eq!(hinted(line, superseded()), [words]);
        let line = "ream --store shop project set rows 1";
        assert_eq!(hinted(line, superseded()), [format!("run it again on the new one: {line}")]);
        let moved = Error::CheckpointMoved { name: "hook".into(), expected: Position(1) };
        let words = "see where it is, then run it again: ream --store shop subscription show hook";
        assert_eq!(hinted("ream --store shop tail", moved), [words]);
    }

    #[test]
    fn only_what_was_made_to_be_run_is_made_executable() {
        let directory = tempfile::tempdir().unwrap();
        for (name, content, runs) in [
            ("script", "#!/bin/sh\n", true),
            ("passwd", "root:x:0:0:\n", false),
            ("empty", "", false),
        ] {
            let file = directory.path().join(name);
            std::fs::write(&file, content).unwrap();
            assert_eq!(may_be_run(&file), runs, "{name}");
        }
        assert!(!may_be_run(directory.path()));
        assert!(!may_be_run(Path::new("/etc/passwd")));
    }
}
