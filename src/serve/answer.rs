//! What the server says: the lines of answers, refusals and events.

use super::message::{Request, dashed, is_bare};
use crate::store::Error;
use crate::wire::write_string;

/// How long a reason may be, in bytes.
const REASON: usize = 400;

/// What a request is answered with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) bytes: Vec<u8>,
    /// Whether the connection ends with it.
    pub(super) closes: bool,
}

/// Makes a line, token by token.
#[derive(Debug, Default)]
pub(super) struct Line(Vec<u8>);

impl Line {
    /// A line that begins with these words, as they are.
    pub(super) fn new(words: &str) -> Self {
        // Most lines fit into that.
        let mut line = Vec::with_capacity(words.len() + 48);
        line.extend_from_slice(words.as_bytes());
        Self(line)
    }

    fn space(mut self) -> Self {
        self.0.push(b' ');
        self
    }

    /// Words, as they are.
    pub(super) fn words(self, words: &str) -> Self {
        let mut line = self.space();
        line.0.extend_from_slice(words.as_bytes());
        line
    }

    pub(super) fn name(self, name: &str) -> Self {
        if is_bare(name) { self.words(name) } else { self.text(name) }
    }

    pub(super) fn text(self, text: &str) -> Self {
        let mut line = self.space();
        write_string(&mut line.0, text);
        line
    }

    pub(super) fn number(self, number: u64) -> Self {
        self.words(itoa::Buffer::new().format(number))
    }

    fn reason(self, reason: &str) -> Self {
        self.text(shortened(reason))
    }

    /// The line with its end.
    pub(super) fn end(mut self) -> Vec<u8> {
        self.0.push(b'\n');
        self.0
    }

    /// The line with its end, and a payload behind it.
    pub(super) fn payload(mut self, payload: &[u8]) -> Vec<u8> {
        self.0.push(b'\n');
        self.0.extend_from_slice(payload);
        self.0.push(b'\n');
        self.0
    }
}

impl From<Vec<u8>> for Answer {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes, closes: false }
    }
}

/// As much of a reason as a line takes.
fn shortened(reason: &str) -> &str {
    let end = (0..=REASON.min(reason.len())).rev().find(|end| reason.is_char_boundary(*end));
    &reason[..end.unwrap_or_default()]
}

/// Says that a request is refused.
pub(super) fn refusal(request: &Request, reason: &str) -> Vec<u8> {
    refused(request, reason).end()
}

fn refused(request: &Request, reason: &str) -> Line {
    let line = match request {
        Request::Publish(publish) => Line::new("EVENT NON PUBLISHED").name(&publish.stream),
        Request::Subscribe { stream, .. } => Line::new("EVENT NON SUBSCRIBED").name(stream),
        Request::Unsubscribe { stream } => Line::new("EVENT NON UNSUBSCRIBED").name(stream),
        Request::ListStreams => Line::new("EVENT NON LISTED"),
        Request::RemoveStream { stream } => Line::new("EVENT NON REMOVED").name(stream),
        Request::SetState { kind, id } => of_state("AGGREGATE NON SET", kind, *id),
        Request::GetState { kind, id } => of_state("AGGREGATE NON GOT", kind, *id),
        Request::RemoveState { kind, id } => of_state("AGGREGATE NON REMOVED", kind, *id),
        Request::ListKinds => Line::new("AGGREGATE NON LISTED"),
        Request::Create { projection, .. } => Line::new("PROJECTION NON CREATED").name(projection),
        Request::Drop { projection } => Line::new("PROJECTION NON DROPPED").name(projection),
        Request::Set { projection } => Line::new("PROJECTION NON SET").name(projection),
        Request::Select { projection } => Line::new("PROJECTION NON SELECTED").name(projection),
        Request::Update { projection } => Line::new("PROJECTION NON UPDATED").name(projection),
        Request::Delete { projection } => Line::new("PROJECTION NON DELETED").name(projection),
        Request::Version { .. } | Request::Token(_) | Request::Ping | Request::Pong => {
            Line::new("ERROR")
        }
    };
    line.reason(reason)
}

/// Says what became of a request that failed.
pub(super) fn failure(request: &Request, minor: u64, error: &Error) -> Answer {
    match error {
        // It may be stored or not: no word may say that it is not.
        Error::OutcomeUnknown { .. } if matches!(request, Request::Publish(_)) => {
            wrong("outcome unknown: the commit failed half-way; repeat it with its id", true)
        }
        Error::OutcomeUnknown { .. } => {
            wrong("outcome unknown: the commit failed half-way; look whether it is so", true)
        }
        Error::Busy { .. } => refusal(request, "busy").into(),
        Error::Interrupted => refusal(request, "timed out").into(),
        Error::WrongExpectedVersion { expected, actual, .. } if minor > 0 => {
            let line = refused(request, &error.to_string());
            let line = line.words("EXPECTED").words(&expected.to_string());
            line.words("ACTUAL").number(actual.0).end().into()
        }
        error => refusal(request, &error.to_string()).into(),
    }
}

/// Says that what came is no message.
pub(super) fn wrong(reason: &str, closes: bool) -> Answer {
    Answer { bytes: Line::new("ERROR").reason(reason).end(), closes }
}

/// A line about the state of a kind and an id.
pub(super) fn of_state(words: &str, kind: &str, id: u128) -> Line {
    Line::new(words).name(kind).text(&dashed(id))
}

/// A list of names, with how many there are; nothing where it is longer than an answer may be.
pub(super) fn list<'n>(words: &str, names: impl ExactSizeIterator<Item = &'n str>) -> Answer {
    /// How long it may be, in bytes.
    const LIST: usize = 16 << 20;
    let mut line = Line::new(words).number(names.len() as u64);
    for name in names {
        line = line.name(name);
        if line.0.len() > LIST {
            return wrong("there are more than an answer can name", false);
        }
    }
    line.end().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_quotes_what_needs_it_and_shortens_reasons() {
        let line = Line::new("EVENT PUBLISHED").name("order-42").name("emails").name("LIST");
        assert_eq!(line.number(7).end(), b"EVENT PUBLISHED \"order-42\" emails \"LIST\" 7\n");
        let Answer { bytes, .. } = list("EVENT LISTED", ["a", "b c"].into_iter());
        assert_eq!(bytes, b"EVENT LISTED 2 a \"b c\"\n");
        let long = "é".repeat(300);
        let told = String::from_utf8(wrong(&long, true).bytes).unwrap();
        assert_eq!(told, format!("ERROR \"{}\"\n", "é".repeat(200)));
        let state = of_state("AGGREGATE SET DONE", "emails", 1).payload(b"{}");
        let told = "AGGREGATE SET DONE emails \"00000000-0000-0000-0000-000000000001\"\n{}\n";
        assert_eq!(String::from_utf8(state).unwrap(), told);
    }
}
