//! `ream project update` and `ream project delete`.

use super::{ROWS, as_it_was, users};
use crate::harness::{Ream, Run};

/// `update --set` without a question.
fn update<'r>(shop: &'r Ream, set: &str) -> Run<'r> {
    shop.run(["project", "update", "users", "--yes", "--set", set])
}

/// All rows have these values in these fields.
#[track_caller]
fn has(shop: &Ream, fields: &str, rows: &str) {
    shop.run(["project", "select", "users", "--order-by", "id", "--format", "csv"])
        .args(["--fields", fields])
        .stdout(&format!("{fields}\n{rows}"));
}

fn updated(rows: u64) -> String {
    format!("{{\"projection\":\"users\",\"updated\":{rows},\"dry_run\":false}}\n")
}

#[test]
fn rows_that_a_condition_keeps_are_updated_and_counted() {
    let shop = users();
    update(&shop, "name = city, city = name").stdout(&updated(2));
    // Each expression saw the row as it was.
    has(&shop, "id,name,city", "1,London,Ann\n2,Madrid,Bo\n");
    update(&shop, "name = :n")
        .args(["--where", "id = :id"])
        .args(["--with", "n=A, 'B'"])
        .args(["--with", "id=1"])
        .stdout(&updated(1));
    has(&shop, "name", "\"A, 'B'\"\nMadrid\n");
    update(&shop, "name = \"\"").args(["--where", "id = 9"]).stdout(&updated(0));
    update(&shop, "name = 'x'")
        .args(["--where", "id = 2", "--format", "table"])
        .stdout("users: 1 row updated\n");
    has(&shop, "name", "\"A, 'B'\"\nx\n");
}

#[test]
fn what_is_calculated_is_rounded_and_what_is_written_out_has_to_fit() {
    let shop = users();
    update(&shop, "salary = -salary / 4").stdout(&updated(2));
    has(&shop, "salary", "-1300.13\n-775.00\n");
    update(&shop, "salary = salary * 1.015").stdout(&updated(2));
    has(&shop, "salary", "-1319.63\n-786.63\n");
    let digits =
        "error: 1.005 has 3 digits behind the point; 2 fit\n  salary = 1.005\n           ^^^^^\n";
    update(&shop, "salary = 1.005").fails(6, digits);
    has(&shop, "salary", "-1319.63\n-786.63\n");
}

#[test]
fn fields_are_set_to_null_to_times_and_to_json() {
    let shop = users();
    update(&shop, "born = NULL, extra = NULL").args(["--where", "id = 2"]).stdout(&updated(1));
    has(&shop, "born,extra", ",\n,\n");
    update(&shop, "born = '2025-01-01T00:00:00+01:00', extra = '{\"a\": 1.0}'")
        .args(["--where", "id = 1"])
        .stdout(&updated(1));
    has(&shop, "born,extra", "2024-12-31T23:00:00.000000Z,\"{\"\"a\"\":1.0}\"\n,\n");
}

#[test]
fn rows_are_deleted_and_counted() {
    let shop = users();
    let delete = |condition: &str| shop.run(["project", "delete", "users", condition, "--yes"]);
    let deleted = |rows: u64| {
        let done = format!("\"deleted\":{rows},\"dry_run\":false,\"erased\":true");
        format!("{{\"projection\":\"users\",{done}}}\n")
    };
    delete("salary > 6000").stdout(&deleted(0));
    delete("extra IS NULL AND id = :id").args(["--with", "id=2"]).stdout(&deleted(0));
    as_it_was(&shop);
    delete("salary > :least").args(["--with", "least=5000"]).stdout(&deleted(1));
    has(&shop, "id", "2\n");
    delete("TRUE").args(["--format", "table"]).stdout("users: 1 row deleted\n");
    has(&shop, "id", "");
    delete("TRUE").stdout(&deleted(0));
    // What was deleted is in nobody's way.
    shop.run(["project", "set", "users", "--jsonl", "-"]).stdin(ROWS).ok();
    as_it_was(&shop);
}

#[test]
fn a_dry_run_tells_and_changes_nothing() {
    let shop = users();
    let change = |args: &[&str]| shop.run(["project"]).args(args).args(["--dry-run"]);
    change(&["update", "users", "--set", "name = 'x'"])
        .stdout("{\"projection\":\"users\",\"updated\":2,\"dry_run\":true}\n");
    change(&["update", "users", "--set", "name = 'x'", "--where", "id = 1", "--format", "table"])
        .stdout("users: 1 row would be updated\n");
    change(&["delete", "users", "id > 0", "--yes"])
        .stdout("{\"projection\":\"users\",\"deleted\":2,\"dry_run\":true}\n");
    change(&["delete", "users", "id > 1", "--format", "table"])
        .stdout("users: 1 row would be deleted\n");
    // What would fail fails.
    change(&["update", "users", "--set", "salary = salary * 100"])
        .fails_with(6, ["the row with id 1 can't be updated"]);
    as_it_was(&shop);
}

#[test]
fn a_change_in_a_pipe_needs_to_be_confirmed_by_a_hint_that_runs() {
    let shop = users();
    let update = || {
        shop.run(["project", "update", "users", "--set", "city = \"it's\""]).args([
            "--where",
            "salary > :n",
            "--with",
            "n=4000",
        ])
    };
    update().fails(
        2,
        "error: updating 1 row of users needs to be confirmed\n\
         hint: ream project update --yes users --set 'city = \"it'\\''s\"' --where 'salary > :n' --with n=4000\n",
    );
    let delete = || shop.run(["project", "delete", "users", "city != :c", "--with", "c=it's"]);
    delete().fails(
        2,
        "error: deleting 2 rows of users needs to be confirmed\n\
         hint: ream project delete --yes users 'city != :c' --with 'c=it'\\''s'\n",
    );
    as_it_was(&shop);
    // No row is no question.
    shop.run(["project", "delete", "users", "FALSE"]).ok();

    let hinted = |refused: &str| {
        shop.sh(&format!("eval \"$({refused} 2>&1 | sed -n 's/^hint: ream/\"$REAM\"/p')\""))
    };
    hinted(r#""$REAM" project update users --set "city = \"it's\"" --where 'id = :n' --with n=1"#)
        .stdout(&updated(1));
    has(&shop, "id,city", "1,it's\n2,Madrid\n");
    hinted(r#""$REAM" project delete users "city != :c" --with "c=it's""#)
        .stdout("{\"projection\":\"users\",\"deleted\":1,\"dry_run\":false,\"erased\":true}\n");
    has(&shop, "id,city", "1,it's\n");
}

#[test]
fn a_change_on_a_terminal_is_asked_for() {
    let shop = users();
    let delete = || shop.run(["project", "delete", "users", "id = 1"]);
    let question = "deleting 1 row of users for good: type yes to go on: ";
    let no = format!("{question}error: nothing was changed\n");
    delete().env("NO_COLOR", "1").typed("y\n").code(1).stdout(&no);
    as_it_was(&shop);
    delete().typed("yes\n").stdout(&format!("{question}users: 1 row deleted\n"));
    has(&shop, "id", "2\n");
}

#[test]
fn the_key_stays() {
    let shop = users();
    for set in ["id = 5", "id = id + 10", "id = id"] {
        let refused = format!("error: `id` is in the key, which stays\n  {set}\n  ^^\n");
        update(&shop, set).fails(6, &refused);
        update(&shop, set).args(["--where", "FALSE"]).fails(6, &refused);
    }
    as_it_was(&shop);
}

#[test]
fn what_is_set_is_checked_before() {
    let shop = users();
    let refused = |set: &str, part: &str, why: &str| {
        let place = " ".repeat(set.find(part).unwrap()) + &"^".repeat(part.len());
        let (why, hint) = why.split_once('\n').unwrap_or((why, ""));
        update(&shop, set).fails(6, &format!("error: {why}\n  {set}\n  {place}\n{hint}"));
        as_it_was(&shop);
    };
    refused("cty = 'x'", "cty", "no field `cty`\nhint: did you mean `city`?\n");
    let twice = "error: `name` is set twice\n  name = 'x', name = 'y'\n              ^^^^\n";
    as_it_was(update(&shop, "name = 'x', name = 'y'").fails(6, twice));
    refused(
        "name = 'much too long'",
        "'much too long'",
        "`name`: it has 13 characters; 8 are allowed",
    );
    refused("name = NULL", "NULL", "`name`: it can't be null");
    refused("name = city + 1", "1", "this number is beside text");
    refused("born = salary", "salary", "this is a decimal, and the field is timestamp");
    refused("salary = salary / 0", "0", "this divides by zero");
    refused(
        "city = :c",
        ":c",
        "the parameter `:c` has no value\nhint: a value for `c` is missing in `with`\n",
    );
    refused("'; DROP TABLE users", "'; DROP TABLE users", "the string has no ' at its end");
    refused("city = ''; DROP TABLE users", ";", "`;` has no meaning here");
}

#[test]
fn a_row_that_cannot_hold_what_it_is_set_to_is_named() {
    let shop = users();
    let row = "error: the row with id 1 can't be updated\ncaused by: the field `salary`:";
    update(&shop, "name = 'x', salary = salary * 2")
        .fails(6, &format!("{row} 10401.00 is too large: 4 digits fit before the point\n"));
    as_it_was(&shop);
    // The first row could.
    update(&shop, "salary = 9999 * (id - 1) + id").fails(
        6,
        "error: the row with id 2 can't be updated\n\
         caused by: the field `salary`: 10001 is too large: 4 digits fit before the point\n",
    );
    as_it_was(&shop);
    update(&shop, "name = city + name").fails_with(6, ["this is text, which does not calculate"]);
    update(&shop, "name = email").fails(
        6,
        "error: the row with id 1 can't be updated\n\
         caused by: the field `name`: it has 12 characters; 8 are allowed\n",
    );
    as_it_was(&shop);
    update(&shop, "salary = (id - 1) * 9223372036854775807 * 2").fails_with(
        6,
        [
            "error: the row with id 2 can't be updated\n",
            "caused by: the result is too large for a row",
        ],
    );
    as_it_was(&shop);
}

#[test]
fn what_is_unique_stays_so() {
    let shop = users();
    let update = |set: &str, condition: &str| update(&shop, set).args(["--where", condition]);
    let clash = "error: the row with id 1 can't have email \"bo@mail.com\" in `users`: the row with id 2 has it\n";
    update("email = 'bo@mail.com', name = 'x'", "id = 1").fails(6, clash);
    as_it_was(&shop);
    update("email = 'x', name = 'x'", "TRUE")
        .fails_with(6, ["can't have email \"x\" in `users`: the row with id"]);
    as_it_was(&shop);
    // Its own is nobody else's.
    update("email = 'bo@mail.com', name = 'x'", "id = 2").stdout(&updated(1));
    has(&shop, "id,name", "1,Ann\n2,x\n");
}
