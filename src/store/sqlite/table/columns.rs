//! A projection's table: its columns and indexes, values on their way in and out.
//!
//! A decimal is a whole number, times ten to its scale, in a column `NAME$`: that is what keys, indexes and
//! queries use. Beside it a generated column with the field's name holds the number itself, for who reads
//! the table with another program. A timestamp is a text of fixed width, whose
//! order is that of time. See `docs/projection-columns.md`.

use std::fmt::Write as _;

use rusqlite::types::{ToSqlOutput, ValueRef as Column};

use crate::schema::{Decimal, Field, FieldType, Identifier, Schema, Value, ValueRef};
use crate::store::Error;
use crate::store::sqlite::payload::may_be_json;

/// The table of what the projection has committed, and of the generation that is about to follow it,
/// where one is.
pub(super) const CHECKPOINT: &str = "\
CREATE TABLE ream_checkpoint (
    position INTEGER NOT NULL,
    link BLOB NOT NULL,
    next INTEGER
) STRICT;
";

/// A name between quotes. No name holds one.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

/// The column that holds a field's values. No field has a `$` in its name.
pub(super) fn column(field: &Field) -> String {
    match field.field_type {
        FieldType::Decimal { .. } => quoted(&format!("{}$", field.name)),
        _ => quoted(field.name.as_str()),
    }
}

/// The columns of some fields, with commas between them.
pub(super) fn list(schema: &Schema, fields: &[usize]) -> String {
    let columns: Vec<String> = fields.iter().map(|at| column(&schema.fields()[*at])).collect();
    columns.join(", ")
}

/// The statements that make the table `name` and its indexes.
pub(crate) fn statements(name: &Identifier, schema: &Schema) -> String {
    let mut sql = format!("CREATE TABLE {} (\n", quoted(name.as_str()));
    let rowid = is_rowid(schema);
    for (at, field) in schema.fields().iter().enumerate() {
        let column = column(field);
        let null = if field.nullable { "" } else { " NOT NULL" };
        let kind = match field.field_type {
            FieldType::Integer | FieldType::Boolean | FieldType::Decimal { .. } => "INTEGER",
            FieldType::Float => "REAL",
            FieldType::Blob { .. } => "BLOB",
            _ => "TEXT",
        };
        let key = if rowid && schema.key() == [at] { " PRIMARY KEY" } else { null };
        // Writing into a string does not fail.
        let _ = writeln!(sql, "    {column} {kind}{key},");
        if let FieldType::Decimal { scale, .. } = field.field_type {
            let shown = quoted(field.name.as_str());
            // To multiply by 0.01 would be wrong: there is no such float.
            let unit = 10_u64.pow(scale.into());
            let _ = writeln!(
                sql,
                "    {shown} REAL GENERATED ALWAYS AS (CAST({column} AS REAL) / {unit}) VIRTUAL,"
            );
        }
    }
    if rowid {
        sql.truncate(sql.len() - ",\n".len());
        sql.push_str("\n) STRICT;\n");
    } else {
        let _ = writeln!(sql, "    PRIMARY KEY ({})", list(schema, schema.key()));
        sql.push_str(") STRICT, WITHOUT ROWID;\n");
    }
    let lists = schema.unique().iter().map(|list| ("UNIQUE INDEX", list));
    for (kind, fields) in lists.chain(schema.index().iter().map(|list| ("INDEX", list))) {
        let index = format!("{name}({})", schema.names(fields).replace(' ', ""));
        let _ = writeln!(
            sql,
            "CREATE {kind} {} ON {} ({});",
            quoted(&index),
            quoted(name.as_str()),
            list(schema, fields)
        );
    }
    sql
}

/// Whether the key is the number that SQLite gives each row anyway.
fn is_rowid(schema: &Schema) -> bool {
    matches!(schema.key(), [key] if schema.fields()[*key].field_type == FieldType::Integer)
}

/// A value as its column holds it.
pub(super) fn to_column(value: &Value) -> ToSqlOutput<'_> {
    use rusqlite::types::Value as Owned;
    match value {
        Value::Null => ToSqlOutput::Borrowed(Column::Null),
        Value::Integer(number) => ToSqlOutput::Borrowed(Column::Integer(*number)),
        Value::Float(number) => ToSqlOutput::Borrowed(Column::Real(*number)),
        // In a row each has the scale of its field.
        Value::Decimal(number) => ToSqlOutput::Borrowed(Column::Integer(number.mantissa())),
        Value::Text(text) => ToSqlOutput::Borrowed(Column::Text(text.as_bytes())),
        Value::Blob(bytes) => ToSqlOutput::Borrowed(Column::Blob(bytes)),
        Value::Timestamp(time) => ToSqlOutput::Owned(Owned::Text(time.to_string())),
        Value::Boolean(truth) => ToSqlOutput::Borrowed(Column::Integer((*truth).into())),
        Value::Json(json) => ToSqlOutput::Borrowed(Column::Text(json.as_str().as_bytes())),
    }
}

/// The value that a column holds.
pub(super) fn from_column<'v>(column: Column<'v>, field: &Field) -> Result<ValueRef<'v>, Error> {
    let damaged =
        || Error::Damaged { what: format!("the field `{}` holds what is none", field.name) };
    // What becomes a part of a line as it is: another program can write to the file.
    let checked =
        |text: &'v str, is: fn(&str) -> bool| is(text).then_some(text).ok_or_else(damaged);
    let text = |bytes: &'v [u8]| std::str::from_utf8(bytes).map_err(|_| damaged());
    Ok(match (column, field.field_type) {
        (Column::Null, _) => ValueRef::Null,
        (Column::Integer(number), FieldType::Integer) => ValueRef::Integer(number),
        (Column::Integer(number @ (0 | 1)), FieldType::Boolean) => ValueRef::Boolean(number == 1),
        (Column::Real(number), FieldType::Float) => ValueRef::Float(number),
        (Column::Blob(bytes), FieldType::Blob { .. }) => ValueRef::Blob(bytes),
        (Column::Text(bytes), FieldType::Text { .. }) => ValueRef::Text(text(bytes)?),
        (Column::Integer(number), FieldType::Decimal { scale, .. }) => {
            ValueRef::Decimal(Decimal::new(number, scale).ok_or_else(damaged)?)
        }
        (Column::Text(bytes), FieldType::Timestamp) => {
            ValueRef::Timestamp(text(bytes).and_then(|text| checked(text, may_be_time))?)
        }
        (Column::Text(bytes), FieldType::Json) => {
            ValueRef::Json(text(bytes).and_then(|text| checked(text, may_be_json))?)
        }
        _ => return Err(damaged()),
    })
}

/// Whether a text may stand in quotes as a time does.
fn may_be_time(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || b"-:.TZ".contains(&byte))
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::schema::SQL;

    #[test]
    fn a_table_has_what_a_person_expects() {
        let schema = Schema::of(&[
            "id:integer:key",
            "email:text:unique",
            "city:text:40:index:null",
            "salary:decimal:12:2:index",
        ])
        .unwrap();
        let name = Identifier::new("users").unwrap();
        let sql = statements(&name, &schema);
        assert_eq!(
            sql,
            "CREATE TABLE \"users\" (
    \"id\" INTEGER PRIMARY KEY,
    \"email\" TEXT NOT NULL,
    \"city\" TEXT,
    \"salary$\" INTEGER NOT NULL,
    \"salary\" REAL GENERATED ALWAYS AS (CAST(\"salary$\" AS REAL) / 100) VIRTUAL
) STRICT;
CREATE UNIQUE INDEX \"users(email)\" ON \"users\" (\"email\");
CREATE INDEX \"users(city)\" ON \"users\" (\"city\");
CREATE INDEX \"users(salary)\" ON \"users\" (\"salary$\");
"
        );
        Connection::open_in_memory().unwrap().execute_batch(&sql).unwrap();
        let schema = Schema::of(&["a:decimal:5:2:key", "b:text:key"]).unwrap();
        let sql = statements(&name, &schema);
        assert!(sql.ends_with("PRIMARY KEY (\"a$\", \"b\")\n) STRICT, WITHOUT ROWID;\n"), "{sql}");
        Connection::open_in_memory().unwrap().execute_batch(&sql).unwrap();
    }

    #[test]
    fn who_reads_the_table_sees_the_float_that_is_nearest() {
        let connection = Connection::open_in_memory().unwrap();
        for (scale, numbers) in [
            (2, &[0_i64, 1, 10, 29, 5, -5, 115, 900_000, -999_999_999_999_999][..]),
            (0, &[0, -7, 999_999_999_999_999, 9_007_199_254_740_992]),
            (18, &[1, -999_999_999_999_999, 300_000_000_000_000]),
        ] {
            let schema = Schema::of(&["id:integer:key", &format!("d:decimal:18:{scale}:null")]);
            let name = Identifier::new("t").unwrap();
            connection.execute_batch(&statements(&name, &schema.unwrap())).unwrap();
            for number in numbers {
                let insert = "INSERT OR REPLACE INTO t (id, d$) VALUES (1, ?1)";
                connection.execute(insert, [number]).unwrap();
                let found: f64 =
                    connection.query_row("SELECT d FROM t", [], |row| row.get(0)).unwrap();
                let nearest = f64::from(Decimal::new(*number, scale).unwrap());
                assert_eq!(found.to_bits(), nearest.to_bits(), "{number}, {scale}");
            }
            connection.execute_batch("UPDATE t SET d$ = NULL").unwrap();
            let none: Option<f64> =
                connection.query_row("SELECT d FROM t", [], |row| row.get(0)).unwrap();
            assert_eq!(none, None);
            connection.execute_batch("DROP TABLE t").unwrap();
        }
    }

    #[test]
    fn each_word_that_needs_quotes_is_reserved() {
        let connection = Connection::open_in_memory().unwrap();
        let works = |word: &str| {
            let sql = format!(
                "CREATE TABLE {word} (a INTEGER, {word} INTEGER);
                 INSERT INTO {word} ({word}) VALUES (1);
                 SELECT {word}, {word}.{word} FROM {word} WHERE {word} = 1 ORDER BY {word};
                 DROP TABLE {word};"
            );
            let works = connection.execute_batch(&sql);
            let _ = connection.execute_batch(&format!("DROP TABLE IF EXISTS \"{word}\""));
            works.is_ok()
        };
        let all = "ABORT ACTION ADD AFTER ALL ALTER ALWAYS ANALYZE AND AS ASC ATTACH AUTOINCREMENT \
            BEFORE BEGIN BETWEEN BY CASCADE CASE CAST CHECK COLLATE COLUMN COMMIT CONFLICT CONSTRAINT \
            CREATE CROSS CURRENT CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP DATABASE DEFAULT \
            DEFERRABLE DEFERRED DELETE DESC DETACH DISTINCT DO DROP EACH ELSE END ESCAPE EXCEPT EXCLUDE \
            EXCLUSIVE EXISTS EXPLAIN FAIL FILTER FIRST FOLLOWING FOR FOREIGN FROM FULL GENERATED GLOB \
            GROUP GROUPS HAVING IF IGNORE IMMEDIATE IN INDEX INDEXED INITIALLY INNER INSERT INSTEAD \
            INTERSECT INTO IS ISNULL JOIN KEY LAST LEFT LIKE LIMIT MATCH MATERIALIZED NATURAL NO NOT \
            NOTHING NOTNULL NULL NULLS OF OFFSET ON OR ORDER OTHERS OUTER OVER PARTITION PLAN PRAGMA \
            PRECEDING PRIMARY QUERY RAISE RANGE RECURSIVE REFERENCES REGEXP REINDEX RELEASE RENAME \
            REPLACE RESTRICT RETURNING RIGHT ROLLBACK ROW ROWS SAVEPOINT SELECT SET TABLE TEMP TEMPORARY \
            THEN TIES TO TRANSACTION TRIGGER UNBOUNDED UNION UNIQUE UPDATE USING VACUUM VALUES VIEW \
            VIRTUAL WHEN WHERE WINDOW WITH WITHIN WITHOUT POSITION USERS";
        for word in all.split_whitespace() {
            assert_eq!(works(word), !SQL.contains(&word), "{word}");
        }
    }
}
