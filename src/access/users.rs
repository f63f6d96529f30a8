//! The users and their passwords' hashes, as a file has them.
//!
//! A line for each user: name, role and hash, with blanks between. Empty lines, and those that begin with `#`, say nothing.

use std::{collections::HashSet, fmt, sync::Arc};

use rfb::security::secret::Secret;
use tokio_util::sync::CancellationToken;

use super::{
    Role,
    hash::{BadHash, Hash},
};
use crate::config::BadValue;

/// Bytes in a user's name.
const LONGEST_NAME: usize = 64;

/// All users.
#[derive(Debug, Default)]
pub(super) struct Users {
    users: Vec<User>,
}

/// One of them.
#[derive(Debug)]
pub(super) struct User {
    pub(super) name: Arc<str>,
    pub(super) role: Role,
    pub(super) hash: Hash,
    /// Cancelled once the file says something else of this user, or nothing.
    pub(super) replaced: CancellationToken,
}

/// What is wrong in a line of the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {number}: {fault}")]
pub struct BadLine {
    number: usize,
    fault: Fault,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error(
        "a line has a name, a role and a hash, with blanks between; `rfbridge user add NAME` writes them"
    )]
    Form,
    #[error(transparent)]
    Name(#[from] BadName),
    /// The word is not shown: of a line with its words in another order it is a hash or a password.
    #[error("the second word is {0}")]
    Role(BadValue),
    #[error(transparent)]
    Hash(#[from] BadHash),
    #[error("{0} is there twice; remove one of the lines")]
    Twice(Arc<str>),
}

/// No user can have this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} cannot be a user's name: that has 1 to {LONGEST_NAME} bytes, no blanks and no control characters, and does not begin with #"
)]
pub struct BadName(String);

impl Users {
    pub(super) fn parse(text: &str) -> Result<Self, BadLine> {
        let mut users = Vec::new();
        let mut names = HashSet::new();
        for (index, line) in text.lines().enumerate() {
            let user = User::parse(line).and_then(|user| match user {
                Some(user) if !names.insert(Arc::clone(&user.name)) => Err(Fault::Twice(user.name)),
                user => Ok(user),
            });
            let number = index + 1;
            users.extend(user.map_err(|fault| BadLine { number, fault })?);
        }
        Ok(Self { users })
    }

    /// These instead of `before`. Of those who are the same as before nobody notices.
    pub(super) fn instead_of(mut self, before: &Self) -> Self {
        for old in &before.users {
            let new = self.users.iter_mut().find(|new| new.name == old.name);
            match new.filter(|new| new.to_string() == old.to_string()) {
                Some(new) => new.replaced = old.replaced.clone(),
                None => old.replaced.cancel(),
            }
        }
        self
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.users.iter().any(|user| *user.name == *name)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &User> {
        self.users.iter()
    }

    /// The user of this name, if the password is right. Takes as long whether there is such a user or not.
    pub(super) fn check(&self, name: &str, password: &Secret) -> Option<&User> {
        let user = self.users.iter().find(|user| *user.name == *name);
        // Another's hash costs as much as one's own.
        let is_right = match user.or(self.users.first()) {
            Some(User { hash, .. }) => hash.verify(password),
            None => Hash::of(password).is_err(),
        };
        user.filter(|_| is_right)
    }
}

impl User {
    pub(super) fn new(name: &str, role: Role, hash: Hash) -> Result<Self, BadName> {
        Self::check_name(name)?;
        Ok(Self {
            name: name.into(),
            role,
            hash,
            replaced: CancellationToken::new(),
        })
    }

    pub(super) fn check_name(name: &str) -> Result<(), BadName> {
        let is_good = (1..=LONGEST_NAME).contains(&name.len())
            && !name.starts_with('#')
            && !name.chars().any(|c| c.is_whitespace() || c.is_control());
        match is_good {
            true => Ok(()),
            false => Err(BadName(name.to_owned())),
        }
    }

    /// Reads a line; `None` for one that says nothing.
    pub(super) fn parse(line: &str) -> Result<Option<Self>, Fault> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(None);
        }
        let mut words = line.split_whitespace();
        let (Some(name), Some(role), Some(hash), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(Fault::Form);
        };
        let role = role.parse().map_err(Fault::Role)?;
        Ok(Some(Self::new(name, role, hash.parse()?)?))
    }
}

/// A line of the file.
impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.name, self.role, self.hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text.as_bytes().to_vec())
    }

    fn line(name: &str, role: Role, password: &str) -> String {
        let hash = Hash::of(&secret(password)).expect("a hash");
        User::new(name, role, hash).expect("a name").to_string()
    }

    #[test]
    fn each_user_has_a_password_and_a_role_of_his_own() {
        let alice = line("alice", Role::Admin, "swordfish");
        let bob = line("bob@example", Role::View, "tunafish!");
        let text = format!("# who may enter\n\n{alice}\n  {bob}\r\n");
        let users = Users::parse(&text).expect("users");
        let role = |name: &str, password: &str| {
            let user = users.check(name, &secret(password))?;
            assert_eq!(*user.name, *name);
            Some(user.role)
        };
        assert_eq!(role("alice", "swordfish"), Some(Role::Admin));
        assert_eq!(role("bob@example", "tunafish!"), Some(Role::View));
        for (name, password) in [
            ("alice", "tunafish!"),
            ("bob@example", "swordfish"),
            ("carol", "swordfish"),
            ("Alice", "swordfish"),
            ("", "swordfish"),
            ("alice", ""),
        ] {
            assert_eq!(role(name, password), None, "{name} {password}");
        }
        let empty = Users::parse("# nobody\n").expect("no users");
        assert!(empty.check("alice", &secret("swordfish")).is_none());
    }

    #[test]
    fn who_is_the_same_in_the_next_file_is_not_replaced() {
        let secret_of = |name| line(name, Role::Control, "swordfish");
        let [alice, bob, carol, dave] = ["alice", "bob", "carol", "dave"].map(secret_of);
        let before = Users::parse(&[&*alice, &bob, &carol, &dave].join("\n")).expect("users");
        let demoted = bob.replace("control", "view");
        let text = format!("{}\n# moved\n  {alice}\n{demoted}\n", secret_of("carol"));
        let after = Users::parse(&text).expect("users").instead_of(&before);
        let replaced = |users: &Users| -> Vec<bool> {
            let users = users.iter();
            users.map(|user| user.replaced.is_cancelled()).collect()
        };
        assert_eq!(
            replaced(&before),
            [false, true, true, true],
            "another role, another hash, gone"
        );
        assert_eq!(replaced(&after), [false; 3]);
        Users::default().instead_of(&after);
        assert_eq!(replaced(&before), [true; 4], "alice was still the same");
    }

    #[test]
    fn a_bad_line_is_named_with_what_is_wrong() {
        let alice = line("alice", Role::Admin, "swordfish");
        let long = "a".repeat(65);
        let hash = alice.rsplit(' ').next().expect("three words");
        let swapped = format!("alice {hash} admin");
        for (bad, words) in [
            ("alice admin".to_owned(), "a name, a role and a hash"),
            (format!("{alice} more"), "a name, a role and a hash"),
            (
                "alice:admin:$argon2id$".to_owned(),
                "a name, a role and a hash",
            ),
            (
                alice.replace("admin", "root"),
                "the second word is not a role; write view, control or admin",
            ),
            ("alice swordfish admin".to_owned(), "the second word is not"),
            (swapped, "the second word is not"),
            (alice.replace("alice", &long), "1 to 64 bytes"),
            ("alice admin swordfish".to_owned(), "rfbridge user passwd"),
            (alice.clone(), "alice is there twice"),
        ] {
            let text = format!("{alice}\n\n{bad}\n");
            let text = match bad == alice {
                true => text,
                false => text.replacen(&alice, "#", 1),
            };
            let error = Users::parse(&text).expect_err(&bad).to_string();
            assert!(
                error.starts_with("line 3: ") && error.contains(words),
                "{error}"
            );
            assert!(!error.contains("swordfish"), "{error}");
            assert!(!error.contains("$argon2id"), "{error}");
        }
    }

    #[test]
    fn names_that_cannot_be_written_are_refused() {
        for name in ["", "a b", "a\n", "#a", "a\u{1b}[2J"] {
            let hash = Hash::of(&secret("swordfish")).expect("a hash");
            let error = User::new(name, Role::View, hash).expect_err(name);
            assert!(!error.to_string().contains('\u{1b}'), "{error}");
        }
    }

    #[test]
    fn nothing_shows_a_hash() {
        let users = Users::parse(&line("alice", Role::Admin, "swordfish")).expect("users");
        assert!(!format!("{users:?}").contains("argon2"), "{users:?}");
    }
}
