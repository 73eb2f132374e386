//! Runs processes and measures them from outside. `std` starts them by `posix_spawn`.

use std::fs;
use std::io::Read as _;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How a process went.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ran {
    pub(crate) wall: Duration,
    /// The most memory that was resident, in bytes, as last seen.
    pub(crate) peak: u64,
}

/// Runs a command to its end, its output thrown away; how long that takes.
pub(crate) fn run(command: &mut Command) -> Duration {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let begun = Instant::now();
    let status = command.status().unwrap();
    let wall = begun.elapsed();
    assert!(status.success(), "{command:?}: {status}");
    wall
}

/// The same with its memory watched, for what takes longer than a glance.
pub(crate) fn watched(command: &mut Command) -> Ran {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let begun = Instant::now();
    let mut child = command.spawn().unwrap();
    let peak = Peak::of(&child);
    let status = child.wait().unwrap();
    let wall = begun.elapsed();
    assert!(status.success(), "{command:?}: {status}");
    Ran { wall, peak: peak.seen() }
}

/// Runs a command to its end, its output read through a pipe and thrown away; how long that takes.
pub(crate) fn drained(command: &mut Command) -> Duration {
    drain(command, |_| ()).0
}

/// The most memory that the same needs, in bytes.
pub(crate) fn peak_drained(command: &mut Command) -> u64 {
    drain(command, Peak::of).1.seen()
}

fn drain<T>(command: &mut Command, watch: impl FnOnce(&Child) -> T) -> (Duration, T) {
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut buffer = vec![0; 1024 * 1024];
    let begun = Instant::now();
    let mut child = command.spawn().unwrap();
    let watched = watch(&child);
    let mut output = child.stdout.take().unwrap();
    while output.read(&mut buffer).unwrap() > 0 {}
    let status = child.wait().unwrap();
    let wall = begun.elapsed();
    assert!(status.success(), "{command:?}: {status}");
    (wall, watched)
}

/// Starts a command whose output is read.
pub(crate) fn start(command: &mut Command) -> (Running, ChildStdout) {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let output = child.stdout.take().unwrap();
    (Running(child), output)
}

/// A process that is ended when it is no longer measured.
pub(crate) struct Running(Child);

impl Running {
    /// The time that its threads were on a processor.
    pub(crate) fn on_processor(&self) -> Duration {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.0.id())).unwrap();
        let nanos = tasks.map(|task| {
            let statistics = fs::read_to_string(task.unwrap().path().join("schedstat")).unwrap();
            statistics.split(' ').next().unwrap().parse::<u64>().unwrap()
        });
        Duration::from_nanos(nanos.sum())
    }

    /// The most memory that was resident so far, in bytes.
    pub(crate) fn peak(&self) -> u64 {
        peak_of(self.0.id()).unwrap()
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) {
        let status = self.0.wait().unwrap();
        assert!(status.success(), "{status}");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended; either way there is nothing more to do.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Watches how much memory a process uses, until its end.
struct Peak {
    ended: Arc<AtomicBool>,
    thread: thread::JoinHandle<u64>,
}

impl Peak {
    fn of(child: &Child) -> Self {
        let (id, ended) = (child.id(), Arc::new(AtomicBool::new(false)));
        let flag = Arc::clone(&ended);
        let thread = thread::spawn(move || {
            let mut peak = 0;
            while !flag.load(Ordering::Relaxed) {
                peak = peak_of(id).unwrap_or(peak);
                thread::sleep(Duration::from_millis(10));
            }
            peak
        });
        Self { ended, thread }
    }

    fn seen(self) -> u64 {
        self.ended.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

/// The kernel's high water mark; nothing for a process that has ended.
fn peak_of(id: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let mark = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(mark.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}
