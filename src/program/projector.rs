//! Programs that make projections.

use std::time::Instant;

use super::Program;
use super::changes::change;
use super::runner::{Effects, FollowError, Following, Notice, Runner};
use super::told::Acked;
use crate::event::{Link, Position};
use crate::store::{Change, Error, Projection, Query, Stopped, Store};
use crate::wait;
use crate::wire::Reply;

/// Has a program make a projection of the events that its patterns match, from its checkpoint on.
///
/// What the program answers is committed with its acks, in one transaction with the checkpoint; what is
/// not acked is told again. `notice` is called where something should be known.
///
/// # Errors
///
/// [`FollowError`].
pub fn project(
    store: &mut Store,
    projection: &mut Projection,
    program: Program,
    following: Following,
    notice: &mut dyn FnMut(Notice<'_>),
) -> Result<(), FollowError> {
    let checkpoint = projection.checkpoint()?;
    store.tidy_older(projection.entry())?;
    store.check_checkpoint(projection.entry().name.as_str(), &checkpoint)?;
    let query = Query::of(projection.entry().definition.from.clone());
    let effects = Rows {
        store,
        projection,
        checkpoint: checkpoint.position,
        changes: Vec::new(),
        lines: Vec::new(),
        done: None,
        looked: Instant::now(),
    };
    Runner { program, query, following, effects, notice }.run()
}

/// Changes of a projection's rows.
struct Rows<'r> {
    store: &'r mut Store,
    projection: &'r mut Projection,
    checkpoint: Position,
    changes: Vec<Change>,
    /// The line of each change.
    lines: Vec<u64>,
    /// How many of the changes are done, with which event, and what stands there, where that is known.
    done: Option<(usize, Position, Option<Link>)>,
    /// When it was last looked whether another generation serves.
    looked: Instant,
}

impl Effects for Rows<'_> {
    fn store(&self) -> &Store {
        self.store
    }

    fn checkpoint(&self) -> Position {
        self.checkpoint
    }

    fn take(&mut self, reply: Reply<'_>, line: u64) -> Result<(), String> {
        self.changes.push(change(reply, self.projection.schema())?);
        self.lines.push(line);
        Ok(())
    }

    fn done(&mut self, acked: Acked) -> Result<(), Error> {
        let (position, link) = acked.place();
        self.done = Some((self.changes.len(), position, link));
        Ok(())
    }

    fn commit(&mut self) -> Result<Result<(), (u64, Error)>, Error> {
        let Some((changes, position, link)) = self.done.take() else { return Ok(Ok(())) };
        let to = self.store.checkpoint_told_of(self.projection, position, link)?;
        let stopped = self.projection.commit(&self.changes[..changes], self.checkpoint, &to)?;
        if let Some(Stopped { index, error }) = stopped {
            return Ok(Err((self.lines[index], error)));
        }
        self.checkpoint = position;
        self.changes.drain(..changes);
        self.lines.drain(..changes);
        Ok(Ok(()))
    }

    fn pass_over(&mut self, position: Position) -> Result<(), Error> {
        let to = self.store.checkpoint_of(self.projection, position)?;
        self.projection.commit(&[], self.checkpoint, &to)?;
        self.checkpoint = position;
        Ok(())
    }

    fn forget(&mut self) {
        self.changes.clear();
        self.lines.clear();
        self.done = None;
    }

    fn look(&mut self) -> Result<(), Error> {
        if self.looked.elapsed() < wait::FOLLOWED {
            return Ok(());
        }
        self.looked = Instant::now();
        self.projection.check_serves()
    }

    fn rest(&mut self) -> Result<(), Error> {
        self.projection.tidy()
    }

    fn record(&mut self, failure: Option<&str>) -> Result<(), Error> {
        self.store.record_failure(self.projection.entry().name.as_str(), failure)
    }
}
