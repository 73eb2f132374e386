//! Panics: one that a request brings about is answered, and ends nothing else.

use std::cell::Cell;

thread_local! {
    static IS_WITHIN: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread carries out a request of a server. A panic then is that request's: it is answered as
/// one of unknown outcome. Anywhere else a program may end at once when it panics, and `ream` does.
#[must_use]
pub fn is_within_request() -> bool {
    IS_WITHIN.get()
}

/// Does `work` as that of a request.
pub(super) fn within<T>(work: impl FnOnce() -> T) -> T {
    /// A panic leaves it as well.
    struct Leaving;
    impl Drop for Leaving {
        fn drop(&mut self) {
            IS_WITHIN.set(false);
        }
    }
    IS_WITHIN.set(true);
    let _leaving = Leaving;
    work()
}
