//! `ream status`.

use std::fs;

use crate::harness::{Ream, ream};

/// A store with five events of two streams, and a removed stream of two.
fn shop() -> Ream {
    let shop = ream();
    shop.fill("order-1", 3).fill("order-2", 2).fill("gone", 2);
    shop.run(["stream", "rm", "--yes", "gone"]).ok();
    shop
}

#[test]
fn a_store_says_how_it_stands() {
    let shop = shop();
    let status = shop.run(["status"]).value();
    // The removal has a position too, but is no event of a stream that a user has.
    for (field, value) in [("head", 8), ("events", 5), ("streams", 2), ("format", 1)] {
        assert_eq!(status[field], value, "{field}: {status}");
    }
    assert_eq!(status["store"], shop.id().unwrap());
    assert_eq!(status["path"], shop.path(".ream").to_str().unwrap());
    assert_eq!(status["engine"], "sqlite");
    assert_eq!(status["max_data_bytes"], 16 * 1024 * 1024);
    let sqlite: Vec<u32> = status["sqlite_version"]
        .as_str()
        .unwrap()
        .split('.')
        .map(|number| number.parse().unwrap())
        .collect();
    assert!(sqlite >= vec![3, 51, 3], "{sqlite:?}");
    let length = |name: &str| fs::symlink_metadata(shop.path(name)).unwrap().len();
    assert_eq!(status["bytes"], length(".ream/db"));
    assert_eq!(status["wal_bytes"], length(".ream/db-wal"));
    let last = shop.run(["read", "$ream"]).value();
    assert_eq!(status["last_recorded"], last["time"]);
}

#[test]
fn an_empty_store_has_recorded_nothing() {
    let status = ream().run(["status"]).value();
    assert_eq!((&status["head"], &status["events"]), (&0.into(), &0.into()));
    assert!(status["last_recorded"].is_null(), "{status}");
}

#[test]
fn a_table_has_a_line_a_fact() {
    let shop = shop();
    let table = shop.run(["status", "--format", "table"]).text();
    let names: Vec<&str> = table.lines().map(|line| line[..13].trim()).collect();
    assert_eq!(
        names,
        [
            "store",
            "id",
            "head",
            "link",
            "events",
            "streams",
            "last recorded",
            "size",
            "log",
            "erasing",
            "largest data",
            "format",
            "engine"
        ]
    );
    assert!(table.contains("largest data   16.00 MiB\n"), "{table}");
    assert!(table.contains("id             [store]\n"), "{table}");
}

#[test]
fn a_store_may_take_larger_data_by_its_setting() {
    let shop = ream();
    let lines = r#"lines=$(sed '/^checksum/d; s/^max-data-bytes.*/max-data-bytes: 100/' .ream/store)
        sum=$(printf '%s\n' "$lines" | sha256sum | cut -c 1-16)
        printf '%s\nchecksum: %s\n' "$lines" "$sum" > .ream/store"#;
    shop.sh(lines).ok();
    assert_eq!(shop.run(["status"]).value()["max_data_bytes"], 100);
    let data = |length: usize| format!("\"{}\"", "x".repeat(length - 2));
    shop.append("s", "T", &data(100)).ok();
    shop.append("s", "T", &data(101)).fails_with(6, ["100"]);
}
