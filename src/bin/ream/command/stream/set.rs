//! `ream stream set`.

use std::time::Duration;

use clap::Args;
use ream::{Pattern, Retained, Retention, Store};
use serde::Serialize;

use crate::args::Global;
use crate::command::list::list_all;
use crate::output::to_line;
use crate::units;

/// Set how long the events of streams are kept
///
/// Sets how old the events of the matching streams may be, and how many events each of them may have. What
/// exceeds these limits is removed by `ream prune`, and never by itself. Without an option, prints the limits of
/// that pattern, or of all patterns. Where several patterns match a stream, all of their limits apply.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ream stream set 'sensor-*' --max-age 90d
  ream stream set 'sensor-*' --max-count 10000 --max-age none
  ream stream set                                  what is set")]
pub(crate) struct SetArgs {
    /// The streams; `*` stands for any characters: 'order-*'
    #[arg(value_name = "PATTERN", value_parser = unreserved)]
    pattern: Option<Pattern>,
    /// How old an event may be: 90d; or none
    #[arg(long, value_name = "TIME", value_parser = age, requires = "pattern")]
    max_age: Option<Limit<Duration>>,
    /// How many events a stream may have, the last N; or none
    #[arg(long, value_name = "N", value_parser = count, requires = "pattern")]
    max_count: Option<Limit<u64>>,
}

/// A limit that is set, or none any more.
#[derive(Debug, Clone, Copy)]
struct Limit<T>(Option<T>);

/// A pattern of streams whose events may be removed.
fn unreserved(text: &str) -> Result<Pattern, String> {
    match text.parse::<Pattern>() {
        Ok(pattern) if pattern.as_str().starts_with('$') => {
            Err("streams that begin with $ are reserved, and are kept for ever".into())
        }
        pattern => pattern.map_err(|error| error.to_string()),
    }
}

fn age(text: &str) -> Result<Limit<Duration>, String> {
    if text == "none" {
        return Ok(Limit(None));
    }
    match units::duration(text)? {
        Duration::ZERO => Err("0 would keep nothing; to keep all, say none".into()),
        age => Ok(Limit(Some(age))),
    }
}

fn count(text: &str) -> Result<Limit<u64>, String> {
    if text == "none" {
        return Ok(Limit(None));
    }
    match text.parse().map_err(|_| "neither a number nor `none`")? {
        0 => Err("0 would keep nothing; to keep all, say none".into()),
        count => Ok(Limit(Some(count))),
    }
}

/// How long events are kept, as JSON.
#[derive(Serialize)]
struct RetainedJson<'s> {
    pattern: &'s str,
    max_age_seconds: Option<u64>,
    max_count: Option<u64>,
}

impl SetArgs {
    pub(super) fn run(&self, global: &Global, mut store: Store) -> anyhow::Result<()> {
        let of_pattern = |retained: Vec<Retained>| -> Vec<Retained> {
            let wanted = |one: &Retained| self.pattern.as_ref().is_none_or(|it| *it == one.pattern);
            retained.into_iter().filter(wanted).collect()
        };
        let mut retained = of_pattern(store.retained()?);
        if let Some(pattern) = &self.pattern
            && (self.max_age.is_some() || self.max_count.is_some())
        {
            let before = retained.pop().map_or_else(Retention::default, |one| one.retention);
            let retention = Retention {
                max_age: self.max_age.map_or(before.max_age, |Limit(age)| age),
                max_count: self.max_count.map_or(before.max_count, |Limit(count)| count),
            };
            store.set_retention(pattern, retention)?;
            retained = vec![Retained { pattern: pattern.clone(), retention }];
        }
        let seconds = |age: Option<Duration>| age.map(|age| age.as_secs());
        let cells = |one: &Retained| {
            let Retention { max_age, max_count } = one.retention;
            let age = seconds(max_age).map(|age| format!("{age} s"));
            let count = max_count.map(|count| count.to_string());
            vec![one.pattern.to_string(), age.unwrap_or_default(), count.unwrap_or_default()]
        };
        list_all(global, &["PATTERN", "MAX AGE", "MAX COUNT"], retained, cells, |one| {
            to_line(&RetainedJson {
                pattern: one.pattern.as_str(),
                max_age_seconds: seconds(one.retention.max_age),
                max_count: one.retention.max_count,
            })
        })
    }
}
