//! A store with something of everything.

use crate::Home;

/// A projector: a row for each stream, with a field of each kind.
const PROJECTOR: &str = r#"
import json, sys
for line in sys.stdin:
    event = json.loads(line)
    row = {"stream": event["stream"], "n": event["version"], "ratio": 0.5, "amount": "1.10", "raw": "AP8=",
           "at": event["time"], "paid": event["type"] == "Paid", "doc": event.get("data")}
    print(json.dumps({"set": row}))
    print(json.dumps({"ack": event["position"]}), flush=True)
"#;

/// An aggregator that accepts each command.
const AGGREGATOR: &str = r#"
import json, sys
asked = json.loads(sys.stdin.readline())
print(json.dumps({"append": {"type": "Paid", "data": asked["command"]}}))
print(json.dumps({"append": {"type": "Closed"}}))
print(json.dumps({"state": {"paid": True}}))
"#;

/// A reactor that acks one event and fails.
const REACTOR: &str = r#"
import json, sys
print(json.dumps({"ack": json.loads(sys.stdin.readline())["position"]}), flush=True)
sys.exit(3)
"#;

/// Fills a new store.
pub(crate) fn fill(home: &Home) {
    let ream = |words: &[&str]| home.ream(words).ok();
    ream(&["append", "order-1", "Placed", r#"{"n": 1.0, "n": 1e2, "é": "\u0041 \" \\ 東"}"#]);
    let id = r#"an "id" with \ and é"#;
    ream(&["append", "order-1", "Noted", "null", "--id", id, "--meta", r#"{"m": [1, 2]}"#]);
    ream(&["append", "order-1", "Old", "[]", "--time", "0001-01-01T00:00:00Z"]);
    ream(&["append", "order-1", "New", "-0.0", "--time", "1969-12-31T23:59:59.999999+00:00"]);
    let cause = ["--correlation", "c-1", "--causation", "e-1", "--id", "derived/1"];
    ream(&[&["append", "Zoë's order", "Größer", r#""text""#][..], &cause].concat());
    ream(&["append", "files-1", "Stored", "AP/+", "--base64", "--id", "bytes"]);
    ream(&["append", "files-1", "Stored", "", "--base64"]);
    // Full pages and a rest, one that ends with a full page, and distances of more than seven bits.
    let event = |stream: &str, n: u32| format!(r#"{{"stream":"{stream}","type":"T","data":{n}}}"#);
    let mut lines: Vec<String> = (0..130).map(|n| event("many-130", n)).collect();
    lines.extend((0..64).map(|n| event("many-64", n)));
    lines.push(event("many-130", 130));
    home.ream_with(&["append", "--jsonl", "-", "--atomic"], &lines.join("\n")).ok();

    ream(&["append", "gone-1", "Told", r#"{"secret":1}"#, "--id", "gone", "--meta", "{}"]);
    ream(&["append", "gone-1", "Told", "c2VjcmV0", "--base64", "--expect", "1", "--state", "1"]);
    python(home, &["decide", "gone-1", "{}", "--id", "forgotten"], AGGREGATOR).ok();
    ream(&["stream", "rm", "gone-1", "--yes"]);
    ream(&["append", "gone-1", "Again"]);
    ream(&["stream", "protect", "order-1"]);

    ream(&["append", "cart-1", "Filled", "--expect", "no-stream", "--state", r#"{"full": true}"#]);
    ream(&["state", "set", "files-1", "AP8=", "--base64", "--at", "1"]);
    let decide = ["decide", "order-2", r#"{"pay":5}"#, "--id", "pay-1"];
    python(home, &decide, AGGREGATOR).ok();

    let fields = [
        "stream:text:key",
        "n:integer:index",
        "ratio:float",
        "amount:decimal:12:2",
        "raw:blob",
        "at:timestamp",
        "paid:boolean",
        "doc:json:null",
    ];
    let create = [&["project", "create", "totals"][..], &fields, &["--from", "order-*"]].concat();
    python(home, &create, PROJECTOR).ok();
    ream(&["project", "run", "totals", "--until-caught-up"]);
    let tail = ["tail", "order-*", "cart-*", "--as", "mailer", "--type", "Placed"];
    let tail = [&tail[..], &["--type", "Paid", "--retries", "0"]].concat();
    python(home, &tail, REACTOR).fails(7, "error: `python3` failed with exit code 3");
}

/// Runs ream with a program in Python.
fn python(home: &Home, words: &[&str], program: &str) -> crate::Ended {
    home.ream(&[words, &["--", "python3", "-c", program]].concat())
}
