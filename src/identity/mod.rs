//! What this server shows clients so that they know it: a certificate for TLS, a host key for RSA-AES.
//!
//! The certificate's files are read before anything is served and looked at again every few seconds. New ones hold for the next
//! handshake, sessions go on; ones that cannot be used change nothing but the log.

mod certificate;
mod create;
mod der;
mod file;
mod host_key;

use std::{sync::Arc, time::Duration};

use tokio::{task::spawn_blocking, time::MissedTickBehavior};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::{CryptoProvider, aws_lc_rs},
        server::{ClientHello, NoServerSessionStorage, ResolvesServerCert},
        sign::CertifiedKey,
    },
};
use tokio_util::sync::CancellationToken;

pub use certificate::{Certificate, CertificateError, Validity, fingerprint_of};
pub use create::{CreateError, Names, create, create_host_key};
pub use file::FileError;
pub use host_key::{HostKey, HostKeyError};

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(5);
/// Bytes that TLS may hold unsent for a client: a frame that waits there can no longer be replaced by a newer one.
pub const TLS_BUFFER: usize = 64 * 1024;

/// The certificate that is shown now, and what it takes to show it.
#[derive(Clone, Debug)]
pub struct Tls {
    certificate: Arc<Certificate>,
    acceptor: Arc<ServerConfig>,
}

impl Tls {
    /// TLS 1.2 and 1.3, without client certificates.
    pub fn new(certificate: Certificate) -> Result<Self, tokio_rustls::rustls::Error> {
        let certificate = Arc::new(certificate);
        let resolver = Arc::new(Shown(Arc::clone(&certificate)));
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        // Nobody resumes a session, and TigerVNC 1.12 does not see what comes right behind a ticket: it then waits for a
        // challenge that it has got.
        config.send_tls13_tickets = 0;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        Ok(Self {
            certificate,
            acceptor: Arc::new(config),
        })
    }

    /// Makes streams to TLS.
    pub fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.acceptor))
    }

    /// Looks at the files now, and takes new ones. Blocks.
    pub fn reload(&self) -> Result<(), CertificateError> {
        self.certificate.reload()
    }

    /// Looks at the files every few seconds until `stop`.
    pub async fn follow(self, stop: CancellationToken) {
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = look.tick() => {}
            }
            let certificate = Arc::clone(&self.certificate);
            // A panic in there has been told by the thread that it was in.
            let _ = spawn_blocking(move || certificate.reload_if_changed()).await;
        }
    }
}

/// Gives each handshake what is shown at that moment.
#[derive(Debug)]
struct Shown(Arc<Certificate>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.shown())
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}
