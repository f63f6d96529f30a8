//! Security types (RFC 6143 §7.2): one file each, and a row in [`SecurityType`].

pub mod vnc_auth;

/// A security type that this server can offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecurityType {
    None = 1,
    VncAuth = 2,
}

impl SecurityType {
    pub const fn number(self) -> u8 {
        self as u8
    }
}
