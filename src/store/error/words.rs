//! How errors word what they carry.

use std::time::Duration;

use crate::event::Position;

pub(super) fn no_such_field(field: Option<usize>) -> String {
    match field {
        Some(number) => format!("no field has the number {number}"),
        None => "no field is selected".into(),
    }
}

pub(super) fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}

/// The processes that are in the way, for the eye.
pub(super) fn readers(by: &[u32]) -> String {
    let processes: Vec<String> = by.iter().map(ToString::to_string).collect();
    match &processes[..] {
        [] => "another process".into(),
        [one] => format!("process {one}"),
        more => format!("processes {}", more.join(", ")),
    }
}

pub(super) fn changes(missing: u32, acknowledged: Option<Position>) -> String {
    let changes = if missing == 1 { "change" } else { "changes" };
    let events = match acknowledged {
        Some(_) => "its events are all there",
        None => "whether it lost events can't be said without its bell",
    };
    format!(
        "{missing} acknowledged {changes} of states, protection, projections or subscriptions; {events}"
    )
}

pub(super) fn lost(acknowledged: Position, head: Position) -> String {
    if head < acknowledged {
        format!("the last one is {head}")
    } else {
        "another event stands there".into()
    }
}
