//! Sizes, durations and times as a command line gives them.

use std::time::Duration;

use ream::Timestamp;
pub(crate) use ream::wire::parse_duration as duration;

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
    fn a_time_is_a_point_or_how_long_ago_it_was() {
        let now = Timestamp::from_micros(1_000_000_000).unwrap();
        assert_eq!(time_or_ago_at("10s", now), Ok(now.plus_micros(-10_000_000)));
        assert_eq!(time_or_ago_at("1970-01-01T00:00:01Z", now), Ok(now.plus_micros(-999_000_000)));
        for text in ["10", "yesterday", "-10s", "2026-11-23"] {
            assert!(time_or_ago_at(text, now).is_err(), "{text}");
        }
    }
}
