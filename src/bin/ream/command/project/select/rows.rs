//! Rows on their way out, in each format.

use std::borrow::Cow;
use std::io::{self, IsTerminal as _};
use std::ops::ControlFlow;

use ream::{Projection, RowRef, RowWriter, Selection, ValueRef};

use crate::args::{Format, Global};
use crate::output::{Output, escape, note, table};
use crate::spool::Spool;

/// How much is written at once, in bytes.
const BUFFER: usize = 64 * 1024;
/// How many rows are lined up together for the eye.
const LINED_UP: usize = 1000;

/// Writes the rows of `selection`.
pub(super) fn write_rows(
    projection: &Projection,
    selection: &Selection,
    output: Output,
    global: &Global,
) -> anyhow::Result<()> {
    let names: Vec<&str> =
        selection.fields.iter().map(|at| projection.schema().fields()[*at].name.as_str()).collect();
    let mut spool = Spool::new(&output);
    let mut rows =
        Rows { writer: RowWriter::new(&names), names, output, lined_up: Vec::new(), written: 0 };
    let mut buffer = Vec::with_capacity(2 * BUFFER);
    rows.begin(&mut buffer);
    let mut failed = None;
    projection.select(selection, |row| {
        let mut next = || {
            let whole = buffer.len();
            // Of a row that can't be read, no part is shown.
            rows.row(&mut buffer, row).inspect_err(|_| buffer.truncate(whole))?;
            if buffer.len() < BUFFER {
                return Ok(true);
            }
            let spare = spool.send(std::mem::take(&mut buffer))?;
            let goes_on = spare.is_some();
            buffer = spare.unwrap_or_default();
            anyhow::Ok(goes_on)
        };
        match next() {
            Ok(true) => ControlFlow::Continue(()),
            Ok(false) => ControlFlow::Break(()),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        }
    })?;
    rows.end(&mut buffer);
    let written = spool.finish(buffer);
    if let Some(error) = failed {
        return Err(error);
    }
    if rows.written == 0 && rows.output.format == Format::Table && io::stderr().is_terminal() {
        note(global, "note:", "there is no such row");
    }
    written
}

/// Rows in a format.
struct Rows<'s> {
    names: Vec<&'s str>,
    writer: RowWriter,
    output: Output,
    /// Rows that are not yet lined up.
    lined_up: Vec<Vec<String>>,
    written: u64,
}

impl Rows<'_> {
    fn begin(&self, buffer: &mut Vec<u8>) {
        if self.output.format == Format::Csv {
            buffer.extend_from_slice(self.names.join(",").as_bytes());
            buffer.push(b'\n');
        }
    }

    fn row(&mut self, buffer: &mut Vec<u8>, row: &RowRef<'_>) -> Result<(), ream::Error> {
        self.written += 1;
        match self.output.format {
            Format::Jsonl | Format::Cloudevents => {
                self.writer.write(buffer, |place| row.value(place))?;
                buffer.push(b'\n');
            }
            Format::Json => {
                let mut line = Vec::new();
                self.writer.write(&mut line, |place| row.value(place))?;
                self.output.record(buffer, &line);
            }
            Format::Csv => {
                for place in 0..self.names.len() {
                    if place > 0 {
                        buffer.push(b',');
                    }
                    let from = buffer.len();
                    row.value(place)?.write_csv(buffer);
                    if self.output.terminal {
                        escape_field(buffer, from);
                    }
                }
                buffer.push(b'\n');
            }
            Format::Table => {
                let cells = (0..self.names.len()).map(|place| row.value(place).map(cell));
                self.lined_up.push(cells.collect::<Result<_, _>>()?);
                if self.lined_up.len() == LINED_UP {
                    self.line_up(buffer);
                }
            }
        }
        Ok(())
    }

    fn line_up(&mut self, buffer: &mut Vec<u8>) {
        let lined_up = std::mem::take(&mut self.lined_up);
        buffer.extend_from_slice(table(&self.names, lined_up).as_bytes());
    }

    fn end(&mut self, buffer: &mut Vec<u8>) {
        if !self.lined_up.is_empty() {
            self.line_up(buffer);
        }
        buffer.extend_from_slice(self.output.end());
    }
}

/// A value for the eye: null is nothing.
fn cell(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => String::new(),
        ValueRef::Text(text) | ValueRef::Timestamp(text) => text.into(),
        ValueRef::Blob(bytes) => format!("({} bytes)", bytes.len()),
        value => {
            let mut json = Vec::new();
            value.write(&mut json);
            String::from_utf8_lossy(&json).into_owned()
        }
    }
}

/// Escapes the field that begins at `from`: an end of line in it would show as another record.
fn escape_field(buffer: &mut Vec<u8>, from: usize) {
    let field = String::from_utf8_lossy(&buffer[from..]);
    if let Cow::Owned(escaped) = escape(&field) {
        buffer.truncate(from);
        buffer.extend_from_slice(escaped.as_bytes());
    }
}
