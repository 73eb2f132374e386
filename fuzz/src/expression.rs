//! What has to hold for any text that is given as an expression.

use ream::{
    Assignments, Condition, Definition, ExpressionError, Options, Parameter, Parameters,
    Projection, ProjectionEntry, Row, Schema, Selection, Store,
};
use tempfile::TempDir;

/// A field of each type.
const FIELDS: [&str; 12] = [
    "id:integer:key",
    "count:integer:null:index",
    "score:float:null:index",
    "salary:decimal:12:2:index",
    "rate:decimal:18:18:null",
    "whole:decimal:18:0:null",
    "city:text:null:index",
    "name:text:40",
    "photo:blob:null",
    "born:timestamp:null:index",
    "active:boolean",
    "extra:json:null",
];

const ROWS: [&str; 3] = [
    r#"{"id":1,"count":7,"score":0.5,"salary":1200.50,"rate":0.1,"whole":3,"city":"London","name":"Ann","photo":"AAEC","born":"2026-11-23T04:49:13Z","active":true,"extra":{"a":[1]}}"#,
    r#"{"id":-9223372036854775808,"salary":-9999999999.99,"name":"","active":false}"#,
    r#"{"id":9223372036854775807,"count":0,"score":0,"salary":0,"rate":0,"whole":999999999999999999,"city":"it's","name":"é🦀","photo":"","born":"0001-01-01T00:00:00Z","active":true}"#,
];

/// The fields as a schema.
pub fn schema() -> Schema {
    Schema::of(&FIELDS).expect("the fields are a schema")
}

/// A parameter of each kind.
fn parameters() -> Parameters {
    let mut parameters = Parameters::default();
    parameters.insert("untyped", Parameter::Untyped("5".into()));
    parameters.insert("text", Parameter::Text("London".into()));
    parameters.insert("number", Parameter::Number("-1.50".into()));
    parameters.insert("truth", Parameter::Boolean(true));
    parameters.insert("null", Parameter::Null);
    parameters
}

/// A schema, and rows of it.
pub struct Table {
    schema: Schema,
    rows: Vec<Row>,
    parameters: Parameters,
}

impl Table {
    /// The one that there is.
    pub fn new() -> Self {
        let schema = schema();
        let rows = ROWS.map(|row| Row::parse(row.as_bytes(), &schema).expect("this is a row"));
        Self { rows: rows.into(), schema, parameters: parameters() }
    }

    /// That a text is a condition, or assignments, which are told of rows; or that it can be shown
    /// where it is none. Whether it is one.
    pub fn parse(&self, text: &str) -> bool {
        let condition = Condition::new(text, &self.schema, &self.parameters);
        match &condition {
            Ok(condition) => self.rows.iter().for_each(|row| drop(condition.keeps(row))),
            Err(error) => check_place(text, error),
        }
        let assignments = Assignments::new(text, &self.schema, &self.parameters);
        match &assignments {
            Ok(assignments) => self.rows.iter().for_each(|row| {
                // What can be set can stand in a row.
                if let Ok(row) = assignments.apply(row) {
                    let made = Row::new(row.values().to_vec(), &self.schema);
                    assert_eq!(made.expect("the values fit"), row);
                }
            }),
            Err(error) => check_place(text, error),
        }
        condition.is_ok() || assignments.is_ok()
    }
}

impl Default for Table {
    fn default() -> Self {
        Self::new()
    }
}

/// That an error can be shown: its place is a part of the text, with a line of it above the carets.
fn check_place(text: &str, error: &ExpressionError) {
    let (start, end) = (error.span().start, error.span().end);
    assert!(text.get(start..end).is_some(), "{start} to {end}: {error}");
    let excerpt = error.excerpt();
    let carets = excerpt.lines().last().unwrap_or_default();
    assert!(carets.contains('^') && carets.trim_matches([' ', '^']).is_empty(), "{excerpt}");
    assert!(!error.to_string().is_empty() && error.hint() != Some(""));
}

/// A projection without rows, in a store of its own.
pub struct Stored {
    parameters: Parameters,
    projection: Projection,
    /// Where the store is.
    _place: TempDir,
}

impl Stored {
    /// A new one.
    pub fn new() -> Self {
        let place = tempfile::tempdir().expect("there is room for a store");
        let made = Store::init(&place.path().join("store"), &Options::default());
        let (mut store, _) = made.expect("a store is made");
        let name = "people".parse().expect("this is a name");
        let entry = ProjectionEntry::new(name, Definition::new(schema()));
        store.create_projection(&entry).expect("a projection is made");
        let projection = store.projection("people").expect("it is there");
        Self { parameters: parameters(), projection, _place: place }
    }

    /// That a condition which passes the check is one that the store can be asked; whether it is one.
    pub fn check_and_lower(&self, text: &str) -> bool {
        let schema = self.projection.schema();
        let Ok(condition) = Condition::new(text, schema, &self.parameters) else { return false };
        let mut selection = Selection::all(schema);
        selection.condition = Some(condition);
        let explained = self.projection.explain(&selection).expect("it can be asked");
        assert!(explained.statement.contains(" WHERE "), "{}", explained.statement);
        true
    }
}

impl Default for Stored {
    fn default() -> Self {
        Self::new()
    }
}
