//! `--since` and `--until` with points in time, which choose by `time`, inclusive.

use crate::harness::{Ream, list, ream};

/// Events that happened at one, two and three o'clock of a day of 2020, and stored out of order.
fn shop() -> Ream {
    let shop = ream();
    for hour in [2, 1, 3] {
        let time = format!("2020-05-05T0{hour}:00:00Z");
        shop.run(["append", "s", "T", &hour.to_string(), "--time", &time]).ok();
    }
    shop
}

#[test]
fn since_and_until_choose_by_time_inclusive() {
    let shop = shop();
    assert_eq!(shop.positions(&["--since", "2020-05-05T02:00:00Z"]), [1, 3]);
    assert_eq!(shop.positions(&["--since", "2020-05-05T02:00:00.000001Z"]), [3]);
    assert_eq!(shop.positions(&["--until", "2020-05-05T02:00:00Z"]), [1, 2]);
    assert_eq!(shop.positions(&["--until", "2020-05-05T01:59:59.999999Z"]), [2]);
    let day = ["--since", "2020-05-05T01:30:00Z", "--until", "2020-05-05T02:30:00Z"];
    assert_eq!(shop.positions(&day), [1]);
    // Any offset names a point in time.
    assert_eq!(shop.positions(&["--since", "2020-05-05T05:00:00+02:00"]), [3]);
}

#[test]
fn times_go_with_every_other_choice() {
    let shop = shop();
    assert_eq!(shop.positions(&["--since", "2020-05-05T02:00:00Z", "-n", "1"]), [3]);
    assert_eq!(shop.positions(&["--until", "2020-05-05T02:00:00Z", "-n", "1"]), [2]);
    assert_eq!(shop.positions(&["--since", "2020-05-05T02:00:00Z", "--limit", "1"]), [1]);
    assert_eq!(shop.positions(&["--since", "2020-05-05T02:00:00Z", "--after", "1"]), [3]);
    assert_eq!(shop.positions(&["--since", "2020-05-05T02:00:00Z", "--until", "2"]), [1]);
    assert_eq!(shop.positions(&["--until", "2020-05-05T02:00:00Z", "none"]), list([]));
}

#[test]
fn since_takes_how_long_ago() {
    let shop = shop();
    shop.append("s", "T", "4").ok();
    for ago in ["10m", "1h", "1d", "1d 2h", "90s", "1w"] {
        assert_eq!(shop.positions(&["--since", ago]), [4], "{ago}");
    }
    let years = "5000w";
    assert_eq!(shop.positions(&["--since", years]), list(1..=4));
    for ago in ["10", "soon", "", "-10m"] {
        shop.run(["read", &format!("--since={ago}")]).fails_with(6, ["a duration, such as 10m"]);
    }
}

#[test]
fn since_finds_what_is_stored_long_before_its_time() {
    let shop = ream();
    let ahead = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(20)).to_string();
    shop.run(["append", "s", "T", "--time", &ahead]).ok();
    shop.append("s", "T", "2").ok();
    let between = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(10)).to_string();
    assert_eq!(shop.positions(&["--since", &between]), [1]);
    assert_eq!(shop.positions(&["--until", &between]), [2]);
}

#[test]
fn until_takes_no_word_that_is_neither_place_nor_time() {
    shop().run(["read", "--until", "noon"]).fails_with(
        6,
        [
            "neither a position nor a version",
            "is not a valid time",
            "expected a date, a time of day and an offset",
        ],
    );
}
