//! A recording, played for ever: a file of JPEGs or of raw frames, or a directory of JPEG and PNG pictures.

mod index;
mod pictures;

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use super::{Lent, Opener, Source, SourceError, Stop};
use pictures::Pictures;

/// Frames a second if neither the user nor the recording says.
const DEFAULT_FPS: u32 = 30;

/// Opens a recording.
pub(super) struct Recording {
    place: PathBuf,
    fps: Option<u32>,
    stop: Stop,
}

impl Recording {
    pub(super) fn new(place: PathBuf, fps: Option<u32>) -> Self {
        Self {
            place,
            fps,
            stop: Stop::default(),
        }
    }
}

impl Opener for Recording {
    fn open(&mut self) -> Result<Box<dyn Source>, SourceError> {
        let pictures = Pictures::open(&self.place)?;
        let fps = self.fps.or(pictures.fps()).unwrap_or(DEFAULT_FPS).max(1);
        Ok(Box::new(Player {
            pictures,
            interval: Duration::from_secs(1) / fps,
            due: Instant::now(),
            next: 0,
            stop: self.stop.clone(),
        }))
    }

    fn name(&self) -> String {
        self.place.display().to_string()
    }

    fn stop_with(&mut self, stop: Stop) {
        self.stop = stop;
    }
}

struct Player {
    pictures: Pictures,
    interval: Duration,
    /// When the next frame is to be shown.
    due: Instant,
    next: usize,
    stop: Stop,
}

impl Source for Player {
    fn next(&mut self) -> Result<Lent<'_>, SourceError> {
        let now = Instant::now();
        if self.stop.wait(self.due.saturating_duration_since(now)) {
            return Err(SourceError::Ended("it was stopped".to_owned()));
        }
        // After a pause it goes on from where it was, at its own rate.
        self.due = self.due.max(now) + self.interval;
        let frame = self.next;
        self.next = (frame + 1) % self.pictures.frames();
        self.pictures.load(frame)
    }
}

#[cfg(test)]
mod tests;
