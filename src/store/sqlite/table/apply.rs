//! Changes of rows and of the checkpoint, in one transaction.

use rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE;
use rusqlite::{CachedStatement, Connection, ErrorCode, params, params_from_iter};

use super::Table;
use super::columns::{column, from_column, list, to_column};
use super::functions::Functions;
use crate::event::Position;
use crate::expression::{Assignments, Condition};
use crate::schema::{Row, Schema};
use crate::store::rows::{Applied, ChangeRef};
use crate::store::sqlite::failure::Failure;
use crate::store::{Batched, Checkpoint, Clash, Error, Stopped};

/// What fails where rows can't be written.
const WRITE: &str = "write to the projection";

impl Table {
    /// Makes `changes`, in their order, and moves the checkpoint as `moves` says, from where to where, all in
    /// one transaction. Where a change is refused, those before it are made, or none. With `dry_run` nothing is.
    ///
    /// Only with sets may those before be made: any other may be refused half-way.
    ///
    /// Where the commit fails half-way, what it was is unknown; with a checkpoint it is made again from there.
    pub(crate) fn apply<'c>(
        &mut self,
        changes: impl IntoIterator<Item = ChangeRef<'c>>,
        moves: Option<(Position, &Checkpoint)>,
        batched: Batched,
        dry_run: bool,
    ) -> Result<Applied, Error> {
        let done = self.write(|connection| {
            if let Some((from, to)) = moves {
                self.move_on(connection, from, to)?;
            }
            let (mut applied, mut upsert) = (Applied::default(), None);
            for (index, change) in changes.into_iter().enumerate() {
                match self.change(connection, &mut upsert, change) {
                    Ok(rows) => {
                        applied.changes += 1;
                        applied.rows += rows;
                    }
                    Err(Failure::Refused(error)) => {
                        if batched == Batched::AllOrNone {
                            applied = Applied::default();
                        }
                        applied.stopped = Some(Stopped { index, error });
                        break;
                    }
                    Err(failed) => return Err(failed),
                }
            }
            let is_all = applied.stopped.is_none();
            let commit = !dry_run && (applied.changes > 0 || is_all && moves.is_some());
            Ok((applied, commit))
        });
        done.map_err(|error| match error {
            Error::OutcomeUnknown { source } if moves.is_some() => {
                Error::Engine { action: WRITE, source }
            }
            error => error,
        })
    }

    /// Moves the checkpoint, where it is at `from`.
    fn move_on(
        &self,
        connection: &Connection,
        from: Position,
        to: &Checkpoint,
    ) -> Result<(), Failure> {
        let move_on = "UPDATE ream_checkpoint SET position = ?1, link = ?2 WHERE position = ?3";
        let moved = connection.prepare_cached(move_on)?.execute(params![
            to.position.0,
            to.link.as_bytes(),
            from.0
        ])?;
        if moved == 0 {
            return Err(
                Error::CheckpointMoved { name: self.name.to_string(), expected: from }.into()
            );
        }
        Ok(())
    }

    /// Makes a change; how many rows it is about. `upsert` is the statement that puts rows, once it is prepared.
    fn change<'s>(
        &self,
        connection: &'s Connection,
        upsert: &mut Option<CachedStatement<'s>>,
        change: ChangeRef<'_>,
    ) -> Result<u64, Failure> {
        match change {
            ChangeRef::Set(row) => self.put(connection, upsert, row).map(|()| 1),
            ChangeRef::Upsert(row, assignments) => match self.row_like(connection, row)? {
                Some(before) => self.update_row(connection, assignments, &before).map(|()| 1),
                None => self.put(connection, upsert, row).map(|()| 1),
            },
            ChangeRef::Update(assignments, condition) => {
                self.update_rows(connection, assignments, condition)
            }
            ChangeRef::Delete(condition) => self.delete_rows(connection, condition),
        }
    }

    /// Inserts a row, or replaces the one with its key.
    fn put<'s>(
        &self,
        connection: &'s Connection,
        upsert: &mut Option<CachedStatement<'s>>,
        row: &Row,
    ) -> Result<(), Failure> {
        if row.values().len() != self.schema.fields().len() {
            return Err(Error::OtherSchema.into());
        }
        let statement = match upsert {
            Some(statement) => statement,
            None => upsert.insert(connection.prepare_cached(&self.upsert())?),
        };
        for (at, value) in row.values().iter().enumerate() {
            statement.raw_bind_parameter(at + 1, to_column(value))?;
        }
        match statement.raw_execute() {
            Ok(_) => Ok(()),
            Err(error) => Err(self.clash(connection, error, row)),
        }
    }

    /// The statement that inserts a row, or replaces the one with its key.
    fn upsert(&self) -> String {
        let schema = &self.schema;
        let all: Vec<usize> = (0..schema.fields().len()).collect();
        let others: Vec<usize> =
            all.iter().copied().filter(|field| !schema.key().contains(field)).collect();
        let values: Vec<String> = all.iter().map(|field| format!("?{}", field + 1)).collect();
        let replaced: Vec<String> = others
            .iter()
            .map(|field| column(&schema.fields()[*field]))
            .map(|column| format!("{column} = excluded.{column}"))
            .collect();
        let done = if replaced.is_empty() {
            "NOTHING".into()
        } else {
            format!("UPDATE SET {}", replaced.join(", "))
        };
        format!(
            "INSERT INTO {} ({}) VALUES ({}) ON CONFLICT ({}) DO {done}",
            self.table(),
            list(schema, &all),
            values.join(", "),
            list(schema, schema.key())
        )
    }

    /// That another row has what has to be unique, where that is why a row was refused.
    fn clash(&self, connection: &Connection, error: rusqlite::Error, row: &Row) -> Failure {
        let unique = error.sqlite_error().is_some_and(|error| {
            error.code == ErrorCode::ConstraintViolation
                && error.extended_code == SQLITE_CONSTRAINT_UNIQUE
        });
        if !unique {
            return error.into();
        }
        let schema = &self.schema;
        for fields in schema.unique() {
            match self.holder(connection, fields, row) {
                Ok(Some(holder)) => {
                    let clash = Clash {
                        projection: self.name.to_string(),
                        row: schema.describe_key(row),
                        values: schema.describe(fields, row),
                        holder,
                    };
                    return Error::UniqueClash(Box::new(clash)).into();
                }
                Ok(None) => {}
                Err(error) => return error,
            }
        }
        error.into()
    }

    /// The key of the other row that has the values of `row` in `fields`.
    fn holder(
        &self,
        connection: &Connection,
        fields: &[usize],
        row: &Row,
    ) -> Result<Option<String>, Failure> {
        let schema = &self.schema;
        let all: Vec<usize> = (0..schema.fields().len()).collect();
        let equal = |fields: &[usize], from: usize| {
            let terms = fields.iter().enumerate().map(|(at, field)| {
                format!("{} = ?{}", column(&schema.fields()[*field]), from + at)
            });
            terms.collect::<Vec<_>>().join(" AND ")
        };
        let sql = format!(
            "SELECT {} FROM {} WHERE {} AND NOT ({}) LIMIT 1",
            list(schema, &all),
            self.table(),
            equal(fields, 1),
            equal(schema.key(), fields.len() + 1)
        );
        let values =
            fields.iter().chain(schema.key()).map(|field| to_column(&row.values()[*field]));
        let mut statement = connection.prepare(&sql)?;
        let mut found = statement.query(params_from_iter(values))?;
        let Some(found) = found.next()? else { return Ok(None) };
        Ok(Some(schema.describe_key(&whole_row(found, schema)?)))
    }

    /// Sets fields of the rows that `condition` keeps; how many.
    fn update_rows(
        &self,
        connection: &Connection,
        assignments: &Assignments,
        condition: Option<&Condition>,
    ) -> Result<u64, Failure> {
        let schema = &self.schema;
        self.check_schema(assignments.schema())?;
        let lowered = condition.map(|condition| self.lowered(condition)).transpose()?;
        let (filter, bound, functions) = match lowered {
            Some(lowered) => (lowered.sql, lowered.values, Some(lowered.functions)),
            None => ("TRUE".into(), Vec::new(), None),
        };
        let all: Vec<usize> = (0..schema.fields().len()).collect();
        // Sorted by what no index gives, so that all are read before the first is changed.
        let order: Vec<String> = schema
            .key()
            .iter()
            .map(|field| format!("+{}", column(&schema.fields()[*field])))
            .collect();
        let select = format!(
            "SELECT {} FROM {} WHERE {filter} ORDER BY {}",
            list(schema, &all),
            self.table(),
            order.join(", ")
        );
        if let Some(functions) = &functions {
            functions.install(connection, &self.options)?;
        }
        let mut select = connection.prepare_cached(&select)?;
        let mut rows = select.query(params_from_iter(&bound))?;
        let mut updated = 0;
        loop {
            let next = rows.next();
            let overflow = functions.as_ref().and_then(Functions::overflow);
            if let (Some(overflow), Some(condition)) = (overflow, condition) {
                return Err(condition.overflow::<Error>(overflow).into());
            }
            let Some(row) = next? else { return Ok(updated) };
            self.update_row(connection, assignments, &whole_row(row, schema)?)?;
            updated += 1;
        }
    }

    /// Sets fields of a row that is there.
    fn update_row(
        &self,
        connection: &Connection,
        assignments: &Assignments,
        before: &Row,
    ) -> Result<(), Failure> {
        if assignments.is_empty() {
            return Ok(());
        }
        let schema = &self.schema;
        let after = assignments.apply(before).map_err(|error| Error::Row {
            row: schema.describe_key(before),
            error: error.into(),
        })?;
        let mut update = connection.prepare_cached(&self.update_statement(assignments.fields()))?;
        let values = assignments.fields().chain(schema.key().iter().copied());
        for (at, field) in values.enumerate() {
            update.raw_bind_parameter(at + 1, to_column(&after.values()[field]))?;
        }
        match update.raw_execute() {
            Ok(_) => Ok(()),
            Err(error) => Err(self.clash(connection, error, &after)),
        }
    }

    /// The statement that sets `fields` of the row with a key.
    fn update_statement(&self, fields: impl Iterator<Item = usize>) -> String {
        let schema = &self.schema;
        let mut number = 0;
        let mut equal = |field: usize| {
            number += 1;
            format!("{} = ?{number}", column(&schema.fields()[field]))
        };
        let set: Vec<String> = fields.map(&mut equal).collect();
        let key: Vec<String> = schema.key().iter().copied().map(&mut equal).collect();
        format!("UPDATE {} SET {} WHERE {}", self.table(), set.join(", "), key.join(" AND "))
    }

    /// Deletes the rows that `condition` keeps; how many.
    fn delete_rows(&self, connection: &Connection, condition: &Condition) -> Result<u64, Failure> {
        let lowered = self.lowered(condition)?;
        let delete = format!("DELETE FROM {} WHERE {}", self.table(), lowered.sql);
        lowered.functions.install(connection, &self.options)?;
        let mut statement = connection.prepare_cached(&delete)?;
        let deleted = statement.execute(params_from_iter(&lowered.values));
        if let Some(overflow) = lowered.functions.overflow() {
            return Err(condition.overflow::<Error>(overflow).into());
        }
        Ok(deleted? as u64)
    }

    /// The row that is there with the key of `row`.
    fn row_like(&self, connection: &Connection, row: &Row) -> Result<Option<Row>, Failure> {
        let schema = &self.schema;
        let all: Vec<usize> = (0..schema.fields().len()).collect();
        let key = schema.key().iter().enumerate();
        let key =
            key.map(|(at, field)| format!("{} = ?{}", column(&schema.fields()[*field]), at + 1));
        let select = format!(
            "SELECT {} FROM {} WHERE {}",
            list(schema, &all),
            self.table(),
            key.collect::<Vec<_>>().join(" AND ")
        );
        let mut statement = connection.prepare_cached(&select)?;
        let key = schema.key().iter().map(|field| to_column(&row.values()[*field]));
        let mut found = statement.query(params_from_iter(key))?;
        found.next()?.map(|row| whole_row(row, schema)).transpose()
    }

    /// Commits. Where that fails half-way, the rows may come back when the log is next recovered.
    fn commit(&self) -> Result<(), Failure> {
        self.connection.execute_batch("COMMIT").map_err(|error| {
            if error.sqlite_error_code() != Some(ErrorCode::SystemIoFailure) {
                return error.into();
            }
            self.doubt();
            Error::OutcomeUnknown { source: error.into() }.into()
        })
    }

    /// Runs `work` in a transaction, where this generation serves, which is committed where it says so.
    pub(super) fn write<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<(T, bool), Failure>,
    ) -> Result<T, Error> {
        let connection = &self.connection;
        self.begin()?;
        let done = work(connection).and_then(|(value, commit)| {
            self.untidy.set(self.untidy.get() || commit);
            if commit {
                self.commit()?;
            } else {
                connection.execute_batch("ROLLBACK")?;
            }
            Ok(value)
        });
        done.map_err(|failed| {
            // What failed is told; a rollback that fails as well adds nothing.
            let _ = connection.execute_batch("ROLLBACK");
            match failed {
                Failure::Refused(error) => error,
                Failure::Sqlite(error) => {
                    if error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure) {
                        self.doubt();
                    }
                    self.tell(WRITE, error)
                }
            }
        })
    }
}

/// The row in columns that are all fields of a schema, in order.
pub(super) fn whole_row(row: &rusqlite::Row<'_>, schema: &Schema) -> Result<Row, Failure> {
    let mut values = Vec::with_capacity(schema.fields().len());
    for (at, field) in schema.fields().iter().enumerate() {
        let value =
            from_column(row.get_ref(at)?, field)?.to_value().map_err(|error| Error::Damaged {
                what: format!("the field `{}` holds what is none: {error}", field.name),
            })?;
        values.push(value);
    }
    Ok(Row(values))
}
