//! Who is on a connection of REAM, and what that one may ask for. Knows no socket.

use std::sync::Arc;

use super::access::{Access, Holder, Secret, Tokens};
use super::answer::{Answer, Line, wrong};
use super::frames::Terms;
use super::message::Request;
use crate::store::Actor;

/// What a client is told that brings no token, or none that is known.
const NEEDED: &str = "a token is needed";

/// Who is on a connection.
#[derive(Debug, Clone)]
pub(super) struct Guest {
    who: Who,
    /// Whether it may speak another protocol, as what comes to a port may.
    is_stranger: bool,
    /// Whether it is the user of this process, as the system says.
    is_own: bool,
}

#[derive(Debug, Clone)]
enum Who {
    Known(Holder),
    /// Its first message brings a token.
    Awaited(Arc<Tokens>),
}

impl Guest {
    /// Whoever owns the store, on a socket of this machine.
    pub(super) fn owner() -> Self {
        Self { who: Who::Known(Holder::owner()), is_stranger: false, is_own: true }
    }

    /// Whoever reaches a port where no token is needed.
    pub(super) fn anyone() -> Self {
        Self { who: Who::Known(Holder::anyone()), is_stranger: false, is_own: false }
    }

    /// Someone who has to bring a token.
    pub(super) fn with_token(tokens: &Arc<Tokens>) -> Self {
        Self { who: Who::Awaited(Arc::clone(tokens)), is_stranger: false, is_own: false }
    }

    /// The same, which may do no more than that.
    pub(super) fn limited(self, most: Access) -> Self {
        let who = match self.who {
            Who::Known(holder) => Who::Known(holder.limited(most)),
            awaited @ Who::Awaited(_) => awaited,
        };
        Self { who, ..self }
    }

    /// The same where anything may connect, also what speaks another protocol.
    pub(super) fn stranger(self) -> Self {
        Self { is_stranger: true, ..self }
    }

    /// What it may send.
    pub(super) fn terms(&self, payload: u64) -> Terms {
        Terms { payload, needs_token: self.is_awaited(), strangers: self.is_stranger }
    }

    /// Whether it has still to bring a token.
    pub(super) fn is_awaited(&self) -> bool {
        matches!(self.who, Who::Awaited(_))
    }

    /// Answers a first message with a token; with that version, where it asks for one.
    pub(super) fn admit(&mut self, version: Option<u64>, token: Option<&Secret>) -> Answer {
        if let (Who::Awaited(tokens), Some(token)) = (&self.who, token)
            && let Some(holder) = tokens.find(token.as_str())
        {
            self.who = Who::Known(holder);
        }
        let Who::Known(Holder { access, .. }) = &self.who else { return Self::turned_away() };
        let mut answer = Vec::new();
        if let Some(minor) = version {
            answer.extend(Line::new(&format!("REAM 1.{minor}")).end());
        }
        if token.is_some() {
            answer.extend(Line::new("TOKEN TAKEN").words(&access.to_string()).end());
        }
        answer.into()
    }

    /// What one is told that brings no token.
    pub(super) fn turned_away() -> Answer {
        wrong(NEEDED, true)
    }

    /// Who acts on the store where it asks for that; the user of this process where that is who owns the store.
    pub(super) fn actor(&self) -> Option<Actor> {
        match &self.who {
            Who::Known(holder) if !self.is_own => Some(holder.actor()),
            _ => None,
        }
    }

    /// Whether it may ask for this.
    pub(super) fn may(&self, request: &Request) -> bool {
        match &self.who {
            Who::Known(holder) => holder.access >= needed(request),
            Who::Awaited(_) => false,
        }
    }
}

/// What a request needs.
fn needed(request: &Request) -> Access {
    match request {
        Request::Version { .. }
        | Request::Token(_)
        | Request::Ping
        | Request::Pong
        | Request::Subscribe { .. }
        | Request::Unsubscribe { .. }
        | Request::ListStreams
        | Request::GetState { .. }
        | Request::ListKinds
        | Request::Select { .. } => Access::Read,
        Request::Publish(_) | Request::SetState { .. } => Access::Append,
        Request::RemoveStream { .. }
        | Request::RemoveState { .. }
        | Request::Create { .. }
        | Request::Drop { .. }
        | Request::Set { .. }
        | Request::Update { .. }
        | Request::Delete { .. } => Access::Admin,
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use super::super::message::read;
    use super::*;
    use crate::store::Options;

    fn asked(line: &str) -> Request {
        read(line.as_bytes(), 0).unwrap().request
    }

    fn told(answer: Answer) -> (String, bool) {
        (String::from_utf8(answer.bytes).unwrap(), answer.closes)
    }

    #[test]
    fn each_may_do_what_its_token_says() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("tokens");
        fs::write(&path, "a read r\nb append a\nc admin o\n").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        let tokens = Arc::new(Tokens::of_file(&path, &Options::default()).unwrap());
        let requests = [
            ("EVENT LIST", 0),
            ("EVENT SUBSCRIBE s 1", 0),
            ("EVENT UNSUBSCRIBE s", 0),
            ("AGGREGATE GET k 1", 0),
            ("AGGREGATE LIST", 0),
            ("PROJECTION SELECT\tp 0", 0),
            ("PING", 0),
            ("EVENT PUBLISH s 1", 1),
            ("AGGREGATE SET k 1 1", 1),
            ("EVENT REMOVE s", 2),
            ("AGGREGATE REMOVE k 1", 2),
            ("PROJECTION CREATE p 1 a", 2),
            ("PROJECTION DROP p", 2),
            ("PROJECTION SET p 1", 2),
            ("PROJECTION UPDATE p 1 1", 2),
            ("PROJECTION DELETE p 1", 2),
        ];
        for (level, token) in ["r", "a", "o"].into_iter().enumerate() {
            let mut guest = Guest::with_token(&tokens);
            assert!(guest.terms(7).needs_token && !guest.terms(7).strangers);
            assert!(!guest.may(&asked("EVENT LIST")));
            let taken = told(guest.admit(None, Some(&Secret::new(token.into()))));
            let word = ["read", "append", "admin"][level];
            assert_eq!(taken, (format!("TOKEN TAKEN {word}\n"), false));
            for (line, needed) in requests {
                assert_eq!(guest.may(&asked(line)), level >= needed, "{word}: {line}");
            }
        }
        let mut guest = Guest::with_token(&tokens).stranger();
        assert!(guest.terms(7).strangers);
        for token in [None, Some(Secret::new("x".into()))] {
            let refused = told(guest.admit(Some(1), token.as_ref()));
            assert_eq!(refused, ("ERROR \"a token is needed\"\n".into(), true));
            assert!(guest.is_awaited());
        }
        let taken = told(guest.admit(Some(1), Some(&Secret::new("r".into()))));
        assert_eq!(taken.0, "REAM 1.1\nTOKEN TAKEN read\n");
    }

    #[test]
    fn who_is_known_needs_none_and_may_bring_any() {
        let mut guest = Guest::owner();
        assert!(!guest.terms(7).needs_token);
        assert_eq!(told(guest.admit(Some(1), None)).0, "REAM 1.1\n");
        let any = Secret::new("any".into());
        assert_eq!(told(guest.admit(None, Some(&any))).0, "TOKEN TAKEN admin\n");
        assert!(guest.may(&asked("PROJECTION DROP p")));
    }

    #[test]
    fn a_token_is_not_shown() {
        let shown =
            format!("{:?}{:?}", asked("TOKEN \"hidden\""), asked("REAM 1.1 TOKEN \"hidden\""));
        assert!(shown.contains("Token") && !shown.contains("hidden"), "{shown}");
    }
}
