//! Tokens that were sent, or stand in files: they are in nothing that a server says.

use std::collections::BTreeSet;
use std::io;
use std::ops::{Deref, DerefMut};
use std::process::{Child, Output};
use std::sync::{Mutex, PoisonError};

/// Those of all tests of this process.
static TOKENS: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
/// How long a token is at least that is looked for, in bytes: a shorter one stands in an answer by chance.
const SHORTEST: usize = 6;
/// How much of what came before is kept, in bytes: a token may come in two pieces.
const KEPT: usize = 64;

/// That a token is one.
pub(crate) fn keep(token: &str) {
    if token.len() >= SHORTEST {
        TOKENS.lock().unwrap_or_else(PoisonError::into_inner).insert(token.to_owned());
    }
}

/// Keeps the tokens in what a client sends.
pub(crate) fn keep_sent(bytes: &[u8]) {
    let sent = String::from_utf8_lossy(bytes);
    for (before, ends) in [("Bearer ", "\r\n"), ("access_token=", " &"), ("TOKEN \"", "\"")] {
        for behind in sent.split(before).skip(1) {
            keep(behind.split(|end| ends.contains(end)).next().unwrap_or_default());
        }
    }
}

/// That no token is in what a server says.
#[track_caller]
fn check(said: &[u8]) {
    let said = String::from_utf8_lossy(said);
    let tokens = TOKENS.lock().unwrap_or_else(PoisonError::into_inner);
    for token in tokens.iter() {
        assert!(!said.contains(token), "a token, {token}, is in what the server says: {said}");
    }
}

/// What is heard of a server, piece by piece.
#[derive(Default)]
pub(crate) struct Heard(Vec<u8>);

impl Heard {
    /// Takes a piece, in which no token is.
    #[track_caller]
    pub(crate) fn take(&mut self, piece: &[u8]) {
        self.0.extend_from_slice(piece);
        check(&self.0);
        self.0.drain(..self.0.len().saturating_sub(KEPT));
    }
}

/// A server that is a process of its own.
pub(crate) struct Running(Child);

impl Running {
    pub(crate) fn new(server: Child) -> Self {
        Self(server)
    }

    /// Waits for its end; what it said.
    #[track_caller]
    pub(crate) fn wait_with_output(self) -> io::Result<Output> {
        let output = self.0.wait_with_output()?;
        check(&output.stdout);
        check(&output.stderr);
        Ok(output)
    }
}

impl Deref for Running {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.0
    }
}

impl DerefMut for Running {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.0
    }
}

#[test]
fn a_token_is_found_however_it_comes() {
    keep_sent(b"GET /x?a=b&access_token=in-the-address HTTP/1.1\r\nAuthorization: Bearer in-the-head\r\n\r\n");
    keep_sent(b"REAM 1.1 TOKEN \"in-the-line\"\nTOKEN \"r\"\n");
    for token in ["in-the-address", "in-the-head", "in-the-line"] {
        for end in 1..token.len() {
            let found = std::panic::catch_unwind(|| {
                let mut heard = Heard::default();
                heard.take(&[b"a ", &token.as_bytes()[..end]].concat());
                heard.take(&[&token.as_bytes()[end..], b" b"].concat());
            });
            assert!(found.is_err(), "{token}, {end}");
        }
    }
    Heard::default().take(b"r and in-the-li ne");
}
