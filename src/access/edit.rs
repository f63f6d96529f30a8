//! What `rfbridge user` does to the users file. Lines that it does not have to change, comments among them, stay as they are.

use std::{ops::Range, path::Path};

use rfb::security::secret::Secret;

use super::{
    Role,
    file::{self, UsersError, UsersFile},
    hash::Hash,
    users::{BadName, User},
};

/// Adds a user.
pub fn add(path: &Path, name: &str, role: Role, password: &Secret) -> Result<(), UsersError> {
    let user = User::new(name, role, hash(password)?)?;
    file::edit(path, |text| match line_of(text, name) {
        Some(_) => Err(UsersError::Exists {
            name: name.to_owned(),
            path: path.to_owned(),
        }),
        None => {
            let end = match text.is_empty() || text.ends_with('\n') {
                true => "",
                false => "\n",
            };
            Ok(format!("{text}{end}{user}\n"))
        }
    })
}

/// Removes a user.
pub fn remove(path: &Path, name: &str) -> Result<(), UsersError> {
    change(path, name, |_| Ok(None))
}

/// Gives a user another password.
pub fn set_password(path: &Path, name: &str, password: &Secret) -> Result<(), UsersError> {
    let hash = hash(password)?;
    change(path, name, |user| {
        Ok(Some(User::new(name, user.role, hash)?))
    })
}

/// Gives a user another role.
pub fn set_role(path: &Path, name: &str, role: Role) -> Result<(), UsersError> {
    change(path, name, |user| Ok(Some(User { role, ..user })))
}

/// All users with their roles, in the file's order.
pub fn list(path: &Path) -> Result<Vec<(String, Role)>, UsersError> {
    let users = UsersFile::open(path)?.users();
    let users = users.iter().map(|user| (user.name.to_string(), user.role));
    Ok(users.collect())
}

/// Fails where it would be a waste to ask for a password: if a user cannot be called so, or is there already.
pub fn check_new(path: &Path, name: &str) -> Result<(), UsersError> {
    User::check_name(name)?;
    match UsersFile::open(path) {
        Ok(file) if file.users().has(name) => Err(UsersError::Exists {
            name: name.to_owned(),
            path: path.to_owned(),
        }),
        Err(UsersError::Read { error, .. }) if error.kind() == std::io::ErrorKind::NotFound => {
            Ok(())
        }
        other => other.map(drop),
    }
}

/// Fails if there is no such user.
pub fn check_known(path: &Path, name: &str) -> Result<(), UsersError> {
    match UsersFile::open(path)?.users().has(name) {
        true => Ok(()),
        false => Err(unknown(path, name)),
    }
}

fn hash(password: &Secret) -> Result<Hash, UsersError> {
    Hash::of(password).map_err(UsersError::Hash)
}

/// Puts another line in the place of a user's, or none.
fn change(
    path: &Path,
    name: &str,
    change: impl FnOnce(User) -> Result<Option<User>, BadName>,
) -> Result<(), UsersError> {
    file::edit(path, |text| {
        let (line, user) = line_of(text, name).ok_or_else(|| unknown(path, name))?;
        let new = match change(user)? {
            Some(user) => format!("{user}\n"),
            None => String::new(),
        };
        let (before, after) = (&text[..line.start], &text[line.end..]);
        Ok(format!("{before}{new}{after}"))
    })
}

/// Where a user's line is, its end included.
fn line_of(text: &str, name: &str) -> Option<(Range<usize>, User)> {
    let mut end = 0;
    text.split_inclusive('\n').find_map(|line| {
        let start = end;
        end += line.len();
        let user = User::parse(line).ok()??;
        (*user.name == *name).then_some((start..end, user))
    })
}

fn unknown(path: &Path, name: &str) -> UsersError {
    UsersError::Unknown {
        name: name.to_owned(),
        path: path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        os::unix::fs::{PermissionsExt as _, symlink},
    };

    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text.as_bytes().to_vec())
    }

    fn text(path: &Path) -> String {
        fs::read_to_string(path).expect("a file")
    }

    fn role_of(path: &Path, name: &str, password: &str) -> Option<Role> {
        let users = UsersFile::open(path).expect("users").users();
        Some(users.check(name, &secret(password))?.role)
    }

    #[test]
    fn users_come_change_and_go_and_comments_stay() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("users");
        add(&path, "alice", Role::Admin, &secret("swordfish")).expect("a new file");
        let mode = fs::metadata(&path).expect("a file").permissions().mode();
        assert_eq!(mode & 0o7777, 0o600);
        // As an editor leaves it.
        let by_hand = format!("# ours\n{}# the end", text(&path));
        fs::write(&path, by_hand).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("a mode");

        add(&path, "bob", Role::View, &secret("tunafish!")).expect("a second user");
        assert_eq!(role_of(&path, "alice", "swordfish"), Some(Role::Admin));
        assert_eq!(role_of(&path, "bob", "tunafish!"), Some(Role::View));
        set_role(&path, "bob", Role::Control).expect("another role");
        assert_eq!(role_of(&path, "bob", "tunafish!"), Some(Role::Control));
        set_password(&path, "bob", &secret("octopus!!")).expect("another password");
        assert_eq!(role_of(&path, "bob", "tunafish!"), None);
        assert_eq!(role_of(&path, "bob", "octopus!!"), Some(Role::Control));
        let both = [
            ("alice".to_owned(), Role::Admin),
            ("bob".to_owned(), Role::Control),
        ];
        assert_eq!(list(&path).expect("users"), both);
        remove(&path, "alice").expect("one less");
        assert_eq!(role_of(&path, "alice", "swordfish"), None);

        let text = text(&path);
        assert!(
            text.starts_with("# ours\n# the end\nbob control $argon2id$"),
            "{text}"
        );
        let mode = fs::metadata(&path).expect("a file").permissions().mode();
        assert_eq!(mode & 0o7777, 0o640, "as it was");
        assert_eq!(
            fs::read_dir(directory.path()).expect("a directory").count(),
            1
        );
    }

    #[test]
    fn what_cannot_be_done_is_said_and_nothing_is_changed() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("users");
        let good = secret("swordfish");
        add(&path, "alice", Role::Admin, &good).expect("a new file");
        let before = text(&path);
        let refused = |result: Result<(), UsersError>, words: &str| {
            let error = result.expect_err(words).to_string();
            assert!(error.contains(words), "{error}");
            assert_eq!(text(&path), before);
        };
        refused(
            add(&path, "alice", Role::View, &good),
            "rfbridge user passwd alice",
        );
        refused(
            add(&path, "a b", Role::View, &good),
            "cannot be a user's name",
        );
        refused(remove(&path, "bob"), "no user bob");
        refused(set_role(&path, "bob", Role::View), "no user bob");
        refused(set_password(&path, "bob", &good), "no user bob");
        refused(check_new(&path, "alice"), "already");
        refused(check_known(&path, "bob"), "no user bob");
        check_new(&path, "bob").expect("no such user");
        check_new(&directory.path().join("none"), "bob").expect("a file to be made");

        fs::write(&path, "alice admin swordfish\n").expect("a file");
        let error = remove(&path, "alice")
            .expect_err("a broken file")
            .to_string();
        assert!(
            error.contains("line 1") && !error.contains("swordfish"),
            "{error}"
        );
    }

    #[test]
    fn two_at_once_both_have_their_way() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("users");
        let names: Vec<_> = (0..8).map(|n| format!("user{n}")).collect();
        std::thread::scope(|scope| {
            for name in &names {
                scope.spawn(|| add(&path, name, Role::View, &secret("swordfish")).expect("room"));
            }
        });
        let mut found: Vec<_> = list(&path)
            .expect("users")
            .into_iter()
            .map(|u| u.0)
            .collect();
        found.sort();
        assert_eq!(found, names);
    }

    #[test]
    fn a_link_to_the_file_stays_one() {
        let directory = tempfile::tempdir().expect("a directory");
        let (path, link) = (directory.path().join("real"), directory.path().join("link"));
        add(&path, "alice", Role::Admin, &secret("swordfish")).expect("a new file");
        symlink(&path, &link).expect("a link");
        remove(&link, "alice").expect("by the link");
        assert!(link.is_symlink());
        assert_eq!(list(&path).expect("users"), []);
    }
}
