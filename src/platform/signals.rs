//! Signals that this process ignores, as it was started.

/// The signals that a process ignores, each a bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IgnoredSignals(u64);

impl IgnoredSignals {
    /// Those of this process, before it handles any: `nohup` has one ignored, and a shell those of what
    /// it runs in the background. None where the system does not tell.
    #[must_use]
    pub fn of_this_process() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        Self::of(&status)
    }

    /// What Linux tells of a process: a line with a number in hexadecimal.
    fn of(status: &str) -> Self {
        let line = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let ignored = line.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok());
        Self(ignored.unwrap_or_default())
    }

    /// Whether the signal of this number is one of them.
    #[must_use]
    pub fn contains(self, signal: i32) -> bool {
        (1..=64).contains(&signal) && self.0 >> (signal - 1) & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_a_bit() {
        let ignored = IgnoredSignals::of("Name:\tream\nSigBlk:\tff\nSigIgn:\t8000000000000005\n");
        let found: Vec<i32> = (-1..=66).filter(|signal| ignored.contains(*signal)).collect();
        assert_eq!(found, [1, 3, 64]);
        assert!(!IgnoredSignals::of("").contains(1));
    }
}
