//! Requests and answers, and where messages begin and end.

use std::fs::File;
use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use ream::serve::ServeOptions;

use crate::support::{Client, Home};

#[test]
fn events_are_published_listed_and_removed() {
    let home = Home::new();
    let mut client = home.client();
    client.asks("EVENT LIST\n", "EVENT LISTED 0\n");
    let publish = "EVENT PUBLISH emails 16\n{\"name\":\"peter\"}\n";
    client.asks(publish, "EVENT PUBLISHED emails 1\n");
    client.asks(publish, "EVENT PUBLISHED emails 2\n");
    let invalid = "EVENT NON PUBLISHED emails \"Invalid message";
    client.asks(
        "EVENT PUBLISH emails 1\n{\n",
        &format!("{invalid}: it ends within an object at line 1 column 1\"\n"),
    );
    client.asks("EVENT PUBLISH emails 14\n{\"name\":\"peter\"}\n", &format!("{invalid}\"\n"));
    client.asks("EVENT PUBLISH \"$ream\" 2\n{}\n", "EVENT NON PUBLISHED \"$ream\" \"");
    client.line();
    client.asks("EVENT PUBLISH \"order-1\" 1\n1\n", "EVENT PUBLISHED \"order-1\" 1\n");
    client.asks("EVENT LIST\n", "EVENT LISTED 2 emails \"order-1\"\n");
    let stored = ["emails 1 Event Json(\"{\\\"name\\\":\\\"peter\\\"}\")"; 2];
    assert_eq!(home.stored()[..1], stored[..1]);
    client.asks(
        "EVENT REMOVE emails\nEVENT REMOVE none\n",
        "EVENT REMOVED emails\nEVENT REMOVED none\n",
    );
    // On a socket of this machine it is the user of the server.
    let acts = home.acts();
    assert_eq!((acts.len(), &*acts[0].0), (1, "StreamRemoved"));
    assert_eq!(acts[0].1["uid"], rustix::process::geteuid().as_raw());
    client.asks("EVENT LIST\n", "EVENT LISTED 1 \"order-1\"\n");
    client.asks(publish, "EVENT PUBLISHED emails 3\n");
    home.open().protect(&["emails".parse().unwrap()], true).unwrap();
    client.asks(
        "EVENT REMOVE emails\n",
        "EVENT NON REMOVED emails \"the stream `emails` is protected from removal\"\n",
    );
    client.asks("PING\n", "PONG\n");
    home.end();
}

#[test]
fn states_are_set_got_and_removed() {
    let home = Home::new();
    let mut client = home.client();
    let id = "\"27d1b5a0-c54f-4664-a549-b876b0bb3661\"";
    client.asks(
        "AGGREGATE SET emails 52928765732754145749045094502427735649 15\n{\"emails\":1002}\n",
        &format!("AGGREGATE SET DONE emails {id}\n"),
    );
    let get = format!("AGGREGATE GET emails {id}\n");
    let got = format!("AGGREGATE GOT emails {id} 15\n{{\"emails\":1002}}\n");
    client.asks(&get, &got);
    client.asks(
        "AGGREGATE GET emails \"d0e72dec-6c77-4cb3-9fe1-7d86ab603a92\"\n",
        "AGGREGATE NON GOT emails \"d0e72dec-6c77-4cb3-9fe1-7d86ab603a92\" \"Not found\"\n",
    );
    client.asks("AGGREGATE LIST\n", "AGGREGATE LISTED 1 emails\n");
    let no_kind = format!("AGGREGATE NON SET \"a-b\" {id} \"`a-b` is no kind: it has a `-`\"\n");
    client.asks(&format!("AGGREGATE SET \"a-b\" {id} 1\n1\n"), &no_kind);
    let removed = format!("AGGREGATE REMOVED emails {id}\n");
    client.asks(&get.replace("GET", "REMOVE").repeat(2), &removed.repeat(2));
    client.asks("AGGREGATE LIST\n", "AGGREGATE LISTED 0\n");
}

#[test]
fn rows_are_set_selected_updated_and_deleted() {
    let home = Home::new();
    let mut client = home.client();
    let fields = "+name:text +email:text *country:text salary:integer:null";
    client.asks(&format!("PROJECTION CREATE users 4 {fields}\n"), "PROJECTION CREATED users\n");
    client.asks(
        "PROJECTION SET users 2\n{}\n",
        "PROJECTION NON SET users \"the field `name` is missing\"\n",
    );
    let row = r#"{"name":"peter","email":"peter@mail.com","country":"UK","salary":1000}"#;
    client.asks(
        &format!("PROJECTION SET users {}\n{row}\n", row.len()),
        "PROJECTION SET DONE users \"peter\"\n",
    );
    let where_uk = "country IN (\"UK\",\"ES\") AND email =~ \"@mail.com$\"";
    let select = format!("PROJECTION SELECT users {}\n{where_uk}\n", where_uk.len());
    let selected = |row: &str| format!("PROJECTION SELECTED users {}\n[{row}]\n", row.len() + 2);
    client.asks(&select, &selected(row));
    let set = r#"{"country":"ES","salary":salary+1000}"#;
    client.asks(
        &format!("PROJECTION UPDATE users 4 {}\nTRUE\n{set}\n", set.len()),
        "PROJECTION UPDATED users 1\n",
    );
    let row = row.replace("UK", "ES").replace("1000", "2000");
    client.asks("PROJECTION SELECT users 0\n\n", &selected(&row));
    let needed = "\"a condition is needed\"\n";
    client.asks("PROJECTION DELETE users 0\n\n", &format!("PROJECTION NON DELETED users {needed}"));
    client.asks(
        "PROJECTION UPDATE users 0 2\n\n{}\n",
        &format!("PROJECTION NON UPDATED users {needed}"),
    );
    client.asks("PROJECTION DELETE users 9\nsalary = \n", "PROJECTION NON DELETED users \"");
    client.line();
    client.asks("PROJECTION DELETE users 4\nTRUE\n", "PROJECTION DELETED users 1\n");
    client.asks("PROJECTION SELECT users 0\n\n", &selected(""));
    client.asks("PROJECTION DROP users\n", "PROJECTION DROPPED users\n");
    client.asks("PROJECTION DROP users\n", "PROJECTION DROPPED users\n");
    client.asks(
        "PROJECTION SELECT users 0\n\n",
        "PROJECTION NON SELECTED users \"no projection `users`\"\n",
    );
}

#[test]
fn what_is_no_message_ends_what_may_not_go_on() {
    let home = Home::new();
    let mut client = home.client();
    client.asks("EVENT LISTED\n", "ERROR \"");
    client.line();
    client.asks("PING\n", "PONG\n");
    client.send("GET / HTTP/1.1\nPING\n");
    assert_eq!(client.rest(), "ERROR \"it is no message of REAM\"\n");
    let mut client = home.client();
    client.send("PING\nEVENT PUBLISH s\nPING\n");
    assert_eq!(client.rest(), "PONG\nERROR \"the size is no number\"\n");
}

#[test]
fn who_sends_ahead_is_answered_in_order() {
    let home = Home::new();
    let mut client = home.client();
    let publish = "EVENT PUBLISH s 1\n1\n".repeat(300);
    client.send(format!("{publish}EVENT LIST\n{publish}EVENT REMOVE s\nEVENT LIST\nPING\n"));
    client.finish();
    let published = |from, to| (from..=to).map(|id| format!("EVENT PUBLISHED s {id}\n"));
    let mut expected: String = published(1, 300).collect();
    expected += "EVENT LISTED 1 s\n";
    expected.extend(published(301, 600));
    expected += "EVENT REMOVED s\nEVENT LISTED 0\nPONG\n";
    assert_eq!(client.rest(), expected);
}

#[test]
fn who_publishes_while_another_writes_keeps_no_one_else_waiting() {
    let home = Home::new();
    let (mut client, mut other) = (home.client(), home.client());
    for number in 1..=100 {
        client.asks("EVENT PUBLISH s 1\n1\n", &format!("EVENT PUBLISHED s {number}\n"));
    }
    let turn = File::open(home.path().join("lock")).unwrap();
    turn.lock().unwrap();
    client.send("EVENT PUBLISH s 1\n1\n");
    for _ in 0..10 {
        other.asks("PING\n", "PONG\n");
    }
    turn.unlock().unwrap();
    client.gets("EVENT PUBLISHED s 101\n");
}

#[test]
fn many_who_publish_at_once_are_each_told_their_own() {
    let home = Home::new();
    let threads: Vec<_> = (0..16)
        .map(|number| {
            let mut client = home.client();
            std::thread::spawn(move || {
                for id in 1..=50 {
                    client.asks("EVENT PUBLISH all 1\n1\n", "EVENT PUBLISHED all ");
                    client.line();
                    let own = format!("EVENT PUBLISHED s{number} {id}\n");
                    client.asks(&format!("EVENT PUBLISH s{number} 1\n1\n"), &own);
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(home.open().version("all").unwrap().0, 800);
    assert_eq!(home.stored().len(), 1600);
}

#[test]
fn version_1_1_knows_ids_expectations_and_states() {
    let home = Home::new();
    let mut client = home.client();
    client.asks("REAM 1.9 TOKEN \"any\"\n", "REAM 1.1\nTOKEN TAKEN admin\n");
    let publish = "EVENT PUBLISH \"order-1\" 2 ID \"a\" EXPECT no-stream STATE 1 META 7 TYPE Placed\n{}\n{\"m\":1}\n7\n";
    client.asks(publish, "EVENT PUBLISHED \"order-1\" 1 1\n");
    client.asks(publish, "EVENT PUBLISHED \"order-1\" 1 1 DUPLICATE\n");
    assert_eq!(home.open().state("order-1").unwrap().version.0, 1);
    client.asks("EVENT PUBLISH \"order-1\" 2 EXPECT 7\n{}\n", "EVENT NON PUBLISHED \"order-1\" \"");
    let conflict = client.line();
    assert!(conflict.ends_with("\" EXPECTED 7 ACTUAL 1"), "{conflict}");
    let no_object = "EVENT NON PUBLISHED b \"Invalid message: metadata are a JSON object\"\n";
    client.asks("EVENT PUBLISH b 1 META 2\n1\n[]\n", no_object);
    client.asks("EVENT PUBLISH b 2 BYTES\n\0\x01\n", "EVENT PUBLISHED b 1 2\n");
    client.send("EVENT PUBLISH s 1\n{}\nPING\n");
    assert_eq!(client.rest(), "EVENT NON PUBLISHED s \"Invalid message\"\n");
    assert_eq!(home.stored()[0], "order-1 1 Placed Json(\"{}\")");
}

#[test]
fn a_payload_larger_than_the_store_takes_is_passed_over() {
    let home = Home::new();
    let mut client = home.client();
    let length = 16 * 1024 * 1024 + 1;
    client.send(format!("EVENT PUBLISH s {length}\n"));
    client.send(vec![b'\n'; length]);
    client.asks("\nPING\n", "EVENT NON PUBLISHED s \"16777217 bytes are more than this takes, which is 16777216\"\nPONG\n");
}

#[test]
fn a_server_that_is_read_only_changes_nothing() {
    let mut options = ServeOptions::default();
    options.read_only = true;
    options.tcp = vec!["127.0.0.1:0".parse().unwrap()];
    let home = Home::with_http(options);
    home.append("s", "1");
    let before = home.stored();
    let mut client = home.client();
    let no = |words: &str| format!("{words} \"not allowed\"\n");
    client.asks("EVENT PUBLISH s 1\n1\n", &no("EVENT NON PUBLISHED s"));
    client.asks("EVENT REMOVE s\n", &no("EVENT NON REMOVED s"));
    client.asks("PROJECTION CREATE p 1 +id\n", &no("PROJECTION NON CREATED p"));
    client.asks("EVENT SUBSCRIBE s 1\n", "EVENT SUBSCRIBED s 1 1\nEVENT s 1 1\n1\n");
    let mut stranger = Client::of(std::net::TcpStream::connect(home.port()).unwrap());
    stranger.asks("TOKEN \"t-admin\"\n", "REAM 1.0\nTOKEN TAKEN read\n");
    stranger.asks("EVENT PUBLISH s 1\n1\n", &no("EVENT NON PUBLISHED s"));
    home.asks("t-admin", "POST /streams/s?type=T", "1").is_problem(403, "forbidden");
    assert_eq!(home.asks("t-admin", "GET /streams/s", "").status, 200);
    assert_eq!(home.stored(), before);
}

#[test]
fn one_connection_too_many_is_told_so() {
    let mut options = ServeOptions::default();
    options.max_connections = 2;
    let home = Home::with(&options);
    let (mut first, _second) = (home.client(), home.client());
    let mut third = Client::at(&home.path().join("serve.sock"));
    assert_eq!(third.rest(), "ERROR \"too many connections\"\n");
    first.asks("PING\n", "PONG\n");
    first.finish();
    assert_eq!(first.rest(), "");
    // Its place is free as soon as the server has seen that.
    let mut next = home.client();
    next.asks("PING\n", "PONG\n");
}

#[test]
fn the_one_that_is_silent_the_longest_makes_room() {
    let mut options = ServeOptions::default();
    options.max_connections = 3;
    let home = Home::with(&options);
    let begun = Instant::now();
    // One that follows need not say anything.
    let mut first = home.client();
    first.asks("EVENT SUBSCRIBE s 1\n", "EVENT SUBSCRIBED s EMPTY\n");
    let (mut second, mut third) = (home.client(), home.client());
    let (too_many, mut refused) = ("ERROR \"too many connections\"\n", 0);
    let mut fourth = loop {
        let mut fourth = Client::at(&home.path().join("serve.sock"));
        let line = fourth.line();
        if line == "REAM 1.0" {
            break fourth;
        }
        assert_eq!(format!("{line}\n"), too_many);
        refused += 1;
        assert!(begun.elapsed() < Duration::from_secs(60));
        // One that says something is not silent.
        third.asks("PING\n", "PONG\n");
        assert!(!second.hears_within(Duration::from_millis(200)), "it makes room too early");
    };
    let took = begun.elapsed();
    assert!(refused > 0 && (9..40).contains(&took.as_secs()), "{refused}, {took:?}");
    assert_eq!(second.rest(), "ERROR \"another connection needs the room\"\n");
    for client in [&mut first, &mut third, &mut fourth] {
        client.asks("PING\n", "PONG\n");
    }
    home.end();
}

#[test]
fn what_takes_too_long_is_interrupted_and_changes_nothing() {
    let mut options = ServeOptions::default();
    options.request_timeout = Duration::from_millis(50);
    let home = Home::with(&options);
    let mut client = home.client();
    client.asks("PROJECTION CREATE notes 2 +id text\n", "PROJECTION CREATED notes\n");
    // Each takes the pattern below longer than that, of which SQLite counts nothing.
    let text: String = (0..1 << 14).map(|at: u32| if hash(at) { 'a' } else { 'b' }).collect();
    for id in 1..=80 {
        let row = format!("{{\"id\":{id},\"text\":\"{text}\"}}");
        client.asks(
            &format!("PROJECTION SET notes {}\n{row}\n", row.len()),
            &format!("PROJECTION SET DONE notes {id}\n"),
        );
    }
    let slow = r#"text =~ "(?:[ab]{1,30}a){12}c""#;
    client.asks(
        &format!("PROJECTION SELECT notes {}\n{slow}\n", slow.len()),
        "PROJECTION NON SELECTED notes \"timed out\"\n",
    );
    client.asks(
        &format!("PROJECTION DELETE notes {}\n{slow}\n", slow.len()),
        "PROJECTION NON DELETED notes \"timed out\"\n",
    );
    let set = r#"{"text":"new"}"#;
    client.asks(
        &format!("PROJECTION UPDATE notes {} {}\n{slow}\n{set}\n", slow.len(), set.len()),
        "PROJECTION NON UPDATED notes \"timed out\"\n",
    );
    // The same threads do the next.
    let first = format!("[{{\"id\":1,\"text\":\"{text}\"}}]");
    for _ in 0..8 {
        client.asks(
            "PROJECTION SELECT notes 6\nid = 1\n",
            &format!("PROJECTION SELECTED notes {}\n{first}\n", first.len()),
        );
    }
}

/// A bit that follows from a number in no way that a pattern could use.
fn hash(number: u32) -> bool {
    (number.wrapping_mul(2_654_435_761) >> 13).count_ones().is_multiple_of(2)
}

#[test]
fn a_payload_for_which_there_is_no_room_waits_for_it() {
    let mut options = ServeOptions::default();
    options.max_memory = 50_000;
    let home = Home::with(&options);
    let (mut first, mut second, mut other) = (home.client(), home.client(), home.client());
    let json = |length: usize| format!("\"{}\"", "x".repeat(length - 2));
    // The answer says that the line behind was taken as well.
    first.asks("PING\nEVENT PUBLISH s 45000\n", "PONG\n");
    second.send(format!("EVENT PUBLISH s 40000\n{}\n", json(40_000)));
    for _ in 0..20 {
        other.asks("PING\n", "PONG\n");
    }
    first.asks(&format!("{}\n", json(45_000)), "EVENT PUBLISHED s 1\n");
    second.gets("EVENT PUBLISHED s 2\n");
    // Alone one may be as long as it likes.
    first.asks(&format!("EVENT PUBLISH s 90000\n{}\n", json(90_000)), "EVENT PUBLISHED s 3\n");
}

#[test]
fn what_does_not_come_whole_ends_the_connection() {
    let mut options = ServeOptions::default();
    options.receive_timeout = Duration::from_millis(100);
    let home = Home::with(&options);
    let mut idle = home.client();
    for begun in ["PI", "EVENT PUBLISH s 9\n12", "EVENT PUBLISH s 1\n123456"] {
        let mut client = home.client();
        client.asks(&format!("PING\n{begun}"), "PONG\n");
        let told = client.rest();
        let told = told.trim_start_matches("EVENT NON PUBLISHED s \"Invalid message\"\n");
        assert_eq!(told, "ERROR \"a message takes too long to come\"\n", "{begun}");
    }
    idle.asks("PING\n", "PONG\n");
}

#[test]
fn a_client_that_is_not_there_any_more_is_asked_and_given_up() {
    let mut options = ServeOptions::default();
    (options.keep_alive, options.ping_timeout) =
        (Duration::from_millis(50), Duration::from_millis(200));
    let home = Home::with(&options);
    let (mut silent, mut there) = (home.client(), home.client());
    for _ in 0..8 {
        there.gets("PING\n");
        there.send("PONG\n");
    }
    assert_eq!(silent.rest(), "PING\n");
}

#[test]
fn who_is_connected_when_it_ends_is_told_so() {
    let home = Home::new();
    let mut client = home.client();
    client.asks("PING\n", "PONG\n");
    home.end();
    assert_eq!(client.rest(), "ERROR \"the server is ending\"\n");
}

#[test]
fn the_transcript_of_1_0_passes_byte_for_byte() {
    let home = Home::new();
    let mut client = home.client();
    client.asks("EVENT LIST\n", "EVENT LISTED 0\n");
    client.asks("EVENT SUBSCRIBE emails 1\n", "EVENT SUBSCRIBED emails EMPTY\n");
    client.asks(
        "EVENT PUBLISH emails 16\n{\"name\":\"peter\"}\n",
        "EVENT PUBLISHED emails 1\nEVENT emails 1 16\n{\"name\":\"peter\"}\n",
    );
    client.asks(
        "EVENT PUBLISH emails 14\n{\"name\":\"peter\"}\n",
        "EVENT NON PUBLISHED emails \"Invalid message\"\n",
    );
    client.asks("EVENT UNSUBSCRIBE emails\n", "EVENT UNSUBSCRIBED emails\n");
    let id = "\"27d1b5a0-c54f-4664-a549-b876b0bb3661\"";
    client.asks(
        "AGGREGATE SET emails 52928765732754145749045094502427735649 15\n{\"emails\":1002}\n",
        &format!("AGGREGATE SET DONE emails {id}\n"),
    );
    client.asks(
        &format!("AGGREGATE GET emails {id}\n"),
        &format!("AGGREGATE GOT emails {id} 15\n{{\"emails\":1002}}\n"),
    );
    let other = "emails \"d0e72dec-6c77-4cb3-9fe1-7d86ab603a92\"";
    let not_found = format!("AGGREGATE NON GOT {other} \"Not found\"\n");
    client.asks(&format!("AGGREGATE GET {other}\n"), &not_found);
    client.asks(
        "PROJECTION CREATE users 7 +name +email position address city *country salary\n",
        "PROJECTION CREATED users\n",
    );
    client.asks(
        "PROJECTION SET users 2\n{}\n",
        "PROJECTION NON SET users \"the field `name` is missing\"\n",
    );
    let row = r#"{"name":"peter","email":"peter@mail.com","position":"developer","address":"unknown","city":"London","country":"UK","salary":1000}"#;
    client.asks("PROJECTION SELECT users 0\n\n", "PROJECTION SELECTED users 2\n[]\n");
    client.asks(
        &format!("PROJECTION SET users 129\n{row}\n"),
        "PROJECTION SET DONE users \"peter\"\n",
    );
    client.asks(
        "PROJECTION SELECT users 82\ncity IN (\"London\",\"Madrid\") AND position != \"commercial\" AND email =~ \"@mail.com$\"\n",
        &format!("PROJECTION SELECTED users 131\n[{row}]\n"),
    );
    client.asks(
        "PROJECTION UPDATE users 18 43\ncity IN (\"London\")\n{\"position\":\"manager\",\"salary\":salary+1000}\n",
        "PROJECTION UPDATED users 1\n",
    );
    client
        .asks("PROJECTION DELETE users 17\ncity IN (\"Miami\")\n", "PROJECTION DELETED users 0\n");
    client.asks("EVENT LISTED\n", "ERROR \"");
    client.line();
    client.asks("PING\n", "PONG\n");
}

#[test]
fn the_session_on_the_page_is_one() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/ream-1.0.md");
    let page = std::fs::read_to_string(page).unwrap();
    let home = Home::new();
    let mut client = Client::at(&home.path().join("serve.sock"));
    let lines = page.lines().filter_map(|line| line.strip_prefix("    ")?.split_once(": "));
    let lines: Vec<(&str, &str)> = lines.filter(|(who, _)| matches!(*who, "C" | "S")).collect();
    assert_eq!(lines.len(), 17);
    for (who, line) in lines {
        let line = format!("{line}\n");
        if who == "C" { client.send(line) } else { client.gets(&line) }
    }
    assert_eq!(client.rest(), "");
}

/// A request whose answer tells nothing of time.
fn request() -> impl Strategy<Value = String> {
    let requests = [
        "PING\n",
        "\n",
        "EVENT LIST\r\n",
        "EVENT LISTED\n",
        "EVENT PUBLISH a 2\n{}\n",
        "EVENT PUBLISH \"b-1\" 9\n\"PING\\nx\"\r\n",
        "EVENT PUBLISH a 1\n{}\n",
        "EVENT PUBLISH a 5\nPING\n\n",
        "EVENT REMOVE a\n",
        "AGGREGATE SET k 1 1\n1\n",
        "AGGREGATE GET k 1\n",
        "AGGREGATE REMOVE k 1\n",
        "PROJECTION CREATE p 2 +id:integer n:text:null\n",
        "PROJECTION SET p 8\n{\"id\":1}\n",
        "PROJECTION UPDATE p 4 9\nTRUE\n{\"n\":\"x\"}\n",
        "PROJECTION SELECT p 0\n\n",
        "PROJECTION DROP p\n",
        "nonsense\n",
    ];
    select(requests.map(str::to_owned).to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn wherever_a_session_is_cut_it_is_the_same(
        requests in vec(request(), 1..12),
        cuts in vec(any::<Index>(), 0..20),
    ) {
        let sent = requests.concat().into_bytes();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(sent.len() + 1)).collect();
        cuts.sort_unstable();
        let answers = |cuts: &[usize]| {
            let home = Home::new();
            let (mut client, mut from) = (home.client(), 0);
            for to in cuts.iter().copied().chain([sent.len()]) {
                // What comes behind the end of a connection is not taken.
                let _ = client.send_all_the_same(&sent[from..to]);
                from = to;
            }
            client.finish_all_the_same();
            (client.rest(), home.stored())
        };
        prop_assert_eq!(answers(&cuts), answers(&[]));
    }
}
