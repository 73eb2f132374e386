//! One command on a boundary, from the command line.

use std::io::Write as _;

use ream::program::Aggregator;
use ream::{BoundaryCommand, BoundaryDecision, Criteria, Decided, Position, Store, wire};

use super::{DecideArgs, refusal, tell_events, undecided};
use crate::args::{Format, Global};
use crate::command::acknowledgement::repeated;
use crate::output::{Output, note};
use crate::signals::Signals;

/// Where nothing is stored, in words.
pub(super) const NOWHERE: &str = "in any stream";

/// Decides the command, and tells what is stored.
pub(super) fn decide(
    args: &DecideArgs,
    command: &BoundaryCommand,
    aggregator: &Aggregator,
    global: &Global,
    store: &mut Store,
    signals: &Signals,
) -> anyhow::Result<()> {
    let mut output = Output::new(global);
    let mut buffer = Vec::new();
    // What was read last.
    let mut head = None;
    signals.hold(|| {
        let mut ask = |boundary: &ream::Boundary| {
            head = Some(boundary.head.position);
            let decision = aggregator.decide_on(boundary, command);
            let mut decision = decision.map_err(|error| refusal(error, NOWHERE))?;
            args.put_metadata(&mut decision.events);
            anyhow::Ok(decision)
        };
        if args.dry_run && store.decided_on(command)?.is_none() {
            let decision = ask(&store.boundary(&command.criteria)?)?;
            return plan(&mut buffer, store, &decision, global, &mut output);
        }
        let decided = store.decide_on(command, ask);
        let decided = decided.map_err(|error| undecided(args, error, NOWHERE))?;
        if output.format != Format::Table || !global.quiet {
            tell(&mut buffer, &command.criteria, head, &decided, &mut output);
        }
        anyhow::Ok(())
    })?;
    buffer.extend_from_slice(output.end());
    output.done_or_planned(&buffer, args.dry_run)?;
    Ok(signals.check()?)
}

/// Tells where each event stands; where there is none, that the command is accepted.
fn tell(
    buffer: &mut Vec<u8>,
    criteria: &Criteria,
    head: Option<Position>,
    decided: &Decided,
    output: &mut Output,
) {
    tell_events(buffer, decided, output);
    if decided.events.is_empty() {
        if output.format == Format::Table {
            let note = repeated(decided.duplicate, decided.removed);
            // Writing into memory does not fail.
            let _ = writeln!(buffer, "accepted, no event{note}");
            return;
        }
        let mut line = Vec::new();
        write_query(&mut line, criteria, head);
        wire::write_repeated(&mut line, decided.duplicate, decided.removed, false);
        line.push(b'}');
        output.record(buffer, &line);
    }
}

/// Shows what a decision would store: lines that `append --jsonl --atomic` takes.
fn plan(
    buffer: &mut Vec<u8>,
    store: &Store,
    decision: &BoundaryDecision,
    global: &Global,
    output: &mut Output,
) -> anyhow::Result<()> {
    let events = store.planned_on(decision)?;
    for event in &events {
        let mut line = Vec::new();
        wire::write_new_event(&mut line, event);
        output.record(buffer, &line);
    }
    if events.is_empty() {
        let mut line = Vec::new();
        let criteria = decision.condition.none.as_ref().map(|none| &none.criteria);
        write_query(
            &mut line,
            criteria.unwrap_or(&Criteria::default()),
            Some(decision.condition.after()),
        );
        line.push(b'}');
        output.record(buffer, &line);
    } else {
        note(
            global,
            "note:",
            "the condition on the first line holds for all of them with append --jsonl --atomic",
        );
    }
    Ok(())
}

/// Begins a line about a query.
pub(super) fn write_query(line: &mut Vec<u8>, criteria: &Criteria, head: Option<Position>) {
    line.extend_from_slice(b"{\"query\":");
    wire::write_query(line, criteria);
    if let Some(head) = head {
        line.extend_from_slice(b",\"head\":");
        wire::write_number(line, head.0);
    }
}
