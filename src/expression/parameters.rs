//! Values that are bound to `:names`.

use std::collections::BTreeMap;

/// What a `:name` in an expression stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Parameter {
    /// A text whose type is that of what it meets: from a command line.
    Untyped(String),
    /// A text; where it meets an integer or a decimal, the number that it spells.
    Text(String),
    /// A number, as it is spelled in JSON.
    Number(String),
    /// True or false.
    Boolean(bool),
    /// Null.
    Null,
}

/// The values of an expression's parameters, by name.
///
/// They are bound, and never become a part of an expression's text.
///
/// ```
/// use ream::{Parameter, Parameters};
///
/// let mut parameters = Parameters::default();
/// parameters.insert("city", Parameter::Text("London".into()));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parameters(BTreeMap<String, Parameter>);

impl Parameters {
    /// Gives the parameter `name` a value, in the place of an earlier one.
    pub fn insert(&mut self, name: impl Into<String>, value: Parameter) {
        self.0.insert(name.into(), value);
    }

    /// The value of the parameter `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Parameter> {
        self.0.get(name)
    }

    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}
