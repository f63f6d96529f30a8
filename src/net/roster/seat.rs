//! A client's place in the roster, held by its session.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::{Activity, Asker, Roster, Standing, TakeError};
use crate::{hid::ClientId, net::InputSink};

/// Given back when it is dropped: then another may get control, so what the client held has to be released before.
pub(in crate::net) struct Seat<'a, I: InputSink> {
    roster: &'a Roster<I>,
    pub(super) client: ClientId,
    pub(super) standing: watch::Receiver<Standing>,
    activity: Arc<Mutex<Activity>>,
}

impl<'a, I: InputSink> Seat<'a, I> {
    pub(super) fn new(
        roster: &'a Roster<I>,
        client: ClientId,
        mut standing: watch::Receiver<Standing>,
        activity: Arc<Mutex<Activity>>,
    ) -> Self {
        standing.mark_changed();
        Self {
            roster,
            client,
            standing,
            activity,
        }
    }

    /// What the client may do now, as soon as that is something else than before. Cancel-safe.
    pub(in crate::net) async fn changed(&mut self) -> Standing {
        // The roster keeps the other end for as long as this is not dropped.
        let _ = self.standing.changed().await;
        self.standing.borrow_and_update().clone()
    }

    pub(in crate::net) fn standing(&self) -> Standing {
        self.standing.borrow().clone()
    }

    pub(in crate::net) fn controls(&self) -> bool {
        *self.standing.borrow() == Standing::Controls
    }

    /// The client asks for control.
    pub(in crate::net) fn take(&self) -> Result<(), TakeError> {
        self.roster.take_for(self.client, Asker::Client)
    }

    /// It gives control up. Whether it had it.
    pub(in crate::net) fn give_up(&self) -> bool {
        self.roster.give_up(self.client)
    }

    pub(in crate::net) fn activity(&self) -> MutexGuard<'_, Activity> {
        self.activity.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<I: InputSink> Drop for Seat<'_, I> {
    fn drop(&mut self) {
        self.roster.leave(self.client);
    }
}
