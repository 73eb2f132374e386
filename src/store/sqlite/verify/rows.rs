//! What stands beside events: states, decisions, names, settings; each row by itself, and by the events that it
//! is about.

use rusqlite::Connection;

use super::is_unreadable;
use crate::event::DataRef;
use crate::event::{Position, Version};
use crate::store::hash::sum;
use crate::store::rules::names::Kind;
use crate::store::sqlite::decision_rows::DecisionRow;
use crate::store::sqlite::event_row::{COLUMNS as EVENT_COLUMNS, Fields};
use crate::store::sqlite::failure::{Failure, damage, damaged};
use crate::store::sqlite::payload::may_be_json;
use crate::store::sqlite::runs::link_at;
use crate::store::sqlite::state_rows::{COLUMNS as STATE_COLUMNS, StateRow};
use crate::store::sqlite::stream_index::{StreamRow, position_of, unpack};
use crate::store::sqlite::{decision_rows, registry};
use crate::store::verify::{Counts, Finding, FindingKind};

/// Goes through rows.
pub(super) struct Rows<'r> {
    pub(super) connection: &'r Connection,
    pub(super) store_id: &'r str,
    pub(super) counts: Counts,
    pub(super) findings: Vec<Finding>,
}

impl Rows<'_> {
    /// Verifies all of them.
    pub(super) fn verify(&mut self) -> Result<(), Failure> {
        for (kind, what) in [
            (FindingKind::State, Self::states as fn(&mut Self) -> Result<(), Failure>),
            (FindingKind::Decision, Self::decisions),
            (FindingKind::Name, Self::names),
            (FindingKind::Setting, Self::settings),
        ] {
            match what(self) {
                Err(Failure::Sqlite(error)) if is_unreadable(&error) => {
                    let what = format!("these can't be read to the end: {error}");
                    self.findings.push(Finding::new(kind, what));
                }
                done => done?,
            }
        }
        Ok(())
    }

    fn states(&mut self) -> Result<(), Failure> {
        let connection = self.connection;
        let select = format!("SELECT {STATE_COLUMNS} FROM states ORDER BY stream");
        let mut statement = connection.prepare(&select)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let wrong = match StateRow::read(row) {
                Ok(state) => {
                    self.counts.states += 1;
                    self.state(&state)?
                }
                Err(error) => Some(damage(&error)),
            };
            if let Some(what) = wrong {
                let stream = row.get_ref(0)?.as_bytes().map(String::from_utf8_lossy);
                let version = row.get(1).ok().map(Version);
                let finding = Finding::new(FindingKind::State, what);
                self.findings.push(finding.of(&stream.unwrap_or_default(), version));
            }
        }
        Ok(())
    }

    /// What is wrong with a state that is as it was written.
    fn state(&self, state: &StateRow<'_>) -> Result<Option<String>, Failure> {
        if let DataRef::Json(text) = state.data
            && !may_be_json(text)
        {
            return Ok(Some("it is not JSON".into()));
        }
        let found =
            StreamRow::read(self.connection, state.stream).and_then(|row| match state.version {
                Version(version) if version > row.version => Err(damaged(format!(
                    "it reflects version {version}, and its stream ends at {}",
                    row.version
                ))),
                version => position_of(self.connection, state.stream, &row, version),
            });
        match found {
            Ok(position) if Position(position) == state.position => Ok(None),
            Ok(position) => {
                let Position(says) = state.position;
                Ok(Some(format!("its version stands at position {position}, and not at {says}")))
            }
            Err(error) => told(error).map(Some),
        }
    }

    fn decisions(&mut self) -> Result<(), Failure> {
        let connection = self.connection;
        let select = format!("SELECT {} FROM decisions ORDER BY id", decision_rows::COLUMNS);
        let mut statement = connection.prepare(&select)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let wrong = match DecisionRow::read(row) {
                Ok(decision) => {
                    self.counts.decisions += 1;
                    self.decision(&decision)?
                }
                Err(error) => Some(damage(&error)),
            };
            if let Some(what) = wrong {
                let id = row.get_ref(0)?.as_bytes().map(String::from_utf8_lossy);
                let finding = Finding::new(FindingKind::Decision, what);
                self.findings.push(finding.named(&id.unwrap_or_default()));
            }
        }
        Ok(())
    }

    /// What is wrong with a decision that is as it was written.
    fn decision(&self, decision: &DecisionRow<'_>) -> Result<Option<String>, Failure> {
        let select = format!("SELECT {EVENT_COLUMNS} FROM events WHERE position = ?1");
        let mut read = self.connection.prepare_cached(&select)?;
        for position in unpack(decision.positions) {
            let mut rows = read.query([position])?;
            let Some(row) = rows.next()? else {
                return Ok(Some(format!("its event at position {position} is not there")));
            };
            // What is wrong with the event itself is told of that.
            if let (Ok(event), Some(stream)) = (Fields::read(row), decision.stream)
                && event.stream != stream
            {
                return Ok(Some(format!(
                    "its event at position {position} is one of another stream"
                )));
            }
        }
        if let (Some(stream), Some(Version(version))) = (decision.stream, decision.version) {
            match StreamRow::read(self.connection, stream) {
                Ok(row) if row.version < version => {
                    return Ok(Some(format!(
                        "it came to version {version}, and its stream ends at {}",
                        row.version
                    )));
                }
                Ok(_) => {}
                Err(error) => return told(error).map(Some),
            }
        }
        Ok(None)
    }

    fn names(&mut self) -> Result<(), Failure> {
        for read in registry::each(self.connection)? {
            let name = match read {
                Ok(name) => name,
                Err((name, error)) => {
                    let finding = Finding::new(FindingKind::Name, damage(&error));
                    self.findings.push(finding.named(&name));
                    continue;
                }
            };
            match name.kind {
                Some(Kind::Projection) => self.counts.projections += 1,
                Some(Kind::Subscription) => self.counts.subscriptions += 1,
                None => {}
            }
            if let Some(checkpoint) = &name.checkpoint
                && link_at(self.connection, self.store_id, checkpoint.position)?.ok()
                    != Some(checkpoint.link())
            {
                let what = "another event stands at its checkpoint, or none";
                let finding = Finding::new(FindingKind::Checkpoint, what);
                self.findings.push(finding.at(checkpoint.position.0).named(&name.text));
            }
        }
        Ok(())
    }

    fn settings(&mut self) -> Result<(), Failure> {
        let select = "SELECT pattern, key, value, sum FROM settings";
        let mut statement = self.connection.prepare(select)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let texts = [0, 1, 2].map(|column| row.get::<_, String>(column));
            let [Ok(pattern), Ok(key), Ok(value)] = texts else {
                let what = "a setting is not what was stored";
                self.findings.push(Finding::new(FindingKind::Setting, what));
                continue;
            };
            let made = sum(|fields| {
                for text in [&pattern, &key, &value] {
                    fields.text(text);
                }
            });
            if row.get(3) != Ok(made) {
                let finding = Finding::new(FindingKind::Setting, "it is not what was stored");
                self.findings.push(finding.named(&format!("{key} of {pattern}")));
            }
        }
        Ok(())
    }
}

/// What an error tells of a row that is not what was stored; the error, where it tells something else.
fn told(error: rusqlite::Error) -> Result<String, Failure> {
    match error.sqlite_error_code() {
        None => Ok(damage(&error)),
        Some(_) => Err(error.into()),
    }
}
