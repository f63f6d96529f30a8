//! The machine that is looked at: its files below one root, and the little that is not in files.

use std::{
    collections::BTreeMap,
    fs::{self, File, Metadata, OpenOptions},
    io::Read,
    os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::camera::{Camera, RealCamera};

/// Most bytes that are read of a file; what `/proc` and `/sys` say, and a configuration, is shorter.
const MAX_FILE: u64 = 1 << 20;
/// Most entries of a directory that are looked at.
const MAX_ENTRIES: usize = 65_536;
/// 2026-01-01: rfbridge is no older, so no clock that is right shows less.
const FIRST_RELEASE: Duration = Duration::from_secs(1_767_225_600);

/// A machine whose files all are below [`Machine::root`], so that a test can make one in a directory.
pub struct Machine {
    /// `/`, or the directory that stands for it.
    pub root: PathBuf,
    /// `$CREDENTIALS_DIRECTORY`, where systemd passes a password.
    pub credentials: Option<PathBuf>,
    pub clock: Clock,
    /// What asks capture devices.
    pub camera: Box<dyn Camera>,
    /// The device numbers (major, minor) of files below the root that stand for device nodes, which only root could make.
    pub numbers: BTreeMap<PathBuf, (u32, u32)>,
}

/// What time it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    pub now: SystemTime,
    /// It must be later than this.
    pub not_before: SystemTime,
    /// Whether the kernel's clock is held by a time server; `None` if the kernel does not say.
    pub is_synchronised: Option<bool>,
}

impl Machine {
    /// The one this runs on.
    pub fn this() -> Self {
        Self {
            root: "/".into(),
            credentials: std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from),
            clock: Clock::this(),
            camera: Box::new(RealCamera),
            numbers: BTreeMap::new(),
        }
    }

    /// Where the file of this absolute path is.
    pub(super) fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// The text of a file without the space (and NUL, as the device tree has it) around it, if it can be read.
    pub(super) fn text(&self, path: impl AsRef<Path>) -> Option<String> {
        let mut bytes = Vec::new();
        // A FIFO that somebody put there is not waited for.
        let file = open(&self.path(path)).ok()?;
        if !file.metadata().ok()?.is_file() {
            return None;
        }
        // A file of sysfs may fail half-way; then it says nothing.
        file.take(MAX_FILE).read_to_end(&mut bytes).ok()?;
        let text = String::from_utf8_lossy(&bytes);
        let around = |letter: char| letter.is_whitespace() || letter == '\0';
        Some(text.trim_matches(around).to_owned())
    }

    /// The names in a directory, in their order; none if it cannot be read.
    pub(super) fn names(&self, directory: impl AsRef<Path>) -> Vec<String> {
        let entries = fs::read_dir(self.path(directory));
        let mut names: Vec<String> = entries
            .into_iter()
            .flatten()
            .take(MAX_ENTRIES)
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        names.sort();
        names
    }

    pub(super) fn has(&self, path: impl AsRef<Path>) -> bool {
        self.path(path).exists()
    }

    pub(super) fn metadata(&self, path: impl AsRef<Path>) -> Option<Metadata> {
        fs::metadata(self.path(path)).ok()
    }

    /// What a link says, whether or not that is there.
    pub(super) fn link(&self, path: impl AsRef<Path>) -> Option<PathBuf> {
        fs::read_link(self.path(path)).ok()
    }

    /// Where a path leads when all links are followed, again as a path of this machine.
    pub(super) fn resolved(&self, path: impl AsRef<Path>) -> Option<PathBuf> {
        let root = self.root.canonicalize().ok()?;
        let real = self.path(path).canonicalize().ok()?;
        Some(Path::new("/").join(real.strip_prefix(root).ok()?))
    }

    /// The number of a character device, as `major:minor`.
    pub(super) fn number(&self, node: &Path) -> Option<String> {
        let (major, minor) = match self.numbers.get(node) {
            Some(number) => *number,
            None => {
                let metadata = self.metadata(node)?;
                if !metadata.file_type().is_char_device() {
                    return None;
                }
                (libc::major(metadata.rdev()), libc::minor(metadata.rdev()))
            }
        };
        Some(format!("{major}:{minor}"))
    }

    /// The kernel's own messages since it started, as far as they can be read and are kept.
    pub(super) fn kernel_log(&self) -> Option<String> {
        let mut file = open(&self.path("/dev/kmsg")).ok()?;
        let mut log = Vec::new();
        let mut record = [0; 8192];
        // Each read gives one message; the last is followed by EAGAIN.
        while log.len() < MAX_FILE as usize {
            match file.read(&mut record) {
                Ok(length) if length > 0 => log.extend_from_slice(record.get(..length)?),
                // Messages were overwritten before they were read.
                Err(error) if error.raw_os_error() == Some(libc::EPIPE) => {}
                _ => break,
            }
        }
        Some(String::from_utf8_lossy(&log).into_owned())
    }
}

fn open(path: &Path) -> std::io::Result<File> {
    OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC | libc::O_NOCTTY)
        .open(path)
}

impl Clock {
    #[allow(
        clippy::disallowed_methods,
        reason = "whether the wall clock is right is the question"
    )]
    fn this() -> Self {
        let built = std::env::current_exe()
            .and_then(fs::metadata)
            .and_then(|metadata| metadata.modified());
        let first = UNIX_EPOCH + FIRST_RELEASE;
        Self {
            now: SystemTime::now(),
            // A program is not younger than its file.
            not_before: built.map_or(first, |built| built.max(first)),
            is_synchronised: is_synchronised(),
        }
    }
}

/// What the kernel knows of its own clock: adjtimex(2).
fn is_synchronised() -> Option<bool> {
    // SAFETY: all bytes zero is a valid timex; `modes` of 0 asks and sets nothing.
    let mut answer: libc::timex = unsafe { std::mem::zeroed() };
    // SAFETY: the structure is a valid timex that lives through the call.
    let state = unsafe { libc::adjtimex(&raw mut answer) };
    (state >= 0).then_some(answer.status & libc::STA_UNSYNC == 0)
}
