//! Which events are asked for, by parameters: as `read` has them on the command line.

use super::cursor;
use super::parameters::Parameters;
use super::problem::Problem;
use crate::event::{Criteria, Criterion, Cursor, Tags};
use crate::store::{Mark, MarkError, Query, Store, Until};
use crate::wire::parse_query;

/// The parameters that choose events.
pub(super) const CHOICE: [&str; 11] = [
    "stream", "type", "tag", "query", "markers", "after", "from", "until", "since", "last", "limit",
];

/// The parameters that choose events to follow.
pub(super) const LIVE: [&str; 8] =
    ["stream", "type", "tag", "query", "after", "from", "last", "limit"];

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
            Some(after) => after.parse().ok().filter(Cursor::tells_log),
            None => None,
        };
        let mut query = query(parameters, cursor.is_some() || last.is_some())?;
        if let Some(cursor) = cursor {
            query.after = Some(Mark::Position(cursor.position));
        } else if let Some(last) = last {
            let wrong = |error: MarkError| {
                Problem::usage(format!("`Last-Event-ID` can't be `{last}`: {error}"))
            };
            query.after = Some(last.parse().map_err(wrong)?);
        }
        if last.is_some() {
            query.last = None;
        }
        Ok(Self { query, cursor })
    }

    /// Whether times choose.
    pub(super) fn is_by_time(&self) -> bool {
        self.query.since.is_some() || self.query.until_time.is_some()
    }

    /// That what it goes on behind is in the store's log.
    pub(super) fn check(&self, store: &Store) -> Result<(), Problem> {
        self.cursor.map_or(Ok(()), |cursor| cursor::check(cursor, store))
    }
}

/// The query that parameters stand for; where it begins may be said elsewhere.
fn query(parameters: &Parameters, begins: bool) -> Result<Query, Problem> {
    let tags = Tags::new(parameters.all("tag"))
        .map_err(|error| Problem::usage(format!("`tag`: {error}")))?;
    let item = Criterion {
        streams: parameters.all_as("stream")?,
        types: parameters.all_as("type")?,
        tags,
    };
    let mut query = Query::by(criteria(item, parameters)?);
    if begins {
        return rest(query, parameters);
    }
    query.after = parameters.one_as("after")?;
    if let Some(from) = parameters.one_as::<Mark>("from")? {
        if query.after.is_some() {
            return Err(Problem::usage("`after` and `from` do not go together"));
        }
        query.after = Some(from.before());
    }
    rest(query, parameters)
}

/// What parameters choose by streams, types and tags, or by a query.
fn criteria(item: Criterion, parameters: &Parameters) -> Result<Criteria, Problem> {
    let Some(query) = parameters.one("query")? else { return Ok(Criteria::of(item)) };
    if !item.is_empty() {
        return Err(Problem::usage("`query` goes without `stream`, `type` and `tag`"));
    }
    parse_query(query).map_err(|error| Problem::usage(format!("`query`: {error}")))
}

/// The same, but for where it begins.
fn rest(mut query: Query, parameters: &Parameters) -> Result<Query, Problem> {
    match parameters.one_as("until")? {
        Some(Until::Mark(mark)) => query.until = Some(mark),
        Some(Until::Time(time)) => query.until_time = Some(time),
        None => {}
    }
    query.since = parameters.one_as("since")?;
    query.last = parameters.number("last")?;
    query.limit = parameters.number("limit")?;
    Ok(query)
}
