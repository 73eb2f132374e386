//! Framing: what a client sends, cut into messages. It comes before meaning: no byte that was sent as a
//! payload is ever taken for a message, but behind a wrong size in 1.0.

use super::message::{self, Header, NoMessage, Request};

/// How long a line may be, its end not counted, in bytes.
const LINE: usize = 8 << 10;
/// How long a payload may be at all: a longer one is not passed over, in bytes.
const PAYLOAD: u64 = 64 << 20;
/// How much room is kept for what comes next, in bytes.
const KEPT: usize = 64 << 10;
/// The highest minor version that is spoken.
const MINOR: u64 = 1;
/// What TLS begins with.
const TLS: [u8; 2] = [0x16, 3];
/// What the answer to a wrong size says.
const INVALID: &str = "Invalid message";

/// What a connection takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    /// How long a payload may be, in bytes; a longer one is passed over and refused.
    pub(super) payload: u64,
    /// Whether the first message has to bring a token.
    pub(super) needs_token: bool,
    /// Whether a first line that is no message may be one of another protocol.
    pub(super) strangers: bool,
}

/// A message, or what stands in the place of one.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame {
    Request {
        request: Request,
        payloads: Vec<Vec<u8>>,
    },
    /// A request that its frame refuses. Nothing follows where that closes.
    Refused {
        request: Request,
        reason: String,
        closes: bool,
    },
    /// A line that is no message. Nothing follows where that closes.
    Wrong {
        reason: String,
        closes: bool,
    },
}

/// Cuts bytes, as they come, into frames.
#[derive(Debug)]
pub(super) struct Frames {
    terms: Terms,
    /// What has come; what lies before `at` is done.
    bytes: Vec<u8>,
    at: usize,
    minor: u64,
    /// How many lines have been read.
    lines: u64,
    awaited: Awaited,
}

/// What has begun to come, and has not come whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begun {
    Nothing,
    /// A line, behind so many others.
    Line(u64),
    /// Payloads, behind so many lines; `kept` of their bytes are.
    Payloads {
        lines: u64,
        bytes: u64,
        kept: u64,
    },
}

/// What is to come next.
#[derive(Debug)]
enum Awaited {
    Line,
    Payload(Payloads),
    /// The end of a line, to go on behind it, at most so many bytes away.
    LineEnd(usize),
    Nothing,
}

/// The payloads of a request.
#[derive(Debug)]
struct Payloads {
    request: Request,
    sizes: Vec<u64>,
    taken: Vec<Vec<u8>>,
    /// How much of the next one was passed over: one of them is too long.
    passed: u64,
}

impl Payloads {
    /// How long the longest is that is longer than `most`.
    fn too_long(&self, most: u64) -> Option<u64> {
        self.sizes.iter().copied().max().filter(|size| *size > most)
    }
}

impl Frames {
    pub(super) fn new(terms: Terms) -> Self {
        let (bytes, awaited) = (Vec::new(), Awaited::Line);
        Self { terms, bytes, at: 0, minor: 0, lines: 0, awaited }
    }

    /// The minor version that is spoken.
    pub(super) fn minor(&self) -> u64 {
        self.minor
    }

    /// What has begun to come, once there is no next frame.
    pub(super) fn begun(&self) -> Begun {
        match &self.awaited {
            Awaited::Payload(payloads) => {
                let bytes = payloads.sizes.iter().sum();
                let is_kept = payloads.too_long(self.terms.payload).is_none();
                Begun::Payloads { lines: self.lines, bytes, kept: if is_kept { bytes } else { 0 } }
            }
            Awaited::Line if !self.rest().is_empty() => Begun::Line(self.lines),
            Awaited::LineEnd(_) => Begun::Line(self.lines),
            Awaited::Line | Awaited::Nothing => Begun::Nothing,
        }
    }

    /// Takes nothing more.
    pub(super) fn close(&mut self) {
        self.awaited = Awaited::Nothing;
        (self.bytes, self.at) = (Vec::new(), 0);
    }

    /// Takes what has come.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        if self.at == self.bytes.len() {
            self.bytes.clear();
            self.bytes.shrink_to(KEPT);
            self.at = 0;
        } else if self.at > LINE && self.at > self.bytes.len() / 2 {
            self.bytes.drain(..self.at);
            self.at = 0;
        }
        if !matches!(self.awaited, Awaited::Nothing) {
            self.bytes.extend_from_slice(bytes);
        }
    }

    fn rest(&self) -> &[u8] {
        &self.bytes[self.at..]
    }

    /// The next frame; nothing until more has come.
    pub(super) fn next(&mut self) -> Option<Frame> {
        loop {
            let frame = match std::mem::replace(&mut self.awaited, Awaited::Nothing) {
                Awaited::Line => self.line()?,
                Awaited::Payload(payloads) => Some(self.payload(payloads)?),
                Awaited::LineEnd(most) => self.line_end(most)?,
                Awaited::Nothing => return None,
            };
            let Some(frame) = frame else { continue };
            let (Frame::Refused { closes: true, .. } | Frame::Wrong { closes: true, .. }) = frame
            else {
                return Some(frame);
            };
            self.close();
            return Some(frame);
        }
    }

    /// Reads a line. The outer nothing is for more bytes, the inner one for a line without a frame of its own.
    #[expect(clippy::option_option, reason = "both nothings mean something else, and only here")]
    fn line(&mut self) -> Option<Option<Frame>> {
        let rest = self.rest();
        if self.lines == 0 && self.terms.strangers && rest.starts_with(&TLS) {
            return Some(Some(wrong("this port speaks REAM without TLS".into())));
        }
        let Some(length) = rest.iter().take(LINE + 2).position(|byte| *byte == b'\n') else {
            if rest.len() > LINE + 1 {
                return Some(Some(wrong(format!("a line has at most {LINE} bytes"))));
            }
            self.awaited = Awaited::Line;
            return None;
        };
        let line = rest[..length].strip_suffix(b"\r").unwrap_or(&rest[..length]);
        if line.len() > LINE {
            return Some(Some(wrong(format!("a line has at most {LINE} bytes"))));
        }
        let (is_empty, is_http) = (line.is_empty(), is_http(line));
        let read = message::read(line, self.minor);
        self.at += length + 1;
        self.awaited = Awaited::Line;
        if is_empty {
            return Some(None);
        }
        let is_first = self.lines == 0;
        self.lines += 1;
        if is_first && self.terms.strangers && is_http {
            return Some(Some(wrong("this port speaks REAM, and not HTTP".into())));
        }
        if is_first && self.terms.needs_token && !brings_token(&read) {
            return Some(Some(wrong("a token is needed".into())));
        }
        let Header { request, sizes } = match read {
            Ok(header) => header,
            Err(no_message) => {
                let closes = self.minor > 0
                    || !no_message.stands_alone
                    || (is_first && self.terms.strangers);
                return Some(Some(Frame::Wrong { reason: no_message.reason, closes }));
            }
        };
        match &request {
            Request::Version { minor, .. } if is_first => self.minor = (*minor).min(MINOR),
            Request::Version { .. } => {
                return Some(Some(wrong("a version stands in the first line, or nowhere".into())));
            }
            Request::Token(_) if !is_first => {
                return Some(Some(wrong("a token stands in the first line, or nowhere".into())));
            }
            _ => {}
        }
        if sizes.iter().any(|size| *size > PAYLOAD) {
            return Some(Some(wrong(format!("a payload has at most {PAYLOAD} bytes"))));
        }
        if sizes.is_empty() {
            return Some(Some(Frame::Request { request, payloads: Vec::new() }));
        }
        let payloads = Payloads { request, sizes, taken: Vec::new(), passed: 0 };
        self.awaited = Awaited::Payload(payloads);
        Some(None)
    }

    /// Takes payloads, and the end of a line behind each.
    fn payload(&mut self, mut payloads: Payloads) -> Option<Frame> {
        let too_long = payloads.too_long(self.terms.payload);
        while let Some(size) = payloads.sizes.get(payloads.taken.len()).copied() {
            // One that is not kept is passed over as it comes.
            if too_long.is_some() {
                let passed = (size - payloads.passed).min(self.rest().len() as u64);
                payloads.passed += passed;
                // No more than there are bytes.
                self.at += usize::try_from(passed).unwrap_or(usize::MAX);
            }
            let left = usize::try_from(size - payloads.passed).unwrap_or(usize::MAX);
            let end = self.rest().get(left..).unwrap_or_default();
            let ended = match end {
                [b'\n', ..] => 1,
                [b'\r', b'\n', ..] => 2,
                [] | [b'\r'] => {
                    self.awaited = Awaited::Payload(payloads);
                    return None;
                }
                _ => {
                    self.at += left;
                    self.awaited = Awaited::LineEnd(LINE);
                    let (reason, closes) = (INVALID.into(), self.minor > 0);
                    return Some(Frame::Refused { request: payloads.request, reason, closes });
                }
            };
            payloads.taken.push(self.rest()[..left].to_vec());
            payloads.passed = 0;
            self.at += left + ended;
        }
        self.awaited = Awaited::Line;
        let Payloads { request, taken: payloads, .. } = payloads;
        Some(match too_long {
            Some(size) => {
                let most = self.terms.payload;
                let reason = format!("{size} bytes are more than this takes, which is {most}");
                Frame::Refused { request, reason, closes: false }
            }
            None => Frame::Request { request, payloads },
        })
    }

    /// Passes over what stands behind a wrong size.
    #[expect(clippy::option_option, reason = "as that of a line")]
    fn line_end(&mut self, most: usize) -> Option<Option<Frame>> {
        let rest = self.rest();
        if let Some(length) = rest.iter().take(most).position(|byte| *byte == b'\n') {
            self.at += length + 1;
            self.awaited = Awaited::Line;
            return Some(None);
        }
        let passed = rest.len();
        if passed >= most {
            return Some(Some(wrong(format!("no line ends within {LINE} bytes"))));
        }
        self.at += passed;
        self.awaited = Awaited::LineEnd(most - passed);
        None
    }
}

/// What is made of bytes that come in pieces, each message as a text: for tests with bytes that nobody would
/// write.
#[doc(hidden)]
pub fn messages<'p>(pieces: impl Iterator<Item = &'p [u8]>, strangers: bool) -> Vec<String> {
    let terms = Terms { payload: 1 << 20, needs_token: false, strangers };
    let (mut frames, mut messages) = (Frames::new(terms), Vec::new());
    for piece in pieces {
        frames.feed(piece);
        messages.extend(std::iter::from_fn(|| frames.next()).map(|frame| format!("{frame:?}")));
        // That is known whenever more is waited for.
        let _ = frames.begun();
    }
    messages
}

/// Whether a line brings a token.
fn brings_token(read: &Result<Header, NoMessage>) -> bool {
    let request = read.as_ref().ok().map(|header| &header.request);
    matches!(request, Some(Request::Token(_) | Request::Version { token: Some(_), .. }))
}

/// Whether a line begins a request of HTTP.
fn is_http(line: &[u8]) -> bool {
    let version = line.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
    version.starts_with(b"HTTP/") && version.len() < line.len()
}

/// A line that is no message, and after which nothing is read.
fn wrong(reason: String) -> Frame {
    Frame::Wrong { reason, closes: true }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::{Index, select};

    use super::*;

    const TERMS: Terms = Terms { payload: 100, needs_token: false, strangers: false };

    /// All frames of what is sent, with cuts at these places.
    fn frames(terms: Terms, sent: &[u8], cuts: &[usize]) -> Vec<Frame> {
        let (mut frames, mut all, mut from) = (Frames::new(terms), Vec::new(), 0);
        for to in cuts.iter().copied().chain([sent.len()]) {
            frames.feed(&sent[from..to]);
            all.extend(std::iter::from_fn(|| frames.next()));
            from = to;
        }
        all
    }

    fn told(sent: &str) -> Vec<String> {
        told_by(TERMS, sent)
    }

    /// What becomes of what is sent, in short.
    fn told_by(terms: Terms, sent: &str) -> Vec<String> {
        let told = frames(terms, sent.as_bytes(), &[]).into_iter().map(|frame| match frame {
            Frame::Request { request, payloads } => {
                let request = format!("{request:?}");
                let word = request.split([' ', '(']).next().unwrap().to_owned();
                let payloads = payloads.iter().map(|one| String::from_utf8_lossy(one));
                payloads.fold(word, |told, payload| format!("{told} <{payload}>"))
            }
            Frame::Refused { reason, closes, .. } => format!("refused {closes}: {reason}"),
            Frame::Wrong { reason, closes } => format!("wrong {closes}: {reason}"),
        });
        told.collect()
    }

    #[test]
    fn lines_and_payloads_are_told_apart() {
        let sent = "PING\r\n\n \nEVENT PUBLISH s 5\nPING\n\r\nEVENT PUBLISH s 0\n\nPING\n";
        let told = told(&format!("{sent}PROJECTION UPDATE p 3 2\n\n\n\n\n{{}}\n"));
        let update = "Update <\n\n\n> <{}>";
        assert_eq!(told, ["Ping", "wrong true: it is no message of REAM"]);
        let told = told_by(
            TERMS,
            &format!("{}PROJECTION UPDATE p 3 2\n\n\n\n\n{{}}\n", sent.replace("\n \n", "\n")),
        );
        assert_eq!(told, ["Ping", "Publish <PING\n>", "Publish <>", "Ping", update]);
    }

    #[test]
    fn a_wrong_size_is_refused_and_in_1_0_the_line_goes() {
        let wrong = "EVENT PUBLISH s 2\n{\"a\":1}\nPING\n";
        assert_eq!(told(wrong), ["refused false: Invalid message", "Ping"]);
        let told_by_later = told(&format!("REAM 1.1\n{wrong}"));
        assert_eq!(told_by_later, ["Version", "refused true: Invalid message"]);
        let no_end = format!("EVENT PUBLISH s 2\n{}\nPING\n", "x".repeat(2 + LINE));
        assert_eq!(
            told(&no_end),
            ["refused false: Invalid message", "wrong true: no line ends within 8192 bytes"]
        );
        // The carriage return alone ends nothing.
        assert_eq!(
            told("EVENT PUBLISH s 2\n{}\rx\nPING\n"),
            ["refused false: Invalid message", "Ping"]
        );
    }

    #[test]
    fn what_is_too_long_is_passed_over_as_far_as_that_goes() {
        let long = format!("PROJECTION UPDATE p 101 2\n{}\n{{}}\nPING\n", "\n".repeat(101));
        assert_eq!(
            told(&long),
            ["refused false: 101 bytes are more than this takes, which is 100", "Ping"]
        );
        let long = "EVENT PUBLISH s 67108865\nPING\n";
        assert_eq!(told(long), ["wrong true: a payload has at most 67108864 bytes"]);
        let line = format!("EVENT REMOVE {}\nPING\n", "x".repeat(LINE - 13));
        assert_eq!(told(&line), ["RemoveStream", "Ping"]);
        let line = format!("EVENT REMOVE {}\nPING\n", "x".repeat(LINE - 12));
        assert_eq!(told(&line), ["wrong true: a line has at most 8192 bytes"]);
    }

    #[test]
    fn only_what_can_have_nothing_behind_it_is_passed_over() {
        let alone =
            "wrong false: an event is there to PUBLISH, SUBSCRIBE, UNSUBSCRIBE, LIST, REMOVE";
        assert_eq!(told("EVENT LISTED\nPING\n"), [alone, "Ping"]);
        assert_eq!(told("EVENT PUBLISH s\nPING\n"), ["wrong true: the size is no number"]);
        assert_eq!(
            told("REAM 1.1\nEVENT LISTED\nPING\n"),
            ["Version", &alone.replace("false", "true")]
        );
        let strangers = Terms { strangers: true, ..TERMS };
        assert_eq!(told_by(strangers, "EVENT LISTED\nPING\n"), [alone.replace("false", "true")]);
        assert_eq!(told_by(strangers, "\nPING\nEVENT LISTED\nPING\n"), ["Ping", alone, "Ping"]);
        let no_version = "wrong true: a version stands in the first line, or nowhere";
        assert_eq!(told("PING\nREAM 1.1\n"), ["Ping", no_version]);
    }

    #[test]
    fn where_a_token_is_needed_it_comes_first() {
        let terms = Terms { needs_token: true, ..TERMS };
        let needed = "wrong true: a token is needed";
        for first in ["PING", "EVENT PUBLISH s 5", "REAM 1.1", "POST / HTTP/1.1", "TOKEN t"] {
            assert_eq!(told_by(terms, &format!("{first}\nPING\n")), [needed], "{first}");
        }
        assert_eq!(told_by(terms, "TOKEN \"t\"\nPING\n"), ["Token", "Ping"]);
        assert_eq!(told_by(terms, "REAM 1.1 TOKEN \"t\"\nPING\n"), ["Version", "Ping"]);
    }

    #[test]
    fn another_protocol_is_told_what_is_spoken_here() {
        let tls = "\x16\x03\x01\x02\0\x01";
        let needed = "wrong true: a token is needed";
        for needs_token in [false, true] {
            let strangers = Terms { strangers: true, needs_token, ..TERMS };
            for first in
                ["GET / HTTP/1.1\r\nPING\r\n", "PRI * HTTP/2.0\r\n", "EVENT LIST HTTP/1.0\n"]
            {
                let http = "wrong true: this port speaks REAM, and not HTTP";
                assert_eq!(told_by(strangers, first), [http], "{first}");
            }
            assert_eq!(told_by(strangers, tls), ["wrong true: this port speaks REAM without TLS"]);
            let other = told_by(strangers, "\x16PING\n");
            let wrong = "wrong true: it has a control character";
            assert_eq!(other, [if needs_token { needed } else { wrong }]);
        }
        // Where no other protocol comes, nothing is taken for one.
        assert_eq!(told_by(TERMS, tls), [""; 0]);
    }

    /// A piece of what a client may send: a part of a message, whole, torn or wrong.
    fn piece() -> impl Strategy<Value = Vec<u8>> {
        let texts = [
            "PING\n",
            "\r\n",
            "\n",
            "EVENT LIST\r\n",
            "EVENT LISTED\n",
            "EVENT PUBLISH s 2\n{}\n",
            "EVENT PUBLISH s 2\r\n{}\r\n",
            "EVENT PUBLISH s 0\n\n",
            "EVENT PUBLISH s 3\n{}\n\n",
            "EVENT PUBLISH s 1\n{}\n",
            "EVENT PUBLISH s 101\n",
            "PROJECTION UPDATE p 4 2\nTRUE\n{}\n",
            "PROJECTION UPDATE p 200 2\n",
            "AGGREGATE GET \"a b\" 7\n",
            "EVENT SUBSCRIBE s 1\n",
            "REAM 1.1\n",
            "EVENT PUBLISH s 2 META 2 STATE 1 TYPE T\n{}\n{}\n1\n",
            "TOKEN \"t\"\n",
            "\"",
            "x",
        ];
        prop_oneof![
            8 => select(texts.map(|text| text.as_bytes().to_vec()).to_vec()),
            1 => vec(any::<u8>(), 0..20),
            1 => (1_usize..300).prop_map(|length| b"y".repeat(length)),
            1 => (8190_usize..8200).prop_map(|length| b"z".repeat(length)),
        ]
    }

    proptest! {
        #[test]
        fn where_it_is_cut_changes_nothing(
            pieces in vec(piece(), 1..12),
            cuts in vec(any::<Index>(), 0..8),
            (needs_token, strangers) in any::<(bool, bool)>(),
        ) {
            let terms = Terms { needs_token, strangers, ..TERMS };
            let sent = pieces.concat();
            let whole = frames(terms, &sent, &[]);
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(sent.len() + 1)).collect();
            cuts.sort_unstable();
            prop_assert_eq!(&frames(terms, &sent, &cuts), &whole);
            // Byte by byte a long line takes long.
            if sent.len() < 1000 {
                let each: Vec<usize> = (0..sent.len()).collect();
                prop_assert_eq!(&frames(terms, &sent, &each), &whole);
            }
        }
    }
}
