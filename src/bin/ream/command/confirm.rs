//! Asks before something is lost: a person on a terminal; elsewhere `--yes` must have said it.

use std::io::{self, IsTerminal as _, Write as _};

use ream::StreamName;

use crate::refused::{Refused, quote};

/// Asks whether to do `what`, which `command` with `--yes` does to `streams` without a question.
pub(super) fn ask(what: &str, command: &str, streams: &[StreamName]) -> anyhow::Result<()> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        let names: Vec<String> = streams.iter().map(|name| quote(name.as_str())).collect();
        let hint = format!("{command} --yes {}", names.join(" "));
        return Err(Refused::Unconfirmed { what: what.into(), hint }.into());
    }
    write!(io::stderr(), "{what} for good: type yes to go on: ")?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    if answer.trim().eq_ignore_ascii_case("yes") { Ok(()) } else { Err(Refused::Declined.into()) }
}

/// A count and what it counts.
pub(super) fn plural(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
