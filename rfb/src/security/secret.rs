//! Bytes that are wiped when they are no longer needed, and that show themselves nowhere.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A password as a client sent it, or a key.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl PartialEq for Secret {
    /// In a time that tells only whether the lengths are the same.
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Secret {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_does_not_show_itself_and_is_compared_as_a_whole() {
        let secret = Secret::new(b"secret".to_vec());
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        assert_eq!(secret, Secret::new(b"secret".to_vec()));
        assert_ne!(secret, Secret::new(b"secreT".to_vec()));
        assert_ne!(secret, Secret::new(b"secret!".to_vec()));
    }
}
