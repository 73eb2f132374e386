//! A store of format 1 that is kept in `1/`: whatever this ream is, it reads it, and goes on in it.
//!
//! What `ream read` printed of it when it was made is in `1.jsonl`.

use std::fs;

use crate::{Home, made, root};

/// Makes the store, once for all times: `cargo test --test format -- --ignored`.
#[test]
#[ignore = "makes the store that is kept, where there is none"]
fn the_kept_store_is_made() {
    let kept = root().join("1");
    assert!(!kept.exists(), "it is kept, and not made again");
    let home = Home::new();
    made::fill(&home);
    // Whoever closes a database last moves its log into it.
    home.database().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    crate::copy(&home.store(), &kept);
    assert!(!kept.join("db-wal").exists());
    // A link, which not every checkout can make, and which ream makes anew.
    fs::remove_file(kept.join("projections/totals.db")).unwrap();
    fs::write(root().join("1.jsonl"), home.ream(&["read"]).ok()).unwrap();
}

/// A copy of the kept store.
fn kept() -> Home {
    Home::with_copy(&root().join("1"))
}

/// What was printed of it.
fn lines() -> String {
    fs::read_to_string(root().join("1.jsonl")).unwrap()
}

#[test]
fn the_kept_store_is_read_as_it_was() {
    let home = kept();
    assert_eq!(home.copied().read_py().ok(), lines());
    assert_eq!(home.is_read(), lines());

    let removal = r#"{"stream":"gone-1","version":4,"events":4}"#;
    let record = home.ream(&["read", "$ream"]).ok();
    assert!(record.contains(r#","type":"StreamRemoved","#), "{record}");
    assert!(record.ends_with(&format!("\"data\":{removal}}}\n")), "{record}");
    let streams = home.ream(&["stream", "list"]).ok();
    assert_eq!(
        streams,
        concat!(
            r#"{"stream":"Zoë's order","version":1,"events":1,"last_position":5,"protected":false}"#,
            "\n",
            r#"{"stream":"cart-1","version":1,"events":1,"last_position":209,"protected":false}"#,
            "\n",
            r#"{"stream":"files-1","version":2,"events":2,"last_position":7,"protected":false}"#,
            "\n",
            r#"{"stream":"gone-1","version":5,"events":1,"removed":4,"last_position":208,"protected":false}"#,
            "\n",
            r#"{"stream":"many-130","version":131,"events":131,"last_position":202,"protected":false}"#,
            "\n",
            r#"{"stream":"many-64","version":64,"events":64,"last_position":201,"protected":false}"#,
            "\n",
            r#"{"stream":"order-1","version":4,"events":4,"last_position":4,"protected":true}"#,
            "\n",
            r#"{"stream":"order-2","version":2,"events":2,"last_position":211,"protected":false}"#,
            "\n",
        )
    );
    let last = home.ream(&["read", "many-130", "--from", "@131"]).ok();
    let start = r#"{"position":202,"stream":"many-130","version":131,"#;
    assert!(last.starts_with(start) && lines().contains(&last), "{last}");
}

#[test]
fn the_kept_states_decisions_rows_and_checkpoints_are_as_they_were() {
    let home = kept();
    let states = [
        ("cart-1", r#""version":1,"stream_version":1,"position":209,"data":{"full":true}}"#),
        ("files-1", r#""version":1,"stream_version":2,"position":6,"data_base64":"AP8="}"#),
        ("order-2", r#""version":2,"stream_version":2,"position":211,"data":{"paid":true}}"#),
    ];
    for (stream, state) in states {
        let expected = format!("{{\"stream\":\"{stream}\",{state}\n");
        home.ream(&["state", "get", stream]).says(&expected);
    }
    home.ream(&["state", "get", "gone-1"]).fails(4, "error: ");

    // The aggregator is not asked again, nor are the ids of events free.
    let again = home.ream(&["decide", "order-2", r#"{"pay":5}"#, "--id", "pay-1", "--", "false"]);
    let again = again.ok();
    assert!(again.contains(r#""version":2,"#) && again.contains(r#""duplicate":true"#), "{again}");
    let other = ["decide", "order-2", r#"{"pay":6}"#, "--id", "pay-1", "--", "false"];
    home.ream(&other).fails(6, "error: ");
    let gone = home.ream(&["decide", "gone-1", "{}", "--id", "forgotten", "--", "false"]).ok();
    assert!(gone.contains(r#""removed":true"#), "{gone}");
    let gone = home.ream(&["append", "gone-1", "Any", "--id", "gone"]).ok();
    assert!(gone.contains(r#""position":203,"#) && gone.contains(r#""removed":true"#), "{gone}");
    let copied = home.ream_with(&["append", "--jsonl", "-"], &lines()).ok();
    assert_eq!(copied.matches(r#""duplicate":true"#).count(), 206);

    let row = r#""ratio":0.5,"amount":1.10,"raw":"AP8=","at":"#;
    let rows = home.ream(&["project", "select", "totals"]).ok();
    let ends = [
        (r#"{"stream":"order-1","n":4,"#, r#""paid":false,"doc":-0.0}"#),
        (r#"{"stream":"order-2","n":2,"#, r#""paid":false,"doc":{}}"#),
    ];
    assert_eq!(rows.lines().count(), 2);
    for (line, (start, end)) in rows.lines().zip(ends) {
        assert!(line.starts_with(&format!("{start}{row}")) && line.ends_with(end), "{line}");
    }
    home.ream(&["project", "select", "totals", r#"at < "1970-01-01T00:00:00Z" AND amount = 1.1"#])
        .says(&format!("{}\n", rows.lines().next().unwrap()));

    let mailer = home.ream(&["subscription", "show", "mailer"]).ok();
    let parts = [
        r#""checkpoint":1,"#,
        r#""from":["order-*","cart-*"],"types":["Placed","Paid"],"#,
        r#""error":"`python3` failed with exit code 3","#,
    ];
    assert!(parts.iter().all(|part| mailer.contains(part)), "{mailer}");
}

#[test]
fn the_kept_store_goes_on() {
    let home = kept();
    home.ream(&["append", "order-2", "Shipped", "--expect", "2", "--state", "2"]).ok();
    home.ream(&["append", "many-64", "T", "--expect", "64"]).ok();
    home.ream(&["stream", "unprotect", "order-1"]).ok();
    let more = home.is_read();
    assert!(more.starts_with(&lines()), "{more}");
    assert_eq!(more.lines().count(), 208);

    home.ream(&["project", "run", "totals", "--until-caught-up"]).ok();
    let rows = home.ream(&["project", "select", "totals", "n > 2"]).ok();
    assert!(rows.lines().any(|row| row.starts_with(r#"{"stream":"order-2","n":3,"#)), "{rows}");
    home.ream(&["project", "rebuild", "totals"]).ok();
    assert_eq!(home.ream(&["project", "select", "totals", "n > 2"]).ok(), rows);
    let ack = home.ream(&["subscription", "ack", "mailer", "210"]).ok();
    assert!(ack.contains("210"), "{ack}");
    home.ream(&["stream", "rm", "many-130", "--yes"]).ok();
    assert_eq!(home.is_read().lines().count(), 208 - 131);
}

#[test]
fn the_kept_store_is_verified_backed_up_and_restored() {
    let home = kept();
    home.ream(&["verify"]).ok();
    home.ream(&["backup", "copy", "--projections"]).ok();
    home.ream(&["restore", "copy", "again"]).ok();
    let again = |words: &[&str]| home.ream(&[words, &["--store", "again"]].concat());
    again(&["verify"]).ok();
    again(&["read"]).says(&lines());
    assert!(again(&["read", "$ream"]).ok().contains("\"type\":\"StoreRestored\""));
    let rows = ["project", "select", "totals"];
    assert_eq!(again(&rows).ok(), home.ream(&rows).ok());
}
