//! The count of changes: commits without an event, of states, protection, projections and subscriptions.
//!
//! The bell names the last event, and knows nothing of what is committed behind it. So each such commit
//! raises SQLite's `user_version`, and afterwards this record says how far that is. It is not in the
//! bell's directory: it would wake every follower at each ack.

use rusqlite::Connection;

use super::record::Record;

/// How many changes a store has, but for multiples of 2³².
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count(u32);

impl Count {
    /// How many the database holds.
    pub(super) fn read(connection: &Connection) -> rusqlite::Result<Self> {
        let mut statement = connection.prepare_cached("PRAGMA user_version")?;
        statement.query_row([], |row| Ok(Self(row.get::<_, i32>(0)?.cast_unsigned())))
    }

    /// Counts one more, in the transaction that is open.
    pub(super) fn next(connection: &Connection) -> rusqlite::Result<Self> {
        let Self(count) = Self::read(connection)?;
        let count = count.wrapping_add(1);
        connection.execute_batch(&format!("PRAGMA user_version={}", count.cast_signed()))?;
        Ok(Self(count))
    }

    /// How many of these are missing where there are `found`. A count that is less than half of all
    /// numbers behind another is behind it.
    pub(super) fn missing(self, found: Self) -> u32 {
        u32::try_from(self.0.wrapping_sub(found.0).cast_signed()).unwrap_or(0)
    }
}

impl Record for Count {
    const NAME: &'static str = "changes";
    const WRITE: &'static str = "count a change";

    fn to_fields(self) -> String {
        format!("{:010}", self.0)
    }

    fn from_fields(fields: &str) -> Option<Self> {
        fields.parse().ok().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::tests::is_whole_or_nothing;
    use super::super::record::to_line;
    use super::*;

    #[test]
    fn a_torn_record_says_nothing() {
        is_whole_or_nothing(Count(1842));
    }

    #[test]
    fn every_record_covers_the_one_before() {
        assert_eq!(to_line(Count(0)).len(), to_line(Count(u32::MAX)).len());
    }

    #[test]
    fn a_count_that_wrapped_around_is_ahead() {
        const MAX: u32 = u32::MAX;
        const HALF: u32 = 1 << 31;
        for (said, found, missing) in [
            (0, 0, 0),
            (7, 7, 0),
            (7, 5, 2),
            (5, 7, 0),
            (0, MAX, 1),
            (2, MAX - 1, 4),
            (MAX, 0, 0),
            (MAX, 2, 0),
            (HALF, HALF - 1, 1),
            (HALF - 1, HALF, 0),
            (HALF - 1, 0, HALF - 1),
            (0, HALF + 1, HALF - 1),
            (0, HALF - 1, 0),
        ] {
            assert_eq!(Count(said).missing(Count(found)), missing, "{said} {found}");
        }
    }

    #[test]
    fn a_database_counts_around() {
        let database = Connection::open_in_memory().unwrap();
        for (before, after) in [(0, 1), (i32::MAX, i32::MIN), (-1, 0)] {
            database.execute_batch(&format!("PRAGMA user_version={before}")).unwrap();
            let counted = Count::next(&database).unwrap();
            assert_eq!(counted, Count(after.cast_unsigned()));
            assert_eq!(Count::read(&database).unwrap(), counted);
        }
    }
}
