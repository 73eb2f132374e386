//! `ream tail`.

mod subscribed;

use std::ffi::OsString;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use clap::Args;
use ream::program::{Listener, Program};
use ream::{Batch, Follower, SubscriptionName, Timestamp, Waker, platform, wire};

use super::following::FollowingArgs;
use super::read::Choice;
use crate::args::Global;
use crate::environment::Environment;
use crate::output::Output;
use crate::signals::Signals;
use crate::units;

/// Read the events that are there, then follow
///
/// Goes on as events are stored, in order, without a gap or a repeat, until it is interrupted,
/// nobody reads its output any more, or --until or --limit is met. With a program, the events go to
/// its standard input instead, and its end is the end. With --as NAME too, the store keeps how far it
/// has come: the program answers with events to append and with acks, which are stored together.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ream tail                          all events, then what comes
  ream tail --new 'order-*'          only what comes
  ream tail -n 10                    the last ten, then what comes
  ream tail --after 1842 | ./projector.py
  ream tail --new 'order-*' -- ./mail.py
  ream tail 'user-*' --as welcome -- ./welcome.py    answer each event once, whatever fails")]
pub(crate) struct TailArgs {
    #[command(flatten)]
    choice: Choice,
    /// Only what is stored from now on; with --as, where a new subscription begins
    #[arg(long = "new", conflicts_with_all = ["after", "from", "last", "since"])]
    only_new: bool,
    /// With a program: give it TIME to end when ream is interrupted [default: 5s]
    #[arg(long, value_name = "TIME", value_parser = units::duration, requires = "program")]
    grace: Option<Duration>,
    /// Follow as the subscription NAME, from where it is, with the patterns that it remembers
    #[arg(long = "as", value_name = "NAME", requires = "program")]
    name: Option<SubscriptionName>,
    /// With --as: let the program answer with events that it follows itself
    #[arg(long, requires = "name")]
    allow_loop: bool,
    #[command(flatten)]
    following: FollowingArgs,
    /// The program that reads the events, and its arguments
    #[arg(value_name = "PROGRAM", last = true)]
    program: Vec<OsString>,
}

/// How long a program has to end when nothing else is said.
const GRACE: Duration = Duration::from_secs(5);

impl TailArgs {
    pub(crate) fn run(&self, global: &Global, environment: &Environment) -> anyhow::Result<()> {
        if let Some(name) = &self.name {
            return self.run_as(name, global, environment);
        }
        self.following.check_unused()?;
        let store = global.open(environment, &global.options(environment))?;
        let mut query = self.choice.query()?;
        query.new = self.only_new;
        let follower =
            Follower::new(&store, &query).map_err(|error| self.choice.as_asked(error))?;
        if let Some(until) = query.until_time {
            wake_at(until, follower.waker())?;
        }
        match self.program.split_first() {
            Some((file, args)) => {
                let program = Program::new(file, args.iter().cloned()).on_store(&store);
                self.tell(follower, query.until_time, program)
            }
            None => show(follower, query.until_time, global, store.id()),
        }
    }

    /// Has a program read the events.
    fn tell(
        &self,
        mut follower: Follower,
        until: Option<Timestamp>,
        program: Program,
    ) -> anyhow::Result<()> {
        let signals = Signals::take_over()?;
        let program = program.interrupted_by(signals.flag()).passing_on(signals.number());
        let waker = follower.waker();
        signals.on_signal(move || waker.wake())?;
        signals.hold(|| {
            let mut listener = Listener::start(&program, self.grace.unwrap_or(GRACE))?;
            let waker = follower.waker();
            listener.on_end(move || waker.wake())?;
            let mut lines = Vec::new();
            follow(&mut follower, until, |follower| {
                let batch = follower.next_batch(|event| wire::write_event(&mut lines, event))?;
                let listens = listener.tell(&lines)?;
                lines.clear();
                Ok((batch, listens))
            })?;
            anyhow::Ok(listener.finish()?)
        })
    }
}

/// Writes the events to standard output.
fn show(
    mut follower: Follower,
    until: Option<Timestamp>,
    global: &Global,
    store: &str,
) -> anyhow::Result<()> {
    let closed = watch_output(follower.waker())?;
    let mut output = Output::new(global);
    let mut buffer = Vec::new();
    follow(&mut follower, until, |follower| {
        let batch = follower.next_batch(|event| output.event(&mut buffer, event, store))?;
        if !buffer.is_empty() {
            output.write(&buffer)?;
            buffer.clear();
        }
        Ok((batch, !closed.load(Ordering::Relaxed)))
    })?;
    if closed.load(Ordering::Relaxed) { Ok(()) } else { output.write(output.end()) }
}

/// Has `next` pass on a batch, again and again, as events come, until there are no more or no one
/// reads them, which it tells.
fn follow(
    follower: &mut Follower,
    until: Option<Timestamp>,
    mut next: impl FnMut(&mut Follower) -> anyhow::Result<(Batch, bool)>,
) -> anyhow::Result<()> {
    loop {
        // Looked at first: what is stored before the time is read after it.
        let late = until.is_some_and(|until| Timestamp::now() > until);
        let (batch, goes_on) = next(follower)?;
        if !goes_on || batch.finished || late && batch.caught_up {
            return Ok(());
        }
        if batch.caught_up {
            follower.wait()?;
        }
    }
}

/// A flag that is set when nobody reads our output any more, also while nothing is written.
fn watch_output(waker: Waker) -> io::Result<Arc<AtomicBool>> {
    let closed = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&closed);
    platform::spawn(move || {
        if platform::wait_until_closed(&io::stdout()) {
            flag.store(true, Ordering::Relaxed);
            waker.wake();
        }
    })?;
    Ok(closed)
}

/// Wakes the follower when the clock has passed `time`.
fn wake_at(time: Timestamp, waker: Waker) -> io::Result<()> {
    let left = time.as_micros().saturating_sub(Timestamp::now().as_micros());
    let Ok(left) = u64::try_from(left) else { return Ok(()) };
    platform::spawn(move || {
        thread::sleep(Duration::from_micros(left) + Duration::from_millis(1));
        waker.wake();
    })?;
    Ok(())
}
