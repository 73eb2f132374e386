//! Asks before something is lost: a person on a terminal; elsewhere `--yes` must have said it.

use std::io::{self, IsTerminal as _, Write as _};

use crate::printable::escape;
use crate::refused::Refused;

/// That someone can be asked whether to do `what`, which the same command line does without a question
/// behind `--yes`. Where what is asked about takes long to find out, this goes before.
pub(super) fn can_ask(what: &str) -> anyhow::Result<()> {
    if io::stdin().is_terminal() && io::stderr().is_terminal() {
        return Ok(());
    }
    Err(Refused::Unconfirmed(what.into()).into())
}

/// Asks whether to do `what`.
pub(super) fn ask(what: &str) -> anyhow::Result<()> {
    can_ask(what)?;
    write!(io::stderr(), "{} for good: type yes to go on: ", escape(what))?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    if answer.trim().eq_ignore_ascii_case("yes") { Ok(()) } else { Err(Refused::Declined.into()) }
}

/// A count and what it counts.
pub(super) fn plural(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
