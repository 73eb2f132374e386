//! What the command line takes, and what it does not.

use super::users;

#[test]
fn an_expression_may_begin_with_a_sign() {
    let shop = users();
    shop.run(["project", "select", "users", "-id = -1", "--fields", "id"]).stdout("{\"id\":1}\n");
    shop.run(["project", "select", "users", "-q", "-id = -2", "--count"]).stdout("{\"count\":1}\n");
    shop.run(["project", "update", "users", "--set", "born = NULL", "--yes"])
        .args(["--where", "-id = -2"])
        .stdout("{\"projection\":\"users\",\"updated\":1,\"dry_run\":false}\n");
    shop.run(["project", "delete", "users", "-id = -2", "--yes"])
        .stdout("{\"projection\":\"users\",\"deleted\":1,\"dry_run\":false,\"erased\":true}\n");
}

#[test]
fn an_overflow_shows_its_place() {
    users()
        .run(["project", "update", "users", "--set", "salary = id + 9223372036854775807", "--yes"])
        .fails(
            6,
            "error: the row with id 1 can't be updated\n  salary = id + 9223372036854775807\n              ^\n\
             caused by: the result is too large for a row\n",
        );
}

#[test]
fn a_row_of_several_lines_is_told_by_line() {
    let shop = users();
    let set = |row: &str| shop.run(["project", "set", "users", row]);
    set("{\"id\":3,\n\"name\":x}").fails_with(6, ["line 2 column 8"]);
    let row = "{\"id\":3,\n\"name\":\"Cy\",\n\"email\":\"c\",\n\"city\":\"R\",\n\"salary\":1.005}";
    set(row).fails(6, "error: the field `salary`: 1.005 has 3 digits behind the point; 2 fit\n");
}

#[test]
fn what_is_named_twice_or_has_no_order_is_refused() {
    let shop = users();
    let select = |words: [&str; 2]| shop.run(["project", "select", "users"]).args(words);
    select(["--fields", "id,name,id"]).fails(6, "error: --fields names `id` twice\n");
    select(["--order-by", "-extra"]).fails(6, "error: `-extra` is json, which has no order\n");
}

#[test]
fn a_parameter_that_no_expression_has_is_a_mistake() {
    let shop = users();
    shop.run(["project", "select", "users", "id = :id", "--with", "id=1", "--with", "idd=2"])
        .fails(6, "error: --with idd: no expression has the parameter :idd\n");
    shop.run(["project", "update", "users", "--set", "name = :name", "--where", "id = :id"])
        .args(["--with", "id=1", "--with", "name=Al", "--yes"])
        .ok();
}

#[test]
fn a_batch_is_atomic_and_one_row_is_anyway() {
    users()
        .run(["project", "set", "users", "{}", "--atomic"])
        .fails(2, "error: --atomic needs --jsonl FILE\nhint: ream project set --help\n");
}

#[test]
fn a_schema_is_an_object() {
    let shop = users();
    shop.run(["project", "create", "people", "--schema", "-"]).stdin("[]").fails_with(
        6,
        ["- describes no projection", "this is not a JSON object at line 1 column 1"],
    );
    let create = |field: &str| shop.run(["project", "create", "people", field]);
    create("id::key").fails_with(6, ["a type is missing: NAME:TYPE, such as `id:text`"]);
    create("id:").fails_with(6, ["a type is missing: NAME:TYPE, such as `id:text`"]);
    create("id:integer:key").args(["--index", ""]).fails_with(6, ["an index names no field"]);
}

#[test]
fn a_sign_that_means_nothing_is_shown_as_it_stands() {
    users()
        .run(["project", "select", "users", "id = \\"])
        .fails(6, "error: `\\` has no meaning here\n  id = \\\n       ^\n");
}
