//! The commands, a file each: arguments, and what is done with them. Here is the list of them.

mod acknowledgement;
mod append;
mod backup;
mod compact;
mod completions;
mod confirm;
mod count;
mod decide;
mod definition;
mod doctor;
mod erasing;
mod export;
mod following;
mod import;
mod init;
mod list;
mod log;
mod man;
mod project;
mod prune;
mod read;
mod redact;
mod remembered;
mod restore;
#[cfg(all(feature = "serve", unix))]
mod serve;
mod state;
mod status;
mod stream;
mod subscription;
mod tail;
mod verify;

use std::ffi::OsString;

use clap::{Args as _, FromArgMatches as _};
use ream::Json;

use self::definition::{Definition as _, Wanted, commands};
use crate::args::Global;
use crate::environment::Environment;
use crate::hint::CommandLine;
use crate::output::is_closed_output;
use crate::refused::Refused;

/// What the command line says.
#[derive(Debug)]
pub(crate) struct Cli {
    pub(crate) global: Global,
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 failure, 2 usage, 3 wrong expected version, 4 store, stream, state, projection or
  subscription not found, 5 busy, 6 invalid input, 7 a program failed, 8 the aggregator rejected the command,
  9 outcome unknown (retry with an id), 10 a --wait ran out,
  130 and 143 interrupted";

commands! {
    /// Event sourcing in a directory: SQLite inside, JSON lines outside, no server
    enum Command {
        "init" Init(init::InitArgs),
        "append" Append(append::AppendArgs),
        "read" Read(read::ReadArgs),
        "tail" Tail(tail::TailArgs),
        "count" Count(count::CountArgs),
        "stream" Stream(stream::StreamCommand),
        "state" State(state::StateCommand),
        "redact" Redact(redact::RedactArgs),
        "prune" Prune(prune::PruneArgs),
        "decide" Decide(decide::DecideArgs),
        "project" Project(project::ProjectCommand),
        "subscription" Subscription(subscription::SubscriptionCommand),
        #[cfg(all(feature = "serve", unix))]
        "serve" Serve(serve::ServeArgs),
        "status" Status(status::StatusArgs),
        "verify" Verify(verify::VerifyArgs),
        "export" Export(export::ExportArgs),
        "import" Import(import::ImportArgs),
        "compact" Compact(compact::CompactArgs),
        "doctor" Doctor(doctor::DoctorArgs),
        "backup" Backup(backup::BackupArgs),
        "restore" Restore(restore::RestoreArgs),
        "log" Log(log::LogArgs),
        "completions" Completions(completions::CompletionsArgs),
        "man" Man(man::ManArgs),
    }
}

/// The program with all its commands.
pub(crate) fn definition() -> clap::Command {
    define(&|_| true)
}

fn define(wanted: Wanted<'_>) -> clap::Command {
    let ream = clap::Command::new("ream")
        .version(env!("CARGO_PKG_VERSION"))
        .propagate_version(true)
        .disable_help_subcommand(true)
        .after_help(EXIT_CODES)
        .after_long_help(EXIT_CODES);
    Command::define(Global::augment_args(ream), wanted)
}

/// What the arguments say.
pub(crate) fn parse(args: Vec<OsString>) -> Result<Cli, clap::Error> {
    // Only what seems to be named is defined; where that fails, all is, since messages tell of it.
    let named = define(&|name| args.iter().any(|arg| arg == name));
    if let Ok(cli) = parse_with(named, &args) {
        return Ok(cli);
    }
    parse_with(definition(), &args).or_else(|error| match with_number_last(args) {
        Some(args) => parse_with(definition(), &args),
        None => Err(error),
    })
}

fn parse_with(ream: clap::Command, args: &[OsString]) -> Result<Cli, clap::Error> {
    // A handful in a process; the system takes them back faster than they can be given back.
    let ream = Box::leak(Box::new(ream));
    let matches = ream.try_get_matches_from_mut(args)?;
    let cli = Global::from_arg_matches(&matches)
        .and_then(|global| Ok(Cli { global, command: Command::from_matches(&matches)? }));
    cli.map_err(|error| error.format(ream))
}

/// Runs a command. That nobody reads its output any more is a quiet end.
pub(crate) fn run(
    cli: &Cli,
    environment: &Environment,
    line: impl Fn() -> CommandLine,
) -> anyhow::Result<()> {
    let global = &cli.global;
    let selects = matches!(&cli.command, Command::Project(command) if command.selects());
    let gives = matches!(cli.command, Command::Read(_) | Command::Tail(_));
    global.check_format(selects, gives)?;
    let done = match &cli.command {
        Command::Init(args) => args.run(global, environment),
        Command::Append(args) => args.run(global, environment),
        Command::Read(args) => args.run(global, environment),
        Command::Tail(args) => args.run(global, environment),
        Command::Count(args) => args.run(global, environment),
        Command::Stream(args) => args.run(global, environment),
        Command::State(args) => args.run(global, environment),
        Command::Redact(args) => args.run(global, environment),
        Command::Prune(args) => args.run(global, environment),
        Command::Decide(args) => args.run(global, environment),
        Command::Project(args) => args.run(global, environment),
        Command::Subscription(args) => args.run(global, environment),
        #[cfg(all(feature = "serve", unix))]
        Command::Serve(args) => args.run(global, environment),
        Command::Export(args) => args.run(global, environment),
        Command::Import(args) => args.run(global, environment),
        Command::Compact(compact::CompactArgs {}) => compact::CompactArgs::run(global, environment),
        Command::Verify(args) => args.run(global, environment),
        Command::Doctor(doctor::DoctorArgs {}) => {
            doctor::DoctorArgs::run(global, environment, &line())
        }
        Command::Status(args) => args.run(global, environment),
        Command::Backup(args) => args.run(global, environment),
        Command::Restore(args) => args.run(global, environment),
        Command::Log(args) => args.run(global, environment),
        Command::Completions(args) => args.run(definition()),
        Command::Man(args) => args.run(definition()),
    };
    match done {
        Err(error) if is_closed_output(&error) => Ok(()),
        done => done,
    }
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
pub(crate) fn check_dashes(args: &[OsString]) -> Result<(), Refused> {
    let options = args.iter().take_while(|arg| *arg != "--");
    let dashes = options.filter(|arg| {
        ["-", "--jsonl=-", "--state=-", "--meta=-", "--schema=-"].iter().any(|dash| *arg == dash)
    });
    match dashes.count() {
        0 | 1 => Ok(()),
        _ => Err(Refused::Usage("`-` is given twice, but standard input can be read once".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definitions_are_sound() {
        definition().debug_assert();
    }

    #[test]
    fn one_command_is_parsed_as_all_are() {
        let parse = |args: &str| {
            let args = args.split(' ').map(OsString::from).collect();
            parse(args).map(|cli| format!("{cli:?}")).map_err(|error| error.to_string())
        };
        // An option's value may be spelled as a command is.
        let read = parse("ream --store append read order-1").unwrap();
        assert!(read.contains("store: Some(\"append\")") && read.contains("Read("), "{read}");
        let append = parse("ream append read init").unwrap();
        assert!(append.contains("Append("), "{append}");
        let error = parse("ream --quiet apend read").unwrap_err();
        assert!(error.contains("unrecognized subcommand 'apend'"), "{error}");
        assert!(error.contains("'append'"), "{error}");
        assert!(parse("ream append --help").unwrap_err().contains("Usage: ream append"));
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
        let check = |args: &[&str]| {
            check_dashes(&args.iter().map(OsString::from).collect::<Vec<_>>()).is_ok()
        };
        assert!(check(&["ream", "append", "s", "T", "-"]));
        assert!(check(&["ream", "append", "-", "--", "-"]));
        assert!(!check(&["ream", "append", "s", "-", "--jsonl", "-"]));
        assert!(!check(&["ream", "append", "-", "--jsonl=-"]));
    }
}
