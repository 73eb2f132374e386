//! What to do about what stands, or is missing, in the directory of a store.

use std::path::{Path, PathBuf};

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
        PlaceFault::Backup | PlaceFault::LeftOut { .. } => Hint::elsewhere(
            if matches!(fault, PlaceFault::Backup) {
                ""
            } else {
                "restore it, and rebuild them there"
            },
            ["restore".as_ref(), path.as_os_str(), beside(path, "-restored").as_os_str()],
        ),
        PlaceFault::Occupied => {
            // Where it is not the directory itself, it is what it would be filled as.
            let path = if path.extension() == Some("partial".as_ref()) {
                path.with_extension("")
            } else {
                path.to_owned()
            };
            Hint::again("name another directory").value("DIR", beside(&path, "-"))
        }
        PlaceFault::Inside { store } => {
            let name = path.file_name().unwrap_or_default();
            Hint::again("name a directory beside it")
                .value("DIR", beside(&store.with_file_name(name), ""))
        }
        PlaceFault::MountPoint => {
            Hint::again("name a directory in it").value("DIR", path.join("ream"))
        }
        PlaceFault::NoBackup => Hint::help("", &["backup"]),
        PlaceFault::Manifest { .. } => {
            let backup = path.parent().unwrap_or(path);
            let see = ["status", "--store"].map(AsRef::as_ref).into_iter();
            let words = "take another backup; see what is in this one";
            Hint::elsewhere(words, see.chain([backup.as_os_str()]))
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

/// A path beside this one where nothing stands: with this ending, and a number where that is needed.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let with = |number: Option<u32>| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        if let Some(number) = number {
            name.push(number.to_string());
        }
        PathBuf::from(name)
    };
    let first = if ending.ends_with('-') { Some(2) } else { None };
    let others = (2..).map(Some);
    let mut paths = std::iter::once(first).chain(others).map(with);
    paths.find(|path| path.symlink_metadata().is_err()).unwrap_or_else(|| path.to_owned())
}
