//! What came of something that was chosen in the menu, shown where the menu was.

use std::{sync::Arc, time::Duration};

use rfb::frame::{Frame, overlay};
use tokio::time::Instant;

use super::panel::Panel;

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
        let known = self.panel.take().filter(|p| p.screen() == frame.size());
        let panel = known.unwrap_or_else(|| Arc::new(Panel::note(&self.text, frame.size())));
        self.panel = Some(Arc::clone(&panel));
        overlay::over(frame, panel)
    }
}
