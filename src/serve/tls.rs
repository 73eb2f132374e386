//! TLS, for whatever is spoken over TCP: one certificate, which is read anew at SIGHUP.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, ServerConfig};
use tokio_rustls::server::TlsStream;

use super::last_word::pass_over;
use crate::store::{BadCredentials, Error, Options, read_private};

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// The first byte of what a client of TLS sends.
const RECORD: u8 = 0x16;

/// What the server shows to who connects, and the key to it.
pub(super) struct Certificate {
    chain_file: PathBuf,
    key_file: PathBuf,
    trust_owner: bool,
    current: RwLock<Arc<CertifiedKey>>,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The key is shown by no one.
        f.debug_struct("Certificate").field("file", &self.chain_file).finish_non_exhaustive()
    }
}

impl Certificate {
    /// Reads a certificate, and those that vouch for it, and its key, which its owner alone may read: both in
    /// PEM.
    pub(super) fn read(chain: &Path, key: &Path, options: &Options) -> Result<Self, Error> {
        let current = read(chain, key, options.trust_owner)?;
        Ok(Self {
            chain_file: chain.into(),
            key_file: key.into(),
            trust_owner: options.trust_owner,
            current: RwLock::new(Arc::new(current)),
        })
    }

    /// Reads both anew; where they can't be used, what was there stays.
    pub(super) fn reload(&self) -> Result<(), Error> {
        let read = Arc::new(read(&self.chain_file, &self.key_file, self.trust_owner)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = read;
        Ok(())
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn read(chain: &Path, key: &Path, trust_owner: bool) -> Result<CertifiedKey, Error> {
    let bad = |path: &Path, reason: &str| {
        let (path, reason) = (path.to_owned(), reason.to_owned());
        Error::BadCredentials(BadCredentials { path, line: None, reason })
    };
    let pem = std::fs::read(chain).map_err(Error::io("open", chain))?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let certificates = certificates.unwrap_or_default();
    if certificates.is_empty() {
        return Err(bad(chain, "it holds no certificate in PEM"));
    }
    let pem = read_private(key, trust_owner)?;
    // What is wrong with it is not said: that could quote it.
    let private = PrivateKeyDer::from_pem_slice(pem.as_bytes());
    let private = private.map_err(|_| bad(key, "it holds no private key in PEM"))?;
    CertifiedKey::from_der(certificates, private, &ring::default_provider()).map_err(|error| {
        let is_other = matches!(error, rustls::Error::InconsistentKeys(_));
        bad(
            key,
            if is_other {
                "it is not the key of that certificate"
            } else {
                "no such key is known here"
            },
        )
    })
}

/// Takes handshakes, for what is spoken behind them.
#[derive(Clone)]
pub(super) struct Acceptor(TlsAcceptor);

impl fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acceptor").finish_non_exhaustive()
    }
}

impl Acceptor {
    /// Shows this certificate; `protocols` are the names of what is spoken, the preferred one first, where
    /// clients say what they would speak (ALPN).
    pub(super) fn new(certificate: &Arc<Certificate>, protocols: &[&[u8]]) -> Result<Self, Error> {
        let provider: Arc<CryptoProvider> = Arc::new(ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|error| Error::Engine { action: "speak TLS", source: error.into() })?;
        let resolver: Arc<dyn ResolvesServerCert> = Arc::clone(certificate) as _;
        let mut config = config.with_no_client_auth().with_cert_resolver(resolver);
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }

    /// Takes a handshake, within ten seconds; nothing where none comes. Who speaks no TLS gets the `words`,
    /// as they are.
    pub(super) async fn accept(
        &self,
        stream: TcpStream,
        words: &[u8],
    ) -> Option<TlsStream<TcpStream>> {
        let begun = tokio::time::Instant::now();
        let mut first = [0];
        match timeout(HANDSHAKE, stream.peek(&mut first)).await {
            Ok(Ok(1)) if first[0] == RECORD => {}
            Ok(Ok(0) | Err(_)) => return None,
            Ok(Ok(_)) | Err(_) => {
                say(stream, words).await;
                return None;
            }
        }
        let left = HANDSHAKE.saturating_sub(begun.elapsed());
        timeout(left, self.0.accept(stream)).await.ok()?.ok()
    }
}

/// Says a last word in plain.
async fn say(mut stream: TcpStream, words: &[u8]) {
    // Who has gone, or reads nothing, does not hear it.
    let said = timeout(HANDSHAKE, async {
        stream.write_all(words).await?;
        stream.shutdown().await
    });
    if let Ok(Ok(())) = said.await {
        pass_over(stream, vec![0; 1024]).await;
    }
}

/// Writes what is given to the end before more is taken: what is only encrypted is not on its way yet.
///
/// A write that waits has to be repeated with the same bytes.
#[derive(Debug)]
pub(super) struct Flushed<W> {
    inner: W,
    /// How much is taken, and not on its way.
    taken: Option<usize>,
}

impl<W> Flushed<W> {
    pub(super) fn new(inner: W) -> Self {
        Self { inner, taken: None }
    }
}

impl<W: AsyncWrite + Unpin> AsyncWrite for Flushed<W> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let taken = match self.taken {
            Some(taken) => taken,
            None => ready!(Pin::new(&mut self.inner).poll_write(context, bytes))?,
        };
        self.taken = Some(taken);
        ready!(Pin::new(&mut self.inner).poll_flush(context))?;
        self.taken = None;
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    /// Takes what comes, and sends it off when it is asked to the second time.
    #[derive(Default)]
    struct Slow {
        kept: Vec<u8>,
        sent: Vec<u8>,
        asked: usize,
    }

    impl AsyncWrite for Slow {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            self.kept.extend_from_slice(bytes);
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            self.asked += 1;
            if self.asked % 2 == 1 {
                return Poll::Pending;
            }
            let kept = std::mem::take(&mut self.kept);
            self.sent.extend(kept);
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[test]
    fn what_is_written_is_on_its_way_and_once() {
        let (mut writer, mut context) =
            (Flushed::new(Slow::default()), Context::from_waker(Waker::noop()));
        for bytes in [b"one", b"two"] {
            assert!(Pin::new(&mut writer).poll_write(&mut context, bytes).is_pending());
            let written = Pin::new(&mut writer).poll_write(&mut context, bytes);
            assert!(matches!(written, Poll::Ready(Ok(3))));
            assert!(writer.inner.sent.ends_with(bytes));
        }
        assert_eq!(writer.inner.sent, b"onetwo");
    }
}
