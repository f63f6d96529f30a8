//! Where the control socket is.

use std::{
    env,
    fs::{self, DirBuilder, Metadata, Permissions},
    io::{self, ErrorKind},
    os::unix::{
        fs::{DirBuilderExt as _, FileTypeExt as _, MetadataExt as _, PermissionsExt as _},
        net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
};

const NAME: &str = "control.sock";

/// Where a server puts its socket unless it is told otherwise, and where commands look for it: the service manager's
/// directory if there is one, else the system's, else the user's.
pub fn usual_places() -> Vec<PathBuf> {
    // systemd separates several by colons.
    let directory = |name| {
        let value = env::var(name).unwrap_or_default();
        let first = value.split(':').next().unwrap_or_default();
        first.starts_with('/').then(|| PathBuf::from(first))
    };
    if let Some(directory) = directory("RUNTIME_DIRECTORY") {
        return vec![directory.join(NAME)];
    }
    let system = Some(PathBuf::from("/run/rfbridge"));
    let user = directory("XDG_RUNTIME_DIR").map(|directory| directory.join("rfbridge"));
    let places = [system, user].into_iter().flatten();
    places.map(|directory| directory.join(NAME)).collect()
}

/// Why there is no control socket.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(
        "another rfbridge answers at {}; give this one a socket of its own with --control-socket PATH, or none",
        .0.display()
    )]
    InUse(PathBuf),
    #[error("{} is there and is no socket; remove it, or choose another path with --control-socket PATH", .0.display())]
    NoSocket(PathBuf),
    #[error("cannot make the control socket {}: {error}; choose another with --control-socket PATH, or none", path.display())]
    Bind { path: PathBuf, error: io::Error },
}

/// The socket's file, which goes when this does.
#[derive(Debug)]
pub struct Place {
    path: PathBuf,
    /// Another server may have put its own there.
    identity: Identity,
    group: u32,
}

impl Place {
    /// Binds a socket at `path`, in a directory that is made if it can be.
    pub(super) fn take(path: PathBuf) -> Result<(UnixListener, Self), OpenError> {
        let error = |error| OpenError::Bind {
            path: path.clone(),
            error,
        };
        if let Some(directory) = path.parent().filter(|directory| !directory.exists()) {
            DirBuilder::new()
                .mode(0o755)
                .create(directory)
                .map_err(error)?;
        }
        let listener = match UnixListener::bind(&path) {
            Err(e) if e.kind() == ErrorKind::AddrInUse => {
                remove_stale(&path)?;
                UnixListener::bind(&path)
            }
            other => other,
        };
        let listener = listener.map_err(error)?;
        // Until this is done, peers that should not be here are found out by who they are.
        fs::set_permissions(&path, Permissions::from_mode(0o660)).map_err(error)?;
        let metadata = fs::symlink_metadata(&path).map_err(error)?;
        let place = Self {
            path,
            identity: identity(&metadata),
            group: metadata.gid(),
        };
        Ok((listener, place))
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn group(&self) -> u32 {
        self.group
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let metadata = fs::symlink_metadata(&self.path);
        if metadata.is_ok_and(|metadata| identity(&metadata) == self.identity) {
            // Where it cannot be removed, the next server finds that nobody answers.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Device, inode, and when it was made: an inode is soon used again.
type Identity = (u64, u64, i64, i64);

fn identity(metadata: &Metadata) -> Identity {
    let (made, nanoseconds) = (metadata.mtime(), metadata.mtime_nsec());
    (metadata.dev(), metadata.ino(), made, nanoseconds)
}

/// Removes a socket at which nobody answers.
fn remove_stale(path: &Path) -> Result<(), OpenError> {
    let failed = |error| OpenError::Bind {
        path: path.to_owned(),
        error,
    };
    let metadata = fs::symlink_metadata(path).map_err(failed)?;
    if !metadata.file_type().is_socket() {
        return Err(OpenError::NoSocket(path.to_owned()));
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
            fs::remove_file(path).map_err(failed)
        }
        _ => Err(OpenError::InUse(path.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_that_nobody_answers_at_is_replaced_and_others_are_left_alone() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("made/control.sock");
        let (listener, place) = Place::take(path.clone()).expect("a place");
        let mode = fs::metadata(&path).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o660);
        let second = Place::take(path.clone()).expect_err("the first one answers");
        assert!(matches!(second, OpenError::InUse(_)));

        // Killed: the file stays and nobody listens.
        drop(listener);
        // Another name keeps its inode from being used again.
        let kept = directory.path().join("made/kept");
        fs::hard_link(&path, kept).expect("a name");
        let (_listener, second) = Place::take(path.clone()).expect("the first one is dead");
        drop(place);
        assert!(path.exists(), "it is not the first one's any more");
        drop(second);
        assert!(!path.exists());

        fs::write(&path, "precious").expect("a file");
        let refused = Place::take(path.clone()).expect_err("no socket");
        assert!(matches!(refused, OpenError::NoSocket(_)));
        assert_eq!(fs::read(&path).expect("still there"), b"precious");
    }
}
