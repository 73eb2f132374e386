//! The parameters of a request, behind the `?` of its address.

use std::fmt::Display;
use std::str::FromStr;

use super::address::{ACCESS_TOKEN, decoded};
use super::problem::Problem;
use crate::near::nearest;

/// The parameters of a request.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Reads what stands behind the `?`, which may name these parameters and those that begin with `family`.
    pub(super) fn read(
        query: Option<&str>,
        known: &[&str],
        family: Option<&str>,
    ) -> Result<Self, Problem> {
        let mut given = Vec::new();
        for part in query.unwrap_or_default().split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let name = text(name)?;
            let is_family = family.is_some_and(|family| name.starts_with(family));
            // It was looked at before, and is not to be quoted.
            if name == ACCESS_TOKEN {
                continue;
            }
            if !is_family && !known.contains(&&*name) {
                let title = format!("unknown parameter `{name}`");
                let problem = Problem::usage(title);
                return Err(match nearest(&name, known) {
                    Some(near) => problem.with_detail(format!("did you mean `{near}`?")),
                    None => problem.with_detail(format!("known here: {}", known.join(", "))),
                });
            }
            given.push((name, text(value)?));
        }
        Ok(Self(given))
    }

    /// All that were given.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// The values of a parameter that may be given several times.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.iter().filter(move |(given, _)| *given == name).map(|(_, value)| value)
    }

    /// The value of a parameter that may be given once.
    pub(super) fn one(&self, name: &str) -> Result<Option<&str>, Problem> {
        let mut values = self.all(name);
        let value = values.next();
        match values.next() {
            Some(_) => Err(Problem::usage(format!("the parameter `{name}` is given twice"))),
            None => Ok(value),
        }
    }

    /// The same, read by `read`.
    pub(super) fn one_by<T, E: Display>(
        &self,
        name: &str,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Result<Option<T>, Problem> {
        let value = self.one(name)?;
        value.map(|value| read(value).map_err(|error| wrong(name, value, error))).transpose()
    }

    /// The same, as it is parsed.
    pub(super) fn one_as<T: FromStr<Err: Display>>(
        &self,
        name: &str,
    ) -> Result<Option<T>, Problem> {
        self.one_by(name, T::from_str)
    }

    /// The same, which is a number.
    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, Problem> {
        let read = |value: &str| {
            let number = value.parse().ok().filter(|number| i64::try_from(*number).is_ok());
            number.ok_or_else(|| format!("no whole number from 0 to {}", i64::MAX))
        };
        self.one_by(name, read)
    }

    /// The values of a parameter that may be given several times, as they are parsed.
    pub(super) fn all_as<T: FromStr<Err: Display>>(&self, name: &str) -> Result<Vec<T>, Problem> {
        let values = self.all(name);
        let read = |value: &str| value.parse().map_err(|error| wrong(name, value, error));
        values.map(read).collect()
    }

    /// Whether a parameter says `true`.
    pub(super) fn is(&self, name: &str) -> Result<bool, Problem> {
        let read = |value: &str| match value {
            "true" | "" => Ok(true),
            "false" => Ok(false),
            _ => Err("neither true nor false"),
        };
        Ok(self.one_by(name, read)?.unwrap_or(false))
    }
}

fn wrong(name: &str, value: &str, error: impl Display) -> Problem {
    Problem::usage(format!("the parameter `{name}` can't be `{value}`: {error}"))
        .text("parameter", name)
}

/// The text that a name or a value stands for.
fn text(part: &str) -> Result<String, Problem> {
    let wrong = || Problem::usage(format!("`{part}` in the address is not percent-encoded UTF-8"));
    decoded(part, true).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_known_once_and_read() {
        let read =
            |query| Parameters::read(Some(query), &["stream", "limit", "live"], Some("with."));
        let given = read("stream=a&stream=b%26c&limit=7&&with.x=1&access_token=secret").unwrap();
        assert_eq!(given.all("stream").collect::<Vec<_>>(), ["a", "b&c"]);
        assert_eq!(given.one_as::<u64>("limit").unwrap(), Some(7));
        assert_eq!(given.one("with.x").unwrap(), Some("1"));
        assert_eq!(given.one("live").unwrap(), None);
        assert!(!given.is("live").unwrap() && read("live").unwrap().is("live").unwrap());
        assert_eq!(given.one("stream").unwrap_err().status, 400);
        assert!(!format!("{given:?}").contains("secret"));
        let told = |problem: Problem| {
            let mut body = Vec::new();
            problem.write(&mut body);
            String::from_utf8(body).unwrap()
        };
        assert!(told(read("steam=a").unwrap_err()).contains("did you mean `stream`?"));
        let wrong = read("limit=many").unwrap().one_as::<u64>("limit").unwrap_err();
        assert!(told(wrong).contains("the parameter `limit` can't be `many`: invalid digit"));
        assert_eq!(Parameters::read(None, &[], None).unwrap(), Parameters::default());
    }
}
