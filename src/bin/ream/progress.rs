//! How far something is, on a terminal.

use std::fmt;
use std::io::{self, IsTerminal as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use ream::{BackupProgress, platform};

use crate::args::Global;

/// A count of `what`, with its rate, on a terminal; nothing elsewhere.
pub(crate) fn count(global: &Global, what: &str) -> ProgressBar {
    if global.quiet || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner();
    let template = format!("{{spinner}} {{human_pos}} {what}, {{per_sec}}");
    if let Ok(style) = ProgressStyle::with_template(&template) {
        bar.set_style(style);
    }
    // It starts a thread, and panics where it can't.
    if platform::can_spawn() {
        bar.enable_steady_tick(Duration::from_millis(100));
    }
    bar
}

/// How far what has an end is, on a terminal; nothing elsewhere.
pub(crate) fn bar(global: &Global, of: u64) -> ProgressBar {
    let bar = ProgressBar::new(of);
    if global.quiet || !io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let template = "{bar:30} {percent}%, {rate} a second, {eta} left";
    if let Ok(style) = ProgressStyle::with_template(template) {
        let rate = |state: &ProgressState, text: &mut dyn fmt::Write| {
            // Where it can't be told, it is left out.
            let _ = write!(text, "{:.0}", state.per_sec());
        };
        bar.set_style(style.with_key("rate", rate));
    }
    bar
}

/// How far what is copied and then verified is, on a terminal; nothing elsewhere.
pub(crate) fn copying(global: &Global) -> ProgressBar {
    let bar = bar(global, 0);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {percent}%, {msg}, {eta} left") {
        bar.set_style(style);
    }
    bar
}

/// Shows how far that is.
pub(crate) fn show_copying(bar: &ProgressBar, at: BackupProgress) {
    match at {
        BackupProgress::Copied { bytes, of } => {
            bar.set_message("copying");
            bar.set_length(of);
            bar.set_position(bytes);
        }
        BackupProgress::Verified { events, of } => {
            // The bytes are counted no more.
            if bar.message() != "verifying" {
                bar.set_message("verifying");
                bar.reset();
            }
            bar.set_length(of);
            bar.inc(events);
        }
        _ => {}
    }
}
