//! What ends a connection: whose fault it was and what the log says of it.

use crate::pixel::BadPixelFormat;

/// Why a connection ends. All of these are the peer's doing; the server itself cannot fail.
///
/// What the peer is told, if the protocol has room for it at that point, is in the output that the
/// connection holds when it returns the error: flush it, then close.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the peer does not speak RFB (it began with {0:?})")]
    NotRfb(String),
    #[error("the peer wants RFB {major}.{minor}; 3.3, 3.7 and 3.8 are served")]
    Version { major: u16, minor: u16 },
    #[error("the connection was refused: {0}")]
    Refused(String),
    #[error("the peer chose security type {0}, which was not offered")]
    SecurityNotOffered(u32),
    #[error("the peer wants VeNCrypt {major}.{minor}; 0.2 is spoken")]
    VeNCryptVersion { major: u8, minor: u8 },
    #[error("the peer sent {0} bytes before the encryption that it had chosen began")]
    AheadOfEncryption(usize),
    #[error("the peer sent an RSA key that is none, or has other than 2048 to 8192 bits ({0})")]
    RsaKey(u32),
    #[error("RSA-AES with the peer failed: {0}")]
    RsaAes(&'static str),
    #[error("the peer announced a name or password of {length} bytes; {limit} are the limit")]
    LoginTooLong { length: u32, limit: u32 },
    #[error("the peer sent {0} bytes while it had to wait for an answer")]
    Impatient(usize),
    #[error("the peer asked for a pixel format that cannot be: {0}")]
    PixelFormat(#[from] BadPixelFormat),
    #[error("the peer sent message type {0:#04x}, which is unknown or was not offered")]
    UnknownMessage(u8),
    #[error("the peer sent QEMU client message {0}, which was not offered")]
    UnknownQemuMessage(u8),
    #[error("the peer announced {length} bytes of clipboard text; {limit} are the limit")]
    CutTextTooLong { length: u32, limit: u32 },
    #[error("the peer sent an extended clipboard message that cannot be read: {0}")]
    Clipboard(&'static str),
    #[error("the connection has ended")]
    Ended,
}
