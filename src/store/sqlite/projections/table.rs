//! A projection's table: its columns and indexes, values on their way in and out.
//!
//! A decimal is a text in canonical form, for the eye; beside it a generated column holds it times ten
//! to its scale, as a whole number, for order and indexes. A timestamp is a text of fixed width, whose
//! order is that of time. See `docs/projection-columns.md`.

use std::fmt::Write as _;

use rusqlite::types::{ToSqlOutput, ValueRef as Column};

use crate::schema::{Field, FieldType, Identifier, Schema, Value, ValueRef, scaled_name};
use crate::store::Error;

/// The table of what the projection has committed.
pub(super) const CHECKPOINT: &str = "\
CREATE TABLE ream_checkpoint (
    position INTEGER NOT NULL,
    link BLOB NOT NULL,
    store TEXT NOT NULL,
    incarnation TEXT NOT NULL
) STRICT;
";

/// A name between quotes. No name holds one.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

/// The column by which a field is compared and ordered.
pub(super) fn compared(field: &Field) -> String {
    match field.field_type {
        FieldType::Decimal { .. } => quoted(&scaled_name(&field.name)),
        _ => quoted(field.name.as_str()),
    }
}

/// The column that holds a field's values.
pub(super) fn stored(field: &Field) -> String {
    quoted(field.name.as_str())
}

/// The columns of some fields, with commas between them.
pub(super) fn list(schema: &Schema, fields: &[usize], column: fn(&Field) -> String) -> String {
    let columns: Vec<String> = fields.iter().map(|at| column(&schema.fields()[*at])).collect();
    columns.join(", ")
}

/// The statements that make the table `name` and its indexes.
pub(super) fn statements(name: &Identifier, schema: &Schema) -> String {
    let mut sql = format!("CREATE TABLE {} (\n", quoted(name.as_str()));
    let rowid = is_rowid(schema);
    for (at, field) in schema.fields().iter().enumerate() {
        let column = stored(field);
        let null = if field.nullable { "" } else { " NOT NULL" };
        let kind = match field.field_type {
            FieldType::Integer | FieldType::Boolean => "INTEGER",
            FieldType::Float => "REAL",
            FieldType::Blob { .. } => "BLOB",
            _ => "TEXT",
        };
        let key = if rowid && schema.key() == [at] { " PRIMARY KEY" } else { null };
        // Writing into a string does not fail.
        let _ = writeln!(sql, "    {column} {kind}{key},");
        if let FieldType::Decimal { .. } = field.field_type {
            let scaled = compared(field);
            let _ = writeln!(
                sql,
                "    {scaled} INTEGER AS (CAST(replace({column}, '.', '') AS INTEGER)),"
            );
        }
    }
    if rowid {
        sql.truncate(sql.len() - ",\n".len());
        sql.push_str("\n) STRICT;\n");
    } else {
        let _ = writeln!(sql, "    PRIMARY KEY ({})", list(schema, schema.key(), stored));
        sql.push_str(") STRICT, WITHOUT ROWID;\n");
    }
    let is_decimal =
        |at: &usize| matches!(schema.fields()[*at].field_type, FieldType::Decimal { .. });
    // The key's own index has decimals as texts.
    let decimal_key = schema.key().iter().any(is_decimal).then(|| schema.key());
    let lists = schema.unique().iter().map(|list| ("UNIQUE INDEX", &**list));
    let lists = lists.chain(schema.index().iter().map(|list| ("INDEX", &**list)));
    for (kind, fields) in lists.chain(decimal_key.map(|key| ("INDEX", key))) {
        let index = format!("{name}({})", schema.names(fields).replace(' ', ""));
        let _ = writeln!(
            sql,
            "CREATE {kind} {} ON {} ({});",
            quoted(&index),
            quoted(name.as_str()),
            list(schema, fields, compared)
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
        Value::Decimal(number) => ToSqlOutput::Owned(Owned::Text(number.to_string())),
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
    let text = |bytes: &'v [u8]| std::str::from_utf8(bytes).map_err(|_| damaged());
    Ok(match (column, field.field_type) {
        (Column::Null, _) => ValueRef::Null,
        (Column::Integer(number), FieldType::Integer) => ValueRef::Integer(number),
        (Column::Integer(number @ (0 | 1)), FieldType::Boolean) => ValueRef::Boolean(number == 1),
        (Column::Real(number), FieldType::Float) => ValueRef::Float(number),
        (Column::Blob(bytes), FieldType::Blob { .. }) => ValueRef::Blob(bytes),
        (Column::Text(bytes), FieldType::Text { .. }) => ValueRef::Text(text(bytes)?),
        (Column::Text(bytes), FieldType::Decimal { .. }) => ValueRef::Decimal(text(bytes)?),
        (Column::Text(bytes), FieldType::Timestamp) => ValueRef::Timestamp(text(bytes)?),
        (Column::Text(bytes), FieldType::Json) => ValueRef::Json(text(bytes)?),
        _ => return Err(damaged()),
    })
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
    \"salary\" TEXT NOT NULL,
    \"salary_scaled\" INTEGER AS (CAST(replace(\"salary\", '.', '') AS INTEGER))
) STRICT;
CREATE UNIQUE INDEX \"users(email)\" ON \"users\" (\"email\");
CREATE INDEX \"users(city)\" ON \"users\" (\"city\");
CREATE INDEX \"users(salary)\" ON \"users\" (\"salary_scaled\");
"
        );
        Connection::open_in_memory().unwrap().execute_batch(&sql).unwrap();
        let schema = Schema::of(&["a:decimal:5:2:key", "b:text:key"]).unwrap();
        let sql = statements(&name, &schema);
        assert!(sql.contains("PRIMARY KEY (\"a\", \"b\")\n) STRICT, WITHOUT ROWID;"), "{sql}");
        assert!(sql.contains("INDEX \"users(a,b)\" ON \"users\" (\"a_scaled\", \"b\")"), "{sql}");
        Connection::open_in_memory().unwrap().execute_batch(&sql).unwrap();
    }

    #[test]
    fn the_scaled_form_is_the_number_times_ten_to_its_scale() {
        let connection = Connection::open_in_memory().unwrap();
        let schema = Schema::of(&["id:integer:key", "d:decimal:18:3"]).unwrap();
        connection.execute_batch(&statements(&Identifier::new("t").unwrap(), &schema)).unwrap();
        for (id, text, scaled) in [
            (1, "0.000", 0_i64),
            (2, "-0.050", -50),
            (3, "-12.345", -12_345),
            (4, "999999999999999.999", 999_999_999_999_999_999),
            (5, "-999999999999999.999", -999_999_999_999_999_999),
        ] {
            connection.execute("INSERT INTO t (id, d) VALUES (?1, ?2)", (id, text)).unwrap();
            let found: i64 = connection
                .query_row("SELECT d_scaled FROM t WHERE id = ?1", [id], |row| row.get(0))
                .unwrap();
            assert_eq!(found, scaled);
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
