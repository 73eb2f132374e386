//! A command line that can't be understood, or that asks for help: what clap says, and the exit code.

use std::borrow::Cow;
use std::io::{self, Write as _};
use std::num::{IntErrorKind, ParseIntError};
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use ream::ExpectError;

use crate::output::Style;
use crate::printable::{escape, escape_lines};

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
pub(crate) fn report(mut error: clap::Error, style: Style) -> ExitCode {
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
        message = message.replace(&reason, &reason_of(source, &reason));
    }
    String::from_utf8_lossy(&escape_lines(message.as_bytes())).into_owned()
}

/// The reason why a value is refused, with what was given escaped.
fn reason_of<'r>(source: &(dyn std::error::Error + 'static), reason: &'r str) -> Cow<'r, str> {
    match source.downcast_ref::<ParseIntError>().map(ParseIntError::kind) {
        None => escape(reason),
        Some(IntErrorKind::PosOverflow) => "too large a number".into(),
        Some(_) => "not a whole number from 0 on".into(),
    }
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
