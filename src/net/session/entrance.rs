//! How a client gets in: when it is heard, what it is offered, and who decides about it.

use std::{net::SocketAddr, sync::Arc};

use rfb::{security::Login, server::Connection};
use tokio::{task::spawn_blocking, time::Instant};

use super::{Session, Stream, ending::Ending};
use crate::{
    access::{Admitted, Denied, Role},
    net::{InputSink, Server, admission::Place},
};

/// A connection for `peer`, and when it may be heard.
pub(super) fn welcome<I: InputSink>(
    server: &Server<I>,
    peer: SocketAddr,
) -> Result<(Connection, Instant), Ending> {
    let frame = server.edges.frames.borrow().clone();
    let now = Instant::now();
    if let Err(full) = server.admission.check() {
        return Ok((Connection::refusing(full.to_string(), frame), now));
    }
    match server.throttle.turn(peer.ip(), now) {
        Ok(turn) => {
            let mut challenge = [0; 16];
            getrandom::fill(&mut challenge)?;
            let config = Arc::clone(&server.config);
            Ok((Connection::new(config, challenge, frame), turn))
        }
        Err(soon) => {
            let reason = format!(
                "Too many wrong passwords from this address; try again in {} s.",
                soon.wait.as_secs() + 1
            );
            Ok((Connection::refusing(reason, frame), now))
        }
    }
}

impl<S: Stream, I: InputSink> Session<'_, S, I> {
    /// Has it decided whether the client may enter.
    pub(super) fn decide(&mut self, login: Login) {
        let access = Arc::clone(&self.server.access);
        self.deciding = Some(spawn_blocking(move || access.decide(&login)));
    }

    /// Lets the client in or turns it away.
    pub(super) fn settle(
        &mut self,
        verdict: Result<Admitted, Denied>,
        place: &mut Place,
    ) -> Result<(), Ending> {
        let admitted = match verdict {
            Ok(admitted) => admitted,
            Err(denied) => {
                self.connection.deny(&denied.to_string());
                return Err(Ending::Denied(denied));
            }
        };
        if let Err(full) = place.promote() {
            self.connection.deny(&full.to_string());
            return Err(full.into());
        }
        if self.server.access.is_guarded() {
            self.server.throttle.succeeded(self.peer.ip());
            tracing::info!(client = self.client.0, peer = %self.peer, "password accepted");
        }
        self.connection.set_view_only(admitted.role == Role::View);
        let result = self.connection.admit();
        self.take_events();
        Ok(result?)
    }
}
