//! Values of fields.

use std::cmp::Ordering;

use super::decimal::{Decimal, DecimalError};
use super::field::FieldType;
use crate::event::{Json, TimeError, Timestamp};
use crate::wire::{self, decode_base64};

/// A value of a field, or of an expression.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// Nothing.
    Null,
    /// A whole number.
    Integer(i64),
    /// A floating-point number: finite, and no negative zero.
    Float(f64),
    /// An exact number.
    Decimal(Decimal),
    /// A text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
    /// A point in time.
    Timestamp(Timestamp),
    /// True or false.
    Boolean(bool),
    /// JSON.
    Json(Json),
}

/// A value that a store gives out, while it does.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum ValueRef<'v> {
    /// Nothing.
    Null,
    /// A whole number.
    Integer(i64),
    /// A floating-point number.
    Float(f64),
    /// An exact number.
    Decimal(Decimal),
    /// A text.
    Text(&'v str),
    /// Bytes.
    Blob(&'v [u8]),
    /// A point in time, as [`Timestamp`] shows it.
    Timestamp(&'v str),
    /// True or false.
    Boolean(bool),
    /// JSON.
    Json(&'v str),
}

/// Why a value is none of a field's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// It is of another type.
    #[error("{found} is no {wanted}")]
    OtherType {
        /// What it is.
        found: String,
        /// What the field holds.
        wanted: FieldType,
    },
    /// It is null, and the field has to have a value.
    #[error("it can't be null")]
    Null,
    /// It is a whole number beyond 64 bits.
    #[error("{text} is beyond 64 bits")]
    Beyond64Bits {
        /// The number.
        text: String,
    },
    /// It is a number that no float comes near.
    #[error("{text} is too large for a float")]
    BeyondFloat {
        /// The number.
        text: String,
    },
    /// It does not fit the decimals of the field.
    #[error(transparent)]
    Decimal(#[from] DecimalError),
    /// It is not a valid time.
    #[error(transparent)]
    Time(#[from] TimeError),
    /// It is not valid base64.
    #[error("{0}")]
    Base64(String),
    /// It is longer than the field takes.
    #[error("it has {length} {unit}; {max} are allowed")]
    TooLong {
        /// How long it is.
        length: usize,
        /// What was counted.
        unit: &'static str,
        /// How long it may be.
        max: u32,
    },
    /// It holds the character U+0000.
    #[error("it has the character U+0000")]
    Zero,
    /// It is no JSON.
    #[error("it is not valid JSON: {0}")]
    Json(String),
}

impl Value {
    /// A float as fields hold it; nothing where it is infinite or no number.
    pub(crate) fn float(number: f64) -> Option<Self> {
        // The negative zero would be another one in text only.
        number.is_finite().then_some(Self::Float(if number == 0.0 { 0.0 } else { number }))
    }

    /// The number that `text`, a number in JSON's spelling, is to a field.
    pub(crate) fn number(text: &str, field_type: FieldType) -> Result<Self, ValueError> {
        match field_type {
            FieldType::Integer => match text.parse() {
                Ok(number) => Ok(Self::Integer(number)),
                Err(_) if text.contains(['.', 'e', 'E']) => whole(text, field_type),
                Err(_) if is_whole(text) => Err(ValueError::Beyond64Bits { text: text.into() }),
                Err(_) => Err(DecimalError::NoNumber { text: text.into() }.into()),
            },
            FieldType::Float => match text.parse() {
                Ok(number) => {
                    Self::float(number).ok_or_else(|| ValueError::BeyondFloat { text: text.into() })
                }
                Err(_) => Err(DecimalError::NoNumber { text: text.into() }.into()),
            },
            FieldType::Decimal { precision, scale } => {
                Ok(Self::Decimal(text.parse::<Decimal>()?.fitting(precision, scale)?))
            }
            _ => Err(ValueError::OtherType {
                found: format!("the number {text}"),
                wanted: field_type,
            }),
        }
    }

    /// The value that `text` is to a field.
    pub(crate) fn text(text: &str, field_type: FieldType) -> Result<Self, ValueError> {
        match field_type {
            FieldType::Text { .. } => Ok(Self::Text(text.into())),
            FieldType::Blob { .. } => decode_base64(text)
                .map(|bytes| Self::Blob(bytes.into_vec()))
                .map_err(ValueError::Base64),
            FieldType::Timestamp => Ok(Self::Timestamp(text.parse()?)),
            // So that a writer whose numbers are floats can spell each exact one.
            FieldType::Integer | FieldType::Decimal { .. } => Self::number(text, field_type),
            _ => {
                let found = format!("the text {}", excerpt(text));
                Err(ValueError::OtherType { found, wanted: field_type })
            }
        }
    }

    /// Checks that a value of the right type can stand in a field.
    pub(crate) fn check(&self, field_type: FieldType, nullable: bool) -> Result<(), ValueError> {
        let (length, unit, max) = match (self, field_type) {
            (Self::Null, _) if !nullable => return Err(ValueError::Null),
            (Self::Text(text), _) if text.contains('\0') => return Err(ValueError::Zero),
            // No text has more characters than bytes.
            (Self::Text(text), FieldType::Text { max: Some(max) }) if text.len() > max as usize => {
                (text.chars().count(), "characters", max)
            }
            (Self::Blob(bytes), FieldType::Blob { max: Some(max) }) => (bytes.len(), "bytes", max),
            _ => return Ok(()),
        };
        if length > max as usize {
            return Err(ValueError::TooLong { length, unit, max });
        }
        Ok(())
    }

    /// Compares two values that compare; nothing where one is null.
    pub(crate) fn compare(&self, other: &Self) -> Option<Ordering> {
        let decimal = |number: i64| Decimal::new(number, 0);
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => Some(a.cmp(b)),
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(b),
            (Self::Integer(a), Self::Float(b)) => Some(compare_mixed(*a, *b)),
            (Self::Float(a), Self::Integer(b)) => Some(compare_mixed(*b, *a).reverse()),
            (Self::Decimal(a), Self::Decimal(b)) => Some(a.compare(*b)),
            (Self::Decimal(a), Self::Integer(b)) => {
                Some(decimal(*b).map_or_else(|| 0.cmp(b), |b| a.compare(b)))
            }
            (Self::Integer(_), Self::Decimal(_)) => other.compare(self).map(Ordering::reverse),
            (Self::Text(a), Self::Text(b)) => Some(a.cmp(b)),
            (Self::Blob(a), Self::Blob(b)) => Some(a.cmp(b)),
            (Self::Timestamp(a), Self::Timestamp(b)) => Some(a.cmp(b)),
            (Self::Boolean(a), Self::Boolean(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }

    /// The value as a store gives it out; `text` holds what has to be spelled.
    pub fn borrow<'v>(&'v self, text: &'v mut String) -> ValueRef<'v> {
        match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Float(number) => ValueRef::Float(*number),
            Self::Decimal(number) => ValueRef::Decimal(*number),
            Self::Text(text) => ValueRef::Text(text),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
            Self::Timestamp(time) => {
                *text = time.to_string();
                ValueRef::Timestamp(text)
            }
            Self::Boolean(truth) => ValueRef::Boolean(*truth),
            Self::Json(json) => ValueRef::Json(json.as_str()),
        }
    }
}

/// Compares a whole number with a float, exactly.
fn compare_mixed(integer: i64, float: f64) -> Ordering {
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    if float >= BEYOND {
        return Ordering::Less;
    }
    if float < -BEYOND {
        return Ordering::Greater;
    }
    #[expect(clippy::cast_possible_truncation, reason = "its range was checked")]
    let whole = float as i64;
    integer.cmp(&whole).then_with(|| 0.0_f64.total_cmp(&(float.fract() + 0.0)))
}

fn is_whole(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// A number with a point or an exponent, where it is whole all the same.
fn whole(text: &str, wanted: FieldType) -> Result<Value, ValueError> {
    let whole = text.parse::<Decimal>()?.with_scale(0);
    let whole = whole.map(|number| Value::Integer(number.mantissa()));
    whole.ok_or_else(|| ValueError::OtherType { found: text.into(), wanted })
}

/// The start of a text, as a JSON string.
fn excerpt(text: &str) -> String {
    const SHOWN: usize = 40;
    let mut shown = Vec::new();
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => wire::write_string(&mut shown, &format!("{}…", &text[..end])),
        None => wire::write_string(&mut shown, text),
    }
    String::from_utf8_lossy(&shown).into_owned()
}

impl ValueRef<'_> {
    /// The value by itself.
    ///
    /// # Errors
    ///
    /// Where a time or JSON is none: it was not ream that stored it.
    pub fn to_value(self) -> Result<Value, ValueError> {
        Ok(match self {
            Self::Null => Value::Null,
            Self::Integer(number) => Value::Integer(number),
            Self::Float(number) => Value::Float(number),
            Self::Decimal(number) => Value::Decimal(number),
            Self::Text(text) => Value::Text(text.into()),
            Self::Blob(bytes) => Value::Blob(bytes.into()),
            Self::Timestamp(text) => Value::Timestamp(text.parse()?),
            Self::Boolean(truth) => Value::Boolean(truth),
            Self::Json(text) => Value::Json(Json::stored(text)),
        })
    }

    /// Writes the value as JSON.
    pub fn write(self, line: &mut Vec<u8>) {
        match self {
            Self::Null => line.extend_from_slice(b"null"),
            Self::Integer(number) => wire::write_integer(line, number),
            Self::Float(number) => wire::write_float(line, number),
            // A number in JSON may have as many digits as it needs.
            Self::Decimal(number) => number.write(line),
            Self::Json(text) => line.extend_from_slice(text.as_bytes()),
            Self::Text(text) => wire::write_string(line, text),
            Self::Blob(bytes) => wire::write_string(line, &wire::encode_base64(bytes)),
            Self::Timestamp(text) => {
                line.push(b'"');
                line.extend_from_slice(text.as_bytes());
                line.push(b'"');
            }
            Self::Boolean(true) => line.extend_from_slice(b"true"),
            Self::Boolean(false) => line.extend_from_slice(b"false"),
        }
    }

    /// Writes the value as a field of a CSV record (RFC 4180). Null is nothing, and an empty text is in quotes.
    pub fn write_csv(self, buffer: &mut Vec<u8>) {
        let base64;
        let text = match self {
            Self::Null => return,
            Self::Text(text) | Self::Json(text) => text,
            Self::Timestamp(text) => return buffer.extend_from_slice(text.as_bytes()),
            Self::Blob(bytes) => {
                base64 = wire::encode_base64(bytes);
                &base64
            }
            value => return value.write(buffer),
        };
        let plain = !text.is_empty()
            && !text.bytes().any(|byte| matches!(byte, b'"' | b',' | b'\n' | b'\r'))
            && !text.starts_with(' ')
            && !text.ends_with(' ');
        if plain {
            buffer.extend_from_slice(text.as_bytes());
        } else {
            buffer.push(b'"');
            buffer.extend_from_slice(text.replace('"', "\"\"").as_bytes());
            buffer.push(b'"');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_and_floats_compare_exactly() {
        for (integer, float, order) in [
            (1, 1.0, Ordering::Equal),
            (1, 1.5, Ordering::Less),
            (-1, -1.5, Ordering::Greater),
            (0, -0.25, Ordering::Greater),
            (0, -0.0, Ordering::Equal),
            (9_007_199_254_740_993, 9_007_199_254_740_992.0, Ordering::Greater),
            (i64::MAX, 9_223_372_036_854_775_808.0, Ordering::Less),
            (i64::MIN, -9_223_372_036_854_775_808.0, Ordering::Equal),
            (i64::MIN, -1e300, Ordering::Greater),
        ] {
            assert_eq!(compare_mixed(integer, float), order, "{integer} {float}");
        }
    }

    #[test]
    fn digits_are_kept_or_refused() {
        let integer = |text: &str| Value::number(text, FieldType::Integer);
        assert_eq!(integer("9223372036854775807"), Ok(Value::Integer(i64::MAX)));
        assert_eq!(integer("1e3"), Ok(Value::Integer(1000)));
        assert_eq!(integer("5.0"), Ok(Value::Integer(5)));
        let told = |text: &str| integer(text).unwrap_err().to_string();
        assert_eq!(told("9223372036854775808"), "9223372036854775808 is beyond 64 bits");
        assert_eq!(told("1.5"), "1.5 is no integer");
        let price = FieldType::Decimal { precision: 18, scale: 2 };
        let decimal = |text: &str| {
            Value::number(text, price).map(|value| {
                let mut spelled = Vec::new();
                value.borrow(&mut String::new()).write(&mut spelled);
                String::from_utf8(spelled).unwrap()
            })
        };
        assert_eq!(decimal("1234567890123456.78").unwrap(), "1234567890123456.78");
        assert_eq!(decimal("-0").unwrap(), "0.00");
        assert!(decimal("0.005").is_err());
        let float = |text: &str| Value::number(text, FieldType::Float);
        assert_eq!(float("-0.0"), Ok(Value::Float(0.0)));
        assert_eq!(float("1e999").unwrap_err().to_string(), "1e999 is too large for a float");
    }

    #[test]
    fn a_csv_field_is_in_quotes_where_it_has_to_be() {
        for (value, written) in [
            (ValueRef::Null, ""),
            (ValueRef::Text(""), "\"\""),
            (ValueRef::Text("plain"), "plain"),
            (ValueRef::Text("a,b"), "\"a,b\""),
            (ValueRef::Text("say \"so\""), "\"say \"\"so\"\"\""),
            (ValueRef::Text("two\nlines"), "\"two\nlines\""),
            (ValueRef::Text(" x"), "\" x\""),
            (ValueRef::Json(r#"{"a":1}"#), "\"{\"\"a\"\":1}\""),
            (ValueRef::Decimal("-1.50".parse().unwrap()), "-1.50"),
            (ValueRef::Blob(b"\x00\x01"), "AAE="),
            (ValueRef::Boolean(true), "true"),
        ] {
            let mut buffer = Vec::new();
            value.write_csv(&mut buffer);
            assert_eq!(String::from_utf8(buffer).unwrap(), written, "{value:?}");
        }
    }
}
