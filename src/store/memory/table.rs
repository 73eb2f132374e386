//! The rows of projections.

use std::any::Any;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Shared;
use super::turns::Turns;
use crate::event::Position;
use crate::expression::Condition;
use crate::schema::{Identifier, Row, Schema, Value, ValueRef};
use crate::store::engine;
use crate::store::rows::{Applied, ChangeRef, RowRef, RowValues};
use crate::store::rules::names::{self, Kind};
use crate::store::{
    Batched, Checkpoint, Clash, Differences, Error, Explanation, Options, OrderBy, Selection,
    Stopped,
};

/// A value as keys and orders compare it: null goes before every value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Comparable {
    Null,
    Number(i64),
    Float(Total),
    Text(String),
    Blob(Vec<u8>),
}

/// A float, in its order.
#[derive(Debug, Clone, Copy)]
struct Total(f64);

impl PartialEq for Total {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Total {}

impl PartialOrd for Total {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Total {
    fn cmp(&self, other: &Self) -> Ordering {
        // No field holds what is no number; and zero is zero.
        self.0.partial_cmp(&other.0).unwrap_or_else(|| self.0.total_cmp(&other.0))
    }
}

type Key = Vec<Comparable>;

fn comparable(value: &Value) -> Comparable {
    match value {
        Value::Null => Comparable::Null,
        Value::Integer(number) => Comparable::Number(*number),
        Value::Boolean(truth) => Comparable::Number((*truth).into()),
        // In a row each has the scale of its field.
        Value::Decimal(number) => Comparable::Number(number.mantissa()),
        Value::Float(number) => Comparable::Float(Total(*number)),
        Value::Text(text) => Comparable::Text(text.clone()),
        Value::Timestamp(time) => Comparable::Text(time.to_string()),
        Value::Json(json) => Comparable::Text(json.as_str().to_owned()),
        Value::Blob(bytes) => Comparable::Blob(bytes.clone()),
    }
}

fn comparables(row: &Row, fields: &[usize]) -> Key {
    fields.iter().map(|field| comparable(&row.values()[*field])).collect()
}

/// A generation's rows, by key, and how far it has come.
#[derive(Debug, Clone)]
pub(super) struct Rows {
    by_key: BTreeMap<Key, Row>,
    place: Checkpoint,
    /// The generation that is about to follow it.
    next: Option<u64>,
}

/// All generations, by the projection's name in lower case and their number; nothing of one that was dropped.
#[derive(Debug, Default)]
pub(super) struct Tables(Mutex<BTreeMap<(String, u64), Option<Rows>>>);

impl Tables {
    fn all(&self) -> MutexGuard<'_, BTreeMap<(String, u64), Option<Rows>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a generation, in the place of one that was left half made.
    pub(super) fn make(&self, name: &Identifier, generation: u64, place: Checkpoint) {
        let rows = Rows { by_key: BTreeMap::new(), place, next: None };
        self.all().insert((key(name), generation), Some(rows));
    }

    pub(super) fn has(&self, name: &Identifier, generation: u64) -> bool {
        matches!(self.all().get(&(key(name), generation)), Some(Some(_)))
    }

    pub(super) fn has_any(&self, name: &Identifier) -> bool {
        let name = key(name);
        self.all().iter().any(|((known, _), rows)| *known == name && rows.is_some())
    }

    /// A copy of those that serve and have not come further than `end`.
    pub(super) fn up_to(&self, end: Position, serves: impl Fn(&str, u64) -> bool) -> Self {
        let mut all = self.all().clone();
        all.retain(|(name, generation), rows| {
            serves(name, *generation)
                && rows.as_ref().is_some_and(|rows| rows.place.position <= end)
        });
        Self(Mutex::new(all))
    }

    /// Ends the generations that are not `serves`; where none is, it is known that the projection was dropped.
    pub(super) fn end(&self, name: &Identifier, serves: Option<u64>) {
        let name = key(name);
        let mut all = self.all();
        match serves {
            Some(serves) => all.retain(|(known, generation), rows| {
                *known != name || *generation == serves || rows.is_none()
            }),
            None => {
                for (_, rows) in all.iter_mut().filter(|((known, _), _)| *known == name) {
                    *rows = None;
                }
            }
        }
    }
}

fn key(name: &Identifier) -> String {
    name.as_str().to_ascii_lowercase()
}

/// The turn to make a projection anew.
pub(super) fn rebuild(name: &str) -> String {
    format!("rebuild {}", name.to_ascii_lowercase())
}

/// A generation of a projection.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) shared: Arc<Shared>,
    pub(super) options: Options,
    pub(super) name: Identifier,
    pub(super) generation: u64,
    pub(super) schema: Schema,
}

impl Table {
    /// Works on what there is of it.
    fn with<T>(&self, work: impl FnOnce(&mut Rows) -> Result<T, Error>) -> Result<T, Error> {
        self.shared.faults.check("read the projection")?;
        let mut all = self.shared.tables.all();
        match all.get_mut(&(key(&self.name), self.generation)) {
            Some(Some(rows)) => work(rows),
            Some(None) => Err(Error::Dropped(self.name.to_string())),
            None => Err(Error::Superseded(self.name.to_string())),
        }
    }

    /// That it serves by the registry, where it is about to be followed by another. Who set that and did not go on
    /// is gone where no one has the turn.
    fn check_standing(&self) -> Result<(), Error> {
        loop {
            if self.with(|rows| Ok(rows.next.is_none()))? {
                return Ok(());
            }
            let wait = self.options.lock_timeout;
            let turn = rebuild(self.name.as_str());
            let turn = Turns::take(&self.shared.turns, &turn, wait, &self.options)?;
            if turn.is_none() {
                return Err(Error::Busy { waited: wait });
            }
            let name = self.name.as_str();
            let log = self.shared.log();
            let found = log.names.get(&key(&self.name));
            match names::of_kind(found, name, Kind::Projection) {
                Some(found) if found.generation == self.generation => {
                    self.with(|rows| {
                        rows.next = None;
                        Ok(())
                    })?;
                }
                Some(_) => return Err(Error::Superseded(name.into())),
                None => return Err(Error::Dropped(name.into())),
            }
        }
    }

    fn put(&self, rows: &mut Rows, row: &Row) -> Result<(), Error> {
        let schema = &self.schema;
        if row.values().len() != schema.fields().len() {
            return Err(Error::OtherSchema);
        }
        let own = comparables(row, schema.key());
        for fields in schema.unique() {
            let wanted = comparables(row, fields);
            if wanted.contains(&Comparable::Null) {
                continue;
            }
            let holds =
                |(key, other): &(&Key, &Row)| **key != own && comparables(other, fields) == wanted;
            if let Some((_, holder)) = rows.by_key.iter().find(holds) {
                return Err(Error::UniqueClash(Box::new(Clash {
                    projection: self.name.to_string(),
                    row: schema.describe_key(row),
                    values: schema.describe(fields, row),
                    holder: schema.describe_key(holder),
                })));
            }
        }
        rows.by_key.insert(own, row.clone());
        Ok(())
    }

    /// Makes a change; how many rows it is about.
    fn change(&self, rows: &mut Rows, change: ChangeRef<'_>) -> Result<u64, Error> {
        let update = |rows: &mut Rows, assignments: &crate::expression::Assignments, row: &Row| {
            if assignments.is_empty() {
                return Ok(());
            }
            let after = assignments.apply(row).map_err(|error| Error::Row {
                row: self.schema.describe_key(row),
                error: error.into(),
            })?;
            self.put(rows, &after)
        };
        match change {
            ChangeRef::Set(row) => self.put(rows, row).map(|()| 1),
            ChangeRef::Upsert(row, assignments) => {
                match rows.by_key.get(&comparables(row, self.schema.key())).cloned() {
                    Some(before) => update(rows, assignments, &before).map(|()| 1),
                    None => self.put(rows, row).map(|()| 1),
                }
            }
            ChangeRef::Update(assignments, condition) => {
                self.check_schema(assignments.schema())?;
                let kept = self.kept(rows, condition)?;
                kept.iter().try_for_each(|row| update(rows, assignments, row))?;
                Ok(kept.len() as u64)
            }
            ChangeRef::Delete(condition) => {
                let kept = self.kept(rows, Some(condition))?;
                for row in &kept {
                    rows.by_key.remove(&comparables(row, self.schema.key()));
                }
                Ok(kept.len() as u64)
            }
        }
    }

    fn check_schema(&self, schema: &Schema) -> Result<(), Error> {
        if *schema == self.schema { Ok(()) } else { Err(Error::OtherSchema) }
    }

    /// The rows that a condition keeps, by key; all where there is none.
    fn kept(&self, rows: &Rows, condition: Option<&Condition>) -> Result<Vec<Row>, Error> {
        if let Some(condition) = condition {
            self.check_schema(condition.schema())?;
        }
        let mut kept = Vec::new();
        for row in rows.by_key.values() {
            let keeps = condition.map_or(Ok(true), |condition| condition.keeps(row));
            if keeps.map_err(|error| Error::Expression(Box::new(error)))? {
                kept.push(row.clone());
            }
        }
        Ok(kept)
    }

    /// The rows of a selection.
    fn selected(&self, selection: &Selection) -> Result<Vec<Row>, Error> {
        let mut kept = self.with(|rows| self.kept(rows, selection.condition.as_ref()))?;
        kept.sort_by(|one, other| {
            let order = |OrderBy { field, descending }: &OrderBy| {
                let order =
                    comparable(&one.values()[*field]).cmp(&comparable(&other.values()[*field]));
                if *descending { order.reverse() } else { order }
            };
            selection.order.iter().map(order).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
        });
        let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let most = selection.limit.map_or(usize::MAX, number);
        Ok(kept.into_iter().skip(number(selection.offset)).take(most).collect())
    }
}

/// A row that is given, of the fields that are wanted, with what its times are as texts.
#[derive(Debug)]
struct Given {
    values: Vec<(Value, String)>,
}

impl RowValues for Given {
    fn value(&self, place: usize) -> Result<ValueRef<'_>, Error> {
        let (value, text) = &self.values[place];
        Ok(match value {
            Value::Timestamp(_) => ValueRef::Timestamp(text),
            Value::Null => ValueRef::Null,
            Value::Integer(number) => ValueRef::Integer(*number),
            Value::Float(number) => ValueRef::Float(*number),
            Value::Decimal(number) => ValueRef::Decimal(*number),
            Value::Text(text) => ValueRef::Text(text),
            Value::Blob(bytes) => ValueRef::Blob(bytes),
            Value::Boolean(truth) => ValueRef::Boolean(*truth),
            Value::Json(json) => ValueRef::Json(json.as_str()),
        })
    }
}

impl engine::Table for Table {
    fn place(&self) -> Result<Checkpoint, Error> {
        self.with(|rows| Ok(rows.place))
    }

    fn size(&self) -> Result<(u64, u64), Error> {
        self.with(|rows| {
            let bytes: usize = rows.by_key.values().map(Row::size).sum();
            Ok((rows.by_key.len() as u64, bytes as u64))
        })
    }

    fn apply(
        &mut self,
        changes: &mut dyn Iterator<Item = ChangeRef<'_>>,
        moves: Option<(Position, &Checkpoint)>,
        batched: Batched,
        dry_run: bool,
    ) -> Result<Applied, Error> {
        self.check_standing()?;
        self.with(|rows| {
            let mut after = rows.clone();
            if let Some((from, to)) = moves {
                if after.place.position != from {
                    let name = self.name.to_string();
                    return Err(Error::CheckpointMoved { name, expected: from });
                }
                after.place = *to;
            }
            let mut applied = Applied::default();
            for (index, change) in changes.enumerate() {
                match self.change(&mut after, change) {
                    Ok(about) => {
                        applied.changes += 1;
                        applied.rows += about;
                    }
                    Err(error) => {
                        if batched == Batched::AllOrNone {
                            applied = Applied::default();
                        }
                        applied.stopped = Some(Stopped { index, error });
                        break;
                    }
                }
            }
            let is_all = applied.stopped.is_none();
            if !dry_run && (applied.changes > 0 || is_all && moves.is_some()) {
                *rows = after;
            }
            Ok(applied)
        })
    }

    fn select(
        &self,
        selection: &Selection,
        each: &mut dyn FnMut(&RowRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        for row in self.selected(selection)? {
            let value = |field: &usize| {
                let value = row.values()[*field].clone();
                let text = match &value {
                    Value::Timestamp(time) => time.to_string(),
                    _ => String::new(),
                };
                (value, text)
            };
            let given = Given { values: selection.fields.iter().map(value).collect() };
            if each(&RowRef::new(&given)).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn count(&self, selection: &Selection) -> Result<u64, Error> {
        Ok(self.selected(selection)?.len() as u64)
    }

    fn explain(&self, selection: &Selection) -> Result<Explanation, Error> {
        if let Some(condition) = &selection.condition {
            self.check_schema(condition.schema())?;
        }
        Ok(Explanation { plan: vec!["LOOK at each row".into()], statement: String::new() })
    }

    fn differences(&self, old: &dyn engine::Table, shown: usize) -> Result<Differences, Error> {
        let Some(old) = old.as_any().downcast_ref::<Self>() else {
            return Err(Error::OtherSchema);
        };
        self.check_schema(&old.schema)?;
        let before = old.with(|rows| Ok(rows.by_key.clone()))?;
        let after = self.with(|rows| Ok(rows.by_key.clone()))?;
        let mut differences = Differences::default();
        let keys: std::collections::BTreeSet<&Key> = before.keys().chain(after.keys()).collect();
        for key in keys {
            let (old, new) = (before.get(key), after.get(key));
            match (old, new) {
                (Some(old), Some(new)) if old == new => continue,
                (Some(_), Some(_)) => differences.changed += 1,
                (Some(_), None) => differences.gone += 1,
                _ => differences.new += 1,
            }
            if differences.first.len() < shown {
                differences.first.push((old.cloned(), new.cloned()));
            }
        }
        Ok(differences)
    }

    fn check(&self) -> Result<Option<String>, Error> {
        Ok(None)
    }

    fn tidy(&self) -> Result<(), Error> {
        Ok(())
    }

    fn settle(&self) -> Result<(), Error> {
        self.with(|_| Ok(()))
    }

    fn check_serves(&self) -> Result<(), Error> {
        self.check_standing()
    }

    fn put_up(&self, next: u64) -> Result<(), Error> {
        self.with(|rows| {
            rows.next = Some(next);
            Ok(())
        })
    }

    fn take_down(&self) -> Result<(), Error> {
        self.with(|rows| {
            rows.next = None;
            Ok(())
        })
    }

    fn discard(self: Box<Self>) -> Result<(), Error> {
        self.shared.tables.all().remove(&(key(&self.name), self.generation));
        Ok(())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
