//! What verbs answer, in words that are the same for every store: without links and ids made of them, the stores' own
//! ids, and paths.

use std::fmt::Debug;
use std::sync::LazyLock;

use ream::{Appended, AppendedEach, Decided, Error, Removal, StateEntry, Stopped};
use regex::Regex;

/// An id that is made of a link: it is another one in each store.
static DERIVED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\b[0-9a-hjkmnp-tv-z]{13}/([0-9]+)").unwrap());

/// The store's id, as its record of a restore says it, and the file of a projection.
static OWN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"\\"store\\":\\"\w+|(the file of the projection `\w+`), \S*,"#).unwrap()
});

/// A text without what is another one in each store.
pub(crate) fn alike(text: &str) -> String {
    OWN.replace_all(&DERIVED.replace_all(text, "ID/$1"), "$1").into_owned()
}

pub(crate) fn error(error: &Error) -> String {
    let mut told = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        told = format!("{told}: {error}");
        source = error.source();
    }
    alike(&told)
}

/// What came of a verb.
pub(crate) fn of<T>(done: Result<T, Error>, told: impl FnOnce(T) -> String) -> String {
    match done {
        Ok(done) => told(done),
        Err(failed) => format!("error: {}", error(&failed)),
    }
}

pub(crate) fn debug<T: Debug>(done: T) -> String {
    format!("{done:?}")
}

pub(crate) fn appended(one: &Appended) -> String {
    let Appended { position, version, duplicate, removed, redacted, .. } = *one;
    let marks = [(duplicate, " again"), (removed, " removed"), (redacted, " redacted")];
    let marks: String = marks.iter().filter(|(is, _)| *is).map(|(_, mark)| *mark).collect();
    format!("{position}@{version}{marks}")
}

pub(crate) fn all(appended_events: &[Appended]) -> String {
    appended_events.iter().map(appended).collect::<Vec<_>>().join(", ")
}

pub(crate) fn stopped(Stopped { index, error: why, .. }: &Stopped) -> String {
    format!("stopped at {index}: {}", error(why))
}

pub(crate) fn each(done: &AppendedEach) -> String {
    let stopped = done.stopped.as_ref().map(stopped).unwrap_or_default();
    format!("{}; {stopped}", all(&done.appended))
}

pub(crate) fn decided(done: &Decided) -> String {
    let events: Vec<_> = done.events.iter().map(|event| &event.appended).map(appended).collect();
    let Decided { version, duplicate, removed, .. } = done;
    format!("version {version}, duplicate {duplicate}, removed {removed}: {}", events.join(", "))
}

pub(crate) fn removal<T: Debug>(done: &Removal<T>) -> String {
    assert!(done.unfinished.is_none(), "{:?}", done.unfinished);
    format!("{:?}", done.removed)
}

pub(crate) fn state(done: &StateEntry) -> String {
    format!("{done:?}")
}
