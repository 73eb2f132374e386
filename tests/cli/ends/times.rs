//! Times at the ends of their range, 0001-01-01T00:00:00Z to 9999-12-31T23:59:59.999999Z, and beyond.

use crate::harness::{Ream, Run, line, ream};

const FIRST: &str = "0001-01-01T00:00:00.000000Z";
const LAST: &str = "9999-12-31T23:59:59.999999Z";

/// What many take for the last second, and others that some libraries can't hold.
const FAR: [&str; 4] =
    ["9999-12-30T22:00:00.5Z", "9999-12-31T23:59:59Z", LAST, "9999-12-31T23:59:59.9999999Z"];
const OUTSIDE: [&str; 4] = [
    "0000-12-31T23:59:59.999999Z",
    "0001-01-01T00:00:00+00:01",
    "9999-12-31T23:59:59-00:01",
    "+009999-12-31T23:59:59.999999-00:01",
];

/// A line of input with a time.
fn at(time: &str) -> String {
    line("s", "T", "1").replace("\"type\"", &format!("\"time\":\"{time}\",\"type\""))
}

/// An aggregator that answers with an event of that time.
fn decide<'r>(shop: &'r Ream, time: &str) -> Run<'r> {
    let reply = format!(r#"{{"append":{{"type":"T","time":"{time}"}}}}"#);
    shop.run(["decide", "s", "1", "--", "echo", &reply])
}

#[test]
fn the_first_time_is_stored_from_everywhere() {
    let shop = ream();
    shop.run(["append", "s", "T", "--time", "0001-01-01T00:00:00Z"]).ok();
    shop.append_lines(&at("0000-12-31T22:00:00-02:00")).ok();
    decide(&shop, FIRST).ok();
    let events = shop.run(["read", "--until", "0001-01-01T00:00:00Z"]).values();
    let times: Vec<_> = events.iter().map(|event| event["time"].as_str().unwrap()).collect();
    assert_eq!(times, [FIRST; 3]);
}

#[test]
fn the_last_times_are_times_and_too_far_ahead_for_an_event() {
    let shop = ream();
    for time in FAR {
        let told = ["more than a day after"];
        shop.run(["append", "s", "T", "--time", time]).fails_with(6, told);
        shop.append_lines(&at(time)).fails_with(6, told);
        decide(&shop, time).fails_with(7, ["decided on what can't be stored", told[0]]);
        shop.run(["read", "--since", time]).stdout("");
        shop.run(["read", "--until", time]).stdout("");
        shop.run(["tail", "--since", time, "--until", "0"]).stdout("");
    }
}

#[test]
fn a_field_holds_every_time() {
    let shop = ream();
    shop.run(["project", "create", "p", "t:timestamp:key"]).ok();
    for time in [FIRST].into_iter().chain(FAR) {
        shop.run(["project", "set", "p", &format!(r#"{{"t":"{time}"}}"#)]).ok();
        shop.run(["project", "select", "p", &format!("t = '{time}'"), "--count"])
            .stdout("{\"count\":1}\n");
    }
    shop.run(["project", "select", "p", "t > '0001-01-01T00:00:00Z'", "--order-by", "t"]).stdout(
        &format!(
            "{{\"t\":\"9999-12-30T22:00:00.500000Z\"}}\n\
             {{\"t\":\"9999-12-31T23:59:59.000000Z\"}}\n{{\"t\":\"{LAST}\"}}\n"
        ),
    );
}

#[test]
fn a_time_outside_is_refused_everywhere() {
    let shop = ream();
    shop.append("s", "T", "1").ok();
    shop.run(["project", "create", "p", "t:timestamp:key"]).ok();
    shop.run(["tail", "--as", "n", "--until-caught-up", "--", "sh", "-c", "cat >/dev/null"]).ok();
    for time in OUTSIDE {
        let told = ["the years 0001 to 9999"];
        shop.run(["append", "s", "T", "--time", time]).fails_with(6, told);
        shop.append_lines(&at(time)).fails_with(6, told);
        decide(&shop, time).fails_with(7, told);
        for option in ["--since", "--until"] {
            shop.run(["read", option, time]).fails_with(6, told);
        }
        shop.run(["subscription", "seek", "n", time]).fails_with(6, told);
        shop.run(["project", "set", "p", &format!(r#"{{"t":"{time}"}}"#)]).fails_with(6, told);
        shop.run(["project", "select", "p", &format!("t < '{time}'")]).fails_with(6, told);
    }
}

#[test]
fn how_long_ago_reaches_back_to_the_first_time_at_most() {
    let shop = ream();
    shop.run(["append", "s", "T", "--time", FIRST]).ok();
    assert!(shop.positions(&["--since", "100000w"]).is_empty());
    for ago in ["7304484d", "175307616h", "631107417600s", "1043497w"] {
        assert_eq!(shop.positions(&["--since", ago]), [1], "{ago}");
    }
}
