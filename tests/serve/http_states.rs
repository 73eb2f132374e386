//! States over HTTP, and what is told of streams, subscriptions, projections and the store.

use ream::serve::ServeOptions;
use ream::{
    Batched, Definition, NewSubscription, Position, Projection, ProjectionEntry, Row, Schema,
    Timestamp,
};
use serde_json::{Value, json};

use crate::http::Answer;
use crate::support::Home;

fn home() -> Home {
    Home::with_http(ServeOptions::default())
}

fn values(answer: &Answer) -> Vec<Value> {
    answer.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A request about a state, with lines of its head.
fn state(home: &Home, method: &str, name: &str, head: &str, body: &str) -> Answer {
    let head = format!("Authorization: Bearer t-admin\n{head}");
    home.browser().asks(&format!("{method} /states{name}"), &head, body)
}

#[test]
fn a_state_takes_the_place_of_the_one_that_its_tag_names() {
    let home = home();
    home.append("s", "0");
    state(&home, "GET", "/s", "", "").is_problem(404, "state-not-found");
    state(&home, "PUT", "/s", "If-Match: *", "1").is_problem(412, "state-changed");
    let first = state(&home, "PUT", "/s", "If-None-Match: *", "{ \"n\": 1.0 }");
    first.is(200, "{\"stream\":\"s\",\"version\":1,\"stream_version\":1,\"bytes\":9}\n");
    let tag = first.header("etag").unwrap().to_owned();
    assert!(tag.starts_with("\"1-") && tag.len() == "\"1-0123456789abcdef\"".len(), "{tag}");
    let got = state(&home, "GET", "/s", "", "");
    got.is(200, "{\"n\":1.0}");
    assert_eq!(
        (got.header("etag"), got.header("content-type")),
        (Some(&*tag), Some("application/json"))
    );
    assert_eq!(state(&home, "GET", "/s", &format!("If-None-Match: {tag}"), "").status, 304);
    state(&home, "PUT", "/s", "If-None-Match: *", "2").is_problem(412, "state-changed");

    // Another state of the same version has another tag.
    let second = state(&home, "PUT", "/s", &format!("If-Match: {tag}"), "2");
    let second = second.header("etag").unwrap().to_owned();
    assert_ne!(tag, second);
    let stale = state(&home, "PUT", "/s", &format!("If-Match: {tag}"), "3");
    stale.is_problem(412, "state-changed");
    assert!(stale.body.contains("\"stream\":\"s\""), "{stale:?}");
    state(&home, "DELETE", "/s", &format!("If-Match: {tag}"), "").is_problem(412, "state-changed");
    state(&home, "GET", "/s", "", "").is(200, "2");
    let removed = state(&home, "DELETE", "/s", &format!("If-Match: {second}"), "");
    removed.is(200, "{\"stream\":\"s\",\"removed\":true,\"erased\":true}\n");
    let again = state(&home, "DELETE", "/s", "", "");
    assert_eq!(values(&again), [json!({"stream": "s", "removed": false, "erased": true})]);
    home.asks("t-append", "DELETE /states/s", "").is_problem(403, "forbidden");
    assert_eq!(home.acts(), [("StateRemoved".into(), json!({"user": "cat"}))]);
}

#[test]
fn a_state_may_expect_and_be_bytes_or_of_any_name() {
    let home = home();
    home.append("a/b", "0");
    home.append("a/b", "0");
    let bytes = "Content-Type: application/octet-stream";
    assert_eq!(state(&home, "PUT", "?stream=a%2Fb&version=1", bytes, "raw").status, 200);
    let got = state(&home, "GET", "/a%2Fb", "", "");
    got.is(200, "raw");
    assert_eq!(got.header("content-type"), Some("application/octet-stream"));
    assert!(got.header("etag").unwrap().starts_with("\"1-"));
    state(&home, "PUT", "/a%2Fb?expect=1", "", "1").is_problem(409, "wrong-expected-version");
    state(&home, "PUT", "/a%2Fb?version=3", "", "1").is_problem(422, "invalid-input");
    assert_eq!(state(&home, "PUT", "/a%2Fb?expect=2", "", "1").status, 200);
    state(&home, "PUT", "/a%2Fb?version=1", "", "1").is_problem(409, "state-behind");
    state(&home, "PUT", "/a%2Fb", "", "{").is_problem(422, "invalid-input");
    state(&home, "PUT", "/a%2Fb", "Content-Type: text/plain", "1")
        .is_problem(415, "unsupported-type");
    state(&home, "PUT", "/a%2Fb", "If-Match: 1", "1").is_problem(400, "bad-request");
}

#[test]
fn of_those_who_set_a_state_with_one_tag_one_does() {
    let home = home();
    home.append("s", "0");
    let first = state(&home, "PUT", "/s", "", "0");
    let condition = format!("If-Match: {}", first.header("etag").unwrap());
    let done: Vec<u16> = std::thread::scope(|scope| {
        let set = |body: String| {
            let (home, condition) = (&home, &condition);
            scope.spawn(move || state(home, "PUT", "/s", condition, &body).status)
        };
        let setting: Vec<_> = (1..=8).map(|body| set(body.to_string())).collect();
        setting.into_iter().map(|setting| setting.join().unwrap()).collect()
    });
    assert_eq!(done.iter().filter(|status| **status == 200).count(), 1, "{done:?}");
    assert_eq!(done.iter().filter(|status| **status == 412).count(), 7, "{done:?}");
}

#[test]
fn streams_subscriptions_and_the_store_are_told_of() {
    let home = home();
    for stream in ["a", "order-1", "order-1"] {
        home.append(stream, "1");
    }
    let gets = |target: &str| home.asks("t-read", &format!("GET {target}"), "");
    let order = "{\"stream\":\"order-1\",\"version\":2,\"events\":2,\"last_position\":3,\"protected\":false}\n";
    assert_eq!(gets("/streams").body.lines().count(), 2);
    gets("/streams?stream=order-*").is(200, order);
    gets("/streams/order-1").is(200, order);
    gets("/streams?stream=none").is(200, "");
    let missing = gets("/streams/order-2");
    missing.is_problem(404, "stream-not-found");
    assert_eq!(values(&missing)[0]["near"], json!(["order-1"]));

    let mut store = home.open();
    let follows = NewSubscription::of("mail".parse().unwrap(), vec!["order-*".parse().unwrap()]);
    store.subscribe(&follows, Position(2)).unwrap();
    let listed = values(&gets("/subscriptions")).remove(0);
    assert!(listed["behind_seconds"].is_f64(), "{listed}");
    assert_eq!(
        (&listed["name"], &listed["checkpoint"], &listed["head"], &listed["lag"]),
        (&json!("mail"), &json!(2), &json!(4), &json!(1))
    );

    let status = gets("/status");
    let told = values(&status).remove(0);
    assert_eq!(
        (&told["head"], &told["events"], &told["streams"]),
        (&json!(4), &json!(3), &json!(2))
    );
    assert_eq!(told["store"], store.id());
    assert!(told["last_recorded"].as_str().unwrap().parse::<Timestamp>().is_ok());
}

#[test]
fn what_is_counted_is_told_as_openmetrics() {
    let home = home();
    let follows = NewSubscription::of("mail".parse().unwrap(), vec!["s".parse().unwrap()]);
    home.open().subscribe(&follows, Position(0)).unwrap();
    let mut reading = home.client();
    reading.asks("EVENT PUBLISH s 1\n1\n", "EVENT PUBLISHED s 1\n");
    let line = "{\"stream\":\"s\",\"type\":\"T\",\"id\":\"k\"}";
    home.asks("t-append", "POST /streams/s?type=T", "1");
    home.asks("t-append", "POST /events", line);
    home.asks("t-append", "POST /events", line);
    home.asks("t-append", "POST /streams/s?type=T&expect=7", "1")
        .is_problem(409, "wrong-expected-version");
    let mut browser = home.browser();
    let answer = browser.asks("GET /metrics", "Authorization: Bearer t-read", "");
    let kind = answer.header("content-type").unwrap();
    assert!(kind.starts_with("application/openmetrics-text; version=1.0.0"), "{kind}");
    for line in [
        "ream_appends_total 3",
        "ream_conflicts_total 1",
        "ream_head 4",
        "ream_lag{name=\"mail\",kind=\"subscription\"} 3",
        "ream_commit_seconds_count 3",
        "# TYPE ream_http_request_seconds histogram",
        "# EOF",
    ] {
        assert!(answer.body.lines().any(|told| told == line), "{line}: {}", answer.body);
    }
    let number = |name: &str| {
        let line = answer.body.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().parse::<u64>().unwrap()
    };
    assert!(number("ream_log_bytes ") > 4096);
    // Both of these, and those that the server has not yet seen to have ended.
    assert!((2..=6).contains(&number("ream_connections ")), "{}", answer.body);
    home.asks("t-append", "GET /metrics?x", "").is_problem(400, "bad-request");
}

#[test]
fn what_there_is_to_ask_is_described() {
    let home = home();
    let described = home.asks("t-read", "GET /openapi.json", "");
    assert_eq!(described.header("content-type"), Some("application/json"));
    let described: Value = serde_json::from_str(&described.body).unwrap();
    // Each address that is described and needs nothing more is there.
    for (path, methods) in described["paths"].as_object().unwrap() {
        let needs = |parameter: &Value| parameter["required"] == true;
        let parameters = methods["get"]["parameters"].as_array();
        if methods.get("get").is_some() && !parameters.is_some_and(|all| all.iter().any(needs)) {
            let answer = home.asks("t-read", &format!("GET {path}"), "");
            assert_eq!(answer.status, 200, "{path}: {answer:?}");
        }
    }
}

#[test]
fn more_streams_than_a_page_are_listed() {
    let home = home();
    let events: Vec<_> =
        (0..2100).map(|number| crate::support::event(&format!("s-{number}"), "1")).collect();
    home.open().append(&events).unwrap();
    let listed = home.asks("t-read", "GET /streams", "");
    assert_eq!(listed.body.lines().count(), 2100);
}

/// A projection with three rows, of whose events none is done.
fn users(home: &Home) -> Projection {
    home.append("user-1", "1");
    let mut store = home.open();
    let schema = Schema::of(&["id:integer:key", "city:text", "tags:json:null"]).unwrap();
    let mut definition = Definition::new(schema);
    definition.from = vec!["user-*".parse().unwrap()];
    store.create_projection(&ProjectionEntry::new("users".parse().unwrap(), definition)).unwrap();
    let mut users = store.projection("users").unwrap();
    for row in [
        r#"{"id":1,"city":"Rome"}"#,
        r#"{"id":2,"city":"a,b","tags":[1.0]}"#,
        r#"{"id":3,"city":"Rome"}"#,
    ] {
        let row = Row::parse(row.as_bytes(), users.schema()).unwrap();
        users.set(&[row], Batched::AllOrNone).unwrap();
    }
    users
}

#[test]
fn rows_are_selected_in_both_forms() {
    let home = home();
    users(&home);
    let gets = |target: &str| home.asks("t-read", &format!("GET /projections{target}"), "");
    let listed = values(&gets("")).remove(0);
    assert_eq!(
        (
            &listed["projection"],
            &listed["rows"],
            &listed["checkpoint"],
            &listed["lag"],
            &listed["from"]
        ),
        (&json!("users"), &json!(3), &json!(0), &json!(1), &json!(["user-*"]))
    );

    let by_id = gets("/users?order-by=-id&limit=2");
    by_id.is(
        200,
        "{\"id\":3,\"city\":\"Rome\",\"tags\":null}\n{\"id\":2,\"city\":\"a,b\",\"tags\":[1.0]}\n",
    );
    assert_eq!(by_id.header("content-type"), Some("application/jsonl"));
    gets("/users?where=city+%3D+:c+AND+id+%3E+1&with.c=Rome&fields=id").is(200, "{\"id\":3}\n");
    let csv = home.browser().asks(
        "GET /projections/users?order-by=id&offset=1",
        "Authorization: Bearer t-read\nAccept: text/csv",
        "",
    );
    csv.is(200, "id,city,tags\n2,\"a,b\",[1.0]\n3,Rome,\n");
    assert_eq!(csv.header("content-type"), Some("text/csv"));

    let wrong = gets("/users?where=citty+%3D+1");
    wrong.is_problem(422, "invalid-input");
    assert!(wrong.body.contains("did you mean `city`?"), "{wrong:?}");
    let told = &values(&wrong)[0];
    assert_eq!((&told["start"], &told["end"]), (&json!(0), &json!(5)));
    for target in
        ["/users?with.x=1", "/users?fields=idd", "/users?order-by=tags", "/users?fields=id,id"]
    {
        gets(target).is_problem(422, "invalid-input");
    }
    for target in ["/users?wher=1", "/users?wait=1", "/users?at-least=1&wait=soon"] {
        gets(target).is_problem(400, "bad-request");
    }
    gets("/user").is_problem(404, "projection-not-found");
}

#[test]
fn rows_of_what_was_stored_are_waited_for() {
    let home = home();
    let mut users = users(&home);
    let gets = |target: &str| home.asks("t-read", &format!("GET /projections{target}"), "");
    let late = gets("/users?at-least=1&wait=50ms");
    late.is_problem(504, "not-reached");
    let told = &values(&late)[0];
    assert_eq!(
        (&told["position"], &told["checkpoint"], &told["exit_code"]),
        (&json!(1), &json!(0), &json!(10))
    );
    std::thread::scope(|scope| {
        let waiting =
            scope.spawn(|| gets("/users?at-least=1&wait=30s&fields=id&limit=1&order-by=id"));
        let to = home.open().checkpoint(Position(1)).unwrap();
        users.commit(&[], Position(0), &to).unwrap();
        waiting.join().unwrap().is(200, "{\"id\":1}\n");
    });
}

#[test]
fn answers_have_the_members_that_the_commands_print() {
    let home = home();
    home.append("order-1", "{}");
    let command = |args: &[&str]| -> Vec<Value> {
        let ended = crate::command::ream(&home.path(), args).output().unwrap();
        assert!(ended.status.success(), "{ended:?}");
        let text = String::from_utf8(ended.stdout).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    command(&[
        "tail",
        "order-*",
        "--as",
        "hook",
        "--until-caught-up",
        "--",
        "sh",
        "-c",
        "cat >/dev/null",
    ]);
    command(&["project", "create", "totals", "id:integer:key", "--from", "order-*"]);
    command(&["state", "set", "order-1", "7"]);
    for (address, args) in [
        ("/streams", &["stream", "list"][..]),
        ("/streams/order-1", &["stream", "show", "order-1"]),
        ("/projections", &["project", "list"]),
        ("/subscriptions", &["subscription", "show", "hook"]),
        ("/status", &["status"]),
    ] {
        let mut told = command(args);
        for told in &mut told {
            // Where the store lies on the server, and what would run there, is not told to everyone.
            for own in ["path", "programs", "program", "directory"] {
                told.as_object_mut().unwrap().remove(own);
            }
        }
        assert!(!told.is_empty());
        assert_eq!(values(&home.asks("t-read", &format!("GET {address}"), "")), told);
    }
}
