//! The stream under a session becomes an encrypted one, and what has to be done for that elsewhere.

use std::sync::Arc;

use rfb::security::{
    Upgrade,
    rsa_aes::{Done, Task},
};
use tokio::{
    task::{JoinError, spawn_blocking},
    time::{Instant, sleep_until},
};

use super::{Session, ending::Ending};
use crate::net::{InputSink, admission::Place};

impl<I: InputSink> Session<'_, I> {
    /// What the client chose and waits for, as soon as all is written that it has to read before.
    pub(super) fn due_upgrade(&mut self) -> Option<Upgrade> {
        self.upgrade.take_if(|_| self.outbox.is_empty())
    }

    /// Changes the stream, by this time.
    pub(super) async fn change_stream(
        &mut self,
        upgrade: Upgrade,
        place: &Place,
        ends: Instant,
    ) -> Result<(), Ending> {
        self.began_tls |= matches!(upgrade, Upgrade::Tls);
        tokio::select! {
            () = self.server.stop.cancelled() => return Err(Ending::Stopping),
            () = place.evicted() => return Err(Ending::Evicted),
            () = sleep_until(ends) => {
                return Err(Ending::SlowHandshake(self.server.edges.limits.handshake.count()));
            }
            changed = self.wire.upgrade(upgrade, self.server.edges.tls.as_ref()) => changed?,
        }
        self.connection.upgraded();
        self.take_events()
    }

    /// Has RSA done for the handshake.
    pub(super) fn do_rsa(&mut self, task: Task) {
        let key = self.server.edges.host_key.as_ref().map(Arc::clone);
        self.rsa = Some(spawn_blocking(move || match key {
            Some(key) => key.perform(task),
            None => Done::BadKey,
        }));
    }

    /// Goes on with what came of it.
    pub(super) fn rsa_done(&mut self, done: Result<Done, JoinError>) -> Result<(), Ending> {
        self.rsa = None;
        let result = self.connection.rsa_done(done?);
        self.take_events()?;
        Ok(result?)
    }
}
