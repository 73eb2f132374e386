//! What a line of input may hold, and what is wrong with one that holds something else.

use crate::harness::ream;

/// A line that is refused: its message, and nothing stored.
#[track_caller]
fn check_refused(line: &str, message: &str) {
    let shop = ream();
    shop.append_lines(&format!("{line}\n")).fails(
        6,
        &format!(
            "error: stopped at line 1: 0 events are stored\n\
             caused by: line 1, {message}\n"
        ),
    );
    shop.run(["read"]).stdout("");
}

#[test]
fn stream_and_type_are_needed() {
    check_refused(r#"{"type":"T"}"#, "column 12: no `stream`");
    check_refused(r#"{"stream":"s"}"#, "column 14: no `type`");
    check_refused("{}", "column 2: no `stream`");
}

#[test]
fn an_unknown_key_names_the_one_that_was_meant() {
    for (key, meant) in [
        ("dat", "data"),
        ("typ", "type"),
        ("meta_data", "metadata"),
        ("steram", "stream"),
        ("Time", "time"),
        ("data_base46", "data_base64"),
    ] {
        let column = 27 + key.len();
        check_refused(
            &format!(r#"{{"stream":"s","type":"T","{key}":1}}"#),
            &format!("column {column}: unknown key `{key}`; did you mean `{meant}`?"),
        );
    }
    check_refused(r#"{"stream":"s","type":"T","payload":1}"#, "column 34: unknown key `payload`");
}

#[test]
fn a_key_stands_once() {
    for key in ["stream", "type", "id", "metadata", "data", "expect"] {
        let value = if key == "metadata" { "{}" } else { "\"any\"" };
        ream()
            .append_lines(&format!(
                r#"{{"{key}":{value},"{key}":{value},"stream":"s","type":"T"}}"#
            ))
            .fails_with(6, ["line 1, column ", &format!("the key `{key}` appears twice")]);
    }
}

#[test]
fn a_line_is_one_json_object() {
    check_refused("[]", "column 1: invalid type: array, expected an event: a JSON object");
    check_refused("1", "column 1: invalid type: integer `1`, expected an event: a JSON object");
    check_refused(r#"{"stream":"s","type":"T"} {}"#, "column 27: trailing characters");
    check_refused(r#"{"stream":"s","type":"T","data":{"#, "column 33: it ends within an object");
    check_refused("hello", "column 1: expected value");
}

#[test]
fn a_value_is_of_the_kind_that_its_key_has() {
    for (member, message) in [
        (r#""stream":7"#, "invalid type: integer `7`, expected a string"),
        (r#""type":null"#, "invalid type: null, expected a string"),
        (r#""id":7"#, "invalid type: integer `7`"),
        (r#""time":7"#, "invalid type: integer `7`"),
        (r#""metadata":[]"#, "`metadata` must be a JSON object"),
        (r#""data":1,"data_base64":"""#, "`data` and `data_base64` together"),
        (r#""data_base64":"","data":1"#, "`data` and `data_base64` together"),
        (r#""data_base64":1"#, "invalid type: integer `1`"),
    ] {
        let line = match member {
            _ if member.contains("stream") => format!(r#"{{{member},"type":"T"}}"#),
            _ if member.contains("type") => format!(r#"{{"stream":"s",{member}}}"#),
            _ => format!(r#"{{"stream":"s","type":"T",{member}}}"#),
        };
        let shop = ream();
        shop.append_lines(&line)
            .fails_with(6, ["stopped at line 1: 0 events", "line 1, column ", message]);
        shop.run(["read"]).stdout("");
    }
}

#[test]
fn position_version_and_recorded_are_ignored() {
    let shop = ream();
    shop.append_lines(
        r#"{"position":99,"version":17,"recorded":"2001-01-01T00:00:00Z","stream":"s","type":"T","data":1}"#,
    )
    .stdout("{\"stream\":\"s\",\"version\":1,\"position\":1,\"id\":\"[link]/1\"}\n");
    shop.run(["read"]).stdout(concat!(
        r#"{"position":1,"stream":"s","version":1,"id":"[link]/1","type":"T","time":"[time]","data":1}"#,
        "\n"
    ));
}

#[test]
fn keys_stand_in_any_order_and_may_be_escaped() {
    let shop = ream();
    shop.append_lines(
        r#" { "\u0064ata" : [ 1 ] , "metadata":{"k":"v"},"time":"2010-01-01T00:00:00Z","id":"i\u0064","type":"T","stream":"\u0073" } "#,
    )
    .ok();
    shop.run(["read", "s"]).stdout(concat!(
        r#"{"position":1,"stream":"s","version":1,"id":"id","type":"T","time":"2010-01-01T00:00:00.000000Z","#,
        r#""recorded":"[time]","data":[1],"metadata":{"k":"v"}}"#,
        "\n"
    ));
}

#[test]
fn the_message_names_the_line_of_many() {
    let shop = ream();
    let good = "{\"stream\":\"s\",\"type\":\"T\"}\n";
    shop.append_lines(&(good.repeat(1234) + "{\"stream\":\"s\",\"typ\":\"T\"}\n" + good))
        .code(6)
        .stderr(
            "error: stopped at line 1235: 1234 events are stored\n\
             caused by: line 1235, column 19: unknown key `typ`; did you mean `type`?\n",
        )
        .ok();
    assert_eq!(shop.positions(&["-n", "1"]), [1234]);
}
