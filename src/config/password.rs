//! The passwords, each from a file or a systemd credential; never from the command line or the environment,
//! where every process of the machine could read it.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use rfb::security::secret::Secret;
use zeroize::Zeroizing;

/// Name of the systemd credential, as in `LoadCredential=rfbridge-password:/etc/rfbridge/password`.
pub const CREDENTIAL: &str = "rfbridge-password";
/// And of the view password's.
pub const VIEW_CREDENTIAL: &str = "rfbridge-view-password";

/// Nothing that a person types is longer.
const LIMIT: u64 = 4096;

/// A password that does not show itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Password(Secret);

/// The passwords that belong to no user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Passwords {
    /// Lets its owner do everything.
    pub password: Option<Password>,
    /// Lets its owner look.
    pub view: Option<Password>,
}

/// Why there is no usable password.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    #[error("cannot read the password file {}: {error}; check `password-file` and `view-password-file` (--password-file, --view-password-file)", path.display())]
    Read { path: PathBuf, error: io::Error },
    #[error("the password file {} is not a regular file; give the path of a file whose first line is the password", path.display())]
    NotAFile { path: PathBuf },
    #[error("the password file {0} can be read by others (mode {mode:04o}); run: chmod 600 {quoted}", path.display(), quoted = shell_quoted(path))]
    Readable { path: PathBuf, mode: u32 },
    #[error("the password file {} has an empty first line; write the password there, or leave out `password-file` to run without one on loopback", path.display())]
    Empty { path: PathBuf },
    #[error("the first line of the password file {} is longer than {LIMIT} bytes; is it the right file?", path.display())]
    Long { path: PathBuf },
    #[error(
        "the password and the view password are the same in the first 8 bytes, which are all that VNC authentication uses; choose another for the view"
    )]
    Same,
}

impl Passwords {
    /// Fails if nobody could tell the one from the other.
    pub(super) fn check(self) -> Result<Self, PasswordError> {
        let used = |password: &Option<Password>| {
            let password = password.as_ref()?;
            Some(rfb::security::vnc_auth::Password::new(password.as_bytes()))
        };
        match used(&self.password).is_some_and(|one| used(&self.view) == Some(one)) {
            true => Err(PasswordError::Same),
            false => Ok(self),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.password.is_none() && self.view.is_none()
    }

    /// Whether VncAuth ignores a part of one of them (trap 7).
    pub fn are_cut_by_vnc_auth(&self) -> bool {
        let mut both = [&self.password, &self.view].into_iter().flatten();
        both.any(Password::is_cut_by_vnc_auth)
    }
}

impl Password {
    /// One that was not read from a file.
    pub fn new(bytes: &[u8]) -> Self {
        Self(Secret::new(bytes.to_vec()))
    }

    /// The first line of `path`, which must be a regular file that only its owner may read.
    pub fn from_file(path: &Path) -> Result<Self, PasswordError> {
        let file = open(path)?;
        let mode = metadata(&file, path)?.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(PasswordError::Readable {
                path: path.to_owned(),
                mode,
            });
        }
        first_line(file, path)
    }

    /// The credential `name` in systemd's `directory`, if it was passed.
    ///
    /// Its mode is not checked: systemd grants access through an access control list, which shows in
    /// the group bits, and guards the directory itself.
    pub fn from_credential(directory: &Path, name: &str) -> Result<Option<Self>, PasswordError> {
        let path = directory.join(name);
        match open(&path) {
            Ok(file) => first_line(file, &path).map(Some),
            Err(PasswordError::Read { error, .. }) if error.kind() == io::ErrorKind::NotFound => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Whether VncAuth, which uses the first 8 bytes, ignores a part of it (trap 7).
    pub fn is_cut_by_vnc_auth(&self) -> bool {
        self.as_bytes().len() > 8
    }
}

/// Opens without waiting for the writer of a FIFO that was named by mistake.
fn open(path: &Path) -> Result<File, PasswordError> {
    let read_error = |error| PasswordError::Read {
        path: path.to_owned(),
        error,
    };
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(path)
        .map_err(read_error)?;
    if !metadata(&file, path)?.is_file() {
        return Err(PasswordError::NotAFile {
            path: path.to_owned(),
        });
    }
    Ok(file)
}

fn metadata(file: &File, path: &Path) -> Result<std::fs::Metadata, PasswordError> {
    file.metadata().map_err(|error| PasswordError::Read {
        path: path.to_owned(),
        error,
    })
}

fn first_line(file: File, path: &Path) -> Result<Password, PasswordError> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(LIMIT as usize + 1));
    file.take(LIMIT + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| PasswordError::Read {
            path: path.to_owned(),
            error,
        })?;
    let line = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.len() as u64 > LIMIT {
        return Err(PasswordError::Long {
            path: path.to_owned(),
        });
    }
    if line.is_empty() {
        return Err(PasswordError::Empty {
            path: path.to_owned(),
        });
    }
    Ok(Password(Secret::new(line.to_vec())))
}

/// So that the command can be pasted.
fn shell_quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
    if text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}
