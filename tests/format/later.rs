//! What format 1 defines and this ream does not write yet is read, by it and by the reader in Python.

use rusqlite::{Connection, params};

use crate::Home;
use crate::by_hand::{Event, Fields, SALT, store_name, store_stream};

/// A store with an event of ream's, and behind it four by hand: the first two of the stream `seat-1`, with tags.
fn tagged() -> (Home, Vec<Event<'static>>) {
    let home = Home::new();
    home.ream(&["append", "order-1", "Placed"]).ok();
    let database = home.database();
    let header: Vec<u8> =
        database.query_row("SELECT header FROM events", [], |row| row.get(0)).unwrap();
    let recorded = i64::from_be_bytes(*header[8..].first_chunk().unwrap());
    let link = &header[16..32];
    let mut events: Vec<Event<'_>> = Vec::new();
    for (position, tags) in [(2, Some("course:c1 student:東")), (3, Some("course:c1")), (4, None)]
    {
        let mut event = Event {
            position,
            stream: "seat-1",
            version: position - 1,
            recorded,
            link: Vec::new(),
            kind: Some("Taken"),
            data: Some(r#"{"n":1.0}"#),
            tags,
        };
        event.link = event.link_behind(events.last().map_or(link, |event| &event.link));
        event.store(&database, None);
        for tag in tags.into_iter().flat_map(|tags| tags.split(' ')) {
            database.execute("INSERT INTO tags VALUES (?1, ?2)", params![tag, position]).unwrap();
        }
        events.push(event);
    }
    store_stream(&database, ("seat-1", 3, 0), &[2, 1, 1]);
    (home, events)
}

/// How many tags there are.
fn tags(database: &Connection) -> i64 {
    database.query_row("SELECT count(*) FROM tags", [], |row| row.get(0)).unwrap()
}

#[test]
fn an_event_with_tags_is_read_kept_and_removed() {
    let (home, _) = tagged();
    assert_eq!(home.is_read().lines().count(), 4);
    // ream builds on its link.
    home.ream(&["append", "seat-1", "Taken", "--expect", "3"]).ok();
    assert_eq!(home.is_read().lines().count(), 5);
    assert_eq!(tags(&home.database()), 3);

    // Without its tags it is another event.
    let line = home.ream(&["read", "seat-1", "--limit", "1"]).ok();
    let tags_of = r#","tags":["course:c1","student:東"]"#;
    assert!(line.contains(tags_of), "{line}");
    let again = home.ream_with(&["append", "--jsonl", "-"], &line).ok();
    assert!(again.contains(r#""duplicate":true"#), "{again}");
    let without = line.replace(tags_of, "");
    home.ream_with(&["append", "--jsonl", "-"], &without).fails(6, "error: ");

    home.ream(&["stream", "rm", "seat-1", "--yes"]).ok();
    assert_eq!(home.is_read().lines().count(), 1);
    assert_eq!(tags(&home.database()), 0);
}

#[test]
fn a_redacted_event_with_tags_is_shown_and_its_hash_stays() {
    let (home, mut events) = tagged();
    let hash = events[0].payload_hash();
    events[0].data = None;
    events[0].store(&home.database(), Some(&hash));
    let shown = home.is_read();
    assert_eq!((shown.lines().count(), shown.matches(r#","redacted":true}"#).count()), (4, 1));
    home.ream(&["append", "seat-1", "Taken", "--expect", "3"]).ok();
    // Those that ream redacts keep their tags, or lose them as well.
    assert_eq!(tags(&home.database()), 3);
    home.ream(&["redact", "seat-1@2", "seat-1@1", "--reason", "r", "--yes"]).ok();
    assert_eq!(tags(&home.database()), 3);
    home.is_read();
    home.ream(&["redact", "seat-1@2", "--tags", "--reason", "r", "--yes"]).ok();
    let shown = home.is_read();
    assert_eq!((shown.lines().count(), shown.matches(r#","redacted":true}"#).count()), (5, 2));
    assert_eq!(tags(&home.database()), 2);

    let shown = home.ream(&["stream", "show", "seat-1"]).ok();
    assert!(shown.contains(r#""version":4,"events":4,"#), "{shown}");
    home.ream(&["stream", "rm", "seat-1", "--yes"]).ok();
    assert_eq!(home.is_read().lines().count(), 1);
    assert_eq!(tags(&home.database()), 0);
}

#[test]
fn a_stream_removed_up_to_a_version_shows_the_rest() {
    let (home, mut events) = tagged();
    let database = home.database();
    let hash = events[0].payload_hash();
    let removed = &mut events[0];
    (removed.kind, removed.data, removed.tags) = (None, None, None);
    removed.store(&database, Some(&hash));
    database.execute("DELETE FROM tags WHERE position = 2", []).unwrap();
    store_stream(&database, ("seat-1", 3, 1), &[2, 1, 1]);

    assert_eq!(home.is_read().lines().count(), 3);
    let shown = home.ream(&["stream", "show", "seat-1"]).ok();
    assert!(shown.contains(r#""version":3,"events":2,"#), "{shown}");
    assert_eq!(home.ream(&["read", "seat-1"]).ok().lines().count(), 2);
    home.ream(&["append", "seat-1", "Taken", "--expect", "exists"]).ok();
    home.ream(&["stream", "rm", "seat-1", "--yes"]).ok();
    assert_eq!(home.is_read().lines().count(), 1);
}

#[test]
fn a_decision_without_a_stream_keeps_its_id() {
    let (home, _) = tagged();
    let database = home.database();
    let query = r#"[{"tags":["course:c1"]}]"#;
    let command = Fields::default().raw("ream command 1").raw(SALT).text(query).text("{}");
    let command = command.sha256();
    let row = Fields::default().text("d").raw("--").bytes(&[2]);
    let sum = row.raw("+").raw(SALT).raw(&command).sum();
    let insert = "INSERT INTO decisions VALUES ('d', NULL, NULL, ?1, x'02', ?2, ?3)";
    database.execute(insert, params![sum, SALT, command]).unwrap();

    let decide = ["decide", "seat-1", "{}", "--id", "d", "--", "false"];
    home.ream(&decide).fails(6, "error: ");
    let again = ["decide", "--tag", "course:c1", "{}", "--id", "d", "--", "false"];
    let found = home.ream(&again).ok();
    assert!(found.contains(r#""position":2,"#) && found.contains(r#""duplicate":true"#), "{found}");
    // It is none of the stream's, but its event is.
    home.ream(&["stream", "rm", "seat-1", "--yes"]).ok();
    let kept = "SELECT count(*) FROM decisions WHERE command IS NOT NULL";
    assert_eq!(database.query_row(kept, [], |row| row.get(0)), Ok(0));
}

#[test]
fn a_setting_is_passed_over() {
    let (home, _) = tagged();
    let sum = Fields::default().text("seat-*").text("x").text("1").sum();
    let insert = "INSERT INTO settings VALUES ('seat-*', 'x', '1', ?1)";
    home.database().execute(insert, [sum]).unwrap();
    home.ream(&["append", "seat-1", "Taken"]).ok();
    assert_eq!(home.is_read().lines().count(), 5);
}

#[test]
fn a_subscription_by_what_is_not_known_is_not_followed_without_it() {
    let (home, events) = tagged();
    let (database, done) = (home.database(), Some(&events[0]));
    store_name(&database, ("plain", "subscription"), r#"{"from":["seat-*"]}"#, done);
    let shown = home.ream(&["subscription", "show", "plain"]).ok();
    assert!(shown.contains(r#""checkpoint":2,"#), "{shown}");

    let record = r#"{"from":["seat-*"],"where":"data.n > 1"}"#;
    store_name(&database, ("asking", "subscription"), record, done);
    let refused =
        "the subscription `asking` was made by a later version of ream: unknown field `where`";
    let error = &format!("error: {refused}");
    home.ream(&["subscription", "ack", "asking", "2"]).fails(1, error);
    // What is shown or listed is looked for among all.
    home.ream(&["subscription", "show", "asking"]).fails(1, &format!("warning: {refused}"));
    let plain = r#"{"name":"plain","kind":"subscription","checkpoint":2,"#;
    home.ream(&["subscription", "show", "plain"]).warns(refused, plain);
    home.ream(&["subscription", "list"]).warns(refused, plain);
    home.ream(&["tail", "--as", "asking", "--", "cat"]).fails(1, error);
    assert_eq!(home.is_read().lines().count(), 4);
}

#[test]
fn a_subscription_by_tags_or_a_query_follows_what_they_choose() {
    let (home, events) = tagged();
    let database = home.database();
    let lag = |name: &str, record: &str| {
        store_name(&database, (name, "subscription"), record, Some(&events[0]));
        let shown = home.ream(&["subscription", "show", name]).ok();
        let lag = shown.split_once(r#""lag":"#).unwrap().1;
        lag.split(',').next().unwrap().parse::<u64>().unwrap()
    };
    let all = lag("all", r#"{"from":["seat-*"]}"#);
    let some = lag("some", r#"{"from":["seat-*"],"tags":["course:c1"]}"#);
    let query = r#"{"from":[],"query":[{"tags":["course:c1"],"streams":["seat-*"]}]}"#;
    assert_eq!(lag("asked", query), some);
    assert!(some <= all, "{some} {all}");
}

#[test]
fn an_open_projection_has_its_types_by_its_first_row() {
    let (home, _) = tagged();
    let record = r#"{"fields":[{"name":"id"},{"name":"n"}],"key":["id"],"unique":[],"index":[],"from":[],"program":[]}"#;
    store_name(&home.database(), ("seats", "projection"), record, None);
    let open =
        r#"{"projection":"seats","open":true,"fields":[{"name":"id"},{"name":"n"}],"key":["id"],"#;
    let shown = home.ream(&["project", "show", "seats"]).ok();
    assert!(shown.starts_with(open), "{shown}");
    assert_eq!(home.ream(&["project", "list"]).ok(), "{\"projection\":\"seats\",\"open\":true}\n");
    let error = "error: the projection `seats` is open: its first row says";
    home.ream(&["project", "select", "seats"]).fails(1, error);
    home.ream(&["project", "set", "seats", r#"{"id":1,"n":2}"#]).fails(1, error);
    // Other fields would be another projection.
    let other = "error: there is a projection `seats` already, and it is made of something else";
    home.ream(&["project", "create", "seats", "id:integer:key"]).fails(1, other);
    home.ream(&["project", "create", "seats", "id:integer:key", "n:integer:null"]).ok();
    home.ream(&["project", "set", "seats", r#"{"id":1,"n":2}"#]).ok();
    assert_eq!(home.ream(&["project", "select", "seats"]).ok(), "{\"id\":1,\"n\":2}\n");
    assert_eq!(home.is_read().lines().count(), 4);
}

#[test]
fn a_record_with_another_key_is_refused_by_name() {
    let (home, _) = tagged();
    let record = r#"{"fields":[{"name":"id","type":"integer"}],"key":["id"],"keep":"1y"}"#;
    store_name(&home.database(), ("kept", "projection"), record, None);
    let error =
        "error: the projection `kept` was made by a later version of ream: unknown field `keep`";
    home.ream(&["project", "show", "kept"]).fails(1, error);
    // What is no object was made by no ream.
    store_name(&home.database(), ("broken", "projection"), "{\"fields\":", None);
    let error = "error: the store is damaged: the projection `broken` is none: ";
    home.ream(&["project", "show", "broken"]).fails(1, error);
}

#[test]
fn another_kind_of_name_is_damage() {
    let (home, _) = tagged();
    store_name(&home.database(), ("nightly", "schedule"), "{}", None);
    let error = "error: the store is damaged: what is recorded of `nightly` is not what was stored";
    home.ream(&["project", "list"]).fails(1, error);
    assert_eq!(home.is_read().lines().count(), 4);
}
