//! What an aggregator answers to a command, reply by reply.

use crate::store::{Aggregate, Boundary, BoundaryDecision, Decision};
use crate::wire::{Defaults, EventLine, Reply, Role, parse_reply};

/// What takes an answer, reply by reply.
pub(super) trait Answering {
    /// What an accepted answer is.
    type Decision;

    /// Takes the next reply; what is wrong with it, where it is no part of an answer.
    fn take(&mut self, line: &[u8]) -> Result<Said, String>;

    /// What was decided.
    fn decision(self) -> Self::Decision;

    /// Whether anything was decided.
    fn is_empty(&self) -> bool;
}

/// An answer that is being given, about a stream.
pub(super) struct Answer {
    decision: Decision,
    defaults: Defaults,
}

/// How far an answer has come.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// More may come.
    More,
    /// The command is accepted: the answer has ended.
    Accepted,
    /// The command is rejected: the answer has ended.
    Rejected(String),
}

impl Answer {
    /// The answer of who was told of `aggregate`.
    pub(super) fn new(aggregate: &Aggregate) -> Self {
        let stream = Some(aggregate.stream.clone());
        let defaults = Defaults { stream, ..Defaults::default() };
        Self { decision: aggregate.accept(), defaults }
    }

    /// An ack names the version that was told, or the one that the events lead to.
    fn acknowledged(&self, version: u64) -> Result<Said, String> {
        let told = self.decision.version.0;
        let after = told + self.decision.events.len() as u64;
        if version == told || version == after {
            return Ok(Said::Accepted);
        }
        Err(format!("acknowledges version {version}, but was told of {told}"))
    }
}

impl Answering for Answer {
    type Decision = Decision;

    fn take(&mut self, line: &[u8]) -> Result<Said, String> {
        match parse_reply(line, &self.defaults).map_err(|error| error.to_string())? {
            Reply::Append(EventLine { expects: true, .. }) => {
                Err("`expect` has no place here: a decision is stored if the stream is still as it was \
                     told"
                    .into())
            }
            Reply::Append(EventLine { event, .. }) if event.state.is_some() => {
                Err("the state is a reply of its own: {\"state\":STATE}".into())
            }
            Reply::Append(EventLine { event, .. }) => {
                self.decision.events.push(event);
                Ok(Said::More)
            }
            Reply::State(_) if self.decision.state.is_some() => {
                Err("a second state in one answer".into())
            }
            Reply::State(state) => {
                self.decision.state = Some(state);
                Ok(Said::More)
            }
            Reply::Reject(reason) => Ok(Said::Rejected(reason)),
            Reply::Ack(version) => self.acknowledged(version),
            reply => Err(reply.misplaced(Role::Aggregator)),
        }
    }

    fn decision(self) -> Decision {
        self.decision
    }

    fn is_empty(&self) -> bool {
        self.decision.is_empty()
    }
}

/// An answer that is being given, about a boundary.
pub(super) struct AnswerOn {
    decision: BoundaryDecision,
    head: u64,
}

impl AnswerOn {
    /// The answer of who was told of `boundary`.
    pub(super) fn new(boundary: &Boundary) -> Self {
        Self { decision: boundary.accept(), head: boundary.head.position.0 }
    }
}

impl Answering for AnswerOn {
    type Decision = BoundaryDecision;

    fn take(&mut self, line: &[u8]) -> Result<Said, String> {
        match parse_reply(line, &Defaults::default()).map_err(|error| error.to_string())? {
            Reply::Append(EventLine { expects: true, .. }) => {
                Err("`expect` has no place here: a decision is stored if nothing has come to what it was told of"
                    .into())
            }
            Reply::Append(EventLine { event, .. }) => {
                self.decision.events.push(event);
                Ok(Said::More)
            }
            Reply::State(_) => {
                Err("a state has no place here without an event: {\"append\":{…,\"state\":STATE}}".into())
            }
            Reply::Reject(reason) => Ok(Said::Rejected(reason)),
            Reply::Ack(head) if head == self.head => Ok(Said::Accepted),
            Reply::Ack(head) => {
                Err(format!("acknowledges position {head}, but was told of {}", self.head))
            }
            reply => Err(reply.misplaced(Role::Aggregator)),
        }
    }

    fn decision(self) -> BoundaryDecision {
        self.decision
    }

    fn is_empty(&self) -> bool {
        self.decision.events.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Position, StreamName, Version};

    /// An answer about a stream at version 3, and what it says to each line.
    fn answer(lines: &[&str]) -> Result<(Vec<Said>, Decision), String> {
        let aggregate = Aggregate::empty(StreamName::stored("account-1"), Version(3));
        let mut answer = Answer::new(&aggregate);
        let said = lines.iter().map(|line| answer.take(line.as_bytes()));
        Ok((said.collect::<Result<_, _>>()?, answer.decision()))
    }

    #[test]
    fn an_answer_ends_with_an_ack_or_a_rejection() {
        let event = r#"{"append":{"type":"T"}}"#;
        let (said, decision) = answer(&[event, event, r#"{"state":1}"#, r#"{"ack":3}"#]).unwrap();
        assert_eq!(said, [Said::More, Said::More, Said::More, Said::Accepted]);
        assert_eq!((decision.events.len(), decision.version), (2, Version(3)));
        assert!(decision.state.is_some());
        assert_eq!(answer(&[event, r#"{"ack":4}"#]).unwrap().0[1], Said::Accepted);
        let (said, _) = answer(&[event, r#"{"reject":"no"}"#]).unwrap();
        assert_eq!(said[1], Said::Rejected("no".into()));
    }

    #[test]
    fn what_has_no_place_in_an_answer_is_refused() {
        let event = r#"{"append":{"type":"T"}}"#;
        for (lines, error) in [
            (&[r#"{"append":{"type":"T","expect":3}}"#][..], "`expect` has no place here"),
            (&[r#"{"append":{"type":"T","expect":"any"}}"#], "`expect` has no place here"),
            (&[r#"{"append":{"type":"T","state":3}}"#], "the state is a reply of its own"),
            (&[r#"{"state":1}"#, r#"{"state":2}"#], "a second state in one answer"),
            (&[event, r#"{"ack":5}"#], "acknowledges version 5, but was told of 3"),
            (&[r#"{"ack":4}"#], "acknowledges version 4, but was told of 3"),
            (&[r#"{"append":{"type":"T","stream":"b"}}"#], "the line is for the stream `b`"),
        ] {
            let found = answer(lines).map(|_| ()).unwrap_err();
            assert!(found.contains(error), "{lines:?}: {found}");
        }
    }

    #[test]
    fn an_answer_about_a_boundary_names_streams_and_its_head() {
        let boundary = Boundary {
            criteria: crate::wire::parse_query("tag=x").unwrap(),
            head: Position(7).into(),
            events: Vec::new(),
        };
        let answer = |lines: &[&str]| {
            let mut answer = AnswerOn::new(&boundary);
            let said = lines.iter().map(|line| answer.take(line.as_bytes()));
            let said = said.collect::<Result<Vec<_>, _>>()?;
            Ok::<_, String>((said, answer.decision().events.len()))
        };
        let event = r#"{"append":{"stream":"a","type":"T","tags":["x"],"id":"i","state":1}}"#;
        let other = r#"{"append":{"stream":"b","type":"T"}}"#;
        let (said, events) = answer(&[event, other, r#"{"ack":7}"#]).unwrap();
        assert_eq!((said, events), (vec![Said::More, Said::More, Said::Accepted], 2));
        for (lines, error) in [
            (&[r#"{"append":{"type":"T"}}"#][..], "no `stream`"),
            (&[r#"{"append":{"stream":"a","type":"T","expect":3}}"#], "`expect` has no place here"),
            (
                &[r#"{"append":{"stream":"a","type":"T","expect":{"versions":{"a":1}}}}"#],
                "`expect`",
            ),
            (&[r#"{"state":1}"#], "a state has no place here without an event"),
            (&[event, r#"{"ack":8}"#], "acknowledges position 8, but was told of 7"),
            (&[r#"{"set":{}}"#], "is no reply of an aggregator"),
        ] {
            let found = answer(lines).unwrap_err();
            assert!(found.contains(error), "{lines:?}: {found}");
        }
    }
}
