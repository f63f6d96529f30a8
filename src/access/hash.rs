//! Passwords as they are kept: hashed with argon2id (RFC 9106), written as PHC strings.

use std::{fmt, str::FromStr};

use argon2::{
    Argon2, Params, PasswordHasher as _, PasswordVerifier as _, password_hash::phc::PasswordHash,
};
use rfb::security::secret::Secret;

/// What a hash in a file may cost at most, in KiB and in passes: a slip must not take the machine's memory at the next login.
const MOST_MEMORY: u32 = 256 * 1024;
const MOST_PASSES: u32 = 16;

/// A password's hash, with its salt and parameters.
#[derive(Clone)]
pub(super) struct Hash(PasswordHash);

/// Why a text is no hash that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadHash {
    #[error(
        "the password's hash is not a PHC string; set it anew with `rfbridge user passwd NAME`"
    )]
    Syntax,
    #[error(
        "the password is not hashed with argon2id, version 19; set it anew with `rfbridge user passwd NAME`"
    )]
    Algorithm,
    #[error(
        "the password's hash asks for more than {} MiB or {MOST_PASSES} passes; set it anew with `rfbridge user passwd NAME`",
        MOST_MEMORY / 1024
    )]
    Cost,
}

impl Hash {
    /// Hashes `password` with a fresh salt. Takes a moment.
    ///
    /// The parameters are OWASP's and the library's: 19 MiB and 2 passes on one thread. That is about a tenth of a second on a
    /// Raspberry Pi 4, and a few logins at a time do not hurt one with 1 GiB of memory.
    ///
    /// # Errors
    /// There is no randomness, or no memory.
    pub(super) fn of(password: &Secret) -> Result<Self, argon2::password_hash::Error> {
        let hash = Argon2::default().hash_password(password.as_bytes())?;
        Ok(Self(hash))
    }

    /// Whether it is `password`'s. Takes as long for the right one as for a wrong one.
    pub(super) fn verify(&self, password: &Secret) -> bool {
        let verified = Argon2::default().verify_password(password.as_bytes(), &self.0);
        verified.is_ok()
    }
}

impl FromStr for Hash {
    type Err = BadHash;

    fn from_str(text: &str) -> Result<Self, BadHash> {
        let hash = PasswordHash::new(text).map_err(|_| BadHash::Syntax)?;
        if hash.salt.is_none() || hash.hash.is_none() {
            return Err(BadHash::Syntax);
        }
        if hash.algorithm != argon2::ARGON2ID_IDENT || hash.version != Some(19) {
            return Err(BadHash::Algorithm);
        }
        let params = Params::try_from(&hash).map_err(|_| BadHash::Syntax)?;
        if params.m_cost() > MOST_MEMORY || params.t_cost() > MOST_PASSES || params.p_cost() > 4 {
            return Err(BadHash::Cost);
        }
        Ok(Self(hash))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A hash can be guessed at by whoever has it.
impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text.as_bytes().to_vec())
    }

    #[test]
    fn a_hash_knows_its_password_and_shows_neither() {
        let hash = Hash::of(&secret("swordfish")).expect("a hash");
        let text = hash.to_string();
        assert!(
            text.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{text}"
        );
        let read: Hash = text.parse().expect("what was written");
        assert!(read.verify(&secret("swordfish")));
        for wrong in ["swordfis", "swordfish!", "Swordfish", ""] {
            assert!(!read.verify(&secret(wrong)), "{wrong}");
        }
        assert_eq!(format!("{read:?}"), "Hash(…)");
        let again = Hash::of(&secret("swordfish")).expect("a hash");
        assert_ne!(again.to_string(), text, "the salt is fresh");
    }

    #[test]
    fn what_is_no_hash_or_costs_too_much_is_refused() {
        let good = Hash::of(&secret("swordfish")).expect("a hash").to_string();
        for (text, error) in [
            ("", BadHash::Syntax),
            ("swordfish", BadHash::Syntax),
            ("$argon2id$v=19$m=19456,t=2,p=1", BadHash::Syntax),
            (
                "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA",
                BadHash::Syntax,
            ),
            (&good.replace("argon2id", "argon2i"), BadHash::Algorithm),
            (&good.replace("v=19", "v=16"), BadHash::Algorithm),
            (&good.replace("m=19456", "m=4194304"), BadHash::Cost),
            (&good.replace("t=2", "t=1000"), BadHash::Cost),
        ] {
            assert_eq!(text.parse::<Hash>().err(), Some(error), "{text}");
        }
    }
}
