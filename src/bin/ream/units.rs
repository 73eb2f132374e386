//! Durations, times and places as a command line gives them.

use std::time::Duration;

use jiff::{SignedDuration, Span, SpanRelativeTo};
use ream::{Mark, Position, Timestamp, Version};

/// Reads `30s`, `10m`, `1d 2h`, or a number of seconds.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string());
    }
    let span: Span = text.parse().map_err(|_| "no duration, such as 30s or 10m".to_owned())?;
    let signed: SignedDuration =
        span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|error| error.to_string())?;
    Duration::try_from(signed).map_err(|_| "a duration can't be negative".into())
}

/// Reads `256MiB`, `64KiB`, `1GiB`, or a number of bytes.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    let none = || "no number of bytes, such as 65536 or 256MiB".to_owned();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let shift = match unit {
        "" => 0,
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        _ => return Err(none()),
    };
    let number: u64 = number.parse().map_err(|_| none())?;
    number.checked_mul(1 << shift).filter(|bytes| i64::try_from(*bytes).is_ok()).ok_or_else(none)
}

/// Reads a time, or how long ago it was.
pub(crate) fn time_or_ago(text: &str) -> Result<Timestamp, String> {
    time_or_ago_at(text, Timestamp::now())
}

fn time_or_ago_at(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let time_error = match text.parse::<Timestamp>() {
        Ok(time) => return Ok(time),
        Err(error) => error,
    };
    if text.parse::<f64>().is_ok() {
        return Err(format!("`{text}` is neither a time nor a duration, such as 10m"));
    }
    let ago = duration(text).map_err(|_| format!("{time_error}; nor a duration, such as 10m"))?;
    let micros = i64::try_from(ago.as_micros()).map_err(|_| "too long ago".to_owned())?;
    Ok(now.plus_micros(-micros))
}

/// Reads a position, or `@N` for a version of the one stream that is read.
pub(crate) fn mark(text: &str) -> Result<Mark, String> {
    let (digits, version) = match text.strip_prefix('@') {
        Some(digits) => (digits, true),
        None => (text, false),
    };
    let number = digits
        .parse::<u64>()
        .ok()
        .filter(|number| {
            i64::try_from(*number).is_ok() && digits.bytes().all(|byte| byte.is_ascii_digit())
        })
        .ok_or("neither a position nor a version (`@N`)")?;
    Ok(if version { Mark::Version(Version(number)) } else { Mark::Position(Position(number)) })
}

/// A place to stop at.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Until {
    Mark(Mark),
    Time(Timestamp),
}

/// Reads a position, a version or a time.
pub(crate) fn until(text: &str) -> Result<Until, String> {
    if let Ok(mark) = mark(text) {
        return Ok(Until::Mark(mark));
    }
    text.parse::<Timestamp>()
        .map(Until::Time)
        .map_err(|error| format!("neither a position nor a version (`@N`), and {error}"))
}

/// The place before `mark`: what comes after it begins with `mark` itself.
pub(crate) fn before(mark: Mark) -> Mark {
    match mark {
        Mark::Position(position) => Mark::Position(Position(position.0.saturating_sub(1))),
        Mark::Version(version) => Mark::Version(Version(version.0.saturating_sub(1))),
    }
}

/// A number of bytes for the eye.
pub(crate) fn bytes(bytes: u64) -> String {
    indicatif::HumanBytes(bytes).to_string()
}

/// A time span in seconds, for the eye.
pub(crate) fn seconds(seconds: f64) -> String {
    let whole = Duration::from_secs_f64(seconds.max(0.0));
    indicatif::HumanDuration(whole).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units_of_1024() {
        assert_eq!(size("0"), Ok(0));
        assert_eq!(size("65536"), Ok(65536));
        assert_eq!(size("64KiB"), Ok(65536));
        assert_eq!(size("256MiB"), Ok(256 << 20));
        assert_eq!(size("1GiB"), Ok(1 << 30));
        for wrong in ["", "MiB", "-1", "1.5MiB", "1 MiB", "1MB", "1k", "99999999999GiB", "1e3"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn durations_have_units_or_are_seconds() {
        for (text, millis) in [
            ("30s", 30_000),
            ("10m", 600_000),
            ("1d 2h", 93_600_000),
            ("5", 5000),
            ("0.25", 250),
            ("0", 0),
            ("100ms", 100),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "soon", "-1", "-5s", "1 parsec", "nan", "inf"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_time_is_a_point_or_how_long_ago_it_was() {
        let now = Timestamp::from_micros(1_000_000_000).unwrap();
        assert_eq!(time_or_ago_at("10s", now), Ok(now.plus_micros(-10_000_000)));
        assert_eq!(time_or_ago_at("1970-01-01T00:00:01Z", now), Ok(now.plus_micros(-999_000_000)));
        for text in ["10", "yesterday", "-10s", "2026-11-23"] {
            assert!(time_or_ago_at(text, now).is_err(), "{text}");
        }
    }

    #[test]
    fn places_are_positions_or_versions() {
        assert_eq!(mark("7"), Ok(Mark::Position(Position(7))));
        assert_eq!(mark("@7"), Ok(Mark::Version(Version(7))));
        for text in ["", "@", "-1", "+1", "@-1", "1.5", "9223372036854775808"] {
            assert!(mark(text).is_err(), "{text}");
        }
    }
}
