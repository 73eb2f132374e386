//! The tables of format 1. `docs/format.md` says what is in each column.

/// What a database of ream's says that it is, in its header: `REAM` as a number.
pub(super) const APPLICATION_ID: i32 = 0x5245_414d;

/// The tables, as a new store gets them.
///
/// - `events`: `header` packs version, `recorded`, link, sum and the time that the writer gave, where it
///   did. `id` is NULL where the writer gave none. `data` is TEXT where it is JSON, BLOB where it is not. A
///   removed event keeps `payload_hash` in place of type, time, data, metadata, tags and salt; a redacted
///   one, in place of data, metadata and salt.
/// - `streams`: a row a stream. `removed` is the version up to which its events are removed.
///   `tail` packs the positions behind the last full page.
/// - `stream_pages`: the positions of the versions `page * 64 + 1` to `page * 64 + 64`, packed.
/// - `states`: `version` is what the state reflects, `position` where that event stands, `data` as
///   in `events`.
/// - `names`: a row a name, without case. `kind` is `projection` or `subscription`, NULL once the name is
///   free; `generation` that of a projection that serves, or the last that the name had; `record` what it
///   is made from or follows, as JSON; `position` and `link` a subscription's checkpoint; `failed` and
///   `failure` when and how it failed last, the latter NULL where it was erased.
/// - `erasures`: a row while something that was removed is still to be erased; `scrubbed` says whether
///   only the log is left.
/// - `decisions`: a row a decision with an id. `version` is the stream's after it, `positions` are
///   those of its events, packed; `command` is the salted hash of the command, and both are NULL
///   where the stream has been removed since.
///
/// `sum` is that of the row: see [`sum`](crate::store::hash::sum).
pub(super) const TABLES: &str = "
CREATE TABLE events (
    position INTEGER PRIMARY KEY,
    stream TEXT NOT NULL,
    header BLOB NOT NULL,
    id TEXT,
    type TEXT,
    data,
    metadata TEXT,
    tags TEXT,
    salt BLOB,
    payload_hash BLOB
);
CREATE UNIQUE INDEX events_id ON events (id) WHERE id IS NOT NULL;
CREATE TABLE tags (
    tag TEXT NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (tag, position)
) WITHOUT ROWID;
CREATE TABLE streams (
    name TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    removed INTEGER NOT NULL,
    protected INTEGER NOT NULL,
    sum INTEGER NOT NULL,
    tail BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE stream_pages (
    stream TEXT NOT NULL,
    page INTEGER NOT NULL,
    sum INTEGER NOT NULL,
    positions BLOB NOT NULL,
    PRIMARY KEY (stream, page)
) WITHOUT ROWID;
CREATE TABLE states (
    stream TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    position INTEGER NOT NULL,
    sum INTEGER NOT NULL,
    data
) WITHOUT ROWID;
CREATE TABLE decisions (
    id TEXT PRIMARY KEY,
    stream TEXT,
    version INTEGER,
    sum INTEGER NOT NULL,
    positions BLOB NOT NULL,
    salt BLOB,
    command BLOB
) WITHOUT ROWID;
CREATE TABLE names (
    name TEXT PRIMARY KEY COLLATE NOCASE,
    kind TEXT,
    generation INTEGER NOT NULL,
    record TEXT,
    permit BLOB,
    position INTEGER,
    link BLOB,
    failed INTEGER,
    failure TEXT,
    sum INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE settings (
    pattern TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    sum INTEGER NOT NULL,
    PRIMARY KEY (pattern, key)
) WITHOUT ROWID;
CREATE TABLE erasures (
    scrubbed INTEGER NOT NULL
);
";
