//! A certificate with its chain and its key, from two PEM files.

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use tokio_rustls::rustls::{
    self, RootCertStore,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier as _},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem, pem::PemObject as _},
    sign::CertifiedKey,
};

use super::{
    create::fingerprint,
    file::{self, FileError, Stamp},
    provider,
};

/// Why there is no usable certificate.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{} holds no certificate in PEM form ({error})", path.display())]
    NoCertificate { path: PathBuf, error: pem::Error },
    #[error("{} holds no private key in PEM form, or one that is locked by a passphrase ({error})", path.display())]
    NoKey { path: PathBuf, error: pem::Error },
    #[error("the certificate {} and the key {} do not belong together", certificate.display(), key.display())]
    Strangers { certificate: PathBuf, key: PathBuf },
    #[error("the certificate {} cannot be used with the key {}: {error}", certificate.display(), key.display())]
    Unusable {
        certificate: PathBuf,
        key: PathBuf,
        error: rustls::Error,
    },
}

/// A certificate that follows its files.
#[derive(Debug)]
pub struct Certificate {
    certificate: PathBuf,
    key: PathBuf,
    now: Mutex<Now>,
}

/// Whether a certificate's time is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    Good,
    Expired,
    NotYet,
}

#[derive(Debug)]
struct Now {
    shown: Arc<CertifiedKey>,
    /// Of the files as they were tried last.
    tried: [Stamp; 2],
}

impl Certificate {
    /// Reads the files: a chain that begins with this server's certificate, and its private key.
    pub fn open(certificate: PathBuf, key: PathBuf) -> Result<Self, CertificateError> {
        let tried = [file::stamp(&certificate), file::stamp(&key)];
        let shown = Arc::new(read(&certificate, &key)?);
        Ok(Self {
            certificate,
            key,
            now: Mutex::new(Now { shown, tried }),
        })
    }

    /// As viewers show it.
    pub fn fingerprint(&self) -> String {
        fingerprint(end_entity(&self.shown()))
    }

    /// What viewers will think of it at this time.
    pub fn validity(&self, time: SystemTime) -> Validity {
        use rustls::CertificateError as Error;
        match verify(&self.shown(), time) {
            Err(rustls::Error::InvalidCertificate(
                Error::Expired | Error::ExpiredContext { .. },
            )) => Validity::Expired,
            Err(rustls::Error::InvalidCertificate(
                Error::NotValidYet | Error::NotValidYetContext { .. },
            )) => Validity::NotYet,
            // Whom a viewer trusts, and by which name it comes, is not known here.
            _ => Validity::Good,
        }
    }

    /// What the next handshake shows.
    pub(super) fn shown(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.now().shown)
    }

    /// Takes what the files hold, if they are others than those that were tried last. Blocks.
    pub(super) fn reload_if_changed(&self) {
        let stamps = self.stamps();
        if self.now().tried == stamps {
            return;
        }
        if let Err(error) = self.reload() {
            let path = self.certificate.display();
            tracing::warn!(certificate = %path, %error, "the certificate stays what it was");
        }
    }

    /// Takes what the files hold; after an error everything stays what it was. Blocks.
    pub(super) fn reload(&self) -> Result<(), CertificateError> {
        let stamps = self.stamps();
        let read = read(&self.certificate, &self.key);
        let mut now = self.now();
        now.tried = stamps;
        let new = read?;
        if new.cert != now.shown.cert {
            let (path, sha256) = (self.certificate.display(), fingerprint(end_entity(&new)));
            now.shown = Arc::new(new);
            tracing::info!(certificate = %path, %sha256, "a new certificate is shown from now on");
        }
        Ok(())
    }

    fn stamps(&self) -> [Stamp; 2] {
        [file::stamp(&self.certificate), file::stamp(&self.key)]
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The fingerprint of the first certificate in this file.
pub fn fingerprint_of(path: &Path) -> Result<String, CertificateError> {
    let chain = chain(path)?;
    let first = chain.first().map(AsRef::as_ref).unwrap_or_default();
    Ok(fingerprint(first))
}

fn end_entity(key: &CertifiedKey) -> &[u8] {
    key.cert.first().map(AsRef::as_ref).unwrap_or_default()
}

/// Looks at it as a viewer does that trusts it.
fn verify(key: &CertifiedKey, time: SystemTime) -> Result<(), rustls::Error> {
    let Some((first, chain)) = key.cert.split_first() else {
        return Ok(());
    };
    let mut roots = RootCertStore::empty();
    for certificate in &key.cert {
        roots.add(certificate.clone())?;
    }
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider());
    let verifier = verifier
        .build()
        .map_err(|error| rustls::Error::General(error.to_string()))?;
    let name = ServerName::from(IpAddr::from([127, 0, 0, 1]));
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let time = UnixTime::since_unix_epoch(since);
    verifier.verify_server_cert(first, chain, &name, &[], time)?;
    Ok(())
}

fn read(certificate: &Path, key: &Path) -> Result<CertifiedKey, CertificateError> {
    let chain = chain(certificate)?;
    let bytes = file::read_secret(key)?;
    let private = PrivateKeyDer::from_pem_slice(&bytes).map_err(|error| {
        let path = key.to_owned();
        CertificateError::NoKey { path, error }
    })?;
    CertifiedKey::from_der(chain, private, &provider()).map_err(|error| {
        let (certificate, key) = (certificate.to_owned(), key.to_owned());
        match error {
            rustls::Error::InconsistentKeys(_) => CertificateError::Strangers { certificate, key },
            error => CertificateError::Unusable {
                certificate,
                key,
                error,
            },
        }
    })
}

/// Reads the certificates of a PEM file, at least one.
fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let bytes = file::read(path)?;
    let chain = CertificateDer::pem_slice_iter(&bytes).collect::<Result<Vec<_>, _>>();
    let chain = chain.and_then(|chain| match chain.is_empty() {
        true => Err(pem::Error::NoItemsFound),
        false => Ok(chain),
    });
    chain.map_err(|error| {
        let path = path.to_owned();
        CertificateError::NoCertificate { path, error }
    })
}
