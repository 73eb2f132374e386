//! `ream`: event sourcing in a directory, from the command line.
//!
//! Here arguments and environment become options, a command runs, and what went wrong becomes a
//! message, a hint and an exit code. What a command does is in `command/`, a file each.

mod args;
mod command;
mod criteria;
mod environment;
mod failure;
mod hint;
mod input;
mod opening;
mod output;
mod payload;
mod printable;
mod progress;
mod refused;
#[cfg(all(feature = "serve", unix))]
mod service;
mod signals;
mod spool;
mod units;
mod usage;

use std::ffi::OsString;
use std::process::ExitCode;

use environment::Environment;
use hint::CommandLine;

fn main() -> ExitCode {
    end_when_panicking();
    let args: Vec<OsString> = std::env::args_os().collect();
    // Only a hint needs it.
    let line = || CommandLine::new(&args, &command::definition(), &environment::search_path());
    if let Err(refused) = command::check_dashes(&args) {
        return failure::report(&refused.into(), output::Style::plain(), &line());
    }
    let cli = match command::parse(args.clone()) {
        Ok(cli) => cli,
        Err(error) => return usage::report(error, output::Style::new(args::Color::Auto)),
    };
    let style = output::Style::new(cli.global.color);
    let done = Environment::read()
        .map_err(anyhow::Error::from)
        .and_then(|environment| command::run(&cli, &environment, line));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failure::report(&error, style, &line()),
    }
}

/// Has a panic in any thread end the program, where it is not the panic of a request that a server answers:
/// what another thread waits for may never come.
fn end_when_panicking() {
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        tell(panic);
        #[cfg(all(feature = "serve", unix))]
        if ream::serve::is_within_request() {
            return;
        }
        std::process::abort();
    }));
}
