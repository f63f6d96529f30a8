//! VNC Authentication (RFC 6143 §7.2.2): a 16-byte challenge, encrypted with DES by the password.

use des::Des;
use des::cipher::{Array, BlockCipherEncrypt, KeyInit};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Fresh random bytes that the client encrypts; never the same twice.
pub type Challenge = [u8; 16];

/// A challenge as the client encrypted it.
pub type Response = [u8; 16];

/// What VNC Authentication uses of a password: its first 8 bytes, padded with zeros.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Zeroizing<[u8; 8]>);

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(…)")
    }
}

impl Password {
    /// Keeps the first 8 bytes, as every client does; the caller says so to the operator.
    pub fn new(password: &[u8]) -> Self {
        let mut key = Zeroizing::new([0; 8]);
        for (k, p) in key.iter_mut().zip(password) {
            *k = *p;
        }
        Self(key)
    }

    /// Whether `response` is the challenge encrypted by this password, in constant time.
    pub fn verify(&self, challenge: &Challenge, response: &Response) -> bool {
        self.respond(challenge).ct_eq(response).into()
    }

    /// The challenge as a client encrypts it: DES-ECB, each key byte with its bits reversed.
    pub fn respond(&self, challenge: &Challenge) -> Response {
        let des = Des::new(&Array::from(self.0.map(u8::reverse_bits)));
        let mut out = *challenge;
        for block in out.as_chunks_mut::<8>().0 {
            let mut cipher_block = Array::from(*block);
            des.encrypt_block(&mut cipher_block);
            *block = cipher_block.into();
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From an independent implementation: key "password", two blocks.
    #[test]
    fn known_answer() {
        let challenge = [0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88].repeat(2);
        let challenge: Challenge = challenge.try_into().expect("16 bytes");
        let response = Password::new(b"password").respond(&challenge);
        let block = [0x5d, 0x3b, 0x66, 0x79, 0x1a, 0x0a, 0x48, 0x10];
        assert_eq!(response[..8], block);
        assert_eq!(response[8..], block);
    }

    /// Check 10.
    #[test]
    fn eight_bytes_count_and_all_of_the_response_does() {
        let challenge: Challenge = *b"0123456789abcdef";
        let long = Password::new(b"p\xe4ssword9");
        let short = Password::new(b"p\xe4ssword");
        let mut response = short.respond(&challenge);
        assert!(long.verify(&challenge, &response));
        assert!(!Password::new(b"p\xe4sswor").verify(&challenge, &response));
        response[15] ^= 1;
        assert!(!long.verify(&challenge, &response));
    }

    #[test]
    fn debug_does_not_show_it() {
        assert_eq!(format!("{:?}", Password::new(b"secret")), "Password(…)");
    }
}
