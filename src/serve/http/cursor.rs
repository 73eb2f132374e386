//! Cursors: that a place in a log is one of the store's.

use axum::http::StatusCode;

use super::problem::Problem;
use crate::event::Cursor;
use crate::store::{Error, Store};

/// That a cursor is a place in the store's log.
pub(super) fn check(cursor: Cursor, store: &Store) -> Result<(), Problem> {
    let found = match store.checkpoint(cursor.position) {
        Ok(checkpoint) => cursor.is_at(&checkpoint.link()),
        Err(Error::BeyondHead { .. }) => false,
        Err(error) => return Err(error.into()),
    };
    if found {
        return Ok(());
    }
    let title = format!("the cursor at position {} is none of this store's log", cursor.position);
    let problem = Problem::new(StatusCode::GONE, "other-log", 1, title);
    let problem = problem.number("position", cursor.position.0);
    Err(problem.with_detail("what was stored there has been replaced; begin anew: GET /events"))
}
