//! How it is told where a stored event stands.

use std::io::Write as _;

use ream::{Appended, EventId, StreamName, wire};

use crate::output::escape;

/// Writes the acknowledgement of an event as JSON, without an end of line.
pub(super) fn write_acknowledgement(
    line: &mut Vec<u8>,
    stream: &StreamName,
    id: Option<&EventId>,
    appended: &Appended,
) {
    line.extend_from_slice(b"{\"stream\":");
    wire::write_string(line, stream.as_str());
    line.extend_from_slice(b",\"version\":");
    wire::write_number(line, appended.version.0);
    line.extend_from_slice(b",\"position\":");
    wire::write_number(line, appended.position.0);
    line.extend_from_slice(b",\"id\":");
    match id {
        Some(id) => wire::write_string(line, id.as_str()),
        None => {
            line.push(b'"');
            wire::write_derived_id(line, &appended.link, appended.position);
            line.push(b'"');
        }
    }
    write_repeated(line, appended.duplicate, appended.removed);
    line.push(b'}');
}

/// Writes that something was stored before.
pub(super) fn write_repeated(line: &mut Vec<u8>, duplicate: bool, removed: bool) {
    if duplicate {
        line.extend_from_slice(b",\"duplicate\":true");
    }
    if removed {
        line.extend_from_slice(b",\"removed\":true");
    }
}

/// Writes where an event stands as a line for the eye.
pub(super) fn write_readable(line: &mut Vec<u8>, stream: &StreamName, appended: &Appended) {
    let (version, position) = (appended.version, appended.position);
    let note = repeated(appended.duplicate, appended.removed);
    // Writing into memory does not fail.
    let _ = writeln!(line, "{}@{version} at position {position}{note}", escape(stream.as_str()));
}

/// The same, for the eye.
pub(super) fn repeated(duplicate: bool, removed: bool) -> &'static str {
    match (duplicate, removed) {
        (true, true) => " (stored before, and removed since)",
        (true, false) => " (stored before)",
        _ => "",
    }
}
