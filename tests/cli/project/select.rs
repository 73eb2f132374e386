//! `ream project select`.

use super::{ROWS, as_it_was, users};
use crate::harness::{Ream, Run, ream};

/// A projection with values that look unlike in each format.
fn things() -> Ream {
    let shop = ream();
    shop.run([
        "project",
        "create",
        "things",
        "id:integer:key",
        "note:text:null",
        "ok:boolean:null",
    ])
    .args(["price:decimal:6:2:null", "photo:blob:null", "extra:json:null"])
    .ok();
    shop.run(["project", "set", "things", "--jsonl", "-"])
        .stdin(concat!(
            r#"{"id":1,"note":"plain","ok":true,"price":1,"photo":"AAEC","extra":{"a":"b"}}"#,
            "\n",
            r#"{"id":2,"note":"say \"so\", Zo\u00eb\nend","ok":false,"price":-0.5,"extra":"x"}"#,
            "\n",
            r#"{"id":3,"note":""}"#,
            "\n",
            r#"{"id":4,"note":" x"}"#,
            "\n",
            r#"{"id":5}"#,
            "\n",
        ))
        .ok();
    shop
}

fn select<'r>(shop: &'r Ream, args: &[&str]) -> Run<'r> {
    shop.run(["project", "select"]).args(args)
}

/// Five people, of whom some are alike in a field.
fn town() -> Ream {
    let shop = ream();
    shop.run(["project", "create", "people", "id:integer:key", "city:text:index:null"])
        .args(["pay:decimal:6:2"])
        .ok();
    shop.run(["project", "set", "people", "--jsonl", "-"])
        .stdin(concat!(
            r#"{"id":1,"city":"Rome","pay":9}"#,
            "\n",
            r#"{"id":2,"city":"London","pay":10.00}"#,
            "\n",
            r#"{"id":3,"pay":100}"#,
            "\n",
            r#"{"id":4,"city":"Rome","pay":10}"#,
            "\n",
            r#"{"id":5,"city":"london","pay":-1.50}"#,
            "\n",
        ))
        .ok();
    shop
}

/// The ids of the rows that are selected, in their order.
#[track_caller]
fn ids(shop: &Ream, args: &[&str]) -> Vec<i64> {
    let rows = select(shop, &["people", "--fields", "id"]).args(args).values();
    rows.iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

#[test]
fn rows_are_lines_of_json() {
    let lines = concat!(
        r#"{"id":1,"note":"plain","ok":true,"price":1.00,"photo":"AAEC","extra":{"a":"b"}}"#,
        "\n",
        r#"{"id":2,"note":"say \"so\", Zoë\nend","ok":false,"price":-0.50,"photo":null,"extra":"x"}"#,
        "\n",
        r#"{"id":3,"note":"","ok":null,"price":null,"photo":null,"extra":null}"#,
        "\n",
    );
    let shop = things();
    select(&shop, &["things", "id < 4", "--order-by", "id"]).stdout(lines);
    select(&shop, &["things", "id < 4", "--order-by", "id", "--format", "jsonl"]).stdout(lines);
}

#[test]
fn rows_are_one_json_value() {
    let users = users();
    let both = ROWS.trim_end().replace('\n', ",\n");
    select(&users, &["users", "--order-by", "id", "--format", "json"])
        .stdout(&format!("[\n{both}\n]\n"));
}

#[test]
fn rows_are_csv_with_quotes_where_they_have_to_be() {
    select(&things(), &["things", "--order-by", "id", "--format", "csv"]).stdout(
        "id,note,ok,price,photo,extra\n\
         1,plain,true,1.00,AAEC,\"{\"\"a\"\":\"\"b\"\"}\"\n\
         2,\"say \"\"so\"\", Zo\u{eb}\nend\",false,-0.50,,\"\"\"x\"\"\"\n\
         3,\"\",,,,\n\
         4,\" x\",,,,\n\
         5,,,,,\n",
    );
}

#[test]
fn rows_are_lined_up_for_the_eye() {
    select(&things(), &["things", "id IN (1, 2, 5)", "--order-by", "id", "--format", "table"])
        .stdout(
            "id  note                    ok     price  photo      extra\n\
             1   plain                   true   1.00   (3 bytes)  {\"a\":\"b\"}\n\
             2   say \"so\", Zo\u{eb}\\u000aend  false  -0.50             \"x\"\n\
             5\n",
        );
}

#[test]
fn no_rows_are_nothing_in_each_format() {
    let shop = users();
    let none = |format: &str| select(&shop, &["users", "FALSE", "--format", format]);
    none("jsonl").stdout("");
    none("json").stdout("[]\n");
    none("csv").stdout("id,name,email,city,salary,born,extra\n");
    none("table").stdout("");
}

#[test]
fn fields_are_chosen_and_come_in_that_order() {
    let shop = users();
    select(&shop, &["users", "id = 2", "--fields", "salary, id"])
        .stdout("{\"salary\":3100.00,\"id\":2}\n");
    select(&shop, &["users", "id = 2", "--fields", "salary,id", "--format", "csv"])
        .stdout("salary,id\n3100.00,2\n");
    select(&shop, &["users", "--fields", "id,nme"])
        .fails(6, "error: no field `nme`\nhint: did you mean `name`?\n");
    select(&shop, &["users", "--fields", "id,*"]).fails(
        6,
        "error: no field `*`\nhint: there are id, name, email, city, salary, born, extra\n",
    );
}

#[test]
fn rows_are_ordered_by_what_values_are() {
    let shop = town();
    // Null before all else, upper case before lower, and 9 before 10.
    assert_eq!(ids(&shop, &["--order-by", "city"]), [3, 2, 1, 4, 5]);
    assert_eq!(ids(&shop, &["--order-by", "-city"]), [5, 1, 4, 2, 3]);
    assert_eq!(ids(&shop, &["--order-by", "pay"]), [5, 1, 2, 4, 3]);
    assert_eq!(ids(&shop, &["--order-by", "pay,-id"]), [5, 1, 4, 2, 3]);
    assert_eq!(ids(&shop, &["--order-by", "city, -pay"]), [3, 2, 4, 1, 5]);
    assert_eq!(ids(&shop, &["--order-by", "-id"]), [5, 4, 3, 2, 1]);
    select(&shop, &["people", "--order-by", "-pya"])
        .fails(6, "error: no field `pya`\nhint: did you mean `pay`?\n");
    select(&shop, &["people", "--order-by", "pay,-pay"])
        .fails(6, "error: --order-by names `-pay` twice\n");
}

#[test]
fn a_page_of_rows_has_a_limit_and_an_offset() {
    let shop = town();
    let page = |args: &[&str]| ids(&shop, &[&["--order-by", "id"], args].concat());
    assert_eq!(page(&["--limit", "2"]), [1, 2]);
    assert_eq!(page(&["--limit", "2", "--offset", "2"]), [3, 4]);
    assert_eq!(page(&["--offset", "3"]), [4, 5]);
    assert_eq!(page(&["--offset", "5"]), [0; 0]);
    assert_eq!(page(&["--limit", "0"]), [0; 0]);
    assert_eq!(page(&["--limit", "18446744073709551615"]), [1, 2, 3, 4, 5]);
    select(&shop, &["people", "--limit", "-1"]).fails_with(2, ["'--limit <N>'"]);
}

#[test]
fn rows_are_counted() {
    let shop = town();
    select(&shop, &["people", "--count"]).stdout("{\"count\":5}\n");
    select(&shop, &["people", "city = 'Rome'", "--count"]).stdout("{\"count\":2}\n");
    select(&shop, &["people", "city = 'Oslo'", "--count"]).stdout("{\"count\":0}\n");
    // A row without a city is none of a city that is another.
    select(&shop, &["people", "city != 'Rome'", "--count"]).stdout("{\"count\":2}\n");
    select(&shop, &["people", "--count", "--format", "table"]).stdout("5\n");
    select(&shop, &["people", "--count", "--format", "csv"]).stdout("5\n");
    select(&shop, &["people", "--count", "--fields", "id"])
        .fails_with(2, ["'--count' cannot be used with '--fields <FIELDS>'"]);
}

#[test]
fn conditions_choose_rows() {
    let shop = town();
    let found = |condition: &str| ids(&shop, &[condition, "--order-by", "id"]);
    assert_eq!(found("city IN ('Rome', 'London') AND pay >= 10"), [2, 4]);
    assert_eq!(found("city =~ '^[lL]ondon$' OR city IS NULL"), [2, 3, 5]);
    assert_eq!(found("city CONTAINS 'on' AND NOT pay > 0"), [5]);
    assert_eq!(found("pay * 2 = id * 18"), [1]);
    assert_eq!(found("pay / (id - 3) > 0"), [4]);
}

#[test]
fn values_are_given_beside_the_expression() {
    let shop = town();
    let with = |args: &[&str]| ids(&shop, &[args, &["--order-by", "id"]].concat());
    assert_eq!(with(&["city = :c", "--with", "c=Rome"]), [1, 4]);
    assert_eq!(with(&["city = :c AND pay > :p", "--with", "c=Rome", "--with", "p=9.00"]), [4]);
    assert_eq!(with(&["id IN (:a, :b)", "--with", "a=5", "--with", "b=2"]), [2, 5]);
    assert_eq!(with(&["city = :c", "--with", "c=a=b"]), [0; 0]);
    select(&shop, &["people", "id = :id", "--with", "id"])
        .fails(2, "error: --with id has no value: NAME=VALUE\nhint: ream project select --help\n");
    select(&shop, &["people", "id = :id", "--with", "id=1", "--with", "id=2"])
        .fails(2, "error: --with id is given twice\nhint: ream project select --help\n");
}

#[test]
fn how_rows_are_found_is_explained() {
    let shop = town();
    let explain =
        |args: &[&str]| select(&shop, &["people", "--fields", "id", "--explain"]).args(args);
    explain(&["city = 'Rome'"]).stdout(concat!(
        r#"{"plan":["SEARCH people USING COVERING INDEX people(city) (city=?)"],"#,
        r#""statement":"SELECT \"id\" FROM \"people\" WHERE (\"city\" = ?1)"}"#,
        "\n"
    ));
    explain(&["id = 1", "--format", "table"]).stdout(
        "SEARCH people USING INTEGER PRIMARY KEY (rowid=?)\n\
         \n\
         SELECT \"id\" FROM \"people\" WHERE (\"id\" = ?1)\n",
    );
    explain(&["pay > 9.995", "--order-by", "-pay", "--limit", "3", "--format", "table"]).stdout(
        "SCAN people\n\
         USE TEMP B-TREE FOR ORDER BY\n\
         \n\
         SELECT \"id\" FROM \"people\" WHERE (\"pay$\" > ?1) ORDER BY \"pay$\" DESC, \"id\" LIMIT 3 OFFSET 0\n",
    );
}

#[test]
fn what_is_not_reached_in_time_is_told() {
    let shop = ream();
    shop.run(["project", "create", "people", "id:integer:key", "--from", "user-*"]).ok();
    let at_least = |position: &str| {
        select(&shop, &["people", "--at-least", position, "--wait", "0s", "--count"])
    };
    // Nothing that it is made from is missing.
    shop.append("other", "T", "1").ok();
    at_least("0").stdout("{\"count\":0}\n");
    at_least("2").stdout("{\"count\":0}\n");
    shop.append("user-1", "T", "1").ok();
    at_least("3").fails(
        10,
        "error: the projection `people` has not reached position 3 in time; it is at 0\n\
         hint: ream project show people\n",
    );
    // Beyond the head nothing is known.
    at_least("9").fails_with(10, ["has not reached position 9 in time"]);
    select(&shop, &["people", "--at-least", "here"]).fails_with(6, ["--at-least <POSITION>"]);
    select(&shop, &["people", "--wait", "0s"])
        .fails(2, "error: --wait needs --at-least or --fresh\nhint: ream project select --help\n");
}

#[test]
fn csv_is_a_format_of_rows_alone() {
    let shop = users();
    let alone = |command: &str| {
        format!(
            "error: csv is a format of `project select` alone\nhint: ream project {command} --help\n"
        )
    };
    shop.run(["project", "list", "--format", "csv"]).fails(2, &alone("list"));
    let delete = ["project", "delete", "users", "TRUE", "-y", "--format", "csv"];
    shop.run(delete).fails(2, &alone("delete"));
    as_it_was(&shop);
}
