//! Security types (RFC 6143 §7.2): one file each, and a row in [`SecurityType`].

pub mod secret;
pub mod vnc_auth;

use secret::Secret;
use vnc_auth::{Challenge, Response};

/// A security type that this server can offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SecurityType {
    None,
    VncAuth,
}

impl SecurityType {
    /// Its number in the list of security types.
    pub const fn number(self) -> u8 {
        match self {
            Self::None => 1,
            Self::VncAuth => 2,
        }
    }
}

/// What a client gives to be let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    /// Nothing: security type None.
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
