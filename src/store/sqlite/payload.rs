//! Payloads, times and links in columns: TEXT where they are JSON, BLOB where they are not; microseconds.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, Type, ValueRef};
use rusqlite::{Error, Result, Row};

use crate::event::{DataRef, Link, Timestamp};

/// A text that stands where JSON is stored, and is none.
#[derive(Debug, thiserror::Error)]
#[error("it is not JSON")]
struct NotJson;

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
        timestamp(value.as_i64()?)
    }
}

/// The time that microseconds are.
#[inline]
pub(super) fn timestamp(micros: i64) -> FromSqlResult<Timestamp> {
    Timestamp::from_micros(micros).ok_or(FromSqlError::OutOfRange(micros))
}

/// The link in a column.
pub(super) fn link(row: &Row<'_>, column: usize) -> Result<Link> {
    let bytes = row.get_ref(column)?.as_blob()?;
    Link::from_bytes(bytes)
        .ok_or_else(|| Error::InvalidColumnType(column, "link".into(), Type::Blob))
}

/// The payload in a column.
pub(super) fn payload<'r>(row: &'r Row<'_>, column: usize) -> Result<DataRef<'r>> {
    Ok(match row.get_ref(column)? {
        ValueRef::Blob(bytes) => DataRef::Bytes(bytes),
        json => DataRef::Json(json.as_str()?),
    })
}

/// The payload in a column; nothing where it is erased.
#[inline]
pub(super) fn optional_payload<'r>(row: &'r Row<'_>, column: usize) -> Result<Option<DataRef<'r>>> {
    Ok(match row.get_ref(column)? {
        ValueRef::Null => None,
        ValueRef::Blob(bytes) => Some(DataRef::Bytes(bytes)),
        json => Some(DataRef::Json(json.as_str()?)),
    })
}

/// The payload in a column, to be shown.
pub(super) fn shown_payload<'r>(row: &'r Row<'_>, column: usize) -> Result<DataRef<'r>> {
    let payload = payload(row, column)?;
    match payload {
        DataRef::Json(text) if !may_be_json(text) => Err(not_json(column)),
        payload => Ok(payload),
    }
}

fn not_json(column: usize) -> Error {
    Error::FromSqlConversionFailure(column, Type::Text, Box::new(NotJson))
}

/// Whether a text that was stored may be the JSON that ream stores, as far as a line that it becomes a
/// part of hangs on it: without white space outside strings, and so without any control character, and
/// with the ends of a value.
///
/// What is within is not parsed: every read would pay for that, to keep whoever writes to the database
/// from what they might as well write as JSON.
pub(super) fn may_be_json(text: &str) -> bool {
    let (Some(first), Some(last)) = (text.bytes().next(), text.bytes().next_back()) else {
        return false;
    };
    let has_ends = match first {
        b'{' => last == b'}',
        b'[' => last == b']',
        b'"' => last == b'"' && text.len() > 1,
        b'-' | b'0'..=b'9' => last.is_ascii_digit(),
        _ => matches!(text, "true" | "false" | "null"),
    };
    has_ends && !has_control(text)
}

/// Whether a byte below the space is in a text, by eight bytes at once: such a byte borrows from its
/// highest bit when 32 is taken away, and did not have it set before.
fn has_control(text: &str) -> bool {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let below_space = |eight: &[u8; 8]| {
        let eight = u64::from_ne_bytes(*eight);
        eight.wrapping_sub(EACH * 0x20) & !eight & (EACH * 0x80)
    };
    let bytes = text.as_bytes();
    // The last eight may overlap with those before them.
    let Some(last) = bytes.last_chunk() else { return bytes.iter().any(|byte| *byte < b' ') };
    let (eights, _) = bytes.as_chunks();
    eights.iter().fold(below_space(last), |found, eight| found | below_space(eight)) != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_a_part_of_a_line_is_told_from_what_can_not() {
        for json in
            ["{}", "[]", "\"\"", "0", "-1", "1e9", "true", "false", "null", r#"{"a":["\n é"]}"#]
        {
            assert!(may_be_json(json), "{json}");
        }
        for text in [
            "",
            " ",
            "\"",
            "{",
            "}",
            "{]",
            "-",
            "x",
            "nul",
            "true ",
            " 1",
            "1 ",
            "{}\n{}",
            "{}\n",
            "[\r]",
            "{\"a\":\"\u{1b}[2J\"}",
            "{\t}",
            "\"\0\"",
        ] {
            assert!(!may_be_json(text), "{text:?}");
        }
        // Wherever it stands, and whatever stands beside it: bytes are compared by the many.
        for length in 0..40 {
            for filling in ["1", "é", "\u{7f}", " "] {
                let filled = |length| filling.repeat(length);
                assert!(may_be_json(&format!("[{}]", filled(length))), "{length} {filling:?}");
                for control in 0..b' ' {
                    for at in 0..=length {
                        let (before, behind) = (filled(at), filled(length - at));
                        let text = format!("[{before}{}{behind}]", char::from(control));
                        assert!(!may_be_json(&text), "{text:?}");
                    }
                }
            }
        }
    }
}
