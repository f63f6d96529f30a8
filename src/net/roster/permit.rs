//! Whether what a client presses and moves is passed on.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::{Arc, PoisonError},
    task::Poll,
};

use crate::sync::{Mutex, MutexGuard};

/// Held by a client's session, given and taken by the roster.
#[derive(Clone, Debug, Default)]
pub(in crate::net) struct Permit(Arc<Mutex<bool>>);

impl Permit {
    pub(in crate::net) fn grant(&self) {
        *self.granted() = true;
    }

    /// Once this returns, nothing is passed on any more. Says whether there was a permit.
    pub(super) fn revoke(&self) -> bool {
        std::mem::replace(&mut *self.granted(), false)
    }

    /// Passes an input on, as `send` does; drops it if there is no permit, or none any more while it waits.
    ///
    /// The lock is held for each single poll and not while waiting, so a permit cannot be lost between the look at it and
    /// the moment in which the input is taken.
    pub(in crate::net) async fn pass(&self, send: impl Future<Output = ()>) {
        let mut send = pin!(send);
        poll_fn(|context| {
            let granted = self.granted();
            match *granted {
                true => send.as_mut().poll(context),
                false => Poll::Ready(()),
            }
        })
        .await;
    }

    fn granted(&self) -> MutexGuard<'_, bool> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(all(test, feature = "shuttle"))]
mod schedules;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_waits_when_the_permit_goes_is_not_passed_on() {
        let permit = Permit::default();
        permit.pass(async { panic!("there was none yet") }).await;
        permit.grant();
        let mut passed = false;
        permit.pass(async { passed = true }).await;
        assert!(passed);
        let room = tokio::sync::Notify::new();
        let waiting = permit.pass(async {
            room.notified().await;
            panic!("passed on without a permit");
        });
        let revoking = async {
            tokio::task::yield_now().await;
            assert!(permit.revoke());
            room.notify_one();
        };
        tokio::join!(waiting, revoking);
        assert!(!permit.revoke(), "it was gone");
    }
}
