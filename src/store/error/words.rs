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

pub(super) fn lost(acknowledged: Position, head: Position) -> String {
    if head < acknowledged {
        format!("the last one is {head}")
    } else {
        "another event stands there".into()
    }
}
