//! The plain-text marker: what makes a directory a store, and which one it is.
//!
//! Its lines are known, and so is their order, and the last one is a checksum of those before: whatever else
//! a file holds, it is not a marker.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::str::Split;

use super::Place;
use crate::event::BASE32;
use crate::platform;
use crate::platform::directory::Access;
use crate::store::Error;
use crate::store::hash::checksum;

/// The format that this ream writes, and the latest that it knows.
const FORMAT: u32 = 1;
/// The engine's name in the marker.
pub(crate) const ENGINE: &str = "sqlite";
/// The file's name.
const NAME: &str = "store";
/// Its name while the store is made.
const BEGUN: &str = "store.new";
const FIRST_LINE: &str = "ream store";
const MAX_DATA_BYTES: u32 = 16 * 1024 * 1024;
/// How many lines stand before the checksum.
const CHECKED_LINES: usize = 5;
/// How many characters of it are an id; 65 bits.
const ID_LENGTH: usize = 13;

/// What the marker says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Marker {
    pub(crate) format: u32,
    pub(crate) id: String,
    pub(crate) max_data_bytes: usize,
}

/// Why a text is not the marker of a store that this ream can use.
#[derive(Debug, PartialEq, Eq)]
enum Refusal {
    Bad(String),
    OtherEngine(String),
    Newer(u32),
}

impl Marker {
    /// Whether the directory has a marker, whatever is in it.
    pub(crate) fn stands(place: &Place) -> Result<bool, Error> {
        Ok(place.identify(NAME)?.is_some())
    }

    /// The store that `path` lies in, where it does; whether anything stands at `path` does not matter.
    pub(super) fn above(path: &Path) -> Option<PathBuf> {
        let path = std::path::absolute(path).ok()?;
        let mut above = path.ancestors().skip(1).filter_map(|above| fs::canonicalize(above).ok());
        // What is not there is no store, and what is above a link is not above what it leads to.
        let there = above.next()?;
        there.ancestors().find(|above| is_marker(&above.join(NAME))).map(Path::to_owned)
    }

    /// Whether someone has begun to make the store.
    pub(crate) fn is_begun(place: &Place) -> Result<bool, Error> {
        let begun = place.read_small(BEGUN)?;
        Ok(begun.is_some_and(|text| text.starts_with(FIRST_LINE)))
    }

    /// Writes the marker of a new store, where it is not begun. The directory is no store yet.
    pub(crate) fn begin(place: &Place) -> Result<(), Error> {
        let begun = place.read_small(BEGUN)?;
        if begun.is_some_and(|text| Self::parse(&text).is_ok()) {
            return Ok(());
        }
        let text = Self::text()
            .map_err(|error| Error::Engine { action: "get random bits", source: error.into() })?;
        Self::begin_as(place, &text)
    }

    /// The same with the text of another store's marker, of which this one is a copy.
    pub(crate) fn begin_as(place: &Place, text: &str) -> Result<(), Error> {
        let mut file = place.open_file(BEGUN, Access::Create)?;
        file.set_len(0)
            .and_then(|()| file.write_all(text.as_bytes()))
            .and_then(|()| file.sync_all())
            .map_err(Error::io("write", &place.path(BEGUN)))
    }

    /// Has the marker that was begun make the directory a store. Durable when it returns.
    pub(crate) fn finish(place: &Place) -> Result<(), Error> {
        place.rename(BEGUN, NAME)?;
        place.sync(".")
    }

    /// Reads the marker of the store in `place`.
    pub(crate) fn read(place: &Place) -> Result<Self, Error> {
        Ok(Self::read_text(place)?.0)
    }

    /// The same, and its text.
    pub(crate) fn read_text(place: &Place) -> Result<(Self, String), Error> {
        let root = || place.path(".");
        let Some(text) = place.read_small(NAME)? else {
            return Err(Error::NoStore { path: root() });
        };
        let marker = Self::parse(&text).map_err(|refusal| match refusal {
            Refusal::Bad(reason) => Error::BadMarker { path: place.path(NAME), reason },
            Refusal::OtherEngine(engine) => Error::UnknownEngine { path: root(), engine },
            Refusal::Newer(found) => Error::NewerFormat { path: root(), found, known: FORMAT },
        });
        Ok((marker?, text))
    }

    fn parse(text: &str) -> Result<Self, Refusal> {
        let bad = |reason: String| Refusal::Bad(reason);
        let mut lines = text.split('\n');
        if lines.next() != Some(FIRST_LINE) {
            return Err(bad(format!("its first line is not `{FIRST_LINE}`")));
        }
        let engine = value(&mut lines, "engine")?;
        if engine != ENGINE {
            return Err(Refusal::OtherEngine(engine.into()));
        }
        let format = number("format", value(&mut lines, "format")?)?;
        if format > FORMAT {
            return Err(Refusal::Newer(format));
        }
        let id = id("id", value(&mut lines, "id")?)?;
        let max_data_bytes = number("max-data-bytes", value(&mut lines, "max-data-bytes")?)?;
        let said = value(&mut lines, "checksum")?;
        let known = checksum(&text.split_inclusive('\n').take(CHECKED_LINES).collect::<String>());
        if said != known {
            return Err(bad(format!("its checksum is not that of its lines, which is {known}")));
        }
        // What is behind the end of the last line.
        match (lines.next(), lines.next()) {
            (Some(""), None) => {}
            (Some(line), _) => return Err(bad(format!("`{line}` is not a line of one"))),
            (None, _) => return Err(bad("its last line has no end".into())),
        }
        Ok(Self { format, id, max_data_bytes: max_data_bytes as usize })
    }

    /// The text of a new store's.
    fn text() -> io::Result<String> {
        let id = random_id()?;
        Ok(with_checksum(format!(
            "{FIRST_LINE}\nengine: {ENGINE}\nformat: {FORMAT}\nid: {id}\n\
             max-data-bytes: {MAX_DATA_BYTES}\n"
        )))
    }
}

/// Whether a file begins as a marker does.
fn is_marker(path: &Path) -> bool {
    let mut begin = [0; FIRST_LINE.len()];
    path.symlink_metadata().is_ok_and(|found| found.is_file())
        && File::open(path).and_then(|mut file| file.read_exact(&mut begin)).is_ok()
        && begin == FIRST_LINE.as_bytes()
}

/// The lines of a marker with that of their checksum.
fn with_checksum(lines: String) -> String {
    let checksum = checksum(&lines);
    lines + "checksum: " + &checksum + "\n"
}

/// The value of the next line, which is that of `key`.
fn value<'t>(lines: &mut Split<'t, char>, key: &str) -> Result<&'t str, Refusal> {
    let line = lines.next().unwrap_or_default();
    let value = line.strip_prefix(key).and_then(|rest| rest.strip_prefix(": "));
    value.ok_or_else(|| match line {
        "" => Refusal::Bad(format!("it has no `{key}`")),
        line => Refusal::Bad(format!("`{line}` stands where `{key}: …` should")),
    })
}

/// A number in the one way in which it is written.
fn number(key: &str, text: &str) -> Result<u32, Refusal> {
    let number = text.parse::<u32>().ok().filter(|number| number.to_string() == text);
    number.ok_or_else(|| Refusal::Bad(format!("`{key}` is not a number: {text}")))
}

fn id(key: &str, text: &str) -> Result<String, Refusal> {
    if text.len() == ID_LENGTH && text.bytes().all(|byte| BASE32.contains(&byte)) {
        return Ok(text.into());
    }
    Err(Refusal::Bad(format!("`{key}` is not {ID_LENGTH} characters of base32: {text}")))
}

/// A new store's id.
pub(in crate::store) fn random_id() -> io::Result<String> {
    let mut bytes = [0; ID_LENGTH];
    platform::random(&mut bytes)?;
    Ok(bytes.iter().map(|byte| char::from(BASE32[usize::from(byte % 32)])).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &str =
        "ream store\nengine: sqlite\nformat: 1\nid: 4fz0k7m2q9xwb\nmax-data-bytes: 16777216\n";

    /// The marker with these lines, and a checksum that fits them.
    fn marker(lines: &str) -> String {
        with_checksum(lines.into())
    }

    fn reason(text: &str) -> String {
        match Marker::parse(text) {
            Err(Refusal::Bad(reason)) => reason,
            parsed => panic!("{text:?}: {parsed:?}"),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let marker = Marker::parse(&Marker::text().unwrap()).unwrap();
        let other = Marker::parse(&Marker::text().unwrap()).unwrap();
        assert_ne!(marker.id, other.id);
        let five = Marker::parse(&self::marker(&LINES.replace("16777216", "5"))).unwrap();
        assert_eq!(five.max_data_bytes, 5);
    }

    #[test]
    fn no_line_can_be_left_out() {
        for line in 0..5 {
            let mut lines: Vec<&str> = LINES.lines().collect();
            lines.remove(line);
            reason(&marker(&(lines.join("\n") + "\n")));
        }
        assert_eq!(reason(LINES), "it has no `checksum`");
    }

    #[test]
    fn a_flipped_bit_is_seen() {
        let whole = marker(LINES).into_bytes();
        for at in 0..whole.len() * 8 {
            let mut flipped = whole.clone();
            flipped[at / 8] ^= 1 << (at % 8);
            let text = String::from_utf8_lossy(&flipped);
            assert!(Marker::parse(&text).is_err(), "{at}: {text}");
        }
    }

    #[test]
    fn what_is_not_a_marker_is_refused_and_named() {
        let id = "id: 4fz0k7m2q9xwb";
        for (lines, expected) in [
            (String::new(), "its first line is not `ream store`"),
            ("ream store\n".into(), "`checksum: "),
            (LINES.replace("ream store", "ream  store"), "its first line is not `ream store`"),
            (LINES.replace("format: 1", "format: x"), "`format` is not a number: x"),
            (LINES.replace("format: 1", "format: 01"), "`format` is not a number: 01"),
            (LINES.replace("format: 1", "format: +1"), "`format` is not a number: +1"),
            (LINES.replace("format: 1", "format: 1 "), "`format` is not a number: 1 "),
            (
                LINES.replace("16777216", "4294967296"),
                "`max-data-bytes` is not a number: 4294967296",
            ),
            (LINES.replace(id, "id: a"), "`id` is not 13 characters of base32: a"),
            (
                LINES.replace(id, "id: 4FZ0K7M2Q9XWB"),
                "`id` is not 13 characters of base32: 4FZ0K7M2Q9XWB",
            ),
            (
                LINES.replace(id, "id: \"},{\"a\":\"x"),
                "`id` is not 13 characters of base32: \"},{\"a\":\"x",
            ),
            (LINES.replace(id, &format!("note: x\n{id}")), "`note: x` stands where `id: …` should"),
            (
                LINES.replace("max-data", "note"),
                "`note-bytes: 16777216` stands where `max-data-bytes: …` should",
            ),
            (format!("{LINES}note: x\n"), "`note: x` stands where `checksum: …` should"),
        ] {
            let text = marker(&lines);
            assert!(reason(&text).starts_with(expected), "{text:?}: {}", reason(&text));
        }
        let whole = marker(LINES);
        for (text, expected) in [
            (format!("{whole}note: x\n"), "`note: x` is not a line of one"),
            (format!("{whole}{whole}"), "`ream store` is not a line of one"),
            (format!("{whole}\n"), "`` is not a line of one"),
            (whole.trim_end().into(), "its last line has no end"),
            (whole.replace("16777216", "16777217"), "its checksum is not that of its lines"),
        ] {
            assert!(reason(&text).starts_with(expected), "{text:?}: {}", reason(&text));
        }
    }

    #[test]
    fn what_another_ream_wrote_is_known_by_its_first_lines() {
        assert_eq!(
            Marker::parse("ream store\nengine: postgres\nserver: x\n"),
            Err(Refusal::OtherEngine("postgres".into()))
        );
        assert_eq!(
            Marker::parse("ream store\nengine: sqlite\nformat: 2\nnote: x\n"),
            Err(Refusal::Newer(2))
        );
    }
}
