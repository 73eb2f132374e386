//! The verbs: one that writes makes units of what is asked, which are ruled and applied, in one transaction; one that
//! reads looks.

mod act;
mod append;
mod backup;
mod condition;
mod decide;
mod import;
mod look;
mod names;
mod project;
mod prune;
mod redact;
mod remove;
mod set;
mod truncate;
mod verify;
