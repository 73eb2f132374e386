//! Queries as arguments: what is meant by `--query` and the like.

use ream::wire::{self, LineError};
use ream::{Criteria, Tags, TagsError};

use crate::payload::{self, MOST_INPUT};
use crate::refused::{Refused, invalid};

/// A tag, as the command line gives it.
pub(crate) fn one_tag(text: &str) -> Result<String, TagsError> {
    Tags::new([text]).map(|_| text.to_owned())
}

/// The query that an argument is, or the file behind its `@`; errors call it `what`, as the help does.
pub(crate) fn query(argument: &str, what: &str) -> anyhow::Result<Criteria> {
    let text = if argument.starts_with('@') {
        let bytes = payload::read(argument, MOST_INPUT)?;
        String::from_utf8(bytes).map_err(|_| invalid(format!("{what} is not UTF-8")))?
    } else {
        argument.to_owned()
    };
    wire::parse_query(&text).map_err(|LineError { column, reason }| {
        let hint = payload::with_quotes_back(argument, what);
        let message = format!("{what} is no query: {reason} at column {column}");
        Refused::Invalid { message, hint }.into()
    })
}
