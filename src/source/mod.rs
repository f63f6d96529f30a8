//! Where frames come from.
//!
//! A source is one file here, its `mod` line and a row in [`opener`]. [`supervisor`] keeps it open.

mod intake;
pub mod jpeg_stream;
mod mailbox;
mod pipe;
mod pool;
mod raw_frame;
mod replay;
mod stop;
pub mod supervisor;
mod v4l;

use std::path::PathBuf;

use bytes::Bytes;
use rfb::geom::Size;

use crate::{
    config,
    video::{Captured, Layout},
};

pub use stop::Stop;
pub use v4l::{Description, describe};

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
    fn next(&mut self) -> Result<Lent<'_>, SourceError>;
}

/// A picture that is lent until the source is asked for the next one.
pub struct Lent<'a> {
    pub captured: Captured<'a>,
    /// The same bytes to be kept, from a source that can give them away. Others' are copied, if the
    /// picture is a new one.
    pub shared: Option<Bytes>,
}

impl<'a> From<Captured<'a>> for Lent<'a> {
    fn from(captured: Captured<'a>) -> Self {
        Lent {
            captured,
            shared: None,
        }
    }
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

/// How to open a source that is configured.
pub fn opener(source: &config::Source, wishes: Wishes) -> Box<dyn Opener> {
    match source {
        config::Source::V4l(path) => Box::new(v4l::Camera::new(path.clone(), wishes)),
        config::Source::Stdin => Box::new(pipe::PipeOpener::new(PathBuf::from("-"), wishes)),
        config::Source::Pipe(path) => Box::new(pipe::PipeOpener::new(path.clone(), wishes)),
        config::Source::Replay(path) => Box::new(replay::Recording::new(path.clone(), wishes.fps)),
    }
}

impl From<config::Format> for Layout {
    fn from(format: config::Format) -> Self {
        match format {
            config::Format::Mjpeg => Layout::Mjpeg,
            config::Format::Yuyv => Layout::Yuyv,
            config::Format::Uyvy => Layout::Uyvy,
            config::Format::Nv12 => Layout::Nv12,
            config::Format::Rgb24 => Layout::Rgb24,
            config::Format::Bgr24 => Layout::Bgr24,
        }
    }
}

#[cfg(test)]
mod tests;
