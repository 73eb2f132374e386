//! Event sourcing in a directory: SQLite inside, JSON lines outside, no server.
//!
//! # The model
//!
//! - A **store** is a directory, or in memory for tests. It holds **events**: immutable facts with a type, data and
//!   metadata.
//! - Events belong to **streams**, one for each thing that has a history: `order-42`. An event's
//!   number within its stream is its **version**, its number within the store its **position**;
//!   both count 1, 2, 3, without gaps.
//! - A writer may say which version it **expects** the stream to be at; a mismatch is a conflict,
//!   and nothing is stored. With an **id**, an append can be repeated safely.
//! - A **follower** reads what is there and then what comes, in order, without a gap or a repeat.
//!
//! Any number of threads and processes may use a store at once; nothing runs in the background.
//!
//! # Quick start
//!
//! ```
//! use ream::{Data, Expect, Json, NewEvent, Options, Query, Store};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // In memory, as for a test; `Store::init` makes one in a directory.
//! let mut store = Store::in_memory(&Options::default())?;
//!
//! let mut event = NewEvent::new("order-42".parse()?, "OrderPlaced".parse()?);
//! event.data = Data::Json(Json::parse(r#"{"customer":"ann"}"#)?);
//! event.expect = Expect::NoStream;
//! let appended = store.append(&[event])?;
//! assert_eq!(appended[0].version.0, 1);
//!
//! let mut reader = store.read(&Query::of(vec!["order-*".parse()?]))?;
//! let mut types = Vec::new();
//! while !reader.next_batch(|event| types.push(event.event_type.to_owned()))?.caught_up {}
//! assert_eq!(types, ["OrderPlaced"]);
//! # Ok(())
//! # }
//! ```
//!
//! # Where to look
//!
//! [`Store`] is what a store can do. [`NewEvent`] is an event to append, [`Query`] a choice of
//! events to read, [`Follower`] reads on as events come. [`wire`] has the one-line JSON form of
//! an event. [`Error`] says what can go wrong, by cause.

mod decide;
mod event;
mod excerpt;
mod expression;
mod faults;
mod near;
pub mod platform;
pub mod program;
mod schema;
#[cfg(all(feature = "serve", unix))]
pub mod serve;
mod store;
mod subscription;
mod wait;
pub mod wire;

pub use decide::DecideError;
pub use event::{
    AppendCondition, BoundaryCommand, Command, Criteria, Criterion, Cursor, CursorError, Data,
    DataRef, Event, EventId, EventRef, EventType, Expect, ExpectError, Json, JsonError, Link,
    LinkError, MAX_DEPTH, MAX_NAME_BYTES, MAX_TAG_BYTES, MAX_TAGS, NameError, NewEvent, NoneOf,
    Pattern, Position, StreamName, SubscriptionName, Tags, TagsError, TagsRef, TimeError,
    Timestamp, Version,
};
pub use expression::{
    AssignmentError, Assignments, Condition, ExpressionError, Parameter, Parameters, Span,
};
pub use schema::{
    Decimal, DecimalError, Definition, DefinitionError, Field, FieldError, FieldType,
    FieldTypeError, FieldValues, Identifier, IdentifierError, MAX_DIGITS, MAX_FIELDS,
    MAX_IDENTIFIER, OpenDefinition, Row, RowWriter, Schema, SchemaBuilder, SchemaError, Value,
    ValueError, ValueRef,
};
pub use store::{
    ACT_TYPES, Actor, Aggregate, Appended, AppendedEach, Backup, BackupFile, BackupProgress,
    BackupProjection, BadCredentials, Batch, Batched, Before, Behind, Boundary, BoundaryDecision,
    Change, Checkpoint, CheckpointError, Clash, Compacted, ConditionFault, Counts, Decided,
    DecidedEvent, Decision, Differences, Dropped, Error, EventEntry, EventFault, Explanation,
    Finding, FindingKind, ImportedState, LastBackup, LastFailure, Mark, MarkError, NewBackup,
    NewState, NewSubscription, NewerRecord, NotAllowed, OnWarning, Options, OrderBy, PlaceFault,
    Projection, ProjectionEntry, ProjectionStatus, Query, Reader, Rebuild, Redacted, Redaction,
    Removal, Removed, RestoreUntil, Restored, Retained, Retention, RowRef, RunLock, SealedEvent,
    Sealer, Selection, SetEach, State, StateCategory, StateEntry, Status, Stopped, Store, Stream,
    Subscription, Truncated, Unfenced, Unfit, Until, UntilError, Verification, Verified, Verifying,
    Vitals, Waker,
};
pub use subscription::Follower;
