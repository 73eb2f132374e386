//! What is refused with exit code 6: it is told where and why, and nothing has changed.

use super::{as_it_was, users};
use crate::harness::{Ream, Run};

/// Is refused with exactly this, and leaves everything as it was.
#[track_caller]
fn refused(run: Run<'_>, stderr: &str) {
    as_it_was(run.fails(6, stderr));
}

/// The rule that is told where a name has a character that none may have.
const RULE: &str = "a name has letters A-Z, digits and `_`, and no digit first";

#[track_caller]
fn refused_as_a_name(shop: &Ream, name: &str, why: &str) {
    refused(shop.run(["project", "create", name, "id:integer:key"]), &format!("error: {why}\n"));
    let field = format!("{name}:text");
    refused(
        shop.run(["project", "create", "people", "id:integer:key", &field]),
        &format!("error: field 2, `{field}`: {why}\n"),
    );
}

#[test]
fn a_name_needs_no_quotes_and_looks_like_no_other() {
    let shop = users();
    for (name, character, at) in [
        ("a\"b", "`\"`", 2),
        ("a'b", "`'`", 2),
        ("a;b", "`;`", 2),
        ("a b", "U+0020", 2),
        ("1st", "`1`", 1),
        ("../users", "`.`", 1),
        ("x'; DROP TABLE users", "`'`", 2),
        ("\u{430}ge", "`\u{430}` (U+0430)", 1),
        ("us\u{435}rs", "`\u{435}` (U+0435)", 3),
        ("\u{ff41}", "`\u{ff41}` (U+FF41)", 1),
    ] {
        let why = format!("the name `{name}` has {character} at character {at}; {RULE}");
        refused_as_a_name(&shop, name, &why);
    }
    refused_as_a_name(&shop, "", "a name is empty");
}

#[test]
fn a_name_means_nothing_else() {
    let shop = users();
    for (name, of) in [
        ("select", "SQL"),
        ("Order", "SQL"),
        ("TABLE", "SQL"),
        ("null", "the expression language"),
        ("Contains", "the expression language"),
    ] {
        let why = format!("`{name}` is a word of {of}, and can't be a name; `{name}_` can");
        refused_as_a_name(&shop, name, &why);
    }
    for (name, prefix) in
        [("sqlite_x", "sqlite_"), ("SQLite_x", "sqlite_"), ("ream_x", "ream_"), ("Ream_", "ream_")]
    {
        let why = format!("the name `{name}` begins with `{prefix}`, which is reserved");
        refused_as_a_name(&shop, name, &why);
    }
}

#[test]
fn a_name_has_63_characters_at_most() {
    let shop = users();
    let longest = "x".repeat(63);
    let why = format!("the name `{longest}` has 64 characters; 63 are allowed");
    refused_as_a_name(&shop, &format!("{longest}x"), &why);
    shop.run(["project", "create", &longest, "id:integer:key"]).ok();
}

#[test]
fn fields_make_a_table() {
    let shop = users();
    let one = |field: &str, why: &str| {
        let why = format!("error: field 1, `{field}`: {why}\n");
        refused(shop.run(["project", "create", "people", field]), &why);
    };
    let types = "there are integer, float, decimal, text, blob, timestamp, boolean, json";
    one("id", "a type is missing: NAME:TYPE, such as `id:text`");
    one("id:number:key", &format!("there is no type `number`; {types}"));
    let meant = format!("there is no type `integr`; {types}\nhint: did you mean `integer`?");
    one("id:integr:key", &meant);
    one("id:decimal:19:2:key", "`19` is no precision from 1 to 18");
    one("id:decimal:5:6:key", "`6` is no scale from 0 to 5");
    one("id:text:0:key", "`0` is no length from 1 to 1000000000");
    one("id:integer:kee", "`kee` is none of null, key, unique, index");

    let all = |words: &[&str], stderr: &str| {
        refused(shop.run(["project", "create", "people"]).args(words), stderr);
    };
    all(
        &["id:integer", "name:text:unique"],
        "error: a projection needs a key: mark a field with `:key`, or name several with --key a,b\n",
    );
    let twice = "upper and lower case make no difference\n";
    all(&["id:integer:key", "id:text"], &format!("error: two fields are named `id`; {twice}"));
    all(&["id:integer:key", "Id:text"], &format!("error: two fields are named `Id`; {twice}"));
    let nullable = "error: `id` is in the key, and can't be null\n";
    all(&["id:integer:null:key"], nullable);
    all(&["page:text", "id:integer:null", "--key", "page,id"], nullable);
    all(
        &["page:text", "id:integer", "--key", "pgae,id"],
        "error: the key names `pgae`, which is no field\nhint: did you mean `page`?\n",
    );
    all(&["id:json:key"], "error: `id` is json, which has no order: it can't be in the key\n");
}

#[test]
fn a_row_has_each_field_and_no_other() {
    let shop = users();
    let set = |row: &str, why: &str| {
        refused(shop.run(["project", "set", "users", row]), &format!("error: {why}\n"));
    };
    set(
        r#"{"id":3,"name":"Cy","email":"c","city":"Rome"}"#,
        "column 46: the field `salary` is missing",
    );
    set(r#"{"id":3,"name":"Cy","nam":1}"#, "column 25: no field `nam`; did you mean `name`?");
    set(r#"{"id":3,"age":40}"#, "column 13: no field `age`");
    set(r#"{"id":3,"name":"Cy","id":4}"#, "column 24: the field `id` appears twice");
    set(r#"{"id":3,"name":null}"#, "column 16: the field `name`: it can't be null");
}

#[test]
fn a_value_fits_its_field() {
    let shop = users();
    let set = |field: &str, value: &str, column: usize, why: &str| {
        let row = format!(r#"{{"id":3,"{field}":{value}}}"#);
        let why = format!("error: column {column}: the field `{field}`: {why}\n");
        refused(shop.run(["project", "set", "users", &row]), &why);
    };
    set("name", "\"too long a name\"", 16, "it has 15 characters; 8 are allowed");
    set("name", "\"nine ééé9\"", 16, "it has 9 characters; 8 are allowed");
    set("name", "\"a\\u0000\"", 16, "it has the character U+0000");
    set("name", "5", 16, "the number 5 is no text:8");
    set("salary", "1.005", 18, "1.005 has 3 digits behind the point; 2 fit");
    set("salary", "10000", 18, "10000 is too large: 4 digits fit before the point");
    set("salary", "-10000.00", 18, "-10000.00 is too large: 4 digits fit before the point");
    set("salary", "\"much\"", 18, "`much` is no number");
    let keyed = |id: &str, why: &str| {
        let row = format!(r#"{{"id":{id}}}"#);
        let why = format!("error: column 7: the field `id`: {why}\n");
        refused(shop.run(["project", "set", "users", &row]), &why);
    };
    keyed("9223372036854775808", "9223372036854775808 is beyond 64 bits");
    keyed("-9223372036854775809", "-9223372036854775809 is beyond 64 bits");
    keyed("1.5", "1.5 is no integer");
    keyed("\"three\"", "`three` is no number");
    for time in ["soon", "2026-11-23", "2026-02-30T00:00:00Z"] {
        let row = format!(r#"{{"id":3,"born":"{time}"}}"#);
        let why = format!(
            "column 16: the field `born`: `{time}` is not a valid time (RFC 3339, such as "
        );
        as_it_was(shop.run(["project", "set", "users", &row]).fails_with(6, [&why]));
    }
}

#[test]
fn a_unique_value_belongs_to_one_row_which_is_named() {
    let shop = users();
    let row = r#"{"id":3,"name":"Cy","email":"ann@mail.com","city":"Rome","salary":1}"#;
    let taken = "the row with id 3 can't have email \"ann@mail.com\" in `users`: the row with id 1 has it\n";
    refused(shop.run(["project", "set", "users", row]), &format!("error: {taken}"));
    refused(
        shop.run(["project", "set", "users", "--jsonl", "-"]).stdin(row),
        &format!("error: stopped at line 1: 0 rows are set\ncaused by: {taken}"),
    );
}

#[test]
fn json_that_is_none_is_told_with_its_place() {
    let shop = users();
    let set = |row: &str, stderr: &str| {
        refused(shop.run(["project", "set", "users", "-"]).stdin(row), stderr);
    };
    set(r#"{"id":3,"name":Cy}"#, "error: column 16: expected value\n");
    set(r#"{"id":3"#, "error: column 7: it ends within an object\n");
    set(r#"{"id":3,"extra":{"a":}}"#, "error: column 22: expected value\n");
    let hint = "hint: a row is a JSON object, such as {\"field\":1}\n";
    let bare = "error: column 1: expected value\n";
    set("word", &format!("{bare}{hint}"));
    set("'; DROP TABLE users", &format!("{bare}{hint}"));
    set("", &format!("error: column 1: it ends where a value is expected\n{hint}"));

    let good = r#"{"id":3,"name":"Cy","email":"c","city":"Rome","salary":1}"#;
    let lines = format!("{good}\n\n{{\"id\":4,\"name\":Di}}\n");
    refused(
        shop.run(["project", "set", "users", "--atomic", "--jsonl", "-"]).stdin(lines),
        "error: stopped at line 3: 0 rows are set\ncaused by: line 3, column 16: expected value\n",
    );
    shop.write(
        "people.json",
        "{\"fields\":[{\"name\":\"id\",\"type\":\"integer\"}],\n \"key\":id}",
    );
    refused(
        shop.run(["project", "create", "people", "--schema", "people.json"]),
        "error: people.json describes no projection\ncaused by: expected value at line 2 column 8\n",
    );
}

/// What takes a condition refuses this one.
#[track_caller]
fn refused_as_condition(shop: &Ream, condition: &str, stderr: &str) {
    refused(shop.run(["project", "select", "users", condition]), stderr);
    refused(shop.run(["project", "delete", "users", condition, "--yes"]), stderr);
    let update = ["project", "update", "users", "--set", "city = \"x\"", "--yes", "--where"];
    refused(shop.run(update).args([condition]), stderr);
}

#[test]
fn a_condition_that_is_wrong_is_shown_with_its_place() {
    let shop = users();
    let wrong = |condition: &str, part: &str, why: &str| {
        let place = " ".repeat(condition.find(part).unwrap()) + &"^".repeat(part.len());
        let (why, hint) = why.split_once('\n').unwrap_or((why, ""));
        let stderr = format!("error: {why}\n  {condition}\n  {place}\n{hint}");
        refused_as_condition(&shop, condition, &stderr);
    };
    wrong("city = \"London", "\"London", "the string has no \" at its end");
    wrong("city = 'it''s", "'it''s", "the string has no ' at its end");
    wrong("citty = 'x'", "citty", "no field `citty`\nhint: did you mean `city`?\n");
    wrong("CITY = 'x'", "CITY", "no field `CITY`\nhint: did you mean `city`?\n");
    wrong("city + 1 = 2", "1", "this number is beside text");
    wrong("id + city = 2", "city", "this is text, which does not calculate");
    wrong("id / 0 > 1", "0", "this divides by zero");
    wrong("salary / 0.00 > 1", "0.00", "this divides by zero");
    wrong("id IN ()", ")", "the list of IN is empty");
    let given = "the parameter `:n` has no value\nhint: a value for `n` is missing in `with`\n";
    wrong("id = :n", ":n", given);
    let sql = "'; DROP TABLE users";
    wrong(sql, sql, "the string has no ' at its end");
    wrong("city = ''; DROP TABLE users", ";", "`;` has no meaning here");
    let beyond = "9223372036854775808";
    wrong("id = 9223372036854775808", beyond, &format!("{beyond} is beyond 64 bits"));
    wrong("id", "id", "this is an integer, and no condition");
    wrong("city =~ \"(\"", "\"(\"", "this is no pattern: unclosed group");
}

#[test]
fn parts_within_parts_have_an_end() {
    let shop = users();
    let not = "NOT ".repeat(10_000) + "TRUE";
    let parentheses = format!("{}TRUE{}", "(".repeat(10_000), ")".repeat(10_000));
    for (condition, caret) in [(not, "^^^\n"), (parentheses, "^\n")] {
        let parts = ["error: nested deeper than 100\n  …", caret];
        as_it_was(shop.run(["project", "select", "users", &condition]).fails_with(6, parts));
        as_it_was(shop.run(["project", "delete", "users", &condition, "-y"]).fails_with(6, parts));
    }
}

#[test]
fn what_looks_like_sql_is_a_value_like_any_other() {
    let shop = users();
    let hostile = "'; DROP TABLE users --";
    shop.run(["project", "select", "users", "city = :c", "--with", &format!("c={hostile}")])
        .stdout("");
    shop.run(["project", "select", "users", &format!("city = \"{hostile}\"")]).stdout("");
    shop.run(["project", "delete", "users", "city = :c", "--with", &format!("c={hostile}"), "-y"])
        .stdout("{\"projection\":\"users\",\"deleted\":0,\"dry_run\":false,\"erased\":true}\n");
    let select = format!("users{hostile}");
    as_it_was(shop.run(["project", "select", &select]).fails_with(4, ["no projection `users';"]));

    let row = format!(
        r#"{{"id":3,"name":"Cy","email":"c","city":"{hostile}","salary":1.00,"born":null,"extra":null}}"#
    );
    shop.run(["project", "set", "users", &row]).ok();
    shop.run(["project", "select", "users", "city = :c", "--with", &format!("c={hostile}")])
        .stdout(&format!("{row}\n"));
    shop.run(["project", "update", "users", "--where", "id = 3", "--yes"])
        .args(["--set", "city = :c", "--with", "c=x', salary = 0 --"])
        .ok();
    shop.run(["project", "select", "users", "id = 3", "--fields", "city,salary"])
        .stdout("{\"city\":\"x', salary = 0 --\",\"salary\":1.00}\n");
    shop.run(["project", "select", "users", "--count"]).stdout("{\"count\":3}\n");
}

#[test]
fn a_parameter_is_what_it_meets() {
    let shop = users();
    let select = |condition: &str, with: &str| {
        shop.run(["project", "select", "users", condition, "--with", with])
    };
    let beyond = "error: 9223372036854775808 is beyond 64 bits\n  id = :id\n       ^^^\n";
    refused(select("id = :id", "id=9223372036854775808"), beyond);
    refused(select("id = :id", "id=one"), "error: `one` is no number\n  id = :id\n       ^^^\n");
    as_it_was(
        select("born < :t", "t=soon")
            .fails_with(6, ["`soon` is not a valid time", "         ^^\n"]),
    );
}
