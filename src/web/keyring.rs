//! Logins that were right a moment ago: who fetches something every second is not to cost a password hash each time.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use aws_lc_rs::{hmac, rand::SystemRandom};
use tokio::time::Instant;

use super::guard::Credentials;
use crate::access::Admitted;

/// A login that was not used for so long is looked at anew.
const MEMORY: Duration = Duration::from_secs(600);
/// Logins that are remembered; the one that was used longest ago gives way.
const MOST: usize = 64;

/// Remembers tags of credentials under a key that nobody else has, never the credentials.
pub(super) struct Keyring {
    /// Without randomness nothing is remembered.
    key: Option<hmac::Key>,
    known: Mutex<HashMap<Vec<u8>, Known>>,
}

struct Known {
    admitted: Admitted,
    used: Instant,
}

impl Keyring {
    pub(super) fn new() -> Self {
        Self {
            key: hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).ok(),
            known: Mutex::default(),
        }
    }

    /// As whom these were let in, if that still holds.
    pub(super) fn find(&self, credentials: &Credentials) -> Option<Admitted> {
        let tag = self.tag(credentials)?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, entry| !entry.admitted.is_revoked() && entry.used.elapsed() < MEMORY);
        let entry = known.get_mut(&tag)?;
        entry.used = Instant::now();
        Some(entry.admitted.clone())
    }

    pub(super) fn keep(&self, credentials: &Credentials, admitted: &Admitted) {
        let Some(tag) = self.tag(credentials) else {
            return;
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            let oldest = known.iter().min_by_key(|(_, entry)| entry.used);
            if let Some(oldest) = oldest.map(|(tag, _)| tag.clone()) {
                known.remove(&oldest);
            }
        }
        let (admitted, used) = (admitted.clone(), Instant::now());
        known.insert(tag, Known { admitted, used });
    }

    /// The length keeps a name's end from being taken for a password's beginning.
    fn tag(&self, credentials: &Credentials) -> Option<Vec<u8>> {
        let mut context = hmac::Context::with_key(self.key.as_ref()?);
        context.update(&credentials.user.len().to_be_bytes());
        context.update(credentials.user.as_bytes());
        context.update(&credentials.password);
        Some(context.sign().as_ref().to_vec())
    }
}
