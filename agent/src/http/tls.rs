//! TLS of a door: a certificate and its key, read again when their files change.
//!
//! ```text
//! files --look, each second: another inode, length or time?--> read both --> whole, and a pair --> new connections get it
//!                                                                        \-> broken: the old pair stays, and the log says why
//! ```
//! A path is followed through symbolic links at each look, so that a ConfigMap's or a Secret's swap is seen. Connections that stand keep
//! the pair that they began with. TLS 1.2 and 1.3, by rustls with ring.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{MissedTickBehavior, interval};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(1);
/// The longest file, in bytes; a long chain has some tens of thousands.
const LONGEST: u64 = 1 << 20;

/// Where the pair is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate and those that vouch for it, PEM, the door's own first.
    pub certificate: PathBuf,
    /// Its private key, PEM (PKCS #8, PKCS #1 or SEC1).
    pub key: PathBuf,
}

/// Why a pair cannot be used. Never quotes what is in the files.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file.
    #[error("{} cannot be read: {error}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file that holds something else.
    #[error("{} holds no {what} in PEM form (-----BEGIN ...)", path.display())]
    Empty {
        /// Which.
        path: PathBuf,
        /// What should be there.
        what: &'static str,
    },
    /// The two do not go together, or are of a kind that is not known.
    #[error("{} and {} cannot be used together: {error}", files.certificate.display(), files.key.display())]
    Unusable {
        /// Which.
        files: TlsFiles,
        /// What rustls says.
        error: rustls::Error,
    },
}

/// The pair of a door, as it is now. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Tls {
    configs: watch::Receiver<Arc<ServerConfig>>,
}

impl Tls {
    /// Reads the pair, and starts the task that looks for a new one until `shutdown`.
    pub(super) async fn start(
        files: TlsFiles,
        shutdown: CancellationToken,
    ) -> Result<(Self, JoinHandle<()>), TlsError> {
        // In this order: a pair that changes between the two counts as new.
        let seen = Seen::of(&files).await;
        let (sender, configs) = watch::channel(read(&files).await?);
        let task = tokio::spawn(async move {
            shutdown.run_until_cancelled(follow(files, seen, sender)).await;
        });
        Ok((Self { configs }, task))
    }

    /// Shakes hands with the pair of this moment.
    pub(super) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S) -> io::Result<TlsStream<S>> {
        let config = self.configs.borrow().clone();
        TlsAcceptor::from(config).accept(stream).await
    }
}

/// Looks for ever.
async fn follow(files: TlsFiles, mut used: Seen, sender: watch::Sender<Arc<ServerConfig>>) {
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut previous, mut told) = (used.clone(), used.clone());
    loop {
        looks.tick().await;
        let seen = Seen::of(&files).await;
        // Two files are rarely written in one moment: what changed is read at the next look.
        let has_settled = std::mem::replace(&mut previous, seen.clone()) == seen;
        if !has_settled || seen == used || seen == told {
            continue;
        }
        match read(&files).await {
            Ok(config) => {
                tracing::info!(certificate = %files.certificate.display(), "a new certificate is used from now on");
                sender.send_replace(config);
                used = seen;
            }
            Err(error) => {
                tracing::error!(%error, "the new certificate cannot be used; the old one stays");
                told = seen;
            }
        }
    }
}

/// In which state the two files are.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen([Option<[i64; 5]>; 2]);

impl Seen {
    async fn of(files: &TlsFiles) -> Self {
        let files = files.clone();
        let look = |path: &Path| std::fs::metadata(path).ok().map(|metadata| state(&metadata));
        let looked = spawn_blocking(move || Self([look(&files.certificate), look(&files.key)]));
        looked.await.unwrap_or(Self([None, None]))
    }
}

fn state(file: &Metadata) -> [i64; 5] {
    [file.dev().cast_signed(), file.ino().cast_signed(), file.len().cast_signed(), file.mtime(), file.mtime_nsec()]
}

async fn read(files: &TlsFiles) -> Result<Arc<ServerConfig>, TlsError> {
    let (path, files) = (files.key.clone(), files.clone());
    let made = spawn_blocking(move || config(&files)).await;
    made.unwrap_or_else(|error| Err(TlsError::Unreadable { path, error: error.into() }))
}

fn config(files: &TlsFiles) -> Result<Arc<ServerConfig>, TlsError> {
    let chain = pem(&files.certificate)?;
    let chain = CertificateDer::pem_slice_iter(&chain).collect::<Result<Vec<_>, _>>();
    let empty = |path: &Path, what| TlsError::Empty { path: path.to_owned(), what };
    let chain = chain.ok().filter(|chain| !chain.is_empty()).ok_or_else(|| empty(&files.certificate, "certificate"))?;
    let key = PrivateKeyDer::from_pem_slice(&pem(&files.key)?).map_err(|_| empty(&files.key, "private key"))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let made = builder.and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key));
    let mut config = made.map_err(|error| TlsError::Unusable { files: files.clone(), error })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn pem(path: &Path) -> Result<Vec<u8>, TlsError> {
    let unreadable = |error| TlsError::Unreadable { path: path.to_owned(), error };
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() || metadata.len() > LONGEST {
        return Err(unreadable(io::Error::other("it is no file, or larger than 1 MiB")));
    }
    std::fs::read(path).map_err(unreadable)
}

#[cfg(test)]
mod tests;
