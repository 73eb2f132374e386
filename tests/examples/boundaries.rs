//! Runs the examples of decisions on boundaries, each by sixteen processes at once: what comes of it is what the model
//! allows, whoever was first.

use std::collections::BTreeMap;
use std::process::Command;
use std::thread;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{JQ, PYTHON, REAM, SH, needs, root};

/// How many ask at once.
const PROCESSES: usize = 16;

/// A store, and an example.
struct Race {
    place: TempDir,
    example: String,
}

impl Race {
    fn ream(&self, args: &[&str]) -> Command {
        let mut command = Command::new(REAM);
        command.args(args).current_dir(self.place.path()).env_remove("REAM_STORE");
        command
    }

    fn append(&self, stream: &str, event_type: &str, data: &Value, tag: &str) {
        let data = data.to_string();
        let done =
            self.ream(&["append", stream, event_type, &data, "--tag", tag]).output().unwrap();
        assert!(done.status.success(), "{done:?}");
    }

    /// Has all processes decide at once, each one command after another; how often each exit code came.
    fn decide(&self, asked: impl Fn(usize) -> Vec<(String, Value)> + Sync) -> BTreeMap<i32, usize> {
        let example = root().join("examples/boundaries").join(&self.example);
        let example = example.to_str().unwrap();
        let run = |number: usize| {
            let codes = asked(number).into_iter().map(|(query, command)| {
                let command = command.to_string();
                let decide = ["decide", "--query", &query, &command, "--", example];
                let ended = self.ream(&decide).output().unwrap();
                let code = ended.status.code().unwrap();
                assert!(matches!(code, 0 | 8), "{} {query} {command}: {ended:?}", self.example);
                code
            });
            codes.collect::<Vec<i32>>()
        };
        let codes = thread::scope(|scope| {
            let run = &run;
            let threads: Vec<_> =
                (0..PROCESSES).map(|number| scope.spawn(move || run(number))).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<Vec<i32>>()
        });
        codes.into_iter().fold(BTreeMap::new(), |mut counts, code| {
            *counts.entry(code).or_default() += 1;
            counts
        })
    }

    /// The events of a type.
    fn events(&self, event_type: &str) -> Vec<Value> {
        let read = self.ream(&["read", "--type", event_type]).output().unwrap();
        let lines = String::from_utf8(read.stdout).unwrap();
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// Runs an example in both languages, each on a store of its own.
fn in_both(name: &str, run: impl Fn(&Race)) {
    needs(&[PYTHON, SH, JQ]);
    for ending in ["py", "sh"] {
        let race =
            Race { place: tempfile::tempdir().unwrap(), example: format!("{name}.{ending}") };
        assert!(race.ream(&["init", "-q"]).output().unwrap().status.success());
        run(&race);
        let verified = race.ream(&["verify"]).output().unwrap();
        assert!(verified.status.success(), "{verified:?}");
    }
}

fn tags(event: &Value) -> Vec<&str> {
    event["tags"].as_array().unwrap().iter().map(|tag| tag.as_str().unwrap()).collect()
}

#[test]
fn a_name_is_taken_once() {
    in_both("name", |race| {
        let names = ["ann", "bob", "cid"];
        let ended = race.decide(|number| {
            let take = |name: &&str| {
                (format!("tag=name:{name}"), json!({"user": format!("u{number}"), "name": name}))
            };
            names.iter().map(take).collect()
        });
        let mut taken: Vec<Value> =
            race.events("NameTaken").iter().map(|event| event["data"]["name"].clone()).collect();
        taken.sort_by_key(Value::to_string);
        assert_eq!(taken, names, "{ended:?}");
        assert_eq!(ended, [(0, 3), (8, PROCESSES * 3 - 3)].into());
    });
}

#[test]
fn a_course_has_its_places_and_a_student_two_courses() {
    in_both("course", |race| {
        let ended = race.decide(|number| {
            let subscribe = |course: usize| {
                let student = number % 8;
                let query = format!(
                    r#"[{{"tags":["course:c{course}"]}},{{"tags":["student:s{student}"]}}]"#
                );
                let (course, student) = (format!("c{course}"), format!("s{student}"));
                (query, json!({"course": course, "student": student, "places": 5}))
            };
            (0..3).map(subscribe).collect()
        });
        let (mut courses, mut students) = (BTreeMap::new(), BTreeMap::new());
        let subscribed = race.events("Subscribed");
        for event in &subscribed {
            let [course, student] = tags(event)[..] else { panic!("{event}") };
            *courses.entry(course).or_insert(0) += 1;
            *students.entry(student).or_insert(0) += 1;
        }
        assert!(courses.values().all(|count| *count <= 5), "{courses:?}");
        assert!(students.values().all(|count| *count <= 2), "{students:?}");
        assert_eq!(ended.get(&0), Some(&subscribed.len()));
        // No place stays empty that someone asked for and could have.
        assert!(subscribed.len() >= 10, "{courses:?} {students:?}");
    });
}

#[test]
fn invoice_numbers_have_no_gap() {
    in_both("invoice", |race| {
        let ended = race.decide(|number| {
            let issue = |order: usize| {
                ("type=InvoiceIssued".to_owned(), json!({"order": format!("o{order}")}))
            };
            // Each order is asked for by two.
            (0..3).map(|which| issue(number / 2 * 3 + which)).collect()
        });
        let orders = PROCESSES / 2 * 3;
        let issued = race.events("InvoiceIssued");
        let numbers: Vec<u64> =
            issued.iter().map(|event| event["data"]["number"].as_u64().unwrap()).collect();
        assert_eq!(numbers, (1..=orders as u64).collect::<Vec<_>>(), "{ended:?}");
        assert_eq!(ended, [(0, orders), (8, PROCESSES * 3 - orders)].into());
    });
}

#[test]
fn a_token_is_good_for_one_use() {
    in_both("optin", |race| {
        for token in ["t1", "t2"] {
            let (stream, tag) = (format!("optin-{token}"), format!("token:{token}"));
            race.append(&stream, "OptInRequested", &json!({"address": "a"}), &tag);
        }
        let ended = race.decide(|_| {
            let confirm = |token: &str| (format!("tag=token:{token}"), json!({"token": token}));
            ["t1", "none", "t2"].into_iter().map(confirm).collect()
        });
        assert_eq!(race.events("OptInConfirmed").len(), 2);
        assert_eq!(ended, [(0, 2), (8, PROCESSES * 3 - 2)].into());
    });
}

#[test]
fn an_order_is_taken_at_the_price_that_was_shown_or_not_at_all() {
    in_both("price", |race| {
        let price = |price: &str| {
            race.append("product-p1", "PriceSet", &json!({"price": price}), "product:p1");
        };
        price("9.50");
        thread::scope(|scope| {
            let buying = scope.spawn(|| {
                race.decide(|number| {
                    let order = |which: usize| {
                        let order = format!("o{number}-{which}");
                        let command = json!({"order": order, "product": "p1", "price": "9.50"});
                        ("type=PriceSet tag=product:p1".to_owned(), command)
                    };
                    (0..4).map(order).collect()
                })
            });
            price("9.90");
            buying.join().unwrap();
        });
        let read = race.ream(&["read"]).output().unwrap();
        let lines = String::from_utf8(read.stdout).unwrap();
        let mut current = String::new();
        for line in lines.lines() {
            let event: Value = serde_json::from_str(line).unwrap();
            let price = event["data"]["price"].as_str().unwrap();
            match event["type"].as_str().unwrap() {
                "PriceSet" => price.clone_into(&mut current),
                _ => assert_eq!(price, current, "{line}"),
            }
        }
    });
}

#[test]
fn a_request_is_carried_out_once() {
    in_both("once", |race| {
        let ended = race.decide(|number| {
            let pay = |request: usize| {
                let request = format!("r{request}");
                (format!("tag=request:{request}"), json!({"request": request, "amount": 5}))
            };
            (0..3).map(|which| pay((number + which) % 6)).collect()
        });
        let paid = race.events("Paid");
        let mut requests: Vec<&str> = paid.iter().flat_map(tags).collect();
        requests.sort_unstable();
        assert_eq!(requests, (0..6).map(|number| format!("request:r{number}")).collect::<Vec<_>>());
        assert_eq!(ended, [(0, PROCESSES * 3)].into());
    });
}
