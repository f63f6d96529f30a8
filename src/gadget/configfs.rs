//! The calls that change configfs, and what their failures mean.
//!
//! In configfs a directory is an object, its files are the attributes that the kernel put there, and a symlink from a
//! configuration to a function puts the function into it. While it is there the function's attributes answer EBUSY.
//! Writing a controller's name to `UDC` plugs the gadget in.

use std::{
    fmt, fs,
    io::{self, ErrorKind},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use super::GadgetError;

/// The five calls. The kernel takes them from [`Kernel`]; tests have a kernel of their own.
pub(super) trait Calls: fmt::Debug + Send {
    fn make_directory(&self, path: &Path) -> io::Result<()>;
    fn remove_directory(&self, path: &Path) -> io::Result<()>;
    fn link(&self, target: &Path, link: &Path) -> io::Result<()>;
    fn unlink(&self, link: &Path) -> io::Result<()>;
    /// One write, as an attribute needs it.
    fn write(&self, attribute: &Path, value: &[u8]) -> io::Result<()>;
}

#[derive(Debug)]
pub(super) struct Kernel;

impl Calls for Kernel {
    fn make_directory(&self, path: &Path) -> io::Result<()> {
        fs::create_dir(path)
    }

    fn remove_directory(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir(path)
    }

    fn link(&self, target: &Path, link: &Path) -> io::Result<()> {
        symlink(target, link)
    }

    fn unlink(&self, link: &Path) -> io::Result<()> {
        fs::remove_file(link)
    }

    fn write(&self, attribute: &Path, value: &[u8]) -> io::Result<()> {
        fs::write(attribute, value)
    }
}

/// The gadget's directory. Paths are below it.
#[derive(Debug)]
pub(super) struct Directory {
    pub path: PathBuf,
    calls: Box<dyn Calls>,
}

impl Directory {
    pub(super) fn new(path: PathBuf, calls: Box<dyn Calls>) -> Self {
        Self { path, calls }
    }

    pub(super) fn join(&self, path: &str) -> PathBuf {
        self.path.join(path)
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.join(path).symlink_metadata().is_ok()
    }

    /// Creates a directory unless it is there.
    pub(super) fn make(&self, path: &str) -> Result<(), GadgetError> {
        let path = self.join(path);
        match self.calls.make_directory(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            made => made.map_err(failed("create", &path)),
        }
    }

    /// Creates a function, of whose kind the kernel may know nothing.
    pub(super) fn make_function(&self, name: &str) -> Result<(), GadgetError> {
        self.make(&format!("functions/{name}"))
            .map_err(|error| match error {
                GadgetError::Io { error, path, .. } if error.kind() == ErrorKind::NotFound => {
                    let kind = super::profile::kind(name).to_owned();
                    GadgetError::NoSuchFunction { kind, path }
                }
                other => other,
            })
    }

    /// Removes a directory that may be gone.
    pub(super) fn remove(&self, path: &str) -> Result<(), GadgetError> {
        let path = self.join(path);
        unless_gone(self.calls.remove_directory(&path)).map_err(failed("remove", &path))
    }

    /// Removes a directory with what others put below it: links, and directories that can be removed, since those that the
    /// kernel made go with it.
    pub(super) fn remove_tree(&self, path: &str) -> Result<(), GadgetError> {
        self.clear(path);
        self.remove(path)
    }

    /// The same without the directory itself.
    pub(super) fn clear(&self, path: &str) {
        for name in self.list(path) {
            let below = format!("{path}/{name}");
            let place = self.join(&below);
            if place.is_symlink() {
                let _ = self.unlink(&below);
            } else if place.is_dir() {
                let _ = self.remove_tree(&below);
            }
        }
    }

    pub(super) fn link(&self, target: &str, link: &str) -> Result<(), GadgetError> {
        let (target, link) = (self.join(target), self.join(link));
        self.calls
            .link(&target, &link)
            .map_err(failed("create", &link))
    }

    /// Removes a link that may be gone.
    pub(super) fn unlink(&self, link: &str) -> Result<(), GadgetError> {
        let link = self.join(link);
        unless_gone(self.calls.unlink(&link)).map_err(failed("remove", &link))
    }

    pub(super) fn write(
        &self,
        attribute: &str,
        value: impl AsRef<[u8]>,
    ) -> Result<(), GadgetError> {
        let path = self.join(attribute);
        self.calls
            .write(&path, value.as_ref())
            .map_err(failed("write", &path))
    }

    /// Writes an attribute that older kernels do not have.
    pub(super) fn write_if_known(
        &self,
        attribute: &str,
        value: impl AsRef<[u8]>,
    ) -> Result<(), GadgetError> {
        if self.has(attribute) {
            self.write(attribute, value)
        } else {
            Ok(())
        }
    }

    /// The text of an attribute without the line's end.
    pub(super) fn read(&self, attribute: &str) -> Option<String> {
        crate::hid::sink::configfs::attribute(&self.join(attribute))
    }

    pub(super) fn read_bytes(&self, attribute: &str) -> Option<Vec<u8>> {
        fs::read(self.join(attribute)).ok()
    }

    /// The names of what is in a directory, in their order.
    pub(super) fn list(&self, path: &str) -> Vec<String> {
        names(&self.join(path))
    }
}

/// The names of what is in a directory, in their order; none if there is no such directory.
pub(super) fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}

fn unless_gone(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

pub(super) fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> GadgetError {
    let path = path.to_owned();
    move |error| match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            GadgetError::NotAllowed { what, path, error }
        }
        _ => GadgetError::Io { what, path, error },
    }
}
