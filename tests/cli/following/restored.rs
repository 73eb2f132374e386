//! A store whose `db` was restored from an older copy: what follows the log has seen events that are not
//! there, and must not go on as if it had seen those that are.

use super::{react, seen};
use crate::harness::Ream;

/// A store with three events, a projection and a subscription that have done six, and a projection that
/// has done none; without the records of what was acknowledged.
fn restored() -> Ream {
    let shop = seen(3);
    let remember = "cat >/dev/null";
    let later = ["project", "create", "later", "n:integer:key", "--from", "s"];
    shop.run(later).args(["--", "sh", "-c", remember]).ok();
    shop.run(["project", "run", "seen", "s", "--until-caught-up", "--", "sh", "-c", remember]).ok();
    react(&shop, &["s", "--until-caught-up"], remember).ok();
    shop.sh("mkdir old && cp .ream/db* old && rm -f old/db-shm").ok();
    shop.fill("s", 3);
    shop.run(["project", "run", "seen", "--until-caught-up"]).ok();
    react(&shop, &["s", "--until-caught-up"], remember).ok();
    shop.run(["project", "set", "seen", r#"{"position":6}"#]).ok();
    // In its place, so that the programs that were given here stay allowed.
    shop.sh("rm .ream/db-* && cp old/* .ream").ok();
    shop.sh("rm .ream/bell/bell .ream/changes").ok();
    shop
}

const LOST: &str = "the store has lost what stood there";
const OTHER: &str = "another event stands there now";
const ANEW: &str = "hint: make it anew: ream project rebuild seen\n";

/// That no place is taken for one in this log: queries that wait refuse, the others are marked.
#[track_caller]
fn is_marked(shop: &Ream, reason: &str, lag: u64) {
    let seen = format!("the checkpoint of `seen`, 10, is none of this store: {reason}\n");
    let select = |options: &[&str]| shop.run(["project", "select", "seen"].iter().chain(options));
    for options in [&["--fresh"][..], &["--at-least", "2"], &["--at-least", "2", "--count"]] {
        select(options).fails(1, &format!("error: {seen}{ANEW}"));
    }
    shop.run(["project", "run", "seen", "--until-caught-up"])
        .fails(1, &format!("error: {seen}{ANEW}"));
    // Who asks for no place gets the rows, and is warned.
    select(&["--count"]).stderr(format!("warning: {seen}")).stdout("{\"count\":1}\n");
    let mismatch = serde_json::json!(reason);
    for args in [["project", "show", "seen"], ["subscription", "show", "seen"]] {
        let shown = shop.run(args).stderr(format!("warning: {seen}")).value();
        assert_eq!((&shown["mismatch"], &shown["lag"]), (&mismatch, &lag.into()), "{shown}");
    }
    for (list, count) in [("project", 2), ("subscription", 3)] {
        let all = shop.run([list, "list"]).stderr(format!("warning: {seen}")).values();
        let marked = all.iter().filter(|one| one["mismatch"] == mismatch).count();
        assert_eq!((marked, all.len()), (1, count));
    }
}

#[test]
fn a_checkpoint_that_is_none_of_this_log_is_refused_or_marked() {
    let shop = restored();
    is_marked(&shop, LOST, 3);
    // What is shown can still be taken for a definition.
    shop.sh(r#""$REAM" project show seen 2>/dev/null > seen.json
        "$REAM" project create again --schema seen.json --allow"#)
        .ok();
    shop.run(["project", "drop", "again", "--yes"]).ok();
    // Where other events have come in the place of those that are lost, too.
    shop.fill("s", 5);
    is_marked(&shop, OTHER, 8);
    shop.run(["project", "rebuild", "seen"]).ok();
    shop.run(["project", "select", "seen", "--fresh", "--count"]).stdout("{\"count\":0}\n");
    assert_eq!(shop.run(["project", "show", "seen"]).value().get("mismatch"), None);
}
