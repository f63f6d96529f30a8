//! VeNCrypt 0.2 (rfbproto "VeNCrypt"): which subtypes of it are offered, and its numbers.
//!
//! The subtypes with X.509 certificates alone are spoken. Those with anonymous Diffie-Hellman (TLSNone and the like)
//! encrypt for whoever is in between, and no well-kept TLS library has them any more.

use super::SecurityType;

/// Its number in the list of security types.
pub const NUMBER: u8 = 19;
pub const VERSION: [u8; 2] = [0, 2];

/// The subtypes, in order, of a server that offers these security types.
///
/// What is offered without TLS anyway comes last, as a way out for clients that take VeNCrypt where they see it and then
/// know no subtype with TLS (noVNC).
pub fn subtypes(offer: &[SecurityType]) -> Vec<SecurityType> {
    let over_tls = offer.iter().filter(|security| security.is_over_tls());
    let as_it_is = offer.iter().filter(|security| is_without_tls(**security));
    over_tls.chain(as_it_is).copied().collect()
}

fn is_without_tls(security: SecurityType) -> bool {
    use SecurityType::{None, Plain, VncAuth};
    matches!(security, Plain | VncAuth | None)
}
