//! Signals that end the program: a write finishes its transaction first, and a program that was
//! started is ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use ream::platform::{self, IgnoredSignals};
use ream::program::ProgramError;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::refused::Refused;

/// The signals that end the program, and their numbers.
#[cfg(unix)]
const ENDING: [(i32, usize); 4] = {
    use signal_hook::consts::{SIGHUP, SIGQUIT};
    [(SIGINT, 2), (SIGTERM, 15), (SIGHUP, 1), (SIGQUIT, 3)]
};
#[cfg(not(unix))]
const ENDING: [(i32, usize); 2] = [(SIGINT, 2), (SIGTERM, 15)];

/// What a terminal that is closed sends, and who would have a server read its files anew.
#[cfg(all(feature = "serve", unix))]
const HANGUP: i32 = signal_hook::consts::SIGHUP;

/// What signals have come, and whether one may end the program on the spot.
#[derive(Debug, Clone)]
pub(crate) struct Signals {
    idle: Arc<AtomicBool>,
    came: Arc<AtomicBool>,
    number: Arc<AtomicUsize>,
    /// Those that are heard.
    heard: Vec<i32>,
}

impl Signals {
    /// Takes over what ends the program. Outside [`Signals::hold`] they end the program as ever. What
    /// was ignored when the program began stays ignored.
    pub(crate) fn take_over() -> std::io::Result<Self> {
        Self::take(&ENDING)
    }

    /// The same for a program that a hang-up does not end: it is told of it by [`Signals::on_hangup`].
    #[cfg(all(feature = "serve", unix))]
    pub(crate) fn take_over_but_hangup() -> std::io::Result<Self> {
        let ending: Vec<_> = ENDING.into_iter().filter(|(signal, _)| *signal != HANGUP).collect();
        Self::take(&ending)
    }

    fn take(ending: &[(i32, usize)]) -> std::io::Result<Self> {
        let ignored = IgnoredSignals::of_this_process();
        let ending = ending.iter().filter(|(signal, _)| !ignored.contains(*signal));
        let signals = Self {
            idle: Arc::new(AtomicBool::new(true)),
            came: Arc::default(),
            number: Arc::default(),
            heard: ending.clone().map(|(signal, _)| *signal).collect(),
        };
        for &(signal, number) in ending {
            flag::register_conditional_default(signal, Arc::clone(&signals.idle))?;
            flag::register(signal, Arc::clone(&signals.came))?;
            flag::register_usize(signal, Arc::clone(&signals.number), number)?;
        }
        // A file that grows past the limit shall fail with an error, not end the program. A handler
        // that does nothing, unlike a signal that is ignored, is not inherited by children.
        #[cfg(unix)]
        flag::register(signal_hook::consts::SIGXFSZ, Arc::default())?;
        Ok(signals)
    }

    /// A flag that is set when a signal has come.
    pub(crate) fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.came)
    }

    /// The number of the signal that has come; 0 before one has.
    pub(crate) fn number(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.number)
    }

    /// Calls `wake` from another thread when a signal comes, behind the flag.
    #[cfg(unix)]
    pub(crate) fn on_signal(&self, wake: impl Fn() + Send + 'static) -> std::io::Result<()> {
        let came = self.flag();
        let mut signals = signal_hook::iterator::Signals::new(&self.heard)?;
        platform::spawn(move || {
            for _ in signals.forever() {
                // It may be told here before it is told there.
                came.store(true, Ordering::SeqCst);
                wake();
            }
        })?;
        Ok(())
    }

    /// Calls `wake` from another thread when a signal has come.
    #[cfg(not(unix))]
    pub(crate) fn on_signal(&self, wake: impl Fn() + Send + 'static) -> std::io::Result<()> {
        let came = self.flag();
        platform::spawn(move || {
            loop {
                std::thread::sleep(std::time::Duration::from_millis(100));
                if came.load(Ordering::SeqCst) {
                    wake();
                }
            }
        })?;
        Ok(())
    }

    /// Calls `wake` from another thread when there was a hang-up; never, where hang-ups were ignored when the
    /// program began.
    #[cfg(all(feature = "serve", unix))]
    pub(crate) fn on_hangup(wake: impl Fn() + Send + 'static) -> std::io::Result<()> {
        if IgnoredSignals::of_this_process().contains(HANGUP) {
            return Ok(());
        }
        let mut signals = signal_hook::iterator::Signals::new([HANGUP])?;
        platform::spawn(move || signals.forever().for_each(|_| wake()))?;
        Ok(())
    }

    /// Does `work` to its end, whatever signal comes; where it gave up because one came, the
    /// failure is that.
    pub(crate) fn hold<T, E: Into<anyhow::Error>>(
        &self,
        work: impl FnOnce() -> Result<T, E>,
    ) -> anyhow::Result<T> {
        self.idle.store(false, Ordering::SeqCst);
        let done = work();
        self.idle.store(true, Ordering::SeqCst);
        done.map_err(|error| {
            let error = error.into();
            if is_interruption(&error) {
                self.check().err().map_or(error, anyhow::Error::from)
            } else {
                error
            }
        })
    }

    /// Fails where a signal has come.
    pub(crate) fn check(&self) -> Result<(), Refused> {
        match self.number.load(Ordering::SeqCst) {
            0 => Ok(()),
            number => Err(Refused::Signal(u8::try_from(number).unwrap_or_default())),
        }
    }
}

/// Whether something was given up because a signal came.
fn is_interruption(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        matches!(cause.downcast_ref(), Some(ream::Error::Interrupted))
            || matches!(cause.downcast_ref(), Some(ProgramError::Interrupted))
            || matches!(
                cause.downcast_ref(),
                Some(Refused::Undecided { error: ProgramError::Interrupted, .. })
            )
    })
}
