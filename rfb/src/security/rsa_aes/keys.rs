//! What RSA-AES makes of public keys and random numbers.

use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::super::secret::Secret;
use super::Strength;
use super::sealing::{Opener, Sealer};
use crate::error::Error;
use crate::wire::{Put, Read, Reader};

/// Bits of a key that is taken. Shorter ones can be broken; longer ones cost this side too much.
pub const BITS: std::ops::RangeInclusive<u32> = 2048..=8192;
/// Bytes of a public exponent that is taken; 3 and 65537 are usual.
const EXPONENT: usize = 4;

/// An RSA key as it is sent: both numbers big-endian, in as many bytes as the modulus has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    bits: u32,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

impl PublicKey {
    /// From big-endian numbers; zeros before them do not count. `None` if there can be no such key, or none that is
    /// taken.
    pub fn new(modulus: &[u8], exponent: &[u8]) -> Option<Self> {
        let (modulus, exponent) = (significant(modulus), significant(exponent));
        let leading = modulus.first()?.leading_zeros();
        let bits = u32::try_from(modulus.len() * 8).ok()? - leading;
        let odd = |number: &[u8]| number.last().is_some_and(|byte| byte % 2 == 1);
        let sane = BITS.contains(&bits)
            && odd(modulus)
            && odd(exponent)
            && exponent.len() <= EXPONENT
            && exponent != [1];
        let mut padded = vec![0; modulus.len() - exponent.len().min(modulus.len())];
        padded.put(exponent);
        sane.then(|| Self {
            bits,
            modulus: modulus.to_vec(),
            exponent: padded,
        })
    }

    /// U32 bits, modulus, exponent.
    pub(super) fn read(reader: &mut Reader<'_>) -> Read<Result<Sent, Error>> {
        let bits = reader.u32()?;
        if !BITS.contains(&bits) {
            return Ok(Err(Error::RsaKey(bits)));
        }
        let length = bits.div_ceil(8) as usize;
        let modulus = reader.take(length)?;
        let exponent = reader.take(length)?;
        let mut sent = Vec::with_capacity(4 + 2 * length);
        sent.put_u32(bits);
        sent.put(modulus);
        sent.put(exponent);
        Ok(match Self::new(modulus, exponent) {
            Some(key) => Ok(Sent { key, bytes: sent }),
            None => Err(Error::RsaKey(bits)),
        })
    }

    /// As it is sent, and hashed.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(4 + 2 * self.modulus.len());
        out.put_u32(self.bits);
        out.put(&self.modulus);
        out.put(&self.exponent);
        out
    }

    /// Big-endian, without zeros before it.
    pub fn modulus(&self) -> &[u8] {
        &self.modulus
    }

    /// Big-endian, without zeros before it.
    pub fn exponent(&self) -> &[u8] {
        significant(&self.exponent)
    }

    /// By which viewers show it to people: the first 8 bytes of its SHA-1.
    pub fn fingerprint(&self) -> String {
        let hash = Sha1::digest(self.to_bytes());
        let digits = hash.iter().take(8).map(|byte| format!("{byte:02x}"));
        digits.collect::<Vec<_>>().join("-")
    }
}

/// A key, and the bytes that it came in.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) key: PublicKey,
    pub(super) bytes: Vec<u8>,
}

fn significant(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

impl Strength {
    /// Bytes of a random number, and of a key.
    pub const fn bytes(self) -> usize {
        match self {
            Self::Aes128 => 16,
            Self::Aes256 => 32,
        }
    }

    /// SHA-1 or SHA-256 of one thing behind another.
    pub(super) fn hash(self, first: &[u8], second: &[u8]) -> Vec<u8> {
        match self {
            Self::Aes128 => {
                let hash = Sha1::new().chain_update(first).chain_update(second);
                hash.finalize().to_vec()
            }
            Self::Aes256 => {
                let hash = Sha256::new().chain_update(first).chain_update(second);
                hash.finalize().to_vec()
            }
        }
    }

    fn key(self, first: &Secret, second: &Secret) -> Secret {
        let mut key = self.hash(first.as_bytes(), second.as_bytes());
        key.truncate(self.bytes());
        Secret::new(key)
    }

    /// Both directions of the side whose random number is `own`.
    pub fn keys(self, own: &Secret, peers: &Secret) -> (Sealer, Opener) {
        let sealer = Sealer::new(self, self.key(peers, own));
        (sealer, Opener::new(self, self.key(own, peers)))
    }
}
