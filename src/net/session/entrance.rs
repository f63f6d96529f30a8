//! How a client gets in: when it is heard, what it is offered, and who decides about it.

use std::{net::SocketAddr, pin::Pin, sync::Arc};

use rfb::{
    security::Login,
    server::{Connection, ServerConfig},
};
use tokio::{task::JoinError, time::Instant};

use super::{Session, ending::Ending};
use crate::{
    access::{Admitted, Denied, Role},
    net::{
        Identity, InputSink, News, Server,
        admission::Place,
        audit::{self, Attempt},
        stay::Stay,
    },
};

/// Whether a client is let in, when that is known.
pub(super) type Deciding =
    Pin<Box<dyn Future<Output = Result<Result<Admitted, Denied>, JoinError>> + Send>>;

/// A connection for `peer`, and when it may be heard.
pub(super) fn welcome<I: InputSink>(
    server: &Server<I>,
    peer: SocketAddr,
    config: Arc<ServerConfig>,
) -> Result<(Connection, Instant), Ending> {
    let frame = server.edges.frames.borrow().clone();
    let now = Instant::now();
    if let Err(full) = server.admission.check(peer.ip()) {
        return Ok((Connection::refusing(full.to_string(), frame), now));
    }
    match server.throttle.turn(peer.ip(), now) {
        Ok(turn) => {
            let mut challenge = [0; 16];
            getrandom::fill(&mut challenge)?;
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

impl<I: InputSink> Session<'_, I> {
    /// Has it decided whether the client may enter.
    pub(super) fn decide(&mut self, login: Login) {
        self.attempt = Attempt::new(self.connection.security(), &login);
        let access = Arc::clone(&self.server.access);
        self.deciding = Some(Box::pin(access.decide(login)));
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
        if let Err(occupied) = self.server.roster.check(admitted.role) {
            self.connection.deny(&occupied.to_string());
            return Err(occupied.into());
        }
        if let Err(full) = place.promote() {
            self.connection.deny(&full.to_string());
            return Err(full.into());
        }
        if self.server.access.is_guarded() {
            self.server
                .throttle
                .succeeded(self.peer.ip(), Instant::now());
        }
        self.connection.set_view_only(admitted.role == Role::View);
        let identity = self.identity(&admitted);
        audit::logged_in(&identity, &self.attempt);
        self.server.edges.metrics.login("ok");
        (self.server.edges.tell)(News::LoggedIn(identity));
        self.admitted = Some(admitted);
        let result = self.connection.admit().map_err(Ending::from);
        self.take_events().and(result)
    }

    /// The handshake is over: the client is one among others now. `shared`: it does not mind them.
    pub(super) fn join(&mut self, shared: bool) -> Result<(), Ending> {
        let Some(admitted) = &self.admitted else {
            return Ok(());
        };
        let (identity, roster) = (self.identity(admitted), &self.server.roster);
        let may_control = admitted.role >= Role::Control;
        let times = roster.policy();
        let (idle, longest) = (times.idle_timeout.duration(), times.max_time.duration());
        self.stay = Some(Stay::new(idle, longest, may_control, Instant::now()));
        let takes_power = self.offers_power(admitted);
        self.seat = Some(roster.join(identity, shared, self.inputs.permit())?);
        self.connection.take_power(takes_power);
        Ok(())
    }

    fn identity(&self, admitted: &Admitted) -> Identity {
        Identity {
            client: self.client,
            peer: self.peer,
            user: admitted.user.clone(),
            role: admitted.role,
        }
    }
}
