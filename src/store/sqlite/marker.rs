//! The plain-text marker: what makes a directory a store, and which one it is.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use super::layout::Layout;
use crate::platform;
use crate::store::Error;

/// The format that this ream writes, and the latest that it knows.
pub(super) const FORMAT: u32 = 1;
/// The engine's name in the marker.
pub(super) const ENGINE: &str = "sqlite";
const FIRST_LINE: &str = "ream store";
const MAX_DATA_BYTES: usize = 16 * 1024 * 1024;

/// What the marker says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Marker {
    pub(super) format: u32,
    pub(super) id: String,
    pub(super) incarnation: String,
    pub(super) max_data_bytes: usize,
}

impl Marker {
    /// A new store's.
    pub(super) fn new() -> Result<Self, io::Error> {
        Ok(Self {
            format: FORMAT,
            id: random_id()?,
            incarnation: random_id()?,
            max_data_bytes: MAX_DATA_BYTES,
        })
    }

    /// Reads the marker of the store in `layout`.
    pub(super) fn read(layout: &Layout) -> Result<Self, Error> {
        match fs::read_to_string(&layout.marker) {
            Ok(text) => Self::parse(&text, layout),
            Err(error) => Err(match error.kind() {
                io::ErrorKind::NotFound => Error::NoStore { path: layout.root.clone() },
                io::ErrorKind::NotADirectory => Error::NotADirectory { path: layout.root.clone() },
                _ => Error::io("read", &layout.marker)(error),
            }),
        }
    }

    fn parse(text: &str, layout: &Layout) -> Result<Self, Error> {
        let bad = |reason: String| Error::BadMarker { path: layout.marker.clone(), reason };
        let mut lines = text.lines();
        if lines.next() != Some(FIRST_LINE) {
            return Err(bad(format!("its first line is not `{FIRST_LINE}`")));
        }
        let value = |key: &str| {
            let lines = text.lines().skip(1);
            let mut values = lines.filter_map(|line| line.split_once(": "));
            values.find(|(name, _)| *name == key).map(|(_, value)| value.trim().to_owned())
        };
        let needed = |key: &str| value(key).ok_or_else(|| bad(format!("it has no `{key}`")));
        let number = |key: &str, text: String| {
            text.parse::<u32>().map_err(|_| bad(format!("`{key}` is no number: {text}")))
        };
        let engine = needed("engine")?;
        if engine != ENGINE {
            return Err(Error::UnknownEngine { path: layout.root.clone(), engine });
        }
        let format = number("format", needed("format")?)?;
        if format > FORMAT {
            return Err(Error::NewerFormat {
                path: layout.root.clone(),
                found: format,
                known: FORMAT,
            });
        }
        let max_data_bytes = match value("max-data-bytes") {
            Some(text) => number("max-data-bytes", text)? as usize,
            None => MAX_DATA_BYTES,
        };
        Ok(Self { format, id: needed("id")?, incarnation: needed("incarnation")?, max_data_bytes })
    }

    /// Writes the marker, whole or not at all.
    pub(super) fn write(&self, layout: &Layout) -> Result<(), Error> {
        let new = layout.root.join("store.new");
        let mut text = format!("{FIRST_LINE}\n");
        // Writing into a string does not fail.
        let _ = write!(
            text,
            "engine: {ENGINE}\nformat: {}\nid: {}\nincarnation: {}\nmax-data-bytes: {}\n",
            self.format, self.id, self.incarnation, self.max_data_bytes
        );
        write_durably(&new, &text).map_err(Error::io("write", &new))?;
        fs::rename(&new, &layout.marker).map_err(Error::io("write", &layout.marker))?;
        platform::sync_dir(&layout.root).map_err(Error::io("sync", &layout.root))
    }
}

fn write_durably(path: &Path, text: &str) -> io::Result<()> {
    let mut file = platform::open_private(path, true)?;
    file.set_len(0)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// 13 random characters of Crockford's base32 (<https://www.crockford.com/base32.html>), 65 bits.
fn random_id() -> Result<String, io::Error> {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let mut bytes = [0; 13];
    platform::random(&mut bytes)?;
    Ok(bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout() -> Layout {
        Layout::of(Path::new("/s"))
    }

    fn parse(text: &str) -> Result<Marker, String> {
        Marker::parse(text, &layout()).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_written_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let (layout, marker) = (Layout::of(dir.path()), Marker::new().unwrap());
        marker.write(&layout).unwrap();
        assert_eq!(Marker::read(&layout).unwrap(), marker);
        assert_eq!(marker.id.len(), 13);
        assert_ne!(marker.id, marker.incarnation);
    }

    #[test]
    fn the_setting_is_optional_and_other_lines_are_left_alone() {
        let marker =
            parse("ream store\nengine: sqlite\nformat: 1\nid: a\nincarnation: b\nnote: x\n");
        assert_eq!(marker.unwrap().max_data_bytes, 16 * 1024 * 1024);
    }

    #[test]
    fn what_is_no_marker_is_told() {
        for (text, error) in [
            ("", "/s/store is no marker of a store: its first line is not `ream store`"),
            ("ream store\n", "/s/store is no marker of a store: it has no `engine`"),
            (
                "ream store\nengine: sqlite\nformat: x\n",
                "/s/store is no marker of a store: `format` is no number: x",
            ),
            (
                "ream store\nengine: postgres\n",
                "the store at /s is kept by the engine `postgres`, which this ream does not have",
            ),
            (
                "ream store\nengine: sqlite\nformat: 2\n",
                "the store at /s has format 2; this ream knows formats up to 1",
            ),
        ] {
            assert_eq!(parse(text), Err(error.to_owned()));
        }
    }
}
