//! Two rows that can't both be there.

/// A row that has what has to be unique and another row has already.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the row with {row} can't have {values} in `{projection}`: the row with {holder} has it")]
pub struct Clash {
    /// The projection.
    pub projection: String,
    /// The row's key.
    pub row: String,
    /// What it can't have.
    pub values: String,
    /// The other row's key.
    pub holder: String,
}
