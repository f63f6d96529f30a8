//! The users file: read when it changes, and written as a whole.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{self as unix_fs, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::users::{BadLine, BadName, Users};

/// A thousand users and more.
const LONGEST: u64 = 256 * 1024;
/// What nobody but the owner may do, and what others may not do at all. The group may read it: that is how a service reads
/// what only root may change.
const TOO_OPEN: u32 = 0o027;

/// Why there are no users.
#[derive(Debug, thiserror::Error)]
pub enum UsersError {
    #[error("cannot read the users file {}: {error}; check `users` of [security] (--security-users), or make it with `rfbridge user add NAME`", path.display())]
    Read { path: PathBuf, error: io::Error },
    #[error("the users file {} is not a regular file; give the path of one that `rfbridge user add NAME` wrote", path.display())]
    NotAFile { path: PathBuf },
    #[error("the users file {} is too open (mode {mode:04o}): only its owner may write to it, and at most its group may read it; run: chmod 640 {}", path.display(), path.display())]
    TooOpen { path: PathBuf, mode: u32 },
    #[error("the users file {} is longer than {} KiB; is it the right file?", path.display(), LONGEST / 1024)]
    Long { path: PathBuf },
    #[error("the users file {}, {error}", path.display())]
    Line { path: PathBuf, error: BadLine },
    #[error(transparent)]
    Name(#[from] BadName),
    #[error("there is no user {name} in {}; `rfbridge user list` shows who is there", path.display())]
    Unknown { name: String, path: PathBuf },
    #[error("there is a user {name} in {} already; `rfbridge user passwd {name}` gives him another password, `rfbridge user role {name} ROLE` another role", path.display())]
    Exists { name: String, path: PathBuf },
    #[error("the password cannot be hashed: {0}")]
    Hash(argon2::password_hash::Error),
    #[error("cannot write the users file {}: {error}; are you the one who may (sudo)?", path.display())]
    Write { path: PathBuf, error: io::Error },
}

/// The users of a file, as it was when it was good last.
#[derive(Debug)]
pub(super) struct UsersFile {
    path: PathBuf,
    last: Mutex<Last>,
}

#[derive(Debug)]
struct Last {
    users: Arc<Users>,
    /// Of what was read last, good or bad; `None` if there was nothing.
    stamp: Option<Stamp>,
}

/// What changes when a file does: device, inode, size, and when it was changed.
type Stamp = (u64, u64, u64, (i64, i64), (i64, i64));

impl UsersFile {
    pub(super) fn open(path: &Path) -> Result<Self, UsersError> {
        let stamp = stamp(path);
        let (text, _) = read(path)?;
        let users = Arc::new(parse(path, &text)?);
        Ok(Self {
            path: path.to_owned(),
            last: Mutex::new(Last { users, stamp }),
        })
    }

    pub(super) fn users(&self) -> Arc<Users> {
        Arc::clone(&self.last().users)
    }

    /// Reads it again. If it cannot be used, who was let in before is let in still, and nobody is replaced.
    pub(super) fn reload(&self) -> Result<(), UsersError> {
        let stamp = stamp(&self.path);
        let users = read(&self.path).and_then(|(text, _)| parse(&self.path, &text));
        let mut last = self.last();
        last.stamp = stamp;
        last.users = Arc::new(users?.instead_of(&last.users));
        tracing::info!(path = %self.path.display(), users = last.users.iter().count(), "the users were read");
        Ok(())
    }

    /// Reads it again if it changed.
    pub(super) fn reload_changed(&self) -> Result<(), UsersError> {
        let known = self.last().stamp;
        match stamp(&self.path) == known {
            true => Ok(()),
            false => self.reload(),
        }
    }

    fn last(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let m = fs::metadata(path).ok()?;
    let modified = (m.mtime(), m.mtime_nsec());
    // The mode may have been mended.
    let changed = (m.ctime(), m.ctime_nsec());
    Some((m.dev(), m.ino(), m.size(), modified, changed))
}

fn parse(path: &Path, text: &str) -> Result<Users, UsersError> {
    Users::parse(text).map_err(|error| UsersError::Line {
        path: path.to_owned(),
        error,
    })
}

/// The text of a file that is as it should be.
fn read(path: &Path) -> Result<(String, fs::Metadata), UsersError> {
    let path_again = || path.to_owned();
    let error = |error| UsersError::Read {
        path: path_again(),
        error,
    };
    // Not waiting for the writer of a FIFO that was named by mistake.
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(path)
        .map_err(error)?;
    let metadata = file.metadata().map_err(error)?;
    if !metadata.is_file() {
        return Err(UsersError::NotAFile { path: path_again() });
    }
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & TOO_OPEN != 0 {
        let path = path_again();
        return Err(UsersError::TooOpen { path, mode });
    }
    let mut text = String::new();
    file.take(LONGEST + 1)
        .read_to_string(&mut text)
        .map_err(error)?;
    match text.len() as u64 > LONGEST {
        true => Err(UsersError::Long { path: path_again() }),
        false => Ok((text, metadata)),
    }
}

/// Changes a users file by `change`, which is given its text and gives the new one. Nobody sees half of it; mode and owner stay.
/// A file that is not there is made, for its owner alone.
pub(super) fn edit(
    path: &Path,
    change: impl FnOnce(&str) -> Result<String, UsersError>,
) -> Result<(), UsersError> {
    let write_error = |error| UsersError::Write {
        path: path.to_owned(),
        error,
    };
    // Where a link leads to, so that the link stays.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let directory = match target.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => directory,
        _ => Path::new("."),
    };
    let directory_lock = File::open(directory).map_err(write_error)?;
    // Until it is closed: of two who change it at once the second sees what the first did.
    directory_lock.lock().map_err(write_error)?;
    let (text, metadata) = match read(&target) {
        Ok((text, metadata)) => (text, Some(metadata)),
        Err(UsersError::Read { error, .. }) if error.kind() == io::ErrorKind::NotFound => {
            (String::new(), None)
        }
        Err(error) => return Err(error),
    };
    parse(path, &text)?;
    let text = change(&text)?;
    parse(path, &text)?;
    replace(&target, directory, &text, metadata.as_ref()).map_err(write_error)?;
    directory_lock.sync_all().map_err(write_error)
}

/// Puts a new file in the place of the old one.
fn replace(
    path: &Path,
    directory: &Path,
    text: &str,
    old: Option<&fs::Metadata>,
) -> io::Result<()> {
    let new = directory.join(format!(".rfbridge-users.{}", std::process::id()));
    let written = write(&new, text, old).and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        // It may not have come to be.
        let _ = fs::remove_file(&new);
    }
    written
}

fn write(path: &Path, text: &str, old: Option<&fs::Metadata>) -> io::Result<()> {
    // What an earlier one left that was killed here.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    if let Some(old) = old {
        let new = file.metadata()?;
        if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
            unix_fs::fchown(&file, Some(old.uid()), Some(old.gid()))?;
        }
        file.set_permissions(old.permissions())?;
    }
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use rfb::security::secret::Secret;

    use super::*;
    use crate::access::{Role, edit};

    fn knows(file: &UsersFile, name: &str) -> bool {
        file.users().has(name)
    }

    #[test]
    fn it_is_read_when_it_changes_and_a_broken_one_changes_nothing() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("users");
        let password = Secret::new(b"swordfish".to_vec());
        edit::add(&path, "alice", Role::Admin, &password).expect("a new file");
        let file = UsersFile::open(&path).expect("users");
        edit::add(&path, "bob", Role::View, &password).expect("a second user");
        assert!(!knows(&file, "bob"), "nobody looked yet");
        file.reload_changed().expect("good users");
        assert!(knows(&file, "bob"));

        let good = fs::read_to_string(&path).expect("a file");
        fs::write(&path, "carol\n").expect("a file");
        let error = file.reload_changed().expect_err("a bad line").to_string();
        assert!(error.contains("line 1"), "{error}");
        assert!(knows(&file, "alice") && knows(&file, "bob"));
        file.reload_changed().expect("it is told once");
        file.reload().expect_err("but always to who asks for it");

        fs::remove_file(&path).expect("a file");
        file.reload_changed().expect_err("no file");
        assert!(knows(&file, "alice"));
        fs::write(&path, good).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("a mode");
        file.reload_changed().expect_err("too open");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("a mode");
        file.reload_changed().expect("mended");
        edit::remove(&path, "alice").expect("one less");
        file.reload_changed().expect("good users");
        assert!(!knows(&file, "alice"));
    }

    #[test]
    fn what_others_may_read_or_change_is_refused_with_the_remedy() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let mode = |mode| {
            fs::set_permissions(file.path(), fs::Permissions::from_mode(mode)).expect("a mode");
            UsersFile::open(file.path()).map(drop)
        };
        for good in [0o600, 0o640, 0o400, 0o440] {
            mode(good).expect("good enough");
        }
        for bad in [0o644, 0o604, 0o660, 0o602, 0o610 | 0o004] {
            let error = mode(bad).expect_err("too open").to_string();
            let remedy = format!("chmod 640 {}", file.path().display());
            assert!(
                error.contains(&remedy) && error.contains(&format!("{bad:04o}")),
                "{error}"
            );
        }
    }

    #[test]
    fn what_is_no_users_file_is_refused() {
        let directory = tempfile::tempdir().expect("a directory");
        let error = |path: &Path| UsersFile::open(path).expect_err("no users").to_string();
        assert!(error(directory.path()).contains("not a regular file"));
        assert!(error(&directory.path().join("none")).contains("--security-users"));
        let long = directory.path().join("long");
        fs::write(&long, "#".repeat(300 * 1024)).expect("a file");
        fs::set_permissions(&long, fs::Permissions::from_mode(0o600)).expect("a mode");
        assert!(error(&long).contains("longer than 256 KiB"));
    }
}
