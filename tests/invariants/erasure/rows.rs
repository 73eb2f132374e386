//! The same of rows: when `project delete` has said `"erased":true`, no byte of the deleted rows is in the
//! projection's file or its log.

use std::collections::BTreeMap;
use std::fs;

use ream::{Batched, Row};

use super::{Chance, marker, markers, reader_of};
use crate::support::Home;

/// A projection with a history: rows that are set, replaced and deleted, of a line and of several pages.
struct Rows {
    chance: Chance,
    home: Home,
    next: u32,
    /// The markers that each row has or had, by its key.
    texts: BTreeMap<i64, Vec<u32>>,
    gone: Vec<u32>,
}

impl Rows {
    fn new(seed: u64) -> Self {
        let home = Home::new();
        let fields = ["id:integer:key", "city:text:index", "text:text:null", "amount:decimal:9:2"];
        home.run(&[&["project", "create", "notes"], &fields[..]].concat()).done();
        let chance = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        Self { chance, home, next: 100_000, texts: BTreeMap::new(), gone: Vec::new() }
    }

    /// Sets rows, new ones and others in the place of those that are there.
    fn go_on(&mut self, rows: usize) {
        let store = self.home.open();
        let mut notes = store.projection("notes").unwrap();
        for _ in 0..rows {
            let id = i64::try_from(self.chance.below(80)).unwrap();
            self.next += 1;
            let most = if self.chance.below(9) == 0 { 9000 } else { 1500 };
            let length = 30 + self.chance.below(most);
            let text = marker(self.next).repeat(length / 8);
            let city = marker(self.next);
            let json = format!(r#"{{"id":{id},"city":"{city}","text":"{text}","amount":{id}.50}}"#);
            let row = Row::parse(json.as_bytes(), notes.schema()).unwrap();
            notes.set(&[row], Batched::AllOrNone).unwrap();
            self.texts.entry(id).or_default().push(self.next);
        }
    }

    /// A condition, and that its rows are to go.
    fn condition(&mut self) -> String {
        let (from, count) = (self.chance.below(80), 1 + self.chance.below(20));
        let range = i64::try_from(from).unwrap()..i64::try_from(from + count).unwrap();
        let condition = format!("id >= {} AND amount < {}", range.start, range.end);
        let gone: Vec<i64> = self.texts.range(range).map(|(id, _)| *id).collect();
        for id in gone {
            self.gone.extend(self.texts.remove(&id).unwrap_or_default());
        }
        condition
    }

    /// How many rows a deletion says it has deleted, and whether it has erased them.
    #[track_caller]
    fn delete(&self, condition: &str, options: &[&str]) -> (u64, bool, String) {
        let words = ["project", "delete", "notes", condition, "--yes"];
        let end = self.home.run(&[&words[..], options].concat());
        assert_eq!(end.code, Some(0), "{end:#?}");
        let line: serde_json::Value = serde_json::from_str(&end.stdout).unwrap();
        (line["deleted"].as_u64().unwrap(), line["erased"].as_bool().unwrap(), end.stderr)
    }

    #[track_caller]
    fn check(&self, what: &str) {
        let left: Vec<_> = markers(&self.home)
            .into_iter()
            .filter(|(number, _)| self.gone.contains(number))
            .collect();
        assert!(left.is_empty(), "{what}: {left:?}");
    }
}

#[test]
fn what_is_deleted_is_in_no_file_whatever_the_history() {
    let mut waited = 0;
    for seed in 1..=40 {
        let mut rows = Rows::new(seed);
        let file = rows.home.file("projections/notes.1.db");
        // A log of a few rows, and one of all.
        let pinned = (seed % 3 == 0).then(|| reader_of(&rows.home, &file, "notes"));
        rows.go_on(if seed % 2 == 0 { 40 } else { 250 });
        drop(pinned);
        for _ in 0..3 {
            let condition = rows.condition();
            if rows.chance.below(3) == 0 {
                let in_the_way = reader_of(&rows.home, &file, "notes");
                let (deleted, erased, told) = rows.delete(&condition, &["--lock-timeout", "60ms"]);
                // Where nothing was there, nothing was in the way.
                assert!(!erased || deleted == 0);
                let who = format!("process {} reads the store", in_the_way.0.id());
                assert!(erased || told.starts_with("warning: ") && told.contains(&who), "{told}");
                waited += u64::from(!erased);
                drop(in_the_way);
                // What is not there any more is still erased.
            }
            let (_, erased, told) = rows.delete(&condition, &[]);
            assert!(erased && told.is_empty(), "{told}");
            rows.check(&format!("seed {seed}"));
            rows.go_on(20);
        }
    }
    assert!(waited > 10, "{waited}");
}

#[test]
fn a_generation_that_was_read_when_another_took_its_place_goes_too() {
    let mut rows = Rows::new(7);
    let old = rows.home.file("projections/notes.1.db");
    // It has seen none of them, so that its log has to stay.
    let reader = reader_of(&rows.home, &old, "notes");
    rows.go_on(40);
    let script = r#"echo '{"set":{"id":1,"city":"x","amount":1}}'; cat >/dev/null"#;
    rows.home.append("s");
    rows.home.run(&["project", "rebuild", "notes", "--", "sh", "-c", script]).done();
    assert!(old.exists());
    rows.gone = rows.texts.values().flatten().copied().collect();
    assert!(!rows.delete("TRUE", &["--lock-timeout", "60ms"]).1);
    drop(reader);
    assert!(rows.delete("TRUE", &[]).1);
    assert!(!old.exists());
    rows.check("the old generation");
}

#[test]
fn what_is_only_counted_is_not_erased() {
    let mut rows = Rows::new(9);
    rows.go_on(10);
    let before = fs::read(rows.home.file("projections/notes.1.db")).unwrap();
    let told = rows.home.run(&["project", "delete", "notes", "TRUE", "--dry-run"]).done();
    assert!(!told.contains("erased"), "{told}");
    assert!(fs::read(rows.home.file("projections/notes.1.db")).unwrap() == before);
}
