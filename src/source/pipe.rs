//! JPEGs from standard input or a FIFO, one after the other; the newest wins.

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

use super::{Opener, Source, SourceError, Stop, jpeg_stream::JpegStream};
use crate::video::{Captured, Colour, Layout};

/// How long to wait for a picture before the last one is lent again.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often to look whether to stop.
const SLICE: Duration = Duration::from_millis(100);
/// Most bytes read for one picture lent, so that a writer without a pause is shown too.
const MAX_READ: usize = 4 * 1024 * 1024;

/// Opens `-` (standard input) once, or a FIFO as often as needed.
pub(super) struct PipeOpener {
    place: PathBuf,
    stdin_used: bool,
    stop: Stop,
}

impl PipeOpener {
    pub(super) fn new(place: PathBuf) -> Self {
        Self {
            place,
            stdin_used: false,
            stop: Stop::default(),
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
                "standard input is a terminal: pipe JPEGs into it".to_owned(),
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
        let file = if self.is_stdin() {
            self.open_stdin()?
        } else {
            self.open_fifo()?
        };
        Ok(Box::new(Pipe {
            file,
            name: self.name(),
            stop: self.stop.clone(),
            stream: JpegStream::default(),
            newest: Vec::new(),
            buffer: vec![0; 64 * 1024],
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
    stream: JpegStream,
    /// The newest whole picture; empty before the first.
    newest: Vec<u8>,
    buffer: Vec<u8>,
    ended: bool,
}

impl Source for Pipe {
    fn next(&mut self) -> Result<Captured<'_>, SourceError> {
        let deadline = Instant::now() + PATIENCE;
        let mut read = 0;
        let mut is_new = false;
        while !self.stop.is_set() && !self.ended {
            let wait = if is_new { Duration::ZERO } else { SLICE };
            if !self.readable(wait)? {
                if is_new || Instant::now() >= deadline {
                    break;
                }
                continue;
            }
            let count = self.read()?;
            is_new |= self.take(count);
            read += count;
            if is_new && read > MAX_READ {
                break;
            }
        }
        if self.ended && !is_new {
            return Err(SourceError::Ended(format!("{} was closed", self.name)));
        }
        // A writer that has nothing new to show says nothing; the picture stays.
        if self.newest.is_empty() {
            return Err(SourceError::NoSignal(format!(
                "no picture has come from {} yet: write JPEGs to it",
                self.name
            )));
        }
        Ok(Captured {
            layout: Layout::Mjpeg,
            size: Size::default(),
            stride: 0,
            colour: Colour::default(),
            bytes: &self.newest,
        })
    }
}

impl Pipe {
    /// Reads once what there is.
    fn read(&mut self) -> Result<usize, SourceError> {
        match self.file.read(&mut self.buffer) {
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

    /// Whether a picture became whole with the first `count` bytes of the buffer.
    fn take(&mut self, count: usize) -> bool {
        let mut is_new = false;
        let mut at = 0;
        while at < count {
            let (taken, whole) = self.stream.feed(&self.buffer[at..count], &mut self.newest);
            at += taken;
            is_new |= whole;
        }
        is_new
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
