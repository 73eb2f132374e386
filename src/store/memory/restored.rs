//! A store as a restore would make it: its log ends where it is told to.

use std::sync::Arc;

use super::log::{Log, StreamRow};
use crate::event::{Position, StreamName};
use crate::store::restore::{Dropped, RestoreUntil};
use crate::store::{Checkpoint, Error};

impl Log {
    /// Where the log is to end, and what stands there.
    pub(super) fn end(&self, until: Option<RestoreUntil>) -> Result<Checkpoint, Error> {
        let head = self.head().position;
        let position = match until {
            None => head,
            Some(RestoreUntil::Position(position)) => position,
            Some(RestoreUntil::Time(time)) => {
                Position(self.events.partition_point(|row| row.recorded <= time) as u64)
            }
        };
        let link = match position {
            Position(0) => Some(self.genesis),
            Position(position) => self.event(position).map(|row| row.link),
        };
        let link = link.ok_or(Error::BeyondHead { position, head })?;
        Ok(Checkpoint { position, link })
    }

    /// Has the log end at `end`; what that cost.
    pub(super) fn end_at(&mut self, end: &Checkpoint) -> Dropped {
        let Position(last) = end.position;
        let events = self.head().position.0 - last;
        self.events.retain(|row| row.position.0 <= last);
        self.ids.retain(|_, position| *position <= last);
        self.streams.retain(|_, row| {
            let row = Arc::make_mut(row);
            row.positions.retain(|position| *position <= last);
            row.removed = row.removed.min(row.version());
            row.version() > 0
        });
        let is_behind = |position: Position| position.0 > last;
        let behind = self.states.iter().filter(|(_, state)| is_behind(state.position));
        let states: Vec<_> = behind.map(|(stream, _)| StreamName::stored(stream)).collect();
        self.states.retain(|_, state| !is_behind(state.position));
        let (streams, before) = (&self.streams, self.decisions.len());
        self.decisions.retain(|_, decision| {
            let holds = decision.stream.as_ref().is_none_or(|(stream, version)| {
                version.0 <= streams.get(stream).map_or(0, |row| StreamRow::version(row))
            });
            !decision.positions.iter().copied().any(is_behind) && holds
        });
        let decisions = (before - self.decisions.len()) as u64;
        let mut subscriptions = Vec::new();
        for name in self.names.values_mut() {
            if let Some(checkpoint) = &mut name.checkpoint
                && is_behind(checkpoint.position)
            {
                *checkpoint = *end;
                subscriptions.push(name.text.clone());
            }
        }
        Dropped { events, states, decisions, subscriptions }
    }
}
