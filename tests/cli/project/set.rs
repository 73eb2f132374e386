//! `ream project set`.

use super::{ROWS, as_it_was, users};
use crate::harness::{Ream, Run, ream};

/// A row of `users`; those that `users()` has are 1 and 2.
fn row(id: u32, email: &str) -> String {
    format!(
        r#"{{"id":{id},"name":"Cy","email":"{email}","city":"Rome","salary":1.00,"born":null,"extra":null}}"#
    ) + "\n"
}

fn set_lines<'r>(shop: &'r Ream, lines: &str) -> Run<'r> {
    shop.run(["project", "set", "users", "--jsonl", "-"]).stdin(lines)
}

/// All rows of `users` are these.
#[track_caller]
fn has(shop: &Ream, rows: &str) {
    shop.run(["project", "select", "users", "--order-by", "id"]).stdout(rows);
}

const SET: &str = "{\"projection\":\"users\",\"set\":1}\n";

#[test]
fn a_row_comes_as_an_argument_or_on_stdin() {
    let shop = users();
    let (third, fourth) = (row(3, "c"), row(4, "d"));
    shop.run(["project", "set", "users", &third]).stdout(SET);
    has(&shop, &format!("{ROWS}{third}"));
    // Over several lines as well.
    let spread = fourth.replace(',', ",\n  ");
    shop.run(["project", "set", "users", "-"]).stdin(spread).stdout(SET);
    has(&shop, &format!("{ROWS}{third}{fourth}"));
    shop.run(["project", "set", "users", &third, "--format", "table"])
        .stdout("users: 1 row is set\n");
}

#[test]
fn rows_come_from_a_file_or_a_pipe() {
    let shop = users();
    let (third, fourth, fifth) = (row(3, "c"), row(4, "d"), row(5, "e"));
    shop.write("rows.jsonl", format!("{third}\n{fourth}"));
    shop.run(["project", "set", "users", "--jsonl", "rows.jsonl"])
        .stdout("{\"projection\":\"users\",\"set\":2}\n");
    // The end of the last line may be missing.
    set_lines(&shop, fifth.trim_end()).stdout(SET);
    has(&shop, &format!("{ROWS}{third}{fourth}{fifth}"));
    set_lines(&shop, "\n\n").stdout("{\"projection\":\"users\",\"set\":0}\n");
    set_lines(&shop, &fifth).args(["--format", "table"]).stdout("users: 1 row is set\n");
    shop.run(["project", "set", "users", "--jsonl", "missing.jsonl"])
        .fails_with(1, ["can't open missing.jsonl"]);
    has(&shop, &format!("{ROWS}{third}{fourth}{fifth}"));
}

#[test]
fn a_row_replaces_the_one_with_its_key() {
    let shop = users();
    let ann = ROWS.lines().next().unwrap();
    let (second, third) = (row(2, "bo@mail.com"), row(3, "c"));
    shop.run(["project", "set", "users", &second]).stdout(SET);
    has(&shop, &format!("{ann}\n{second}"));
    // The last one counts; what was unique to the one before is free again.
    let lines = format!("{}{third}{}", row(3, "x"), row(4, "x"));
    set_lines(&shop, &lines).stdout("{\"projection\":\"users\",\"set\":3}\n");
    has(&shop, &format!("{ann}\n{second}{third}{}", row(4, "x")));
}

#[test]
fn a_key_of_several_fields_is_replaced_as_a_whole() {
    let shop = ream();
    shop.run(["project", "create", "visits", "page:text", "day:integer", "n:integer:null"])
        .args(["--key", "page,day"])
        .ok();
    shop.run(["project", "set", "visits", "--jsonl", "-"])
        .stdin(concat!(
            r#"{"page":"a","day":1,"n":1}"#,
            "\n",
            r#"{"page":"a","day":2,"n":2}"#,
            "\n",
            r#"{"day":1,"page":"a"}"#,
            "\n",
        ))
        .ok();
    shop.run(["project", "select", "visits", "--order-by", "day"])
        .stdout("{\"page\":\"a\",\"day\":1,\"n\":null}\n{\"page\":\"a\",\"day\":2,\"n\":2}\n");
}

/// A projection with a field of each type that has digits.
fn numbers() -> Ream {
    let shop = ream();
    shop.run(["project", "create", "numbers", "id:integer:key", "price:decimal:18:2:null"])
        .args(["rate:float:null", "extra:json:null"])
        .ok();
    shop
}

#[test]
fn numbers_keep_their_digits() {
    let shop = numbers();
    for (field, given, kept) in [
        ("price", "12.50", "12.50"),
        ("price", "12.5", "12.50"),
        ("price", "12.500", "12.50"),
        ("price", "0.10", "0.10"),
        ("price", "1e2", "100.00"),
        ("price", "5e-2", "0.05"),
        ("price", "-0.00", "0.00"),
        ("price", "\"0.1\"", "0.10"),
        ("price", "1234567890123456.78", "1234567890123456.78"),
        ("price", "-9999999999999999.99", "-9999999999999999.99"),
        ("rate", "0.1", "0.1"),
        ("rate", "3", "3.0"),
        ("extra", "1.00", "1.00"),
        ("extra", "12345678901234567890123", "12345678901234567890123"),
        ("extra", "{\"b\": [1e400],  \"a\": 0.10}", "{\"b\":[1e400],\"a\":0.10}"),
    ] {
        shop.run(["project", "set", "numbers", &format!("{{\"id\":1,\"{field}\":{given}}}")]).ok();
        shop.run(["project", "select", "numbers", "--fields", field])
            .stdout(&format!("{{\"{field}\":{kept}}}\n"));
    }
    for (given, kept) in [
        ("9223372036854775807", "9223372036854775807"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("1000000000000000001", "1000000000000000001"),
        ("1e3", "1000"),
        ("-5.0", "-5"),
    ] {
        shop.run(["project", "set", "numbers", &format!("{{\"id\":{given}}}")]).ok();
        shop.run(["project", "select", "numbers", &format!("id = {kept}"), "--fields", "id"])
            .stdout(&format!("{{\"id\":{kept}}}\n"));
    }
}

#[test]
fn a_time_is_kept_in_utc_and_bytes_as_they_are() {
    let shop = ream();
    shop.run(["project", "create", "photos", "at:timestamp:key", "photo:blob:4", "ok:boolean"])
        .ok();
    shop.run(["project", "set", "photos"])
        .args([r#"{"at":"2025-11-23T05:49:13.5+01:00","photo":"AAECAw==","ok":true}"#])
        .ok();
    // The same moment, and so the same row.
    shop.run(["project", "set", "photos"])
        .args([r#"{"at":"2025-11-23T04:49:13.500Z","photo":"/w==","ok":false}"#])
        .ok();
    shop.run(["project", "select", "photos"])
        .stdout("{\"at\":\"2025-11-23T04:49:13.500000Z\",\"photo\":\"/w==\",\"ok\":false}\n");
}

#[test]
fn what_came_before_a_wrong_line_is_set() {
    let shop = users();
    let (third, fourth) = (row(3, "c"), row(4, "d"));
    let wrong = r#"{"id":5,"name":"much too long"}"#;
    set_lines(&shop, &format!("{third}\n{fourth}{wrong}\n{}", row(6, "f"))).fails(
        6,
        "error: stopped at line 4: 2 rows are set\n\
         caused by: line 4, column 16: the field `name`: it has 13 characters; 8 are allowed\n",
    );
    has(&shop, &format!("{ROWS}{third}{fourth}"));
}

#[test]
fn what_came_before_a_clash_is_set() {
    let shop = users();
    let third = row(3, "c");
    let clash = "caused by: the row with id 4 can't have email \"c\" in `users`: the row with id 3 has it\n";
    set_lines(&shop, &format!("{third}{}{}", row(4, "c"), row(5, "e")))
        .fails(6, &format!("error: stopped at line 2: 1 row is set\n{clash}"));
    has(&shop, &format!("{ROWS}{third}"));
}

#[test]
fn atomic_is_all_or_nothing() {
    let shop = users();
    let (third, fourth) = (row(3, "c"), row(4, "d"));
    let atomic = |lines: &str| set_lines(&shop, lines).args(["--atomic"]);
    atomic(&format!("{third}{fourth}{{\"id\":5}}\n")).fails(
        6,
        "error: stopped at line 3: 0 rows are set\n\
         caused by: line 3, column 8: the field `name` is missing\n",
    );
    as_it_was(&shop);
    atomic(&format!("{third}\n{}", row(4, "ann@mail.com"))).fails(
        6,
        "error: stopped at line 3: 0 rows are set\n\
         caused by: the row with id 4 can't have email \"ann@mail.com\" in `users`: the row with id 1 has it\n",
    );
    as_it_was(&shop);
    atomic(&format!("{third}{fourth}")).stdout("{\"projection\":\"users\",\"set\":2}\n");
    has(&shop, &format!("{ROWS}{third}{fourth}"));
}

#[test]
fn more_rows_than_are_committed_together_are_all_set() {
    let shop = numbers();
    let lines = (1..=25_000).map(|id| format!("{{\"id\":{id}}}\n"));
    shop.run(["project", "set", "numbers", "--jsonl", "-"])
        .stdin(lines.collect::<String>() + "{\"id\":0.5}\n")
        .fails_with(6, ["error: stopped at line 25001: 25000 rows are set\n"]);
    shop.run(["project", "select", "numbers", "--count"]).stdout("{\"count\":25000}\n");
}

#[test]
fn a_row_is_given_once() {
    let shop = users();
    let set = || shop.run(["project", "set", "users"]);
    set().fails_with(2, ["<ROW>"]);
    set()
        .args(["{}", "--jsonl", "rows.jsonl"])
        .fails_with(2, ["'[ROW]' cannot be used with '--jsonl <FILE>'"]);
    as_it_was(&shop);
}
