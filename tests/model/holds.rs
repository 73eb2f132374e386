//! All that a store holds and shows, line by line.

use std::ops::ControlFlow;

use ream::{
    Criterion, Error, Event, Mark, OrderBy, Pattern, Position, Query, RowWriter, Selection, Store,
    Version,
};

use crate::answers::alike;
use crate::steps::{NAMES, STREAMS};

fn events(store: &Store, query: &Query) -> Result<Vec<Event>, ream::Error> {
    let (mut reader, mut events) = (store.read(query)?, Vec::new());
    while !reader.next_batch(|event| events.push(event.to_event()))?.caught_up {}
    Ok(events)
}

fn event(event: &Event) -> String {
    let Event {
        position,
        stream,
        version,
        id,
        event_type,
        time,
        recorded,
        tags,
        data,
        metadata,
        ..
    } = event;
    let metadata = metadata.as_ref().map_or("-", |json| json.as_str());
    let redacted = event.redacted;
    alike(&format!(
        "event {position} {stream}@{version} {id} {event_type} {time} {recorded} [{tags}] {data:?} {metadata} {redacted}"
    ))
}

fn query(pattern: &str) -> Query {
    Query::of(vec![Pattern::new(pattern).unwrap()])
}

/// What queries of several kinds choose, by their positions.
fn queries(store: &Store, lines: &mut Vec<String>) {
    let mut queries = vec![query("a*"), query("b"), Query::default(), query("none")];
    let mut last = query("*");
    last.last = Some(3);
    let mut after = query("a");
    after.after = Some(Mark::Version(Version(1)));
    let mut until = query("*-*");
    until.until = Some(Mark::Position(Position(5)));
    until.limit = Some(2);
    let mut types = Query::default();
    let event_type = vec!["T1".parse().unwrap()];
    types.criteria.items = vec![Criterion { types: event_type, ..Criterion::default() }];
    types.last = Some(2);
    queries.extend([last, after, until, types]);
    for (number, query) in queries.iter().enumerate() {
        let found = match events(store, query) {
            Ok(events) => {
                format!("{:?}", events.iter().map(|event| event.position.0).collect::<Vec<_>>())
            }
            Err(error) => error.to_string(),
        };
        let lag = store.lag(query, Position(2)).map(|(events, _)| events);
        lines.push(format!("query {number}: {found}, behind 2: {:?}", lag.ok()));
    }
}

fn projections(store: &Store, lines: &mut Vec<String>) {
    for entry in store.projections().unwrap() {
        let projection = match store.projection(entry.name.as_str()) {
            Ok(projection) => projection,
            Err(Error::ProjectionLost { name, .. }) => {
                lines.push(format!("projection {name} has no rows"));
                continue;
            }
            Err(error) => panic!("{error}"),
        };
        let place = projection.checkpoint().unwrap().position;
        let schema = projection.schema();
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name.as_str()).collect();
        let writer = RowWriter::new(&names);
        let mut selection = Selection::all(schema);
        selection.order = vec![OrderBy { field: 0, descending: true }];
        let mut rows = Vec::new();
        projection
            .select(&selection, |row| {
                writer.write(&mut rows, |place| row.value(place)).unwrap();
                ControlFlow::Continue(())
            })
            .unwrap();
        let count = projection.count(&selection).unwrap();
        let (name, generation) = (&entry.name, entry.generation);
        let rows = String::from_utf8(rows).unwrap();
        lines.push(format!("projection {name} {generation} at {place}: {count} {rows}"));
    }
    lines.push(format!("open: {:?}", store.open_projections().unwrap()));
}

/// All of it.
pub(crate) fn all(store: &Store) -> Vec<String> {
    let mut lines = Vec::new();
    let everything = Query::of(["*", "$ream"].map(|text| Pattern::new(text).unwrap()).to_vec());
    lines.extend(events(store, &everything).unwrap().iter().map(event));
    let status = store.status().unwrap();
    lines.push(format!(
        "head {}, {} events, {} streams",
        status.head, status.events, status.streams
    ));
    for name in STREAMS {
        let state = store.state(name).map(|state| {
            let ream::State { version, stream_version, position, data, .. } = state;
            format!("{version} {stream_version} {position} {data:?}")
        });
        let state = state.unwrap_or_else(|error| error.to_string());
        let loaded = store.load(&name.parse().unwrap()).unwrap();
        let behind: Vec<u64> = loaded.events.iter().map(|event| event.position.0).collect();
        let version = store.version(name).unwrap();
        lines.push(format!("{name}: {version}, state {state}, {} {behind:?}", loaded.version));
        let shown = store.stream(name).map(|stream| format!("{stream:?}"));
        lines.push(shown.unwrap_or_else(|error| error.to_string()));
    }
    for pattern in ["*", "a*"] {
        let pattern = Pattern::new(pattern).unwrap();
        lines.push(format!("streams {:?}", store.streams(&pattern, Some("a"), 3).unwrap()));
        lines.push(format!("states {:?}", store.states(&pattern, None, 3).unwrap()));
    }
    lines.push(format!("{:?}", store.state_categories().unwrap()));
    for subscription in store.subscriptions().unwrap() {
        let (name, at) = (&subscription.follows.name, subscription.checkpoint.position);
        lines.push(format!("subscription {name} at {at}"));
    }
    for name in NAMES {
        lines.push(format!("{name} failed: {:?}", store.last_failure(name).unwrap()));
    }
    lines.push(format!("{:?}", store.retained().unwrap()));
    queries(store, &mut lines);
    projections(store, &mut lines);
    lines
}
