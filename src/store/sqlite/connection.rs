//! Connections: how they are opened, what is checked, what their failures mean.

use rusqlite::{Connection, ErrorCode};

use super::Layout;
use super::database;
use super::failure::failure;
use super::log::Log;
use crate::store::{Error, Options};

/// The first SQLite without the WAL-reset defect, and its number.
const NEEDED: (&str, i32) = ("3.51.3", 3_051_003);

/// That the SQLite linked here is fit.
pub(super) fn check_version() -> Result<(), Error> {
    check_fit(rusqlite::version_number(), rusqlite::version())
}

fn check_fit(number: i32, version: &str) -> Result<(), Error> {
    if number < NEEDED.1 {
        return Err(Error::OldSqlite { found: version.into(), needed: NEEDED.0 });
    }
    Ok(())
}

/// Opens a connection to read by. It commits nothing, so the log is none of its business.
pub(super) fn open_to_read(layout: &Layout, options: &Options) -> Result<Connection, Error> {
    open_with(layout, options, "PRAGMA cell_size_check=ON;")
}

/// Opens a connection to write by, and what tells how long its log is. What is freed is
/// overwritten: a state that was replaced would outlive its removal.
pub(super) fn open_to_write(
    layout: &Layout,
    options: &Options,
) -> Result<(Connection, Log), Error> {
    let pragmas = "PRAGMA wal_autocheckpoint=0; PRAGMA cell_size_check=ON; \
                   PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;";
    let mut connection = open_with(layout, options, pragmas)?;
    let log = Log::of(&mut connection).map_err(|error| failure(layout, "watch the log", error))?;
    Ok((connection, log))
}

fn open_with(layout: &Layout, options: &Options, pragmas: &str) -> Result<Connection, Error> {
    let failed = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy) => Error::Busy { waited: options.lock_timeout },
        _ => failure(layout, "open the store", error),
    };
    let set_up = |connection: &Connection| connection.execute_batch(pragmas);
    // The log stays: a checkpoint on close would cost a lone append five syncs; see `Store::drop`.
    let connection = database::open(&layout.place, "db", options, &[], set_up, failed)?;
    // Whether it was set, or is so without.
    let synchronous: i64 =
        connection.query_row("PRAGMA synchronous", [], |row| row.get(0)).map_err(failed)?;
    if synchronous != FULL {
        return Err(Error::Damaged {
            what: format!("SQLite would not sync: synchronous={synchronous}"),
        });
    }
    Ok(connection)
}

/// What `PRAGMA synchronous` answers where each commit is synced.
const FULL: i64 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sqlite_that_can_lose_the_log_is_refused() {
        check_version().unwrap();
        assert!(check_fit(3_051_003, "3.51.3").is_ok());
        let told = check_fit(3_051_002, "3.51.2").unwrap_err().to_string();
        assert_eq!(told, "SQLite 3.51.2 can lose writes; 3.51.3 or later is needed");
    }
}
