//! What a projector's replies make of rows.

use super::{catches_up, project, seen};

/// That these replies leave these rows.
#[track_caller]
fn replies_make(replies: &str, expected: &str) {
    let shop = seen(1);
    shop.write("replies", replies);
    catches_up(&shop, &[], "read -r _; cat replies");
    shop.run(["project", "select", "seen", "--order-by", "position"])
        .args(["--fields", "position,n,name", "--format", "csv"])
        .stdout(&format!("position,n,name\n{expected}"));
}

#[test]
fn rows_are_set_and_deleted() {
    replies_make(
        r#"{"set":{"position":1,"n":1,"name":"a"}}
{"set":{"position":2,"n":2,"name":"b"}}
{"set":{"position":1,"name":"c"}}
{"set":{"position":3}}
{"delete":{"position":2}}
{"set":{"position":4,"n":4}}
{"delete":{"n":null}}
"#,
        "4,4,\n",
    );
    replies_make(
        r#"{"set":{"position":1,"n":1}}
{"set":{"position":2,"n":2}}
{"set":{"position":3,"n":3}}
{"set":{"position":4}}
{"delete":{"expr":"n >= :least AND n != :not","with":{"least":2,"not":2}}}
{"delete":{"position":7}}
"#,
        "1,1,\n2,2,\n4,,\n",
    );
    replies_make("{\"set\":{\"position\":1}}\n{\"delete\":{\"expr\":\"TRUE\"}}\n", "");
}

#[test]
fn rows_are_upserted() {
    replies_make(
        r#"{"upsert":{"row":{"position":1,"n":5},"compute":{"n":"n + :by"},"with":{"by":5}}}
{"upsert":{"row":{"position":1,"n":7},"compute":{"n":"n + :by"},"with":{"by":7}}}
{"upsert":{"row":{"position":2,"n":1,"name":"a"}}}
{"upsert":{"row":{"position":2,"n":2,"name":"b"},"compute":{"name":":new"},"with":{"new":"é'\""}}}
"#,
        "1,12,\n2,1,\"é'\"\"\"\n",
    );
}

#[test]
fn an_upsert_that_computes_nothing_inserts_what_is_absent() {
    replies_make(
        r#"{"upsert":{"row":{"position":1,"n":5}}}
{"upsert":{"row":{"position":1,"n":7}}}
{"upsert":{"row":{"position":1,"n":8},"compute":{}}}
{"upsert":{"row":{"position":2,"n":9},"compute":{},"with":{}}}
"#,
        "1,5,\n2,9,\n",
    );
}

#[test]
fn exact_numbers_may_be_strings_wherever_values_go() {
    // So that a program whose numbers are floats can send each integer and each amount.
    let shop = seen(1);
    shop.write(
        "replies",
        r#"{"set":{"position":"9007199254740993","n":"9007199254740995","price":"31.70"}}
{"update":{"where":{"n":"9007199254740995"},"compute":{"price":"price + :by"},"with":{"by":"0.15"}}}
{"update":{"where":{"expr":"price = :p AND n IN (1, :n)","with":{"p":"31.85","n":"9007199254740995"}},"set":{"n":"9007199254740997"}}}
{"upsert":{"row":{"position":"9007199254740993"},"compute":{"price":"price * :a * :b + 0.05","n":":n"},"with":{"a":"2","b":"3","n":"9007199254740999"}}}
{"set":{"position":"9007199254740994"}}
{"delete":{"position":"9007199254740994"}}
"#,
    );
    catches_up(&shop, &[], "read -r _; cat replies");
    let select = ["project", "select", "seen", "--fields", "position,n,price"];
    let row = "{\"position\":9007199254740993,\"n\":9007199254740999,\"price\":191.15}\n";
    shop.run(select).stdout(row);
    shop.run(select).args(["n = :n", "--with", "n=9007199254740999"]).stdout(row);
    shop.run(["project", "set", "seen", r#"{"position":"5","price":"1.50"}"#]).ok();
    shop.run(select).args(["position < 6"]).stdout("{\"position\":5,\"n\":null,\"price\":1.50}\n");
}

#[test]
fn a_string_that_is_no_number_is_told_of() {
    let with = |value: &str| {
        format!(
            r#"{{"update":{{"where":{{"n":1}},"compute":{{"n":":n"}},"with":{{"n":{value}}}}}}}"#
        )
    };
    for (reply, reason) in [
        (with(r#""much""#), "`much` is no number, in `:n`"),
        (with(r#""1.5""#), "1.5 is no integer, in `:n`"),
        (with(r#""9223372036854775808""#), "9223372036854775808 is beyond 64 bits, in `:n`"),
        (r#"{"set":{"position":"x"}}"#.into(), "column 20: the field `position`: `x` is no number"),
    ] {
        let shop = seen(1);
        shop.write("reply", format!("{reply}\n"));
        project(&shop, &["--retries", "0"], "read -r _; cat reply; read -r _")
            .fails_with(7, [reason]);
    }
}

#[test]
fn rows_are_updated() {
    replies_make(
        r#"{"set":{"position":1,"n":1,"name":"a"}}
{"set":{"position":2,"n":2,"name":"a"}}
{"set":{"position":3,"n":3,"name":"b"}}
{"update":{"where":{"name":"a"},"compute":{"n":"n * :by"},"with":{"by":10}}}
{"update":{"where":{"name":"a","n":10},"set":{"name":"c"}}}
{"update":{"where":{"expr":"n = :n OR name = :name","with":{"n":20,"name":"b"}},"set":{"name":"d"},"compute":{"n":"n + 1"}}}
{"update":{"where":{"position":7},"set":{"name":"e"}}}
"#,
        "1,10,c\n2,21,d\n3,4,d\n",
    );
}
