//! Schemas, and rows with values at the ends of what their types hold.

use std::convert::Infallible;
use std::fmt::Write as _;

use ream::{Decimal, FieldType, Json, Row, RowWriter, Schema, SchemaBuilder, Timestamp, Value};

use super::choices::Choices;

/// Types that a key's first field has, those that few values are enough for, and one without order.
const TYPES: [&str; 25] = [
    "integer",
    "integer",
    "text",
    "decimal:12:2",
    "decimal:18:9",
    "timestamp",
    "blob",
    "float",
    "decimal:18:0",
    "decimal:18:18",
    "decimal:5:2",
    "text:8",
    "integer",
    "decimal:18:2",
    "float",
    "text",
    "decimal:9:0",
    "decimal:4:1",
    "float",
    "blob:4",
    "boolean",
    "boolean",
    "decimal:1:1",
    "decimal:1:0",
    "json",
];
const FIRST_OF_A_KEY: usize = 12;
/// Where those begin of which a key has one at most.
const FEW_VALUES: usize = 20;

const INTEGERS: [i64; 12] = [0, 1, -1, 2, 3, -3, 5, 7, 10, 42, 100, 1000];
const WILD_INTEGERS: [i64; 14] = [
    i64::MAX,
    i64::MIN,
    i64::MAX - 1,
    i64::MIN + 1,
    9_007_199_254_740_993,
    9_007_199_254_740_992,
    -9_007_199_254_740_993,
    1_000_000_000_000_000_000,
    999_999_999_999_999_999,
    -1_000_000_000_000_000_000,
    -999_999_999_999_999_999,
    3_037_000_500,
    4_294_967_296,
    922_337_203_685_477_580,
];
const FLOATS: [f64; 14] =
    [0.0, 1.0, -0.5, 0.1, 0.2, 0.3, 0.1 + 0.2, 1.5, 2.0, 3.0, -3.0, 100.0, 1e-7, 42.0];
const WILD_FLOATS: [f64; 12] = [
    1e308,
    -1e308,
    f64::MAX,
    f64::MIN_POSITIVE,
    5e-324,
    9_007_199_254_740_992.0,
    9_007_199_254_740_994.0,
    -9_007_199_254_740_992.0,
    9_223_372_036_854_775_808.0,
    -9_223_372_036_854_775_808.0,
    9_223_372_036_854_774_784.0,
    1e18,
];
const TEXTS: [&str; 28] = [
    "London", "", "a", "Lon", "don", "A", "b", "Z", "é", "e\u{301}", "it's", "\"so\"", "'", "日本",
    "日", "🦀", "\u{ffff}", "a%", "a_", "a\\", "1", "1.0", "-5", "true", "NULL", " a", "a\nb",
    "?1; --",
];
const BLOBS: [&[u8]; 8] = [b"abc", b"", b"\0", b"\0\0", b"\xff", b"\xff\0", b"a", b"\xc3\xa9"];
const TIMES: [i64; 9] = [0, 1, -1, 2, 999_999, 1_000_000, 60_000_000, 3_600_000_000, -999];
const WILD_TIMES: [&str; 8] = [
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00.000001Z",
    "9999-12-31T23:59:59.999999Z",
    "9999-12-31T23:59:59.999998Z",
    "1970-01-01T00:00:00Z",
    "1969-12-31T23:59:59.999999Z",
    "0999-12-31T23:59:59Z",
    "1000-01-01T00:00:00Z",
];
const JSON: [&str; 6] = ["{\"a\": 1}", "[]", "\"x\"", "1", "false", "\"null\""];

/// A field, and what its rows' values are like.
#[derive(Clone)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: FieldType,
    nullable: bool,
    /// Whether the values lie at the ends of what the type holds.
    wild: bool,
}

/// A schema and rows of it.
pub(super) struct Table {
    pub(super) columns: Vec<Column>,
    /// The fields and lists as a person would give them.
    told: String,
    pub(super) schema: Schema,
    pub(super) rows: Vec<Row>,
}

impl Table {
    pub(super) fn new(choices: &mut Choices<'_>, rows: &[Vec<u16>]) -> Self {
        let count = 3 + choices.below(6);
        let keys = if choices.once_in(3) { 2 + choices.below(2) } else { 1 };
        let mut columns: Vec<Column> = Vec::new();
        for at in 0..count {
            let types = match at {
                0 => &TYPES[..FIRST_OF_A_KEY],
                _ if at < keys => &TYPES[..FEW_VALUES],
                _ => &TYPES,
            };
            let kind: FieldType = choices.of(types).parse().unwrap();
            let nullable = at >= keys && choices.below(5) > 1;
            let wild = choices.below(5) > 2;
            columns.push(Column { name: format!("{}{at}", kind.name()), kind, nullable, wild });
        }
        let (schema, told) = schema(choices, &columns, keys);
        let mut made: Vec<Row> = Vec::new();
        for numbers in rows {
            let mut choices = Choices::new(numbers);
            let values = columns.iter().map(|column| column.value(&mut choices)).collect();
            let row = Row::new(values, &schema).unwrap();
            let lists =
                std::iter::once(schema.key()).chain(schema.unique().iter().map(Vec::as_slice));
            // Rows that would take each other's place are for other tests.
            let mut clashes = lists.map(|list| made.iter().any(|other| same(list, &row, other)));
            if !clashes.any(|clash| clash) {
                made.push(row);
            }
        }
        Self { columns, told, schema, rows: made }
    }

    /// The schema and the rows, for the eye.
    pub(super) fn describe(&self) -> String {
        let mut text = format!("schema: {}\n", self.told);
        let names: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
        let writer = RowWriter::new(&names);
        for (number, row) in self.rows.iter().enumerate() {
            let mut spelled = vec![String::new(); names.len()];
            let values = row.values().iter().zip(&mut spelled);
            let values: Vec<_> = values.map(|(value, text)| value.borrow(text)).collect();
            let mut line = Vec::new();
            writer.write(&mut line, |place| Ok::<_, Infallible>(values[place])).unwrap();
            writeln!(text, "row {number}: {}", String::from_utf8(line).unwrap()).unwrap();
        }
        text
    }
}

/// Whether two rows have the same values in some fields, and no null.
fn same(list: &[usize], row: &Row, other: &Row) -> bool {
    let mut pairs = list.iter().map(|at| (&row.values()[*at], &other.values()[*at]));
    pairs.all(|(a, b)| a == b && *a != Value::Null)
}

/// The schema of `columns`, of which the first ones are the key, and a word or two that index them.
fn schema(choices: &mut Choices<'_>, columns: &[Column], keys: usize) -> (Schema, String) {
    let mut builder = SchemaBuilder::default();
    let mut told = Vec::new();
    for (at, column) in columns.iter().enumerate() {
        let mut field = format!("{}:{}", column.name, column.kind);
        if column.nullable {
            field.push_str(":null");
        }
        if column.kind != FieldType::Json {
            let unique = at >= keys && column.has_many_values();
            match choices.below(12) {
                9 if unique => field.push_str(":unique"),
                0..9 => {}
                _ => field.push_str(":index"),
            }
        }
        builder.field(&field).unwrap();
        told.push(field);
    }
    let name = |at: usize| columns[at].name.as_str();
    let key: Vec<&str> = (0..keys).map(name).collect();
    builder.key(&key).unwrap();
    told.push(format!("--key {}", key.join(",")));
    let ordered: Vec<usize> =
        (0..columns.len()).filter(|at| columns[*at].kind != FieldType::Json).collect();
    let (first, second) = (choices.of(&ordered), choices.of(&ordered));
    if first != second && choices.once_in(2) {
        builder.index(&[name(first), name(second)]);
        told.push(format!("--index {},{}", name(first), name(second)));
    }
    (builder.build().unwrap(), told.join(" "))
}

impl Column {
    fn has_many_values(&self) -> bool {
        !matches!(self.kind, FieldType::Boolean | FieldType::Decimal { precision: 1, .. })
    }

    /// A value for a row.
    pub(super) fn value(&self, choices: &mut Choices<'_>) -> Value {
        if self.nullable && choices.below(4) == 3 {
            return Value::Null;
        }
        let wild = self.wild && choices.below(2) == 1;
        match self.kind {
            FieldType::Integer => Value::Integer(match choices.below(3) {
                0 => i64::try_from(choices.below(30)).unwrap() - 10,
                1 if wild => choices.wide(),
                _ if wild => choices.of(&WILD_INTEGERS),
                _ => choices.of(&INTEGERS),
            }),
            FieldType::Float => Value::Float(match choices.below(3) {
                #[expect(clippy::cast_precision_loss, reason = "a small number")]
                0 => choices.below(64) as f64 / 8.0 - 3.0,
                _ => choices.of(if wild { &WILD_FLOATS } else { &FLOATS }),
            }),
            FieldType::Decimal { precision, scale } => {
                Value::Decimal(decimal(choices, precision, scale, wild))
            }
            FieldType::Text { max } => {
                let text = choices.of(&TEXTS);
                let more = if wild { choices.of(&TEXTS) } else { "" };
                let fits = max.map_or(usize::MAX, |max| max as usize);
                Value::Text(text.chars().chain(more.chars()).take(fits).collect())
            }
            FieldType::Blob { .. } => Value::Blob(choices.of(&BLOBS).into()),
            FieldType::Timestamp => Value::Timestamp(if wild {
                choices.of(&WILD_TIMES).parse().unwrap()
            } else {
                Timestamp::from_micros(1_795_409_353_000_000 + choices.of(&TIMES)).unwrap()
            }),
            FieldType::Boolean => Value::Boolean(choices.below(2) == 1),
            _ => Value::Json(Json::parse(choices.of(&JSON)).unwrap()),
        }
    }
}

fn decimal(choices: &mut Choices<'_>, precision: u8, scale: u8, wild: bool) -> Decimal {
    let limit = 10_i64.pow(precision.into());
    let unit = 10_i64.pow(scale.into());
    let mantissa = match choices.below(4) {
        0 => choices.of(&INTEGERS).saturating_mul(unit),
        1 => choices.of(&INTEGERS),
        2 if wild => choices.wide(),
        _ if wild => choices.of(&[limit - 1, 1 - limit, limit - 2, limit / 2, -limit / 2]),
        2 => choices.of(&INTEGERS).saturating_mul(unit / 2),
        _ => choices.of(&INTEGERS).saturating_mul(unit).saturating_add(choices.of(&INTEGERS)),
    };
    Decimal::new(mantissa % limit, scale).unwrap()
}
