//! Failures: of SQLite or of what was asked for, and what they mean to a caller.

use rusqlite::ErrorCode;
use rusqlite::types::Type;

use super::Layout;
use crate::store::Error;

/// A failure within a transaction: of SQLite, or of what was asked for.
#[derive(Debug)]
pub(super) enum Failure {
    Sqlite(rusqlite::Error),
    Refused(Error),
}

impl Failure {
    /// The same as callers know it; `action` is what failed where SQLite did.
    pub(super) fn into_error(self, layout: &Layout, action: &'static str) -> Error {
        match self {
            Self::Refused(error) => error,
            Self::Sqlite(error) => failure(layout, action, error),
        }
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<rusqlite::types::FromSqlError> for Failure {
    fn from(error: rusqlite::types::FromSqlError) -> Self {
        Self::Sqlite(error.into())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

/// That what is stored can't be right, as an error of SQLite, which [`failure`] takes it out of again.
pub(super) fn damaged(what: String) -> rusqlite::Error {
    let damaged = Error::Damaged { what };
    rusqlite::Error::FromSqlConversionFailure(0, Type::Null, Box::new(damaged))
}

/// What is wrong with a value that was read.
pub(super) fn reason(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::FromSqlConversionFailure(_, _, reason) => reason.to_string(),
        error => error.to_string(),
    }
}

/// The same, where that a store is damaged goes without saying.
pub(super) fn damage(error: &rusqlite::Error) -> String {
    if let rusqlite::Error::FromSqlConversionFailure(_, _, source) = error
        && let Some(Error::Damaged { what }) = source.downcast_ref()
    {
        return what.clone();
    }
    reason(error)
}

/// What a failure of SQLite means.
pub(super) fn failure(layout: &Layout, action: &'static str, error: rusqlite::Error) -> Error {
    let error = match error {
        rusqlite::Error::FromSqlConversionFailure(column, kind, source) => {
            match source.downcast::<Error>() {
                Ok(error) => return *error,
                Err(source) => rusqlite::Error::FromSqlConversionFailure(column, kind, source),
            }
        }
        error => error,
    };
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => Error::Full { path: layout.root.clone() },
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            Error::Damaged { what: error.to_string() }
        }
        Some(ErrorCode::OperationInterrupted) => Error::Interrupted,
        None if is_foreign_content(&error) => Error::Damaged { what: error.to_string() },
        _ => Error::Engine { action, source: error.into() },
    }
}

/// Whether a column holds what ream never writes into it.
fn is_foreign_content(error: &rusqlite::Error) -> bool {
    matches!(
        error,
        rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::FromSqlConversionFailure(..)
    )
}

/// What a failure of a COMMIT means. Where writing or syncing failed, the transaction may be in
/// the log all the same, and come back when it is next recovered.
pub(super) fn commit_failure(layout: &Layout, error: rusqlite::Error) -> Error {
    match error.sqlite_error_code() {
        Some(ErrorCode::SystemIoFailure) => Error::OutcomeUnknown { source: error.into() },
        _ => failure(layout, "commit", error),
    }
}
