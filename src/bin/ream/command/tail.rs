//! `ream tail`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use clap::Args;
use ream::{Follower, Timestamp, Waker, platform};

use super::read::Choice;
use crate::args::Global;
use crate::environment::Environment;
use crate::output::{Output, warn};

/// Read the events that are there, then follow
///
/// Goes on as events are stored, in order, without a gap or a repeat, until it is interrupted,
/// nobody reads its output any more, or --until or --limit is met.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ream tail                          all events, then what comes
  ream tail --new 'order-*'          only what comes
  ream tail -n 10                    the last ten, then what comes
  ream tail --after 1842 | ./projector.py")]
pub(crate) struct TailArgs {
    #[command(flatten)]
    choice: Choice,
    /// Only what is stored from now on
    #[arg(long = "new", conflicts_with_all = ["after", "from", "last", "since"])]
    only_new: bool,
}

impl TailArgs {
    pub(crate) fn run(&self, global: &Global, environment: &Environment) -> anyhow::Result<()> {
        let store = global.open(environment, &global.options(environment))?;
        let mut query = self.choice.query();
        query.new = self.only_new;
        let mut follower =
            Follower::new(&store, &query).map_err(|error| self.choice.as_asked(error))?;
        if let Some(warning) = follower.warning() {
            warn(global, warning);
        }
        let closed = watch_output(follower.waker());
        if let Some(until) = query.until_time {
            wake_at(until, follower.waker());
        }
        let mut output = Output::new(global);
        let mut buffer = Vec::new();
        loop {
            // Looked at first: what is stored before the time is read after it.
            let late = query.until_time.is_some_and(|until| Timestamp::now() > until);
            let batch = follower.next_batch(|event| output.event(&mut buffer, event))?;
            if !buffer.is_empty() {
                output.write(&buffer)?;
                buffer.clear();
            }
            if batch.finished || late && batch.caught_up {
                break;
            }
            if batch.caught_up {
                follower.wait()?;
            }
            if closed.load(Ordering::Relaxed) {
                return Ok(());
            }
        }
        output.write(output.end())
    }
}

/// A flag that is set when nobody reads our output any more, also while nothing is written.
fn watch_output(waker: Waker) -> Arc<AtomicBool> {
    let closed = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&closed);
    thread::spawn(move || {
        if platform::wait_until_closed(&std::io::stdout()) {
            flag.store(true, Ordering::Relaxed);
            waker.wake();
        }
    });
    closed
}

/// Wakes the follower when the clock has passed `time`.
fn wake_at(time: Timestamp, waker: Waker) {
    let left = time.as_micros().saturating_sub(Timestamp::now().as_micros());
    let Ok(left) = u64::try_from(left) else { return };
    thread::spawn(move || {
        thread::sleep(Duration::from_micros(left) + Duration::from_millis(1));
        waker.wake();
    });
}
