//! `ream subscription`.

use std::fmt::Write as _;

use clap::Args;
use ream::wire::CriteriaParts;
use ream::{
    Checkpoint, Criteria, Error, LastFailure, Position, Projection, Query, Store, Subscription,
    SubscriptionName, Timestamp,
};
use serde::Serialize;
use serde_json::value::RawValue;

use super::confirm;
use super::definition::commands;
use super::following::{self, Broken};
use super::list::list_all;
use crate::args::{Format, Global};
use crate::environment::Environment;
use crate::output::{Output, escape, to_line};
use crate::refused::{Refused, invalid};
use crate::signals::Signals;
use crate::units;

commands! {
    /// Look at what follows the log, and move it
    ///
    /// Subscriptions (`ream tail --as NAME`) and projections: how far each has come, who runs it, how it
    /// failed last.
    enum SubscriptionCommand {
        "list" List(ListArgs),
        "show" Show(ShowArgs),
        "seek" Seek(SeekArgs),
        "ack" Ack(AckArgs),
        "rm" Rm(RmArgs),
    }
}

/// List what follows the log: subscriptions and projections
#[derive(Debug, Args)]
pub(crate) struct ListArgs {}

/// Show a subscription or a projection: how far it has come
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The subscription or projection
    #[arg(value_name = "NAME")]
    name: String,
}

/// Move a subscription to a place in the log
///
/// Events behind POS come again, or for the first time; what was made of them stays.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ream subscription seek welcome 1842                 what follows position 1842 comes next
  ream subscription seek welcome start                everything comes again
  ream subscription seek welcome end                  only what is new
  ream subscription seek welcome 2026-11-23T00:00:00Z what has a time since then")]
pub(crate) struct SeekArgs {
    /// The subscription
    #[arg(value_name = "NAME")]
    name: SubscriptionName,
    /// The last position that is done; `start`, `end`, or a time
    #[arg(value_name = "POS|start|end|TIME")]
    place: String,
}

/// Mark the events of a subscription as done up to a position
///
/// For loops that read events themselves: while a program runs it, it acks by itself.
#[derive(Debug, Args)]
pub(crate) struct AckArgs {
    /// The subscription
    #[arg(value_name = "NAME")]
    name: SubscriptionName,
    /// The last position that is done
    #[arg(value_name = "POS")]
    position: u64,
}

/// Remove a subscription; the events stay
#[derive(Debug, Args)]
pub(crate) struct RmArgs {
    /// The subscription
    #[arg(value_name = "NAME")]
    name: SubscriptionName,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// Only print what would be removed
    #[arg(long)]
    dry_run: bool,
}

/// What follows the log, and how it stands.
pub(super) struct Follows {
    pub(super) name: String,
    pub(super) kind: &'static str,
    pub(super) criteria: Criteria,
    pub(super) head: Position,
    /// How far it has come, or why that can't be read.
    pub(super) reached: Result<Reached, String>,
    pub(super) runner: Option<String>,
    pub(super) failure: Option<LastFailure>,
}

/// How far something has come.
pub(super) struct Reached {
    pub(super) checkpoint: Position,
    pub(super) lag: u64,
    /// Why the checkpoint is no place in the store's log, where it is none.
    pub(super) mismatch: Option<&'static str>,
    /// How old the first event is that is not done, in seconds.
    pub(super) behind: Option<f64>,
}

/// The same as JSON.
#[derive(Serialize)]
struct FollowsJson<'f> {
    name: &'f str,
    kind: &'f str,
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoint: Option<u64>,
    head: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    lag: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mismatch: Option<&'f str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    broken: Option<&'f str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    behind_seconds: Option<f64>,
    from: Vec<&'f str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    types: Vec<&'f str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<&'f str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    query: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    runner: Option<&'f str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'f str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_time: Option<String>,
}

/// What was done to a subscription, as JSON.
#[derive(Serialize)]
struct DoneJson<'s> {
    subscription: &'s str,
    removed: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dry_run: bool,
}

impl SubscriptionCommand {
    pub(crate) fn run(&self, global: &Global, environment: &Environment) -> anyhow::Result<()> {
        let signals = Signals::take_over()?;
        let mut options = global.options(environment);
        options.interrupt = Some(signals.flag());
        let mut store = global.open(environment, &options)?;
        match self {
            Self::List(ListArgs {}) => show_list(global, &store),
            Self::Show(args) => show(global, &store, &args.name),
            Self::Seek(args) => signals.hold(|| seek(args, global, &mut store)),
            Self::Ack(args) => signals.hold(|| ack(args, global, &mut store)),
            Self::Rm(args) => args.run(global, &mut store, &signals),
        }?;
        Ok(())
    }
}

impl Reached {
    fn new(
        store: &Store,
        name: &str,
        query: &Query,
        checkpoint: &Checkpoint,
        global: &Global,
    ) -> Result<Self, Error> {
        let (mismatch, from) = following::place(store, name, checkpoint, global)?;
        let (lag, first) = store.lag(query, from)?;
        let age = |first: Timestamp| {
            let micros = Timestamp::now().as_micros().saturating_sub(first.as_micros()).max(0);
            std::time::Duration::from_micros(micros.unsigned_abs()).as_secs_f64()
        };
        let (checkpoint, behind) = (checkpoint.position, first.map(age));
        Ok(Self { checkpoint, lag, mismatch, behind })
    }
}

impl Follows {
    fn new(
        store: &Store,
        (name, kind): (&str, &'static str),
        query: Query,
        checkpoint: Result<Checkpoint, String>,
        global: &Global,
    ) -> Result<Self, Error> {
        let reached = match checkpoint {
            Ok(checkpoint) => Ok(Reached::new(store, name, &query, &checkpoint, global)?),
            Err(why) => Err(why),
        };
        Ok(Self {
            kind,
            criteria: query.criteria,
            head: store.head()?,
            reached,
            runner: store.runner(name)?,
            failure: store.last_failure(name)?,
            name: name.into(),
        })
    }

    /// Everything that follows the log, by name, for which `wanted` is true.
    pub(super) fn all(
        store: &Store,
        global: &Global,
        broken: &mut Broken,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Vec<Self>, Error> {
        let mut all = Vec::new();
        for entry in store.projections()? {
            let name = entry.name.as_str();
            if wanted(name)
                && let Some(checkpoint) = broken.try_read(store, name, Projection::checkpoint)?
            {
                let query = Query::of(entry.definition.from.clone());
                all.push(Self::new(store, (name, "projection"), query, checkpoint, global)?);
            }
        }
        for subscription in store.subscriptions()? {
            let follows = subscription.follows;
            let name = follows.name.as_str();
            if wanted(name) {
                let query = Query::by(follows.criteria);
                let checkpoint = Ok(subscription.checkpoint);
                all.push(Self::new(store, (name, "subscription"), query, checkpoint, global)?);
            }
        }
        all.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(all)
    }

    fn json(&self) -> anyhow::Result<Vec<u8>> {
        let reached = self.reached.as_ref().ok();
        let CriteriaParts { from, types, tags, query } = CriteriaParts::of(&self.criteria);
        to_line(&FollowsJson {
            name: &self.name,
            kind: self.kind,
            checkpoint: reached.map(|reached| reached.checkpoint.0),
            head: self.head.0,
            lag: reached.map(|reached| reached.lag),
            mismatch: reached.and_then(|reached| reached.mismatch),
            broken: self.reached.as_ref().err().map(String::as_str),
            behind_seconds: reached.and_then(|reached| reached.behind),
            from,
            types,
            tags,
            query,
            runner: self.runner.as_deref(),
            error: self.failure.as_ref().map(|failure| &*failure.message),
            error_time: self.failure.as_ref().map(|failure| failure.time.to_string()),
        })
    }

    /// The same for people.
    fn readable(&self) -> String {
        let mut shown = match &self.reached {
            Ok(Reached { checkpoint, lag, behind, .. }) => {
                let behind = behind
                    .map_or_else(String::new, |behind| format!(", {}", units::seconds(behind)));
                let (head, lag) = (self.head, confirm::plural(*lag, "event"));
                let name = &self.name;
                format!(
                    "{name}: {}\ncheckpoint {checkpoint} of {head}, {lag} behind{behind}\n",
                    self.kind
                )
            }
            Err(why) => format!("{}: {}\nbroken: {}\n", self.name, self.kind, escape(why)),
        };
        // Writing into a string does not fail.
        let CriteriaParts { from, types, tags, query } = CriteriaParts::of(&self.criteria);
        for (what, texts) in [("from", from), ("of type", types), ("with the tags", tags)] {
            if !texts.is_empty() {
                let _ = writeln!(shown, "{what} {}", escape(&texts.join(", ")));
            }
        }
        if let Some(query) = query {
            let _ = writeln!(shown, "what {} chooses", escape(query.get()));
        }
        match &self.runner {
            Some(runner) => drop(writeln!(shown, "run by {}", escape(runner))),
            None => shown.push_str("not running\n"),
        }
        if let Some(LastFailure { time, message }) = &self.failure {
            let _ = writeln!(shown, "failed at {time}: {}", escape(message));
        }
        shown
    }
}

fn show_list(global: &Global, store: &Store) -> anyhow::Result<()> {
    let mut broken = Broken::default();
    let all = Follows::all(store, global, &mut broken, |_| true)?;
    let cells = |one: &Follows| {
        let [checkpoint, lag, behind] = match &one.reached {
            Ok(Reached { checkpoint, lag, behind, .. }) => [
                checkpoint.to_string(),
                lag.to_string(),
                behind.map_or_else(String::new, units::seconds),
            ],
            Err(_) => ["broken".into(), String::new(), String::new()],
        };
        vec![
            one.name.clone(),
            one.kind.into(),
            checkpoint,
            lag,
            behind,
            one.runner.clone().unwrap_or_default(),
            one.failure.as_ref().map_or_else(String::new, |failure| failure.message.clone()),
        ]
    };
    let header = ["NAME", "KIND", "CHECKPOINT", "LAG", "BEHIND", "RUN BY", "LAST ERROR"];
    list_all(global, &header, all, cells, Follows::json)?;
    Ok(broken.check()?)
}

fn show(global: &Global, store: &Store, name: &str) -> anyhow::Result<()> {
    let mut broken = Broken::default();
    let mut found = Follows::all(store, global, &mut broken, |other| other == name)?;
    let Some(found) = found.pop() else {
        let mut names = Vec::new();
        for near in [store.subscription(name).err(), store.projection_entry(name).err()] {
            match near {
                Some(
                    Error::SubscriptionNotFound { near, .. }
                    | Error::ProjectionNotFound { near, .. },
                ) => names.extend(near),
                Some(error @ Error::NewerRecord(_)) => return Err(error.into()),
                _ => {}
            }
        }
        return Err(Error::SubscriptionNotFound { name: name.into(), near: names }.into());
    };
    let output = Output::new(global);
    let shown = match output.format {
        Format::Table => found.readable().into_bytes(),
        _ => [found.json()?, b"\n".into()].concat(),
    };
    output.write(&shown)?;
    Ok(broken.check()?)
}

fn seek(args: &SeekArgs, global: &Global, store: &mut Store) -> anyhow::Result<()> {
    let position = match &*args.place {
        "start" => Position(0),
        "end" => store.head()?,
        place => match place.parse() {
            Ok(position) => Position(position),
            Err(_) => {
                let time: Timestamp = place.parse().map_err(|error| {
                    invalid(format!(
                        "`{place}` is no position, not `start` or `end`, and no time: {error}"
                    ))
                })?;
                store.position_before(time)?
            }
        },
    };
    move_to(&args.name, position, global, store, |store, to| {
        store.seek_subscription(&args.name, to)
    })
}

fn ack(args: &AckArgs, global: &Global, store: &mut Store) -> anyhow::Result<()> {
    let (name, position) = (args.name.as_str(), Position(args.position));
    let subscription = find(&args.name, store)?;
    store.check_checkpoint(name, &subscription.checkpoint)?;
    let before = subscription.checkpoint.position;
    if position < before {
        let message = format!("`{name}` has acked {before} already; {position} lies before it");
        return Err(invalid(message));
    }
    move_to(&args.name, position, global, store, |store, to| {
        store.move_subscription(&args.name, Some(before), to)
    })
}

/// The subscription `name`; says so where that is a projection.
fn find(name: &SubscriptionName, store: &Store) -> anyhow::Result<Subscription> {
    store.subscription(name.as_str()).map_err(|error| match store.projection_entry(name.as_str()) {
        Ok(_) => Refused::IsProjection(name.to_string()).into(),
        Err(_) => error.into(),
    })
}

/// Moves a subscription that no one runs.
fn move_to(
    name: &SubscriptionName,
    position: Position,
    global: &Global,
    store: &mut Store,
    moved: impl FnOnce(&mut Store, &Checkpoint) -> Result<(), Error>,
) -> anyhow::Result<()> {
    let _lock = store.take_run(name.as_str(), following::MOMENT)?;
    find(name, store)?;
    let to = store.checkpoint(position)?;
    moved(store, &to)?;
    following::write_reached(global, "subscription", name.as_str(), to.position)
}

impl RmArgs {
    fn run(&self, global: &Global, store: &mut Store, signals: &Signals) -> anyhow::Result<()> {
        let name = self.name.as_str();
        let found = match store.subscription(name) {
            Ok(found) => Some(found.checkpoint.position),
            Err(Error::SubscriptionNotFound { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        if let Some(position) = found
            && !self.dry_run
            && !self.yes
        {
            let what =
                format!("removing the subscription {name} and its place, position {position},");
            confirm::ask(&what)?;
        }
        let removed = match found {
            Some(_) if self.dry_run => true,
            None => false,
            Some(_) => signals.hold(|| {
                let _lock = store.take_run(name, following::MOMENT)?;
                store.remove_subscription(&self.name)
            })?,
        };
        let output = Output::new(global);
        let shown = match (output.format, removed) {
            (Format::Table, _) if global.quiet => Vec::new(),
            (Format::Table, false) => format!("{name}: is not there\n").into_bytes(),
            (Format::Table, true) if self.dry_run => {
                format!("{name}: would be removed\n").into_bytes()
            }
            (Format::Table, true) => format!("{name}: removed\n").into_bytes(),
            _ => {
                let dry_run = self.dry_run;
                let json = DoneJson { subscription: name, removed, dry_run };
                [to_line(&json)?, b"\n".into()].concat()
            }
        };
        output.done_or_planned(&shown, self.dry_run)
    }
}
