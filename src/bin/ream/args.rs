//! The command line: what every command shares, and the list of commands.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{ArgMatches, Args, FromArgMatches, Parser, Subcommand, ValueEnum};
use ream::{Json, Options, Store};

use crate::command;
use crate::environment::Environment;
use crate::failure::Refused;
use crate::units;

/// Event sourcing in a directory: SQLite inside, JSON lines outside, no server
#[derive(Debug, Parser)]
#[command(
    name = "ream",
    version,
    propagate_version = true,
    disable_help_subcommand = true,
    after_help = EXIT_CODES,
    after_long_help = EXIT_CODES
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 failure, 2 usage, 3 wrong expected version, 4 store or stream not found,
  5 busy, 6 invalid input, 9 outcome unknown (retry with an id), 130 and 143 interrupted";

/// Lists the commands. Each one's arguments are defined only when it is the one that is run (or
/// asked about): to define them all takes longer than a lone append's transaction.
macro_rules! commands {
    ($($name:literal $about:literal $command:ident($args:ty)),+ $(,)?) => {
        #[derive(Debug)]
        pub(crate) enum Command {
            $($command($args)),+
        }

        impl Subcommand for Command {
            fn augment_subcommands(ream: clap::Command) -> clap::Command {
                ream.subcommand_required(true)
                    .arg_required_else_help(true)
                    $(.subcommand(
                        clap::Command::new($name).about($about).defer(<$args as Args>::augment_args),
                    ))+
            }

            fn augment_subcommands_for_update(ream: clap::Command) -> clap::Command {
                Self::augment_subcommands(ream)
            }

            fn has_subcommand(name: &str) -> bool {
                [$($name),+].contains(&name)
            }
        }

        impl FromArgMatches for Command {
            fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
                match matches.subcommand() {
                    $(Some(($name, matches)) => {
                        <$args as FromArgMatches>::from_arg_matches(matches).map(Self::$command)
                    })+
                    _ => Err(clap::Error::new(ErrorKind::MissingSubcommand)),
                }
            }

            fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
                Self::from_arg_matches(matches).map(|command| *self = command)
            }
        }

        #[cfg(test)]
        const ABOUTS: &[(&str, &str)] = &[$(($name, $about)),+];
    };
}

commands! {
    "init" "Make a store" Init(command::init::InitArgs),
    "append" "Append events to streams" Append(command::append::AppendArgs),
    "read" "Read the events that are there" Read(command::read::ReadArgs),
    "tail" "Read the events that are there, then follow" Tail(command::tail::TailArgs),
    "stream" "Look at streams, protect them, remove what they hold" Stream(command::stream::StreamArgs),
    "status" "Show how the store stands" Status(command::status::StatusArgs),
    "completions" "Write the completions for a shell" Completions(command::completions::CompletionsArgs),
    "man" "Write the manual" Man(command::man::ManArgs),
}

/// How results are shown
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For the eye
    Table,
    /// One JSON value
    Json,
    /// One JSON value a line
    Jsonl,
}

/// When to use color
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Options of every command
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Use the store in DIR [default: $REAM_STORE, else the nearest .ream here or above]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Global options")]
    pub(crate) store: Option<PathBuf>,
    /// Show results as FORMAT [default: table on a terminal, jsonl elsewhere]
    #[arg(long, global = true, value_name = "FORMAT", help_heading = "Global options")]
    pub(crate) format: Option<Format>,
    /// Show results as JSON, as --format json does
    #[arg(long, global = true, conflicts_with = "format", help_heading = "Global options")]
    pub(crate) json: bool,
    /// Say nothing but results and errors
    #[arg(long, short, global = true, help_heading = "Global options")]
    pub(crate) quiet: bool,
    /// Use color
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = true,
        help_heading = "Global options"
    )]
    pub(crate) color: Color,
    /// Wait at most TIME for other writers [default: 30s]
    #[arg(
        long,
        global = true,
        value_name = "TIME",
        value_parser = units::duration,
        help_heading = "Global options"
    )]
    pub(crate) lock_timeout: Option<Duration>,
}

impl Global {
    /// How a store is to be opened.
    pub(crate) fn options(&self, environment: &Environment) -> Options {
        let mut options = Options::default();
        if let Some(lock_timeout) = self.lock_timeout {
            options.lock_timeout = lock_timeout;
        }
        options.trust_owner = environment.trust_owner;
        options.unsafe_file_system = environment.unsafe_file_system;
        options
    }

    /// Opens the store that the command line, the environment or the directory names.
    pub(crate) fn open(
        &self,
        environment: &Environment,
        options: &Options,
    ) -> anyhow::Result<Store> {
        let named = self.store.as_deref().or(environment.store.as_deref());
        if let Some(path) = named {
            return Ok(Store::open(path, options)?);
        }
        match nearest_store(&environment.directory) {
            Some(path) => Ok(Store::open(&path, options)?),
            None => Err(Refused::NoStoreNear(environment.directory.clone()).into()),
        }
    }
}

/// The directory of a store that nobody names.
pub(crate) const DEFAULT_STORE: &str = ".ream";

fn nearest_store(directory: &Path) -> Option<PathBuf> {
    directory
        .ancestors()
        .map(|dir| dir.join(DEFAULT_STORE))
        .find(|path| path.symlink_metadata().is_ok())
}

/// The command line, as arguments.
pub(crate) fn parse() -> Result<Cli, clap::Error> {
    Cli::try_parse().or_else(|error| match with_number_last(std::env::args_os().collect()) {
        Some(args) => Cli::try_parse_from(args),
        None => Err(error),
    })
}

/// The arguments with a negative number that clap does not know as one behind a `--`: `-1e-2`,
/// whose exponent has a sign.
fn with_number_last(mut args: Vec<OsString>) -> Option<Vec<OsString>> {
    let is_number = |arg: &OsString| {
        arg.to_str().is_some_and(|text| {
            text.starts_with('-') && text.contains(['e', 'E']) && Json::parse(text).is_ok()
        })
    };
    let number = args.iter().position(is_number)?;
    if args.iter().any(|arg| arg == "--") {
        return None;
    }
    let number = args.remove(number);
    args.extend(["--".into(), number]);
    Some(args)
}

/// Standard input can be read once.
pub(crate) fn check_dashes(args: impl Iterator<Item = OsString>) -> Result<(), Refused> {
    let dashes = args.take_while(|arg| arg != "--").filter(|arg| arg == "-" || arg == "--jsonl=-");
    match dashes.count() {
        0 | 1 => Ok(()),
        _ => Err(Refused::Usage("`-` is given twice, but standard input can be read once".into())),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definitions_are_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_list_of_commands_says_what_each_says_itself() {
        let mut ream = Cli::command();
        ream.build();
        for (name, about) in ABOUTS {
            let command = ream.find_subcommand(name).unwrap();
            assert_eq!(command.get_about().unwrap().to_string(), *about);
        }
    }

    #[test]
    fn a_number_with_a_signed_exponent_is_a_value() {
        let parse = |args: &[&str]| {
            let args = with_number_last(args.iter().map(OsString::from).collect())?;
            Some(
                args.into_iter()
                    .map(|arg| arg.into_string().unwrap())
                    .collect::<Vec<_>>()
                    .join(" "),
            )
        };
        let moved = parse(&["ream", "append", "s", "T", "-1e-2", "--expect", "3"]);
        assert_eq!(moved.as_deref(), Some("ream append s T --expect 3 -- -1e-2"));
        assert_eq!(parse(&["ream", "append", "s", "T", "--expekt", "3"]), None);
        assert_eq!(parse(&["ream", "append", "s", "T", "-e"]), None);
        assert_eq!(parse(&["ream", "append", "s", "T", "--", "-1e-2"]), None);
    }

    #[test]
    fn one_dash_is_enough() {
        let check = |args: &[&str]| check_dashes(args.iter().map(OsString::from)).is_ok();
        assert!(check(&["ream", "append", "s", "T", "-"]));
        assert!(check(&["ream", "append", "-", "--", "-"]));
        assert!(!check(&["ream", "append", "s", "-", "--jsonl", "-"]));
        assert!(!check(&["ream", "append", "-", "--jsonl=-"]));
    }
}
