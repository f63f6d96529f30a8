//! Logins that no session asks for: somebody fetches something over HTTP.
//!
//! They count as those of sessions do: guessing here makes an address wait there, and the audit log tells of both alike.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use rfb::security::Login;
use tokio::{
    task::JoinError,
    time::{Instant, sleep, sleep_until},
};

use super::{
    Identity, InputSink, News, Server,
    audit::{self, Attempt},
    throttle::TooSoon,
};
use crate::access::{Admitted, Denied};

/// Why somebody is not let in.
#[derive(Debug, thiserror::Error)]
pub enum LoginRefused {
    #[error("Too many wrong passwords from this address; try again in {} s.", .0.as_secs() + 1)]
    TooSoon(Duration),
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("rfbridge has a fault: {0}")]
    Fault(#[from] JoinError),
}

impl<I: InputSink> Server<I> {
    /// Decides about somebody, when it is his turn. A no takes its time.
    pub async fn log_in(&self, peer: SocketAddr, login: Login) -> Result<Admitted, LoginRefused> {
        if !self.access.is_guarded() {
            let admitted = Arc::clone(&self.access).decide(Login::Anonymous).await?;
            return Ok(admitted?);
        }
        let turn = self.throttle.turn(peer.ip(), Instant::now());
        sleep_until(turn.map_err(|TooSoon { wait }| LoginRefused::TooSoon(wait))?).await;
        let client = self.next_client();
        let attempt = Attempt::basic(&login);
        match Arc::clone(&self.access).decide(login).await? {
            Ok(admitted) => {
                self.throttle.succeeded(peer.ip(), Instant::now());
                let identity = Identity {
                    client,
                    peer,
                    user: admitted.user.clone(),
                    role: admitted.role,
                };
                audit::logged_in(&identity, &attempt);
                self.edges.metrics.login("ok");
                Ok(admitted)
            }
            Err(denied) => {
                let delay = self.throttle.failed(peer.ip(), Instant::now());
                self.edges.metrics.login("failed");
                audit::login_failed(client, peer, &attempt, &denied);
                let why = denied.to_string();
                (self.edges.tell)(News::LoginFailed { client, peer, why });
                sleep(delay).await;
                Err(denied.into())
            }
        }
    }
}
