//! Passwords that are known in clear, as VNC authentication needs them.

use rfb::security::{
    secret::Secret,
    vnc_auth::{self, Challenge, Response},
};

use super::Role;
use crate::config;

/// The passwords that belong to no user, and the role that each gives.
#[derive(Debug, Default)]
pub(super) struct Passwords {
    known: Vec<(Known, Role)>,
}

#[derive(Debug)]
struct Known {
    whole: Secret,
    /// What VNC authentication uses of it.
    vnc: vnc_auth::Password,
}

impl Passwords {
    pub(super) fn new(passwords: &config::Passwords) -> Self {
        // Where there is one password its owner has to be able to do everything: nobody else is there who could.
        let roles = [
            (&passwords.password, Role::Admin),
            (&passwords.view, Role::View),
        ];
        let known = roles.into_iter().filter_map(|(password, role)| {
            let bytes = password.as_ref()?.as_bytes();
            let known = Known {
                whole: Secret::new(bytes.to_vec()),
                vnc: vnc_auth::Password::new(bytes),
            };
            Some((known, role))
        });
        Self {
            known: known.collect(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// What the owner of this password may do.
    pub(super) fn role_of(&self, password: &Secret) -> Option<Role> {
        self.role_where(|known| known.whole == *password)
    }

    /// What the owner of the password that made this response may do.
    pub(super) fn role_of_response(
        &self,
        challenge: &Challenge,
        response: &Response,
    ) -> Option<Role> {
        self.role_where(|known| known.vnc.verify(challenge, response))
    }

    /// Looks at all of them, so that the time does not tell which one it is.
    fn role_where(&self, is_it: impl Fn(&Known) -> bool) -> Option<Role> {
        let matches = self.known.iter().map(|(known, role)| (is_it(known), *role));
        matches.fold(None, |found, (is_it, role)| found.or(is_it.then_some(role)))
    }
}
