//! Which events are asked for, by parameters: as `read` has them on the command line.

use super::cursor::Cursor;
use super::parameters::Parameters;
use super::problem::Problem;
use crate::event::{Pattern, Position, Timestamp, Version};
use crate::store::{Mark, Query, Store};

/// The parameters that choose events.
pub(super) const CHOICE: [&str; 8] =
    ["stream", "type", "after", "from", "until", "since", "last", "limit"];

/// The parameters that choose events to follow.
pub(super) const LIVE: [&str; 6] = ["stream", "type", "after", "from", "last", "limit"];

/// Which events are asked for.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) query: Query,
    /// Behind which event, where that has to be one of the store's log.
    cursor: Option<Cursor>,
}

impl Choice {
    /// What parameters choose; behind the `last` event that was got, where there is one.
    pub(super) fn read(parameters: &Parameters, last: Option<&str>) -> Result<Self, Problem> {
        let last = last.filter(|last| !last.is_empty());
        let cursor = match last.or(parameters.one("after")?) {
            Some(after) => Cursor::read(after),
            None => None,
        };
        let mut query = query(parameters, cursor.is_some() || last.is_some())?;
        if let Some(cursor) = cursor {
            query.after = Some(Mark::Position(cursor.position));
        } else if let Some(last) = last {
            let wrong =
                |error| Problem::usage(format!("`Last-Event-ID` can't be `{last}`: {error}"));
            query.after = Some(mark(last).map_err(wrong)?);
        }
        if last.is_some() {
            query.last = None;
        }
        Ok(Self { query, cursor })
    }

    /// That what it goes on behind is in the store's log.
    pub(super) fn check(&self, store: &Store) -> Result<(), Problem> {
        self.cursor.map_or(Ok(()), |cursor| cursor.check(store))
    }
}

/// The query that parameters stand for; where it begins may be said elsewhere.
fn query(parameters: &Parameters, begins: bool) -> Result<Query, Problem> {
    let mut query = Query::of(parameters.all_as::<Pattern>("stream")?);
    query.types = parameters.all_as("type")?;
    if begins {
        return rest(query, parameters);
    }
    query.after = parameters.one_by("after", mark)?;
    if let Some(from) = parameters.one_by("from", mark)? {
        if query.after.is_some() {
            return Err(Problem::usage("`after` and `from` do not go together"));
        }
        query.after = Some(before(from));
    }
    rest(query, parameters)
}

/// The same, but for where it begins.
fn rest(mut query: Query, parameters: &Parameters) -> Result<Query, Problem> {
    match parameters.one_by("until", until)? {
        Some(Until::Mark(mark)) => query.until = Some(mark),
        Some(Until::Time(time)) => query.until_time = Some(time),
        None => {}
    }
    query.since = parameters.one_as("since")?;
    query.last = parameters.one_as("last")?;
    query.limit = parameters.one_as("limit")?;
    Ok(query)
}

/// Reads a position, or `@N` for a version of the one stream that is read.
fn mark(text: &str) -> Result<Mark, &'static str> {
    let digits = text.strip_prefix('@');
    let number = digits.unwrap_or(text);
    let number = Some(number).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let number = number.and_then(|text| text.parse::<i64>().ok());
    let number = number.ok_or("neither a position nor a version (`@N`)")?.unsigned_abs();
    Ok(match digits {
        Some(_) => Mark::Version(Version(number)),
        None => Mark::Position(Position(number)),
    })
}

/// A place to stop at.
enum Until {
    Mark(Mark),
    Time(Timestamp),
}

fn until(text: &str) -> Result<Until, String> {
    if let Ok(mark) = mark(text) {
        return Ok(Until::Mark(mark));
    }
    let time = text.parse().map(Until::Time);
    time.map_err(|error| format!("neither a position nor a version (`@N`), and {error}"))
}

/// The place before a mark: what comes after it begins with the mark itself.
fn before(mark: Mark) -> Mark {
    match mark {
        Mark::Position(position) => Mark::Position(Position(position.0.saturating_sub(1))),
        Mark::Version(version) => Mark::Version(Version(version.0.saturating_sub(1))),
    }
}
