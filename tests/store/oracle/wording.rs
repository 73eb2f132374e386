//! Expressions as texts, by the grammar of `docs/expressions.md`: most go with the fields they name.

use ream::{Decimal, FieldType, Parameter, Parameters, Timestamp, Value};

use super::choices::Choices;
use super::table::{Column, Table};

const COMPARISONS: [&str; 6] = ["=", "<", "<=", ">", ">=", "!="];
const PATTERNS: [&str; 17] = [
    "o",
    "^a",
    "",
    "n$",
    "^$",
    "[aA]",
    "(?i)LON",
    "\\d",
    "^.$",
    "é|b",
    "日",
    "\\.",
    "(a|b)*c",
    "\\bdon",
    "\\p{Lu}",
    "[",
    "x{9999}{9999}",
];
/// Numbers at the ends of what types hold, beyond them, and spelled in ways of their own.
const NUMBERS: [&str; 20] = [
    "1000000000000000000",
    "-1000000000000000000",
    "9223372036854775807",
    "-9223372036854775808",
    "999999999999999999",
    "1e18",
    "1e17",
    "-1e308",
    "1e-18",
    "0.000000000000000001",
    "-0.5",
    "-.5",
    "5.",
    "00012",
    "2.5e1",
    "9007199254740993",
    "9223372036854775808",
    "1e30",
    "1e400",
    "0.1234567890123456789",
];
/// 9999-12-30T22:00:00Z, in microseconds.
const LAST_TIME: i64 = 253_402_207_200_000_000;

/// Words an expression on rows of a table.
pub(super) struct Wording<'w> {
    pub(super) choices: Choices<'w>,
    table: &'w Table,
    pub(super) parameters: Parameters,
}

impl<'w> Wording<'w> {
    pub(super) fn new(choices: &'w [u16], table: &'w Table) -> Self {
        Self { choices: Choices::new(choices), table, parameters: Parameters::default() }
    }

    /// A condition, of parts up to `depth` within each other.
    pub(super) fn condition(&mut self, depth: usize) -> String {
        let Some(depth) = depth.checked_sub(1) else { return self.leaf() };
        match self.choices.below(16) {
            0..=7 => self.leaf(),
            8 | 9 => self.list(&[" AND ", " and "], depth),
            10 | 11 => self.list(&[" OR ", " Or "], depth),
            12 => format!("NOT {}", self.condition(depth)),
            13 => format!("NOT ({})", self.condition(depth)),
            14 => format!("({})", self.condition(depth)),
            _ => self.of_conditions(depth),
        }
    }

    fn list(&mut self, words: &[&str], depth: usize) -> String {
        let count = 2 + self.choices.below(2);
        let parts: Vec<String> = (0..count).map(|_| self.condition(depth)).collect();
        let list = parts.join(self.choices.of(words));
        if self.choices.once_in(2) { format!("({list})") } else { list }
    }

    /// What is told of conditions, and not of fields.
    fn of_conditions(&mut self, depth: usize) -> String {
        match self.choices.below(8) {
            0 => format!("({}) = ({})", self.condition(depth), self.condition(depth)),
            1 => format!("({}) != ({})", self.condition(depth), self.condition(depth)),
            2 => format!("({}) IS NULL", self.condition(depth)),
            3 => format!("({}) IS NOT NULL", self.condition(depth)),
            4 => format!("({}) IN ({})", self.condition(depth), self.truth()),
            5 => self.truth(),
            6 => format!("({}) = {}", self.condition(depth), self.truth()),
            _ => "NULL".into(),
        }
    }

    /// A part that tells something of a field.
    fn leaf(&mut self) -> String {
        let at = self.choices.below(self.table.columns.len());
        let column = &self.table.columns[at];
        let name = &column.name;
        if self.choices.once_in(40) {
            // Whether this goes together is left to chance.
            let other = self.choices.below(self.table.columns.len());
            return format!("{name} {} {}", self.comparison(), self.operand(other, 1));
        }
        match (column.kind, self.choices.below(12)) {
            (FieldType::Json, _) | (_, 11) => format!("{name} {}", self.is_null()),
            (FieldType::Boolean, 0..=4) => name.clone(),
            (FieldType::Boolean, 5 | 6) => {
                format!("{name} {} {}", self.in_or_not(), self.members(at))
            }
            (FieldType::Boolean, _) => {
                let sign = self.choices.of(&["=", "!="]);
                format!("{name} {sign} {}", self.operand(at, 0))
            }
            (FieldType::Text { .. }, 6 | 7) => {
                let not = self.choices.of(&["", "NOT "]);
                let (text, part) = (self.operand(at, 0), self.part(at));
                let text = if self.choices.once_in(5) { text } else { name.clone() };
                format!("{text} {not}CONTAINS {part}")
            }
            (FieldType::Text { .. }, 8 | 9) => {
                let pattern = self.choices.of(&PATTERNS);
                format!("{name} =~ {}", self.text(pattern))
            }
            (_, 3..=5) => {
                let subject = self.subject(at);
                format!("{subject} {} {}", self.in_or_not(), self.members(at))
            }
            (_, 10) => format!("{} {}", self.operand(at, 2), self.is_null()),
            _ => {
                let (a, b) = (self.subject(at), self.operand(at, 2));
                let sign = self.comparison();
                if self.choices.once_in(3) {
                    format!("{b} {sign} {a}")
                } else {
                    format!("{a} {sign} {b}")
                }
            }
        }
    }

    fn comparison(&mut self) -> &'static str {
        self.choices.of(&COMPARISONS)
    }

    fn is_null(&mut self) -> &'static str {
        self.choices.of(&["IS NULL", "IS NOT NULL", "is not null"])
    }

    fn in_or_not(&mut self) -> &'static str {
        self.choices.of(&["IN", "NOT IN", "in"])
    }

    fn members(&mut self, at: usize) -> String {
        let count = 1 + self.choices.below(4);
        let members: Vec<String> = (0..count)
            .map(|_| if self.choices.once_in(10) { self.operand(at, 1) } else { self.literal(at) })
            .collect();
        format!("({})", members.join(", "))
    }

    /// A field, by itself or in a calculation.
    fn subject(&mut self, at: usize) -> String {
        if is_number(&self.table.columns[at]) && self.choices.once_in(5) {
            self.calculation(at, 1)
        } else {
            self.table.columns[at].name.clone()
        }
    }

    /// What goes with the field `at`.
    fn operand(&mut self, at: usize, depth: usize) -> String {
        match self.choices.below(10) {
            0..=5 => self.literal(at),
            9 if depth > 0 && is_number(&self.table.columns[at]) => self.calculation(at, depth - 1),
            _ => self.field_like(at),
        }
    }

    /// A field that goes with another, or that one.
    fn field_like(&mut self, at: usize) -> String {
        let kind = self.table.columns[at].kind;
        let goes = |other: &&Column| match (kind, other.kind) {
            (FieldType::Integer, FieldType::Float | FieldType::Decimal { .. })
            | (FieldType::Float | FieldType::Decimal { .. }, FieldType::Integer) => true,
            (kind, other) => kind.name() == other.name(),
        };
        let like: Vec<&Column> = self.table.columns.iter().filter(goes).collect();
        self.choices.of(&like).name.clone()
    }

    fn calculation(&mut self, at: usize, depth: usize) -> String {
        if self.choices.once_in(8) {
            return format!("-{}", self.field_like(at));
        }
        let left = match self.choices.below(6) {
            0..=3 => self.field_like(at),
            4 => self.operand(at, depth),
            _ => format!("({})", self.operand(at, depth)),
        };
        // Small numbers, so that most results are none that is too large.
        let small = self.choices.of(&["1", "2", "0.5", "3", "10", "1.5", "-1", "1e1", "7", "0"]);
        let (sign, right) = match self.choices.below(8) {
            0 | 1 => ("+", self.operand(at, depth)),
            2 | 3 => ("-", self.operand(at, depth)),
            4 => ("*", small.into()),
            5 => ("*", self.field_like(at)),
            6 => ("/", small.into()),
            _ => ("/", self.field_like(at)),
        };
        if self.choices.once_in(3) {
            format!("({left} {sign} {right})")
        } else {
            format!("{left} {sign} {right}")
        }
    }

    /// What is written beside the field `at`, often a value of its rows or one next to it.
    fn literal(&mut self, at: usize) -> String {
        let column = &self.table.columns[at];
        let mut value = column.value(&mut self.choices);
        if let Some(last) = self.table.rows.len().checked_sub(1)
            && self.choices.below(4) > 0
        {
            value = self.table.rows[self.choices.below(last + 1)].values()[at].clone();
        }
        match value {
            Value::Integer(number) => {
                let text = self.integer(number);
                self.number(&text)
            }
            Value::Decimal(number) => {
                let text = self.decimal(number);
                self.number(&text)
            }
            Value::Float(number) => {
                let text = self.float(number);
                self.number(&text)
            }
            Value::Text(text) => self.text(&text),
            Value::Timestamp(time) => {
                let text = self.time(time);
                self.text(&text)
            }
            Value::Blob(bytes) => {
                let mut spelled = Vec::new();
                Value::Blob(bytes).borrow(&mut String::new()).write(&mut spelled);
                let spelled = String::from_utf8(spelled).unwrap();
                self.text(spelled.trim_matches('"'))
            }
            Value::Boolean(_) => self.truth(),
            // A field's null; nothing is written for it but a parameter.
            _ if self.choices.once_in(3) => self.parameter(Parameter::Null),
            _ => self.field_like(at),
        }
    }

    fn integer(&mut self, number: i64) -> String {
        match self.choices.below(10) {
            0..=4 => number.to_string(),
            5 => number.saturating_add(1).to_string(),
            6 => format!("{number}.5"),
            7 => format!("{number}.0"),
            8 => format!("{number}e0"),
            _ => self.choices.of(&NUMBERS).into(),
        }
    }

    fn decimal(&mut self, number: Decimal) -> String {
        let text = number.to_string();
        let point = if text.contains('.') { "" } else { "." };
        let next = Decimal::new(number.mantissa().saturating_add(1), number.scale());
        match self.choices.below(12) {
            0..=4 => text,
            5 => format!("{text}{point}5"),
            6 => format!("{text}{point}0"),
            7 => format!("{text}{point}01"),
            8 => next.unwrap_or(number).to_string(),
            9 => text.split('.').next().unwrap().into(),
            10 => format!("{}e-{}", number.mantissa(), number.scale()),
            _ => self.choices.of(&NUMBERS).into(),
        }
    }

    fn float(&mut self, number: f64) -> String {
        match self.choices.below(8) {
            0 | 1 => format!("{number:?}"),
            2 | 3 => format!("{number:e}"),
            4 => format!("{number}"),
            5 => format!("{:e}", number.next_up()),
            6 => format!("{number:.1}"),
            _ => self.choices.of(&NUMBERS).into(),
        }
    }

    fn time(&mut self, time: Timestamp) -> String {
        const HOUR: i64 = 3_600_000_000;
        let text = time.to_string();
        let left = LAST_TIME - time.as_micros();
        match self.choices.below(8) {
            3 => text.replace('Z', "999Z"),
            4 => text.replace('Z', "-00:00"),
            5 if left > 0 => time.plus_micros(1).to_string(),
            6 if left > HOUR => time.plus_micros(HOUR).to_string().replace('Z', "+01:00"),
            7 => text.replace(".000000", ""),
            _ => text,
        }
    }

    /// A text that may be a part of the field's.
    fn part(&mut self, at: usize) -> String {
        if self.choices.once_in(6) {
            return self.operand(at, 0);
        }
        let rows = &self.table.rows;
        let text =
            match rows.get(self.choices.below(rows.len().max(1))).map(|row| &row.values()[at]) {
                Some(Value::Text(text)) => text,
                _ => "o",
            };
        let (skipped, taken) = (self.choices.below(3), self.choices.below(3));
        let part: String = text.chars().skip(skipped).take(taken).collect();
        self.text(&part)
    }

    fn number(&mut self, text: &str) -> String {
        match self.choices.below(14) {
            0..=9 => text.into(),
            10 => format!("({text})"),
            11 => format!("+{text}"),
            12 => self.parameter(Parameter::Number(text.into())),
            _ => self.parameter(Parameter::Untyped(text.into())),
        }
    }

    fn text(&mut self, text: &str) -> String {
        match self.choices.below(12) {
            0..=4 => format!("'{}'", text.replace('\'', "''")),
            5..=8 => format!("\"{}\"", text.replace('"', "\"\"")),
            9 => self.parameter(Parameter::Text(text.into())),
            _ => self.parameter(Parameter::Untyped(text.into())),
        }
    }

    fn truth(&mut self) -> String {
        match self.choices.below(8) {
            0 | 1 => "TRUE".into(),
            2 | 3 => "FALSE".into(),
            4 => "true".into(),
            5 => self.parameter(Parameter::Boolean(true)),
            6 => self.parameter(Parameter::Untyped("False".into())),
            _ => self.parameter(Parameter::Null),
        }
    }

    fn parameter(&mut self, value: Parameter) -> String {
        let name = format!("p{}", self.parameters.names().count());
        self.parameters.insert(name.as_str(), value);
        format!(":{name}")
    }
}

fn is_number(column: &Column) -> bool {
    matches!(column.kind, FieldType::Integer | FieldType::Float | FieldType::Decimal { .. })
}
