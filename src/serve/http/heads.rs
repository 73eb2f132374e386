//! The bytes of a connection, head by head: what has to be refused before anything is made of it.
//!
//! The parser behind this takes a request with two lengths for one with the length that counts, and says nothing.
//! Whoever stands before this server may have taken the other one, so that the rest of a body would be another
//! request (RFC 9112, section 11.2).

use std::cell::{Cell, RefCell};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use axum::http::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::problem::Problem;
use crate::serve::seat::Seat;

/// How long a head may be, in bytes.
pub(super) const HEAD: usize = 16 << 10;
/// How long it may take to be whole.
pub(super) const HEAD_TIME: Duration = Duration::from_secs(10);

/// Why a connection is no longer read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// Its lengths, or its lines, can be read in two ways.
    Ambiguous,
    TooLong,
    TooSlow,
}

impl Refused {
    pub(super) fn to_problem(self) -> Problem {
        match self {
            Self::Ambiguous => Problem::usage(
                "a request has one length, by `Content-Length` or by `Transfer-Encoding`, and its lines end with CR LF",
            ),
            Self::TooLong => Problem::new(
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "head-too-large",
                6,
                format!("the head of a request has at most {HEAD} bytes"),
            ),
            Self::TooSlow => Problem::new(
                StatusCode::REQUEST_TIMEOUT,
                "too-slow",
                6,
                format!("the head of a request is whole within {} seconds", HEAD_TIME.as_secs()),
            ),
        }
    }
}

/// What is known of a connection beside its bytes.
#[derive(Debug, Default)]
pub(super) struct Standing {
    /// How many requests are being answered.
    answering: Cell<usize>,
    /// Whether there was one.
    is_asked: Cell<bool>,
    refused: Cell<Option<Refused>>,
    /// Who waits until none is.
    waiting: RefCell<Option<Waker>>,
    seat: Rc<Seat>,
}

impl Standing {
    pub(super) fn of(seat: Rc<Seat>) -> Self {
        Self { seat, ..Self::default() }
    }

    /// Whether anything has been asked.
    pub(super) fn is_asked(&self) -> bool {
        self.is_asked.get()
    }

    pub(super) fn refused(&self) -> Option<Refused> {
        self.refused.get()
    }
}

/// That a request is being answered, until this is dropped.
#[derive(Debug)]
pub(super) struct InHand(Rc<Standing>);

impl InHand {
    pub(super) fn new(standing: &Rc<Standing>) -> Self {
        standing.answering.set(standing.answering.get() + 1);
        standing.is_asked.set(true);
        standing.seat.set_busy(true);
        Self(Rc::clone(standing))
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        self.0.answering.set(self.0.answering.get() - 1);
        self.0.seat.set_busy(self.0.answering.get() > 0);
        if let Some(waiting) = self.0.waiting.take() {
            waiting.wake();
        }
    }
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Head,
    /// So many bytes of a body, or of a head that has been looked at.
    Bytes(u64),
    /// A body that says by itself where it ends; the connection ends after it.
    Rest,
}

/// A connection.
#[derive(Debug)]
pub(super) struct Heads<S> {
    stream: S,
    standing: Rc<Standing>,
    /// What has been received.
    received: Box<[u8]>,
    /// Where what is still to be handed on begins, and ends.
    from: usize,
    to: usize,
    next: Next,
    /// How many bytes of a body follow the head that is being handed on; nothing where that says itself.
    body: Option<u64>,
    /// When the head has to be whole.
    alarm: Pin<Box<Sleep>>,
    is_alarmed: bool,
    /// When the client has to have taken something, where it takes nothing.
    stalled: Option<Pin<Box<Sleep>>>,
    times: Times,
}

/// How long a client may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    /// For a head.
    pub(super) head: Duration,
    /// Until it takes more of what it is sent.
    pub(super) patience: Duration,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Heads<S> {
    pub(super) fn new(stream: S, standing: Rc<Standing>, times: Times) -> Self {
        Self {
            stream,
            standing,
            received: vec![0; HEAD].into(),
            from: 0,
            to: 0,
            next: Next::Head,
            body: Some(0),
            alarm: Box::pin(sleep_until(Instant::now() + times.head)),
            is_alarmed: true,
            stalled: None,
            times,
        }
    }

    /// Receives more; whether there is more to come.
    fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<io::Result<bool>> {
        if self.from == self.to {
            (self.from, self.to) = (0, 0);
        } else if self.to == self.received.len() {
            self.received.copy_within(self.from..self.to, 0);
            (self.from, self.to) = (0, self.to - self.from);
        }
        let mut room = ReadBuf::new(&mut self.received[self.to..]);
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut room))?;
        let length = room.filled().len();
        self.to += length;
        self.standing.seat.hears();
        Poll::Ready(Ok(length > 0))
    }

    fn refuse(&self, refused: Refused) -> io::Error {
        self.standing.refused.set(Some(refused));
        io::Error::from(io::ErrorKind::InvalidData)
    }

    /// Waits until a head is there as a whole; whether there is one.
    fn poll_head(&mut self, context: &mut Context<'_>) -> Poll<io::Result<bool>> {
        loop {
            // What is sent ahead waits until what came before is answered.
            let is_answering = self.standing.answering.get() > 0;
            if self.from < self.to && !is_answering {
                match head(&self.received[self.from..self.to]) {
                    Some(Ok(Head { length, body })) => {
                        (self.next, self.body) = (Next::Bytes(length as u64), body);
                        self.is_alarmed = false;
                        return Poll::Ready(Ok(true));
                    }
                    Some(Err(refused)) => return Poll::Ready(Err(self.refuse(refused))),
                    None if self.to - self.from == self.received.len() => {
                        return Poll::Ready(Err(self.refuse(Refused::TooLong)));
                    }
                    None => {}
                }
                if !self.is_alarmed {
                    self.is_alarmed = true;
                    self.alarm.as_mut().reset(Instant::now() + self.times.head);
                }
            }
            if self.is_alarmed && !is_answering && self.alarm.as_mut().poll(context).is_ready() {
                return Poll::Ready(Err(self.refuse(Refused::TooSlow)));
            }
            if is_answering {
                self.standing.waiting.replace(Some(context.waker().clone()));
                if self.to - self.from == self.received.len() {
                    return Poll::Pending;
                }
            }
            if !ready!(self.poll_receive(context))? {
                return Poll::Ready(Ok(false));
            }
        }
    }

    /// Hands on at most `most` bytes.
    fn hand_on(&mut self, most: u64, buffer: &mut ReadBuf<'_>) -> u64 {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let length = most.min(self.to - self.from).min(buffer.remaining());
        buffer.put_slice(&self.received[self.from..self.from + length]);
        self.from += length;
        length as u64
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Heads<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.next == Next::Head && !ready!(this.poll_head(context))? {
            return Poll::Ready(Ok(()));
        }
        if this.from == this.to && !ready!(this.poll_receive(context))? {
            return Poll::Ready(Ok(()));
        }
        match this.next {
            Next::Bytes(left) => {
                let left = left - this.hand_on(left, buffer);
                this.next = match (left, this.body.take()) {
                    (0, Some(0)) => Next::Head,
                    (0, Some(body)) => {
                        this.body = Some(0);
                        Next::Bytes(body)
                    }
                    (0, None) => Next::Rest,
                    (left, body) => {
                        this.body = body;
                        Next::Bytes(left)
                    }
                };
            }
            Next::Head | Next::Rest => drop(this.hand_on(u64::MAX, buffer)),
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Heads<S> {
    /// What became of sending, in time.
    fn in_time<T>(
        &mut self,
        context: &mut Context<'_>,
        sent: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if sent.is_ready() {
            self.stalled = None;
            return sent;
        }
        let patience = self.times.patience;
        let stalled =
            self.stalled.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + patience)));
        ready!(stalled.as_mut().poll(context));
        // Who takes nothing is not there.
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Heads<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let sent = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.in_time(context, sent)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let sent = Pin::new(&mut this.stream).poll_write_vectored(context, slices);
        this.in_time(context, sent)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let sent = Pin::new(&mut this.stream).poll_flush(context);
        this.in_time(context, sent)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let sent = Pin::new(&mut this.stream).poll_shutdown(context);
        this.in_time(context, sent)
    }
}

/// A head that is whole.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    /// Its bytes.
    length: usize,
    /// Those of its body; nothing where that says by itself where it ends.
    body: Option<u64>,
}

/// The head that these bytes begin with, once it is whole.
fn head(bytes: &[u8]) -> Option<Result<Head, Refused>> {
    let (mut at, mut is_begun) = (0, false);
    let (mut length, mut is_chunked) = (None, false);
    loop {
        let end = at + bytes[at..].iter().position(|byte| *byte == b'\n')?;
        let Some(line) = bytes[at..end].strip_suffix(b"\r") else {
            return Some(Err(Refused::Ambiguous));
        };
        at = end + 1;
        match line.iter().position(|byte| *byte == b':') {
            // Empty lines may come before it.
            _ if line.is_empty() && !is_begun => {}
            _ if line.is_empty() => break,
            _ if !is_begun => is_begun = true,
            Some(colon) if line[..colon].eq_ignore_ascii_case(b"content-length") => {
                let number = str::from_utf8(line[colon + 1..].trim_ascii()).ok();
                let number = number.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
                let Some(number) = number.and_then(|text| text.parse::<u64>().ok()) else {
                    return Some(Err(Refused::Ambiguous));
                };
                if length.replace(number).is_some() {
                    return Some(Err(Refused::Ambiguous));
                }
            }
            Some(colon) if line[..colon].eq_ignore_ascii_case(b"transfer-encoding") => {
                is_chunked = true;
            }
            _ => {}
        }
    }
    if is_chunked && length.is_some() {
        return Some(Err(Refused::Ambiguous));
    }
    let body = if is_chunked { None } else { Some(length.unwrap_or(0)) };
    Some(Ok(Head { length: at, body }))
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;

    use super::*;

    fn read(text: &str) -> Option<Result<Head, Refused>> {
        // It is not whole before its last byte.
        for end in 0..text.len() {
            assert!(!matches!(head(&text.as_bytes()[..end]), Some(Ok(_))), "{:?}", &text[..end]);
        }
        head(text.as_bytes())
    }

    #[test]
    fn a_head_says_how_long_its_body_is() {
        let whole = |text: &str, body| {
            assert_eq!(read(text), Some(Ok(Head { length: text.len(), body })), "{text:?}");
        };
        whole("GET / HTTP/1.1\r\nHost: a\r\n\r\n", Some(0));
        whole("\r\n\r\nGET / HTTP/1.1\r\n\r\n", Some(0));
        whole("POST / HTTP/1.1\r\ncontent-LENGTH:  17 \r\n\r\n", Some(17));
        whole("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n", None);
    }

    #[test]
    fn a_head_that_can_be_read_in_two_ways_is_refused() {
        for lines in [
            "Content-Length: 1\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\nContent-Length: 1",
            "Transfer-Encoding: x\r\nContent-Length: 1",
            "Content-Length: 1\r\nContent-Length: 1",
            "Content-Length: 1, 1",
            "Content-Length: +1",
            "Content-Length: ",
            "Content-Length: 99999999999999999999",
            "X: y\nContent-Length: 1",
        ] {
            let text = format!("POST / HTTP/1.1\r\n{lines}\r\n\r\n");
            assert_eq!(read(&text), Some(Err(Refused::Ambiguous)), "{lines:?}");
        }
        assert_eq!(read("GET / HTTP/1.1\n\n"), Some(Err(Refused::Ambiguous)));
    }

    /// What a connection with these times comes to, whose client does what `client` does.
    fn read_all<F: Future>(
        times: Times,
        client: impl FnOnce(tokio::io::DuplexStream) -> F,
    ) -> (String, io::Result<()>, Option<Refused>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let (ours, theirs) = tokio::io::duplex(HEAD);
            let standing = Rc::new(Standing::default());
            let mut heads = Heads::new(ours, Rc::clone(&standing), times);
            let mut read = Vec::new();
            let reading = tokio::io::AsyncReadExt::read_to_end(&mut heads, &mut read);
            let (done, _kept) = tokio::join!(reading, client(theirs));
            (String::from_utf8(read).unwrap(), done.map(drop), standing.refused.get())
        })
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn bytes_are_handed_on_as_they_came() {
        let text = "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\n\n\n\nGET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n";
        for piece in [1, 7, text.len()] {
            let times = Times { head: LONG, patience: LONG };
            let (read, done, refused) = read_all(times, |mut client| async move {
                for piece in text.as_bytes().chunks(piece) {
                    client.write_all(piece).await.unwrap();
                }
            });
            assert_eq!((&*read, done.is_ok(), refused), (text, true, None), "{piece}");
        }
    }

    #[test]
    fn a_head_that_takes_too_long_is_refused_and_an_idle_connection_is_not() {
        let times = Times { head: Duration::from_millis(20), patience: LONG };
        for begun in ["", "GET / HT"] {
            let (_, done, refused) = read_all(times, |mut client| async move {
                client.write_all(begun.as_bytes()).await.unwrap();
                client
            });
            assert!(done.is_err());
            assert_eq!(refused, Some(Refused::TooSlow), "{begun:?}");
        }
        let whole = "GET / HTTP/1.1\r\n\r\n";
        let (read, done, refused) = read_all(times, |mut client| async move {
            client.write_all(whole.as_bytes()).await.unwrap();
            sleep_until(Instant::now() + 3 * times.head).await;
        });
        assert_eq!((&*read, done.is_ok(), refused), (whole, true, None));
    }

    #[test]
    fn a_head_without_end_is_refused() {
        let (_, done, refused) =
            read_all(Times { head: LONG, patience: LONG }, |mut client| async move {
                let _ = client.write_all(&vec![b'x'; HEAD + 1]).await;
                client
            });
        assert!(done.is_err());
        assert_eq!(refused, Some(Refused::TooLong));
    }

    #[test]
    fn who_takes_nothing_is_given_up() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let sent = runtime.block_on(async {
            let (ours, _theirs) = tokio::io::duplex(1);
            let times = Times { head: LONG, patience: Duration::from_millis(20) };
            Heads::new(ours, Rc::default(), times).write_all(b"more than it takes").await
        });
        assert_eq!(sent.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
