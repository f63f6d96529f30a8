//! Files with certificates and keys: read with care, and noticed when they change.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

/// A chain of certificates is never longer.
const LIMIT: u64 = 1 << 20;

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("cannot read {}: {error}", path.display())]
    Read { path: PathBuf, error: io::Error },
    #[error("{} is not a regular file", path.display())]
    NotAFile { path: PathBuf },
    #[error("{} is larger than {LIMIT} bytes; is it the right file?", path.display())]
    Large { path: PathBuf },
    #[error("{0} can be read by every user of this machine (mode {mode:04o}); run: chmod o= '{0}'", path.display())]
    Readable { path: PathBuf, mode: u32 },
}

/// Reads a file that anybody may read.
pub(super) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, FileError> {
    open(path).and_then(|file| content(file, path))
}

/// Reads a file that holds a private key. Its group may read it, as is usual for such.
pub(super) fn read_secret(path: &Path) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let file = open(path)?;
    let metadata = file.metadata().map_err(|error| failed(path, error))?;
    let mode = metadata.mode() & 0o7777;
    if mode & 0o007 != 0 {
        let path = path.to_owned();
        return Err(FileError::Readable { path, mode });
    }
    content(file, path)
}

/// Opens without waiting for the writer of a FIFO that was named by mistake.
fn open(path: &Path) -> Result<File, FileError> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(path)
        .map_err(|error| failed(path, error))?;
    let metadata = file.metadata().map_err(|error| failed(path, error))?;
    if metadata.is_file() {
        return Ok(file);
    }
    let path = path.to_owned();
    Err(FileError::NotAFile { path })
}

fn content(file: File, path: &Path) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(LIMIT + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| failed(path, error))?;
    if bytes.len() as u64 > LIMIT {
        let path = path.to_owned();
        return Err(FileError::Large { path });
    }
    Ok(bytes)
}

fn failed(path: &Path, error: io::Error) -> FileError {
    let path = path.to_owned();
    FileError::Read { path, error }
}

/// What of a file is another one after it was written or replaced; `None` if it cannot be seen.
pub(super) type Stamp = Option<(u64, u64, i64, i64, u64)>;

pub(super) fn stamp(path: &Path) -> Stamp {
    let seen = std::fs::metadata(path).ok()?;
    Some((
        seen.dev(),
        seen.ino(),
        seen.mtime(),
        seen.mtime_nsec(),
        seen.size(),
    ))
}
