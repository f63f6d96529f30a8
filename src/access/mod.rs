//! Who may enter, and what they may do then.
//!
//! What clients give comes from [`rfb`] as a [`Login`]; whether that lets them in is decided here, away from the network.
//!
//! There are two kinds of secrets. **Users** have names, roles and passwords of which only hashes are kept; they need a
//! security type that carries a password. VNC authentication needs passwords in clear and knows no names: there is **the
//! password**, whose owner may do everything, and beside it the **view password**, whose owner may look.

pub mod edit;
mod file;
mod hash;
mod offer;
mod passwords;
mod users;

use std::{path::Path, sync::Arc, time::Duration};

use rfb::security::Login;
use tokio::{
    sync::Semaphore,
    task::{JoinError, spawn_blocking},
};
use tokio_util::sync::CancellationToken;

pub use crate::config::Role;
pub use file::UsersError;
pub use offer::{Means, OfferError, offer};

use crate::config;
use file::UsersFile;
use passwords::Passwords;

/// Passwords that are verified at a time: each takes 19 MiB and a core for a moment, and pictures are to be encoded meanwhile.
const VERIFIED_AT_A_TIME: usize = 2;
/// How often is looked whether the users file changed.
const LOOK: Duration = Duration::from_secs(5);

/// Somebody who was let in.
#[derive(Clone, Debug)]
pub struct Admitted {
    /// The name, of somebody who has one.
    pub user: Option<Arc<str>>,
    pub role: Role,
    replaced: Option<CancellationToken>,
}

impl Admitted {
    /// Whether [`Admitted::revoked`] has ended.
    pub fn is_revoked(&self) -> bool {
        self.replaced
            .as_ref()
            .is_some_and(CancellationToken::is_cancelled)
    }

    /// Ends once the users file gives this user another password or role, or has none of this name.
    pub async fn revoked(&self) {
        match &self.replaced {
            Some(replaced) => replaced.cancelled().await,
            None => std::future::pending().await,
        }
    }
}

/// Somebody was not let in; the text is for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    #[error("Wrong password.")]
    WrongPassword,
    /// Which of the two it is, nobody is told.
    #[error("Wrong user name or password.")]
    WrongUserOrPassword,
}

/// Decides who is let in.
#[derive(Debug)]
pub struct Access {
    passwords: Passwords,
    users: Option<UsersFile>,
    /// What nobody exceeds.
    most: Role,
    verifying: Arc<Semaphore>,
}

impl Access {
    /// Without a password and without a users file everybody is let in.
    pub fn new(passwords: &config::Passwords, most: Role) -> Self {
        Self {
            passwords: Passwords::new(passwords),
            users: None,
            most,
            verifying: Arc::new(Semaphore::new(VERIFIED_AT_A_TIME)),
        }
    }

    /// Lets in the users of a file as well.
    pub fn with_users(self, path: &Path) -> Result<Self, UsersError> {
        Ok(Self {
            users: Some(UsersFile::open(path)?),
            ..self
        })
    }

    /// What there is to decide with; which keys there are is known elsewhere.
    pub fn means(&self) -> Means {
        Means {
            response: !self.passwords.is_empty(),
            password: self.is_guarded(),
            users: self.users.is_some(),
            ..Means::default()
        }
    }

    /// Whether a login is asked for at all.
    pub fn is_guarded(&self) -> bool {
        self.users.is_some() || !self.passwords.is_empty()
    }

    /// Decides about a client. What takes long is done on the blocking pool and not for more than a few at a time; who goes
    /// while he waits for that costs nothing.
    ///
    /// # Errors
    /// The outer one is a fault in here.
    pub async fn decide(
        self: Arc<Self>,
        login: Login,
    ) -> Result<Result<Admitted, Denied>, JoinError> {
        let Login::Password { user: Some(_), .. } = &login else {
            return Ok(self.judge(&login));
        };
        // Nobody closes it.
        let turn = Arc::clone(&self.verifying).acquire_owned().await.ok();
        spawn_blocking(move || {
            let _turn = turn;
            self.judge(&login)
        })
        .await
    }

    fn judge(&self, login: &Login) -> Result<Admitted, Denied> {
        let role = match login {
            Login::Anonymous if !self.is_guarded() => Some(Role::Admin),
            Login::Anonymous => None,
            Login::VncAuth {
                challenge,
                response,
            } => self.passwords.role_of_response(challenge, response),
            Login::Password { user, password } => match (user, &self.users) {
                (Some(name), Some(file)) => {
                    let users = file.users();
                    let user = users
                        .check(name, password)
                        .ok_or(Denied::WrongUserOrPassword)?;
                    return Ok(Admitted {
                        user: Some(Arc::clone(&user.name)),
                        role: user.role.min(self.most),
                        replaced: Some(user.replaced.clone()),
                    });
                }
                // Where there are no users a name says nothing, but whoever is asked for one gives one.
                (Some(name), None) if name.is_empty() => None,
                (_, None) | (None, _) => self.passwords.role_of(password),
            },
        };
        Ok(Admitted {
            user: None,
            role: role.ok_or(Denied::WrongPassword)?.min(self.most),
            replaced: None,
        })
    }

    /// Reads the users file again, whether it changed or not. Blocks.
    pub fn reload(&self) -> Result<(), UsersError> {
        self.users.as_ref().map_or(Ok(()), UsersFile::reload)
    }

    /// Reads the users file again whenever it changed, until `stop`.
    pub async fn follow(self: Arc<Self>, stop: CancellationToken) {
        if self.users.is_none() {
            return;
        }
        while stop
            .run_until_cancelled(tokio::time::sleep(LOOK))
            .await
            .is_some()
        {
            let access = Arc::clone(&self);
            let looked =
                spawn_blocking(move || access.users.as_ref().map(UsersFile::reload_changed));
            if let Ok(Some(Err(error))) = looked.await {
                tracing::error!("{error}; the users are as they were before");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rfb::security::secret::Secret;

    use super::*;
    use crate::config::Password;

    fn login(user: Option<&str>, password: &str) -> Login {
        Login::Password {
            user: user.map(str::to_owned),
            password: Secret::new(password.as_bytes().to_vec()),
        }
    }

    fn passwords() -> config::Passwords {
        config::Passwords {
            password: Some(Password::new(b"everything")),
            view: Some(Password::new(b"only looking")),
        }
    }

    /// As whom somebody is let in.
    type Decided = Result<(Option<Arc<str>>, Role), Denied>;

    async fn decide(access: &Arc<Access>, login: Login) -> Decided {
        let decided = Arc::clone(access).decide(login).await;
        let admitted = decided.expect("no fault")?;
        Ok((admitted.user, admitted.role))
    }

    fn role(role: Role) -> Decided {
        Ok((None, role))
    }

    #[tokio::test]
    async fn without_users_the_passwords_count_as_a_whole_whatever_the_name() {
        let access = Arc::new(Access::new(&passwords(), Role::Admin));
        for name in [None, Some("anybody")] {
            let decide = |password| decide(&access, login(name, password));
            assert_eq!(decide("everything").await, role(Role::Admin));
            assert_eq!(decide("only looking").await, role(Role::View));
            assert_eq!(decide("everythi").await, Err(Denied::WrongPassword));
            assert_eq!(decide("").await, Err(Denied::WrongPassword));
        }
        let anonymous = decide(&access, Login::Anonymous).await;
        assert_eq!(anonymous, Err(Denied::WrongPassword));
        let open = Arc::new(Access::new(&config::Passwords::default(), Role::View));
        assert_eq!(decide(&open, Login::Anonymous).await, role(Role::View));
        assert!(decide(&open, login(None, "")).await.is_err());
    }

    #[tokio::test]
    async fn with_users_a_name_is_a_users_and_nobody_exceeds_the_most() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("users");
        let secret = Secret::new(b"swordfish".to_vec());
        edit::add(&path, "alice", Role::Admin, &secret).expect("a user");
        let access = Access::new(&passwords(), Role::Control).with_users(&path);
        let access = Arc::new(access.expect("users"));
        let alice = decide(&access, login(Some("alice"), "swordfish")).await;
        assert_eq!(alice, Ok((Some("alice".into()), Role::Control)));
        for (name, password) in [
            ("alice", "everything"),
            ("bob", "swordfish"),
            ("", "everything"),
        ] {
            let denied = decide(&access, login(Some(name), password)).await;
            assert_eq!(denied, Err(Denied::WrongUserOrPassword), "{name}");
        }
        assert_eq!(
            decide(&access, login(None, "everything")).await,
            role(Role::Control)
        );
    }
}
