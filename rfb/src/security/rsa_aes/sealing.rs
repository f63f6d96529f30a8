//! The record layer of RSA-AES: AES in EAX mode (rfbproto "RSA-AES Security Type").
//!
//! A message is U16 length, so many encrypted bytes, 16 bytes of authentication. The length is authenticated as well; the
//! nonce is the message's number, little-endian, from 0 on.

use aes::{Aes128, Aes256};
use eax::Eax;
use eax::aead::{AeadInOut, KeyInit, array::Array, inout::InOutBuf};

use super::super::secret::Secret;
use super::Strength;
use crate::wire::{Put, Read, Reader};

const TAG: usize = 16;
/// Bytes that one message carries at most when this side writes it; it takes ones of any length.
pub const MOST: usize = 8192;

/// One direction's key, and the number of its next message.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Lane {
    strength: Strength,
    key: Secret,
    next: u128,
}

/// Encrypts what is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealer(Lane);

/// Decrypts what was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opener(Lane);

/// A message that the peer did not make, or not at this place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an encrypted message is not the peer's")]
pub struct Forged;

impl Sealer {
    pub(super) fn new(strength: Strength, key: Secret) -> Self {
        Self(Lane::new(strength, key))
    }

    /// Adds messages to `out` that carry `plain`.
    pub fn seal(&mut self, plain: &[u8], out: &mut Vec<u8>) {
        for part in plain.chunks(MOST) {
            let length = u16::try_from(part.len()).unwrap_or(u16::MAX).to_be_bytes();
            out.put(&length);
            let from = out.len();
            out.put(part);
            let tag = match out.get_mut(from..) {
                Some(buffer) => self.0.encrypt(&length, buffer),
                None => [0; TAG],
            };
            out.put(&tag);
        }
    }
}

impl Opener {
    pub(super) fn new(strength: Strength, key: Secret) -> Self {
        Self(Lane::new(strength, key))
    }

    /// Reads one message and gives what it carries.
    pub fn open(&mut self, reader: &mut Reader<'_>) -> Read<Result<Vec<u8>, Forged>> {
        let length = reader.u16()?;
        let body = reader.take(length.into())?;
        let tag = reader.array::<TAG>()?;
        let mut plain = body.to_vec();
        Ok(self
            .0
            .decrypt(&length.to_be_bytes(), &mut plain, tag)
            .map(|()| plain))
    }
}

impl Lane {
    fn new(strength: Strength, key: Secret) -> Self {
        Self {
            strength,
            key,
            next: 0,
        }
    }

    fn nonce(&mut self) -> [u8; 16] {
        let nonce = self.next.to_le_bytes();
        self.next = self.next.wrapping_add(1);
        nonce
    }

    fn encrypt(&mut self, length: &[u8], buffer: &mut [u8]) -> [u8; TAG] {
        let nonce = Array::from(self.nonce());
        let buffer = InOutBuf::from(buffer);
        let tag = match self.strength {
            Strength::Aes128 => Eax::<Aes128>::new(&self.padded().into())
                .encrypt_inout_detached(&nonce, length, buffer),
            Strength::Aes256 => Eax::<Aes256>::new(&self.padded().into())
                .encrypt_inout_detached(&nonce, length, buffer),
        };
        // It fails for more than 64 GiB only.
        tag.map_or([0; TAG], Into::into)
    }

    fn decrypt(&mut self, length: &[u8], buffer: &mut [u8], tag: [u8; TAG]) -> Result<(), Forged> {
        let nonce = Array::from(self.nonce());
        let (buffer, tag) = (InOutBuf::from(buffer), Array::from(tag));
        let opened = match self.strength {
            Strength::Aes128 => Eax::<Aes128>::new(&self.padded().into())
                .decrypt_inout_detached(&nonce, length, buffer, &tag),
            Strength::Aes256 => Eax::<Aes256>::new(&self.padded().into())
                .decrypt_inout_detached(&nonce, length, buffer, &tag),
        };
        opened.map_err(|_| Forged)
    }

    /// The key, which has as many bytes as the cipher takes.
    fn padded<const N: usize>(&self) -> [u8; N] {
        let mut key = [0; N];
        for (to, from) in key.iter_mut().zip(self.key.as_bytes()) {
            *to = *from;
        }
        key
    }
}
