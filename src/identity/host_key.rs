//! The RSA key by which RSA-AES proves who this server is.

use std::path::{Path, PathBuf};

use aws_lc_rs::{
    rand,
    rsa::{
        KeyPair, Pkcs1PrivateDecryptingKey, Pkcs1PublicEncryptingKey, PrivateDecryptingKey,
        PublicEncryptingKey,
    },
    signature::KeyPair as _,
};
use rfb::security::{
    rsa_aes::{Done, PublicKey, Task},
    secret::Secret,
};
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, pem, pem::PemObject as _};
use zeroize::Zeroizing;

use super::{
    der,
    file::{self, FileError},
};

/// Why there is no usable host key.
#[derive(Debug, thiserror::Error)]
pub enum HostKeyError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{} holds no private key in PEM form, or one that is locked by a passphrase ({error})", path.display())]
    NoKey { path: PathBuf, error: pem::Error },
    #[error("{} holds no RSA key of 2048 to 8192 bits; `rfbridge cert --host-key` makes one", path.display())]
    NotRsa { path: PathBuf },
}

/// A private RSA key. What it is asked to do is slow: not for the runtime's threads.
pub struct HostKey {
    private: Pkcs1PrivateDecryptingKey,
    public: PublicKey,
}

impl std::fmt::Debug for HostKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HostKey({})", self.public.fingerprint())
    }
}

impl HostKey {
    /// Reads a PEM file, PKCS #8 or PKCS #1.
    pub fn open(path: &Path) -> Result<Self, HostKeyError> {
        let bytes = file::read_secret(path)?;
        let key = PrivateKeyDer::from_pem_slice(&bytes).map_err(|error| {
            let path = path.to_owned();
            HostKeyError::NoKey { path, error }
        })?;
        let key = match key {
            PrivateKeyDer::Pkcs1(key) => {
                Self::new(&Zeroizing::new(der::pkcs8(key.secret_pkcs1_der())))
            }
            PrivateKeyDer::Pkcs8(key) => Self::new(key.secret_pkcs8_der()),
            _ => None,
        };
        key.ok_or_else(|| {
            let path = path.to_owned();
            HostKeyError::NotRsa { path }
        })
    }

    fn new(pkcs8: &[u8]) -> Option<Self> {
        let pair = KeyPair::from_pkcs8(pkcs8).ok()?;
        let public = pair.public_key();
        let (modulus, exponent) = (public.modulus(), public.exponent());
        let public = PublicKey::new(
            modulus.big_endian_without_leading_zero(),
            exponent.big_endian_without_leading_zero(),
        )?;
        let private = PrivateDecryptingKey::from_pkcs8(pkcs8).ok()?;
        let private = Pkcs1PrivateDecryptingKey::new(private).ok()?;
        Some(Self { private, public })
    }

    /// What clients are shown.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Does what RSA-AES asks for.
    pub fn perform(&self, task: Task) -> Done {
        match task {
            Task::Encrypt { key, length } => encrypt(&key, length).unwrap_or(Done::BadKey),
            Task::Decrypt { encrypted, length } => self.decrypt(&encrypted, length),
        }
    }

    /// What was encrypted badly becomes something random, and in the same time, so that nobody learns what this key makes
    /// of it.
    fn decrypt(&self, encrypted: &[u8], length: usize) -> Done {
        let Some(decoy) = random(length) else {
            return Done::BadKey;
        };
        let mut plain = Zeroizing::new(vec![0; self.private.min_output_size()]);
        match self.private.decrypt(encrypted, &mut plain) {
            Ok(random) if random.len() == length => Done::Decrypted(Secret::new(random.to_vec())),
            _ => Done::Decrypted(decoy),
        }
    }
}

fn encrypt(key: &PublicKey, length: usize) -> Option<Done> {
    let der = der::public_key(key.modulus(), key.exponent());
    let key = PublicEncryptingKey::from_der(&der).ok()?;
    let key = Pkcs1PublicEncryptingKey::new(key).ok()?;
    let random = random(length)?;
    let mut encrypted = vec![0; key.ciphertext_size()];
    key.encrypt(random.as_bytes(), &mut encrypted).ok()?;
    Some(Done::Encrypted { random, encrypted })
}

fn random(length: usize) -> Option<Secret> {
    let mut bytes = vec![0; length];
    rand::fill(&mut bytes).ok()?;
    Some(Secret::new(bytes))
}
