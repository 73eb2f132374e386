//! `ream verify`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::str::FromStr;

use clap::Args;
use ream::{Checkpoint, Finding, FindingKind, Position, Verification, Verified, Verifying};
use serde::{Deserialize, Serialize};

use super::confirm::plural;
use crate::args::{Format, Global};
use crate::environment::Environment;
use crate::output::{Output, escape, to_line, unless_closed};
use crate::progress;
use crate::refused::{Damage, Refused, invalid};
use crate::signals::Signals;

/// Verify that the store holds what was stored
///
/// Reads the whole store: the chain of links from the first event to the head, the data of each event, the
/// indexes, states, decisions and checkpoints, what was acknowledged, and SQLite's own check of its files. Prints
/// one line for each thing that is not as it was stored, then a summary. Exits with 1 if something is damaged.
/// Other processes can read and write meanwhile. Nothing is changed, except that a missing or torn bell is a
/// finding and then written anew, as by every command that reads.
///
/// Anyone who can write to the files can forge a log that is consistent in itself. So keep the output of
/// `ream status --json` elsewhere: --against shows later that the log up to there is still the same.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ream verify
  ream verify --quick                        the head and the last 10,000 events
  ream verify --from 1000001                 what was stored since the last time
  ream status --json > head.json
  ream verify --against @head.json           that log is the beginning of this one")]
pub(crate) struct VerifyArgs {
    /// Check only what was acknowledged, the head and the last 10,000 events
    #[arg(long)]
    quick: bool,
    /// Check only events from POS on
    #[arg(long, value_name = "POS", conflicts_with = "quick")]
    from: Option<u64>,
    /// Check that the log still begins as it was at this head: LINK/POSITION, or @FILE with the output of
    /// `ream status --json`
    #[arg(long, value_name = "HEAD")]
    against: Option<Head>,
}

/// A head that a store had.
#[derive(Debug, Clone)]
struct Head {
    checkpoint: Checkpoint,
    /// The file that says so, and which store it is of.
    of: Option<(String, String)>,
}

/// What of it is in a file.
#[derive(Deserialize)]
struct HeadJson {
    store: Option<String>,
    head: u64,
    link: String,
}

impl FromStr for Head {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some(file) = text.strip_prefix('@') else {
            let parsed = text.parse().map_err(|error| format!("{error}; or @FILE"));
            return parsed.map(|checkpoint| Self { checkpoint, of: None });
        };
        let read = fs::read(file).map_err(|error| format!("can't read {file}: {error}"))?;
        let HeadJson { store, head, link } = serde_json::from_slice(&read)
            .map_err(|error| format!("{file} holds no head: {error}"))?;
        let parsed = format!("{link}/{head}").parse();
        let checkpoint = parsed.map_err(|error| format!("{file}: {error}"))?;
        Ok(Self { checkpoint, of: store.map(|store| (file.to_owned(), store)) })
    }
}

/// What is not as it was stored, as JSON, with its fields in this order.
#[derive(Serialize)]
struct FindingJson<'f> {
    finding: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_position: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<&'f str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'f str>,
    what: &'f str,
}

/// What was looked at, as JSON, with its fields in this order.
#[derive(Serialize)]
struct VerifiedJson<'v> {
    verified: bool,
    head: u64,
    link: String,
    events: u64,
    removed: u64,
    redacted: u64,
    streams: u64,
    states: u64,
    decisions: u64,
    projections: u64,
    subscriptions: u64,
    findings: u64,
    /// How many of each kind.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    found: &'v BTreeMap<&'static str, u64>,
}

impl VerifyArgs {
    pub(crate) fn run(&self, global: &Global, environment: &Environment) -> anyhow::Result<()> {
        let signals = Signals::take_over()?;
        let mut options = global.options(environment);
        options.interrupt = Some(signals.flag());
        // What is lost is a finding.
        options.on_warning = None;
        let store = global.open(environment, &options)?;
        let mut asked = Verification::default();
        asked.quick = self.quick;
        asked.from = self.from.map(Position);
        if let Some((file, of)) = self.against.as_ref().and_then(|head| head.of.as_ref())
            && of != store.id()
        {
            let error = format!("{file} is of the store {of}, and this one is {}", store.id());
            return Err(invalid(error));
        }
        asked.against = self.against.as_ref().map(|head| head.checkpoint);
        let mut output = Output::new(global);
        let bar = progress::bar(global, 0);
        let mut damage = Damage::default();
        let mut failed = None;
        let verified = signals.hold(|| {
            store.verify(&asked, &mut |told| match told {
                Verifying::Found(finding) => {
                    damage.add(&finding);
                    let told = bar.suspend(|| tell(&mut output, &finding));
                    failed = failed.take().or(unless_closed(told).err());
                }
                Verifying::Passed { events, of } => {
                    bar.set_length(of);
                    bar.inc(events);
                }
                _ => {}
            })
        });
        bar.finish_and_clear();
        let verified = verified?;
        if let Some(error) = failed {
            return Err(error);
        }
        unless_closed(end(&mut output, &verified, &damage))?;
        if verified.findings == 0 { Ok(()) } else { Err(Refused::Damaged(damage).into()) }
    }
}

/// Tells what was found.
fn tell(output: &mut Output, finding: &Finding) -> anyhow::Result<()> {
    let mut shown = Vec::new();
    if output.format == Format::Table {
        shown.extend_from_slice(readable(finding).as_bytes());
    } else {
        let json = FindingJson {
            finding: finding.kind.as_str(),
            position: finding.position.map(|position| position.0),
            last_position: finding.last.map(|position| position.0),
            stream: finding.stream.as_deref(),
            version: finding.version.map(|version| version.0),
            name: finding.name.as_deref(),
            what: &finding.what,
        };
        output.record(&mut shown, &to_line(&json)?);
    }
    output.write(&shown)
}

/// What was found, for the eye.
fn readable(finding: &Finding) -> String {
    let Finding { kind, position, last, stream, version, name, what, .. } = finding;
    let mut shown = kind.to_string();
    // Writing into a string does not fail.
    let _ = match (position, last) {
        (Some(position), Some(last)) => write!(shown, " {position} to {last}"),
        (Some(position), None) => write!(shown, " {position}"),
        _ => Ok(()),
    };
    for of in [name, stream].into_iter().flatten() {
        let _ = write!(shown, " {}", escape(of));
    }
    if let Some(version) = version {
        let _ = write!(shown, "@{version}");
    }
    let _ = writeln!(shown, ": {}", escape(what));
    shown
}

/// Tells what was looked at.
fn end(output: &mut Output, verified: &Verified, damage: &Damage) -> anyhow::Result<()> {
    let Verified { head, counts, findings, .. } = verified;
    let mut shown = Vec::new();
    if output.format == Format::Table {
        let mut line = format!("verified {}", plural(counts.events, "event"));
        for (count, what) in [(counts.removed, "removed"), (counts.redacted, "redacted")] {
            if count > 0 {
                let _ = write!(line, " ({count} {what})");
            }
        }
        for (count, what) in [
            (counts.streams, "stream"),
            (counts.states, "state"),
            (counts.decisions, "decision"),
            (counts.projections, "projection"),
            (counts.subscriptions, "subscription"),
        ] {
            if count > 0 {
                let _ = write!(line, ", {}", plural(count, what));
            }
        }
        let _ = writeln!(line, "; the head is {}/{}", head.link(), head.position);
        shown.extend_from_slice(line.as_bytes());
    } else {
        let json = VerifiedJson {
            verified: *findings == 0,
            head: head.position.0,
            link: head.link().to_string(),
            events: counts.events,
            removed: counts.removed,
            redacted: counts.redacted,
            streams: counts.streams,
            states: counts.states,
            decisions: counts.decisions,
            projections: counts.projections,
            subscriptions: counts.subscriptions,
            findings: *findings,
            found: &damage.kinds.iter().map(|(kind, count)| (kind.as_str(), *count)).collect(),
        };
        output.record(&mut shown, &to_line(&json)?);
        shown.extend_from_slice(output.end());
    }
    output.write(&shown)
}

impl Damage {
    fn add(&mut self, finding: &Finding) {
        *self.kinds.entry(finding.kind).or_default() += 1;
        let is_event =
            matches!(finding.kind, FindingKind::Event | FindingKind::Missing | FindingKind::Link);
        if is_event && let Some(Position(position)) = finding.position {
            self.first = Some(self.first.map_or(position, |first| first.min(position)));
            self.last = self.last.max(finding.last.map_or(position, |last| last.0));
        }
        let of = finding.name.as_ref().or(finding.stream.as_ref());
        if let Some(of) = of {
            self.of.entry(finding.kind).or_insert_with(|| of.clone());
        }
    }
}
