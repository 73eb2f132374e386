//! Versions and positions at their limits and beyond.

use crate::harness::{line, ream};

/// The largest version and position, and one more.
const LARGEST: &str = "9223372036854775807";
const BEYOND: &str = "9223372036854775808";

#[test]
fn a_version_out_of_range_is_invalid_input_wherever_it_is_said() {
    let shop = ream();
    let said = |number: &str| {
        line("s", "T", "1").replace("\"type\"", &format!("\"expect\":{number},\"type\""))
    };
    shop.run(["append", "s", "T", "--expect", LARGEST])
        .fails_with(3, ["expected 9223372036854775807, actual 0"]);
    shop.append_lines(&said(LARGEST)).fails_with(3, ["expected 9223372036854775807, actual 0"]);
    for number in [BEYOND, "18446744073709551616", "99999999999999999999999"] {
        let told = [&*format!("the version {number} is out of range")];
        shop.run(["append", "s", "T", "--expect", number]).fails_with(6, told);
        shop.append_lines(&said(number)).fails_with(6, told);
        let reply = format!(r#"{{"append":{{"type":"T","expect":{number}}}}}"#);
        shop.run(["decide", "s", "1", "--", "echo", &reply]).fails_with(7, told);
    }
    // What is no version at all is another mistake.
    shop.run(["append", "s", "T", "--expect", "-1"]).fails_with(2, ["unknown expectation"]);
}

#[test]
fn a_position_out_of_range_is_invalid_input_wherever_it_is_said() {
    let shop = ream();
    shop.append("s", "T", "1").ok();
    shop.run(["tail", "--as", "n", "--until-caught-up", "--", "sh", "-c", "cat >/dev/null"]).ok();
    for number in [LARGEST, BEYOND, "18446744073709551615", "18446744073709551616"] {
        shop.run(["subscription", "ack", "n", number]).fails_with(6, [number]);
        shop.run(["subscription", "seek", "n", number]).fails_with(6, [number]);
        for option in ["--after", "--from", "--until"] {
            let read = shop.run(["read", option, number]);
            if option == "--until" && number == LARGEST {
                read.ok();
            } else {
                read.fails_with(6, [number]);
            }
        }
    }
}
