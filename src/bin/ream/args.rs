//! What every command takes: which store, how results are shown, how long to wait.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::refused::Refused;
use crate::units;

/// How results are shown
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For the eye
    Table,
    /// One JSON value
    Json,
    /// One JSON value per line
    Jsonl,
    /// Comma-separated values; for `project select` only
    Csv,
    /// One CloudEvent per line; for `read` and `tail` only
    Cloudevents,
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
#[derive(Debug, Clone, Args)]
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
    /// That the format is one of this command's: it may select rows, or give events.
    pub(crate) fn check_format(&self, selects: bool, gives: bool) -> Result<(), Refused> {
        let only = match self.format {
            Some(Format::Csv) if !selects => "csv is a format of `project select` alone",
            Some(Format::Cloudevents) if !gives => {
                "cloudevents is a format of `read` and `tail` alone"
            }
            _ => return Ok(()),
        };
        Err(Refused::Usage(only.into()))
    }
}

/// The directory of a store that nobody names.
pub(crate) const DEFAULT_STORE: &str = ".ream";
