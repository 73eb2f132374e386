//! `ream project create`, `list`, `show` and `drop`.

use std::fs;

use serde_json::{Value, json};

use super::{FIELDS, as_it_was, users};
use crate::harness::{Ream, ream};

/// A projection with a key, a unique and an index of several fields, made from streams by a program.
fn visits() -> Ream {
    let shop = ream();
    shop.run(["project", "create", "visits", "page:text", "day:timestamp", "count:integer"])
        .args(["rate:float:null", "photo:blob:4:null", "ok:boolean:null"])
        .args(["--key", "page,day", "--unique", "count,ok", "--index", "day,count"])
        .args(["--from", "user-*", "--from", "page-1", "--", "./visits.py", "--fast", "a b"])
        .stdout("{\"projection\":\"visits\",\"created\":true}\n");
    shop
}

/// What `show` says of `visits` between its name and its rows.
const VISITS: &str = concat!(
    r#""fields":[{"name":"page","type":"text"},{"name":"day","type":"timestamp"},"#,
    r#"{"name":"count","type":"integer"},{"name":"rate","type":"float","null":true},"#,
    r#"{"name":"photo","type":"blob:4","null":true},{"name":"ok","type":"boolean","null":true}],"#,
    r#""key":["page","day"],"unique":[["count","ok"]],"index":[["day","count"]],"#,
    r#""from":["user-*","page-1"],"program":["./visits.py","--fast","a b"],"directory":".""#,
);

/// How the program of `visits` is run.
const RUNS: &str = r#""command":"./visits.py --fast 'a b'","runs_in":"[home]","allowed":true"#;

/// The names of the projections that are listed.
#[track_caller]
fn names(shop: &Ream) -> Vec<String> {
    let listed = shop.run(["project", "list"]).values();
    listed.iter().map(|one| one["projection"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn projections_are_listed() {
    let shop = visits();
    shop.run(["project", "create", "empty", "id:integer:key", "--format", "table"])
        .stdout("empty: created\n");
    let visits = [
        r#"{"projection":"visits","rows":0,"bytes":20480,"checkpoint":0,"lag":0,"generation":1,"#,
        r#""from":["user-*","page-1"],"program":["./visits.py","--fast","a b"],"#,
        RUNS,
        "}",
    ]
    .concat();
    let empty = concat!(
        r#"{"projection":"empty","rows":0,"bytes":12288,"checkpoint":0,"lag":0,"generation":1,"#,
        r#""from":[],"program":[]}"#,
    );
    shop.run(["project", "list"]).stdout(&format!("{empty}\n{visits}\n"));
    shop.run(["project", "list", "--format", "json"])
        .stdout(&format!("[\n{empty},\n{visits}\n]\n"));
    shop.run(["project", "list", "--format", "table"]).stdout(
        "PROJECTION  ROWS  SIZE       CHECKPOINT  LAG  FROM\n\
         empty       0     12.00 KiB  0           0\n\
         visits      0     20.00 KiB  0           0    user-*, page-1\n",
    );
    ream().run(["project", "list"]).stdout("");
}

#[test]
fn how_far_a_projection_is_behind_counts_the_streams_that_it_is_made_from() {
    let shop = visits();
    shop.fill("user-1", 2).fill("other", 3).fill("page-1", 1).fill("page-10", 1);
    let shown = shop.run(["project", "show", "visits"]).value();
    assert_eq!(json!([shown["checkpoint"], shown["head"], shown["lag"]]), json!([0, 8, 3]));
    assert_eq!(shop.run(["project", "list"]).value()["lag"], 3);
}

#[test]
fn a_projection_is_shown_as_json() {
    let shop = visits();
    let status = r#""rows":0,"bytes":20480,"checkpoint":0,"head":1,"lag":0,"generation":1"#;
    let shown = format!("{{\"projection\":\"visits\",{VISITS},{status},{RUNS}}}\n");
    shop.run(["project", "show", "visits"]).stdout(&shown);
    shop.run(["project", "show", "visits", "--format", "json"]).stdout(&shown);
}

#[test]
fn a_projection_is_shown_for_the_eye() {
    users().run(["project", "show", "users", "--format", "table"]).stdout(
        "users: 2 rows, 20.00 KiB\n\
         checkpoint 0 of 1, 0 events behind\n\
         \n\
         FIELD   TYPE         NULL\n\
         id      integer            key\n\
         name    text:8\n\
         email   text               unique\n\
         city    text               index\n\
         salary  decimal:6:2\n\
         born    timestamp    null\n\
         extra   json         null\n",
    );
    visits().run(["project", "show", "visits", "--format", "table"]).stdout(
        "visits: 0 rows, 20.00 KiB\n\
         checkpoint 0 of 1, 0 events behind\n\
         from user-*, page-1\n\
         made by ./visits.py --fast 'a b', in [home]: allowed\n\
         \n\
         FIELD  TYPE       NULL\n\
         page   text             key\n\
         day    timestamp        key\n\
         count  integer\n\
         rate   float      null\n\
         photo  blob:4     null\n\
         ok     boolean    null\n\
         unique (count, ok)\n\
         index (day, count)\n",
    );
}

#[test]
fn a_projection_is_shown_as_sql() {
    users().run(["project", "show", "users", "--sql"]).stdout(
        r#"CREATE TABLE "users" (
    "id" INTEGER PRIMARY KEY,
    "name" TEXT NOT NULL,
    "email" TEXT NOT NULL,
    "city" TEXT NOT NULL,
    "salary$" INTEGER NOT NULL,
    "salary" REAL GENERATED ALWAYS AS (CAST("salary$" AS REAL) / 100) VIRTUAL,
    "born" TEXT,
    "extra" TEXT
) STRICT;
CREATE UNIQUE INDEX "users(email)" ON "users" ("email");
CREATE INDEX "users(city)" ON "users" ("city");
"#,
    );
    visits().run(["project", "show", "visits", "--sql"]).stdout(
        r#"CREATE TABLE "visits" (
    "page" TEXT NOT NULL,
    "day" TEXT NOT NULL,
    "count" INTEGER NOT NULL,
    "rate" REAL,
    "photo" BLOB,
    "ok" INTEGER,
    PRIMARY KEY ("page", "day")
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX "visits(count,ok)" ON "visits" ("count", "ok");
CREATE INDEX "visits(day,count)" ON "visits" ("day", "count");
"#,
    );
}

#[test]
fn what_is_shown_makes_another_one_like_it() {
    let shop = visits();
    let shown = shop.run(["project", "show", "visits", "--format", "json"]).bytes();
    shop.write("visits.json", &shown);
    shop.run(["project", "create", "again", "--schema", "visits.json", "--allow"])
        .stdout("{\"projection\":\"again\",\"created\":true}\n");
    shop.run(["project", "create", "piped", "--schema", "-", "--allow"])
        .stdin(shown)
        .stdout("{\"projection\":\"piped\",\"created\":true}\n");
    for name in ["again", "piped"] {
        shop.run(["project", "show", name])
            .stdout_has([&format!("{{\"projection\":\"{name}\",{VISITS},\"rows\":0,")]);
    }
    shop.run(["project", "create", "other", "--schema", "missing.json"])
        .fails_with(1, ["can't read missing.json"]);
    assert_eq!(names(&shop), ["again", "piped", "visits"]);
}

#[test]
fn to_create_what_is_there_is_done_already() {
    let shop = users();
    let create = || shop.run(["project", "create", "users"]);
    create().args(FIELDS).stdout("{\"projection\":\"users\",\"created\":false}\n");
    create().args(FIELDS).args(["--format", "table"]).stdout("users: is there already\n");
    let refused = "error: there is a projection `users` already, and it is made of something else\n\
         hint: see it: ream project show users\n";
    create().args(&FIELDS[..6]).fails(1, refused);
    create().args(FIELDS).args(["--from", "user-*"]).fails(1, refused);
    create().args(FIELDS).args(["--index", "name"]).fails(1, refused);
    as_it_was(&shop);
}

#[test]
fn fields_are_given_once() {
    let shop = users();
    shop.run(["project", "create", "people"]).fails_with(2, ["<FIELD>"]);
    shop.run(["project", "create", "people", "id:integer:key", "--schema", "people.json"])
        .fails_with(2, ["'[FIELD]...' cannot be used with '--schema <FILE>'"]);
    as_it_was(&shop);
}

#[test]
fn a_projection_is_dropped_after_a_question() {
    let shop = users();
    shop.append("user-1", "Joined", "{}").ok();
    let drop = || shop.run(["project", "drop", "users"]);
    drop().fails(
        2,
        "error: dropping users and its 2 rows needs to be confirmed\n\
         hint: ream project drop --yes users\n",
    );
    drop()
        .args(["--dry-run"])
        .stdout("{\"projection\":\"users\",\"dropped\":true,\"dry_run\":true}\n");
    drop().args(["--dry-run", "--format", "table"]).stdout("users: would drop 2 rows\n");
    let question = "dropping users and its 2 rows for good: type yes to go on: ";
    let no = format!("{question}error: nothing was changed\n");
    drop().env("NO_COLOR", "1").typed("no\n").code(1).stdout(&no);
    as_it_was(&shop);
    drop().typed("yes\n").stdout(&format!("{question}users: dropped\n"));
    assert_eq!(names(&shop), [""; 0]);
    shop.run(["project", "select", "users"]).fails_with(4, ["no projection `users`"]);
    assert_eq!(shop.positions(&[]), [2]);
}

#[test]
fn to_drop_what_is_not_there_is_done_already() {
    let shop = users();
    let drop = || shop.run(["project", "drop", "usrs"]);
    let not_there = "{\"projection\":\"usrs\",\"dropped\":false}\n";
    drop().stdout(not_there);
    drop().args(["--yes"]).stdout(not_there);
    drop().args(["--yes", "--format", "table"]).stdout("usrs: is not there\n");
    drop()
        .args(["--dry-run"])
        .stdout("{\"projection\":\"usrs\",\"dropped\":false,\"dry_run\":true}\n");
    as_it_was(&shop);
    shop.run(["project", "drop", "--yes", "users"])
        .stdout("{\"projection\":\"users\",\"dropped\":true}\n");
    let files = fs::read_dir(shop.path(".ream/projections")).unwrap();
    let left: Vec<_> = files.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["lock"]);
}

#[test]
fn one_that_is_dropped_is_made_anew_and_empty() {
    let shop = users();
    shop.run(["project", "drop", "users", "-y"]).ok();
    shop.run(["project", "create", "users", "id:text:key"])
        .stdout("{\"projection\":\"users\",\"created\":true}\n");
    shop.run(["project", "select", "users"]).stdout("");
    let shown: Value = shop.run(["project", "show", "users"]).value();
    assert_eq!(shown["fields"], json!([{"name": "id", "type": "text"}]));
}

#[test]
fn a_projection_that_is_not_there_names_near_ones() {
    let shop = users();
    let near = "error: no projection `usrs`\nhint: there is `users`\n";
    shop.run(["project", "show", "usrs"]).fails(4, near);
    shop.run(["project", "set", "usrs", "{}"]).fails(4, near);
    shop.run(["project", "select", "usrs"]).fails(4, near);
    shop.run(["project", "update", "usrs", "--set", "a = 1", "--yes"]).fails(4, near);
    shop.run(["project", "delete", "usrs", "TRUE", "--yes"]).fails(4, near);
    let far = "error: no projection `zebra`\nhint: ream project list\n";
    shop.run(["project", "show", "zebra"]).fails(4, far);
}

#[test]
fn what_is_refused_leaves_no_file() {
    let shop = users();
    let files = || {
        let listed = fs::read_dir(shop.path(".ream/projections")).unwrap();
        let mut names: Vec<_> = listed.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let before = files();
    assert!(before.iter().any(|name| name == "users.db"), "{before:?}");
    let create = |name, field| shop.run(["project", "create", name, field]);
    create("people", "id:integer").fails_with(6, ["needs a key"]);
    create("../people", "id:integer:key").fails_with(6, ["`.` at character 1"]);
    assert_eq!(files(), before);
    assert!(!shop.path(".ream/people.db").exists());
}
