//! Rows and changes of rows that do not fit.

use super::{bad_reply, fails};

/// That each reply is refused for this reason.
#[track_caller]
fn refuses(replies: &[(&str, &str)]) {
    for (reply, reason) in replies {
        let script = format!("echo '{reply}'; sleep 1000");
        fails(&script, &bad_reply(3, reason, reply));
    }
}

#[test]
fn one_whose_rows_do_not_fit() {
    refuses(&[
        (r#"{"set":{"n":1}}"#, "column 14: the field `position` is missing"),
        (r#"{"set":{"position":2,"nam":"x"}}"#, "column 26: no field `nam`; did you mean `name`?"),
        (r#"{"set":{"position":1.5}}"#, "column 20: the field `position`: 1.5 is no integer"),
        (r#"{"set":{"position":null}}"#, "column 20: the field `position`: it can't be null"),
        (
            r#"{"set":{"position":2,"name":"too long a name"}}"#,
            "column 29: the field `name`: it has 15 characters; 8 are allowed",
        ),
        (
            r#"{"set":{"position":2,"price":1.005}}"#,
            "column 30: the field `price`: 1.005 has 3 digits behind the point; 2 fit",
        ),
        (r#"{"set":7}"#, "column 8: invalid type: integer `7`, expected a row: a JSON object"),
    ]);
}

#[test]
fn one_whose_changes_of_rows_do_not_fit() {
    refuses(&[
        (
            r#"{"upsert":{"row":{"position":2,"n":"x"},"compute":{"n":"n + 1"}}}"#,
            "column 36: the field `n`: `x` is no number",
        ),
        (
            r#"{"upsert":{"rows":{}}}"#,
            "column 17: unknown field `rows`, expected one of `row`, `compute`, `with`",
        ),
        (
            r#"{"update":{"where":{"position":1},"set":{"n":true}}}"#,
            "column 46: the field `n`: true is no integer",
        ),
        (
            r#"{"update":{"where":{"position":1}}}"#,
            "an update needs `set` or `compute`, and a field in it",
        ),
        (
            r#"{"update":{"where":{"nn":1},"set":{"n":1}}}"#,
            "column 24: no field `nn`; did you mean `n`?",
        ),
        (r#"{"delete":{}}"#, r#"which rows? name a field; {"expr":"TRUE"} is all of them"#),
        (r#"{"update":{"set":{"n":1}}}"#, "column 25: missing field `where`"),
        (
            r#"{"update":{"where":{"position":1},"set":{"position":null}}}"#,
            "column 53: the field `position`: it can't be null",
        ),
        (
            r#"{"upsert":{"row":{"position":2},"compute":{"n":"m + 1"}}}"#,
            "no field `m`, in `m + 1`; did you mean `n`?",
        ),
        (
            r#"{"upsert":{"row":{"position":2},"compute":{"position":"position + 1"}}}"#,
            "`position` is in the key, which stays, in `position + 1`",
        ),
        (
            r#"{"update":{"where":{"position":1},"compute":{"n":"n +"}}}"#,
            "expected a value: a field, a number, a string, found the end, in `n +`",
        ),
        (r#"{"delete":{"expr":"nn = 1"}}"#, "no field `nn`, in `nn = 1`; did you mean `n`?"),
        (
            r#"{"delete":{"expr":"n = :x","with":{"x":[1]}}}"#,
            "column 40: `:x` is text, a number, true, false or null",
        ),
    ]);
}
