//! Invariant 7: what a writer expects of many streams holds when its event is stored, whoever else writes.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::Command;

use ream::{NewEvent, Tags};
use serde_json::Value;

use crate::support::{Home, Running, clean, read, sized};

fn tagged(stream: &str, tag: &str) -> NewEvent {
    let mut event = sized(stream, "{}");
    event.tags = Tags::new([tag]).unwrap();
    event
}

/// Shells that run a script each, once all have been started; how each ended.
fn race(home: &Home, count: usize, script: impl Fn(usize) -> String) -> Vec<Option<i32>> {
    let start = |number: usize| {
        let mut shell = Command::new("bash");
        let script = format!(
            "ream() {{ '{}' \"$@\"; }}; export REAM_STORE='{}'; read go; {}",
            env!("CARGO_BIN_EXE_ream"),
            home.store().display(),
            script(number)
        );
        shell.arg("-c").arg(script);
        clean(&mut shell, home.place());
        Running::start(&mut shell)
    };
    let mut started: Vec<Running> = (0..count).map(start).collect();
    for running in &mut started {
        running.stdin().write_all(b"go\n").unwrap();
    }
    started.into_iter().map(|running| running.end().code).collect()
}

#[test]
fn of_those_who_take_one_name_one_does() {
    for names in 0..5 {
        let home = Home::with(names);
        let ends = race(&home, 16, |number| {
            format!("ream append user-{number} Taken --tag name:ann --none tag=name:ann")
        });
        let taken = read(&home.open());
        let taken = taken.iter().filter(|event| !event.tags.is_empty()).count();
        let won = ends.iter().filter(|code| **code == Some(0)).count();
        assert_eq!((won, taken), (1, 1), "{ends:?}");
        assert!(ends.iter().all(|code| matches!(code, Some(0 | 3))), "{ends:?}");
    }
}

/// How a student is subscribed to a course: what there is about it is read, and the decision holds as long as nothing
/// came in between. Others write elsewhere all the while.
const SUBSCRIBE: &str = r#"
for student in $(seq 10); do
  ream append "elsewhere-$number" Noise --tag "elsewhere:$number" >/dev/null || exit 1
  for attempt in $(seq 200); do
    seen=$(ream read --tag course:c1 --markers) || exit 1
    case ${seen##*$'\n'} in '{"caught_up":'*) ;; *) exit 1 ;; esac
    taken=$(grep -c '"type":"Subscribed"' <<<"$seen")
    [ "$taken" -lt 50 ] || exit 8
    cursor=$(sed -n '1s/.*"cursor":"\(.*\)"}/\1/p' <<<"$seen")
    ream append "student-$number-$student" Subscribed --tag course:c1 \
      --none tag=course:c1 --none-after "$cursor" >/dev/null 2>&1
    ended=$?
    case $ended in 0) break ;; 3) ;; *) exit $ended ;; esac
  done
done
"#;

#[test]
fn a_course_gets_exactly_as_many_as_it_has_places() {
    let home = Home::new();
    let ends = race(&home, 16, |number| format!("number={number}; {SUBSCRIBE}"));
    let subscribed = read(&home.open());
    let subscribed =
        subscribed.iter().filter(|event| event.event_type.as_str() == "Subscribed").count();
    assert_eq!(subscribed, 50, "{ends:?}");
    assert!(ends.iter().all(|code| matches!(code, Some(0 | 8))), "{ends:?}");
    assert!(ends.contains(&Some(8)), "{ends:?}");
}

/// An aggregator of a course with 50 places, which notes that it ran.
const COURSE: &str = r#"
import json, sys
asked = json.loads(sys.stdin.readline())
open("runs", "a").write("run\n")
if len(asked["events"]) == 50:
    print(json.dumps({"reject": "full"}))
else:
    print(json.dumps({"append": {"stream": asked["command"], "type": "Subscribed", "tags": ["course:c1"]}}))
"#;

#[test]
fn those_who_decide_on_one_boundary_take_turns() {
    let home = Home::new();
    std::fs::write(home.place().join("course.py"), COURSE).unwrap();
    let ends = race(&home, 16, |number| {
        format!(
            "for n in $(seq 6); do ream decide --tag course:c1 '\"s-{number}\"' -- python3 course.py >/dev/null 2>&1; \
             code=$?; case $code in 0 | 8) ;; *) exit $code ;; esac; done"
        )
    });
    assert!(ends.iter().all(|code| *code == Some(0)), "{ends:?}");
    assert_eq!(read(&home.open()).len(), 50);
    let runs = std::fs::read_to_string(home.place().join("runs")).unwrap().lines().count();
    assert!((96..=144).contains(&runs), "{runs} runs for 96 decisions");
}

/// More than a pipe and a batch hold.
const MANY: usize = 5000;

#[test]
fn a_slow_reader_is_given_all_up_to_its_head_and_nothing_behind_it() {
    let home = Home::new();
    let mut store = home.open();
    store.append(&vec![tagged("a", "x"); MANY]).unwrap();
    for args in [&["--tag", "x"][..], &["a"], &["--query", "type=T"], &[]] {
        let head = store.head().unwrap().0;
        let mut reading = Running::start(&mut home.ream(&[&["read", "--markers"], args].concat()));
        let mut lines = BufReader::new(reading.stdout());
        let mut first = String::new();
        lines.read_line(&mut first).unwrap();
        // It has begun, and can't end before someone reads on.
        store.append(&vec![tagged("a", "x"); MANY]).unwrap();
        let mut rest = String::new();
        lines.read_to_string(&mut rest).unwrap();
        let first: Value = serde_json::from_str(&first).unwrap();
        let positions: Vec<u64> = rest
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).unwrap()["position"].as_u64())
            .collect();
        assert_eq!(first["head"].as_u64(), Some(head), "{args:?}");
        assert_eq!(positions, (1..=head).collect::<Vec<_>>(), "{args:?}");
        assert!(rest.ends_with(&format!("}}\n{{\"caught_up\":{head}}}\n")), "{args:?}");
        reading.end().done();
    }
}

#[test]
fn who_is_cut_off_is_not_told_that_all_was_given() {
    let home = Home::new();
    home.open().append(&vec![tagged("a", "x"); MANY]).unwrap();
    let mut reading = Running::start(&mut home.ream(&["read", "--markers", "--tag", "x"]));
    let mut lines = BufReader::new(reading.stdout());
    let mut got = String::new();
    lines.read_line(&mut got).unwrap();
    reading.kill();
    lines.read_to_string(&mut got).unwrap();
    assert!(got.starts_with("{\"from\":1,") && !got.contains("caught_up"), "{}", got.len());
}

#[test]
fn a_cursor_of_before_a_restore_is_of_another_log() {
    let home = Home::with(3);
    home.run(&["backup", "copy"]).done();
    home.run(&["append", "a", "Lost", "--tag", "x"]).done();
    let marks = home.run(&["read", "--markers", "--tag", "x"]).done();
    let marks: Value = serde_json::from_str(marks.lines().next().unwrap()).unwrap();
    let cursor = marks["cursor"].as_str().unwrap();
    let (kept, lost) = (home.store(), home.place().join("lost"));
    std::fs::rename(&kept, &lost).unwrap();
    home.run(&["restore", "copy", kept.to_str().unwrap()]).done();
    let behind =
        |place: &str| home.run(&["append", "b", "T", "--none", "tag=x", "--none-after", place]);
    // Another event is at position 4 by now: the restore is recorded.
    behind(cursor).failed(3, &["is no place in this store's log"]);
    behind("4").done();
}
