//! `ream backup`.

use std::fs;

use crate::harness::{Ream, bare, ream};

/// Three events of two streams, and a projection of one row, whose making is an event as well.
fn shop() -> Ream {
    let shop = ream();
    shop.append("order-1", "T", "1").ok();
    shop.append("order-2", "T", "2").ok();
    shop.append("order-1", "T", "3").ok();
    shop.run(["project", "create", "users", "id:integer:key", "--from", "order-*"]).ok();
    shop.run(["project", "set", "users", r#"{"id":7}"#]).ok();
    shop
}

#[test]
fn a_backup_is_a_store_and_says_what_it_is() {
    let shop = shop();
    let made = shop.run(["backup", "copy"]).value();
    let last = shop.run(["read", "-n", "1"]).bytes();
    assert_eq!(shop.run(["read", "-n", "1", "--store", "copy"]).bytes(), last);
    let path = fs::canonicalize(shop.path("copy")).unwrap();
    assert_eq!(made["backup"].as_str(), path.to_str());
    assert_eq!(made["store"].as_str(), shop.id().as_deref());
    assert_eq!((&made["head"], &made["events"]), (&4.into(), &4.into()));
    assert_eq!(made["projections"], serde_json::json!([]));
    assert!(made.get("damaged").is_none(), "{made}");
    let manifest = fs::read_to_string(shop.path("copy/backup.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    for key in ["store", "head", "link", "time", "events"] {
        assert_eq!(manifest[key], made[key], "{key}");
    }
    let db = fs::symlink_metadata(shop.path("copy/db")).unwrap().len();
    assert_eq!(manifest["files"], serde_json::json!([{"file": "db", "bytes": db}]));
    assert_eq!(made["bytes"], db);
    for (file, mode) in [("copy", 0o700), ("copy/backup.json", 0o600), ("copy/db", 0o600)] {
        assert_eq!(shop.mode(file), mode, "{file}");
    }
    assert!(!shop.path("copy.partial").exists());
    shop.run(["backup", "shown", "--format", "table"])
        .stdout("[home]/shown: backed up, 4 events, up to position 4, 48.00 KiB\n");
    shop.run(["backup", "quiet", "--format", "table", "-q"]).stdout("");
}

#[test]
fn rows_of_projections_are_in_it_where_that_is_asked_for() {
    let shop = shop();
    shop.run(["backup", "without"]).ok();
    shop.run(["project", "select", "users", "--store", "without"]).fails(
        1,
        "error: without is a backup without the rows of the projection `users`\n\
         hint: restore it, and rebuild them there: ream restore without without-restored\n",
    );
    // That they are left out is no damage.
    shop.run(["verify", "--store", "without"]).ok();
    let made = shop.run(["backup", "with", "--projections"]).value();
    assert_eq!(made["projections"], serde_json::json!(["users"]));
    shop.run(["project", "select", "users", "--store", "with"]).stdout("{\"id\":7}\n");
}

/// Rows can be made again: that some can't be read does not keep events from being backed up or restored.
#[test]
fn a_damaged_projection_is_left_out_with_a_warning() {
    let shop = shop();
    shop.run(["project", "create", "other", "id:integer:key"]).ok();
    shop.run(["backup", "whole", "--projections"]).ok();
    let says = "warning: the file of the projection `users`, [home]/";
    let left_out = "; the copy is made without its rows\n";
    let damage = |file: &str| {
        let path = shop.path(file);
        let mut bytes = fs::read(&path).unwrap();
        bytes[..16].fill(0);
        fs::write(&path, bytes).unwrap();
    };
    damage(".ream/projections/users.1.db");
    let backup = shop.run(["backup", "part", "--projections"]).code(0);
    let made = backup.stderr_has([says, left_out]).value();
    assert_eq!(made["projections"], serde_json::json!(["other"]));
    damage("whole/projections/users.1.db");
    let restore = shop.run(["restore", "whole", "again"]).code(0);
    let restored = restore.stderr_has(["warning: the file of", "`users`", left_out]).value();
    assert_eq!(restored["projections"], serde_json::json!(["other"]));
    assert_eq!(restored["to_rebuild"], serde_json::json!(["users"]));
    shop.run(["project", "select", "other", "--store", "again"]).ok();
    shop.run(["verify", "--store", "part"]).ok();
}

#[test]
fn nothing_is_made_within_a_store() {
    let shop = shop();
    shop.run(["backup", "copy"]).ok();
    for (args, store) in [
        (["backup", ".ream/inside"].as_slice(), ".ream"),
        (&["backup", ".ream/bell/inside"], ".ream"),
        (&["restore", "copy", "copy/inside"], "copy"),
        (&["init", ".ream/inside"], ".ream"),
        (&["init", "copy/bell/a/b"], "copy"),
    ] {
        let inside = args.last().unwrap();
        let says = format!(" lies in the store [home]/{store}, where nothing else belongs\n");
        let hint = format!("hint: name a directory beside it: ream {}", args[0]);
        shop.run(args.iter().copied()).fails_with(1, [inside, &*says, &*hint]);
        assert!(!shop.path(inside).exists(), "{inside}");
    }
    assert!(!shop.path(".ream/inside.partial").exists());
}

#[test]
fn nothing_is_overwritten() {
    let shop = shop();
    shop.run(["backup", "copy"]).ok();
    let hint = "hint: name another directory: ream backup copy-2\n";
    shop.run(["backup", "copy"])
        .fails(1, &format!("error: copy is there already, and nothing is overwritten\n{hint}"));
    shop.write("copy-2", "a file");
    shop.run(["backup", "copy-2"]).fails(
        1,
        "error: copy-2 is there already, and nothing is overwritten\n\
         hint: name another directory: ream backup copy-2-2\n",
    );
    shop.run(["backup", ".ream"]).fails_with(1, ["error: .ream is there already"]);
    shop.write("other.partial/mine", "");
    shop.run(["backup", "other"]).fails_with(
        1,
        [
            "other.partial is there already, and nothing is overwritten\n",
            "ream backup [home]/other-2\n",
        ],
    );
    shop.run(["backup", "none/copy"]).fails_with(1, ["error: can't find none\n"]);
    fs::create_dir(shop.path("empty")).unwrap();
    shop.run(["backup", "empty"]).ok();
    bare().run(["backup", "copy"]).fails_with(4, ["hint: ream init"]);
}

#[test]
fn a_backup_that_was_killed_is_made_again() {
    let shop = shop();
    shop.run(["backup", "copy"]).ok();
    shop.sh("mv copy copy.partial && rm copy.partial/store && echo 'ream partial' >copy.partial/partial")
        .ok();
    shop.run(["backup", "copy"])
        .stderr(
            "warning: [home]/copy.partial was left by a backup or a restore that did not finish; \
             it is removed\n",
        )
        .ok();
    assert!(!shop.path("copy.partial").exists());
}

#[test]
fn a_damaged_store_is_backed_up_where_that_is_meant() {
    let shop = shop();
    shop.sh("cp .ream/bell/bell bell; mkdir old; cp .ream/db .ream/db-wal old").ok();
    shop.append("order-1", "T", "4").ok();
    shop.sh("rm .ream/db-shm && cp old/* .ream").ok();
    let lost =
        "the store lost acknowledged events: position 5 was acknowledged, and the last one is 4";
    shop.run(["backup", "copy"]).fails(
        1,
        &format!(
            "error: {lost}\nhint: to back up what is left of it: ream backup --damaged copy\n\
             hint: see all that is wrong: ream verify\n"
        ),
    );
    assert!(!shop.path("copy").exists() && !shop.path("copy.partial").exists());
    let made = shop.run(["backup", "--damaged", "copy"]).value();
    assert_eq!((&made["head"], &made["damaged"]), (&4.into(), &lost.into()));
    shop.run(["read", "--store", "copy", "-n", "1"]).stdout_has(["\"position\":3"]);
}

#[test]
fn what_is_not_as_it_was_stored_is_no_backup() {
    let shop = shop();
    let database = rusqlite::Connection::open(shop.path(".ream/db")).unwrap();
    database.execute("UPDATE events SET data = '4' WHERE position = 2", ()).unwrap();
    drop(database);
    let what = "the event at position 2 can't be read: it is not what was stored";
    shop.run(["backup", "copy"]).fails_with(
        1,
        [
            "error: the store is damaged: event 2: ",
            "\nhint: to back up what is left of it: ream backup --damaged copy\n",
        ],
    );
    assert!(!shop.path("copy").exists() && !shop.path("copy.partial").exists());
    let made = shop.run(["backup", "--damaged", "copy"]).value();
    assert!(made["damaged"].as_str().is_some_and(|told| told.starts_with("event 2: ")), "{made}");
    shop.run(["read", "--store", "copy", "--until", "1"]).ok();
    shop.run(["read", "--store", "copy"]).code(1).stderr_has([what]).bytes();
}

#[test]
fn what_writes_to_a_backup_is_refused_and_told_how_to_go_on() {
    let shop = shop();
    shop.run(["backup", "copy", "--projections"]).ok();
    let before = shop.sh("sha256sum copy/db copy/bell/bell copy/changes copy/projections/*").text();
    let words = "copy is a backup; to write to it, restore it into a new directory\n";
    let hint = "hint: ream restore copy copy-restored\n";
    shop.write("lines", "{\"stream\":\"s\",\"type\":\"T\"}\n");
    for line in [
        "append order-1 T",
        "append --jsonl lines",
        "stream protect order-1",
        "stream rm order-1 --yes",
        "state set order-1 1",
        "project create others id:integer:key",
        "project set users {\"id\":8}",
        "project delete users id=7 --yes",
        "project drop users --yes",
        "project rebuild users -- cat",
        "project run users -- cat",
        "tail --as hook -- cat",
        "serve",
    ] {
        shop.run(["--store", "copy"]).args(line.split(' ')).fails_with(1, [words, hint]);
    }
    for line in [
        "read",
        "status",
        "stream list",
        "project list",
        "project select users",
        "tail -n 1 --limit 1",
    ] {
        shop.run(["--store", "copy"]).args(line.split(' ')).ok();
    }
    shop.sh("sha256sum copy/db copy/bell/bell copy/changes copy/projections/*").stdout(&before);
}

#[test]
fn a_removal_names_the_backups_that_keep_what_is_removed() {
    let shop = shop();
    shop.run(["state", "set", "order-1", "1"]).ok();
    shop.run(["backup", "copy"]).ok();
    shop.append("later", "T", "1").ok();
    let note = "note: the backup [home]/copy keeps what was in the store when it was made\n";
    let backups = "\"backups\":[\"[home]/copy\"]";
    shop.run(["stream", "rm", "order-2", "--dry-run"]).stderr(note).stdout_has([backups]);
    shop.run(["state", "rm", "order-1", "--yes"]).stderr(note).stdout_has([backups]);
    shop.run(["stream", "rm", "order-1", "order-2", "--yes"]).stderr(note).stdout_has([backups]);
    let later = shop.run(["stream", "rm", "later", "--yes"]).text();
    assert!(!later.contains("backups"), "{later}");
    fs::remove_dir_all(shop.path("copy")).unwrap();
    shop.append("order-1", "T", "5").ok();
    let gone = shop.run(["stream", "rm", "order-1", "--yes"]).text();
    assert!(!gone.contains("backups"), "{gone}");
}
