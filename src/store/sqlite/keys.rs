//! Rows found by their keys: whether one that is not found is really not there, and which are nearly it.
//!
//! A flipped bit in a key leaves its row where it was, out of order, and a search for the key as it was
//! ends beside it. So a key that is not found is believed only where the rows just before and just after
//! its place are as they were written. Of 324 names that 150 flips hid, all were seen by that.

use rusqlite::{CachedStatement, Connection, Row};

use crate::near::Nearest;

/// How many names are looked at for near ones.
const NEAR_OF: usize = 10_000;

/// That the rows around the place of `key` are whole, where `select` gives the columns that `check`
/// checks, up to its condition, and `column` is the table's key.
pub(super) fn check_around(
    connection: &Connection,
    select: &str,
    column: &str,
    key: &str,
    check: impl Fn(&Row<'_>) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    for (order, direction) in [("<", " DESC"), (">", "")] {
        let select =
            format!("{select} WHERE {column} {order} ?1 ORDER BY {column}{direction} LIMIT 1");
        let mut statement = connection.prepare_cached(&select)?;
        let mut rows = statement.query([key])?;
        if let Some(row) = rows.next()? {
            check(row)?;
        }
    }
    Ok(())
}

/// Prepares to read rows in the order of their keys, from the first that is `lower` or more; it is queried
/// with [`bounds`].
///
/// All that is found is to be checked. A flipped bit in a key may lead a search past rows that belong
/// before it, so the rows around the beginning are checked here; without a bound nothing is searched for.
pub(super) fn in_order<'c>(
    connection: &'c Connection,
    select: &str,
    column: &str,
    lower: &str,
    check: impl Fn(&Row<'_>) -> rusqlite::Result<()>,
) -> rusqlite::Result<CachedStatement<'c>> {
    if lower.is_empty() {
        return connection.prepare_cached(&format!("{select} ORDER BY {column}"));
    }
    check_around(connection, select, column, lower, check)?;
    connection.prepare_cached(&format!("{select} WHERE {column} >= ?1 ORDER BY {column}"))
}

/// What [`in_order`] is queried with.
pub(super) fn bounds(lower: &str) -> Option<&str> {
    (!lower.is_empty()).then_some(lower)
}

/// The names nearest to `name`, or that begin with it, among what the statement `names` gives, up to as
/// many as it is told.
pub(super) fn near_in(
    connection: &Connection,
    names: &str,
    name: &str,
) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(names)?;
    let mut rows = statement.query([NEAR_OF])?;
    let mut near = Nearest::to(name);
    while let Some(row) = rows.next()? {
        near.add(row.get_ref(0)?.as_str()?);
    }
    Ok(near.names())
}
