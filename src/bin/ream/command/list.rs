//! Lists what a store has, page by page: as JSON while it is read, or as a table.

use ream::Error;

use crate::args::{Format, Global};
use crate::output::{Output, table};

/// How much is read at once.
pub(super) const PAGE: usize = 1000;

/// Lists `all` that there is.
pub(super) fn list_all<T>(
    global: &Global,
    header: &[&str],
    all: Vec<T>,
    cells: impl Fn(&T) -> Vec<String>,
    json: impl Fn(&T) -> anyhow::Result<Vec<u8>>,
) -> anyhow::Result<()> {
    let mut all = Some(all);
    // All of it is one page.
    list(global, header, |_| Ok(all.take().unwrap_or_default()), cells, json)
}

/// Lists what `page` gives behind the last that it gave, at most [`PAGE`] at once.
pub(super) fn list<T>(
    global: &Global,
    header: &[&str],
    mut page: impl FnMut(Option<&T>) -> Result<Vec<T>, Error>,
    cells: impl Fn(&T) -> Vec<String>,
    json: impl Fn(&T) -> anyhow::Result<Vec<u8>>,
) -> anyhow::Result<()> {
    let mut output = Output::new(global);
    let mut rows = Vec::new();
    let mut last = None;
    loop {
        let found = page(last.as_ref())?;
        let mut buffer = Vec::new();
        for one in &found {
            if output.format == Format::Table {
                rows.push(cells(one));
            } else {
                output.record(&mut buffer, &json(one)?);
            }
        }
        output.write(&buffer)?;
        if found.len() < PAGE {
            break;
        }
        last = found.into_iter().next_back();
    }
    if !rows.is_empty() {
        output.write(table(header, rows).as_bytes())?;
    }
    output.write(output.end())
}
