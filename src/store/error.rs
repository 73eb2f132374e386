//! What can go wrong in a store, by cause.

mod carried;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::event::{Expect, Position, Timestamp, Version};
use crate::expression::{AssignmentError, ExpressionError};
pub use carried::{
    BadCredentials, Clash, ConditionFault, EventFault, NewerRecord, NotAllowed, PlaceFault,
    Unfenced,
};
use carried::{changes, lost, no_such_field, readers, seconds};

/// Why a verb of the store did not do what it was asked to.
///
/// Unless a variant says otherwise, nothing was stored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no store.
    #[error("no store at {}", path.display())]
    NoStore {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// Something else stands where the store's directory should be.
    #[error("{} is not a directory", path.display())]
    NotADirectory {
        /// What stands there.
        path: PathBuf,
    },
    /// The directory for a new store holds something else.
    #[error("{} is not empty and not a store", path.display())]
    NotEmpty {
        /// The directory.
        path: PathBuf,
    },
    /// The store's marker can't be read as one.
    #[error("{} is not the marker of a store: {reason}", path.display())]
    BadMarker {
        /// The marker.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The store was written by a later ream.
    #[error("the store at {} has format {found}; this ream knows formats up to {known}", path.display())]
    NewerFormat {
        /// The store.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The latest format known here.
        known: u32,
    },
    /// What has this name was made by a later ream.
    #[error(transparent)]
    NewerRecord(NewerRecord),
    /// The store is kept by an engine that this ream does not have.
    #[error("the store at {} is kept by the engine `{engine}`, which this ream does not have", path.display())]
    UnknownEngine {
        /// The store.
        path: PathBuf,
        /// Its engine.
        engine: String,
    },
    /// A file or a directory of the store can't be relied on.
    #[error("{} {fault}", path.display())]
    Place {
        /// The file or the directory.
        path: PathBuf,
        /// What is wrong with it.
        fault: PlaceFault,
    },
    /// The SQLite that ream runs on has a known defect.
    #[error("SQLite {found} can lose writes; {needed} or later is needed")]
    OldSqlite {
        /// The version found.
        found: String,
        /// The first version without the defect.
        needed: &'static str,
    },
    /// The stream is not as the writer expects.
    #[error(
        "wrong expected version of the stream `{stream}`: expected {expected}, actual {actual}"
    )]
    WrongExpectedVersion {
        /// The stream.
        stream: String,
        /// What the writer expects.
        expected: Expect,
        /// The stream's version.
        actual: Version,
        /// Whether all that it held was removed.
        removed: bool,
    },
    /// What has to hold of the store beside that does not.
    #[error(transparent)]
    Condition(Box<ConditionFault>),
    /// Some events of an atomic append are stored already, others are not.
    #[error(
        "{duplicates} of {events} events are stored already, first the id `{id}` at position {position}: \
         an atomic append repeats a whole one or none"
    )]
    PartlyDuplicate {
        /// How many are stored already.
        duplicates: usize,
        /// How many there are.
        events: usize,
        /// The id of the first that is stored already.
        id: String,
        /// Where that one stands.
        position: Position,
    },
    /// Two events of an atomic append have the same id.
    #[error("events {first} and {second} have the same id, `{id}`")]
    SameId {
        /// The id.
        id: String,
        /// Which event has it first, counted from 1.
        first: usize,
        /// Which one has it again.
        second: usize,
    },
    /// The id belongs to an event with another content.
    #[error(
        "id reused: `{id}` is the event at position {position} (`{stream}`, version {version}), with other content"
    )]
    IdReused {
        /// The id.
        id: String,
        /// Where the event with that id stands.
        position: Position,
        /// Its stream.
        stream: String,
        /// Its version.
        version: Version,
        /// Whether what it held was removed.
        removed: bool,
    },
    /// An event is not there, or is none that can be redacted.
    #[error(transparent)]
    Event(EventFault),
    /// The event's data is larger than the store takes.
    #[error("the data has {bytes} bytes; this store takes {max}")]
    TooLarge {
        /// How long the data is.
        bytes: usize,
        /// How long it may be.
        max: usize,
    },
    /// The event's time lies too far ahead.
    #[error("the time {time} is more than a day after the store's clock, {recorded}")]
    TimeAhead {
        /// The time given.
        time: Timestamp,
        /// When it would be recorded.
        recorded: Timestamp,
    },
    /// The position has not been reached.
    #[error("position {position} is beyond the head, {head}")]
    BeyondHead {
        /// The position asked for.
        position: Position,
        /// The last position.
        head: Position,
    },
    /// The version has not been reached.
    #[error("version {version} is beyond the stream `{stream}`, which is at {actual}")]
    BeyondStream {
        /// The stream.
        stream: String,
        /// The version asked for.
        version: Version,
        /// The stream's version.
        actual: Version,
    },
    /// A version was given, and not exactly one exact stream.
    #[error("a version (`@N`) needs exactly one stream, without `*`")]
    VersionNeedsStream,
    /// An event [follows](super::SealedEvent::following) the one before it, and there is none.
    #[error("the first event of an input follows nothing")]
    FollowsNothing,
    /// There is no such stream.
    #[error("no stream `{stream}`")]
    StreamNotFound {
        /// The name.
        stream: String,
        /// Streams with names that are near.
        near: Vec<String>,
    },
    /// The stream has no state.
    #[error("no state of the stream `{stream}`")]
    StateNotFound {
        /// The stream.
        stream: String,
        /// Streams with names that are near and that have a state.
        near: Vec<String>,
    },
    /// A state comes with an event that does not say which version its writer knows.
    #[error("the state of `{stream}` needs an expected version, or `no-stream`")]
    StateWithoutVersion {
        /// The stream.
        stream: String,
    },
    /// A state would reflect more than there is.
    #[error("the state of `{stream}` can't reflect version {version}: the stream is at {actual}")]
    StateAhead {
        /// The stream.
        stream: String,
        /// The version that the new state would reflect.
        version: Version,
        /// The stream's version.
        actual: Version,
    },
    /// A state would reflect an older version than the one that is stored.
    #[error("the state of `{stream}` reflects version {stored}, and can't go back to {version}")]
    StateBehind {
        /// The stream.
        stream: String,
        /// The version that the new state would reflect.
        version: Version,
        /// The version that the stored one reflects.
        stored: Version,
    },
    /// A decision is made of a state and the events behind it, and these are too many.
    #[error(
        "the state of `{stream}` and the events behind version {state_version} have more than {max} bytes"
    )]
    AggregateTooLarge {
        /// The stream.
        stream: String,
        /// The version that the stored state reflects.
        state_version: Version,
        /// How many bytes there may be.
        max: usize,
    },
    /// The id belongs to a decision about another command.
    #[error("id reused: `{id}` is a decision on {on}, about another command")]
    DecisionIdReused {
        /// The id.
        id: String,
        /// What the decision was made on, in words.
        on: String,
    },
    /// A decision is made of the events that a query chooses, and these are too many.
    #[error("the events that `{query}` chooses have more than {max} bytes")]
    BoundaryTooLarge {
        /// The query.
        query: String,
        /// How many bytes there may be.
        max: usize,
    },
    /// A decision on one stream holds an event of another.
    #[error("a decision on `{stream}` can't store an event of `{other}`")]
    OtherStream {
        /// The stream that the decision is about.
        stream: String,
        /// That of the event.
        other: String,
    },
    /// There is no such projection.
    #[error("no projection `{name}`")]
    ProjectionNotFound {
        /// The name.
        name: String,
        /// Projections with names that are near.
        near: Vec<String>,
    },
    /// The file of a projection is not there: something removed it, or the projection is being dropped.
    #[error("the file of the projection `{name}`, {}, is not there", path.display())]
    ProjectionLost {
        /// The projection.
        name: String,
        /// Its file.
        path: PathBuf,
    },
    /// The file of a projection is not what ream made.
    #[error("the file of the projection `{name}`, {}, is damaged: {what}", path.display())]
    ProjectionDamaged {
        /// The projection.
        name: String,
        /// Its file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// A program may not run.
    #[error(transparent)]
    NotAllowed(Box<NotAllowed>),
    /// No permit to run a program can be kept here, for this reason.
    #[error("no permit can be kept for this store: {0}")]
    NoPermits(&'static str),
    /// The projection of this name has no types yet.
    #[error("the projection `{0}` is open: its first row says what the types of its fields are")]
    ProjectionOpen(String),
    /// A projection has this name, but for upper and lower case, and is made of something else.
    #[error("there is a projection `{0}` already, and it is made of something else")]
    ProjectionExists(String),
    /// A row has what has to be unique and another row has already.
    #[error(transparent)]
    UniqueClash(Box<Clash>),
    /// A row can't be as it would be.
    #[error("the row with {row} can't be updated")]
    Row {
        /// The row's key.
        row: String,
        /// Why not.
        #[source]
        error: Box<AssignmentError>,
    },
    /// A condition can't be told of a row.
    #[error(transparent)]
    Expression(#[from] Box<ExpressionError>),
    /// A condition, assignments or a row were checked against another schema than the projection's.
    #[error("an expression or a row of another schema")]
    OtherSchema,
    /// The stream is protected from removal.
    #[error("the stream `{stream}` is protected from removal")]
    Protected {
        /// The stream.
        stream: String,
    },
    /// Other writers kept the store for longer than this one would wait.
    #[error("other writers kept the store busy for {}", seconds(*waited))]
    Busy {
        /// How long it waited.
        waited: Duration,
    },
    /// A process reads the store, and the log can't be cut while it does.
    #[error("{} reads the store, so its log can't be cut (waited {waited:?})", readers(by))]
    LogHeld {
        /// How long it was waited for.
        waited: Duration,
        /// The processes that read, as far as the system says.
        by: Vec<u32>,
    },
    /// After a failed write the end of the log is gone from memory, while a process takes it for what it was.
    #[error(
        "the end of the log could not be written and is gone from memory, while the store is still open in {}",
        readers(by)
    )]
    LogForgotten {
        /// The processes that have the store open, as far as the system says.
        by: Vec<u32>,
    },
    /// The SQLite that was linked can't overwrite what is left of removed rows between others.
    #[error("this build of ream can't overwrite what SQLite leaves between the rows of a page")]
    CannotScrub,
    /// The store lacks events that were acknowledged.
    #[error(
        "the store lost acknowledged events: position {acknowledged} was acknowledged, and {}",
        lost(*acknowledged, *head)
    )]
    LostEvents {
        /// The store.
        path: PathBuf,
        /// The last position that was acknowledged.
        acknowledged: Position,
        /// The last position that is there.
        head: Position,
    },
    /// The store lacks changes that were acknowledged: commits without an event.
    #[error("the store lost {}", changes(*missing, *acknowledged))]
    LostChanges {
        /// The store.
        path: PathBuf,
        /// How many changes are missing.
        missing: u32,
        /// The last event that was acknowledged, where that is known: all up to it are there.
        acknowledged: Option<Position>,
    },
    /// The commit failed half-way: the events may be stored or not. An append with an id can be tried again safely.
    #[error("the outcome is unknown: the commit failed half-way")]
    OutcomeUnknown {
        /// What failed.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// What was stored last can be read, and may not be on the disk: who stored it ended half-way.
    #[error("what was stored last may not be on the disk yet")]
    NotDurable {
        /// Why that could not be mended.
        source: Box<Error>,
    },
    /// The store was moved, removed or replaced while it was in use.
    #[error("the store at {} was moved, removed or replaced while it was in use", path.display())]
    Replaced {
        /// Where the store was.
        path: PathBuf,
    },
    /// No subscription has this name.
    #[error("no subscription `{name}`")]
    SubscriptionNotFound {
        /// The name.
        name: String,
        /// Names that are near to it.
        near: Vec<String>,
    },
    /// A subscription follows something else.
    #[error("the subscription `{name}` follows {follows}")]
    SubscriptionDiffers {
        /// The name.
        name: String,
        /// What it follows.
        follows: String,
    },
    /// Something else that follows the log has the name.
    #[error("`{name}` is {what} already")]
    NameTaken {
        /// The name.
        name: String,
        /// What has it.
        what: &'static str,
    },
    /// A checkpoint is not where who moves it left it.
    #[error("the checkpoint of `{name}` is no longer at {expected}: someone else has moved it")]
    CheckpointMoved {
        /// Whose checkpoint.
        name: String,
        /// Where it was expected.
        expected: Position,
    },
    /// The projection of this name has been made anew since it was opened.
    #[error("the projection `{0}` has been rebuilt meanwhile")]
    Superseded(String),
    /// The projection of this name has been dropped since it was opened.
    #[error("the projection `{0}` has been dropped meanwhile")]
    Dropped(String),
    /// A checkpoint is no place in this store's log.
    #[error("the checkpoint of `{name}`, {position}, is none of this store: {reason}")]
    OtherLog {
        /// Whose checkpoint.
        name: String,
        /// The checkpoint.
        position: Position,
        /// What tells.
        reason: &'static str,
        /// Whether it is that of a projection; of a subscription otherwise.
        projection: bool,
    },
    /// Someone else runs it.
    #[error("`{name}` is run by {by}")]
    Running {
        /// What.
        name: String,
        /// Who.
        by: String,
    },
    /// The caller's interrupt flag was set.
    #[error("interrupted")]
    Interrupted,
    /// There is no room left.
    #[error("no room left for the store at {}", path.display())]
    Full {
        /// The store.
        path: PathBuf,
    },
    /// The system refused something.
    #[error("can't {action} {}", path.display())]
    Io {
        /// What was to be done.
        action: &'static str,
        /// To which file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// As a warning: a generation of a projection serves no more, and its file could not be told.
    #[error(transparent)]
    Unfenced(Unfenced),
    /// A selection has no field, or names one by a number that no field has.
    #[error("{}", no_such_field(*field))]
    NoSuchField {
        /// The number; nothing where there is no field at all.
        field: Option<usize>,
    },
    /// A thread could not be started.
    #[error(transparent)]
    Thread(io::Error),
    /// The engine refused something.
    #[error("can't {action}")]
    Engine {
        /// What was to be done.
        action: &'static str,
        /// The engine's reason.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// What a server knows its clients by, or shows them, can't be used.
    #[error(transparent)]
    BadCredentials(BadCredentials),
    /// What is stored is not what the store writes.
    #[error("the store is damaged: {what}")]
    Damaged {
        /// What is wrong.
        what: String,
    },
}
