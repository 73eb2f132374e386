//! The commands, a file each: arguments, and what is done with them.

pub(crate) mod append;
pub(crate) mod completions;
pub(crate) mod init;
pub(crate) mod man;
pub(crate) mod read;
pub(crate) mod status;
pub(crate) mod stream;
pub(crate) mod tail;

use crate::args::{Cli, Command};
use crate::environment::Environment;
use crate::failure;

/// Runs a command. That nobody reads its output any more is a quiet end.
pub(crate) fn run(cli: &Cli, environment: &Environment) -> anyhow::Result<()> {
    let global = &cli.global;
    let done = match &cli.command {
        Command::Init(args) => args.run(global, environment),
        Command::Append(args) => args.run(global, environment),
        Command::Read(args) => args.run(global, environment),
        Command::Tail(args) => args.run(global, environment),
        Command::Stream(args) => args.run(global, environment),
        Command::Status(status::StatusArgs {}) => status::StatusArgs::run(global, environment),
        Command::Completions(args) => args.run(),
        Command::Man(args) => args.run(),
    };
    match done {
        Err(error) if failure::is_closed_output(&error) => Ok(()),
        done => done,
    }
}
