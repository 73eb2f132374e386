//! Events over HTTP: what is read and what is appended.

use ream::serve::ServeOptions;
use ream::{Data, Query, wire};
use serde_json::{Value, json};

use crate::http::Answer;
use crate::support::{Home, event};

fn home() -> Home {
    Home::with_http(ServeOptions::default())
}

/// The lines that a reader of the store writes.
fn lines(home: &Home, query: &Query) -> String {
    let (mut reader, mut lines) = (home.open().read(query).unwrap(), Vec::new());
    while !reader.next_batch(|event| wire::write_event(&mut lines, event)).unwrap().caught_up {}
    String::from_utf8(lines).unwrap()
}

fn values(answer: &Answer) -> Vec<Value> {
    answer.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The members of an object, but for its words.
fn fields(answer: &Answer) -> Value {
    let mut value = values(answer).remove(0);
    let object = value.as_object_mut().unwrap();
    for words in ["type", "title", "detail"] {
        object.remove(words);
    }
    value
}

#[test]
fn events_are_read_as_they_are_chosen() {
    let home = home();
    let reads = |query: &str| home.asks("t-read", &format!("GET /events{query}"), "");
    reads("").is(200, "");
    for number in 0..5 {
        home.append("order-1", &number.to_string());
        home.append("a/b", "{}");
    }
    home.open()
        .append(&[{
            let mut event = event("order-2", "null");
            (event.event_type, event.data) =
                ("Other".parse().unwrap(), Data::Bytes(b"\0".as_slice().into()));
            event
        }])
        .unwrap();
    let all = lines(&home, &Query::default());
    let answer = reads("");
    answer.is(200, &all);
    assert_eq!(answer.header("content-type"), Some("application/jsonl"));
    let numbered = |numbers: &[usize]| {
        let all: Vec<_> = all.split_inclusive('\n').collect();
        numbers.iter().map(|number| all[number - 1]).collect::<String>()
    };
    for (query, numbers) in [
        ("?after=9", &[10, 11][..]),
        ("?from=10&limit=1", &[10]),
        ("?until=2", &[1, 2]),
        ("?stream=order-*&after=5", &[7, 9, 11]),
        ("?stream=order-1&after=@3", &[7, 9]),
        ("?stream=a%2Fb&stream=order-2&last=2", &[10, 11]),
        ("?type=Other&type=None", &[11]),
        ("?since=2999-01-01T00:00:00Z", &[]),
        ("?after=11", &[]),
    ] {
        reads(query).is(200, &numbered(numbers));
    }
    let beyond = reads("?after=12");
    beyond.is_problem(422, "beyond-head");
    assert_eq!(fields(&beyond), json!({"status": 422, "exit_code": 6, "position": 12, "head": 11}));
    for (query, words) in [
        ("?steam=a", "did you mean `stream`?"),
        ("?limit=1&limit=2", "is given twice"),
        (
            "?limit=x",
            "the parameter `limit` can't be `x`: no whole number from 0 to 9223372036854775807",
        ),
        (
            "?last=9223372036854775808",
            "the parameter `last` can't be `9223372036854775808`: no whole number from 0 to 9223372036854775807",
        ),
        ("?after=x", "the parameter `after` can't be `x`"),
        ("?after=1&from=2", "do not go together"),
        ("?after=@1", "a version (`@N`) needs exactly one stream"),
        ("?stream=%ff", "not percent-encoded UTF-8"),
    ] {
        let answer = reads(query);
        answer.is_problem(400, "bad-request");
        assert!(answer.body.contains(words), "{query}: {answer:?}");
    }
}

#[test]
fn a_redacted_event_is_read_without_its_data() {
    let home = home();
    home.append("s", "1");
    home.open().redact(&[ream::Position(1)], "because", ream::Redaction::default()).unwrap();
    let redacted = values(&home.asks("t-read", "GET /events", "")).remove(0);
    assert_eq!((&redacted["redacted"], redacted.get("data")), (&json!(true), None));
}

#[test]
fn many_events_are_read_batch_by_batch() {
    let home = home();
    let events: Vec<_> = (0..3500).map(|number| event("s", &number.to_string())).collect();
    home.open().append(&events).unwrap();
    let answer = home.asks("t-read", "GET /events", "");
    assert_eq!(answer.header("transfer-encoding"), Some("chunked"));
    assert_eq!(answer.body, lines(&home, &Query::default()));
    // Who goes before the end is in nobody's way.
    let mut browser = home.browser();
    browser.send("GET /events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer t-read\r\n\r\n");
    browser.head();
    drop(browser);
    home.asks("t-read", "GET /events?after=3499", "");
}

#[test]
fn tags_come_and_go() {
    let home = home();
    let asks = |line: &str, head: &str, body: &[u8]| home.browser().asks(line, head, body);
    let append = "Authorization: Bearer t-append\n";
    let tagged = asks("POST /streams/a?type=T&tag=x%3A1&tag=b&tag=b", append, b"");
    assert_eq!(tagged.status, 200);
    let lines = format!("{append}Content-Type: application/jsonl");
    let line = b"{\"type\":\"T\",\"tags\":[\"y\"]}\n";
    assert_eq!(asks("POST /streams/a", &lines, line).status, 200);
    let read = asks("GET /events", "Authorization: Bearer t-read\n", b"");
    let told = read.body;
    let of = |tags: &str| told.matches(&format!(",\"tags\":{tags},\"data\":{{}}")).count();
    assert_eq!((of(r#"["b","x:1"]"#), of(r#"["y"]"#)), (1, 1), "{told}");
    let refused = asks("POST /streams/a?type=T&tag=a%20b", append, b"");
    refused.is_problem(400, "bad-request");
}

#[test]
fn conditions_and_queries_are_what_they_are_on_the_command_line() {
    let home = home();
    let append = "Authorization: Bearer t-append\n";
    let post = |line: &str| home.browser().asks(&format!("POST /streams/{line}"), append, b"");
    let name = "type=Taken&tag=name%3Aann&none=tag%3Dname%3Aann";
    assert_eq!(post(&format!("user-1?{name}")).status, 200);
    let refused = post(&format!("user-2?{name}"));
    refused.is_problem(409, "condition-failed");
    let told = json!({
        "status": 409, "exit_code": 3, "position": 1, "stream": "user-1", "version": 1, "after": 0
    });
    assert_eq!(fields(&refused), told);
    assert!(
        refused.body.contains("GET /events?after=0&query=tag%3Dname%3Aann"),
        "{}",
        refused.body
    );
    assert_eq!(post(&format!("user-2?{name}&none-after=1")).status, 200);
    post("user-3?type=T&none-after=1").is_problem(400, "bad-request");
    post("user-3?type=T&none=x").is_problem(422, "invalid-input");
    post("user-3?type=T&none=tag%3Dx&none-after=9").is_problem(422, "beyond-head");
    let other = post("user-3?type=T&none=tag%3Dx&none-after=1-00000000");
    other.is_problem(409, "condition-failed");
    assert_eq!(fields(&other)["cursor"], json!("1-00000000"));
    // In lines.
    let lines = format!("{append}Content-Type: application/jsonl");
    let line = |expect: &str| {
        let line = format!("{{\"stream\":\"s\",\"type\":\"T\",\"expect\":{expect}}}\n");
        home.browser().asks("POST /events", &lines, line.as_bytes())
    };
    assert_eq!(line(r#"{"versions":{"user-1":1},"none":[{"types":["T"]}]}"#).status, 200);
    line(r#"{"none":[{"types":["T"]}]}"#).is_problem(409, "condition-failed");
    line(r#"{"versions":{"user-1":2}}"#).is_problem(409, "wrong-expected-version");
    line(r#"{"after":2}"#).is_problem(422, "invalid-input");
    // And what is read by them.
    let reads = |query: &str| home.asks("t-read", &format!("GET /events{query}"), "");
    let positions = |query: &str| -> Vec<Value> {
        values(&reads(query)).iter().map(|event| event["position"].clone()).collect()
    };
    assert_eq!(positions("?tag=name%3Aann"), [1, 2]);
    assert_eq!(positions("?tag=name%3Aann&stream=user-2"), [2]);
    assert_eq!(positions("?tag=name%3Aann&tag=none"), [] as [u64; 0]);
    assert_eq!(positions("?query=%5B%7B%22types%22%3A%5B%22T%22%5D%7D%5D"), [3]);
    reads("?query=tag%3Dx&type=T").is_problem(400, "bad-request");
    reads("?query=x").is_problem(400, "bad-request");
    let marked = values(&reads("?tag=name%3Aann&markers=true&until=2"));
    assert_eq!((&marked[0]["from"], &marked[0]["head"]), (&json!(1), &json!(2)));
    assert_eq!(marked[3], json!({"caught_up": 2}));
    let cursor = marked[0]["cursor"].as_str().unwrap();
    assert_eq!(post(&format!("s?type=T&none=tag%3Dname%3Aann&none-after={cursor}")).status, 200);
    reads("?markers=true&since=2030-01-01T00:00:00Z").is_problem(400, "bad-request");
}

#[test]
fn an_event_is_appended_and_acknowledged() {
    let home = home();
    let posts = |target: &str, kind: &str, body: &[u8]| {
        let head = format!("Authorization: Bearer t-append\n{kind}");
        home.browser().asks(&format!("POST /streams{target}"), &head, body)
    };
    let json = "Content-Type: application/json; charset=utf-8";
    let first = posts("/order-1?type=Paid&expect=no-stream&id=k", json, b"{ \"n\": 1.0 }");
    first.is(200, "{\"stream\":\"order-1\",\"version\":1,\"position\":1,\"id\":\"k\"}\n");
    assert_eq!(first.header("content-type"), Some("application/json"));
    let again = posts("/order-1?type=Paid&id=k&expect=7", "", b"{\"n\":1.0}");
    again.is(
        200,
        "{\"stream\":\"order-1\",\"version\":1,\"position\":1,\"id\":\"k\",\"duplicate\":true}\n",
    );
    let bytes = "Content-Type: application/octet-stream";
    assert_eq!(posts("?stream=a%2F..&type=Blob", bytes, b"\0\xff").status, 200);
    assert_eq!(posts("/a%2F..?type=T&metadata=%7B%22m%22%3A1%7D", "", b"").status, 200);
    let stored = [
        "order-1 1 Paid Json(\"{\\\"n\\\":1.0}\")",
        "a/.. 1 Blob Bytes([0, 255])",
        "a/.. 2 T Json(\"{}\")",
    ];
    assert_eq!(home.stored(), stored);

    let conflict = posts("/order-1?type=T&expect=0", "", b"1");
    conflict.is_problem(409, "wrong-expected-version");
    let told =
        json!({"status": 409, "exit_code": 3, "stream": "order-1", "expected": 0, "actual": 1});
    assert_eq!(fields(&conflict), told);
    let reused = posts("/order-2?type=T&id=k", "", b"1");
    reused.is_problem(409, "id-reused");
    let told = json!({
        "status": 409, "exit_code": 6, "id": "k", "stream": "order-1", "version": 1, "position": 1
    });
    assert_eq!(fields(&reused), told);
    let no_json = posts("/s?type=T", "", b"{\n  x}");
    no_json.is_problem(422, "invalid-input");
    assert_eq!(fields(&no_json), json!({"status": 422, "exit_code": 6, "line": 2, "column": 3}));
    let form = "Content-Type: application/x-www-form-urlencoded";
    posts("/s?type=T", form, b"1").is_problem(415, "unsupported-type");
    posts("/s", "", b"1").is_problem(400, "bad-request");
    posts("?type=T", "", b"1").is_problem(400, "bad-request");
    posts("/s?type=T&stream=s", "", b"1").is_problem(400, "bad-request");
    posts("/$s?type=T", "", b"1").is_problem(422, "invalid-input");
    posts("/s?type=T&id=", "", b"1").is_problem(400, "bad-request");
    let mut large = home.browser();
    large.send(
        "POST /streams/s?type=T HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer t-append\r\n",
    );
    large.send("Content-Length: 100000000\r\n\r\n");
    large.answer().is_problem(413, "too-large");
    home.asks("t-read", "POST /streams/s?type=T", "1").is_problem(403, "forbidden");
    assert_eq!(home.stored(), stored);
}

#[test]
fn many_append_at_once_and_who_follows_gets_all() {
    let home = home();
    let mut follower = home.client();
    follower.asks("EVENT SUBSCRIBE s 1\n", "EVENT SUBSCRIBED s EMPTY\n");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let mut browser = home.browser();
                for _ in 0..50 {
                    let head = "Authorization: Bearer t-append";
                    let answer = browser.asks("POST /streams/s?type=T", head, "1");
                    assert_eq!(answer.status, 200, "{answer:?}");
                }
            });
        }
    });
    for version in 1..=400 {
        follower.gets(&format!("EVENT s {version} 1\n1\n"));
    }
}

#[test]
fn lines_are_appended_up_to_the_first_that_is_refused() {
    let home = home();
    let posts = |target: &str, body: &str| home.asks("t-append", &format!("POST {target}"), body);
    let all = posts(
        "/events",
        "{\"stream\":\"a\",\"type\":\"T\",\"id\":\"1\"}\n\n{\"stream\":\"b\",\"type\":\"T\",\"id\":\"2\",\"data\":7}",
    );
    let acknowledged = "{\"stream\":\"a\",\"version\":1,\"position\":1,\"id\":\"1\"}\n\
                        {\"stream\":\"b\",\"version\":1,\"position\":2,\"id\":\"2\"}\n{\"done\":2}\n";
    all.is(200, acknowledged);
    assert_eq!(all.header("content-type"), Some("application/jsonl"));
    posts("/events", "").is(200, "{\"done\":0}\n");

    // The first line has the status.
    let first = posts(
        "/events",
        "{\"stream\":\"a\",\"type\":\"T\",\"expect\":5}\n{\"stream\":\"c\",\"type\":\"T\"}\n",
    );
    first.is_problem(409, "wrong-expected-version");
    assert_eq!(fields(&first)["line"], 1);
    let first = posts("/events", "\n{\"stream\":\"a\",\"typ\":\"T\"}");
    first.is_problem(422, "invalid-input");
    let told = json!({"status": 422, "exit_code": 6, "line": 2, "column": 19});
    assert_eq!(fields(&first), told);

    // A later one ends the answer.
    let good = "{\"stream\":\"c\",\"type\":\"T\",\"id\":\"3\"}\n";
    for (bad, cause, status) in [
        ("{\"stream\":\"a\",\"type\":\"T\",\"expect\":5}", "wrong-expected-version", 409),
        ("{\"stream\":\"a\",\"type\":\"T\",\"id\":\"1\",\"data\":1}", "id-reused", 409),
        ("nonsense", "invalid-input", 422),
    ] {
        let answer =
            posts("/events", &format!("{good}{bad}\n{{\"stream\":\"d\",\"type\":\"T\"}}\n"));
        assert_eq!(answer.status, 200);
        let values = values(&answer);
        assert_eq!(values.len(), 2, "{answer:?}");
        assert_eq!((&values[1]["line"], &values[1]["stored"]), (&json!(2), &json!(1)));
        let error = &values[1]["error"];
        assert_eq!(
            (&error["type"], &error["status"]),
            (&json!(format!("urn:ream:{cause}")), &json!(status))
        );
    }
    assert_eq!(home.open().head().unwrap().0, 3);
}

#[test]
fn lines_of_one_stream_follow_each_other_and_atomic_ones_are_stored_together() {
    let home = home();
    let posts = |target: &str, body: &str| {
        let head = "Authorization: Bearer t-append\nContent-Type: application/jsonl";
        home.browser().asks(&format!("POST {target}"), head, body)
    };
    let two = "{\"type\":\"T\"}\n{\"type\":\"U\"}\n";
    assert_eq!(values(&posts("/streams/s?expect=no-stream", two))[2], json!({"done": 2}));
    posts("/streams/s?expect=1", two).is_problem(409, "wrong-expected-version");
    assert_eq!(values(&posts("/streams/s?expect=2", two))[1]["version"], 4);
    posts("/streams/s", "{\"type\":\"T\",\"stream\":\"t\"}").is_problem(422, "invalid-input");

    let atomic = |body: &str| posts("/events?atomic=true", body);
    let bad = atomic(
        "{\"stream\":\"a\",\"type\":\"T\"}\n{\"stream\":\"s\",\"type\":\"T\",\"expect\":0}\n",
    );
    bad.is_problem(409, "wrong-expected-version");
    assert_eq!(fields(&bad)["line"], 2);
    let same = atomic(
        "\n{\"stream\":\"a\",\"type\":\"T\",\"id\":\"x\"}\n{\"stream\":\"b\",\"type\":\"T\",\"id\":\"x\"}\n",
    );
    same.is_problem(422, "invalid-input");
    let fields = fields(&same);
    assert_eq!((&fields["first"], &fields["second"]), (&json!(2), &json!(3)));
    atomic("{\"stream\":\"a\",\"type\":\"T\"}\nnonsense").is_problem(422, "invalid-input");
    assert_eq!(home.open().head().unwrap().0, 4);
    let good = atomic("{\"stream\":\"a\",\"type\":\"T\"}\n{\"stream\":\"a\",\"type\":\"T\"}\n");
    assert_eq!(values(&good)[2], json!({"done": 2}));
}

#[test]
fn more_lines_than_a_group_are_all_stored_and_acknowledged() {
    let home = home();
    let bodies =
        (0..2500).map(|id| format!("{{\"stream\":\"s\",\"type\":\"T\",\"id\":\"{id}\"}}\n"));
    let mut body = bodies.collect::<Vec<_>>().concat();
    let whole = home.asks("t-append", "POST /events", &body);
    let lines = values(&whole);
    assert_eq!(lines.len(), 2501);
    assert!(lines[..2500].iter().zip(1..).all(|(line, version)| line["version"] == version));
    assert_eq!(lines[2500], json!({"done": 2500}));
    body.push_str("{}");
    let lines = values(&home.asks("t-append", "POST /events", &body));
    assert_eq!(lines[0]["duplicate"], true);
    assert_eq!((&lines[2500]["line"], &lines[2500]["stored"]), (&json!(2501), &json!(2500)));
    // In pieces, without a length said before.
    let mut browser = home.browser();
    browser.send("POST /events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer t-append\r\n");
    browser.send("Transfer-Encoding: chunked\r\n\r\n");
    let line = "{\"stream\":\"t\",\"type\":\"T\"}\n";
    for piece in line.as_bytes().chunks(5) {
        browser.send(format!("{:x}\r\n{}\r\n", piece.len(), String::from_utf8_lossy(piece)));
    }
    browser.send("0\r\n\r\n");
    assert!(browser.answer().body.ends_with("{\"done\":1}\n"));
}

#[test]
fn lines_are_acknowledged_while_more_of_them_come() {
    let home = home();
    let begin = || {
        let mut browser = home.browser();
        browser.send("POST /events?live=true HTTP/1.1\r\nHost: localhost\r\n");
        browser.send("Authorization: Bearer t-append\r\nTransfer-Encoding: chunked\r\n\r\n");
        browser
    };
    let chunk = |text: &str| format!("{:x}\r\n{text}\r\n", text.len());
    let line = |id: &str| format!("{{\"stream\":\"s\",\"type\":\"T\",\"id\":\"{id}\"}}\n");
    let acknowledged = |version: u64| {
        format!(
            "{{\"stream\":\"s\",\"version\":{version},\"position\":{version},\"id\":\"{version}\"}}\n"
        )
    };
    let mut browser = begin();
    browser.send(chunk(&line("1")));
    assert_eq!(browser.head().status, 200);
    assert_eq!(browser.piece(), Some(acknowledged(1)));
    // A line may come in two, and the last one without its end.
    let (second, third) = (line("2"), line("3"));
    browser.send(chunk(&second[..9]) + &chunk(&second[9..]));
    assert_eq!(browser.piece(), Some(acknowledged(2)));
    browser.send(chunk(third.trim_end()) + "0\r\n\r\n");
    assert_eq!(browser.piece(), Some(acknowledged(3) + "{\"done\":3}\n"));
    assert_eq!(browser.piece(), None);

    let mut first = begin();
    first.send(chunk("nonsense\n"));
    first.answer().is_problem(422, "invalid-input");
    let mut later = begin();
    later.send(chunk(&line("4")));
    assert_eq!((later.head().status, later.piece()), (200, Some(acknowledged(4))));
    later.send(chunk("nonsense\n"));
    let last: Value = serde_json::from_str(&later.piece().unwrap()).unwrap();
    assert_eq!((&last["line"], &last["stored"]), (&json!(2), &json!(1)));
    assert_eq!(later.piece(), None);
    // One that is sent nothing more is told that the server ends.
    let mut ended = begin();
    ended.send(chunk(&line("5")));
    assert_eq!((ended.head().status, ended.piece()), (200, Some(acknowledged(5))));
    home.stop();
    let last: Value = serde_json::from_str(&ended.piece().unwrap()).unwrap();
    assert_eq!(
        (&last["error"]["title"], &last["stored"]),
        (&json!("the server is ending"), &json!(1))
    );
}
