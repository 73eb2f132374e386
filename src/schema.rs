//! What a projection's rows look like: fields, keys and indexes, as data.
//!
//! Here is what a schema may be, what a value of a field is, and rows as JSON objects, in and out.
//! Nothing here knows how a table is stored.

mod decimal;
mod definition;
mod field;
mod name;
mod open;
mod row;
mod value;

pub use decimal::{Decimal, DecimalError, MAX_DIGITS};
pub use definition::{Definition, DefinitionError, FieldError, SchemaBuilder};
pub use field::{Field, FieldType, FieldTypeError};
pub(crate) use name::KEYWORDS;
#[cfg(test)]
pub(crate) use name::SQL;
pub use name::{Identifier, IdentifierError, MAX_IDENTIFIER};
pub use open::OpenDefinition;
pub use row::{FieldValues, Row, RowWriter};
pub use value::{Value, ValueError, ValueRef};

/// How many fields a projection has at most.
pub const MAX_FIELDS: usize = 1000;

/// The fields of a projection's rows, and how they are found.
///
/// ```
/// use ream::Schema;
///
/// let schema = Schema::of(&["id:integer:key", "email:text:unique", "city:text:40:index"])?;
/// assert_eq!(schema.fields()[2].field_type.to_string(), "text:40");
/// # Ok::<(), ream::SchemaError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    fields: Vec<Field>,
    key: Vec<usize>,
    unique: Vec<Vec<usize>>,
    index: Vec<Vec<usize>>,
}

/// Why fields and keys are no [`Schema`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// A field is none.
    #[error("field {number}, `{text}`: {error}")]
    Field {
        /// Which one, counted from 1.
        number: usize,
        /// How it was given.
        text: String,
        /// What is wrong.
        error: FieldError,
    },
    /// No field is a key.
    #[error("a projection needs a key: mark a field with `:key`, or name several with --key a,b")]
    NoKey,
    /// A key is given in two ways.
    #[error("the key is given twice: fields with `:key`, and a list of fields")]
    TwoKeys,
    /// There are more fields than a projection has.
    #[error("there are {fields} fields; {MAX_FIELDS} are allowed")]
    TooManyFields {
        /// How many there are.
        fields: usize,
    },
    /// Two fields have one name.
    #[error("two fields are named `{name}`; upper and lower case make no difference")]
    SameName {
        /// The name.
        name: String,
    },
    /// A key, a unique or an index names a field that is none.
    #[error("{list} names `{name}`, which is no field")]
    UnknownField {
        /// What the list is: a key, a unique, an index.
        list: &'static str,
        /// The name.
        name: String,
        /// A field with a name like it.
        near: Option<String>,
    },
    /// A key, a unique or an index names a field twice, or none.
    #[error("{list} names {}", match name { Some(name) => format!("`{name}` twice"), None => "no field".into() })]
    Repeated {
        /// What the list is.
        list: &'static str,
        /// The name.
        name: Option<String>,
    },
    /// A key holds a field that may be null.
    #[error("`{name}` is in the key, and can't be null")]
    NullableKey {
        /// The field.
        name: String,
    },
    /// A key, a unique or an index holds JSON.
    #[error("`{name}` is json, which has no order: it can't be in {list}")]
    JsonList {
        /// What the list is.
        list: &'static str,
        /// The field.
        name: String,
    },
}

impl Schema {
    /// The schema of fields as the command line gives them: `NAME:TYPE`, and behind it `null`, `key`,
    /// `unique` or `index`.
    ///
    /// # Errors
    ///
    /// [`SchemaError`].
    pub fn of(fields: &[&str]) -> Result<Self, SchemaError> {
        let mut builder = SchemaBuilder::default();
        for field in fields {
            builder.field(field)?;
        }
        builder.build()
    }

    /// A schema of lists of fields, each by its number.
    fn new(
        fields: Vec<Field>,
        key: Vec<usize>,
        unique: Vec<Vec<usize>>,
        index: Vec<Vec<usize>>,
    ) -> Result<Self, SchemaError> {
        if fields.len() > MAX_FIELDS {
            return Err(SchemaError::TooManyFields { fields: fields.len() });
        }
        check_names(&fields)?;
        if key.is_empty() {
            return Err(SchemaError::NoKey);
        }
        if let Some(field) = key.iter().map(|field| &fields[*field]).find(|field| field.nullable) {
            return Err(SchemaError::NullableKey { name: field.name.to_string() });
        }
        let lists = [("the key", &key)].into_iter();
        let lists = lists.chain(unique.iter().map(|list| ("a unique", list)));
        for (what, list) in lists.chain(index.iter().map(|list| ("an index", list))) {
            let mut fields = list.iter().map(|field| &fields[*field]);
            if let Some(field) = fields.find(|field| field.field_type == FieldType::Json) {
                return Err(SchemaError::JsonList { list: what, name: field.name.to_string() });
            }
        }
        // What is named twice is made once.
        let mut schema = Self { fields, key, unique: Vec::new(), index: Vec::new() };
        for list in unique {
            if list != schema.key && !schema.unique.contains(&list) {
                schema.unique.push(list);
            }
        }
        for list in index {
            let known = [&schema.unique, &schema.index].iter().any(|lists| lists.contains(&list));
            if list != schema.key && !known {
                schema.index.push(list);
            }
        }
        Ok(schema)
    }

    /// The fields, in their order.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The numbers of the key's fields.
    #[must_use]
    pub fn key(&self) -> &[usize] {
        &self.key
    }

    /// The lists of fields of which no two rows have the same values, by number; the key is another.
    #[must_use]
    pub fn unique(&self) -> &[Vec<usize>] {
        &self.unique
    }

    /// The lists of fields that rows are found by, by number.
    #[must_use]
    pub fn index(&self) -> &[Vec<usize>] {
        &self.index
    }

    /// The number of the field `name`.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name.as_str() == name)
    }

    /// The field that has a name like `name`.
    #[must_use]
    pub fn near(&self, name: &str) -> Option<&str> {
        let names: Vec<&str> = self.fields.iter().map(|field| field.name.as_str()).collect();
        // Upper and lower case are the nearest of all.
        let same = names.iter().copied().find(|known| known.eq_ignore_ascii_case(name));
        same.or_else(|| crate::near::nearest(name, &names))
    }

    /// The names of some fields, for the eye: `a, b`.
    #[must_use]
    pub fn names(&self, fields: &[usize]) -> String {
        let names: Vec<&str> =
            fields.iter().map(|field| self.fields[*field].name.as_str()).collect();
        names.join(", ")
    }

    /// The values of a row's key, for the eye: `id 7`.
    #[must_use]
    pub fn describe_key(&self, row: &Row) -> String {
        self.describe(&self.key, row)
    }

    /// The values of some fields of a row, for the eye.
    #[must_use]
    pub fn describe(&self, fields: &[usize], row: &Row) -> String {
        let shown = fields.iter().map(|field| {
            let mut json = Vec::new();
            row.0[*field].borrow(&mut String::new()).write(&mut json);
            format!("{} {}", self.fields[*field].name, String::from_utf8_lossy(&json))
        });
        shown.collect::<Vec<_>>().join(", ")
    }
}

/// That no two fields have one name, however it is spelled.
fn check_names(fields: &[Field]) -> Result<(), SchemaError> {
    let lower: Vec<String> =
        fields.iter().map(|field| field.name.as_str().to_ascii_lowercase()).collect();
    let mut sorted: Vec<&String> = lower.iter().collect();
    sorted.sort_unstable();
    if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        let named = |field: &&Field| field.name.as_str().eq_ignore_ascii_case(pair[0]);
        let name = fields.iter().rfind(named).map(|field| field.name.to_string());
        return Err(SchemaError::SameName { name: name.unwrap_or_default() });
    }
    Ok(())
}
