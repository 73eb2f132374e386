//! Exact decimal numbers of at most 18 digits.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use crate::excerpt::{QUOTED, excerpt};

/// How many digits a decimal has at most: what 64 bits always hold.
pub const MAX_DIGITS: u8 = 18;

/// The first number with one digit too many.
const LIMIT: i128 = 1_000_000_000_000_000_000;

/// An exact decimal number: `mantissa / 10^scale`, of at most [`MAX_DIGITS`] digits.
///
/// ```
/// let price: ream::Decimal = "12.50".parse()?;
/// assert_eq!((price.mantissa(), price.scale()), (1250, 2));
/// assert_eq!(price.to_string(), "12.50");
/// # Ok::<(), ream::DecimalError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Decimal {
    mantissa: i64,
    scale: u8,
}

/// Why a text or a number is no decimal of so many digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecimalError {
    /// The text is no number.
    #[error("`{text}` is no number")]
    NoNumber {
        /// The text.
        text: String,
    },
    /// It has more digits than a decimal holds.
    #[error("{text} has more than {MAX_DIGITS} digits")]
    TooManyDigits {
        /// The number.
        text: String,
    },
    /// It has more digits behind the point than there is room for.
    #[error("{number} has {} behind the point; {scale} fit", digits(number.scale))]
    TooManyDecimals {
        /// The number.
        number: Decimal,
        /// How many there may be.
        scale: u8,
    },
    /// It has more digits before the point than there is room for.
    #[error("{number} is too large: {} fit before the point", digits(precision - scale))]
    TooLarge {
        /// The number.
        number: Decimal,
        /// How many digits there may be.
        precision: u8,
        /// How many of them stand behind the point.
        scale: u8,
    },
}

fn digits(count: u8) -> String {
    format!("{count} digit{}", if count == 1 { "" } else { "s" })
}

impl Decimal {
    /// The number `mantissa / 10^scale`; nothing where it has too many digits.
    #[must_use]
    pub fn new(mantissa: i64, scale: u8) -> Option<Self> {
        let fits = i128::from(mantissa).abs() < LIMIT && scale <= MAX_DIGITS;
        fits.then_some(Self { mantissa, scale })
    }

    fn from_wide(mantissa: i128, scale: u8) -> Option<Self> {
        Self::new(i64::try_from(mantissa).ok()?, scale)
    }

    /// The number times `10^scale`.
    #[must_use]
    pub fn mantissa(self) -> i64 {
        self.mantissa
    }

    /// How many digits stand behind the point.
    #[must_use]
    pub fn scale(self) -> u8 {
        self.scale
    }

    /// The same number with `scale` digits behind the point; nothing where that takes more digits
    /// than there are, or loses some.
    #[must_use]
    pub fn with_scale(self, scale: u8) -> Option<Self> {
        match scale.checked_sub(self.scale) {
            Some(more) => Self::from_wide(i128::from(self.mantissa) * power(more), scale),
            None => {
                let less = power(self.scale - scale);
                let mantissa = i128::from(self.mantissa);
                (mantissa % less == 0).then(|| Self::from_wide(mantissa / less, scale))?
            }
        }
    }

    /// The nearest number with `scale` digits behind the point, halves away from zero; nothing where
    /// that has too many digits.
    #[must_use]
    pub fn rounded(self, scale: u8) -> Option<Self> {
        if scale >= self.scale {
            return self.with_scale(scale);
        }
        Self::from_wide(divide(self.mantissa.into(), power(self.scale - scale)), scale)
    }

    /// The largest mantissa at `scale` whose number is not above this one.
    pub(crate) fn floor(self, scale: u8) -> i128 {
        match scale.checked_sub(self.scale) {
            Some(more) => i128::from(self.mantissa) * power(more),
            None => i128::from(self.mantissa).div_euclid(power(self.scale - scale)),
        }
    }

    /// The same number as `decimal:precision:scale` has it.
    ///
    /// # Errors
    ///
    /// [`DecimalError::TooManyDecimals`], [`DecimalError::TooLarge`].
    pub fn fitting(self, precision: u8, scale: u8) -> Result<Self, DecimalError> {
        let too_large = DecimalError::TooLarge { number: self, precision, scale };
        if scale < self.scale && self.with_scale(scale).is_none() {
            return Err(DecimalError::TooManyDecimals { number: self.shortest(), scale });
        }
        match self.with_scale(scale) {
            Some(fitting) if i128::from(fitting.mantissa).abs() < power(precision) => Ok(fitting),
            _ => Err(too_large),
        }
    }

    /// The number without zeros at its end that say nothing.
    fn shortest(self) -> Self {
        let (mut mantissa, mut scale) = (self.mantissa, self.scale);
        while scale > 0 && mantissa % 10 == 0 {
            (mantissa, scale) = (mantissa / 10, scale - 1);
        }
        Self { mantissa, scale }
    }

    /// The sum, with the larger scale of the two; nothing on overflow.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        Self::from_wide(self.floor(scale) + other.floor(scale), scale)
    }

    /// The difference, with the larger scale of the two; nothing on overflow.
    #[must_use]
    pub fn minus(self, other: Self) -> Option<Self> {
        self.plus(Self { mantissa: -other.mantissa, ..other })
    }

    /// The product, with the sum of the scales; nothing on overflow.
    #[must_use]
    pub fn times(self, other: Self) -> Option<Self> {
        let mantissa = i128::from(self.mantissa) * i128::from(other.mantissa);
        Self::from_wide(mantissa, self.scale + other.scale)
    }

    /// The quotient, with the larger scale of the two, rounded as [`Decimal::rounded`] does; nothing on
    /// overflow, and where `other` is zero.
    #[must_use]
    pub fn divided_by(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        if other.mantissa == 0 {
            return None;
        }
        // Where this overflows, so does the quotient: the divisor has 18 digits at most.
        let more = power(scale + other.scale - self.scale);
        let dividend = i128::from(self.mantissa).checked_mul(more)?;
        Self::from_wide(divide(dividend, other.mantissa.into()), scale)
    }
}

/// Ten to the `exponent`, which is 38 at most.
fn power(exponent: u8) -> i128 {
    10_i128.pow(exponent.into())
}

/// The nearest whole number, halves away from zero.
fn divide(dividend: i128, divisor: i128) -> i128 {
    let (quotient, rest) = (dividend / divisor, dividend % divisor);
    if rest.abs() >= divisor.abs() - rest.abs() {
        quotient + (dividend.signum() * divisor.signum())
    } else {
        quotient
    }
}

impl From<Decimal> for f64 {
    /// The nearest float.
    fn from(decimal: Decimal) -> Self {
        // Each decimal is a number that the parser knows.
        decimal.to_string().parse().unwrap_or_default()
    }
}

impl Decimal {
    /// Compares the numbers, whatever their scales.
    pub(crate) fn compare(self, other: Self) -> Ordering {
        let scale = self.scale.max(other.scale);
        self.floor(scale).cmp(&other.floor(scale))
    }
}

impl FromStr for Decimal {
    type Err = DecimalError;

    /// Reads digits with at most one point, a sign, an exponent. Zeros at the end count as digits
    /// behind the point, while there is room for them.
    fn from_str(text: &str) -> Result<Self, DecimalError> {
        let no_number = || DecimalError::NoNumber { text: excerpt(text, QUOTED).into() };
        let too_many = || DecimalError::TooManyDigits { text: excerpt(text, QUOTED).into() };
        let (number, exponent) = match text.split_once(['e', 'E']) {
            Some((number, exponent)) => (number, exponent.parse().map_err(|_| no_number())?),
            None => (text, 0_i32),
        };
        let unsigned = number.strip_prefix(['-', '+']).unwrap_or(number);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() && fraction.is_empty() || !all_digits(whole) || !all_digits(fraction) {
            return Err(no_number());
        }
        let digits: String = [whole, fraction].concat();
        let significant = digits.trim_start_matches('0').trim_end_matches('0');
        if significant.is_empty() {
            let scale = i32::try_from(fraction.len()).unwrap_or(i32::MAX).saturating_sub(exponent);
            let scale = u8::try_from(scale.clamp(0, MAX_DIGITS.into())).unwrap_or_default();
            return Ok(Self { mantissa: 0, scale });
        }
        if significant.len() > usize::from(MAX_DIGITS) {
            return Err(too_many());
        }
        let magnitude: i128 = significant.parse().map_err(|_| too_many())?;
        let zeros = digits.len() - digits.trim_end_matches('0').len();
        let count = |length: usize| i32::try_from(length).map_err(|_| too_many());
        // The number is `magnitude * 10^(zeros - scale)`.
        let (zeros, scale) = (count(zeros)?, count(fraction.len())?.saturating_sub(exponent));
        let mantissa = if number.starts_with('-') { -magnitude } else { magnitude };
        // As many of the zeros as there is room for; behind the point they may be fewer.
        for kept in (0..=zeros.min(i32::from(MAX_DIGITS))).rev() {
            let scale = scale.saturating_sub(zeros).saturating_add(kept);
            let exponent = u8::try_from(kept).unwrap_or_default();
            let made = match u8::try_from(scale) {
                Ok(scale) => Self::from_wide(mantissa * power(exponent), scale),
                Err(_) => u8::try_from(scale.unsigned_abs())
                    .ok()
                    .filter(|more| scale < 0 && *more <= MAX_DIGITS)
                    .and_then(|more| (mantissa * power(exponent)).checked_mul(power(more)))
                    .and_then(|mantissa| Self::from_wide(mantissa, 0)),
            };
            if let Some(made) = made {
                return Ok(made);
            }
        }
        Err(too_many())
    }
}

impl Decimal {
    /// Writes the canonical form: as many digits behind the point as the scale says, one at least before
    /// it, and a sign before a number below zero.
    pub fn write(self, line: &mut Vec<u8>) {
        let mut buffer = itoa::Buffer::new();
        let digits = buffer.format(self.mantissa.unsigned_abs()).as_bytes();
        let scale = usize::from(self.scale);
        if self.mantissa < 0 {
            line.push(b'-');
        }
        let (whole, fraction) = digits.split_at(digits.len().saturating_sub(scale));
        line.extend_from_slice(if whole.is_empty() { b"0" } else { whole });
        if scale > 0 {
            line.push(b'.');
            line.extend(std::iter::repeat_n(b'0', scale - fraction.len()));
            line.extend_from_slice(fraction);
        }
    }
}

impl fmt::Display for Decimal {
    /// As [`Decimal::write`] writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = Vec::with_capacity(20);
        self.write(&mut line);
        // It is made of digits.
        f.write_str(std::str::from_utf8(&line).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn texts_are_read_exactly() {
        for (text, mantissa, scale) in [
            ("0", 0, 0),
            ("-0.00", 0, 2),
            ("12.50", 1250, 2),
            ("-.5", -5, 1),
            ("5.", 5, 0),
            ("1e3", 1000, 0),
            ("1.5e-3", 15, 4),
            ("-12.5E1", -125, 0),
            ("100", 100, 0),
            ("0e99", 0, 0),
            ("999999999999999999", 999_999_999_999_999_999, 0),
            ("0.000000000000000001", 1, 18),
            ("1.0000000000000000000000", 100_000_000_000_000_000, 17),
            ("00012", 12, 0),
        ] {
            let read = decimal(text);
            assert_eq!((read.mantissa, read.scale), (mantissa, scale), "{text}");
        }
        for text in ["", ".", "-", "1.2.3", "1e", "e5", "0x10", "1_000", " 1", "NaN", "--1"] {
            assert!(
                matches!(text.parse::<Decimal>(), Err(DecimalError::NoNumber { .. })),
                "{text}"
            );
        }
        for text in [
            "1000000000000000000",
            "1e18",
            "1e-19",
            "0.1234567890123456789",
            "1e999999999",
            "200000236772367100002367110723671136710000E0",
            "1234567890123456789000000000000000000e-20",
        ] {
            let refused = text.parse::<Decimal>();
            assert!(matches!(refused, Err(DecimalError::TooManyDigits { .. })), "{text}");
        }
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let told = |text: &str| decimal(text).fitting(5, 2).unwrap_err().to_string();
        assert_eq!(told("1.005"), "1.005 has 3 digits behind the point; 2 fit");
        assert_eq!(told("1000"), "1000 is too large: 3 digits fit before the point");
        assert_eq!(decimal("1.500").fitting(5, 2).unwrap().to_string(), "1.50");
        assert_eq!(decimal("-999.99").fitting(5, 2).unwrap().to_string(), "-999.99");
    }

    #[test]
    fn halves_are_rounded_away_from_zero() {
        for (text, scale, rounded) in [
            ("1.25", 1, "1.3"),
            ("-1.25", 1, "-1.3"),
            ("1.24", 1, "1.2"),
            ("0.5", 0, "1"),
            ("2", 2, "2.00"),
        ] {
            assert_eq!(decimal(text).rounded(scale).unwrap().to_string(), rounded);
        }
        let quotient = |a: &str, b: &str| decimal(a).divided_by(decimal(b)).unwrap().to_string();
        assert_eq!(quotient("10.00", "3"), "3.33");
        assert_eq!(quotient("-20.00", "3"), "-6.67");
        assert_eq!(quotient("1", "0.08"), "12.50");
        assert_eq!(decimal("1").divided_by(decimal("0.0")), None);
    }

    fn any_decimal() -> impl Strategy<Value = Decimal> {
        let mantissa = prop_oneof![
            -1000_i64..1000,
            -999_999_999_999_999_999_i64..=999_999_999_999_999_999,
            Just(999_999_999_999_999_999)
        ];
        (mantissa, 0..=MAX_DIGITS).prop_map(|(mantissa, scale)| Decimal { mantissa, scale })
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_again(number in any_decimal()) {
            prop_assert_eq!(decimal(&number.to_string()), number);
        }

        #[test]
        fn a_difference_is_taken_back_by_a_sum(a in any_decimal(), b in any_decimal()) {
            if let Some(difference) = a.minus(b) && let Some(sum) = difference.plus(b) {
                prop_assert_eq!(sum.compare(a), Ordering::Equal);
            }
            prop_assert_eq!(a.plus(b), b.plus(a));
            prop_assert_eq!(a.compare(b), b.compare(a).reverse());
        }

        #[test]
        fn a_quotient_is_the_nearest_one(a in any_decimal(), b in any_decimal()) {
            // In whole numbers: |2 * (q * b - a)| <= |b| in units of the quotient's last place.
            if let Some(quotient) = a.divided_by(b) {
                let shift = power(quotient.scale + b.scale - a.scale);
                let product = i128::from(quotient.mantissa) * i128::from(b.mantissa);
                let difference = product - i128::from(a.mantissa) * shift;
                prop_assert!(2 * difference.abs() <= i128::from(b.mantissa).abs());
            }
        }
    }
}
