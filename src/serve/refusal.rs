//! Connections that are not taken: each hears why, as far as that costs little.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::spawn_local;
use tokio::time::timeout;

use super::last_word::pass_over;
use super::tls::Acceptor;

/// How many may be hearing it at once: each has a descriptor, of those that are kept for the store.
const AT_ONCE: usize = 16;
/// How long each may take to hear it.
const LONGEST: Duration = Duration::from_secs(2);

/// Those that are being refused.
#[derive(Debug, Default)]
pub(super) struct Refusals(Rc<Cell<usize>>);

/// The place of one that is being refused.
struct Place(Rc<Cell<usize>>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl Refusals {
    /// Says these words, and closes the connection. Where too many are at that, one that has sent something by
    /// then may not hear them.
    pub(super) async fn refuse<S>(&self, mut stream: S, words: &[u8])
    where
        S: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        // It is new: there is room for that.
        if stream.write_all(words).await.is_ok() {
            self.hear_out(close(stream));
        }
    }

    /// Says these words behind a handshake, and closes the connection; without them, where too many are at
    /// that. Who speaks no TLS gets them as they are.
    pub(super) fn refuse_tls(&self, stream: TcpStream, tls: Acceptor, words: Vec<u8>) {
        self.hear_out(async move {
            let Some(mut stream) = tls.accept(stream, &words).await else { return };
            if stream.write_all(&words).await.is_ok() {
                close(stream).await;
            }
        });
    }

    fn hear_out(&self, refusing: impl Future<Output = ()> + 'static) {
        if self.0.get() >= AT_ONCE {
            return;
        }
        self.0.set(self.0.get() + 1);
        let place = Place(Rc::clone(&self.0));
        spawn_local(async move {
            // Who takes longer is cut off.
            let _ = timeout(LONGEST, refusing).await;
            drop(place);
        });
    }
}

/// Closes a connection behind its last word.
async fn close(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    if stream.shutdown().await.is_ok() {
        pass_over(stream, vec![0; 1024]).await;
    }
}
