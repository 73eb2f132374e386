//! What `docs/format.md` shows is so.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use rusqlite::Connection;
use sha2::{Digest as _, Sha256};

use crate::{Home, made, run};

/// The indented blocks of the page, as they stand between their margins.
fn blocks() -> Vec<String> {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/format.md");
    let page = fs::read_to_string(page).unwrap();
    let mut blocks = vec![String::new()];
    for line in page.lines() {
        match line.strip_prefix("    ") {
            Some(line) => blocks.last_mut().unwrap().extend([line, "\n"]),
            None => blocks.push(String::new()),
        }
    }
    blocks.retain(|block| !block.is_empty());
    blocks
}

/// The one block that begins so.
fn block(start: &str) -> String {
    let mut found = blocks();
    found.retain(|block| block.starts_with(start));
    assert_eq!(found.len(), 1, "{start}");
    found.remove(0)
}

/// The definitions in a database, but for those of its indexes that have none.
fn definitions(database: &Connection) -> BTreeSet<String> {
    let select = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL";
    let mut select = database.prepare(select).unwrap();
    let definitions = select.query_map([], |row| row.get(0)).unwrap();
    definitions.map(Result::unwrap).collect()
}

#[test]
fn the_tables_are_those_on_the_page() {
    let home = Home::new();
    made::fill(&home);
    let shown: BTreeSet<String> = blocks()
        .iter()
        .filter(|block| block.starts_with("CREATE "))
        .flat_map(|block| block.split_terminator(";\n"))
        .map(str::to_owned)
        .collect();
    let rows = Connection::open(home.store().join("projections/totals.1.db")).unwrap();
    let mut found = definitions(&home.database());
    let of_rows = |sql: &String| !sql.contains("totals");
    found.extend(definitions(&rows).into_iter().filter(of_rows));
    assert_eq!(shown, found);
}

#[test]
fn the_marker_on_the_page_is_one() {
    let marker = block("ream store\n");
    let (lines, checksum) = marker.split_once("checksum: ").unwrap();
    let hash: [u8; 32] = Sha256::digest(lines).into();
    let first = u64::from_be_bytes(*hash.first_chunk().unwrap());
    assert_eq!(checksum, format!("{first:016x}\n"));
    let home = Home::new();
    fs::write(home.store().join("store"), marker).unwrap();
    let status = home.ream(&["status"]).ok();
    assert!(status.contains(r#""store":"4fz0k7m2q9xwb","#), "{status}");
}

#[test]
fn a_setting_is_changed_by_hand_as_the_page_says() {
    let home = Home::new();
    let mut sh = Command::new("sh");
    sh.args(["-euc", &block("sed ")]).current_dir(home.store().parent().unwrap());
    run(&mut sh, "").says("");
    let status = home.ream(&["status"]).ok();
    assert!(status.contains(r#""max_data_bytes":1048576"#), "{status}");
    home.is_read();
}
