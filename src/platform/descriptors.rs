//! How many files and sockets a process may have open.

use std::os::fd::{AsFd, AsRawFd as _};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Has this process open so many files and sockets at once, as far as the system lets it: what it is started with
/// is often less than it may ask for.
pub fn allow_descriptors(count: u64) {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.map_or(count, |maximum| count.min(maximum));
    if current.is_some_and(|current| current < wanted) {
        // Where that is refused, it goes on with what it has.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum });
    }
}

/// How many more may be opened, at least, once `newest` was: it has the lowest number that was free.
pub(crate) fn descriptors_left(newest: &impl AsFd) -> u64 {
    let used = u64::try_from(newest.as_fd().as_raw_fd()).unwrap_or_default() + 1;
    most_descriptors().saturating_sub(used)
}

/// How many may be open at once.
pub(crate) fn most_descriptors() -> u64 {
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_that_is_open_leaves_one_less() {
        let most = most_descriptors();
        let file = std::fs::File::open("/dev/null").unwrap();
        let left = descriptors_left(&file);
        assert!(left < most && left > 0, "{left}");
        // No test closes more than it opens.
        let others: Vec<_> = (0..8).map(|_| file.try_clone().unwrap()).collect();
        assert!(others.iter().any(|other| descriptors_left(other) < left));
        // What is there is not made less.
        allow_descriptors(1);
        assert_eq!(most_descriptors(), most);
    }
}
