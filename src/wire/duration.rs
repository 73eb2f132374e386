//! Durations, as people write them.

use std::time::Duration;

use jiff::{SignedDuration, Span, SpanRelativeTo};

/// Reads `30s`, `10m`, `1d 2h`, or a number of seconds.
///
/// # Errors
///
/// Why it is no duration, in words.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string());
    }
    let span: Span = text.parse().map_err(|_| "no duration, such as 30s or 10m".to_owned())?;
    let signed: SignedDuration =
        span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|error| error.to_string())?;
    Duration::try_from(signed).map_err(|_| "a duration can't be negative".into())
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "soon", "-1", "-5s", "1 parsec", "nan", "inf"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }
}
