//! Defines commands for clap: those that are wanted, and no more.
//!
//! To define every command takes as long as a lone append's transaction.

use clap::{ArgMatches, Args};

/// Whether a command is wanted, by name.
pub(super) type Wanted<'w> = &'w dyn Fn(&str) -> bool;

/// A command's arguments, or a list of commands.
pub(crate) trait Definition: Sized {
    /// Adds what is wanted to the definition of the command.
    fn define(command: clap::Command, wanted: Wanted<'_>) -> clap::Command;

    /// What was given.
    fn from_matches(matches: &ArgMatches) -> Result<Self, clap::Error>;
}

impl<A: Args> Definition for A {
    fn define(command: clap::Command, _: Wanted<'_>) -> clap::Command {
        A::augment_args(command)
    }

    fn from_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        A::from_arg_matches(matches)
    }
}

/// The lines of a doc comment as paragraphs, which are wrapped when they are shown.
pub(super) fn paragraphs(lines: &[&str]) -> String {
    let paragraphs = lines.split(|line| line.is_empty()).map(|lines| lines.join(" "));
    paragraphs.collect::<Vec<_>>().join("\n\n")
}

/// Makes an enum of commands: what they are about, the name of each, and its arguments.
macro_rules! commands {
    (
        $(#[doc = $about:literal])+
        enum $commands:ident {
            $($(#[cfg($condition:meta)])? $name:literal $command:ident($args:ty)),+ $(,)?
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug)]
        pub(crate) enum $commands {
            $($(#[cfg($condition)])? $command($args)),+
        }

        impl $crate::command::definition::Definition for $commands {
            fn define(
                mut command: clap::Command,
                wanted: $crate::command::definition::Wanted<'_>,
            ) -> clap::Command {
                let lines = [$($about.trim()),+];
                command = command
                    .about(lines[0])
                    .subcommand_required(true)
                    .arg_required_else_help(true);
                if lines.len() > 1 {
                    command = command.long_about($crate::command::definition::paragraphs(&lines));
                }
                $($(#[cfg($condition)])? {
                    if wanted($name) {
                        // A negative number is a value, not a flag.
                        let subcommand = clap::Command::new($name).allow_negative_numbers(true);
                        command = command.subcommand(<$args>::define(subcommand, wanted));
                    }
                })+
                command
            }

            fn from_matches(matches: &clap::ArgMatches) -> Result<Self, clap::Error> {
                match matches.subcommand() {
                    $($(#[cfg($condition)])? Some(($name, matches)) => <$args>::from_matches(matches).map(Self::$command),)+
                    _ => Err(clap::Error::new(clap::error::ErrorKind::MissingSubcommand)),
                }
            }
        }
    };
}

pub(super) use commands;
