//! The messages of REAM 1.0 and 1.1: a line of tokens, and what it asks for.

use super::access::Secret;
use crate::event::Expect;

/// The words that are no names, in every version.
const WORDS: [&str; 34] = [
    "PING",
    "PONG",
    "ERROR",
    "REAM",
    "TOKEN",
    "EVENT",
    "AGGREGATE",
    "PROJECTION",
    "PUBLISH",
    "PUBLISHED",
    "SUBSCRIBE",
    "SUBSCRIBED",
    "UNSUBSCRIBE",
    "UNSUBSCRIBED",
    "LIST",
    "LISTED",
    "REMOVE",
    "REMOVED",
    "NON",
    "EMPTY",
    "SET",
    "DONE",
    "GET",
    "GOT",
    "CREATE",
    "CREATED",
    "DROP",
    "DROPPED",
    "SELECT",
    "SELECTED",
    "UPDATE",
    "UPDATED",
    "DELETE",
    "DELETED",
];

/// Whether a name travels as it is; any other travels as a JSON string.
pub(super) fn is_bare(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !WORDS.contains(&name)
}

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Request {
    /// The client speaks this minor version, and later ones.
    Version {
        minor: u64,
        token: Option<Secret>,
    },
    Token(Secret),
    Ping,
    Pong,
    Publish(Publish),
    Subscribe {
        stream: String,
        start: Start,
    },
    Unsubscribe {
        stream: String,
    },
    ListStreams,
    RemoveStream {
        stream: String,
    },
    SetState {
        kind: String,
        id: u128,
    },
    GetState {
        kind: String,
        id: u128,
    },
    RemoveState {
        kind: String,
        id: u128,
    },
    ListKinds,
    Create {
        projection: String,
        fields: Vec<String>,
    },
    Drop {
        projection: String,
    },
    Set {
        projection: String,
    },
    Select {
        projection: String,
    },
    Update {
        projection: String,
    },
    Delete {
        projection: String,
    },
}

/// What is said of an event beside its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Publish {
    pub(super) stream: String,
    pub(super) event_type: Option<String>,
    pub(super) expect: Option<Expect>,
    pub(super) id: Option<String>,
    /// Whether the data is no JSON.
    pub(super) bytes: bool,
    /// Whether metadata follows the data.
    pub(super) metadata: bool,
    /// Whether a state follows these.
    pub(super) state: bool,
}

/// Where a subscription begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// At a version of its stream.
    Version(u64),
    /// At a position of the log, in the one pass of a connection of 1.1.
    Position(u64),
}

/// A line that is read: what it asks for, and how long the payloads are that follow it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) request: Request,
    pub(super) sizes: Vec<u64>,
}

/// That a line is no message.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoMessage {
    pub(super) reason: String,
    /// Whether nothing can follow the line that belongs to it, so that the next line is one again.
    pub(super) stands_alone: bool,
}

/// Reads a line, without its end, as a client of 1.`minor` sends it.
pub(super) fn read(line: &[u8], minor: u64) -> Result<Header, NoMessage> {
    let alone = |reason: String| NoMessage { reason, stands_alone: stands_alone(line) };
    let text = std::str::from_utf8(line).map_err(|_| alone("it is not UTF-8".into()))?;
    if text.chars().any(|char| char.is_control() && char != '\t') {
        return Err(alone("it has a control character".into()));
    }
    let tokens = tokens(text).map_err(alone)?;
    let mut words = Words { tokens: tokens.into_iter() };
    let header = words.header(minor).and_then(|header| words.end().map(|()| header));
    header.map_err(alone)
}

/// Whether a line begins with a request that no payload follows, or with the words of an answer that none
/// follows.
fn stands_alone(line: &[u8]) -> bool {
    let mut words = line.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty());
    let mut next = || words.next().unwrap_or_default();
    match next() {
        b"PING" | b"PONG" | b"ERROR" => true,
        b"EVENT" => matches!(
            next(),
            b"SUBSCRIBE"
                | b"UNSUBSCRIBE"
                | b"LIST"
                | b"REMOVE"
                | b"PUBLISHED"
                | b"SUBSCRIBED"
                | b"UNSUBSCRIBED"
                | b"LISTED"
                | b"REMOVED"
                | b"NON"
        ),
        b"AGGREGATE" => match next() {
            b"GET" | b"REMOVE" | b"LIST" | b"REMOVED" | b"LISTED" | b"NON" => true,
            b"SET" => next() == b"DONE",
            _ => false,
        },
        b"PROJECTION" => match next() {
            b"CREATE" | b"DROP" | b"CREATED" | b"DROPPED" | b"UPDATED" | b"DELETED" | b"NON" => {
                true
            }
            b"SET" => next() == b"DONE",
            _ => false,
        },
        _ => false,
    }
}

/// A part of a line.
#[derive(Debug, PartialEq, Eq)]
enum Token<'l> {
    Bare(&'l str),
    /// A JSON string.
    Text(String),
}

fn tokens(line: &str) -> Result<Vec<Token<'_>>, String> {
    let blank = |char| matches!(char, ' ' | '\t');
    let (mut tokens, mut rest) = (Vec::new(), line.trim_start_matches(blank));
    while !rest.is_empty() {
        let length = if rest.starts_with('"') {
            let length = text_length(rest).ok_or("a string has no end")?;
            let text = serde_json::from_str(&rest[..length]);
            tokens.push(Token::Text(text.map_err(|_| "a string is not one of JSON")?));
            length
        } else {
            let length = rest.find(blank).unwrap_or(rest.len());
            tokens.push(Token::Bare(&rest[..length]));
            length
        };
        let behind = &rest[length..];
        rest = behind.trim_start_matches(blank);
        if rest.len() == behind.len() && !rest.is_empty() {
            return Err("a string is not ended by a space".into());
        }
    }
    Ok(tokens)
}

/// How long the string is that `text` begins with, its quotes included.
fn text_length(text: &str) -> Option<usize> {
    let mut escaped = false;
    let end = text.bytes().skip(1).position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    end.map(|end| end + 2)
}

/// The tokens of a line, as they are taken.
struct Words<'l> {
    tokens: std::vec::IntoIter<Token<'l>>,
}

type Read<T> = Result<T, String>;

impl<'l> Words<'l> {
    /// The next word; none at the end, and where a string stands.
    fn word(&mut self) -> &'l str {
        match self.tokens.next() {
            Some(Token::Bare(word)) => word,
            _ => "",
        }
    }

    fn end(&mut self) -> Read<()> {
        match self.tokens.next() {
            None => Ok(()),
            Some(_) => Err("it has more than belongs to it".into()),
        }
    }

    fn name(&mut self) -> Read<String> {
        match self.tokens.next() {
            Some(Token::Text(name)) => Ok(name),
            Some(Token::Bare(name)) if is_bare(name) => Ok(name.into()),
            Some(Token::Bare(name)) => {
                Err(format!("`{name}` is no name; other names than words stand in quotes"))
            }
            None => Err("a name is missing".into()),
        }
    }

    fn text(&mut self, what: &str) -> Read<String> {
        match self.tokens.next() {
            Some(Token::Text(text)) => Ok(text),
            _ => Err(format!("{what} is missing, in quotes")),
        }
    }

    fn token(&mut self) -> Read<Secret> {
        self.text("the token").map(Secret::new)
    }

    fn number(&mut self, what: &str) -> Read<u64> {
        let word = self.word();
        let digits = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
        let number = if digits { word.parse::<i64>().ok() } else { None };
        let number = number.and_then(|number| number.try_into().ok());
        number.ok_or_else(|| format!("{what} is no number"))
    }

    fn id(&mut self) -> Read<u128> {
        let wrong = || "an id is a UUID".to_owned();
        match self.tokens.next() {
            Some(Token::Bare(word)) if word.bytes().all(|byte| byte.is_ascii_digit()) => {
                word.parse().map_err(|_| wrong())
            }
            Some(Token::Bare(word)) => uuid(word).ok_or_else(wrong),
            Some(Token::Text(text)) => uuid(&text).ok_or_else(wrong),
            None => Err(wrong()),
        }
    }

    fn header(&mut self, minor: u64) -> Read<Header> {
        let request = match self.word() {
            "PING" => Request::Ping,
            "PONG" => Request::Pong,
            "TOKEN" => Request::Token(self.token()?),
            "REAM" => self.version()?,
            "EVENT" => return self.event(minor),
            "AGGREGATE" => return self.aggregate(),
            "PROJECTION" => return self.projection(),
            _ => return Err("it is no message of REAM".into()),
        };
        Ok(Header { request, sizes: Vec::new() })
    }

    fn version(&mut self) -> Read<Request> {
        let wrong = || "this speaks REAM 1".to_owned();
        let minor = self.word().strip_prefix("1.").ok_or_else(wrong)?;
        let digits = !minor.is_empty() && minor.bytes().all(|byte| byte.is_ascii_digit());
        let minor = if digits { minor.parse().unwrap_or(u64::MAX) } else { return Err(wrong()) };
        let token = match self.tokens.next() {
            None => None,
            Some(Token::Bare("TOKEN")) => Some(self.token()?),
            Some(_) => return Err("behind a version stands `TOKEN`, or nothing".into()),
        };
        Ok(Request::Version { minor, token })
    }

    fn event(&mut self, minor: u64) -> Read<Header> {
        let request = match self.word() {
            "PUBLISH" => return self.publish(minor),
            "SUBSCRIBE" => {
                let stream = self.name()?;
                let start = if minor == 0 {
                    Start::Version(self.number("the id")?)
                } else if self.word() == "FROM" {
                    Start::Position(self.number("the position")?)
                } else {
                    return Err("behind the pattern stands `FROM` and a position".into());
                };
                Request::Subscribe { stream, start }
            }
            "UNSUBSCRIBE" => Request::Unsubscribe { stream: self.name()? },
            "LIST" => Request::ListStreams,
            "REMOVE" => Request::RemoveStream { stream: self.name()? },
            _ => {
                return Err(
                    "an event is there to PUBLISH, SUBSCRIBE, UNSUBSCRIBE, LIST, REMOVE".into()
                );
            }
        };
        Ok(Header { request, sizes: Vec::new() })
    }

    fn publish(&mut self, minor: u64) -> Read<Header> {
        let mut publish = Publish {
            stream: self.name()?,
            event_type: None,
            expect: None,
            id: None,
            bytes: false,
            metadata: false,
            state: false,
        };
        let size = self.number("the size")?;
        let (mut metadata, mut state) = (None, None);
        while let Some(token) = self.tokens.next() {
            let Token::Bare(word) = token else {
                return Err("an option is a word".into());
            };
            let is_new = match word {
                _ if minor == 0 => return Err("it has more than belongs to it".into()),
                "TYPE" => publish.event_type.replace(self.name()?).is_none(),
                "EXPECT" => publish.expect.replace(self.expect()?).is_none(),
                "ID" => publish.id.replace(self.text("the id")?).is_none(),
                "BYTES" => !std::mem::replace(&mut publish.bytes, true),
                "META" => metadata.replace(self.number("the size of the metadata")?).is_none(),
                "STATE" => state.replace(self.number("the size of the state")?).is_none(),
                _ => return Err(format!("there is no option `{word}`")),
            };
            if !is_new {
                return Err(format!("`{word}` stands there twice"));
            }
        }
        (publish.metadata, publish.state) = (metadata.is_some(), state.is_some());
        let sizes = [Some(size), metadata, state].into_iter().flatten().collect();
        Ok(Header { request: Request::Publish(publish), sizes })
    }

    fn expect(&mut self) -> Read<Expect> {
        self.word().parse().map_err(|error: crate::event::ExpectError| error.to_string())
    }

    fn aggregate(&mut self) -> Read<Header> {
        let word = self.word();
        if word == "LIST" {
            return Ok(Header { request: Request::ListKinds, sizes: Vec::new() });
        }
        if !matches!(word, "SET" | "GET" | "REMOVE") {
            return Err("an aggregate is there to SET, GET, REMOVE, LIST".into());
        }
        let (kind, id) = (self.name()?, self.id()?);
        Ok(match word {
            "SET" => {
                let sizes = vec![self.number("the size")?];
                Header { request: Request::SetState { kind, id }, sizes }
            }
            "GET" => Header { request: Request::GetState { kind, id }, sizes: Vec::new() },
            _ => Header { request: Request::RemoveState { kind, id }, sizes: Vec::new() },
        })
    }

    fn projection(&mut self) -> Read<Header> {
        let word = self.word();
        let asks = ["CREATE", "DROP", "SET", "SELECT", "UPDATE", "DELETE"];
        if !asks.contains(&word) {
            return Err(format!("a projection is there to {}", asks.join(", ")));
        }
        let projection = self.name()?;
        Ok(match word {
            "CREATE" => {
                let count = self.number("the count of fields")?;
                let fields = self.tokens.by_ref().map(|token| match token {
                    Token::Bare(field) => Ok(field.to_owned()),
                    Token::Text(_) => Err("a field does not stand in quotes".to_owned()),
                });
                let fields = fields.collect::<Read<Vec<_>>>()?;
                if fields.len() as u64 != count {
                    return Err(format!("{count} fields are said, {} stand there", fields.len()));
                }
                Header { request: Request::Create { projection, fields }, sizes: Vec::new() }
            }
            "DROP" => Header { request: Request::Drop { projection }, sizes: Vec::new() },
            _ => {
                let mut sizes = vec![self.number("the size")?];
                let request = match word {
                    "SET" => Request::Set { projection },
                    "SELECT" => Request::Select { projection },
                    "DELETE" => Request::Delete { projection },
                    _ => {
                        sizes.push(self.number("the size of the assignments")?);
                        Request::Update { projection }
                    }
                };
                Header { request, sizes }
            }
        })
    }
}

/// The number of a UUID in hexadecimal digits, with its dashes or without.
fn uuid(text: &str) -> Option<u128> {
    let digits: String = match text.len() {
        36 => {
            let parts: Vec<&str> = text.split('-').collect();
            let lengths = parts.iter().map(|part| part.len());
            if !lengths.eq([8, 4, 4, 4, 12]) {
                return None;
            }
            parts.concat()
        }
        32 => text.into(),
        _ => return None,
    };
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u128::from_str_radix(&digits, 16).ok()
}

/// A UUID as it is written: with dashes, in lower case.
pub(super) fn dashed(id: u128) -> String {
    let digits = format!("{id:032x}");
    let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
    parts.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn of(line: &str, minor: u64) -> (Request, Vec<u64>) {
        let Header { request, sizes } = read(line.as_bytes(), minor).unwrap();
        (request, sizes)
    }

    #[track_caller]
    fn refused(line: &str, minor: u64) -> (String, bool) {
        let NoMessage { reason, stands_alone } = read(line.as_bytes(), minor).unwrap_err();
        (reason, stands_alone)
    }

    #[test]
    fn names_travel_bare_where_they_may() {
        for name in ["a", "Z", "order_42", "TYPE", "FROM", "event", "Ping"] {
            assert!(is_bare(name), "{name}");
        }
        for name in ["", "4", "_a", "order-42", "é", "EVENT", "PING", "a b"] {
            assert!(!is_bare(name), "{name}");
        }
    }

    #[test]
    fn each_request_is_read() {
        let stream = || "s".to_owned();
        let kind = || "k".to_owned();
        let projection = || "p".to_owned();
        let id = 0x27d1_b5a0_c54f_4664_a549_b876_b0bb_3661;
        for (line, request, sizes) in [
            ("PING", Request::Ping, vec![]),
            ("PONG", Request::Pong, vec![]),
            (" TOKEN\t\"a b\" ", Request::Token(Secret::new("a b".into())), vec![]),
            ("REAM 1.7", Request::Version { minor: 7, token: None }, vec![]),
            (
                "REAM 1.1 TOKEN \"t\"",
                Request::Version { minor: 1, token: Some(Secret::new("t".into())) },
                vec![],
            ),
            (
                "EVENT SUBSCRIBE s 7",
                Request::Subscribe { stream: stream(), start: Start::Version(7) },
                vec![],
            ),
            ("EVENT UNSUBSCRIBE \"s\"", Request::Unsubscribe { stream: stream() }, vec![]),
            ("EVENT LIST", Request::ListStreams, vec![]),
            ("EVENT REMOVE s", Request::RemoveStream { stream: stream() }, vec![]),
            (
                "AGGREGATE SET k 52928765732754145749045094502427735649 15",
                Request::SetState { kind: kind(), id },
                vec![15],
            ),
            (
                "AGGREGATE GET k \"27d1b5a0-c54f-4664-a549-b876b0bb3661\"",
                Request::GetState { kind: kind(), id },
                vec![],
            ),
            (
                "AGGREGATE GET k 27D1B5A0C54F4664A549B876B0BB3661",
                Request::GetState { kind: kind(), id },
                vec![],
            ),
            ("AGGREGATE REMOVE k 0", Request::RemoveState { kind: kind(), id: 0 }, vec![]),
            ("AGGREGATE LIST", Request::ListKinds, vec![]),
            (
                "PROJECTION CREATE p 2 +a b",
                Request::Create { projection: projection(), fields: vec!["+a".into(), "b".into()] },
                vec![],
            ),
            ("PROJECTION DROP p", Request::Drop { projection: projection() }, vec![]),
            ("PROJECTION SET p 2", Request::Set { projection: projection() }, vec![2]),
            ("PROJECTION SELECT\tp 0", Request::Select { projection: projection() }, vec![0]),
            ("PROJECTION UPDATE p 4 2", Request::Update { projection: projection() }, vec![4, 2]),
            (
                "PROJECTION DELETE p 9223372036854775807",
                Request::Delete { projection: projection() },
                vec![i64::MAX as u64],
            ),
        ] {
            assert_eq!(of(line, 0), (request, sizes), "{line}");
        }
    }

    #[test]
    fn the_options_of_1_1_come_in_any_order_and_their_payloads_in_one() {
        let line = r#"EVENT PUBLISH "order-42" 9 STATE 3 BYTES ID "x" META 2 EXPECT no-stream TYPE Placed"#;
        let (request, sizes) = of(line, 1);
        assert_eq!(sizes, [9, 2, 3]);
        let Request::Publish(publish) = request else { panic!("{request:?}") };
        assert_eq!((&*publish.stream, publish.event_type.as_deref()), ("order-42", Some("Placed")));
        assert_eq!((publish.id.as_deref(), publish.expect), (Some("x"), Some(Expect::NoStream)));
        assert!(publish.bytes && publish.metadata && publish.state);
        assert_eq!(refused("EVENT PUBLISH s 1 BYTES BYTES", 1).0, "`BYTES` stands there twice");
        assert_eq!(refused("EVENT PUBLISH s 1 NOTE", 1).0, "there is no option `NOTE`");
        assert_eq!(refused("EVENT PUBLISH s 1 BYTES", 0).0, "it has more than belongs to it");
        let start = Start::Position(0);
        assert_eq!(
            of("EVENT SUBSCRIBE \"o-*\" FROM 0", 1).0,
            Request::Subscribe { stream: "o-*".into(), start }
        );
    }

    #[test]
    fn what_is_no_message_says_why_and_whether_it_stands_alone() {
        for (line, reason, alone) in [
            ("GET / HTTP/1.1", "it is no message of REAM", false),
            ("ping", "it is no message of REAM", false),
            ("PING PING", "it has more than belongs to it", true),
            ("REAM 2.0", "this speaks REAM 1", false),
            ("REAM 1.x", "this speaks REAM 1", false),
            (
                "EVENT LISTED",
                "an event is there to PUBLISH, SUBSCRIBE, UNSUBSCRIBE, LIST, REMOVE",
                true,
            ),
            (
                "EVENT s 1 2",
                "an event is there to PUBLISH, SUBSCRIBE, UNSUBSCRIBE, LIST, REMOVE",
                false,
            ),
            ("EVENT PUBLISH s", "the size is no number", false),
            ("EVENT PUBLISH s -1", "the size is no number", false),
            ("EVENT PUBLISH s 9223372036854775808", "the size is no number", false),
            (
                "EVENT PUBLISH order-42 1",
                "`order-42` is no name; other names than words stand in quotes",
                false,
            ),
            (
                "EVENT PUBLISH LIST 1",
                "`LIST` is no name; other names than words stand in quotes",
                false,
            ),
            ("EVENT REMOVE \"s", "a string has no end", true),
            ("EVENT REMOVE \"s\"x", "a string is not ended by a space", true),
            ("EVENT REMOVE \"\\x\"", "a string is not one of JSON", true),
            ("EVENT REMOVE \u{7}", "it has a control character", true),
            ("EVENT REMOVE", "a name is missing", true),
            ("AGGREGATE GET k x", "an id is a UUID", true),
            ("AGGREGATE GET k 340282366920938463463374607431768211456", "an id is a UUID", true),
            ("AGGREGATE GET k \"27d1b5a0c-54f-4664-a549-b876b0bb3661\"", "an id is a UUID", true),
            ("AGGREGATE GOT k 1 2", "an aggregate is there to SET, GET, REMOVE, LIST", false),
            (
                "AGGREGATE SET DONE k 2",
                "`DONE` is no name; other names than words stand in quotes",
                true,
            ),
            ("PROJECTION CREATE p 2 a", "2 fields are said, 1 stand there", true),
            ("PROJECTION CREATE p 1 \"a\"", "a field does not stand in quotes", true),
            (
                "PROJECTION SELECTED p 7",
                "a projection is there to CREATE, DROP, SET, SELECT, UPDATE, DELETE",
                false,
            ),
            ("TOKEN t", "the token is missing, in quotes", false),
        ] {
            assert_eq!(refused(line, 0), (reason.to_owned(), alone), "{line}");
        }
        assert!(!read(b"EVENT REMOVE \xff", 0).unwrap_err().reason.is_empty());
    }

    #[test]
    fn a_uuid_is_written_with_dashes() {
        let id = 52_928_765_732_754_145_749_045_094_502_427_735_649;
        assert_eq!(dashed(id), "27d1b5a0-c54f-4664-a549-b876b0bb3661");
        assert_eq!(uuid(&dashed(id)), Some(id));
        assert_eq!(dashed(0), "00000000-0000-0000-0000-000000000000");
    }
}
