//! Reading events in batches, each in one look.
//!
//! A reader that looked on while a pipe blocks would hold up the engine; since an event changes only by removal, a
//! batch behind another needs no common moment.

use std::ops::ControlFlow;

use super::look::{Asked, Effort, Listed, Listing, Look, Reading, Span, Want};
use super::rules::Found;
use super::{Batch, Error, Mark, Query};
use crate::event::{Chooser, Criteria, Criterion, Cursor, EventRef, Position, Timestamp, Version};

/// How many events a batch holds at most.
const BATCH_EVENTS: usize = 1000;
/// How many bytes of data a batch holds, one event more at most.
const BATCH_BYTES: usize = 512 * 1024;
/// How many events a batch looks at, when few of them are chosen.
const BATCH_ROWS: usize = 20_000;
/// A list is better than a look at each event where it holds at most one in so many positions.
const SPARSE: u64 = 8;

/// How many events are looked at, or looked through in an index, at most where it has to be short.
const SHORT: u64 = 1000;

/// Behind every position that an engine can hold.
const END: u64 = i64::MAX.unsigned_abs();

/// Reads events in batches. Between batches it holds nothing of the store, so a slow reader
/// stands in nobody's way.
#[derive(Debug)]
pub struct Reader {
    reading: Box<dyn Reading>,
    course: Course,
}

/// How to find the chosen events.
#[derive(Debug)]
enum Plan {
    /// Look at each event.
    Scan,
    /// These are all events of the chosen streams up to a position; the next one has this index.
    List(Listing, usize),
}

/// How far a reader is.
#[derive(Debug)]
struct Course {
    query: Query,
    chooser: Chooser,
    follow: bool,
    want: Want,
    /// Everything up to this position has been looked at.
    position: u64,
    /// The last position that can be of interest.
    end: u64,
    /// How many more events may come.
    left: u64,
    plan: Plan,
    /// A version of the one stream that is known to stand at `position` or before.
    known: Version,
    /// How many events are looked through at most to list those with tags.
    most: u64,
}

/// What a batch has taken.
struct Taken {
    events: usize,
    bytes: usize,
    /// Whether the query has got all that it wants.
    ended: bool,
}

impl Reader {
    /// A reader of what `query` chooses: up to the head as it is, or following it.
    pub(super) fn new(
        reading: Box<dyn Reading>,
        query: &Query,
        follow: bool,
    ) -> Result<Self, Error> {
        let mut reader = Self { reading, course: Course::new(query.clone(), follow) };
        reader.look(|course, look, head| course.start(look, head))?;
        Ok(reader)
    }

    /// The same of events without their data and metadata, in whose place nothing stands.
    pub(crate) fn without_data(mut self) -> Self {
        self.course.want = Want::NoData;
        self
    }

    /// Gives the next batch to `each`.
    ///
    /// # Errors
    ///
    /// Where the store can't be read, or is no longer there.
    pub fn next_batch(&mut self, mut each: impl FnMut(&EventRef<'_>)) -> Result<Batch, Error> {
        self.look(|course, look, head| course.read_batch(look, head, &mut each))
    }

    /// Goes on behind all that is stored and durable by now, as a reader that has read it; up to where.
    #[cfg(all(feature = "serve", unix))]
    pub(crate) fn skip(&mut self) -> Result<Position, Error> {
        self.look(|course, look, head| {
            course.position = course.position.max(head);
            course.make_plan(look, head)?;
            Ok(Position(course.position))
        })
    }

    /// The first position that is looked at, and the last one: where the log ends, or before.
    ///
    /// # Errors
    ///
    /// Where the store can't be read.
    pub fn bounds(&mut self) -> Result<(Position, Cursor), Error> {
        self.look(|course, look, head| {
            let end = Position(course.end.min(head));
            let link = look.link_at(end)?;
            let cursor = link.map_or(end.into(), |link| Cursor::new(end, &link));
            Ok((Position(course.position).next(), cursor))
        })
    }

    /// Whether something may have been stored since this was last asked.
    pub(crate) fn changed(&mut self) -> Result<bool, Error> {
        self.reading.changed()
    }

    /// Looks once.
    fn look<T>(
        &mut self,
        work: impl FnOnce(&mut Course, &dyn Look, u64) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let (course, mut work, mut done) = (&mut self.course, Some(work), None);
        self.reading.look(&mut |look, head| {
            if let Some(work) = work.take() {
                done = Some(work(course, look, head)?);
            }
            Ok(())
        })?;
        done.ok_or(Error::Interrupted)
    }
}

/// Looks for the first event between two positions that criteria choose, in steps.
#[derive(Debug)]
pub(super) struct Search {
    course: Course,
    has_begun: bool,
    found: Option<Found>,
}

impl Search {
    /// A search behind the position `after`, up to `end`, which has to be there.
    pub(super) fn new(criteria: &Criteria, after: u64, end: u64) -> Self {
        let mut query = Query::by(criteria.clone());
        query.after = Some(Mark::Position(Position(after.min(end))));
        query.until = Some(Mark::Position(Position(end)));
        query.limit = Some(1);
        Self { course: Course::new(query, false), has_begun: false, found: None }
    }

    /// The same where it takes no longer than a commit: over a few events, or by tags that few have. Nothing
    /// otherwise.
    pub(super) fn short(
        look: &dyn Look,
        criteria: &Criteria,
        after: u64,
        end: u64,
    ) -> Result<Option<Self>, Error> {
        let mut search = Self::new(criteria, after, end);
        if end.saturating_sub(after) <= SHORT {
            return Ok(Some(search));
        }
        if criteria.items.iter().any(|item| item.tags.is_empty()) {
            return Ok(None);
        }
        search.course.most = SHORT;
        search.course.start(look, end)?;
        search.has_begun = true;
        Ok(matches!(search.course.plan, Plan::List(..)).then_some(search))
    }

    /// Looks on; whether it is at its end.
    pub(super) fn step(&mut self, look: &dyn Look) -> Result<bool, Error> {
        let Some(Mark::Position(end)) = self.course.query.until else { return Ok(true) };
        if !self.has_begun {
            self.course.start(look, end.0)?;
            self.has_begun = true;
        }
        let found = &mut self.found;
        let mut keep = |event: &EventRef<'_>| *found = Some(Found::of(event));
        Ok(self.course.read_batch(look, end.0, &mut keep)?.caught_up)
    }

    /// What was found.
    pub(super) fn found(self) -> Option<Found> {
        self.found
    }
}

impl Course {
    fn new(query: Query, follow: bool) -> Self {
        Self {
            chooser: Chooser::of(&query.criteria),
            follow,
            want: Want::All,
            position: 0,
            end: END,
            left: query.limit.unwrap_or(u64::MAX),
            plan: Plan::Scan,
            known: Version(0),
            most: END,
            query,
        }
    }

    /// Finds where to begin, where to end, and how to get there.
    fn start(&mut self, look: &dyn Look, head: u64) -> Result<(), Error> {
        if let Some(mark) = self.query.after {
            self.position = self.resolve_start(look, mark, head)?;
        }
        if let Some(since) = self.query.since {
            // A time lies at most a day after the clock of the log, which never goes back.
            let earliest = since.plus_micros(-Timestamp::DAY);
            self.position = self.position.max(look.before_recorded(earliest, head)?);
        }
        match self.query.until {
            Some(Mark::Position(until)) => self.end = until.0.min(END),
            Some(Mark::Version(version)) => {
                // A version that is yet to come is met when it comes.
                if let (Some(end), _) = look.position_of(self.query.one_stream()?, version)? {
                    self.end = end.0;
                }
            }
            None => {}
        }
        if !self.follow {
            self.end = self.end.min(head);
        }
        if self.query.new {
            self.position = self.position.max(head);
        }
        self.make_plan(look, head)?;
        if let Some(last) = self.query.last {
            self.position = self.position.max(self.before_last(look, last, head)?);
            self.make_plan(look, head)?;
        }
        Ok(())
    }

    fn resolve_start(&mut self, look: &dyn Look, mark: Mark, head: u64) -> Result<u64, Error> {
        match mark {
            Mark::Position(position) if position.0 > head => {
                Err(Error::BeyondHead { position, head: Position(head) })
            }
            Mark::Position(position) => Ok(position.0),
            Mark::Version(version) => {
                let name = self.query.one_stream()?;
                match look.position_of(name, version)? {
                    (Some(position), _) => {
                        self.known = version;
                        Ok(position.0)
                    }
                    (None, actual) => {
                        Err(Error::BeyondStream { stream: name.into(), version, actual })
                    }
                }
            }
        }
    }

    /// Chooses how to find the events.
    fn make_plan(&mut self, look: &dyn Look, head: u64) -> Result<(), Error> {
        let (after, end) = (self.position, self.end.min(head));
        self.plan = Plan::Scan;
        if after >= end {
            return Ok(());
        }
        let most = (end - after) / SPARSE;
        let listing = match &self.query.criteria.items[..] {
            [item] => self.list(look, item, (after, end, most), head)?,
            items => self.list_all(look, items, (after, end, most), head)?,
        };
        if let Some(listing) = listing {
            self.plan = Plan::List(listing, 0);
        }
        Ok(())
    }

    /// Lists the events that an item chooses, or more; nothing where to look at each event is better.
    fn list(
        &self,
        look: &dyn Look,
        item: &Criterion,
        (after, end, most): (u64, u64, u64),
        head: u64,
    ) -> Result<Option<Listing>, Error> {
        let asked = Asked { streams: &item.streams, after, end, most, known: self.known };
        let of_streams = if item.all_streams() { None } else { look.positions(&asked, head)? };
        if item.tags.is_empty() {
            return Ok(of_streams);
        }
        // Whichever list is shorter.
        let listed = of_streams.as_ref().map_or(most, |listing| listing.events.len() as u64);
        let most = Effort { listed, looked: self.most };
        let with_tags = look.positions_with(item.tags.borrow(), (after, end), most)?;
        // A part of a long list may be denser than the whole.
        let is_sparse = |listing: &Listing| {
            listing.covered >= end
                || listing.events.len() as u64 <= (listing.covered - after) / SPARSE
        };
        Ok(with_tags.filter(is_sparse).or(of_streams))
    }

    /// The same of what any of several items chooses.
    fn list_all(
        &self,
        look: &dyn Look,
        items: &[Criterion],
        (after, end, most): (u64, u64, u64),
        head: u64,
    ) -> Result<Option<Listing>, Error> {
        let mut all = Listing { covered: end, ..Listing::default() };
        if items.is_empty() {
            return Ok(None);
        }
        for item in items {
            let Some(listing) = self.list(look, item, (after, end, most), head)? else {
                return Ok(None);
            };
            all.covered = all.covered.min(listing.covered);
            // Which item it is of is not known any more.
            all.events.extend(listing.events.iter().map(|event| Listed::at(event.position)));
        }
        all.events.retain(|event| event.position <= all.covered);
        all.events.sort_unstable_by_key(|event| event.position);
        all.events.dedup_by_key(|event| event.position);
        Ok((all.events.len() as u64 <= most).then_some(all))
    }

    /// The position before the last `last` chosen events up to `head`.
    fn before_last(&self, look: &dyn Look, last: u64, head: u64) -> Result<u64, Error> {
        if last == 0 {
            return Ok(head);
        }
        let end = self.end.min(head);
        let (mut left, mut found) = (last, self.position);
        let mut each = |position: u64, event: Option<&EventRef<'_>>| {
            if event.is_some_and(|event| self.chooses(event)) {
                left -= 1;
            }
            if left > 0 {
                return ControlFlow::Continue(());
            }
            found = position - 1;
            ControlFlow::Break(())
        };
        match &self.plan {
            Plan::List(Listing { events, streams, covered }, _) if *covered >= end => {
                let back: Vec<Listed> = events.iter().rev().copied().collect();
                look.events(Span::Listed(&back, streams), self.want, &mut each)?;
            }
            _ => look.events(Span::Back(self.position, end), self.want, &mut each)?,
        }
        Ok(found)
    }

    fn read_batch(
        &mut self,
        look: &dyn Look,
        head: u64,
        each: &mut dyn FnMut(&EventRef<'_>),
    ) -> Result<Batch, Error> {
        let head = if self.follow { head } else { self.end };
        let end = self.end.min(head);
        if let Plan::List(Listing { covered, .. }, _) = self.plan
            && self.position >= covered
        {
            self.make_plan(look, head)?;
        }
        let mut taken = Taken { events: 0, bytes: 0, ended: self.left == 0 };
        if self.position < end && !taken.ended {
            self.take_events(look, end, &mut taken, each)?;
        }
        let finished = taken.ended || self.position >= self.end;
        Ok(Batch {
            events: taken.events,
            position: Position(self.position),
            caught_up: finished || self.position >= end,
            finished,
        })
    }

    /// Goes on up to `end`, or until a batch is full.
    fn take_events(
        &mut self,
        look: &dyn Look,
        end: u64,
        taken: &mut Taken,
        each: &mut dyn FnMut(&EventRef<'_>),
    ) -> Result<(), Error> {
        let (from, mut left, mut seen, mut last) = (self.position, self.left, 0, self.position);
        let mut is_full = false;
        let mut take = |position: u64, event: Option<&EventRef<'_>>| {
            (seen, last) = (seen + 1, position);
            if let Some(event) = event {
                is_full = self.take(event, taken, &mut left, each);
            }
            if is_full { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let (position, next) = match &self.plan {
            Plan::Scan => {
                let end = end.min(from.saturating_add(BATCH_ROWS as u64));
                look.events(Span::Between(from, end), self.want, &mut take)?;
                (last, 0)
            }
            Plan::List(Listing { events, streams, covered }, next) => {
                let rest = &events[(*next).min(events.len())..];
                let rest = &rest[..rest.len().min(BATCH_ROWS)];
                look.events(Span::Listed(rest, streams), self.want, &mut take)?;
                let next = next + seen;
                let is_done = !is_full && next >= events.len();
                (if is_done { (*covered).min(end) } else { last }, next)
            }
        };
        (self.position, self.left) = (position, left);
        if let Plan::List(Listing { events, streams, .. }, kept) = &mut self.plan {
            let done = next.checked_sub(1).and_then(|done| events.get(done));
            if let ([_], Some(done)) = (&streams[..], done) {
                self.known = Version(done.version);
            }
            *kept = next;
        }
        Ok(())
    }

    /// Gives an event to `each` where it is chosen; whether the batch ends with it.
    fn take(
        &self,
        event: &EventRef<'_>,
        taken: &mut Taken,
        left: &mut u64,
        each: &mut dyn FnMut(&EventRef<'_>),
    ) -> bool {
        let last_version = match self.query.until {
            Some(Mark::Version(version))
                if self.query.one_stream().is_ok_and(|name| name == event.stream) =>
            {
                version
            }
            _ => Version(u64::MAX),
        };
        if event.version <= last_version && self.chooses(event) {
            each(event);
            taken.events += 1;
            taken.bytes += event.data.len() + event.metadata.map_or(0, str::len);
            *left -= 1;
        }
        taken.ended = *left == 0 || event.version >= last_version;
        taken.ended || taken.events >= BATCH_EVENTS || taken.bytes >= BATCH_BYTES
    }

    fn chooses(&self, event: &EventRef<'_>) -> bool {
        let EventRef { stream, event_type, tags, .. } = *event;
        // What is listed by streams is of a chosen one.
        let is_chosen = match &self.plan {
            Plan::List(listing, _) if !listing.streams.is_empty() => {
                self.chooser.takes(event_type, tags)
            }
            _ => self.chooser.item(stream, event_type, tags).is_some(),
        };
        is_chosen && self.query.chooses_time(event.time)
    }
}
