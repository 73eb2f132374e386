//! How a connection ends that has heard its last word.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::time::timeout;

/// How long what a client still sends is passed over behind the last word.
pub(super) const LINGERS: Duration = Duration::from_secs(1);

/// Passes over what a client still sends behind the last word: to close while something comes may take that
/// word from who has not read it yet.
pub(super) async fn pass_over(mut reader: impl AsyncRead + Unpin, mut received: Vec<u8>) {
    let passing = async { while let Ok(1..) = reader.read(&mut received).await {} };
    // Who sends on and on is not waited for.
    let _ = timeout(LINGERS, passing).await;
}
