//! What to do where what has to hold of the store does not.

use ream::{ConditionFault, wire};

use crate::hint::Hint;

/// What to do where something is there that must not be.
pub(super) fn unmet(fault: &ConditionFault) -> Hint {
    let ConditionFault::Found { criteria, after, .. } = fault else {
        return "read what is there anew, and decide on that".into();
    };
    let (after, query) = (after.to_string(), wire::query_text(criteria));
    if after == "0" {
        return Hint::other("read what is there, decide again", &["read", "--query"], &[&query]);
    }
    let words = "read what came in between, decide again";
    Hint::other(words, &["read", "--after", &after, "--query"], &[&query])
}
