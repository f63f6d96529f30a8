//! Security types (RFC 6143 §7.2, rfbproto "Security Types"): one file each, and a row in [`SecurityType`].

pub mod plain;
pub mod rsa_aes;
pub mod secret;
pub mod vencrypt;
pub mod vnc_auth;

use std::fmt;
use std::str::FromStr;

use rsa_aes::{Opener, Sealer, Strength};
use secret::Secret;
use vnc_auth::{Challenge, Response};

/// A security type that this server can offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SecurityType {
    None,
    VncAuth,
    /// VeNCrypt: TLS, and inside it nothing more.
    X509None,
    /// VeNCrypt: TLS, and inside it VNC Authentication.
    X509Vnc,
    /// VeNCrypt: TLS, and inside it a name and a password.
    X509Plain,
    /// VeNCrypt without TLS of its own: a name and a password. Only for streams that are encrypted, or never leave this machine.
    Plain,
    /// RSA-AES: host key, password, and everything after it encrypted with AES-128.
    Ra2,
    /// RSA-AES that encrypts the password only.
    Ra2ne,
    /// As `Ra2`, with AES-256.
    Ra2Aes256,
    /// As `Ra2ne`, with AES-256.
    Ra2neAes256,
}

/// How RSA-AES is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RsaAes {
    pub strength: Strength,
    /// Whether the stream stays encrypted after the password.
    pub all: bool,
}

impl SecurityType {
    /// All that a stream in clear may be offered, so all but [`SecurityType::Plain`].
    pub const ALL: [Self; 9] = [
        Self::X509Plain,
        Self::X509Vnc,
        Self::X509None,
        Self::Ra2Aes256,
        Self::Ra2,
        Self::Ra2neAes256,
        Self::Ra2ne,
        Self::VncAuth,
        Self::None,
    ];

    /// Its number: of a security type, or from 256 on of a VeNCrypt subtype.
    pub const fn number(self) -> u32 {
        match self {
            Self::None => 1,
            Self::VncAuth => 2,
            Self::Plain => 256,
            Self::X509None => 260,
            Self::X509Vnc => 261,
            Self::X509Plain => 262,
            Self::Ra2 => 5,
            Self::Ra2ne => 6,
            Self::Ra2Aes256 => 129,
            Self::Ra2neAes256 => 130,
        }
    }

    /// Its name, as TigerVNC has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::VncAuth => "VncAuth",
            Self::X509None => "X509None",
            Self::X509Vnc => "X509Vnc",
            Self::X509Plain => "X509Plain",
            Self::Plain => "Plain",
            Self::Ra2 => "RA2",
            Self::Ra2ne => "RA2ne",
            Self::Ra2Aes256 => "RA2_256",
            Self::Ra2neAes256 => "RA2ne_256",
        }
    }

    /// Whether it runs over TLS and needs a certificate.
    pub const fn is_over_tls(self) -> bool {
        matches!(self, Self::X509None | Self::X509Vnc | Self::X509Plain)
    }

    /// How it speaks RSA-AES and needs a host key, if it does.
    pub const fn rsa_aes(self) -> Option<RsaAes> {
        let (strength, all) = match self {
            Self::Ra2 => (Strength::Aes128, true),
            Self::Ra2ne => (Strength::Aes128, false),
            Self::Ra2Aes256 => (Strength::Aes256, true),
            Self::Ra2neAes256 => (Strength::Aes256, false),
            _ => return None,
        };
        Some(RsaAes { strength, all })
    }

    /// What the client is asked for.
    pub const fn asks_for(self) -> Asks {
        match self {
            Self::None | Self::X509None => Asks::Nothing,
            Self::VncAuth | Self::X509Vnc => Asks::Response,
            Self::X509Plain
            | Self::Plain
            | Self::Ra2
            | Self::Ra2ne
            | Self::Ra2Aes256
            | Self::Ra2neAes256 => Asks::Password,
        }
    }
}

impl fmt::Display for SecurityType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No security type has this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such security type")]
pub struct UnknownType;

impl FromStr for SecurityType {
    type Err = UnknownType;

    /// Takes the name in upper and lower case.
    fn from_str(name: &str) -> Result<Self, UnknownType> {
        let same = |security: &Self| security.name().eq_ignore_ascii_case(name);
        Self::ALL.into_iter().find(same).ok_or(UnknownType)
    }
}

/// What a security type asks a client for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    Nothing,
    /// A challenge encrypted by a password, which the server has to know in clear.
    Response,
    /// A password in clear, over an encrypted stream; a user's name may be with it.
    Password,
}

/// What the stream under a connection has to become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upgrade {
    /// TLS, of which this side is the server.
    Tls,
    /// The messages of RSA-AES. What the client has sent in them already is `received`.
    RsaAes {
        sealer: Sealer,
        opener: Opener,
        received: Vec<u8>,
    },
}

/// What a client gives to be let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    /// Nothing: None and X509None.
    Anonymous,
    /// [`vnc_auth::Password::verify`] tells whether a password made this response to this challenge.
    VncAuth {
        challenge: Challenge,
        response: Response,
    },
    /// A password, with the user's name if the security type has one.
    Password {
        user: Option<String>,
        password: Secret,
    },
}
