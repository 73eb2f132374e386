//! Permits as they are stored; `remembered` says what they are made of.

/// That a program was given or allowed on this machine, by this user, to the store where it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Permit([u8; 32]);

impl Permit {
    pub(super) fn new(hash: [u8; 32]) -> Self {
        Self(hash)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The permit with these bytes, where it can be one.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}
