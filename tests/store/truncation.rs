//! Truncation removes the first events of streams; the rest, and the states, stay.

use ream::{
    Before, Command, Data, Error, EventId, Json, Mark, NewState, Position, StreamName, Timestamp,
    Version,
};

use crate::store;
use crate::support::{
    Build as _, Fresh, acts, event, everything, head, numbered, positions, query, read, versions,
};

fn name(text: &str) -> StreamName {
    text.parse().unwrap()
}

fn at(version: u64) -> Before {
    Before::Mark(Mark::Version(Version(version)))
}

fn behind(position: u64) -> Before {
    Before::Mark(Mark::Position(Position(position)))
}

/// The streams `a` and `b` with 150 events each, in turns.
fn mixed() -> Fresh {
    let mut store = store();
    let events: Vec<_> = (1..=150)
        .flat_map(|number| ["a", "b"].map(|name| event(name, "T").data(&number.to_string())))
        .collect();
    store.append(&events).unwrap();
    store
}

#[test]
fn the_first_events_go_and_the_rest_stays() {
    let mut store = mixed();
    let before = everything(&store);
    for version in [1, 2, 65, 100, 100, 151] {
        let would = store.truncatable(&[name("a")], at(version)).unwrap();
        let removal = store.truncate(&[name("a"), name("a")], behind(0)).unwrap();
        assert_eq!(removal.removed, []);
        let removal = store.truncate(&[name("a")], at(version)).unwrap();
        assert!(removal.unfinished.is_none());
        assert_eq!(removal.removed, would);
        let left = read(&store, &query(&["a"]));
        let expected: Vec<_> = before
            .iter()
            .filter(|event| event.stream.as_str() == "a" && event.version.0 >= version)
            .cloned()
            .collect();
        assert_eq!(left, expected, "{version}");
        assert_eq!(store.version("a").unwrap().0, 150);
        match store.stream("a") {
            Ok(stream) => {
                assert_eq!((stream.removed.0, stream.events), (version - 1, 151 - version));
            }
            Err(_) => assert_eq!(version, 151),
        }
    }
    assert_eq!(read(&store, &query(&["b"])).len(), 150);
    let told: Vec<_> =
        acts(&store).into_iter().map(|(act, data)| format!("{act} {data}")).collect();
    let act = |removed: u64, events: u64| {
        format!(
            r#"StreamTruncated {{"stream":"a","version":150,"removed":{removed},"events":{events}}}"#
        )
    };
    assert_eq!(told, [act(1, 1), act(64, 63), act(99, 35), act(150, 51)]);
    // It goes on behind what was there.
    store.append(&numbered("a", 1)).unwrap();
    assert_eq!(versions(&read(&store, &query(&["a"]))), [151]);
    store.remove(&[name("a")]).unwrap();
    assert_eq!(read(&store, &query(&["a"])), []);
    store.check().unwrap();
}

#[test]
fn what_stands_before_a_position_or_a_time_goes() {
    let mut store = mixed();
    let both = [name("a"), name("b"), name("x")];
    let removed = store.truncate(&both, behind(8)).unwrap().removed;
    let told: Vec<_> = removed.iter().map(|one| (one.removed.0, one.events)).collect();
    assert_eq!(told, [(4, 4), (3, 3)]);
    assert_eq!(positions(&read(&store, &query(&["*"])))[..3], [8, 9, 10]);
    // A time cuts before the first event that has it, whatever comes behind.
    let times = ["2026-01-03T00:00:00Z", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"];
    let events = times.map(|time| {
        let time: Timestamp = time.parse().unwrap();
        event("c", "T").time(time.as_micros())
    });
    store.append(&events).unwrap();
    let before = |time: &str| Before::Time(time.parse::<Timestamp>().unwrap());
    assert_eq!(store.truncatable(&[name("c")], before(times[2])).unwrap(), []);
    let removed = store.truncate(&[name("c")], before("2026-01-04T00:00:00Z")).unwrap().removed;
    assert_eq!(removed[0].removed.0, 3);
}

#[test]
fn a_decision_begins_with_the_state_or_with_what_is_left() {
    let mut store = mixed();
    let json = |text: &str| Json::parse(text).unwrap();
    store.set_state(&NewState::new(name("a"), Data::Json(json("{\"sum\":1}")))).unwrap();
    let id: EventId = "once".parse().unwrap();
    let command = Command::new(name("b"), json("1")).with_id(id);
    let accepted = store.load(&name("b")).unwrap().accept();
    store.save(&accepted, &command).unwrap();
    store.truncate(&[name("a"), name("b")], behind(201)).unwrap();
    let a = store.load(&name("a")).unwrap();
    assert_eq!((a.version.0, a.state_version.0, a.events.len()), (150, 150, 0));
    assert!(a.state.is_some());
    let b = store.load(&name("b")).unwrap();
    assert_eq!((b.version.0, b.state, b.events.len()), (150, None, 50));
    assert_eq!(b.events[0].version.0, 101);
    // A place below is one all the same.
    let mut behind_50 = query(&["a"]);
    behind_50.after = Some(Mark::Version(Version(50)));
    assert_eq!(versions(&read(&store, &behind_50))[0], 101);
}

#[test]
fn where_one_stream_can_not_be_truncated_none_is() {
    let mut store = mixed();
    store.protect(&[name("b")], true).unwrap();
    let before = everything(&store);
    let both = [name("a"), name("b")];
    let refused = store.truncate(&both, behind(8)).unwrap_err();
    assert!(matches!(&refused, Error::Protected { stream } if stream == "b"), "{refused}");
    let refused = store.truncate(&both, at(2)).unwrap_err();
    assert!(matches!(refused, Error::VersionNeedsStream), "{refused}");
    let refused = store.truncate(&both[..1], at(152)).unwrap_err();
    assert_eq!(refused.to_string(), "version 152 is beyond the stream `a`, which is at 150");
    let head = head(&store);
    let refused = store.truncate(&both[..1], behind(head + 2)).unwrap_err();
    assert!(matches!(refused, Error::BeyondHead { .. }), "{refused}");
    assert_eq!(everything(&store), before);
    store.truncate(&both[..1], behind(head + 1)).unwrap();
    assert!(store.stream("a").is_err());
}
