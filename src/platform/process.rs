//! Processes of other programs: each in a group of its own, and ended with it.
//!
//! On systems without process groups a program is ended alone, and what it started is not.

use std::io;
use std::process::{Child, Command, ExitStatus};

/// A program that runs. Its group is ended when this is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: system::Shared,
    ended: Option<ExitStatus>,
}

impl Process {
    /// Starts a program. Where the system can do it, it dies with the thread that calls this, so that
    /// thread must last as long as the program shall.
    pub(crate) fn start(command: &mut Command) -> io::Result<Self> {
        system::set_apart(command);
        Ok(Self { child: system::share(command.spawn()?), ended: None })
    }

    /// The program's ends of its pipes, as they were asked for.
    pub(crate) fn with_child<T>(&mut self, with: impl FnOnce(&mut Child) -> T) -> T {
        system::with(&self.child, with)
    }

    /// Something that waits for the program's end, on another thread.
    pub(crate) fn watcher(&self) -> impl FnOnce() + Send + 'static {
        system::watcher(&self.child)
    }

    /// Asks the group to end.
    pub(crate) fn interrupt(&mut self) {
        if self.ended.is_none() {
            system::interrupt(&self.child);
        }
    }

    /// Ends what is left of the group, and tells how the program ended.
    pub(crate) fn end(&mut self) -> io::Result<ExitStatus> {
        if let Some(status) = self.ended {
            return Ok(status);
        }
        // Until the program's end is taken note of, no other group can have its number.
        system::kill(&self.child);
        let status = system::with(&self.child, Child::wait)?;
        self.ended = Some(status);
        Ok(status)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // There is no one to tell.
        let _ = self.end();
    }
}

#[cfg(unix)]
mod system {
    use std::os::unix::process::CommandExt as _;
    use std::process::{Child, Command};

    use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

    pub(super) type Shared = std::cell::RefCell<Child>;

    pub(super) fn share(child: Child) -> Shared {
        child.into()
    }

    pub(super) fn with<T>(child: &Shared, with: impl FnOnce(&mut Child) -> T) -> T {
        with(&mut child.borrow_mut())
    }

    pub(super) fn set_apart(command: &mut Command) {
        command.process_group(0);
        #[cfg(any(target_os = "linux", target_os = "android"))]
        die_with_parent(command);
    }

    /// Has the system kill the program when the thread that starts it ends, however that comes.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    #[allow(unsafe_code, reason = "there is no safe way to do something between fork and exec")]
    fn die_with_parent(command: &mut Command) {
        use rustix::process::{getpid, getppid, set_parent_process_death_signal};

        let parent = getpid();
        // SAFETY: the closure makes two system calls and touches no memory but its own.
        unsafe {
            command.pre_exec(move || {
                set_parent_process_death_signal(Some(Signal::KILL))?;
                // Where the parent has ended before that, nothing would come.
                if getppid() == Some(parent) { Ok(()) } else { Err(rustix::io::Errno::SRCH.into()) }
            });
        }
    }

    fn pid(child: &Shared) -> Pid {
        Pid::from_child(&child.borrow())
    }

    pub(super) fn watcher(child: &Shared) -> impl FnOnce() + Send + 'static {
        let pid = pid(child);
        move || {
            // The end stays there to be taken note of by who ends the group.
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while let Err(rustix::io::Errno::INTR) = waitid(WaitId::Pid(pid), options) {}
        }
    }

    pub(super) fn interrupt(child: &Shared) {
        // It may have ended meanwhile.
        let _ = kill_process_group(pid(child), Signal::TERM);
    }

    pub(super) fn kill(child: &Shared) {
        // As above.
        let _ = kill_process_group(pid(child), Signal::KILL);
    }
}

#[cfg(not(unix))]
mod system {
    use std::process::{Child, Command};
    use std::sync::{Arc, Mutex, PoisonError};
    use std::thread;
    use std::time::Duration;

    pub(super) type Shared = Arc<Mutex<Child>>;

    pub(super) fn share(child: Child) -> Shared {
        Arc::new(Mutex::new(child))
    }

    pub(super) fn with<T>(child: &Shared, with: impl FnOnce(&mut Child) -> T) -> T {
        with(&mut child.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn set_apart(_command: &mut Command) {}

    pub(super) fn watcher(child: &Shared) -> impl FnOnce() + Send + 'static {
        let child = Arc::clone(child);
        move || {
            while let Ok(None) = with(&child, Child::try_wait) {
                thread::sleep(Duration::from_millis(5));
            }
        }
    }

    pub(super) fn interrupt(_child: &Shared) {}

    pub(super) fn kill(child: &Shared) {
        // It may have ended.
        let _ = with(child, Child::kill);
    }
}
