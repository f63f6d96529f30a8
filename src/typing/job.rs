//! One text on its way to the target.

use std::time::Duration;

use tokio::{sync::watch, time::sleep};
use tokio_util::sync::CancellationToken;

use super::{End, Progress};
use crate::hid::{ClientId, HidHandle, Input, Typed};

/// Presses and releases that may be ahead of what the target took: enough that its next poll never finds nothing, few
/// enough that a cancelled text ends at once.
const AHEAD: usize = 8;

pub(super) struct Job {
    pub(super) hid: HidHandle,
    /// Whose keys these are.
    pub(super) client: ClientId,
    pub(super) delay: Duration,
    pub(super) cancel: CancellationToken,
    pub(super) stop: CancellationToken,
    pub(super) progress: Progresses,
}

/// Who is told how far it is.
pub(super) struct Progresses {
    pub(super) job: watch::Sender<Progress>,
    pub(super) server: watch::Sender<Option<Progress>>,
}

impl Progresses {
    pub(super) fn tell(&self, progress: &Progress) {
        self.job.send_replace(progress.clone());
        self.server.send_replace(Some(progress.clone()));
    }
}

/// Why no more strokes can follow.
#[derive(Debug)]
struct Ended(End);

impl Job {
    /// Types all of it, or as much as is possible, and lets go of every key. Tells how far it is, but not its end.
    pub(super) async fn run(&self, characters: &[char]) -> Progress {
        let mut typed = self.hid.typed();
        let mut progress = Progress::new(characters.len());
        let end = self.type_all(characters, &mut typed, &mut progress).await;
        self.hid.leave(self.client);
        progress.end = Some(match end {
            Ok(()) => End::Done,
            Err(Ended(end)) => end,
        });
        progress
    }

    async fn type_all(
        &self,
        characters: &[char],
        typed: &mut watch::Receiver<Typed>,
        progress: &mut Progress,
    ) -> Result<(), Ended> {
        // A delay counts from when the target has the character.
        let ahead = if self.delay.is_zero() { AHEAD } else { 0 };
        let mut sent = 0;
        for character in characters {
            if sent > 0 && !self.delay.is_zero() {
                tokio::select! {
                    () = self.cancel.cancelled() => {}
                    () = sleep(self.delay) => {}
                }
            }
            if self.cancel.is_cancelled() {
                self.taken(sent, typed, progress).await?;
                return Err(Ended(if self.stop.is_cancelled() {
                    End::Stopping
                } else {
                    End::Cancelled
                }));
            }
            // Never only half of a stroke.
            for down in [true, false] {
                let character = *character;
                let input = Input::Character { down, character };
                self.hid.send(self.client, input).await;
                sent += 1;
            }
            self.taken(sent.saturating_sub(ahead), typed, progress)
                .await?;
        }
        self.taken(sent, typed, progress).await
    }

    /// Waits until the target has taken this many strokes, or some will never be.
    async fn taken(
        &self,
        strokes: usize,
        typed: &mut watch::Receiver<Typed>,
        progress: &mut Progress,
    ) -> Result<(), Ended> {
        loop {
            let now = typed.borrow_and_update().clone();
            if now.client == self.client {
                if now.strokes / 2 > progress.typed {
                    progress.typed = now.strokes / 2;
                    self.progress.tell(progress);
                }
                if let Some(why) = now.lost {
                    return Err(Ended(End::Lost(why)));
                }
                if now.strokes >= strokes {
                    return Ok(());
                }
            } else if strokes == 0 {
                return Ok(());
            }
            if typed.changed().await.is_err() {
                return Err(Ended(End::Stopping));
            }
        }
    }
}
