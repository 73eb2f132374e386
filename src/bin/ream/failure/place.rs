//! What to do about what stands, or is missing, in the directory of a store.

use std::path::Path;

use ream::PlaceFault;

use crate::hint::Hint;

/// What to do about a file or a directory that can't be relied on.
pub(super) fn place_hint(path: &Path, fault: &PlaceFault) -> Option<Hint> {
    Some(match fault {
        PlaceFault::Owner { .. } => {
            "run ream as that user, or set REAM_TRUST_OWNER=1 if you trust it".into()
        }
        PlaceFault::Writable { directory, .. } => {
            let mode = if *directory { "700" } else { "600" };
            let hint = Hint::system("", ["chmod".as_ref(), mode.as_ref(), path.as_os_str()]);
            hint.or("or set REAM_TRUST_OWNER=1 if you trust them".into())
        }
        PlaceFault::Readable { .. } => {
            let hint = Hint::system("", ["chmod".as_ref(), "600".as_ref(), path.as_os_str()]);
            hint.or("who could read it may have what is in it: make that anew".into())
        }
        PlaceFault::Shared { .. } => {
            "move the store to a local disk; REAM_UNSAFE_FS=1 uses it all the same".into()
        }
        PlaceFault::Names { .. } => {
            let find = ["find", "/", "-xdev", "-samefile"].map(AsRef::as_ref);
            Hint::system("see its names", find.into_iter().chain([path.as_os_str()]))
        }
        _ => return None,
    })
}
