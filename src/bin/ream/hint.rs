//! What to do about an error: words, and the command that does it, where there is one.
//!
//! A command is made from the command line as it was given: the same one with the change that mends it,
//! or another one on the same store. No other room words a command of ream's: one that were written
//! down elsewhere would act on the default store, whatever `--store` says, and drop what was given.

mod line;

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;

use crate::printable::is_dangerous;

pub(crate) use line::CommandLine;

/// What to do about an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hint {
    words: String,
    command: Option<Command>,
    /// What can be done instead.
    or: Option<Box<Hint>>,
}

/// A command to run.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Command {
    /// The command line as it was given, changed.
    Again(Vec<Change>),
    /// Another command on the same store: its words, and names that are its arguments.
    Other { words: Vec<String>, names: Vec<String> },
    /// Another command that names the directories it is about: its words.
    Elsewhere(Vec<OsString>),
    /// The help of a command; of the one that was given, where there are no words.
    Help(Vec<String>),
    /// A command of the system's.
    System(Vec<OsString>),
}

/// A change of a command line. Options go by their long names, other arguments as the help calls them.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Change {
    /// An option is given, with a value where it has one, instead of what was given for it.
    With(&'static str, Option<OsString>),
    /// An argument is not given.
    Without(&'static str),
    /// An argument that was given has another value, in its place; one that was not comes last.
    Value(String, OsString),
    /// The command has another name.
    Named(&'static str),
}

impl Hint {
    /// What no single command does.
    pub(crate) fn words(words: impl Into<String>) -> Self {
        Self { words: words.into(), command: None, or: None }
    }

    /// To run the command line again, with the changes that are made behind this.
    pub(crate) fn again(words: &str) -> Self {
        Self { command: Some(Command::Again(Vec::new())), ..Self::words(words) }
    }

    /// To run another command on the same store, about `names`.
    pub(crate) fn other(words: &str, command: &[&str], names: &[&str]) -> Self {
        let owned = |words: &[&str]| words.iter().map(ToString::to_string).collect();
        let (command, names) = (owned(command), owned(names));
        Self { command: Some(Command::Other { words: command, names }), ..Self::words(words) }
    }

    /// To run another command, which names the directories that it is about.
    pub(crate) fn elsewhere<W: AsRef<OsStr>>(
        words: &str,
        command: impl IntoIterator<Item = W>,
    ) -> Self {
        let command = command.into_iter().map(|word| word.as_ref().to_owned()).collect();
        Self { command: Some(Command::Elsewhere(command)), ..Self::words(words) }
    }

    /// To read the help of the command that was given.
    pub(crate) fn own_help() -> Self {
        Self::help("", &[])
    }

    /// To read the help of a command.
    pub(crate) fn help(words: &str, command: &[&str]) -> Self {
        let command = command.iter().map(ToString::to_string).collect();
        Self { command: Some(Command::Help(command)), ..Self::words(words) }
    }

    /// To run a command of the system's.
    pub(crate) fn system<W: AsRef<OsStr>>(
        words: &str,
        command: impl IntoIterator<Item = W>,
    ) -> Self {
        let command = command.into_iter().map(|word| word.as_ref().to_owned()).collect();
        Self { command: Some(Command::System(command)), ..Self::words(words) }
    }

    /// With an option that has no value.
    pub(crate) fn flag(self, option: &'static str) -> Self {
        self.change(Change::With(option, None))
    }

    /// With an option and its value.
    pub(crate) fn option(self, option: &'static str, value: impl Into<OsString>) -> Self {
        self.change(Change::With(option, Some(value.into())))
    }

    /// Without an argument.
    pub(crate) fn without(self, argument: &'static str) -> Self {
        self.change(Change::Without(argument))
    }

    /// With another value of an argument.
    pub(crate) fn value(self, argument: &str, value: impl Into<OsString>) -> Self {
        self.change(Change::Value(argument.into(), value.into()))
    }

    /// As the command beside it that has this name.
    pub(crate) fn named(self, command: &'static str) -> Self {
        self.change(Change::Named(command))
    }

    /// Or do that.
    pub(crate) fn or(mut self, other: Self) -> Self {
        self.or = Some(Box::new(other));
        self
    }

    fn change(mut self, change: Change) -> Self {
        if let Some(Command::Again(changes)) = &mut self.command {
            changes.push(change);
        }
        self
    }
}

impl From<String> for Hint {
    fn from(words: String) -> Self {
        Self::words(words)
    }
}

impl From<&str> for Hint {
    fn from(words: &str) -> Self {
        Self::words(words)
    }
}

/// A word as a shell takes it, on one line, with nothing in it that a terminal does not show: a hint that
/// is copied from a terminal has to be what it says.
pub(crate) fn quote(word: impl AsRef<OsStr>) -> String {
    let word = word.as_ref();
    match word.to_str() {
        Some(text) if !text.chars().any(is_dangerous) => quote_text(text),
        _ => quote_bytes(word.as_encoded_bytes()),
    }
}

/// Words as a shell takes them.
pub(crate) fn quote_all(words: &[String]) -> String {
    words.iter().map(quote).collect::<Vec<_>>().join(" ")
}

fn quote_text(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./@:+=,".contains(c);
    // A shell may have a use for `=` at the start.
    if !text.is_empty() && text.chars().all(plain) && !text.starts_with('=') {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// Bytes as a format of `printf`, which each shell has.
fn quote_bytes(bytes: &[u8]) -> String {
    let mut format = String::new();
    for (place, byte) in bytes.iter().enumerate() {
        match byte {
            b'%' => format.push_str("%%"),
            // A format that begins with `-` is taken for an option.
            b'\\' | b'\'' | b'-' if *byte != b'-' || place == 0 => octal(&mut format, *byte),
            b' '..=b'~' => format.push(char::from(*byte)),
            _ => octal(&mut format, *byte),
        }
    }
    format!("\"$(printf '{format}')\"")
}

fn octal(format: &mut String, byte: u8) {
    // Writing into a string does not fail.
    let _ = write!(format, "\\{byte:03o}");
}

#[cfg(test)]
mod tests {
    use super::quote;

    #[test]
    fn words_are_quoted_for_a_shell() {
        for (word, quoted) in [
            ("order-42", "order-42"),
            ("", "''"),
            ("a b", "'a b'"),
            ("it's", r"'it'\''s'"),
            ("$x", "'$x'"),
            ("=ls", "'=ls'"),
            ("東京-1", "東京-1"),
            ("a\u{200b}b", r#""$(printf 'a\342\200\213b')""#),
            ("-\u{1b}%'\\\n", r#""$(printf '\055\033%%\047\134\012')""#),
        ] {
            assert_eq!(quote(word), quoted);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_shell_takes_a_quoted_word_for_what_it_was() {
        use std::os::unix::ffi::OsStrExt as _;
        for word in [&b"a\xff%d\\n'\"$x`"[..], "-n \u{202e}\u{e0041}\r\n\tx".as_bytes(), b"it's"] {
            let script = format!("printf %s {}", quote(std::ffi::OsStr::from_bytes(word)));
            let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
            assert_eq!(output.stdout, word, "{script}");
        }
    }
}
