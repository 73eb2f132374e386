//! From what went wrong to a message, a hint and an exit code: one table.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use ream::program::{FollowError, ProgramError};
use ream::{AssignmentError, Error, Expect, ExpectError, ExpressionError};

use crate::output::{Style, escape};
use crate::printable::escape_lines;
use crate::refused::{Refused, quote, quote_all};

/// Tells what went wrong, and gives the exit code.
pub(crate) fn report(error: &anyhow::Error, style: Style) -> ExitCode {
    let (code, hint) = classify(error);
    let mut message = format!("{} {}\n", style.error("error:"), escape(&error.to_string()));
    if let Some(error) = error.chain().find_map(expression) {
        for line in error.excerpt().lines() {
            let _ = writeln!(message, "  {}", escape(line));
        }
    }
    if let Some((program, directory)) = error.chain().find_map(unallowed) {
        let directory = quote(&directory.to_string_lossy());
        for (what, told) in [("program", quote_all(program)), ("directory", directory)] {
            let _ = writeln!(message, "  {what}: {}", escape(&told));
        }
    }
    for cause in error.chain().skip(1) {
        // Writing into a string does not fail.
        let _ = writeln!(message, "{} {}", style.dim("caused by:"), escape(&cause.to_string()));
    }
    if let Some(hint) = hint {
        let _ = writeln!(message, "{} {}", style.hint("hint:"), escape(&hint));
    }
    // A closed stderr leaves no one to tell.
    let _ = io::stderr().write_all(message.as_bytes());
    ExitCode::from(code)
}

/// Options that say what to do. What else has a value names something: an event, a place, a time.
const STEERING: [&str; 11] = [
    "--expect",
    "--lock-timeout",
    "--limit",
    "--last",
    "--offset",
    "--timeout",
    "--attempts",
    "--grace",
    "--wait",
    "--batch",
    "--retries",
];

/// Prints the help that a command line asks for, or what is wrong with it, and gives the exit code.
pub(crate) fn command_line(mut error: clap::Error, style: Style) -> ExitCode {
    let code = command_line_code(&error);
    // A closed stdout or stderr leaves no one to tell.
    let _ = match error.kind() {
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayVersion
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => error.print(),
        _ => {
            let message = printable(&mut error);
            let message = message.strip_prefix("error:").unwrap_or(&message);
            io::stderr().write_all(format!("{}{message}", style.error("error:")).as_bytes())
        }
    };
    code
}

/// What clap says, with what was given escaped: an argument may hold anything.
fn printable(error: &mut clap::Error) -> String {
    let given: Vec<_> = error.context().map(|(kind, value)| (kind, value.clone())).collect();
    for (kind, value) in given {
        let escaped = match value {
            ContextValue::String(text) => ContextValue::String(escape(&text).into_owned()),
            ContextValue::Strings(texts) => {
                ContextValue::Strings(texts.iter().map(|text| escape(text).into_owned()).collect())
            }
            _ => continue,
        };
        error.insert(kind, escaped);
    }
    let mut message = error.render().to_string();
    // The reason that a parser of ours gives may quote what it was given.
    if let Some(source) = std::error::Error::source(error) {
        let reason = source.to_string();
        message = message.replace(&reason, &escape(&reason));
    }
    String::from_utf8_lossy(&escape_lines(message.as_bytes())).into_owned()
}

/// The exit code of a command line that can't be understood, or in which a name, a place or a time
/// is none, or that asks for help.
fn command_line_code(error: &clap::Error) -> ExitCode {
    let steers = || match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(arg)) => STEERING.iter().any(|option| arg.contains(option)),
        _ => false,
    };
    match error.kind() {
        ErrorKind::ValueValidation if !steers() || is_out_of_range(error) => ExitCode::from(6),
        _ => ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(1)),
    }
}

/// Whether a version is one that no stream can have: what is no version at all is a usage error.
fn is_out_of_range(error: &clap::Error) -> bool {
    let source = std::error::Error::source(error);
    matches!(source.and_then(|source| source.downcast_ref()), Some(ExpectError::OutOfRange(_)))
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

fn classify(error: &anyhow::Error) -> (u8, Option<String>) {
    for cause in error.chain() {
        if let Some(refused) = cause.downcast_ref::<Refused>() {
            return refused_code(refused);
        }
        if let Some(error) = cause.downcast_ref::<ExpressionError>() {
            return (6, error.hint().map(str::to_owned));
        }
        if let Some(error) = cause.downcast_ref::<Error>() {
            return store_code(error);
        }
        if let Some(error) = cause.downcast_ref::<ProgramError>() {
            return program_code(error);
        }
    }
    (1, None)
}

fn refused_code(refused: &Refused) -> (u8, Option<String>) {
    match refused {
        Refused::Usage(_) => (2, Some("ream --help".into())),
        Refused::Invalid { hint, .. } => (6, hint.clone()),
        Refused::NoStoreNear { itself: true, .. } => {
            (4, Some("this directory is a store itself: add --store .".into()))
        }
        Refused::NoStoreNear { .. } => (4, Some("ream init".into())),
        Refused::Unconfirmed { hint, .. } => (2, Some(hint.clone())),
        Refused::Declined => (1, None),
        Refused::Rejected(_) => (8, None),
        Refused::Undecided { error, .. } => program_code(error),
        Refused::Unfit { .. } => (7, None),
        Refused::NotReached { name, .. } => (10, Some(format!("ream project show {name}"))),
        Refused::IsProjection(name) => {
            (4, Some(format!("to make it anew: ream project rebuild {name}")))
        }
        Refused::ForeignProgram { hint, .. } => (1, Some(hint.clone())),
        Refused::Stopped(error) => (7, Some(stopped(error))),
        Refused::Unprintable(_) => {
            (2, Some("send them into a file or a pipe, or leave out --data".into()))
        }
        Refused::Signal(number) => (128 + number, None),
    }
}

/// The exit code of each cause, and what to do about it.
fn store_code(error: &Error) -> (u8, Option<String>) {
    let hint = |text: String| Some(text);
    match error {
        Error::NoStore { path } => (4, hint(format!("ream init {}", quote(&path.to_string_lossy())))),
        Error::NewerFormat { .. } | Error::UnknownEngine { .. } => {
            (1, hint("install the ream that wrote it, or a later one".into()))
        }
        Error::NotEmpty { path } => {
            (1, hint(format!("ream init {}", quote(&path.join(".ream").to_string_lossy()))))
        }
        Error::ForeignOwner { .. } => {
            (1, hint("run ream as that user, or set REAM_TRUST_OWNER=1 if you trust it".into()))
        }
        Error::WritableByOthers { path, .. } => (
            1,
            hint(format!(
                "chmod 700 {}, or set REAM_TRUST_OWNER=1 if you trust them",
                quote(&path.to_string_lossy())
            )),
        ),
        Error::NetworkFileSystem { .. } => (
            1,
            hint("move the store to a local disk; REAM_UNSAFE_FS=1 uses it all the same".into()),
        ),
        Error::WrongExpectedVersion { stream, expected, .. } => {
            let hint = match expected {
                Expect::Exists => format!("ream stream show {}", quote(stream)),
                _ => format!("read what came in between, decide again: ream read {}", quote(stream)),
            };
            (3, Some(hint))
        }
        Error::PartlyDuplicate { .. } => {
            (3, hint("leave out what is stored, or append without --atomic: stored ids are skipped".into()))
        }
        Error::IdReused { position, .. } => {
            let after = position.0.saturating_sub(1);
            (6, hint(format!("an id stands for one event for ever; see it: ream read --after {after} --limit 1")))
        }
        Error::BeyondHead { head, .. } => {
            (6, hint(format!("--from {} or --new waits for what comes next", head.next())))
        }
        Error::BeyondStream { actual, .. } => {
            (6, hint(format!("--from @{} waits for what comes next", actual.next())))
        }
        Error::TooLarge { .. } => {
            (6, hint("how much a store takes is its setting max-data-bytes, in its file `store`".into()))
        }
        Error::AggregateTooLarge { stream, .. } => {
            (1, hint(format!("store a state with the decisions, or one now: ream state set {}", quote(stream))))
        }
        Error::DecisionIdReused { .. } => {
            (6, hint("an id stands for one command on one stream, for ever".into()))
        }
        Error::ForgedId { .. }
        | Error::SameId { .. }
        | Error::OtherStream { .. }
        | Error::TimeAhead { .. }
        | Error::UniqueClash(_)
        | Error::Row { .. }
        | Error::Expression(_)
        | Error::ContinuesNothing => (6, None),
        Error::VersionNeedsStream => (2, hint("ream read order-42 --after @3".into())),
        Error::StreamNotFound { near, .. } => (4, Some(near_names(near, "ream stream list"))),
        Error::StateNotFound { near, .. } => (4, Some(near_names(near, "ream state list"))),
        Error::ProjectionNotFound { near, .. } => (4, Some(near_names(near, "ream project list"))),
        Error::ProjectionLost { name, .. } => {
            (1, hint(format!("make it anew: ream project drop {name} --yes, then ream project create {name} …")))
        }
        Error::ProjectionExists { name } => (
            1,
            hint(format!("see it: ream project show {name}; to make it anew: ream project drop {name}")),
        ),
        Error::StateWithoutVersion { .. } => (6, hint("say \"expect\" with the version that the state was made of".into())),
        Error::StateAhead { stream, .. } => (6, hint(format!("ream stream show {}", quote(stream)))),
        Error::StateBehind { stream, .. } => (6, hint(format!("ream state get {}", quote(stream)))),
        Error::Protected { stream } => {
            (1, hint(format!("ream stream unprotect {}", quote(stream))))
        }
        Error::Busy { .. } => (5, hint("try again, or wait longer with --lock-timeout 5m".into())),
        Error::LogHeld { .. } => (
            5,
            hint("a writer failed here before; nothing is written until the process that reads has ended".into()),
        ),
        Error::LogForgotten { .. } => (
            1,
            hint("end the processes that have the store open, then run it again: nothing that was acknowledged is lost".into()),
        ),
        Error::LostEvents { .. } => (1, hint(
            "keep a copy of the whole directory; reading still works. To go on without the lost events, remove bell/bell".into(),
        )),
        Error::OutcomeUnknown { .. } => {
            (9, hint("the events may be stored or not; with an --id the same append can be run again safely".into()))
        }
        Error::Full { .. } => {
            (1, hint("make room and run it again: nothing that was acknowledged is lost".into()))
        }
        Error::Interrupted => (130, None),
        Error::NotADirectory { .. } => (4, hint("a store is a directory, and may be a new one: ream init .ream".into())),
        error => follow_code(error),
    }
}

/// The same for what follows the log.
fn follow_code(error: &Error) -> (u8, Option<String>) {
    let hint = Some;
    match error {
        Error::NotAllowed(refused) => {
            let (store, name) = (quote(&refused.store.to_string_lossy()), &refused.name);
            let allowed = match refused.no_permits {
                None => format!("ream --store {store} project allow {name}"),
                Some(reason) => format!("add --allow, or set REAM_ALLOW=1: {reason}"),
            };
            (1, hint(allowed))
        }
        Error::NoPermits { .. } => {
            (1, hint("run the program with --allow, or set REAM_ALLOW=1".into()))
        }
        Error::SubscriptionNotFound { near, .. } => {
            (4, Some(near_names(near, "ream subscription list")))
        }
        Error::SubscriptionDiffers { name, .. } => {
            (6, hint(format!("another name, or begin anew: ream subscription rm {name}")))
        }
        Error::NameTaken { .. } => (6, hint("ream subscription list".into())),
        Error::Superseded { name } => {
            (1, hint(format!("go on with the new one: ream project run {name}")))
        }
        Error::Running { .. } => (5, hint("--wait 1m waits until that ends".into())),
        Error::CheckpointMoved { name, .. } => {
            (1, hint(format!("see where it is, then run it again: ream subscription show {name}")))
        }
        Error::OtherLog { name, projection: true, .. } => {
            (1, hint(format!("make it anew: ream project rebuild {name}")))
        }
        Error::OtherLog { name, .. } => {
            (1, hint(format!("say where it goes on: ream subscription seek {name} end")))
        }
        _ => (1, None),
    }
}

/// The same for a program that failed.
fn program_code(error: &ProgramError) -> (u8, Option<String>) {
    let hint = match error {
        ProgramError::NotStarted { program, source } => not_started(program, source),
        ProgramError::EndedEarly { .. } => Some(
            "a program reads the command before it accepts it with exit code 0; with --serve it answers \
             each line that it reads, with {\"ack\":VERSION} at the end"
                .into(),
        ),
        ProgramError::TimedOut { .. } => Some(
            "an answer may wait in its buffer: flush it, and with --serve end it with {\"ack\":VERSION}; \
             --timeout 5m waits longer"
                .into(),
        ),
        ProgramError::HeldOpen { .. } => {
            Some("redirect the output of what shall go on: command >/dev/null &".into())
        }
        ProgramError::BadReply { .. } => Some(
            "stdout is for replies, a JSON object a line: append, state, reject, ack; all else goes to stderr"
                .into(),
        ),
        ProgramError::TooLong { .. } => Some("a state holds what the next decision needs, no more".into()),
        ProgramError::Unseen { .. } => {
            Some("let it write {\"ack\":POSITION}, or run it with --per-event".into())
        }
        ProgramError::Interrupted => return (130, None),
        _ => None,
    };
    (if error.is_ours() { 1 } else { 7 }, hint)
}

/// What to do where a program that follows the log failed again and again.
fn stopped(error: &FollowError) -> String {
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
            let (after, limit) = (first.0.saturating_sub(1), last.0 - first.0 + 1);
            let all = if limit > 1 { format!("--until {last}") } else { "--limit 1".into() };
            format!("see it: ream read --after {after} {all}; what came before is stored")
        }
        _ => "what came before is stored".into(),
    }
}

/// What is wrong with a file that can't be run.
fn not_started(program: &str, source: &io::Error) -> Option<String> {
    let exists = Path::new(program).exists();
    match source.kind() {
        io::ErrorKind::PermissionDenied => Some(format!("chmod +x {}", quote(program))),
        io::ErrorKind::NotFound if exists && program.contains('/') => {
            Some(format!("the interpreter in the first line of {program} is not there"))
        }
        io::ErrorKind::NotFound if exists => {
            Some(format!("a file here is run with its path: ./{}", quote(program)))
        }
        _ => None,
    }
}

/// Names that are near to one that is not there, or the command that lists all.
fn near_names(near: &[String], list: &str) -> String {
    let names: Vec<String> = near.iter().map(|name| format!("`{name}`")).collect();
    if names.is_empty() { list.into() } else { format!("there is {}", names.join(", ")) }
}
