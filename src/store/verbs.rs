//! The verbs that write: what is asked is made into units, ruled and applied, in one transaction.

mod act;
mod append;
mod backup;
mod decide;
mod import;
mod names;
mod project;
mod prune;
mod redact;
mod remove;
mod set;
mod truncate;
mod verify;
