//! Points in time, in microseconds.

use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::SignedDuration;
use jiff::civil::DateTime;
use jiff::fmt::temporal::{DateTimePrinter, Pieces};

use crate::excerpt::{QUOTED, REASON, excerpt};

/// A point in time, in whole microseconds; shown as RFC 3339 in UTC.
///
/// The years 0001 to 9999 are its range, from [`Timestamp::MIN`] to [`Timestamp::MAX`]: no value
/// lies outside, so each can be shown, stored and read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// A text that is no point in time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a valid time (RFC 3339, such as 2026-11-23T04:49:13Z): {reason}")]
pub struct TimeError {
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

/// 1970-01-01T00:00:00, from which microseconds count.
const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

impl Timestamp {
    /// One day, in microseconds.
    pub const DAY: i64 = 86_400_000_000;
    /// The first point in time, 0001-01-01T00:00:00Z.
    pub const MIN: Self = Self(-62_135_596_800_000_000);
    /// The last one, 9999-12-31T23:59:59.999999Z.
    pub const MAX: Self = Self(253_402_300_799_999_999);

    /// The system's clock; the nearest end of the range where it is set to a time outside.
    #[must_use]
    pub fn now() -> Self {
        SystemTime::now().into()
    }

    /// The point in time `micros` microseconds after 1970-01-01T00:00:00Z; nothing where that lies
    /// outside the range.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Option<Self> {
        if Self::MIN.0 <= micros && micros <= Self::MAX.0 { Some(Self(micros)) } else { None }
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// The point in time `micros` microseconds later; the nearest end of the range where that lies
    /// outside.
    #[must_use]
    pub fn plus_micros(self, micros: i64) -> Self {
        Self::clamped(self.0.saturating_add(micros))
    }

    fn clamped(micros: i64) -> Self {
        Self(micros.clamp(Self::MIN.0, Self::MAX.0))
    }
}

impl From<SystemTime> for Timestamp {
    /// The same point in time; the nearest end of the range where that lies outside.
    fn from(time: SystemTime) -> Self {
        let (elapsed, sign) = match time.duration_since(UNIX_EPOCH) {
            Ok(after) => (after, 1),
            Err(before) => (before.duration(), -1),
        };
        let micros = i64::try_from(elapsed.as_micros()).unwrap_or(i64::MAX);
        Self::clamped(sign * micros)
    }
}

impl FromStr for Timestamp {
    type Err = TimeError;

    /// Reads RFC 3339 with any offset; digits past the microsecond are cut off.
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let refuse = |reason: String| TimeError {
            text: excerpt(text, QUOTED).into(),
            reason: excerpt(&reason, REASON).into(),
        };
        let unread = "expected a date, a time of day and an offset, each within its range";
        let pieces = Pieces::parse(text).map_err(|_| refuse(unread.into()))?;
        let time = pieces.time().ok_or_else(|| refuse("it has no time of day".into()))?;
        let offset = pieces.to_numeric_offset();
        let offset =
            offset.ok_or_else(|| refuse("it has no offset, such as Z or +02:00".into()))?;
        let local = pieces.date().to_datetime(time).duration_since(EPOCH);
        let nanos = local.as_nanos() - i128::from(offset.seconds()) * 1_000_000_000;
        let micros = i64::try_from(nanos.div_euclid(1000)).ok();
        let found = micros.and_then(Self::from_micros);
        found.ok_or_else(|| refuse("it lies outside the years 0001 to 9999".into()))
    }
}

/// Whole microseconds.
const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(6));

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.print(jiff::fmt::StdFmtWrite(f)).map_err(|_| fmt::Error)
    }
}

impl Timestamp {
    /// Appends what is shown to `text`, without the detour over a formatter.
    pub(crate) fn write(self, text: &mut Vec<u8>) {
        // Writing into memory does not fail.
        let _ = self.print(text);
    }

    fn print(self, mut to: impl jiff::fmt::Write) -> Result<(), jiff::Error> {
        // Nearly all times are in the range of this type, and it is printed faster; it ends a day before
        // ours does.
        if let Ok(time) = jiff::Timestamp::from_microsecond(self.0) {
            return PRINTER.print_timestamp(&time, to);
        }
        let time = EPOCH.checked_add(SignedDuration::from_micros(self.0))?;
        PRINTER.print_datetime(&time, &mut to)?;
        to.write_str("Z")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn any_offset_comes_out_in_utc_with_microseconds() {
        for (text, shown) in [
            ("2026-11-23T04:49:13.784077Z", "2026-11-23T04:49:13.784077Z"),
            ("2010-10-02T09:20:39.266000+02:00", "2010-10-02T07:20:39.266000Z"),
            ("2026-11-23T04:49:13Z", "2026-11-23T04:49:13.000000Z"),
            ("1969-12-31T23:59:59.9999999-00:00", "1969-12-31T23:59:59.999999Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z"),
            ("0000-12-31T23:00:00-01:00", "0001-01-01T00:00:00.000000Z"),
            ("9999-12-30T22:00:00.5Z", "9999-12-30T22:00:00.500000Z"),
            ("9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999999Z"),
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
            "0000-12-31T23:59:59.999999Z",
            "0001-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59.999999-00:01",
            "+010000-01-01T00:00:00Z",
        ] {
            let error = text.parse::<Timestamp>().unwrap_err();
            assert!(error.to_string().contains("is not a valid time"), "{error}");
        }
    }

    #[test]
    fn a_clock_beyond_the_range_shows_its_nearest_end() {
        let far = Duration::from_secs(1 << 40);
        assert_eq!(Timestamp::from(UNIX_EPOCH + far), Timestamp::MAX);
        assert_eq!(Timestamp::from(UNIX_EPOCH - far), Timestamp::MIN);
        let near = UNIX_EPOCH + Duration::from_micros(1_795_409_353_784_077);
        assert_eq!(Timestamp::from(near).to_string(), "2026-11-23T04:49:13.784077Z");
    }

    #[test]
    fn the_range_is_closed() {
        let (first, last) = (Timestamp::MIN.as_micros(), Timestamp::MAX.as_micros());
        for micros in [first, first + 1, -1, 0, 1, last - 1, last] {
            let time = Timestamp::from_micros(micros).unwrap();
            assert_eq!(time.to_string().parse(), Ok(time), "{micros}");
        }
        for micros in [i64::MIN, first - 1, last + 1, i64::MAX] {
            assert_eq!(Timestamp::from_micros(micros), None, "{micros}");
        }
        assert_eq!(Timestamp::MIN.to_string(), "0001-01-01T00:00:00.000000Z");
        assert_eq!(Timestamp::MAX.to_string(), "9999-12-31T23:59:59.999999Z");
        for step in [1, Timestamp::DAY, i64::MAX] {
            assert_eq!(Timestamp::MAX.plus_micros(step), Timestamp::MAX);
            assert_eq!(Timestamp::MIN.plus_micros(-step), Timestamp::MIN);
        }
        assert_eq!(Timestamp::MIN.plus_micros(i64::MIN), Timestamp::MIN);
    }
}
