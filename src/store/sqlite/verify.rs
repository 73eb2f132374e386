//! Run a store: all that it holds, by all processors, beside whoever uses it.
//!
//! What is to be done is a list of jobs: ranges of events, and what leads to them or stands beside them. Threads
//! take one after another, each by a connection of its own. No job hangs on another: an event is compared with
//! the link that stands before it, and with what leads to it through [`cells`], in whatever order they come. So
//! the jobs of one run look at the store at different moments; what is written meanwhile is behind the end that
//! was found in the beginning, and where something was removed in between it is looked at [`one`] event again.

mod cells;
mod database;
mod events;
mod indexes;
mod one;
mod rows;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::thread::available_parallelism;

use rusqlite::{Connection, ErrorCode, OptionalExtension as _};

use self::cells::{AT_ONCE, Cells};
use self::events::Scan;
use self::indexes::Walk;
use self::rows::Rows;
use super::database::open_to_read;
use super::event_row::{Head, recorded_and_link};
use super::failure::{Failure, failure};
use super::records::{Acknowledged, Witness, read};
use super::{Layout, Store};
use crate::event::{Link, Position, Timestamp};
use crate::platform;
use crate::store::verify::{Counts, Finding, FindingKind, Verification, Verified, Verifying};
use crate::store::{Checkpoint, Error, Options};

/// How many events a quick verification looks at.
const QUICK: u64 = 10_000;
/// How many events are one job.
const CHUNK: u64 = 8192;
/// How many threads there are at most.
const THREADS: usize = 16;

/// A part of a verification.
#[derive(Debug, Clone)]
enum Job {
    /// SQLite's own check.
    Database,
    Streams,
    Ids,
    Tags,
    /// States, decisions, names, settings.
    Rows,
    Events(RangeInclusive<u64>),
}

/// What comes of a job.
#[derive(Debug, Default)]
struct Done {
    counts: Counts,
    findings: Vec<Finding>,
}

/// What threads share.
struct Shared {
    jobs: Vec<Job>,
    next: AtomicUsize,
    cells: Cells,
    layout: Layout,
    options: Options,
    store_id: String,
}

impl Store {
    /// Verifies what is asked, and tells what is found.
    pub(crate) fn verify(
        &self,
        asked: &Verification,
        tell: &mut dyn FnMut(Verifying),
    ) -> Result<Verified, Error> {
        self.check_in_place()?;
        let witness = Witness::read(&self.layout);
        // A statement that goes on for long ends at once when it is interrupted.
        let options = Options { goes_on: 0, ..self.options.clone() };
        let connection = open_to_read(&self.layout, &options)?;
        let told = |failed: Failure| failed.into_error(&self.layout, "verify the store");
        let processors = available_parallelism().map_or(1, usize::from);
        let threads = if asked.leaves_half { processors.div_ceil(2) } else { processors };
        let threads = threads.min(THREADS);
        let (counts, damaged) = (Counts::default(), Vec::new());
        let mut run = Run { counts, findings: 0, damaged, threads, tell };
        let head = self.records(&connection, witness, asked, &mut run).map_err(told)?;
        let Position(end) = head.position;
        let first = match asked.from {
            Some(from) if from > head.position.next() => {
                return Err(Error::BeyondHead { position: from, head: head.position });
            }
            Some(from) => from.0.max(1),
            None => 1,
        };
        if asked.quick {
            let first = first.max(end.saturating_sub(QUICK - 1));
            self.quick(&connection, first..=end, &mut run).map_err(told)?;
        } else {
            let mut from = first;
            loop {
                let last = end.min(from.saturating_add(AT_ONCE - 1));
                let cells = Cells::new(from..=last);
                let jobs = jobs(from..=last, from == first);
                let shared = Shared {
                    jobs,
                    next: AtomicUsize::new(0),
                    cells,
                    layout: self.layout.clone(),
                    options: options.clone(),
                    store_id: self.marker.id.clone(),
                };
                let shared = Arc::new(shared);
                run.all(&shared, (end + 1).saturating_sub(first))?;
                run.differing(&connection, &shared.cells).map_err(told)?;
                if last == end {
                    break;
                }
                from = last + 1;
            }
        }
        self.check_in_place()?;
        let Run { counts, findings, .. } = run;
        Ok(Verified { head, counts, findings })
    }

    /// Compares the database with the records of what was acknowledged, and with the head that it is to have had;
    /// its head.
    fn records(
        &self,
        connection: &Connection,
        witness: Witness,
        asked: &Verification,
        run: &mut Run<'_>,
    ) -> Result<Checkpoint, Failure> {
        let transaction = connection.unchecked_transaction()?;
        let head = self.head_as_it_stands(connection)?;
        let Checkpoint { position, link } = head;
        let as_read = Head { position, recorded: Timestamp::MIN, link };
        for lost in witness.losses(connection, &self.layout, &as_read)? {
            let what = lost.to_string();
            run.found(Finding::new(FindingKind::Lost, what));
        }
        for record in witness.silent(connection, &self.layout, &as_read)? {
            let what = "it is missing or torn, so it does not say what was acknowledged last";
            run.found(Finding::new(FindingKind::Record, what).named(record));
        }
        if let Some(against) = asked.against {
            let Position(position) = against.position;
            let found = link_there(connection, &self.marker.id, position)?;
            let what = match found {
                Some(link) if link == against.link() => None,
                Some(link) => Some(format!("the link there is {link}, and was {}", against.link())),
                None => Some(format!("the store ends at position {}", head.position)),
            };
            if let Some(what) = what {
                run.found(Finding::new(FindingKind::Against, what).at(position));
            }
        }
        drop(transaction);
        Ok(head)
    }

    /// The last position, and the link there as far as it can be read.
    fn head_as_it_stands(&self, connection: &Connection) -> Result<Checkpoint, Failure> {
        let select = "SELECT coalesce(max(position), 0) FROM events";
        let position: u64 = connection.query_row(select, [], |row| row.get(0))?;
        let acknowledged: Option<Acknowledged> = read(&self.layout);
        let said = acknowledged.filter(|said| said.position.0 == position).map(|said| said.link);
        let link = link_there(connection, &self.marker.id, position)?;
        let link = link.or(said).unwrap_or_else(|| Link::from([0; 16]));
        Ok(Checkpoint { position: Position(position), link })
    }

    /// Verifies some events by themselves, each with what leads to it.
    fn quick(
        &self,
        connection: &Connection,
        positions: RangeInclusive<u64>,
        run: &mut Run<'_>,
    ) -> Result<(), Failure> {
        let cells = Cells::none();
        let (counts, findings) = (Counts::default(), Vec::new());
        let store_id = &self.marker.id;
        let mut scan = Scan { connection, store_id, cells: &cells, counts, findings };
        scan.verify(positions.clone())?;
        let Scan { counts, findings, .. } = scan;
        run.done(Done { counts, findings });
        let transaction = connection.unchecked_transaction()?;
        for position in positions {
            run.compare(connection, position, 0)?;
        }
        drop(transaction);
        Ok(())
    }
}

/// The link of the event at a position; nothing where there is none, or it can't be read.
fn link_there(
    connection: &Connection,
    store_id: &str,
    position: u64,
) -> Result<Option<Link>, Failure> {
    if position == 0 {
        return Ok(Some(Link::genesis(store_id)));
    }
    let mut statement =
        connection.prepare_cached("SELECT header FROM events WHERE position = ?1")?;
    let found = statement
        .query_row([position], |row| Ok(recorded_and_link(row, 0).ok().map(|(_, link)| link)));
    match found.optional() {
        Ok(found) => Ok(found.flatten()),
        Err(error) if is_unreadable(&error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What is to be done for some events; and `beside` them.
fn jobs(positions: RangeInclusive<u64>, beside: bool) -> Vec<Job> {
    let (first, last) = positions.into_inner();
    let mut jobs = Vec::new();
    // What takes long and can't be divided goes first.
    if beside {
        jobs.extend([Job::Database, Job::Rows]);
    }
    jobs.extend([Job::Streams, Job::Ids, Job::Tags]);
    let mut next = first;
    while next <= last {
        let end = last.min(next + CHUNK - 1);
        jobs.push(Job::Events(next..=end));
        next = end + 1;
    }
    jobs
}

/// Whether a part of the database can't be read, whoever asks for it.
fn is_unreadable(error: &rusqlite::Error) -> bool {
    use ErrorCode::{DatabaseCorrupt, NotADatabase, SystemIoFailure};
    matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase | SystemIoFailure))
}

/// A verification that goes on.
struct Run<'v> {
    counts: Counts,
    findings: u64,
    /// Events of which it was told already.
    damaged: Vec<RangeInclusive<u64>>,
    /// How many threads do the jobs at most.
    threads: usize,
    tell: &'v mut dyn FnMut(Verifying),
}

impl Run<'_> {
    fn found(&mut self, finding: Finding) {
        self.findings += 1;
        if let (Some(Position(first)), last) = (finding.position, finding.last) {
            self.damaged.push(first..=last.map_or(first, |last| last.0));
        }
        (self.tell)(Verifying::Found(finding));
    }

    fn done(&mut self, done: Done) {
        self.counts.add(&done.counts);
        done.findings.into_iter().for_each(|finding| self.found(finding));
    }

    /// Has threads do the jobs, and tells what comes of them in the order of the jobs.
    fn all(&mut self, shared: &Arc<Shared>, of: u64) -> Result<(), Error> {
        let (sender, results) = mpsc::channel();
        let mut running = Vec::new();
        for _ in 0..self.threads.min(shared.jobs.len()) {
            let (shared, sender) = (Arc::clone(shared), sender.clone());
            let started = platform::spawn(move || shared.work(&sender));
            match started {
                Ok(thread) => running.push(thread),
                Err(_) if !running.is_empty() => break,
                Err(error) => {
                    return Err(Error::Engine { action: "verify the store", source: error.into() });
                }
            }
        }
        drop(sender);
        let (mut waiting, mut next) = (BTreeMap::new(), 0);
        let mut failed = None;
        for (job, done) in results {
            match done {
                Ok(done) => {
                    if let Job::Events(positions) = &shared.jobs[job] {
                        let events = positions.end() - positions.start() + 1;
                        (self.tell)(Verifying::Passed { events, of });
                    }
                    waiting.insert(job, done);
                }
                // The others end as well.
                Err(error) => {
                    shared.next.store(usize::MAX, Ordering::Relaxed);
                    failed.get_or_insert(error);
                }
            }
            while let Some(done) = waiting.remove(&next) {
                self.done(done);
                next += 1;
            }
        }
        for thread in running {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
        match failed {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Looks again where events and what leads to them do not say the same.
    fn differing(&mut self, connection: &Connection, cells: &Cells) -> Result<(), Failure> {
        for (position, left) in cells.differing() {
            let transaction = connection.unchecked_transaction()?;
            self.compare(connection, position, left)?;
            drop(transaction);
        }
        Ok(())
    }

    fn compare(
        &mut self,
        connection: &Connection,
        position: u64,
        left: u64,
    ) -> Result<(), Failure> {
        if self.damaged.iter().any(|damaged| damaged.contains(&position)) {
            return Ok(());
        }
        let found = match one::look(connection, position, left) {
            Err(Failure::Sqlite(error)) if is_unreadable(&error) => {
                let what = format!("what leads to it can't be read: {error}");
                Some(Finding::new(FindingKind::Index, what).at(position))
            }
            found => found?,
        };
        if let Some(finding) = found {
            self.found(finding);
        }
        Ok(())
    }
}

impl Shared {
    /// Takes jobs until none is left.
    fn work(&self, results: &Sender<(usize, Result<Done, Error>)>) {
        let mut connection = None;
        loop {
            let job = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(asked) = self.jobs.get(job) else { return };
            let done = self.connected(&mut connection).and_then(|connection| {
                self.run(connection, asked).map_err(|failed| match failed {
                    Failure::Refused(error) => error,
                    Failure::Sqlite(error) => failure(&self.layout, "verify the store", error),
                })
            });
            let goes_on = done.is_ok();
            if results.send((job, done)).is_err() || !goes_on {
                return;
            }
        }
    }

    fn connected<'c>(&self, kept: &'c mut Option<Connection>) -> Result<&'c Connection, Error> {
        if kept.is_none() {
            let connection = open_to_read(&self.layout, &self.options)?;
            // It goes through the file once, from front to back.
            let small = connection.execute_batch("PRAGMA cache_size=64");
            small.map_err(|error| failure(&self.layout, "verify the store", error))?;
            *kept = Some(connection);
        }
        kept.as_ref().ok_or(Error::Interrupted)
    }

    fn run(&self, connection: &Connection, job: &Job) -> Result<Done, Failure> {
        if self.options.interrupted() {
            return Err(Error::Interrupted.into());
        }
        // What is looked at together stands together; where this ends, it was only read.
        let transaction = connection.unchecked_transaction()?;
        let (counts, findings, cells) = (Counts::default(), Vec::new(), &self.cells);
        let mut walk = Walk { connection, cells, findings: Vec::new() };
        let mut done = Done::default();
        match job {
            Job::Database => {
                done.findings = database::tables(connection)?;
                done.findings.extend(database::pages(connection)?);
            }
            Job::Streams => done.counts.streams = walk.streams()?,
            Job::Ids => walk.ids()?,
            Job::Tags => walk.tags()?,
            Job::Rows => {
                let store_id = &self.store_id;
                let mut rows = Rows { connection, store_id, counts, findings };
                rows.verify()?;
                (done.counts, done.findings) = (rows.counts, rows.findings);
            }
            Job::Events(positions) => {
                let store_id = &self.store_id;
                let mut scan = Scan { connection, store_id, cells, counts, findings };
                scan.verify(positions.clone())?;
                (done.counts, done.findings) = (scan.counts, scan.findings);
            }
        }
        done.findings.append(&mut walk.findings);
        drop(transaction);
        Ok(done)
    }
}
