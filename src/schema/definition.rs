//! What a projection is made of: its schema, what it is made from, and by which program.

use std::borrow::Cow;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::{Field, FieldType, FieldTypeError, Identifier, IdentifierError, Schema, SchemaError};
use crate::event::{JsonError, NameError, Pattern};

/// What a projection is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// What its rows look like.
    pub schema: Schema,
    /// Which streams it is made from; none where that is not remembered.
    pub from: Vec<Pattern>,
    /// The program that makes it, and its arguments; none where that is not remembered.
    pub program: Vec<String>,
    /// The directory that the program is run in, from the one on that the store's directory lies in.
    pub directory: Option<String>,
    /// For how many events at most the program is run once; nothing where it goes on.
    pub batch: Option<usize>,
    /// Whether the exit with 0 of a program that is run so acks its events, whatever it has read of them.
    pub per_event: bool,
}

/// Why a text is no [`Definition`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DefinitionError {
    /// It is no JSON, or has other keys.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// What it says is no schema.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// A pattern is none.
    #[error(transparent)]
    Pattern(#[from] NameError),
}

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldError {
    /// Its name is none.
    #[error(transparent)]
    Name(#[from] IdentifierError),
    /// It has no type.
    #[error("a type is missing: NAME:TYPE, such as `{name}:text`")]
    NoType {
        /// Its name.
        name: String,
    },
    /// Its type is none.
    #[error(transparent)]
    Type(#[from] FieldTypeError),
    /// What stands behind the type is no word that may.
    #[error("`{word}` is none of null, key, unique, index")]
    Word {
        /// The word.
        word: String,
    },
}

/// Makes a [`Schema`] of fields and lists of their names.
#[derive(Debug, Clone, Default)]
pub struct SchemaBuilder {
    fields: Vec<Field>,
    /// The fields that are marked as the key.
    marked: Vec<String>,
    key: Option<Vec<String>>,
    unique: Vec<Vec<String>>,
    index: Vec<Vec<String>>,
}

impl SchemaBuilder {
    /// Adds a field, given as `NAME:TYPE[:ARGUMENTS]`, and behind it any of `null`, `key`, `unique`,
    /// `index`.
    ///
    /// # Errors
    ///
    /// [`SchemaError::Field`].
    pub fn field(&mut self, text: &str) -> Result<(), SchemaError> {
        let number = self.fields.len() + 1;
        self.try_field(text).map_err(|error| SchemaError::Field {
            number,
            text: text.into(),
            error,
        })
    }

    fn try_field(&mut self, text: &str) -> Result<(), FieldError> {
        let mut words = text.split(':');
        let name = Identifier::new(words.next().unwrap_or_default())?;
        let words: Vec<&str> = words.collect();
        if words.first().is_none_or(|word| word.is_empty()) {
            return Err(FieldError::NoType { name: name.to_string() });
        }
        let mut rest = &words[..];
        let field_type = FieldType::take(&mut rest)?;
        let mut nullable = false;
        for word in rest {
            let list = || vec![name.to_string()];
            match *word {
                "null" => nullable = true,
                "key" => self.marked.extend(list()),
                "unique" => self.unique.push(list()),
                "index" => self.index.push(list()),
                _ => return Err(FieldError::Word { word: (*word).into() }),
            }
        }
        self.fields.push(Field { name, field_type, nullable });
        Ok(())
    }

    /// Makes the fields of these names the key.
    ///
    /// # Errors
    ///
    /// [`SchemaError::TwoKeys`] where that was done before.
    pub fn key(&mut self, names: &[&str]) -> Result<(), SchemaError> {
        match self.key.replace(owned(names)) {
            None => Ok(()),
            Some(_) => Err(SchemaError::TwoKeys),
        }
    }

    /// Has no two rows have the same values in the fields of these names.
    pub fn unique(&mut self, names: &[&str]) {
        self.unique.push(owned(names));
    }

    /// Has rows be found by the fields of these names.
    pub fn index(&mut self, names: &[&str]) {
        self.index.push(owned(names));
    }

    /// The schema.
    ///
    /// # Errors
    ///
    /// [`SchemaError`].
    pub fn build(self) -> Result<Schema, SchemaError> {
        let Self { fields, marked, key, unique, index } = self;
        let key = match key {
            Some(_) if !marked.is_empty() => return Err(SchemaError::TwoKeys),
            Some(key) => Some(positions("the key", &fields, &key)?),
            None if marked.is_empty() => None,
            None => Some(positions("the key", &fields, &marked)?),
        };
        let lists = |what: &'static str, lists: &[Vec<String>]| {
            lists.iter().map(|list| positions(what, &fields, list)).collect::<Result<Vec<_>, _>>()
        };
        let (unique, index) = (lists("a unique", &unique)?, lists("an index", &index)?);
        Schema::new(fields, key.unwrap_or_default(), unique, index)
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    match names {
        // What is left of a list of nothing.
        [name] if name.trim().is_empty() => Vec::new(),
        names => names.iter().map(|name| name.trim().to_owned()).collect(),
    }
}

/// The numbers of the fields that a list names.
fn positions(
    list: &'static str,
    fields: &[Field],
    names: &[String],
) -> Result<Vec<usize>, SchemaError> {
    let mut positions = Vec::new();
    for name in names {
        let Some(at) = fields.iter().position(|field| field.name.as_str() == name) else {
            let known: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
            let near = crate::near::nearest(name, &known).map(str::to_owned);
            return Err(SchemaError::UnknownField { list, name: name.clone(), near });
        };
        if positions.contains(&at) {
            return Err(SchemaError::Repeated { list, name: Some(name.clone()) });
        }
        positions.push(at);
    }
    if positions.is_empty() {
        return Err(SchemaError::Repeated { list, name: None });
    }
    Ok(positions)
}

/// A definition as JSON, with its keys in this order.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DefinitionJson<'d> {
    #[serde(borrow)]
    fields: Vec<FieldJson<'d>>,
    #[serde(borrow)]
    key: Vec<Cow<'d, str>>,
    #[serde(borrow, default)]
    unique: Vec<Vec<Cow<'d, str>>>,
    #[serde(borrow, default)]
    index: Vec<Vec<Cow<'d, str>>>,
    #[serde(borrow, default)]
    from: Vec<Cow<'d, str>>,
    #[serde(borrow, default)]
    program: Vec<Cow<'d, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    directory: Option<Cow<'d, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    batch: Option<usize>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    per_event: bool,
    // What else is told of a projection is no part of it, and passed over.
    #[serde(skip_serializing, default, rename = "projection")]
    _projection: IgnoredAny,
    #[serde(skip_serializing, default, rename = "generation")]
    _generation: IgnoredAny,
    #[serde(skip_serializing, default, rename = "rows")]
    _rows: IgnoredAny,
    #[serde(skip_serializing, default, rename = "bytes")]
    _bytes: IgnoredAny,
    #[serde(skip_serializing, default, rename = "checkpoint")]
    _checkpoint: IgnoredAny,
    #[serde(skip_serializing, default, rename = "head")]
    _head: IgnoredAny,
    #[serde(skip_serializing, default, rename = "lag")]
    _lag: IgnoredAny,
    #[serde(skip_serializing, default, rename = "mismatch")]
    _mismatch: IgnoredAny,
    #[serde(skip_serializing, default, rename = "command")]
    _command: IgnoredAny,
    #[serde(skip_serializing, default, rename = "runs_in")]
    _runs_in: IgnoredAny,
    #[serde(skip_serializing, default, rename = "allowed")]
    _allowed: IgnoredAny,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldJson<'d> {
    #[serde(borrow)]
    name: Cow<'d, str>,
    #[serde(borrow, rename = "type")]
    field_type: Cow<'d, str>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    null: bool,
}

impl Definition {
    /// The definition of a projection that is fed by hand.
    #[must_use]
    pub fn new(schema: Schema) -> Self {
        Self {
            schema,
            from: Vec::new(),
            program: Vec::new(),
            directory: None,
            batch: None,
            per_event: false,
        }
    }

    /// Reads a definition as [`Definition::to_json`] spells it. What `ream project show` tells besides
    /// is passed over.
    ///
    /// # Errors
    ///
    /// [`DefinitionError`].
    pub fn parse(text: &str) -> Result<Self, DefinitionError> {
        let lead = text.len() - text.trim_start().len();
        if !text[lead..].starts_with('{') {
            return Err(JsonError::at(text.as_bytes(), lead, "this is not a JSON object").into());
        }
        let json: DefinitionJson<'_> = serde_json::from_str(text).map_err(JsonError::from)?;
        let mut builder = SchemaBuilder::default();
        for (before, field) in json.fields.iter().enumerate() {
            let refuse = |error| {
                let text = format!("{}:{}", field.name, field.field_type);
                SchemaError::Field { number: before + 1, text, error }
            };
            let name = Identifier::new(&field.name).map_err(|error| refuse(error.into()))?;
            let field_type = field.field_type.parse::<FieldType>();
            let field_type = field_type.map_err(|error| refuse(error.into()))?;
            builder.fields.push(Field { name, field_type, nullable: field.null });
        }
        let names = |list: &[Cow<'_, str>]| list.iter().map(ToString::to_string).collect();
        builder.key = (!json.key.is_empty()).then(|| names(&json.key));
        builder.unique = json.unique.iter().map(|list| names(list)).collect();
        builder.index = json.index.iter().map(|list| names(list)).collect();
        let from =
            json.from.iter().map(|pattern| Pattern::new(&**pattern)).collect::<Result<_, _>>()?;
        Ok(Self {
            schema: builder.build()?,
            from,
            program: names(&json.program),
            directory: json.directory.map(Cow::into_owned),
            batch: json.batch,
            per_event: json.per_event,
        })
    }

    /// The definition as a JSON object.
    #[must_use]
    pub fn to_json(&self) -> String {
        let schema = &self.schema;
        let name = |field: &usize| Cow::Borrowed(schema.fields[*field].name.as_str());
        let names = |list: &Vec<usize>| list.iter().map(name).collect::<Vec<_>>();
        let field = |field: &'_ Field| FieldJson {
            name: Cow::Owned(field.name.to_string()),
            field_type: field.field_type.to_string().into(),
            null: field.nullable,
        };
        let json = DefinitionJson {
            fields: schema.fields.iter().map(field).collect(),
            key: names(&schema.key),
            unique: schema.unique.iter().map(names).collect(),
            index: schema.index.iter().map(names).collect(),
            from: self.from.iter().map(|pattern| Cow::Owned(pattern.to_string())).collect(),
            program: self.program.iter().map(|word| Cow::Borrowed(word.as_str())).collect(),
            directory: self.directory.as_deref().map(Cow::Borrowed),
            batch: self.batch,
            per_event: self.per_event,
            _projection: IgnoredAny,
            _generation: IgnoredAny,
            _rows: IgnoredAny,
            _bytes: IgnoredAny,
            _checkpoint: IgnoredAny,
            _head: IgnoredAny,
            _lag: IgnoredAny,
            _mismatch: IgnoredAny,
            _command: IgnoredAny,
            _runs_in: IgnoredAny,
            _allowed: IgnoredAny,
        };
        // Texts and lists of them are always JSON.
        serde_json::to_string(&json).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USERS: [&str; 7] = [
        "id:integer:key",
        "name:text",
        "email:text:unique",
        "position:text",
        "city:text:index",
        "salary:decimal:12:2",
        "nickname:text:null",
    ];

    #[test]
    fn a_definition_is_read_as_it_is_spelled() {
        let mut definition = Definition::new(Schema::of(&USERS).unwrap());
        definition.from = vec![Pattern::new("user-*").unwrap()];
        definition.program = vec!["./users.py".into(), "--all".into()];
        definition.directory = Some(".".into());
        (definition.batch, definition.per_event) = (Some(1), true);
        let json = definition.to_json();
        assert_eq!(
            json,
            r#"{"fields":[{"name":"id","type":"integer"},{"name":"name","type":"text"},{"name":"email","type":"text"},{"name":"position","type":"text"},{"name":"city","type":"text"},{"name":"salary","type":"decimal:12:2"},{"name":"nickname","type":"text","null":true}],"key":["id"],"unique":[["email"]],"index":[["city"]],"from":["user-*"],"program":["./users.py","--all"],"directory":".","batch":1,"per_event":true}"#
        );
        assert_eq!(Definition::parse(&json).unwrap(), definition);
        let shown = json.replacen('{', r#"{"projection":"users","rows":7,"lag":{"events":0},"#, 1);
        assert_eq!(Definition::parse(&shown).unwrap(), definition);
        let told = Definition::parse(&json.replacen("key", "kye", 1)).unwrap_err().to_string();
        assert!(told.starts_with("unknown field `kye`"), "{told}");
        let told = Definition::parse("\n []").unwrap_err().to_string();
        assert_eq!(told, "this is not a JSON object at line 2 column 2");
    }

    #[test]
    fn what_is_no_schema_is_told() {
        let told = |fields: &[&str]| Schema::of(fields).unwrap_err().to_string();
        assert_eq!(
            told(&["name:text"]),
            "a projection needs a key: mark a field with `:key`, or name several with --key a,b"
        );
        assert_eq!(told(&["id:integer:key:null"]), "`id` is in the key, and can't be null");
        assert_eq!(told(&["id"]), "field 1, `id`: a type is missing: NAME:TYPE, such as `id:text`");
        assert_eq!(
            told(&["id:integer:key", "a:text:uniq"]),
            "field 2, `a:text:uniq`: `uniq` is none of null, key, unique, index"
        );
        assert_eq!(
            told(&["id:integer:key", "Name:text", "name:text"]),
            "two fields are named `name`; upper and lower case make no difference"
        );
        assert_eq!(
            told(&["id:integer:key", "extra:json:index"]),
            "`extra` is json, which has no order: it can't be in an index"
        );
        let lists = |list: fn(&mut SchemaBuilder)| {
            let mut builder = SchemaBuilder::default();
            builder.field("id:integer:key").unwrap();
            builder.field("city:text").unwrap();
            list(&mut builder);
            builder.build().map_err(|error| error.to_string())
        };
        assert_eq!(
            lists(|builder| builder.index(&["cty"])).unwrap_err(),
            "an index names `cty`, which is no field"
        );
        assert_eq!(
            lists(|builder| builder.unique(&["city", "city"])).unwrap_err(),
            "a unique names `city` twice"
        );
        assert_eq!(lists(|builder| builder.index(&[])).unwrap_err(), "an index names no field");
        assert_eq!(
            lists(|builder| builder.key(&["city"]).unwrap()).unwrap_err(),
            "the key is given twice: fields with `:key`, and a list of fields"
        );
        let same = lists(|builder| {
            builder.index(&["id"]);
            builder.index(&["city", "id"]);
            builder.index(&["city", "id"]);
        });
        assert_eq!(same.unwrap().index(), [vec![1, 0]]);
    }
}
