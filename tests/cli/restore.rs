//! `ream restore`.

use std::fs;

use serde_json::{Value, json};

use crate::harness::{Ream, ream};

const READS: &str = "cat >/dev/null";

/// A backup of eight events, two of them acts, of which the last five led to a state, a decision, a subscription's checkpoint and a
/// projection's.
fn backed_up() -> Ream {
    let shop = ream();
    for number in 1..=3 {
        shop.append("order-1", "T", &format!("\"early {number}\"")).ok();
    }
    shop.run(["state", "set", "order-1", "\"early state\""]).ok();
    shop.append("order-2", "T", "\"late data\"").ok();
    shop.run(["state", "set", "order-2", "\"late state\""]).ok();
    shop.write("decide", "cat >/dev/null; echo '{\"append\":{\"type\":\"T\",\"data\":\"late\"}}'");
    shop.run(["decide", "order-1", "{}", "--id", "k", "--", "sh", "decide"]).ok();
    shop.run(["project", "create", "users", "id:integer:key", "--from", "order-*"])
        .args(["--", "sh", "-c", READS])
        .ok();
    shop.run(["project", "run", "users", "--until-caught-up"]).ok();
    shop.run(["tail", "--as", "hook", "--until-caught-up", "--", "sh", "-c", READS]).ok();
    shop.append("order-1", "T", "\"late data\"").ok();
    shop.run(["backup", "copy", "--projections"]).ok();
    shop
}

#[test]
fn a_backup_becomes_a_store() {
    let shop = backed_up();
    let restored = shop.run(["restore", "copy", "new"]).value();
    let path = fs::canonicalize(shop.path("new")).unwrap();
    assert_eq!(restored["restored"].as_str(), path.to_str());
    assert_eq!(restored["store"].as_str(), shop.id().as_deref());
    for (key, expected) in [
        ("backup", json!("copy")),
        ("head", json!(8)),
        ("events_dropped", json!(0)),
        ("states_dropped", json!([])),
        ("subscriptions_moved", json!([])),
        ("projections", json!(["users"])),
        ("to_rebuild", json!([])),
    ] {
        assert_eq!(restored[key], expected, "{key}");
    }
    let here = shop.run(["read"]).bytes();
    assert_eq!(shop.run(["read", "--store", "new"]).bytes(), here);
    shop.run(["verify", "--store", "new"]).ok();
    for file in ["new", "new/bell", "new/projections"] {
        assert_eq!(shop.mode(file), 0o700, "{file}");
    }
    for file in ["new/store", "new/db", "new/projections/users.1.db"] {
        assert_eq!(shop.mode(file), 0o600, "{file}");
    }
    assert!(!shop.path("new/backup.json").exists());
    shop.run(["append", "--store", "new", "order-1", "T"]).ok();
    // A program that is remembered has to be allowed where it was not given.
    shop.run(["project", "run", "users", "--store", "new"]).fails_with(1, ["project allow users"]);
    shop.run(["restore", "copy", "shown", "--format", "table"])
        .stdout("[home]/shown: restored, up to position 8, 60.00 KiB\n");
}

#[test]
fn what_lies_behind_the_end_is_left_out_and_named() {
    let shop = backed_up();
    let restored = shop.run(["restore", "copy", "new", "--until", "3"]).value();
    for (key, expected) in [
        ("head", json!(3)),
        ("events_dropped", json!(5)),
        ("states_dropped", json!(["order-2"])),
        ("decisions_dropped", json!(1)),
        ("subscriptions_moved", json!(["hook"])),
        ("projections", json!([])),
        ("to_rebuild", json!(["users"])),
    ] {
        assert_eq!(restored[key], expected, "{key}");
    }
    shop.run(["read", "$ream", "--store", "new"]).stdout_has([
        "\"type\":\"StoreRestored\"",
        "{\"store\":\"[store]\",\"position\":3,\"events_dropped\":5}",
    ]);
    // No byte of it is in any file.
    shop.sh("grep -rl late new").code(1).stdout("");
    let store = ["--store", "new"];
    shop.run(["project", "rebuild", "users", "--allow"]).args(store).ok();
    shop.run(["verify"]).args(store).ok();
    shop.run(["state", "get", "order-1"]).args(store).stdout_has(["early state"]);
    shop.run(["subscription", "show", "hook"]).args(store).stdout_has(["\"checkpoint\":3"]);
    let decided =
        shop.run(["decide", "order-1", "{}", "--id", "k", "--store", "new", "--", "sh", "decide"]);
    assert!(!decided.text().contains("duplicate"));
    shop.run(["restore", "copy", "shown", "--until", "3", "--format", "table"]).stdout(
        "[home]/shown: restored, up to position 3, 48.00 KiB\n\
         \u{20} left out: 5 events behind it\n\
         \u{20} left out: the state of order-2, which reflects one of them\n\
         \u{20} left out: 1 decision behind it\n\
         \u{20} the subscription `hook` is moved back to it\n\
         \u{20} the projection `users` has no rows until it is rebuilt\n",
    );
}

#[test]
fn a_projection_that_has_not_come_further_is_restored() {
    let shop = backed_up();
    let restored = shop.run(["restore", "copy", "new", "--until", "5"]).value();
    assert_eq!((&restored["projections"], &restored["head"]), (&json!(["users"]), &json!(5)));
    shop.run(["verify", "--store", "new"]).ok();
}

#[test]
fn the_log_may_end_at_a_time() {
    let shop = backed_up();
    let third = shop.run(["read", "--from", "3", "--limit", "1"]).value();
    let time = third["time"].as_str().unwrap();
    let restored = shop.run(["restore", "copy", "new", "--until", time]).value();
    assert_eq!(restored["head"], 3);
    let restored = shop.run(["restore", "copy", "none", "--until", "2020-01-01T00:00:00Z"]).value();
    assert_eq!((&restored["head"], &restored["events_dropped"]), (&json!(0), &json!(8)));
    shop.run(["restore", "copy", "all", "--until", "2999-01-01T00:00:00Z"])
        .stdout_has(["\"head\":8"]);
    shop.run(["restore", "copy", "more", "--until", "9"])
        .fails_with(6, ["error: position 9 is beyond the head, 8\n"]);
    shop.run(["restore", "copy", "more", "--until", "@2"])
        .fails_with(2, ["--until takes a position or a time"]);
    assert!(!shop.path("more").exists() && !shop.path("more.partial").exists());
}

#[test]
fn a_store_is_never_restored_over() {
    let shop = backed_up();
    shop.run(["restore", "copy", ".ream"]).fails(
        1,
        "error: .ream is there already, and nothing is overwritten\n\
         hint: name another directory: ream restore copy .ream-2\n",
    );
    shop.run(["restore", "copy", "copy"]).fails_with(1, ["error: copy is there already"]);
    shop.run(["restore", ".ream", "new"]).fails(
        1,
        "error: .ream is not a backup: it has no backup.json\nhint: ream backup --help\n",
    );
    shop.run(["restore", "none", "new"])
        .fails(4, "error: no store at none\nhint: ream backup --help\n");
    assert!(!shop.path("new").exists());
}

#[test]
fn a_manifest_that_lies_is_refused() {
    let shop = backed_up();
    let text = fs::read_to_string(shop.path("copy/backup.json")).unwrap();
    let with = |change: &dyn Fn(&mut Value)| {
        let mut manifest: Value = serde_json::from_str(&text).unwrap();
        change(&mut manifest);
        fs::write(shop.path("copy/backup.json"), manifest.to_string()).unwrap();
    };
    let refused = |what: &str| {
        let error = "error: copy/backup.json is not the manifest of this backup: ";
        let hint = "hint: take another backup; see what is in this one: ream status --store copy\n";
        shop.run(["restore", "copy", "new"]).fails_with(1, [error, what, hint]);
        assert!(!shop.path("new").exists() && !shop.path("new.partial").exists(), "{what}");
    };
    let link = "0123456789abcdef0123456789abcdef";
    let says = |key: &str, value: Value, what: &str| {
        with(&|manifest| manifest[key] = value.clone());
        refused(what);
    };
    says("manifest", json!(2), "a later version of ream wrote it");
    says("store", json!("0000000000000"), "it says 0000000000000 for `store`, and the backup has");
    says("format", json!(2), "it says 2 for `format`, and the backup has 1");
    says("head", json!(5), "it says 5 for `head`, and the backup has 8");
    says("link", json!(link), &format!("it says {link} for `link`, and the backup has "));
    says("time", json!("now"), "`time`: ");
    says("events", json!(7), "it says 7 for `events`, and the backup has 8");
    says("files", json!([]), "for `files`, and the backup has db, projections/users.1.db");
    says("projections", json!([]), "it says db, projections/users.1.db for `files`");
    for (file, what) in [(0, "bytes of db"), (1, "bytes of projections/users.1.db")] {
        with(&|manifest| manifest["files"][file]["bytes"] = json!(1));
        refused(&format!("it says 1 for `{what}`"));
    }
    with(&|manifest| manifest["projections"][0]["position"] = json!(4));
    refused("it says 4 for `position of users`, and the backup has 5");
    with(&|manifest| manifest["projections"][0]["projection"] = json!("../users"));
    refused("`../users` is not a projection");
    fs::write(shop.path("copy/backup.json"), "{").unwrap();
    refused("EOF while parsing");
    fs::write(shop.path("copy/backup.json"), &text).unwrap();
    shop.run(["restore", "copy", "new"]).ok();
}

#[test]
fn a_backup_that_was_cut_short_or_changed_is_refused() {
    let shop = backed_up();
    shop.sh("cp copy/db whole; truncate -s -4096 copy/db").ok();
    shop.run(["restore", "copy", "new"]).fails_with(1, ["for `bytes of db`, and the backup has "]);
    shop.sh("rm copy/db-*; cp whole copy/db").ok();
    let database = rusqlite::Connection::open(shop.path("copy/db")).unwrap();
    database.execute("UPDATE events SET data = '4' WHERE position = 2", ()).unwrap();
    drop(database);
    shop.run(["restore", "copy", "new"]).fails_with(
        1,
        [
            "error: the store is damaged: event 2: ",
            "hint: take another backup; what is in this one",
        ],
    );
    assert!(!shop.path("new").exists());
    shop.sh("rm copy/db-*; cp whole copy/db").ok();
    shop.run(["restore", "copy", "new"]).ok();
}

#[test]
fn a_damaged_store_that_was_backed_up_as_it_was_is_restored_as_it_was() {
    let shop = backed_up();
    let database = rusqlite::Connection::open(shop.path(".ream/db")).unwrap();
    database.execute("UPDATE events SET data = '4' WHERE position = 2", ()).unwrap();
    drop(database);
    shop.run(["backup", "--damaged", "damaged"]).ok();
    shop.run(["restore", "damaged", "new"]).stdout_has(["\"damaged\":\"event 2: "]);
    shop.run(["restore", "damaged", "before", "--until", "1"]).ok();
    shop.run(["read", "--store", "before"]).stdout_has(["early 1"]);
}

#[test]
fn rows_of_events_that_were_left_out_are_not_taken_for_those_of_others() {
    let shop = backed_up();
    shop.run(["restore", "copy", "new", "--until", "3"]).ok();
    for _ in 0..3 {
        shop.run(["append", "--store", "new", "order-1", "Other"]).ok();
    }
    shop.sh("cp copy/projections/users.1.db new/projections").ok();
    shop.run(["project", "run", "users", "--store", "new", "--allow"]).fails_with(
        1,
        ["the checkpoint of `users`, 5, is none of this store: another event stands there now"],
    );
}
