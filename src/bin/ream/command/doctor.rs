//! `ream doctor`, and what it examines.

use std::path::Path;
use std::time::Duration;

use clap::Args;
use ream::{Error, LastBackup, Store, Timestamp, Vitals};
use serde::Serialize;

use super::confirm::plural;
use super::following::Broken;
use super::subscription::{Follows, Reached};
use crate::args::{Format, Global};
use crate::environment::Environment;
use crate::hint::{CommandLine, Hint};
use crate::output::{Output, escape, to_line, unless_closed};
use crate::refused::Refused;
use crate::units;

/// How little room is too little, in bytes.
const LITTLE_ROOM: u64 = 100 << 20;

/// How old a backup may be, in microseconds: a week.
const MOST_AGE: i64 = 7 * 86_400 * 1_000_000;

/// Look for what needs attention, with the command for each
///
/// Looks for projections and subscriptions that failed, never ran or lag behind, files that belong to no projection, a
/// log that a reader keeps from being cut, an unfinished erasure, lost events, permissions, the file system, free
/// space, and a last backup that is gone or older than a week. Nothing is changed. Exits with 1 if something needs a
/// person. `ream verify` checks whether what is stored is whole.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ream doctor
  ream doctor --json
  ream status --check --max-lag 1000         one line, for monitoring")]
pub(crate) struct DoctorArgs {}

/// What needs attention.
#[derive(Debug)]
pub(super) struct Complaint {
    /// What it is, as a word.
    pub(super) kind: &'static str,
    /// The projection or subscription that it is about.
    pub(super) name: Option<String>,
    /// Whether it needs a person.
    pub(super) serious: bool,
    pub(super) what: String,
    hint: Hint,
}

/// The same as JSON, with its fields in this order.
#[derive(Serialize)]
struct ComplaintJson<'c> {
    finding: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'c str>,
    serious: bool,
    what: &'c str,
    command: String,
}

/// What was found in all, as JSON.
#[derive(Serialize)]
struct HealthJson {
    healthy: bool,
    findings: usize,
    serious: usize,
}

impl DoctorArgs {
    pub(crate) fn run(
        global: &Global,
        environment: &Environment,
        line: &CommandLine,
    ) -> anyhow::Result<()> {
        let mut options = global.options(environment);
        // What is lost is one of the findings.
        options.on_warning = None;
        let store = global.open(environment, &options)?;
        let found = examine(&store, global)?;
        let serious = found.iter().filter(|one| one.serious).count();
        let mut output = Output::new(global);
        let mut shown = Vec::new();
        for one in &found {
            one.show(&mut output, &mut shown, line)?;
        }
        if output.format == Format::Table {
            if found.is_empty() {
                shown.extend_from_slice(b"nothing needs attention\n");
            }
        } else {
            let healthy = serious == 0;
            let json = to_line(&HealthJson { healthy, findings: found.len(), serious })?;
            output.record(&mut shown, &json);
            shown.extend_from_slice(output.end());
        }
        unless_closed(output.write(&shown))?;
        if serious == 0 { Ok(()) } else { Err(Refused::Unwell(serious).into()) }
    }
}

impl Complaint {
    fn new(kind: &'static str, what: impl Into<String>, hint: Hint) -> Self {
        Self { kind, name: None, serious: false, what: what.into(), hint }
    }

    fn of(self, name: &str) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    fn serious(self) -> Self {
        Self { serious: true, ..self }
    }

    /// For the eye, in a line.
    pub(super) fn readable(&self) -> String {
        match &self.name {
            Some(name) => format!("{} {}: {}", self.kind, escape(name), escape(&self.what)),
            None => format!("{}: {}", self.kind, escape(&self.what)),
        }
    }

    fn show(
        &self,
        output: &mut Output,
        shown: &mut Vec<u8>,
        line: &CommandLine,
    ) -> anyhow::Result<()> {
        let command = line.show(&self.hint).join("; ");
        if output.format == Format::Table {
            let mark = if self.serious { "!" } else { "-" };
            shown
                .extend_from_slice(format!("{mark} {}\n  {command}\n", self.readable()).as_bytes());
            return Ok(());
        }
        let json = ComplaintJson {
            finding: self.kind,
            name: self.name.as_deref(),
            serious: self.serious,
            what: &self.what,
            command,
        };
        output.record(shown, &to_line(&json)?);
        Ok(())
    }
}

/// All that needs attention.
pub(super) fn examine(store: &Store, global: &Global) -> anyhow::Result<Vec<Complaint>> {
    let mut found = Vec::new();
    if let Err(error) = store.check() {
        let (Error::LostEvents { .. } | Error::LostChanges { .. }) = error else {
            return Err(error.into());
        };
        let hint = Hint::other("", &["verify"], &[]);
        found.push(Complaint::new("lost", error.to_string(), hint).serious());
    }
    let quiet = Global { quiet: true, ..global.clone() };
    let mut broken = Broken::default();
    for one in Follows::all(store, &quiet, &mut broken, |_| true)? {
        found.extend(follower(store, &one)?);
    }
    for entry in store.projections()? {
        if !entry.definition.program.is_empty() && !store.allows(&entry) {
            let name = entry.name.as_str();
            let hint = Hint::other("", &["project", "allow"], &[name]);
            let what = "its program was neither given nor allowed here";
            found.push(Complaint::new("not-allowed", what, hint).of(name).serious());
        }
    }
    found.extend(files(store, &store.vitals()?));
    Ok(found)
}

/// What needs attention of what follows the log.
fn follower(store: &Store, one: &Follows) -> Result<Vec<Complaint>, Error> {
    let name = one.name.as_str();
    let is_projection = one.kind == "projection";
    let rebuild = || Hint::other("", &["project", "rebuild"], &[name]);
    let see = || Hint::other("", &["subscription", "show"], &[name]);
    let go_on =
        || if is_projection { Hint::other("", &["project", "run"], &[name]) } else { see() };
    let mut found = Vec::new();
    if let Some(failure) = &one.failure {
        let what = format!("it failed at {}: {}", failure.time, failure.message);
        found.push(Complaint::new("failed", what, go_on()).of(name).serious());
    }
    let Reached { checkpoint, lag, mismatch, behind } = match &one.reached {
        Ok(reached) => reached,
        Err(why) => {
            found.push(Complaint::new("broken", why, rebuild()).of(name).serious());
            return Ok(found);
        }
    };
    if let Some(reason) = mismatch {
        let what = format!("its checkpoint {checkpoint} is none of this store: {reason}");
        let hint = if is_projection { rebuild() } else { see() };
        found.push(Complaint::new("mismatch", what, hint).of(name).serious());
    } else if *lag > 0 && one.runner.is_none() {
        let since =
            behind.map_or_else(String::new, |behind| format!(", {}", units::seconds(behind)));
        let lag = plural(*lag, "event");
        let has_program = || -> Result<bool, Error> {
            Ok(is_projection && !store.projection_entry(name)?.definition.program.is_empty())
        };
        let what = if checkpoint.0 == 0 && has_program()? {
            format!("its program has never run; {lag} behind{since}")
        } else {
            format!("it is not run; {lag} behind{since}")
        };
        found.push(Complaint::new("lag", what, go_on()).of(name));
    }
    Ok(found)
}

/// What needs attention of the store's files.
fn files(store: &Store, vitals: &Vitals) -> Vec<Complaint> {
    let path = store.path().unwrap_or(Path::new("")).to_string_lossy();
    let mut found = Vec::new();
    let readers = || {
        let numbers: Vec<String> = vitals.read_by.iter().map(u32::to_string).collect();
        Hint::system("", ["ps", "-o", "pid,etime,args", "-p", &numbers.join(",")])
    };
    if vitals.erasing {
        let what = "bytes of what was removed are still in the store's files";
        let hint = Hint::other("", &["compact"], &[]);
        found.push(Complaint::new("erasing", what, hint).serious());
    }
    if vitals.log_bytes > 2 * vitals.log_bytes_at_work && !vitals.read_by.is_empty() {
        let what = format!(
            "the log has {} and can't be cut while {} the store",
            units::bytes(vitals.log_bytes),
            if vitals.read_by.len() == 1 { "a process reads" } else { "processes read" }
        );
        found.push(Complaint::new("log", what, readers()).serious());
    }
    if vitals.acknowledged.is_none_or(|acknowledged| acknowledged < vitals.head)
        && vitals.head.0 > 0
    {
        let what =
            "what was stored last is not known to be durable; who reads or writes next sees to it";
        found.push(Complaint::new("bell", what, Hint::other("", &["status"], &[])));
    }
    if let Some(free) = vitals.free_bytes.filter(|free| *free < LITTLE_ROOM) {
        let what = format!("{} are free", units::bytes(free));
        found.push(Complaint::new("room", what, Hint::system("", ["df", "-h", &path])).serious());
    }
    if let Some(kind) = &vitals.shared_file_system {
        let what = format!("it lies on {kind}, where several machines can damage it");
        let hint = Hint::system("", ["df", "-T", &path]);
        found.push(Complaint::new("file-system", what, hint).serious());
    }
    if store.mended() > 0 {
        let what = format!(
            "others could read {}, and can't any more",
            plural(store.mended() as u64, "file")
        );
        found.push(Complaint::new("modes", what, Hint::system("", ["ls", "-la", &path])));
    }
    found.extend(vitals.last_backup.as_ref().and_then(backup));
    for (name, file) in &vitals.strays {
        let what = format!("{} belongs to no projection that is there", file.display());
        let is_there = store.projection_entry(name).is_ok();
        let hint = if is_there {
            Hint::other("", &["project", "rebuild"], &[name])
        } else {
            Hint::other("", &["project", "drop", "--yes"], &[name])
        };
        found.push(Complaint::new("stray", what, hint).of(name));
    }
    found
}

/// What needs attention of the last backup.
fn backup(last: &LastBackup) -> Option<Complaint> {
    let path = last.path.display();
    let age = Timestamp::now().as_micros().saturating_sub(last.time.as_micros());
    let seconds = Duration::from_micros(age.max(0).unsigned_abs()).as_secs_f64();
    let what = if !last.is_there {
        format!("the last backup, {path}, is not there any more")
    } else if age > MOST_AGE {
        format!("the last backup, {path}, is {} old", units::seconds(seconds))
    } else {
        return None;
    };
    let next = format!("{path}-next");
    Some(Complaint::new("backup", what, Hint::other("", &["backup"], &[&next])))
}
