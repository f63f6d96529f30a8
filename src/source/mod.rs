//! Where frames come from.

use crate::video::Captured;

/// A source that could not be opened or stopped delivering. The text says what failed, on which
/// device, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// There is no picture, but the source itself works (no cable, no sync, unsupported timing).
    #[error("{0}")]
    NoSignal(String),
    /// The source has to be opened anew.
    #[error("{0}")]
    Lost(String),
    /// A source that has an end (a pipe that was closed) is at it.
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
}
