//! Which node a name means, since a gadget that is made anew has new nodes behind the old names.

use std::{
    fs::{self, File, Metadata},
    io,
    os::unix::fs::MetadataExt,
    path::Path,
};

/// File system, inode, device number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity(u64, u64, u64);

impl Identity {
    /// `None` if there is no such name.
    pub(super) fn named(path: &Path) -> Option<Self> {
        fs::metadata(path).ok().map(Self::from)
    }

    pub(super) fn of(file: &File) -> io::Result<Self> {
        file.metadata().map(Self::from)
    }
}

impl From<Metadata> for Identity {
    fn from(metadata: Metadata) -> Self {
        Self(metadata.dev(), metadata.ino(), metadata.rdev())
    }
}
