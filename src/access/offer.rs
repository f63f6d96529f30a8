//! Which security types clients are offered.

use rfb::security::{Asks, SecurityType};

/// What there is to decide about a client and to encrypt its connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Means {
    /// A password that is known in clear, as VNC Authentication needs it.
    pub response: bool,
    /// Passwords that can be checked.
    pub password: bool,
    /// Those are of users with names.
    pub users: bool,
    /// A certificate.
    pub tls: bool,
    /// An RSA key.
    pub host_key: bool,
}

/// A security type that cannot work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OfferError {
    #[error(
        "the security type {0} runs over TLS and needs a certificate; `rfbridge cert` makes one, `certificate` and `key` of [security] (--security-certificate, --security-key) name it"
    )]
    NoCertificate(SecurityType),
    #[error(
        "the security type {0} is RSA-AES and needs a host key; `rfbridge cert --host-key` makes one, `host-key` of [security] (--security-host-key) names it"
    )]
    NoHostKey(SecurityType),
    #[error(
        "the security type {0} asks for the VNC password, and there is none; give it with --password-file FILE (key `password-file`)"
    )]
    NoResponse(SecurityType),
    #[error(
        "the security type {0} asks for a password, and there is none; give one with --password-file FILE (key `password-file`)"
    )]
    NoPassword(SecurityType),
    #[error(
        "there are users and no password, but nothing that carries a user's name can be offered; make a certificate (`rfbridge cert`) or give a password with --password-file FILE"
    )]
    NoWayIn,
    #[error(
        "the security type {0} lets everybody in although there is a password; leave out one of them"
    )]
    Unguarded(SecurityType),
}

/// The offer: what is `wanted`, if it can work, else what can, best first.
pub fn offer(
    wanted: Option<&[SecurityType]>,
    means: Means,
) -> Result<Vec<SecurityType>, OfferError> {
    let Some(wanted) = wanted else {
        let able = |security: &SecurityType| means.check(*security).is_ok();
        let offer: Vec<_> = means.preferred().iter().copied().filter(able).collect();
        return if offer.is_empty() {
            Err(OfferError::NoWayIn)
        } else {
            Ok(offer)
        };
    };
    for security in wanted {
        means.check(*security)?;
    }
    Ok(wanted.to_vec())
}

impl Means {
    /// Best first. Most clients take the first type that they know. Of RSA-AES only the type that breaks no client: some
    /// stumble over the numbers of those with AES-256, and noVNC takes RA2ne even in a page where it cannot speak it.
    fn preferred(self) -> &'static [SecurityType] {
        use SecurityType::{None, Ra2, VncAuth, X509None, X509Plain, X509Vnc};
        match self.users {
            true => &[X509Plain, X509Vnc, Ra2, VncAuth, X509None, None],
            // Who asks for a name where there is none puzzles people.
            false => &[X509Vnc, Ra2, VncAuth, X509None, None],
        }
    }

    fn check(self, security: SecurityType) -> Result<(), OfferError> {
        if security.is_over_tls() && !self.tls {
            return Err(OfferError::NoCertificate(security));
        }
        if security.rsa_aes().is_some() && !self.host_key {
            return Err(OfferError::NoHostKey(security));
        }
        match security.asks_for() {
            Asks::Nothing if self.password || self.response => Err(OfferError::Unguarded(security)),
            Asks::Response if !self.response => Err(OfferError::NoResponse(security)),
            Asks::Password if !self.password => Err(OfferError::NoPassword(security)),
            Asks::Nothing | Asks::Response | Asks::Password => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::SecurityType::{None, Ra2, Ra2Aes256, VncAuth, X509None, X509Plain, X509Vnc};
    use super::*;

    const NOTHING: Means = Means {
        response: false,
        password: false,
        users: false,
        tls: false,
        host_key: false,
    };
    const SHARED: Means = Means {
        response: true,
        password: true,
        ..NOTHING
    };

    #[test]
    fn by_default_what_works_is_offered_best_first() {
        let of = |means| offer(Option::None, means).expect("an offer");
        assert_eq!(of(NOTHING), [None]);
        assert_eq!(of(SHARED), [VncAuth]);
        assert_eq!(
            of(Means {
                tls: true,
                ..NOTHING
            }),
            [X509None, None]
        );
        assert_eq!(
            of(Means {
                tls: true,
                ..SHARED
            }),
            [X509Vnc, VncAuth]
        );
        let users = Means {
            users: true,
            tls: true,
            ..SHARED
        };
        assert_eq!(of(users), [X509Plain, X509Vnc, VncAuth]);
        let all = Means {
            host_key: true,
            ..users
        };
        assert_eq!(of(all), [X509Plain, X509Vnc, Ra2, VncAuth]);
        let only_users = Means {
            response: false,
            ..users
        };
        assert_eq!(of(only_users), [X509Plain]);
        let no_certificate = Means {
            tls: false,
            ..only_users
        };
        assert_eq!(
            offer(Option::None, no_certificate),
            Err(OfferError::NoWayIn)
        );
    }

    #[test]
    fn what_is_wanted_is_offered_as_it_is_or_refused() {
        let tls = Means {
            tls: true,
            ..SHARED
        };
        let wanted = [VncAuth, X509Plain];
        assert_eq!(offer(Some(&wanted), tls), Ok(wanted.to_vec()));
        for (wanted, means, error) in [
            (X509None, NOTHING, OfferError::NoCertificate(X509None)),
            (X509Vnc, SHARED, OfferError::NoCertificate(X509Vnc)),
            (VncAuth, NOTHING, OfferError::NoResponse(VncAuth)),
            (
                X509Plain,
                Means {
                    tls: true,
                    ..NOTHING
                },
                OfferError::NoPassword(X509Plain),
            ),
            (Ra2Aes256, tls, OfferError::NoHostKey(Ra2Aes256)),
            (None, SHARED, OfferError::Unguarded(None)),
            (X509None, tls, OfferError::Unguarded(X509None)),
        ] {
            assert_eq!(offer(Some(&[wanted]), means), Err(error));
        }
    }
}
