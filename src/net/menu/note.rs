//! What came of something that was chosen in the menu, shown where the menu was.

use std::{sync::Arc, time::Duration};

use rfb::frame::Frame;
use tokio::time::Instant;

use super::panel::{self, Panel};

/// So long can a message be read.
const STAYS: Duration = Duration::from_secs(4);

pub(super) struct Note {
    text: String,
    until: Instant,
    panel: Option<Arc<Panel>>,
}

impl Note {
    pub(super) fn new(text: String, now: Instant) -> Self {
        Self {
            text,
            until: now + STAYS,
            panel: None,
        }
    }

    pub(super) fn due_at(&self) -> Instant {
        self.until
    }

    /// `frame` with the note over it.
    pub(super) fn over(&mut self, frame: &Frame) -> Frame {
        panel::over(&mut self.panel, frame, |screen| {
            Panel::note(&self.text, screen)
        })
    }
}
