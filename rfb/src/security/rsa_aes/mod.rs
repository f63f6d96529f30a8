//! RSA-AES, the types RA2 and RA2ne (rfbproto "RSA-AES Security Type"): both sides show an RSA key, each sends the other a
//! random number encrypted by it, and from both numbers come the keys of AES.
//!
//! RSA itself is done elsewhere, by the owner of the connection: [`Task`] asks for it. It is slow, and decryption has to
//! take the same time whatever there is to decrypt.

mod keys;
mod sealing;

use subtle::ConstantTimeEq;

use super::Login;
use super::secret::Secret;
use crate::error::Error;
use crate::wire::{Put, Read, Reader};

pub use keys::{BITS, PublicKey};
pub use sealing::{Forged, MOST, Opener, Sealer};

/// How much of everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Strength {
    /// With SHA-1.
    Aes128,
    /// With SHA-256.
    Aes256,
}

/// What is asked of the owner of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    /// Draw so many random bytes and encrypt them by this key (EME-PKCS1-v1_5).
    Encrypt { key: PublicKey, length: usize },
    /// Decrypt this by the host key.
    ///
    /// If that does not give so many bytes, draw random ones instead: the client must not learn what was wrong.
    Decrypt { encrypted: Vec<u8>, length: usize },
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    Encrypted {
        random: Secret,
        encrypted: Vec<u8>,
    },
    Decrypted(Secret),
    /// Nothing encrypts by this key.
    BadKey,
}

/// What a step led to.
#[derive(Debug)]
pub(crate) enum Progress {
    Ask(Task),
    Continue,
    /// The client has said who it is. From here on the stream is encrypted by these if all of it is to be.
    Login(Login, Sealer, Opener),
}

/// The server's side, from the host key on the wire to the client's login.
#[derive(Debug)]
pub(crate) struct Exchange {
    strength: Strength,
    /// Whether the client is asked for a user's name, too.
    names: bool,
    host_key: Vec<u8>,
    waits: Waits,
}

#[derive(Debug)]
enum Waits {
    ClientKey,
    Encryption {
        client_key: Vec<u8>,
    },
    ClientRandom {
        client_key: Vec<u8>,
        own: Secret,
    },
    Decryption {
        client_key: Vec<u8>,
        own: Secret,
    },
    ClientHash {
        expected: Vec<u8>,
        sealer: Sealer,
        opener: Opener,
    },
    Credentials {
        sealer: Sealer,
        opener: Opener,
    },
    Nothing,
}

impl Exchange {
    /// Shows the host key.
    pub(crate) fn begin(
        strength: Strength,
        names: bool,
        host_key: &PublicKey,
        out: &mut Vec<u8>,
    ) -> Self {
        let host_key = host_key.to_bytes();
        out.put(&host_key);
        Self {
            strength,
            names,
            host_key,
            waits: Waits::ClientKey,
        }
    }

    /// Whether the owner has something to do first.
    pub(crate) fn is_waiting_for_owner(&self) -> bool {
        matches!(
            self.waits,
            Waits::Encryption { .. } | Waits::Decryption { .. }
        )
    }

    /// Reads one message.
    pub(crate) fn step(
        &mut self,
        reader: &mut Reader<'_>,
        out: &mut Vec<u8>,
    ) -> Read<Result<Progress, Error>> {
        let length = self.strength.bytes();
        Ok(match &mut self.waits {
            Waits::ClientKey => PublicKey::read(reader)?.map(|sent| {
                self.waits = Waits::Encryption {
                    client_key: sent.bytes,
                };
                let key = sent.key;
                Progress::Ask(Task::Encrypt { key, length })
            }),
            Waits::ClientRandom { client_key, own } => {
                let size = usize::from(reader.u16()?);
                if size != (self.host_key.len() - 4) / 2 {
                    return Ok(Err(Error::RsaAes(
                        "a random number of another size than the host key's",
                    )));
                }
                let encrypted = reader.take(size)?.to_vec();
                self.waits = Waits::Decryption {
                    client_key: std::mem::take(client_key),
                    own: own.clone(),
                };
                Ok(Progress::Ask(Task::Decrypt { encrypted, length }))
            }
            Waits::ClientHash {
                expected,
                sealer,
                opener,
            } => {
                let length = expected.len();
                let hash = match sealed(opener, reader, length..=length)? {
                    Ok(hash) => hash,
                    Err(error) => return Ok(Err(error)),
                };
                if !bool::from(hash.ct_eq(expected)) {
                    return Ok(Err(Error::RsaAes(
                        "it saw other keys than this server, or other random numbers",
                    )));
                }
                let subtype = if self.names { 1 } else { 2 };
                sealer.seal(&[subtype], out);
                let (sealer, opener) = (sealer.clone(), opener.clone());
                self.waits = Waits::Credentials { sealer, opener };
                Ok(Progress::Continue)
            }
            Waits::Credentials { sealer, opener } => {
                // A length of one byte before each of two texts.
                let plain = match sealed(opener, reader, 2..=512)? {
                    Ok(plain) => Secret::new(plain),
                    Err(error) => return Ok(Err(error)),
                };
                let (sealer, opener) = (sealer.clone(), opener.clone());
                self.waits = Waits::Nothing;
                credentials(&plain, self.names).map(|login| Progress::Login(login, sealer, opener))
            }
            Waits::Encryption { .. } | Waits::Decryption { .. } | Waits::Nothing => {
                Err(Error::RsaAes("bytes out of turn"))
            }
        })
    }

    /// Takes what came of a [`Task`].
    pub(crate) fn done(&mut self, done: Done, out: &mut Vec<u8>) -> Result<(), Error> {
        self.waits = match (std::mem::replace(&mut self.waits, Waits::Nothing), done) {
            (Waits::Encryption { client_key }, Done::Encrypted { random, encrypted }) => {
                out.put_u16(u16::try_from(encrypted.len()).unwrap_or(u16::MAX));
                out.put(&encrypted);
                Waits::ClientRandom {
                    client_key,
                    own: random,
                }
            }
            (Waits::Decryption { client_key, own }, Done::Decrypted(random)) => {
                let (mut sealer, opener) = self.strength.keys(&own, &random);
                sealer.seal(&self.strength.hash(&self.host_key, &client_key), out);
                Waits::ClientHash {
                    expected: self.strength.hash(&client_key, &self.host_key),
                    sealer,
                    opener,
                }
            }
            _ => return Err(Error::RsaAes("a key that nothing encrypts by")),
        };
        Ok(())
    }
}

/// Reads one encrypted message with as many bytes inside.
fn sealed(
    opener: &mut Opener,
    reader: &mut Reader<'_>,
    lengths: std::ops::RangeInclusive<usize>,
) -> Read<Result<Vec<u8>, Error>> {
    let length = usize::from(reader.clone().u16()?);
    if !lengths.contains(&length) {
        return Ok(Err(Error::RsaAes(
            "an encrypted message of a length that cannot be",
        )));
    }
    Ok(opener
        .open(reader)?
        .map_err(|Forged| Error::RsaAes("an encrypted message that is not the client's")))
}

/// U8 length and user's name, U8 length and password (UTF-8).
fn credentials(plain: &Secret, names: bool) -> Result<Login, Error> {
    let mut reader = Reader::new(plain.as_bytes());
    let mut text = || {
        let length = reader.u8()?;
        reader.take(length.into())
    };
    match (text(), text()) {
        (Ok(user), Ok(password)) => Ok(Login::Password {
            user: names.then(|| String::from_utf8_lossy(user).into_owned()),
            password: Secret::new(password.to_vec()),
        }),
        _ => Err(Error::RsaAes("credentials shorter than they say")),
    }
}
