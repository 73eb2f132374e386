//! What a store selects by an expression, against what the evaluator keeps of the rows: on random
//! schemas, rows and expressions.

mod choices;
mod table;
mod wording;

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::ops::ControlFlow;
use std::panic::{self, AssertUnwindSafe};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};
use ream::{
    Assignments, Batched, Condition, Definition, Error, ExpressionError, FieldType, OrderBy,
    Parameters, Projection, ProjectionEntry, Row, Schema, Selection, Store, Value,
};

use crate::store;
use choices::Choices;
use table::Table;
use wording::Wording;

const TABLES: u32 = 250;
/// How many rows a table has, more or less.
const ROWS: usize = 13;
/// How many expressions, more or less; so many that 10,000 in all pass the check.
const EXPRESSIONS: usize = 50;

const ALL: &str = "all";
const CHECKED: &str = "checked";
/// Expressions that keep some rows, and not all.
const SOME: &str = "keep some";
const TOO_LARGE: &str = "too large";
/// Of those, the ones where the evaluator has an answer for each row.
const IN_VAIN: &str = "too large in vain";
const ORDERED: &str = "ordered";
const CHANGED: &str = "changed";
/// What one expression in 200 has at least, of those that pass the check.
const WORDS: [&str; 29] = [
    " = ",
    " != ",
    " < ",
    " <= ",
    " > ",
    " >= ",
    " IN (",
    " NOT IN (",
    " CONTAINS ",
    " =~ ",
    " IS NULL",
    " IS NOT NULL",
    " AND ",
    " OR ",
    "NOT ",
    " + ",
    " - ",
    " * ",
    " / ",
    "TRUE",
    ":p0",
    "e-",
    "integer",
    "float",
    "decimal",
    "text",
    "timestamp",
    "blob",
    "boolean",
];

/// How many expressions there were of which something was true.
#[derive(Debug, Default)]
struct Counts(RefCell<BTreeMap<&'static str, u32>>);

impl Counts {
    fn add(&self, what: &'static str) {
        *self.0.borrow_mut().entry(what).or_default() += 1;
    }

    fn of(&self, what: &str) -> u32 {
        self.0.borrow().get(what).copied().unwrap_or_default()
    }

    /// That the test could fail: enough was asked, of every kind, and answered in more than one way.
    fn suffice(&self) {
        let (all, checked) = (self.of(ALL), self.of(CHECKED));
        assert!(checked >= 10_000 && checked * 10 >= all * 8 && checked < all, "{self:?}");
        assert!(self.of(SOME) * 3 >= checked, "{self:?}");
        assert!(self.of(TOO_LARGE) * 10 < checked && self.of(TOO_LARGE) > 0, "{self:?}");
        assert!(self.of(IN_VAIN) * 100 < checked, "{self:?}");
        assert!(self.of(ORDERED) * 10 >= checked && self.of(CHANGED) * 20 >= checked, "{self:?}");
        for word in WORDS {
            assert!(self.of(word) * 200 >= checked, "`{word}`: {self:?}");
        }
    }
}

/// An expression, and the table that it is asked of.
struct Asked<'a> {
    table: &'a Table,
    projection: &'a mut Projection,
    text: &'a str,
    parameters: &'a Parameters,
    counts: &'a Counts,
}

type Agreed<T> = Result<T, String>;

impl Asked<'_> {
    /// That the store and the evaluator agree on an expression.
    fn agrees(&mut self, choices: &mut Choices<'_>) -> Agreed<()> {
        let schema = &self.table.schema;
        self.counts.add(ALL);
        let condition = match Condition::new(self.text, schema, self.parameters) {
            Ok(condition) => condition,
            // Where it is wrong can be shown.
            Err(error) => return told(error.excerpt().contains('^'), || format!("{error:?}")),
        };
        self.counts.add(CHECKED);
        for word in WORDS.iter().filter(|word| self.text.contains(**word)) {
            self.counts.add(word);
        }
        let kept: Vec<Result<bool, ExpressionError>> =
            self.table.rows.iter().map(|row| condition.keeps(row)).collect();
        let count = kept.iter().filter(|kept| matches!(kept, Ok(true))).count();
        let mut selection = Selection::all(schema);
        selection.condition = Some(condition.clone());
        let Some(found) = self.passed(self.select(&selection)?)? else {
            self.counts.add(TOO_LARGE);
            if kept.iter().all(Result::is_ok) {
                self.counts.add(IN_VAIN);
            }
            return Ok(());
        };
        for (row, kept) in kept.iter().enumerate() {
            // A row that can't be told may be passed over for another reason, and is never kept.
            let expected = matches!(kept, Ok(true));
            told(found.contains(&row) == expected, || {
                format!("row {row}: the evaluator has {kept:?}, the store has rows {found:?}")
            })?;
        }
        told(found.len() == count, || format!("found twice: {found:?}"))?;
        if let Some(counted) = self.passed(self.projection.count(&selection))? {
            told(counted == count as u64, || format!("{count} rows are kept; counted {counted}"))?;
        }
        if kept.iter().all(Result::is_ok) {
            if count > 0 && count < kept.len() {
                self.counts.add(SOME);
            }
            self.in_order(selection, found, choices)?;
            self.changes(&condition, count as u64, choices)?;
        }
        Ok(())
    }

    /// What came of a statement; nothing where a calculation in it overflowed, which may be one that
    /// the evaluator had no need of.
    fn passed<T>(&self, result: Result<T, Error>) -> Agreed<Option<T>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(Error::Expression(error)) => {
                let place = &self.text[error.span().start..error.span().end];
                // Of a negation in parentheses it is all of it.
                let place = place.trim_start_matches(['(', ' ']);
                told(place.starts_with(['+', '-', '*', '/']), || {
                    format!("no calculation: {error}\n{}", error.excerpt())
                })?;
                Ok(None)
            }
            Err(error) => Err(format!("the store fails: {error:?}")),
        }
    }

    /// The rows of a selection, by their numbers; as they were set.
    fn select(&self, selection: &Selection) -> Agreed<Result<Vec<usize>, Error>> {
        let (mut found, mut wrong) = (Vec::new(), None);
        let selected = self.projection.select(selection, |row| {
            let values = (0..selection.fields.len())
                .map(|at| row.value(at).map(|value| value.to_value().unwrap()));
            let values: Result<Vec<Value>, Error> = values.collect();
            let number = values
                .as_ref()
                .ok()
                .and_then(|values| self.table.rows.iter().position(|row| row.values() == *values));
            match number {
                Some(number) => found.push(number),
                None => wrong = Some(format!("a row that was not set: {values:?}")),
            }
            ControlFlow::Continue(())
        });
        wrong.map_or(Ok(selected.map(|()| found)), Err)
    }

    /// That an order and a part of it are those of the values.
    fn in_order(
        &self,
        mut selection: Selection,
        mut rows: Vec<usize>,
        choices: &mut Choices<'_>,
    ) -> Agreed<()> {
        if choices.below(4) != 1 {
            return Ok(());
        }
        let schema = &self.table.schema;
        for _ in 0..=choices.below(2) {
            let (field, descending) = (choices.below(schema.fields().len()), choices.once_in(2));
            let known = selection.order.iter().any(|by| by.field == field);
            if !known && schema.fields()[field].field_type != FieldType::Json {
                selection.order.push(OrderBy { field, descending });
            }
        }
        if selection.order.is_empty() {
            return Ok(());
        }
        selection.limit = choices.once_in(2).then(|| choices.below(6) as u64);
        selection.offset = if choices.once_in(3) { choices.below(4) as u64 } else { 0 };
        rows.sort_by(|a, b| {
            by_order(schema, &selection.order, &self.table.rows[*a], &self.table.rows[*b])
        });
        let from = usize::try_from(selection.offset).unwrap().min(rows.len());
        rows.drain(..from);
        rows.truncate(selection.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap()));
        let Some(found) = self.passed(self.select(&selection)?)? else { return Ok(()) };
        self.counts.add(ORDERED);
        told(found == rows, || {
            let (limit, offset) = (selection.limit, selection.offset);
            format!(
                "by {:?}, limit {limit:?}, offset {offset}: {rows:?}, found {found:?}",
                selection.order
            )
        })?;
        let counted = self.passed(self.projection.count(&selection))?;
        told(counted.is_none_or(|counted| counted == rows.len() as u64), || {
            format!("{rows:?} are to be counted, there are {counted:?}")
        })
    }

    /// That as many rows would be deleted and updated.
    fn changes(
        &mut self,
        condition: &Condition,
        count: u64,
        choices: &mut Choices<'_>,
    ) -> Agreed<()> {
        if choices.below(8) != 1 {
            return Ok(());
        }
        let schema = &self.table.schema;
        let deleted = self.projection.delete(condition, true);
        let deleted = self.passed(deleted)?;
        told(deleted.is_none_or(|deleted| deleted == count), || {
            format!("{count} rows are kept, {deleted:?} would be deleted")
        })?;
        let free = (0..schema.fields().len()).find(|at| !schema.key().contains(at));
        let Some(free) = free.map(|at| &schema.fields()[at].name) else { return Ok(()) };
        let set = Assignments::new(&format!("{free} = {free}"), schema, &Parameters::default());
        let updated = self.projection.update(&set.unwrap(), Some(condition), true);
        let updated = self.passed(updated)?;
        told(updated.is_none_or(|updated| updated == count), || {
            format!("{count} rows are kept, {updated:?} would be updated")
        })?;
        self.counts.add(CHANGED);
        Ok(())
    }
}

fn told(right: bool, why: impl FnOnce() -> String) -> Agreed<()> {
    if right { Ok(()) } else { Err(why()) }
}

/// How two rows stand in an order; those that are alike in it by their keys.
fn by_order(schema: &Schema, order: &[OrderBy], a: &Row, b: &Row) -> Ordering {
    let compared = |field: usize| by_value(&a.values()[field], &b.values()[field]);
    let named = order
        .iter()
        .map(|by| if by.descending { compared(by.field).reverse() } else { compared(by.field) });
    named
        .chain(schema.key().iter().map(|field| compared(*field)))
        .fold(Ordering::Equal, Ordering::then)
}

/// How two values of one field stand to each other; null goes first.
fn by_value(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Less,
        (_, Value::Null) => Ordering::Greater,
        (Value::Integer(a), Value::Integer(b)) => a.cmp(b),
        (Value::Float(a), Value::Float(b)) => a.partial_cmp(b).unwrap(),
        // Of one field, and so of one scale.
        (Value::Decimal(a), Value::Decimal(b)) => a.mantissa().cmp(&b.mantissa()),
        (Value::Text(a), Value::Text(b)) => a.chars().cmp(b.chars()),
        (Value::Blob(a), Value::Blob(b)) => a.cmp(b),
        (Value::Timestamp(a), Value::Timestamp(b)) => a.as_micros().cmp(&b.as_micros()),
        (Value::Boolean(a), Value::Boolean(b)) => a.cmp(b),
        (a, b) => panic!("{a:?} and {b:?} have no order"),
    }
}

/// What a panic says.
fn panicked(said: &(dyn Any + Send)) -> String {
    let text = said.downcast_ref::<String>().map(String::as_str);
    let text = text.or(said.downcast_ref::<&str>().copied());
    format!("it panics: {}", text.unwrap_or_default())
}

/// That the store and the evaluator agree on the expressions that `numbers` make, on one table.
fn agree(
    store: &mut Store,
    name: &str,
    table: &Table,
    numbers: &[Vec<u16>],
    counts: &Counts,
) -> Agreed<()> {
    let definition = Definition::new(table.schema.clone());
    store.create_projection(&ProjectionEntry::new(name.parse().unwrap(), definition)).unwrap();
    let mut projection = store.projection(name).unwrap();
    let set = projection.set(&table.rows, Batched::AllOrNone).unwrap();
    told(set.stopped.is_none(), || format!("a row is refused: {:?}", set.stopped))?;
    for numbers in numbers {
        let mut wording = Wording::new(numbers, table);
        let text = wording.condition(3);
        let Wording { mut choices, parameters, .. } = wording;
        let mut asked = Asked {
            table,
            projection: &mut projection,
            text: &text,
            parameters: &parameters,
            counts,
        };
        let agrees = AssertUnwindSafe(|| asked.agrees(&mut choices));
        let agrees = panic::catch_unwind(agrees).unwrap_or_else(|said| Err(panicked(&*said)));
        agrees.map_err(|why| format!("expression: {text}\nparameters: {parameters:?}\n{why}"))?;
    }
    Ok(())
}

/// The numbers that expressions, rows and a table are made of. What comes first gets smaller first.
fn given() -> impl Strategy<Value = (Vec<Vec<u16>>, Vec<Vec<u16>>, Vec<u16>)> {
    let numbers = |most: usize| vec(any::<u16>(), most / 2..most);
    (vec(numbers(160), 1..=2 * EXPRESSIONS), vec(numbers(60), 1..=2 * ROWS), numbers(60))
}

#[test]
fn a_store_selects_by_an_expression_what_the_evaluator_keeps() {
    let config = Config {
        cases: TABLES,
        max_shrink_iters: 8000,
        failure_persistence: None,
        ..Config::default()
    };
    let seed = match config.rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => RandomState::new().hash_one(0),
    };
    let config = Config { rng_seed: RngSeed::Fixed(seed), ..config };
    let fresh = RefCell::new(store());
    let (counts, tables) = (Counts::default(), Cell::new(0));
    let done = TestRunner::new(config).run(&given(), |(expressions, rows, schema)| {
        let table = Table::new(&mut Choices::new(&schema), &rows);
        tables.set(tables.get() + 1);
        let name = format!("table_{}", tables.get());
        let mut store = fresh.borrow_mut();
        let agree = AssertUnwindSafe(|| agree(&mut store, &name, &table, &expressions, &counts));
        let agree = panic::catch_unwind(agree).unwrap_or_else(|said| Err(panicked(&*said)));
        agree.map_err(|why| TestCaseError::fail(format!("{}{why}", table.describe())))
    });
    match done {
        Ok(()) => counts.suffice(),
        Err(TestError::Fail(why, _)) => panic!("{why}\nPROPTEST_RNG_SEED={seed} has it again"),
        Err(error) => panic!("{error}"),
    }
}
