//! Events from one position to another: that each is there, is what was stored, and follows the one before.

use std::ops::RangeInclusive;

use rusqlite::{Connection, OptionalExtension as _, Row};

use super::cells::{self, Cells};
use super::is_unreadable;
use crate::event::{DataRef, LINK_BYTES, Link, Position, TagsRef, Timestamp};
use crate::store::chain::{Linked, PayloadHash, Salt};
use crate::store::sqlite::event_row::{COLUMNS, Fields, recorded_and_link};
use crate::store::sqlite::failure::{Failure, damage};
use crate::store::sqlite::payload::may_be_json;
use crate::store::verify::{Counts, Finding, FindingKind};

/// What stands before an event, as far as that is known.
#[derive(Debug, Clone, Copy, Default)]
struct Before {
    /// The link that stands there.
    found: Option<Link>,
    /// Another that may be right where that one is not: the one that its content has.
    made: Option<Link>,
    recorded: Option<Timestamp>,
}

/// Why a scan came to an end.
enum Stopped {
    /// It was at its end.
    Done,
    /// No event stands at this position, where one has to.
    Missing(u64),
    /// The database can't be read there.
    Unreadable(u64, rusqlite::Error),
}

/// Goes through events.
pub(super) struct Scan<'s> {
    pub(super) connection: &'s Connection,
    pub(super) store_id: &'s str,
    pub(super) cells: &'s Cells,
    pub(super) counts: Counts,
    pub(super) findings: Vec<Finding>,
}

impl Scan<'_> {
    /// Verifies the events at these positions.
    pub(super) fn verify(&mut self, positions: RangeInclusive<u64>) -> Result<(), Failure> {
        let (mut next, last) = positions.into_inner();
        let mut before = self.before(next)?;
        while next <= last {
            match self.scan(next, last, &mut before)? {
                Stopped::Done => break,
                Stopped::Missing(at) => {
                    next = self.next_there(at, last)?;
                    let what =
                        if at + 1 == next { "it is not there" } else { "they are not there" };
                    let finding = Finding::new(FindingKind::Missing, what);
                    self.findings.push(finding.between(at, next - 1));
                }
                Stopped::Unreadable(at, error) => {
                    next = self.next_there(at, last)?;
                    let what = format!("the database can't be read here: {error}");
                    let finding = Finding::new(FindingKind::Event, what);
                    self.findings.push(finding.between(at, next - 1));
                }
            }
            before = Before::default();
        }
        Ok(())
    }

    /// What stands before the event at `position`.
    fn before(&self, position: u64) -> Result<Before, Failure> {
        if position == 1 {
            let genesis = Some(Link::genesis(self.store_id));
            return Ok(Before { found: genesis, ..Before::default() });
        }
        let select =
            format!("SELECT {COLUMNS}, salt, payload_hash FROM events WHERE position = ?1");
        let mut statement = self.connection.prepare_cached(&select)?;
        let found = statement.query_row([position - 1], |row| {
            let header = recorded_and_link(row, 2).ok();
            let recorded = header.map(|(recorded, _)| recorded);
            Ok(Before { found: header.map(|(_, link)| link), made: None, recorded })
        });
        match found.optional() {
            // That it is missing or can't be read is found by who verifies it.
            Ok(found) => Ok(found.unwrap_or_default()),
            Err(error) if is_unreadable(&error) => Ok(Before::default()),
            Err(error) => Err(error.into()),
        }
    }

    fn scan(&mut self, first: u64, last: u64, before: &mut Before) -> Result<Stopped, Failure> {
        let connection = self.connection;
        let mut statement = connection.prepare_cached(&format!(
            "SELECT {COLUMNS}, salt, payload_hash FROM events WHERE position >= ?1 AND position <= ?2 \
             ORDER BY position"
        ))?;
        let mut rows = statement.query([first, last])?;
        for position in first..=last {
            let row = match rows.next() {
                Ok(Some(row)) => row,
                Ok(None) => return Ok(Stopped::Missing(position)),
                Err(error) if is_unreadable(&error) => {
                    return Ok(Stopped::Unreadable(position, error));
                }
                Err(error) => return Err(error.into()),
            };
            if row.get::<_, i64>(0).ok().map(i64::cast_unsigned) != Some(position) {
                return Ok(Stopped::Missing(position));
            }
            *before = self.event(row, position, before);
        }
        Ok(Stopped::Done)
    }

    /// Verifies the event in a row; what stands before the next one.
    fn event(&mut self, row: &Row<'_>, position: u64, before: &Before) -> Before {
        let fields = match Fields::parts(row) {
            Ok((fields, sum)) => {
                let content = content(row, &fields);
                let made = content.as_ref().ok().and_then(|hash| before.next(&fields, hash));
                let is_made = made == Some(fields.link);
                let wrong = match content {
                    Err(what) => Some((FindingKind::Event, what)),
                    Ok(_) if sum != fields.sum() && is_made => Some((
                        FindingKind::Event,
                        "its sum is wrong; its content is what its link says",
                    )),
                    Ok(_) if sum != fields.sum() => {
                        Some((FindingKind::Event, "it is not what was stored"))
                    }
                    Ok(_) if made.is_some() && !is_made => Some((
                        FindingKind::Link,
                        "its link is not that of its content behind the one before",
                    )),
                    Ok(_) if before.recorded.is_some_and(|before| before > fields.recorded) => {
                        Some((FindingKind::Event, "it was recorded before the one before it"))
                    }
                    Ok(_) => None,
                };
                if let Some((kind, what)) = wrong {
                    let of = (fields.stream, Some(fields.version));
                    self.findings.push(Finding::new(kind, what).at(position).of(of.0, of.1));
                    let (found, recorded) = (Some(fields.link), Some(fields.recorded));
                    return Before { found, made, recorded };
                }
                fields
            }
            Err(error) => {
                let finding = Finding::new(FindingKind::Event, damage(&error)).at(position);
                self.findings.push(finding);
                let header = recorded_and_link(row, 2).ok();
                let found = header.map(|(_, link)| link);
                return Before {
                    found,
                    made: None,
                    recorded: header.map(|(recorded, _)| recorded),
                };
            }
        };
        self.say(&fields);
        Before { found: Some(fields.link), made: None, recorded: Some(fields.recorded) }
    }

    /// Counts an event that is as it was stored, and says what indexes have to say of it.
    fn say(&mut self, fields: &Fields<'_>) {
        let Position(position) = fields.position;
        let removed = fields.event_type.is_none();
        self.counts.events += 1;
        self.counts.removed += u64::from(removed);
        self.counts.redacted += u64::from(!removed && fields.data.is_none());
        for said in says(fields) {
            self.cells.add(position, said);
        }
    }

    /// The first position behind `at` at which an event can be read, or the one behind `last`.
    ///
    /// Where many in a row can't, they are not tried one by one.
    fn next_there(&self, at: u64, last: u64) -> Result<u64, Failure> {
        let (mut not, mut step) = (at, 1);
        let mut there = loop {
            let tried = not.saturating_add(step);
            if tried > last {
                if !self.is_there(last)? {
                    return Ok(last + 1);
                }
                break last;
            }
            if self.is_there(tried)? {
                break tried;
            }
            (not, step) = (tried, step * 2);
        };
        while not + 1 < there {
            let middle = not + (there - not) / 2;
            if self.is_there(middle)? {
                there = middle;
            } else {
                not = middle;
            }
        }
        Ok(there)
    }

    fn is_there(&self, position: u64) -> Result<bool, Failure> {
        let mut statement =
            self.connection.prepare_cached("SELECT header FROM events WHERE position = ?1")?;
        match statement.query_row([position], |_| Ok(())).optional() {
            Ok(found) => Ok(found.is_some()),
            Err(error) if is_unreadable(&error) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

impl Before {
    /// The link of the event in `fields`, whose payload has this hash: the one that it says, where that is right.
    /// Nothing where it can't be told.
    fn next(&self, fields: &Fields<'_>, payload: &PayloadHash) -> Option<Link> {
        let Fields { version, recorded, stream, id, link, .. } = *fields;
        let event = Linked { version, recorded, stream, id, payload };
        let found = self.found?.next(&event);
        let made = self.made.filter(|_| found != link).map(|made| made.next(&event));
        Some(made.filter(|made| *made == link).unwrap_or(found))
    }
}

/// What the indexes have to say of an event.
pub(super) fn says(fields: &Fields<'_>) -> impl Iterator<Item = u64> {
    let removed = fields.event_type.is_none();
    let version = cells::version(cells::stream(fields.stream), fields.version.0, removed);
    let tags = TagsRef::stored(fields.tags).iter().map(cells::tag);
    std::iter::once(version).chain(fields.id.map(cells::id)).chain(tags)
}

/// The hash of an event's payload, whole or erased; what is wrong where it is neither.
fn content(row: &Row<'_>, fields: &Fields<'_>) -> Result<PayloadHash, &'static str> {
    const WRONG: &str = "it is neither whole, nor redacted, nor removed";
    let bytes = |column| match row.get_ref(column).map(|value| value.as_blob_or_null()) {
        Ok(Ok(bytes)) => Ok(bytes),
        _ => Err(WRONG),
    };
    let (salt, hash) = (bytes(8)?, bytes(9)?);
    if let (Some(payload), Some(salt), None) = (fields.payload(), salt, hash) {
        let salt: &Salt = salt.try_into().map_err(|_| "its salt is not what was stored")?;
        let shown = |json: &str| may_be_json(json);
        let data = match payload.data {
            DataRef::Json(text) => shown(text),
            DataRef::Bytes(_) => true,
        };
        if !data || !payload.metadata.is_none_or(shown) {
            return Err("it is not JSON");
        }
        return Ok(payload.hash(salt));
    }
    let is_skeleton = fields.data.is_none() && fields.metadata.is_none() && salt.is_none();
    let is_removed = fields.event_type.is_none();
    let hash: Option<[u8; LINK_BYTES]> = hash.and_then(|hash| hash.try_into().ok());
    match hash {
        Some(hash)
            if is_skeleton && !(is_removed && (fields.time.is_some() || fields.tags.is_some())) =>
        {
            Ok(hash)
        }
        _ => Err(WRONG),
    }
}
