//! Who may enter, and what they may do then.
//!
//! What clients give comes from [`rfb`] as a [`Login`]; whether that lets them in is decided here, away from the network.

use rfb::security::{Login, SecurityType, vnc_auth};

/// What somebody may do. Each may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Look.
    View,
    /// Type and point.
    Control,
    /// Send others away, and use the target's power buttons.
    Admin,
}

/// Somebody who was let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted {
    pub role: Role,
}

/// Somebody was not let in; the text is for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    #[error("Wrong password.")]
    WrongPassword,
}

/// Decides who is let in.
#[derive(Debug)]
pub struct Access {
    /// Without one everybody is let in.
    password: Option<vnc_auth::Password>,
    /// What nobody exceeds.
    most: Role,
}

impl Access {
    pub fn new(password: Option<vnc_auth::Password>, most: Role) -> Self {
        Self { password, most }
    }

    /// The security types that can let somebody in, best first.
    pub fn security(&self) -> Vec<SecurityType> {
        match self.password {
            Some(_) => vec![SecurityType::VncAuth],
            None => vec![SecurityType::None],
        }
    }

    /// Whether a login is asked for at all.
    pub fn is_guarded(&self) -> bool {
        self.password.is_some()
    }

    /// Decides about a client. May take long: not for the runtime's threads.
    pub fn decide(&self, login: &Login) -> Result<Admitted, Denied> {
        let right = match (login, &self.password) {
            (Login::Anonymous, None) => true,
            (
                Login::VncAuth {
                    challenge,
                    response,
                },
                Some(password),
            ) => password.verify(challenge, response),
            _ => false,
        };
        match right {
            true => Ok(Admitted {
                role: self.most.min(Role::Admin),
            }),
            false => Err(Denied::WrongPassword),
        }
    }
}
