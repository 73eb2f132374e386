//! How it is told where a stored event stands, for the eye.

use std::io::Write as _;

use ream::{Appended, StreamName};

use crate::output::escape;

/// Writes where an event stands as a line for the eye.
pub(super) fn write_readable(line: &mut Vec<u8>, stream: &StreamName, appended: &Appended) {
    let (version, position) = (appended.version, appended.position);
    let note = if appended.redacted {
        " (stored before, and redacted since)"
    } else {
        repeated(appended.duplicate, appended.removed)
    };
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
