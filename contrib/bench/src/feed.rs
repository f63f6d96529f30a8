//! A FIFO into which pictures are written at the pace of a dongle.

use std::{
    fs::{File, OpenOptions},
    io::{ErrorKind, Write},
    os::{fd::AsFd, unix::fs::OpenOptionsExt},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use nix::{
    fcntl::{FcntlArg, OFlag, fcntl},
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::stat::Mode,
    unistd::mkfifo,
};

use crate::{Failure, workload::Workload};

/// Time from one frame to the next: 30 frames a second.
pub const SLOT: Duration = Duration::from_nanos(33_333_333);
/// Room for a whole picture, so that handing it over does not wait for the reader's every turn.
const PIPE_SIZE: i32 = 1 << 20;
const PATIENCE_MS: u16 = 10_000;

pub struct Fifo {
    pub path: PathBuf,
    file: File,
    framed: bool,
}

impl Fifo {
    /// Makes a FIFO. If `framed`, the length of each picture goes before it: U32, little-endian.
    pub fn new(path: &Path, framed: bool) -> Result<Self, Failure> {
        mkfifo(path, Mode::S_IRUSR | Mode::S_IWUSR)?;
        // For reading too, so that neither opening waits for a reader nor writing fails without one.
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(OFlag::O_NONBLOCK.bits())
            .open(path)?;
        fcntl(&file, FcntlArg::F_SETPIPE_SZ(PIPE_SIZE))?;
        Ok(Self {
            path: path.to_owned(),
            file,
            framed,
        })
    }

    /// Writes one picture; waits while the FIFO is full.
    pub fn hand_over(&mut self, picture: &[u8]) -> Result<(), Failure> {
        if self.framed {
            let length = u32::try_from(picture.len())?;
            self.write(&length.to_le_bytes())?;
        }
        self.write(picture)
    }

    fn write(&mut self, mut bytes: &[u8]) -> Result<(), Failure> {
        while !bytes.is_empty() {
            match self.file.write(bytes) {
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    let mut place = [PollFd::new(self.file.as_fd(), PollFlags::POLLOUT)];
                    if poll(&mut place, PollTimeout::from(PATIENCE_MS))? == 0 {
                        return Err("the server takes nothing from the FIFO any more".into());
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// A frame that came from the dongle.
#[derive(Clone, Copy, Debug)]
pub struct Handed {
    /// Just before its first byte was written, or would have been.
    pub at: Instant,
    pub picture: usize,
    /// It shows another picture than the frame before.
    pub changed: bool,
    /// The server was still taking the one before, so this one was lost, as it is in a dongle.
    pub dropped: bool,
}

/// Hands over the frames of `numbers`, one in each slot, and returns at the end of the last slot.
pub fn play(
    fifo: &mut Fifo,
    workload: &Workload,
    numbers: std::ops::Range<usize>,
) -> Result<Vec<Handed>, Failure> {
    let mut slot = Instant::now();
    let mut handed = Vec::with_capacity(numbers.len());
    for number in numbers {
        let now = Instant::now();
        let end = slot + SLOT;
        let picture = workload.picture_at(number);
        let dropped = now >= end;
        handed.push(Handed {
            at: if dropped { slot } else { now },
            picture,
            changed: workload.changes_at(number),
            dropped,
        });
        if !dropped {
            fifo.hand_over(&workload.pictures[picture])?;
        }
        slot = end;
        thread::sleep(slot.saturating_duration_since(Instant::now()));
    }
    Ok(handed)
}
