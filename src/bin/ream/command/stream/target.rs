//! Streams that a command is about: by whole names, or by patterns.

use std::str::FromStr;

use ream::{Error, NameError, Pattern, Store, StreamName};

use crate::command::list::PAGE;

/// A stream by its whole name, or all that a pattern matches.
#[derive(Debug, Clone)]
pub(in crate::command) enum Target {
    Stream(StreamName),
    Pattern(Pattern),
}

impl FromStr for Target {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        // A name is checked as one: a reserved stream has none that is taken here.
        if text.contains('*') {
            text.parse().map(Self::Pattern)
        } else {
            text.parse().map(Self::Stream)
        }
    }
}

impl Target {
    /// The streams that targets name, each once; of those that a pattern matches, the ones that hold an event
    /// or have a state.
    pub(in crate::command) fn streams(
        targets: &[Self],
        store: &Store,
    ) -> Result<Vec<StreamName>, Error> {
        let mut names = Vec::new();
        for target in targets {
            match target {
                Self::Stream(name) => names.push(name.clone()),
                Self::Pattern(pattern) => names.extend(matched(pattern, store)?),
            }
        }
        let mut seen = std::collections::HashSet::new();
        names.retain(|name| seen.insert(name.clone()));
        Ok(names)
    }
}

/// The streams that a pattern matches, by name.
fn matched(pattern: &Pattern, store: &Store) -> Result<Vec<StreamName>, Error> {
    let with_events = all(|after| {
        let page = store.streams(pattern, after, PAGE)?;
        Ok(page.into_iter().map(|stream| stream.name).collect())
    })?;
    let with_states = all(|after| {
        let page = store.states(pattern, after, PAGE)?;
        Ok(page.into_iter().map(|state| state.stream).collect())
    })?;
    let mut names = [with_events, with_states].concat();
    names.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
    names.dedup();
    Ok(names)
}

/// All names, of which `page` gives those behind one, at most [`PAGE`] at once.
fn all(
    page: impl Fn(Option<&str>) -> Result<Vec<StreamName>, Error>,
) -> Result<Vec<StreamName>, Error> {
    let mut names: Vec<StreamName> = Vec::new();
    loop {
        let found = page(names.last().map(StreamName::as_str))?;
        let is_last = found.len() < PAGE;
        names.extend(found);
        if is_last {
            return Ok(names);
        }
    }
}
