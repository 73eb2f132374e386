//! Settings of streams, a row each.

use rusqlite::{Connection, Row, params};

use super::failure::damaged;
use crate::store::hash::sum;
use crate::store::rules::Setting;

/// All settings, in the order of patterns and keys.
pub(super) fn all(connection: &Connection) -> rusqlite::Result<Vec<(String, String, String)>> {
    let mut statement = connection
        .prepare("SELECT pattern, key, value, sum FROM settings ORDER BY pattern, key")?;
    let rows = statement.query_map([], read)?;
    rows.collect()
}

fn read(row: &Row<'_>) -> rusqlite::Result<(String, String, String)> {
    let (pattern, key, value): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
    if row.get::<_, i64>(3)? == sum_of(&pattern, &key, &value) {
        return Ok((pattern, key, value));
    }
    Err(damaged(format!("the setting {key} of `{pattern}` is not what was stored")))
}

fn sum_of(pattern: &str, key: &str, value: &str) -> i64 {
    sum(|fields| {
        fields.text(pattern);
        fields.text(key);
        fields.text(value);
    })
}

/// Keeps a setting in the place of what was set, or no longer.
pub(super) fn put(connection: &Connection, setting: &Setting) -> rusqlite::Result<()> {
    let Setting { pattern, key, value } = setting;
    match value {
        Some(value) => connection.execute(
            "REPLACE INTO settings VALUES (?1, ?2, ?3, ?4)",
            params![pattern, key, value, sum_of(pattern, key, value)],
        ),
        None => connection
            .execute("DELETE FROM settings WHERE pattern = ?1 AND key = ?2", params![pattern, key]),
    }?;
    Ok(())
}
