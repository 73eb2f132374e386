//! Names that are nearly the one that was asked for.

use rusqlite::Connection;

use crate::near;

/// How many near names an error tells.
const NEAR: usize = 3;
/// How many names are looked at for near ones.
const NEAR_OF: usize = 10_000;

/// The names nearest to `name`, or that begin with it, among what the statement `names` gives, up to as
/// many as it is told.
pub(super) fn near_in(
    connection: &Connection,
    names: &str,
    name: &str,
) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(names)?;
    let mut rows = statement.query([NEAR_OF])?;
    let mut near = Vec::new();
    while let Some(row) = rows.next()? {
        let found = row.get_ref(0)?.as_str()?;
        let distance = near::distance(name, found);
        if distance <= name.len().max(3) / 3 || found.starts_with(name) {
            near.push((distance, found.to_owned()));
        }
    }
    near.sort_unstable();
    Ok(near.into_iter().take(NEAR).map(|(_, name)| name).collect())
}
