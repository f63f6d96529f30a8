//! JPEGs or raw frames from standard input or a FIFO, one after the other; the newest wins.

use std::{
    fs::{File, OpenOptions},
    io::{self, ErrorKind, IsTerminal, Read},
    os::{
        fd::{AsFd, AsRawFd},
        unix::fs::{FileTypeExt, OpenOptionsExt},
    },
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rfb::geom::Size;

use super::{Lent, Opener, Source, SourceError, Stop, Wishes, intake::Intake, raw_frame::RawFrame};
use crate::video::{Captured, Colour, Layout};

/// How long to wait for a picture before the last one is lent again.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often to look whether to stop.
const SLICE: Duration = Duration::from_millis(100);
/// Most bytes read for one picture lent, so that a writer without a pause is shown too.
const MAX_READ: usize = 4 * 1024 * 1024;
/// What a FIFO is made to hold, as most systems allow: a whole JPEG comes with one read.
const FIFO_BYTES: libc::c_int = 1024 * 1024;

/// Opens `-` (standard input) once, or a FIFO as often as needed.
pub(super) struct PipeOpener {
    place: PathBuf,
    wishes: Wishes,
    stdin_used: bool,
    stop: Stop,
}

impl PipeOpener {
    pub(super) fn new(place: PathBuf, wishes: Wishes) -> Self {
        Self {
            place,
            wishes,
            stdin_used: false,
            stop: Stop::default(),
        }
    }

    /// The shape of raw frames, or `None` for JPEGs.
    fn frame(&self) -> Result<Option<RawFrame>, SourceError> {
        match (self.wishes.format, self.wishes.size) {
            (None | Some(Layout::Mjpeg), _) => Ok(None),
            (Some(layout), Some(size)) => Ok(Some(RawFrame { layout, size })),
            (Some(layout), None) => Err(SourceError::Ended(format!(
                "{layout} pictures do not tell their size: give it with --size WIDTHxHEIGHT"
            ))),
        }
    }

    fn is_stdin(&self) -> bool {
        self.place == Path::new("-")
    }

    fn open_stdin(&mut self) -> Result<File, SourceError> {
        if std::mem::replace(&mut self.stdin_used, true) {
            return Err(SourceError::Ended(
                "standard input was closed: nothing more can come from it".to_owned(),
            ));
        }
        let stdin = io::stdin();
        if stdin.is_terminal() {
            return Err(SourceError::Ended(
                "standard input is a terminal: pipe pictures into it".to_owned(),
            ));
        }
        stdin
            .as_fd()
            .try_clone_to_owned()
            .map(File::from)
            .map_err(|error| SourceError::Ended(format!("standard input: {error}")))
    }

    fn open_fifo(&self) -> Result<File, SourceError> {
        let name = self.place.display();
        // Without O_NONBLOCK opening waits for a writer.
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NONBLOCK)
            .open(&self.place)
            .map_err(|error| match error.kind() {
                ErrorKind::NotFound => {
                    SourceError::Lost(format!("{name} is not there: make it with mkfifo"))
                }
                _ => SourceError::Lost(format!("{name} cannot be opened: {error}")),
            })?;
        let is_fifo = file.metadata().is_ok_and(|m| m.file_type().is_fifo());
        is_fifo.then_some(file).ok_or_else(|| {
            SourceError::Lost(format!("{name} is no FIFO: for a file write replay:{name}"))
        })
    }
}

impl Opener for PipeOpener {
    fn open(&mut self) -> Result<Box<dyn Source>, SourceError> {
        let frame = self.frame()?;
        let file = if self.is_stdin() {
            self.open_stdin()?
        } else {
            self.open_fifo()?
        };
        // A smaller one does as well.
        // SAFETY: F_SETPIPE_SZ takes a number; the file is open.
        unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETPIPE_SZ, FIFO_BYTES) };
        Ok(Box::new(Pipe {
            file,
            name: self.name(),
            stop: self.stop.clone(),
            frame,
            intake: frame.map_or_else(Intake::of_jpegs, Intake::of_frames),
            ended: false,
        }))
    }

    fn name(&self) -> String {
        if self.is_stdin() {
            "standard input".to_owned()
        } else {
            self.place.display().to_string()
        }
    }

    fn stop_with(&mut self, stop: Stop) {
        self.stop = stop;
    }
}

struct Pipe {
    file: File,
    name: String,
    stop: Stop,
    frame: Option<RawFrame>,
    intake: Intake,
    ended: bool,
}

impl Source for Pipe {
    fn next(&mut self) -> Result<Lent<'_>, SourceError> {
        let is_new = self.fill()?;
        if self.ended && !is_new {
            return Err(SourceError::Ended(format!("{} was closed", self.name)));
        }
        // A writer that has nothing new to show says nothing; the picture stays.
        let Some(newest) = self.intake.picture() else {
            return Err(SourceError::NoSignal(format!(
                "no picture has come from {} yet: write {} to it",
                self.name,
                self.frame.map_or("JPEGs", |_| "raw pictures"),
            )));
        };
        Ok(Lent {
            captured: match self.frame {
                Some(frame) => frame.captured(newest),
                None => Captured {
                    layout: Layout::Mjpeg,
                    size: Size::default(),
                    stride: 0,
                    colour: Colour::default(),
                    bytes: newest,
                },
            },
            shared: Some(newest.clone()),
        })
    }
}

impl Pipe {
    /// Reads until no newer picture waits, there has been none for too long, or the end. Whether
    /// there is a new one.
    fn fill(&mut self) -> Result<bool, SourceError> {
        let deadline = Instant::now() + PATIENCE;
        let mut read = 0;
        let mut is_new = false;
        // A read that gets less than it has room for has emptied the pipe.
        let mut is_emptied = false;
        while !self.stop.is_set() && !self.ended {
            if is_new {
                if is_emptied || read > MAX_READ || self.waiting() < self.intake.least() {
                    break;
                }
            } else if !self.readable(SLICE)? {
                if Instant::now() >= deadline {
                    break;
                }
                continue;
            }
            let room = self.intake.room().len();
            let count = self.read()?;
            is_emptied = count < room;
            is_new |= self.intake.took(count);
            read += count;
        }
        Ok(is_new)
    }

    /// Reads once what there is.
    fn read(&mut self) -> Result<usize, SourceError> {
        match self.file.read(self.intake.room()) {
            Ok(0) => {
                self.ended = true;
                Ok(0)
            }
            Ok(count) => Ok(count),
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) =>
            {
                Ok(0)
            }
            Err(error) => Err(self.failed(&error)),
        }
    }

    /// How many bytes can be read at once; 0 if that cannot be told.
    fn waiting(&self) -> usize {
        let mut count: libc::c_int = 0;
        // SAFETY: FIONREAD writes one int; the file is open.
        match unsafe { libc::ioctl(self.file.as_raw_fd(), libc::FIONREAD, &raw mut count) } {
            0 => usize::try_from(count).unwrap_or(0),
            _ => 0,
        }
    }

    fn readable(&self, wait: Duration) -> Result<bool, SourceError> {
        let mut poll = libc::pollfd {
            fd: self.file.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        };
        let wait = wait.as_millis().try_into().unwrap_or(i32::MAX);
        // SAFETY: one valid pollfd is passed for the time of the call; the file is open.
        match unsafe { libc::poll(&raw mut poll, 1, wait) } {
            -1 => {
                let error = io::Error::last_os_error();
                match error.kind() {
                    ErrorKind::Interrupted => Ok(false),
                    _ => Err(self.failed(&error)),
                }
            }
            // A writer that has gone (POLLHUP) shows as an end when reading.
            count => Ok(count > 0),
        }
    }

    fn failed(&self, error: &io::Error) -> SourceError {
        SourceError::Lost(format!("{} cannot be read: {error}", self.name))
    }
}
