//! Where frames come from.
//!
//! A source is one file here, its `mod` line and one row in `ROWS`. [`supervisor`] keeps it open.

pub mod jpeg_stream;
mod mailbox;
mod pipe;
mod replay;
mod stop;
pub mod supervisor;
mod v4l;

use std::{path::PathBuf, str::FromStr};

use rfb::geom::Size;

use crate::video::{Captured, Layout};

pub use stop::Stop;

/// Most bytes of one compressed picture.
pub const MAX_PICTURE: usize = 16 * 1024 * 1024;

/// A source that could not be opened or stopped delivering. The text says what failed, on which
/// device, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// There is no picture, but the source itself works (no cable, no sync, unsupported timing).
    /// It stays open.
    #[error("{0}")]
    NoSignal(String),
    /// The source has to be opened anew.
    #[error("{0}")]
    Lost(String),
    /// A source that has an end (a pipe that was closed) is at it. From [`Source::next`]: it may be
    /// opened again; from [`Opener::open`]: nothing will ever come any more.
    #[error("{0}")]
    Ended(String),
}

/// An open source. Lives on the source thread.
pub trait Source: Send {
    /// Waits for the newest frame, at most about a second, and lends it until the next call.
    fn next(&mut self) -> Result<Captured<'_>, SourceError>;
}

/// How to open a source, as often as needed.
pub trait Opener: Send {
    fn open(&mut self) -> Result<Box<dyn Source>, SourceError>;
    /// What is opened, for logs and the slate, such as `/dev/video0`.
    fn name(&self) -> String;
    /// Called once, before the first [`Opener::open`]: a source that waits for longer than a tenth
    /// of a second returns (with any error) when `stop` is set.
    fn stop_with(&mut self, stop: Stop) {
        let _ = stop;
    }
}

/// What the user asks of a source; what is not asked for is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    pub format: Option<Layout>,
    pub size: Option<Size>,
    /// Frames a second.
    pub fps: Option<u32>,
}

/// A source as the user names it: `KIND` or `KIND:WHERE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceKind {
    row: usize,
    place: PathBuf,
}

struct Row {
    kind: &'static str,
    /// What `KIND` alone stands for.
    default: Option<&'static str>,
    /// How it is written.
    usage: &'static str,
    opener: fn(PathBuf, Wishes) -> Box<dyn Opener>,
}

const ROWS: [Row; 3] = [
    Row {
        kind: "v4l",
        default: Some("/dev/video0"),
        usage: "v4l:/dev/videoN",
        opener: |place, wishes| Box::new(v4l::Camera::new(place, wishes)),
    },
    Row {
        kind: "pipe",
        default: Some("-"),
        usage: "pipe:- or pipe:/path/of/a/fifo",
        opener: |place, _| Box::new(pipe::PipeOpener::new(place)),
    },
    Row {
        kind: "replay",
        default: None,
        usage: "replay:FILE.mjpeg or replay:DIRECTORY",
        opener: |place, wishes| Box::new(replay::Recording::new(place, wishes.fps)),
    },
];

/// A source that cannot be meant.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} names no source: write {usages}", usages = usages())]
pub struct UnknownSource(String);

fn usages() -> String {
    ROWS.map(|row| row.usage).join(", or ")
}

impl FromStr for SourceKind {
    type Err = UnknownSource;

    fn from_str(text: &str) -> Result<Self, UnknownSource> {
        let (kind, place) = match text.split_once(':') {
            Some((kind, place)) => (kind, Some(place).filter(|place| !place.is_empty())),
            None => (text, None),
        };
        ROWS.iter()
            .position(|row| row.kind == kind)
            .and_then(|row| {
                let place = match text.contains(':') {
                    true => place?,
                    false => ROWS[row].default?,
                };
                let place = PathBuf::from(place);
                Some(Self { row, place })
            })
            .ok_or_else(|| UnknownSource(text.to_owned()))
    }
}

impl std::fmt::Display for SourceKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", ROWS[self.row].kind, self.place.display())
    }
}

/// How to open a source of this kind.
pub fn opener(kind: &SourceKind, wishes: Wishes) -> Box<dyn Opener> {
    (ROWS[kind.row].opener)(kind.place.clone(), wishes)
}

#[cfg(test)]
mod tests;
