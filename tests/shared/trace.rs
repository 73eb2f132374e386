//! What a process asks of the system, by `strace`.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};

use super::{Ended, Home, Lines, Running, until};

/// A call that has returned: `openat(…, "/…/db", …) = 3</…/db>`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Call(String);

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Call {
    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    pub(crate) fn name(&self) -> &str {
        self.0.split('(').next().unwrap_or_default()
    }

    /// Whether it is one of these calls.
    pub(crate) fn is(&self, names: &[&str]) -> bool {
        names.contains(&self.name())
    }

    /// Whether it is about this file of the store, by descriptor or by name.
    pub(crate) fn on(&self, file: &str) -> bool {
        let descriptor = format!("/store/{file}>");
        let name = format!("/store/{file}\"");
        // A name that is looked up from the store's directory.
        let within = format!("/store>, \"{file}\"");
        let arguments = self.0.rsplit_once(" = ").map_or("", |(call, _)| call);
        [descriptor, name, within].iter().any(|form| arguments.contains(form))
    }

    pub(crate) fn succeeded(&self) -> bool {
        self.0.rsplit_once(" = ").is_some_and(|(_, result)| !result.starts_with('-'))
    }

    /// A write to standard output.
    pub(crate) fn writes_out(&self) -> bool {
        self.name() == "write" && self.0.starts_with("write(1<")
    }

    /// A successful sync of this file.
    pub(crate) fn syncs(&self, file: &str) -> bool {
        self.is(&["fsync", "fdatasync"]) && self.on(file) && self.succeeded()
    }
}

/// The calls in what strace wrote, in the order in which they returned.
pub(crate) fn calls(lines: &[String]) -> Vec<Call> {
    let mut begun: HashMap<&str, &str> = HashMap::new();
    let mut calls = Vec::new();
    for line in lines {
        // strace tells the thread before the call, where there are several.
        let (thread, line) = match line.strip_prefix("[pid ").and_then(|rest| rest.split_once("] "))
        {
            Some((thread, call)) => (thread.trim(), call),
            None => ("", &**line),
        };
        // A call during which another thread's was told is told in two parts.
        if let Some(part) = line.strip_suffix(" <unfinished ...>") {
            begun.insert(thread, part);
        } else if let Some((name, rest)) =
            line.strip_prefix("<... ").and_then(|l| l.split_once(" resumed>"))
        {
            // The last thread is named no more, once the others have ended.
            let first = begun.remove(thread).or_else(|| {
                let (thread, _) = begun.iter().find(|(_, first)| first.starts_with(name))?;
                let thread = *thread;
                begun.remove(thread)
            });
            let first = first.unwrap_or_default();
            calls.push(Call(format!("{first}{rest}")));
        } else if line.contains('(') && line.contains(" = ") {
            calls.push(Call(line.to_owned()));
        }
    }
    calls
}

/// Runs `ream` under strace to a good end, and tells its calls of these kinds.
#[track_caller]
pub(crate) fn traced(home: &Home, kinds: &str, args: &[&str]) -> Vec<Call> {
    let filter = format!("trace={kinds}");
    let strace = ["strace", "-f", "-y", "-s", "4096", "-e", &filter, "-e", "signal=none"];
    let ended = super::ended(&mut home.wrapped(&strace, args));
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    let lines: Vec<String> = ended.stderr.lines().map(str::to_owned).collect();
    calls(&lines)
}

/// What has each of the successful syncs of a file in these calls fail, one by one.
#[track_caller]
pub(crate) fn failing(calls: &[Call], file: &str) -> Vec<String> {
    // strace counts each kind of call by itself.
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let injected: Vec<String> = calls
        .iter()
        .filter(|call| call.syncs(file))
        .map(|call| {
            let count = counts.entry(call.name()).or_default();
            *count += 1;
            format!("{}:error=EIO:when={count}", call.name())
        })
        .collect();
    assert!(!injected.is_empty(), "{file}: {calls:#?}");
    injected
}

impl Home {
    /// `ream` on this store while calls on a file of the store go wrong, as strace's `inject` says:
    /// `pwrite64:error=EIO:when=2`. The directory itself is the file `.`.
    pub(crate) fn injected(&self, file: &str, inject: &str, args: &[&str]) -> Command {
        let path = if file == "." { self.store() } else { self.file(file) };
        let calls = inject.split(':').next().unwrap();
        let (trace, inject) = (format!("trace={calls}"), format!("inject={inject}"));
        let mut strace = vec!["strace", "-f", "-P", path.to_str().unwrap(), "-o", "/dev/null"];
        strace.extend(["-e", &trace, "-e", &inject]);
        self.wrapped(&strace, args)
    }
}

/// A strace that has writes of a process fail from now on, and leaves alone what that process runs.
pub(crate) struct FailingWrites {
    strace: Running,
    /// It would end where nobody could hear it.
    _said: Lines,
    log: PathBuf,
}

impl FailingWrites {
    /// Has them fail as `inject` says: `ENOMEM`, or `EIO:when=1` for the first of each thread.
    #[track_caller]
    pub(crate) fn of(home: &Home, process: &Running, inject: &str) -> Self {
        let log = home.place().join("writes");
        let mut strace = Command::new("strace");
        strace.args(["-f", "-b", "execve", "-p", &process.id().to_string(), "-o"]).arg(&log);
        strace.args(["-e", "trace=write", "-e", "signal=none"]);
        strace.args(["-e", &format!("inject=write:error={inject}")]);
        let mut strace = Running::start(&mut strace);
        let said = Lines::of(strace.stderr());
        // All threads, it says.
        said.through(|line| line.contains("attached"));
        Self { strace, _said: said, log }
    }

    /// Waits until so many have failed.
    #[track_caller]
    pub(crate) fn wait_for(&self, count: usize) {
        until(&format!("{count} writes that fail"), || {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            (log.matches("(INJECTED)").count() >= count).then_some(())
        });
    }

    /// Lets them succeed again.
    #[track_caller]
    pub(crate) fn end(self) {
        kill_process(Pid::from_raw(self.strace.id().cast_signed()).unwrap(), Signal::INT).unwrap();
        self.strace.end();
    }
}

/// A copy of a store that no process uses.
pub(crate) fn copied(from: &Home) -> Home {
    let home = Home::new();
    std::fs::remove_dir_all(home.store()).unwrap();
    if from.store().exists() {
        super::copy(&from.store(), &home.store());
    }
    home
}

/// Runs `ream` on copies of a store, killed at each call that it makes, and shows what came of it:
/// the copy, how the process ended, and where it was killed.
#[track_caller]
pub(crate) fn killed_at_each_call(
    prepared: &Home,
    args: &[&str],
    look: impl FnMut(&Home, &Ended, &str),
) {
    killed_at_calls(prepared, "all", args, look);
}

/// The same at each call of these names.
pub(crate) fn killed_at_calls(
    prepared: &Home,
    names: &str,
    args: &[&str],
    mut look: impl FnMut(&Home, &Ended, &str),
) {
    killed_beside(prepared, names, args, |_| (), |home, (), end, place| look(home, end, place));
}

/// The same beside what `before` has open of each copy.
pub(crate) fn killed_beside<T>(
    prepared: &Home,
    names: &str,
    args: &[&str],
    mut before: impl FnMut(&Home) -> T,
    mut look: impl FnMut(&Home, T, &Ended, &str),
) {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for call in traced(&copied(prepared), names, args) {
        *counts.entry(call.name().to_owned()).or_default() += 1;
    }
    for (name, count) in counts {
        for when in 1..=count {
            let home = copied(prepared);
            let open = before(&home);
            let (trace, inject) =
                (format!("trace={name}"), format!("inject={name}:signal=KILL:when={when}"));
            let strace = ["strace", "-f", "-o", "/dev/null", "-e", &trace, "-e", &inject];
            let end = super::ended(&mut home.wrapped(&strace, args));
            look(&home, open, &end, &format!("killed at call {when} of {name}"));
        }
    }
}

#[test]
fn a_call_that_the_last_thread_ends_is_whole() {
    let lines = [
        "[pid 12] fdatasync(4</store/db-wal> <unfinished ...>",
        "[pid 13] +++ exited with 0 +++",
        "<... fdatasync resumed>) = 0",
    ];
    let calls = calls(&lines.map(str::to_owned));
    assert!(matches!(&calls[..], [call] if call.syncs("db-wal")), "{calls:#?}");
}
