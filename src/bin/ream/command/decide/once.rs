//! One command, from the command line.

use std::io::Write as _;

use ream::program::Aggregator;
use ream::{Command, Decided, Decision, Expect, Store, StreamName, Version, wire};

use super::{DecideArgs, in_stream, refusal, tell_events, undecided};
use crate::args::{Format, Global};
use crate::command::acknowledgement::repeated;
use crate::output::{Output, escape};
use crate::signals::Signals;

/// Decides the command, and tells what is stored.
pub(super) fn decide(
    args: &DecideArgs,
    command: &Command,
    aggregator: &Aggregator,
    global: &Global,
    store: &mut Store,
    signals: &Signals,
) -> anyhow::Result<()> {
    let stream = &command.stream;
    let mut output = Output::new(global);
    let mut buffer = Vec::new();
    let told = signals.hold(|| {
        if args.dry_run && store.decided(command)?.is_none() {
            let aggregate = store.load(stream)?;
            let decision = aggregator.decide(&aggregate, command);
            let decision = decision.map_err(|error| refusal(error, &in_stream(stream)))?;
            return Ok::<_, anyhow::Error>(Told::Planned(args.with_metadata(decision)));
        }
        let decided = store.decide(command, |aggregate| {
            let decision = aggregator.decide(aggregate, command);
            Ok(args.with_metadata(decision.map_err(|error| refusal(error, &in_stream(stream)))?))
        });
        Ok(Told::Stored(decided.map_err(|error| undecided(args, error, &in_stream(stream)))?))
    })?;
    match told {
        Told::Planned(decision) => plan(&mut buffer, decision, &mut output),
        Told::Stored(_) if output.format == Format::Table && global.quiet => {}
        Told::Stored(decided) => {
            tell(&mut buffer, stream, &decided, &mut output);
        }
    }
    buffer.extend_from_slice(output.end());
    let reported = output.done_or_planned(&buffer, args.dry_run);
    reported?;
    Ok(signals.check()?)
}

/// What is told.
enum Told {
    /// What would be stored.
    Planned(Decision),
    /// What is.
    Stored(Decided),
}

/// Tells where each event stands; where there is none, the stream.
fn tell(buffer: &mut Vec<u8>, stream: &StreamName, decided: &Decided, output: &mut Output) {
    tell_events(buffer, decided, output);
    if decided.events.is_empty() {
        let (version, duplicate, removed) = (decided.version, decided.duplicate, decided.removed);
        if output.format == Format::Table {
            let (name, note) = (escape(stream.as_str()), repeated(duplicate, removed));
            // Writing into memory does not fail.
            let _ = writeln!(buffer, "{name}@{version}: accepted, no event{note}");
            return;
        }
        let mut line = Vec::new();
        write_stream(&mut line, stream, version);
        wire::write_repeated(&mut line, duplicate, removed, false);
        line.push(b'}');
        output.record(buffer, &line);
    }
}

/// Shows what a decision would store: lines that `append --jsonl` takes, or the state alone.
fn plan(buffer: &mut Vec<u8>, decision: Decision, output: &mut Output) {
    let Decision { stream, version, events, state, .. } = decision;
    let last = events.len().saturating_sub(1);
    let none = events.is_empty();
    for ((index, mut event), before) in events.into_iter().enumerate().zip(version.0..) {
        event.expect = Expect::At(Version(before));
        if index == last && state.is_some() {
            event.state.clone_from(&state);
        }
        let mut line = Vec::new();
        wire::write_new_event(&mut line, &event);
        output.record(buffer, &line);
    }
    if none {
        let mut line = Vec::new();
        write_stream(&mut line, &stream, version);
        if let Some(state) = &state {
            wire::write_payload(&mut line, "state", state.borrow());
        }
        line.push(b'}');
        output.record(buffer, &line);
    }
}

/// Begins a line about a stream.
fn write_stream(line: &mut Vec<u8>, stream: &StreamName, version: Version) {
    line.extend_from_slice(b"{\"stream\":");
    wire::write_string(line, stream.as_str());
    line.extend_from_slice(b",\"version\":");
    wire::write_number(line, version.0);
}
