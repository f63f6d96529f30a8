//! What clients are offered at each address, and what the offer needs.

use std::{net::SocketAddr, sync::Arc};

use rfb::security::SecurityType;

use crate::{
    access::{Access, Means, OfferError, offer},
    config::Config,
    identity::{Certificate, CertificateError, HostKey, HostKeyError, Tls},
};

/// Why nobody can be offered what the settings say.
#[derive(Debug, thiserror::Error)]
pub enum SecurityError {
    #[error(transparent)]
    Offer(#[from] OfferError),
    #[error(
        "{0} (`certificate` and `key` of [security], --security-certificate and --security-key)"
    )]
    Certificate(#[from] CertificateError),
    #[error("{0} (`host-key` of [security], --security-host-key)")]
    HostKey(#[from] HostKeyError),
    #[error("TLS cannot be had: {0}")]
    Tls(#[from] tokio_rustls::rustls::Error),
}

/// Security as the settings say it, with everything that it needs opened.
pub(super) struct Security {
    /// Each address with the types that are offered there, in order.
    pub(super) offers: Vec<(SocketAddr, Vec<SecurityType>)>,
    pub(super) tls: Option<Tls>,
    pub(super) host_key: Option<Arc<HostKey>>,
}

impl Security {
    pub(super) fn new(config: &Config, access: &Access) -> Result<Self, SecurityError> {
        let tls = match &config.security.certificate {
            None => None,
            Some(files) => {
                let certificate = Certificate::open(files.certificate.clone(), files.key.clone())?;
                let (path, sha256) = (files.certificate.display(), certificate.fingerprint());
                tracing::info!(certificate = %path, sha256, "the certificate's fingerprint");
                Some(Tls::new(certificate)?)
            }
        };
        let host_key = match &config.security.host_key {
            None => None,
            Some(path) => {
                let key = HostKey::open(path)?;
                let fingerprint = key.public().fingerprint();
                tracing::info!(host_key = %path.display(), fingerprint, "the host key's fingerprint");
                Some(Arc::new(key))
            }
        };
        let means = Means {
            tls: tls.is_some(),
            host_key: host_key.is_some(),
            ..access.means()
        };
        let offers = config.listen.iter().map(|listen| {
            let wanted = listen.security.as_ref().or(config.security.types.as_ref());
            let offer = offer(wanted.map(|types| types.0.as_slice()), means)?;
            Ok((listen.address, offer))
        });
        let offers = offers.collect::<Result<Vec<_>, OfferError>>()?;
        report(&offers);
        Ok(Self {
            offers,
            tls,
            host_key,
        })
    }
}

/// Says what the operator has to know of what other machines may choose.
fn report(offers: &[(SocketAddr, Vec<SecurityType>)]) {
    let weak = |(address, offer): &&(SocketAddr, Vec<SecurityType>)| {
        !address.ip().to_canonical().is_loopback() && offer.contains(&SecurityType::VncAuth)
    };
    if let Some((address, _)) = offers.iter().find(weak) {
        tracing::warn!(
            %address,
            "VNC authentication is weak: nothing is encrypted, and who records one login can guess its password at leisure; use it on networks that you trust, or offer other types only (`types` of [security])"
        );
    }
}
