//! A browser with one page.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;

/// Without a window, as root, and with no traffic but the page's.
const WORDS: [&str; 8] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// A browser, up to its end.
pub(crate) struct Chromium {
    process: Child,
    _home: TempDir,
}

impl Chromium {
    /// One that shows a page.
    pub(crate) fn at(page: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut command = Command::new("chromium");
        command.args(WORDS).arg(format!("--user-data-dir={}", home.path().display()));
        // Whatever it leaves goes with this.
        command.env("HOME", home.path()).env("TMPDIR", home.path());
        // It is a process of many, which end together; what they say is of no use here.
        command.arg(page).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        let process = command.spawn();
        let process = process.unwrap_or_else(|error| panic!("this needs `chromium`: {error}"));
        Self { process, _home: home }
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let id = Pid::from_child(&self.process);
        // Where it has ended already there is none.
        let _ = kill_process_group(id, Signal::KILL);
        let _ = self.process.wait();
    }
}
