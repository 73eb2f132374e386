//! Payloads and times in columns: TEXT where they are JSON, BLOB where they are not; microseconds.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Result, Row};

use crate::event::{DataRef, Timestamp};

impl ToSql for DataRef<'_> {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Json(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

impl FromSql for Timestamp {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let micros = value.as_i64()?;
        Self::from_micros(micros).ok_or(FromSqlError::OutOfRange(micros))
    }
}

/// The payload in a column.
pub(super) fn payload<'r>(row: &'r Row<'_>, column: usize) -> Result<DataRef<'r>> {
    Ok(match row.get_ref(column)? {
        ValueRef::Blob(bytes) => DataRef::Bytes(bytes),
        json => DataRef::Json(json.as_str()?),
    })
}
