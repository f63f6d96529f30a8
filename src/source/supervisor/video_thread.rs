//! The video thread: makes frames of what waits in the mailbox and publishes them.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use rfb::geom::Size;
use tokio::sync::watch;
use tracing::{info, warn};

use super::Clock;
use crate::{
    metrics::Metrics,
    source::{
        SourceError,
        mailbox::{Mailbox, Picture, Post},
    },
    video::{BadPicture, Converter, Counters, Signal},
};

/// For how long there may be nothing but bad pictures before the last good one is taken down.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often dropped pictures are reported at most.
const REPORT_EVERY: Duration = Duration::from_secs(10);

pub(super) struct VideoThread {
    name: String,
    signal: watch::Sender<Signal>,
    converter: Converter,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
    /// Of the converter's counters, what was counted there already.
    counted: Counters,
    shown: Shown,
    /// The size last shown, for the log.
    size: Option<Size>,
    /// Since when there have been nothing but bad pictures.
    bad_since: Option<Duration>,
    reported: Option<Duration>,
}

/// What has been published last.
enum Shown {
    Starting,
    Live,
    Trouble { since: SystemTime, what: Trouble },
}

#[derive(Clone, PartialEq, Eq)]
enum Trouble {
    NoSignal(String),
    Lost(String),
}

impl VideoThread {
    pub(super) fn new(
        name: String,
        signal: watch::Sender<Signal>,
        converter: Converter,
        clock: Arc<dyn Clock>,
        metrics: Metrics,
    ) -> Self {
        Self {
            name,
            signal,
            converter,
            clock,
            metrics,
            counted: Counters::default(),
            shown: Shown::Starting,
            size: None,
            bad_since: None,
            reported: None,
        }
    }

    pub(super) fn run(mut self, mailbox: &Mailbox) {
        let mut is_shown = false;
        while let Some((post, repeats)) = mailbox.take(is_shown) {
            self.converter.count_identical(repeats);
            match post {
                Post::Picture { picture, repeated } => self.picture(&picture, repeated),
                Post::Damaged { reason, pictures } => {
                    self.converter.count_damaged(&reason, pictures);
                    self.bad_picture(&reason);
                }
                Post::Trouble(SourceError::NoSignal(why)) => self.trouble(Trouble::NoSignal(why)),
                Post::Trouble(SourceError::Lost(why) | SourceError::Ended(why)) => {
                    self.trouble(Trouble::Lost(why));
                }
            }
            is_shown = matches!(self.shown, Shown::Live) && self.bad_since.is_none();
            self.count();
        }
    }

    fn count(&mut self) {
        let now = self.converter.counters();
        let before = std::mem::replace(&mut self.counted, now);
        for ((result, now), (_, before)) in now.by_result().into_iter().zip(before.by_result()) {
            self.metrics.pictures(result, now.saturating_sub(before));
        }
    }

    fn picture(&mut self, picture: &Picture, repeated: bool) {
        let result = if repeated && self.bad_since.is_none() {
            self.converter.count_identical(1);
            Ok(None)
        } else {
            self.converter
                .convert_shared(&picture.captured(), picture.bytes())
        };
        match result {
            // After a bad picture each is looked into before it is shown. That it is damaged is reported by itself.
            Ok(Some(frame)) if self.bad_since.is_some() && frame.tiles().is_err() => {}
            Ok(frame) => {
                self.bad_since = None;
                self.live(frame.is_some());
            }
            Err(reason) => self.bad_picture(&reason),
        }
    }

    fn live(&mut self, changed: bool) {
        if !changed && matches!(self.shown, Shown::Live) {
            return;
        }
        let Some(frame) = self.converter.frame() else {
            return;
        };
        if self.size != Some(frame.size()) || !matches!(self.shown, Shown::Live) {
            info!(source = self.name, "live at {}", frame.size());
        }
        self.size = Some(frame.size());
        self.shown = Shown::Live;
        self.signal.send_replace(Signal::Live(frame.clone()));
    }

    fn trouble(&mut self, what: Trouble) {
        let since = match &self.shown {
            Shown::Trouble { what: old, .. } if *old == what => return,
            Shown::Trouble { since, .. } => *since,
            _ => self.clock.now(),
        };
        self.signal.send_replace(match what.clone() {
            Trouble::NoSignal(why) => {
                warn!(source = self.name, "no signal: {why}");
                Signal::NoSignal { since, why }
            }
            Trouble::Lost(why) => {
                warn!(source = self.name, "lost: {why}");
                Signal::Lost { since, why }
            }
        });
        self.shown = Shown::Trouble { since, what };
    }

    fn bad_picture(&mut self, reason: &BadPicture) {
        let now = self.clock.elapsed();
        if self.reported.is_none_or(|last| now - last >= REPORT_EVERY) {
            self.reported = Some(now);
            let counters = self.converter.counters();
            warn!(
                source = self.name,
                "{} of {} pictures dropped so far, this one because {reason}",
                counters.dropped.total(),
                counters.captured,
            );
        }
        let since = *self.bad_since.get_or_insert(now);
        if now - since >= PATIENCE {
            self.trouble(Trouble::NoSignal(format!(
                "{} sends only pictures that cannot be shown ({reason})",
                self.name
            )));
        }
    }
}
