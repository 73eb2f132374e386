//! Points in time, in microseconds.

use std::fmt;
use std::str::FromStr;

use jiff::fmt::temporal::DateTimePrinter;

/// A point in time, in microseconds since 1970-01-01T00:00:00Z; shown as RFC 3339 in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// A text that is no point in time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no time (RFC 3339, such as 2026-11-23T04:49:13Z): {reason}")]
pub struct TimeError {
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Timestamp {
    /// One day, in microseconds.
    pub const DAY: i64 = 86_400_000_000;

    /// The system's clock.
    #[must_use]
    pub fn now() -> Self {
        Self(jiff::Timestamp::now().as_microsecond())
    }

    /// The point in time `micros` microseconds after the epoch.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// The point in time `micros` microseconds later; the last one where there is none later.
    #[must_use]
    pub const fn plus_micros(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros))
    }
}

impl FromStr for Timestamp {
    type Err = TimeError;

    /// Reads RFC 3339 with any offset; digits past the microsecond are cut off.
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let refuse = |reason: String| TimeError { text: text.into(), reason };
        let time: jiff::Timestamp =
            text.parse().map_err(|error: jiff::Error| refuse(error.to_string()))?;
        let micros = time.as_nanosecond().div_euclid(1000);
        match i64::try_from(micros) {
            Ok(micros) if micros >= YEAR_0 => Ok(Self(micros)),
            _ => Err(refuse("a year before 0".into())),
        }
    }
}

/// 0000-01-01T00:00:00Z, the first moment that RFC 3339 can write.
const YEAR_0: i64 = -62_167_219_200_000_000;

/// Whole microseconds, in UTC.
const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(6));

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.print(jiff::fmt::StdFmtWrite(f)).map_err(|_| fmt::Error)
    }
}

impl Timestamp {
    /// Appends what is shown to `text`, without the detour over a formatter.
    pub(crate) fn write(self, text: &mut Vec<u8>) {
        // Writing into memory does not fail, and each time that was taken in can be written.
        let _ = self.print(text);
    }

    fn print(self, to: impl jiff::fmt::Write) -> Result<(), jiff::Error> {
        PRINTER.print_timestamp(&jiff::Timestamp::from_microsecond(self.0)?, to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_offset_comes_out_in_utc_with_microseconds() {
        for (text, shown) in [
            ("2026-11-23T04:49:13.784077Z", "2026-11-23T04:49:13.784077Z"),
            ("2010-10-02T09:20:39.266000+02:00", "2010-10-02T07:20:39.266000Z"),
            ("2026-11-23T04:49:13Z", "2026-11-23T04:49:13.000000Z"),
            ("1969-12-31T23:59:59.9999999-00:00", "1969-12-31T23:59:59.999999Z"),
            ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00.000000Z"),
        ] {
            assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), shown);
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "now",
            "2026-11-23",
            "2026-13-01T00:00:00Z",
            "2026-11-23T04:49:13",
            "1763873353",
            "-000001-01-01T00:00:00Z",
        ] {
            let error = text.parse::<Timestamp>().unwrap_err();
            assert!(error.to_string().contains("is no time"), "{error}");
        }
    }
}
