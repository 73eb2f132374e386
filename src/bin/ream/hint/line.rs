//! The command line as it was given, in parts, and the commands that are made from it.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::{Arg, ArgAction};

use super::{Change, Command, Hint, quote};
use crate::printable::escape;

/// What every command has, and takes along to another one: which store, and how long to wait for it.
const OF_THE_STORE: [&str; 2] = ["--store", "--lock-timeout"];

/// The command line as it was given.
#[derive(Debug, Clone)]
pub(crate) struct CommandLine {
    /// How the program is called.
    program: OsString,
    parts: Vec<Part>,
    /// The options that its command knows, by their long names.
    known: Vec<String>,
}

/// The words of one argument.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    kind: Kind,
    words: Vec<OsString>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    /// A command, or a command within one.
    Command,
    /// An option by its long name, or another argument as the help calls it.
    Argument(String),
    /// What only values follow.
    Dashes,
}

impl CommandLine {
    /// The parts of `args`, which `definition` takes. The program is called by its name where that finds
    /// it in the directories of `search_path`, as a shell would.
    pub(crate) fn new(args: &[OsString], definition: &clap::Command, search_path: &OsStr) -> Self {
        let program = args.first().map_or_else(|| "ream".into(), |word| called(word, search_path));
        let mut reading =
            Reading { root: definition, command: definition, place: 0, parts: Vec::new() };
        reading.read(args.get(1..).unwrap_or_default());
        let options =
            [reading.root, reading.command].into_iter().flat_map(clap::Command::get_arguments);
        let known = options.filter(|option| option.get_long().is_some()).map(name).collect();
        Self { program, parts: reading.parts, known }
    }

    /// Whether an argument was given.
    pub(crate) fn has(&self, argument: &str) -> bool {
        self.parts.iter().any(|part| part.is(argument))
    }

    /// Whether the command knows an option.
    pub(crate) fn knows(&self, option: &str) -> bool {
        self.known.iter().any(|known| known == option)
    }

    /// Whether this is the command, by the words that name it.
    pub(crate) fn is(&self, command: &[&str]) -> bool {
        self.command().eq(command.iter().map(OsStr::new))
    }

    /// The hint as it is printed, a line for each thing that can be done.
    pub(crate) fn show(&self, hint: &Hint) -> Vec<String> {
        let mut lines = Vec::new();
        let mut next = Some(hint);
        while let Some(hint) = next {
            let words = escape(&hint.words);
            lines.push(match &hint.command {
                None => words.into_owned(),
                Some(command) if words.is_empty() => self.line(command),
                Some(command) => format!("{words}: {}", self.line(command)),
            });
            next = hint.or.as_deref();
        }
        lines
    }

    /// A command as a shell takes it.
    fn line(&self, command: &Command) -> String {
        let words = match command {
            Command::Again(changes) => self.again(changes),
            Command::Other { words, names } => self.other(words, names),
            Command::Help(words) => {
                let mut line = vec![self.program.clone()];
                if words.is_empty() {
                    line.extend(self.command().map(OsStr::to_owned));
                }
                line.extend(words.iter().map(OsString::from));
                line.push("--help".into());
                line
            }
            Command::Elsewhere(words) => {
                std::iter::once(&self.program).chain(words).cloned().collect()
            }
            Command::System(words) => words.clone(),
        };
        words.iter().map(quote).collect::<Vec<_>>().join(" ")
    }

    /// The words of the same command line with changes.
    fn again(&self, changes: &[Change]) -> Vec<OsString> {
        let mut parts = self.parts.clone();
        for change in changes {
            match change {
                Change::With(option, value) => {
                    parts.retain(|part| !part.is(option));
                    let words = match value {
                        None => vec![option.into()],
                        Some(value) => option_words(option, value),
                    };
                    let commands = parts.iter().rposition(|part| part.kind == Kind::Command);
                    let place = commands.map_or(0, |last| last + 1);
                    parts.insert(place, Part { kind: Kind::Argument((*option).into()), words });
                }
                Change::Without(argument) => parts.retain(|part| !part.is(argument)),
                Change::Value(argument, value) => {
                    let words = if argument.starts_with("--") {
                        option_words(argument, value)
                    } else {
                        vec![value.into()]
                    };
                    match parts.iter_mut().find(|part| part.is(argument)) {
                        Some(part) => part.words = words,
                        None => parts.push(Part { kind: Kind::Argument(argument.clone()), words }),
                    }
                }
                Change::Named(command) => {
                    let mut commands =
                        parts.iter_mut().rev().filter(|part| part.kind == Kind::Command);
                    if let Some(part) = commands.next() {
                        part.words = vec![command.into()];
                    }
                }
            }
        }
        if parts.last().is_some_and(|part| part.kind == Kind::Dashes) {
            parts.pop();
        }
        std::iter::once(self.program.clone())
            .chain(parts.into_iter().flat_map(|part| part.words))
            .collect()
    }

    /// The words of another command on the same store.
    fn other(&self, words: &[String], names: &[String]) -> Vec<OsString> {
        let mut line = vec![self.program.clone()];
        let store =
            self.parts.iter().filter(|part| OF_THE_STORE.iter().any(|option| part.is(option)));
        line.extend(store.flat_map(|part| part.words.iter().cloned()));
        line.extend(words.iter().map(OsString::from));
        if names.iter().any(|name| name.starts_with('-')) {
            line.push("--".into());
        }
        line.extend(names.iter().map(OsString::from));
        line
    }

    /// The words that name the command.
    fn command(&self) -> impl Iterator<Item = &OsStr> {
        let commands = self.parts.iter().filter(|part| part.kind == Kind::Command);
        commands.flat_map(|part| part.words.iter().map(OsString::as_os_str))
    }
}

impl Part {
    fn is(&self, argument: &str) -> bool {
        matches!(&self.kind, Kind::Argument(name) if name == argument)
    }
}

/// How the program is called where it was called as `word`: by its name, where that finds it.
fn called(word: &OsStr, search_path: &OsStr) -> OsString {
    let path = Path::new(word);
    let Some(name) = path.file_name().filter(|name| *name != word) else { return word.to_owned() };
    let found = std::env::split_paths(search_path).map(|directory| directory.join(name));
    let found = found.into_iter().find(|file| file.is_file());
    let same = |other: &Path| Some(other.canonicalize().ok()? == path.canonicalize().ok()?);
    match found.as_deref().and_then(same) {
        Some(true) => name.to_owned(),
        _ => word.to_owned(),
    }
}

/// An option with its value.
fn option_words(option: &str, value: &OsStr) -> Vec<OsString> {
    if value.as_encoded_bytes().starts_with(b"-") && value != "-" {
        return vec![[OsStr::new(option), value].join(OsStr::new("="))];
    }
    vec![option.into(), value.into()]
}

/// An option's long name, or what the help calls an argument.
fn name(arg: &Arg) -> String {
    let value = arg.get_value_names().and_then(<[_]>::first).map(ToString::to_string);
    match arg.get_long() {
        Some(long) => format!("--{long}"),
        None => value.unwrap_or_else(|| arg.get_id().to_string()),
    }
}

fn takes_a_value(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Set | ArgAction::Append)
}

/// A command line that is being taken apart, as clap takes it apart.
struct Reading<'d> {
    root: &'d clap::Command,
    command: &'d clap::Command,
    /// Which of the arguments that are no options comes next.
    place: usize,
    parts: Vec<Part>,
}

impl<'d> Reading<'d> {
    fn read(&mut self, args: &[OsString]) {
        let mut args = args.iter();
        while let Some(word) = args.next() {
            if word == "--" {
                self.push(Kind::Dashes, vec![word.clone()]);
                let last = self.command.get_positionals().position(Arg::is_last_set);
                self.place = last.unwrap_or(self.place);
                args.by_ref().for_each(|word| self.value(word));
            } else if !self.options(word, &mut args) && !self.subcommand(word) {
                self.value(word);
            }
        }
    }

    fn push(&mut self, kind: Kind, words: Vec<OsString>) {
        self.parts.push(Part { kind, words });
    }

    fn subcommand(&mut self, word: &OsStr) -> bool {
        let found = word.to_str().and_then(|word| self.command.find_subcommand(word));
        let Some(found) = found else { return false };
        self.command = found;
        self.push(Kind::Command, vec![word.to_owned()]);
        true
    }

    /// An argument that is no option.
    fn value(&mut self, word: &OsStr) {
        let arg = self.command.get_positionals().nth(self.place);
        let known = arg.map_or_else(|| "more".into(), name);
        if arg.is_none_or(|arg| !matches!(arg.get_action(), ArgAction::Append)) {
            self.place += 1;
        }
        self.push(Kind::Argument(known), vec![word.to_owned()]);
    }

    /// An option with its value, or several in one word; whether it is one.
    fn options<'w>(&mut self, word: &OsStr, args: &mut impl Iterator<Item = &'w OsString>) -> bool {
        let Some(text) = word.to_str() else { return false };
        if let Some(long) = text.strip_prefix("--") {
            let (long, attached) =
                long.split_once('=').map_or((long, false), |(long, _)| (long, true));
            let Some(arg) = self.find(|arg| arg.get_long() == Some(long)) else { return false };
            let mut words = vec![word.to_owned()];
            if takes_a_value(arg) && !attached {
                words.extend(args.next().cloned());
            }
            self.push(Kind::Argument(name(arg)), words);
            return true;
        }
        let Some(short) = text.strip_prefix('-').filter(|short| !short.is_empty()) else {
            return false;
        };
        let mut found = Vec::new();
        for (at, letter) in short.char_indices() {
            let Some(arg) = self.find(|arg| arg.get_short() == Some(letter)) else { return false };
            let rest = &short[at + letter.len_utf8()..];
            if takes_a_value(arg) {
                let mut words = vec![format!("-{letter}{rest}").into()];
                if rest.is_empty() {
                    words.extend(args.next().cloned());
                }
                found.push((arg, words));
                break;
            }
            found.push((arg, vec![format!("-{letter}").into()]));
        }
        for (arg, words) in found {
            self.push(Kind::Argument(name(arg)), words);
        }
        true
    }

    /// An option of the command, or of all commands.
    fn find(&self, wanted: impl Fn(&Arg) -> bool) -> Option<&'d Arg> {
        let all = self.command.get_arguments().chain(self.root.get_arguments());
        all.filter(|arg| !arg.is_positional()).find(|arg| wanted(arg))
    }
}
