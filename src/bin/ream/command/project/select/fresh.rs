//! Read your own write: waiting until a projection has come as far as is asked for.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ream::program::Following;
use ream::{Error, Position, Projection, Store, platform};

use crate::args::Global;
use crate::command::following;
use crate::command::project::run;
use crate::refused::Refused;
use crate::signals::Signals;

/// How long is waited for a projection, where nothing else is said, and for a program that makes it.
const WAIT: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(30));
/// How often is looked whether who runs it still does.
const LOOK: Duration = Duration::from_millis(100);

/// A projection that has to come so far.
pub(super) struct CatchUp<'c> {
    pub(super) store: &'c mut Store,
    pub(super) projection: &'c mut Projection,
    pub(super) signals: &'c Signals,
}

impl CatchUp<'_> {
    /// Waits until the projection has reached a position.
    pub(super) fn wait_for(
        &mut self,
        position: Position,
        wait: Option<Duration>,
    ) -> anyhow::Result<()> {
        let wait = wait.unwrap_or(WAIT.0);
        if self.store.wait_until_reached(self.projection, position, wait)? {
            return Ok(());
        }
        Err(self.not_reached(position)?.into())
    }

    /// Has the projection reach what is stored by now: by its program, or by who runs it already.
    pub(super) fn freshen(
        &mut self,
        wait: Option<Duration>,
        global: &Global,
    ) -> anyhow::Result<()> {
        let head = self.store.head()?;
        let (begun, wait) = (Instant::now(), wait.unwrap_or(WAIT.1));
        let name = self.projection.entry().name.to_string();
        loop {
            // Where another generation serves, it is this one that has to reach it.
            if self.store.wait_until_reached(self.projection, head, Duration::ZERO)? {
                return Ok(());
            }
            let left = wait.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return Err(self.not_reached(head)?.into());
            }
            match self.store.take_run(&name, Duration::ZERO) {
                Ok(_lock) => match self.make(head, left, global) {
                    Err(error) if following::is_ended(&error) => {}
                    made => return made,
                },
                Err(Error::Running { .. }) => {
                    let left = left.min(LOOK);
                    self.store.wait_until_reached(self.projection, head, left)?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Has the projection's program make it up to what is stored by now, at most for `left`.
    fn make(&mut self, head: Position, left: Duration, global: &Global) -> anyhow::Result<()> {
        let entry = self.projection.entry();
        run::check_remembers(entry)?;
        let program = run::program(self.store, entry, self.signals)?;
        let stop = Stop::after(left, self.signals.flag())?;
        let program = program.interrupted_by(Arc::clone(&stop.flag));
        let mut following = Following::default();
        following.until_caught_up = true;
        following::as_remembered(&mut following, &entry.definition);
        match run::follow(self.store, self.projection, program, following, global) {
            Err(_) if stop.was_late() => Err(self.not_reached(head)?.into()),
            done => done,
        }
    }

    fn not_reached(&self, position: Position) -> anyhow::Result<Refused> {
        let checkpoint = self.projection.checkpoint()?.position;
        let name = self.projection.entry().name.to_string();
        Ok(Refused::NotReached { name, position, checkpoint })
    }
}

/// A flag that is set when a signal comes, or when it gets late.
struct Stop {
    flag: Arc<AtomicBool>,
    late: Arc<AtomicBool>,
    done: Arc<AtomicBool>,
}

impl Stop {
    fn after(left: Duration, signal: Arc<AtomicBool>) -> io::Result<Self> {
        let stop = Self { flag: Arc::default(), late: Arc::default(), done: Arc::default() };
        let (flag, late, done) =
            (Arc::clone(&stop.flag), Arc::clone(&stop.late), Arc::clone(&stop.done));
        let begun = Instant::now();
        platform::spawn(move || {
            while !done.load(Ordering::Relaxed) && !signal.load(Ordering::Relaxed) {
                let left = left.saturating_sub(begun.elapsed());
                if left.is_zero() {
                    late.store(true, Ordering::Relaxed);
                    break;
                }
                thread::sleep(left.min(LOOK / 2));
            }
            flag.store(true, Ordering::Relaxed);
        })?;
        Ok(stop)
    }

    fn was_late(&self) -> bool {
        self.late.load(Ordering::Relaxed)
    }
}

impl Drop for Stop {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
    }
}
