//! Virtual media: a drive of one removable unit, the kernel's mass-storage function, in the same gadget.
//!
//! The kind of the drive (CD-ROM or disk) is what the target found out when it saw the drive, so another kind is another
//! device, which is unplugged and plugged in again with the whole gadget. An image of the same kind is put in and taken
//! out while everything stays plugged in.

use std::{
    ffi::OsString,
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom},
    os::unix::{ffi::OsStringExt, fs::FileTypeExt},
    path::{Path, PathBuf},
};

use serde::Serialize;

use super::{GadgetError, configfs::Directory};

/// Our function.
pub(super) const FUNCTION: &str = "mass_storage.media";
/// Vendor (8), product (16) and revision (4) of the SCSI INQUIRY.
const INQUIRY: &str = "rfbridgeVirtual media   1   ";
/// Largest image: what 32 bits of block number reach, since firmware and older kernels know no more.
const LARGEST: u64 = 1 << 41;
/// The kernel takes no CD-ROM with fewer than 300 blocks of 2048 bytes.
const SMALLEST_CDROM: u64 = 300 * 2048;
/// From here on many kernels show the first blocks of a CD-ROM only: 256 × 60 × 75 of 2048 bytes.
const LARGE_CDROM: u64 = 256 * 60 * 75 * 2048;

/// What the target takes the drive for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Cdrom,
    Disk,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Cdrom => "CD-ROM",
            Kind::Disk => "disk",
        })
    }
}

/// Why an image cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    #[error("cannot {what} the image {}: {error}; check the path and its permissions", path.display())]
    Io {
        what: &'static str,
        path: PathBuf,
        error: io::Error,
    },
    #[error("{} is neither a file nor a block device, so it holds no image", .0.display())]
    NotAnImage(PathBuf),
    #[error("the image {} has {size} bytes; {kind} images have {least} at least", path.display())]
    TooSmall {
        path: PathBuf,
        size: u64,
        kind: Kind,
        least: u64,
    },
    #[error("the image {} has {size} bytes; targets read 2 TiB of a drive at most", path.display())]
    TooLarge { path: PathBuf, size: u64 },
    #[error("the path {0:?} has a line's end in it, which the kernel would cut off: rename it")]
    Newline(PathBuf),
}

/// An image that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Absolute and without links.
    pub path: PathBuf,
    pub size: u64,
    pub kind: Kind,
    pub read_only: bool,
}

impl Image {
    /// Looks at a file: it must be one that can be read, and written to if it is to be writable. Without a kind it is a
    /// CD-ROM if its name ends in `.iso` or it begins as ISO 9660 demands, unless it is to be written to.
    pub fn open(path: &Path, kind: Option<Kind>, writable: bool) -> Result<Self, ImageError> {
        let failed = |what| {
            let path = path.to_owned();
            move |error| ImageError::Io { what, path, error }
        };
        let path = fs::canonicalize(path).map_err(failed("find"))?;
        if path.as_os_str().as_encoded_bytes().contains(&b'\n') {
            return Err(ImageError::Newline(path));
        }
        // A FIFO would be waited for.
        let file_type = fs::metadata(&path).map_err(failed("look at"))?.file_type();
        if !file_type.is_file() && !file_type.is_block_device() {
            return Err(ImageError::NotAnImage(path));
        }
        let what = if writable { "open for writing" } else { "read" };
        let mut file = OpenOptions::new()
            .read(true)
            .write(writable)
            .open(&path)
            .map_err(failed(what))?;
        let size = file.seek(SeekFrom::End(0)).map_err(failed("read"))?;
        let kind = match kind {
            Some(kind) => kind,
            None if writable => Kind::Disk,
            None => guess(&path, &mut file),
        };
        let least = match kind {
            Kind::Cdrom => SMALLEST_CDROM,
            Kind::Disk => 512,
        };
        if size < least {
            return Err(ImageError::TooSmall {
                path,
                size,
                kind,
                least,
            });
        }
        if size > LARGEST {
            return Err(ImageError::TooLarge { path, size });
        }
        Ok(Self {
            path,
            size,
            kind,
            read_only: !writable,
        })
    }

    /// What its user should know.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let block = match self.kind {
            Kind::Cdrom => 2048,
            Kind::Disk => 512,
        };
        let rest = self.size % block;
        if rest != 0 {
            notes.push(format!(
                "the last {rest} bytes are not a whole block of {block}, so the target does not see them"
            ));
        }
        if self.kind == Kind::Cdrom && self.size >= LARGE_CDROM {
            notes.push(
                "many kernels show only the first 2.3 GB of a CD-ROM; if the target misses something, use --disk, \
                 which most installation images can be as well"
                    .to_owned(),
            );
        }
        notes
    }
}

/// The primary volume descriptor is in block 16, and says "CD001" behind its first byte (ECMA-119, section 8.4).
fn guess(path: &Path, file: &mut File) -> Kind {
    let is_named = path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("iso"));
    let mut mark = [0; 5];
    let is_marked = file.seek(SeekFrom::Start(16 * 2048 + 1)).is_ok()
        && file.read_exact(&mut mark).is_ok()
        && mark == *b"CD001";
    if is_named || is_marked {
        Kind::Cdrom
    } else {
        Kind::Disk
    }
}

/// The drive as configfs has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Drive {
    pub kind: Kind,
    pub read_only: bool,
    /// The image, as the kernel names it.
    pub file: Option<PathBuf>,
}

impl Drive {
    pub(super) fn with(image: &Image) -> Self {
        Self {
            kind: image.kind,
            read_only: image.read_only,
            file: Some(image.path.clone()),
        }
    }

    pub(super) fn read(gadget: &Directory) -> Option<Self> {
        let is_set = |name| gadget.read(&unit(name)).map(|text| text == "1");
        let mut file = gadget.read_bytes(&unit("file"))?;
        if file.last() == Some(&b'\n') {
            file.pop();
        }
        Some(Self {
            kind: if is_set("cdrom")? {
                Kind::Cdrom
            } else {
                Kind::Disk
            },
            read_only: is_set("ro")?,
            file: (!file.is_empty()).then(|| OsString::from_vec(file).into()),
        })
    }

    /// Makes the function, which is in no configuration now, this.
    pub(super) fn make(&self, gadget: &Directory) -> Result<(), GadgetError> {
        gadget.make_function(FUNCTION)?;
        if Self::read(gadget).as_ref() == Some(self) {
            return Ok(());
        }
        // Some device controllers (dwc2 is one) do not halt an endpoint as the protocol wants it; hosts do without.
        gadget.write(&format!("functions/{FUNCTION}/stall"), "0")?;
        gadget.write(&unit("removable"), "1")?;
        gadget.write_if_known(&unit("inquiry_string"), INQUIRY)?;
        eject(gadget)?;
        self.write_kind(gadget)?;
        self.insert(gadget)
    }

    /// Puts the image into an empty unit.
    pub(super) fn insert(&self, gadget: &Directory) -> Result<(), GadgetError> {
        match &self.file {
            Some(file) => gadget.write(&unit("file"), file.as_os_str().as_encoded_bytes()),
            None => Ok(()),
        }
    }

    /// Sets what an image must be out for.
    pub(super) fn write_kind(&self, gadget: &Directory) -> Result<(), GadgetError> {
        let flag = |is_so: bool| if is_so { "1" } else { "0" };
        // A CD-ROM makes it read-only, a disk leaves it as it is; so this comes first.
        gadget.write(&unit("cdrom"), flag(self.kind == Kind::Cdrom))?;
        gadget.write(&unit("ro"), flag(self.read_only))
    }
}

/// Takes the image out, whatever the target says to that. Where the kernel cannot, the error is EBUSY.
pub(super) fn eject(gadget: &Directory) -> Result<(), GadgetError> {
    let is_empty = Drive::read(gadget).is_none_or(|drive| drive.file.is_none());
    if is_empty {
        return Ok(());
    }
    // Since Linux 6.0.
    let forced = unit("forced_eject");
    if gadget.has(&forced) {
        gadget.write(&forced, "1")
    } else {
        gadget.write(&unit("file"), "\n")
    }
}

fn unit(attribute: &str) -> String {
    format!("functions/{FUNCTION}/lun.0/{attribute}")
}
