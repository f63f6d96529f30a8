//! How a session ends: why, what is still done for the client then, and what is logged.

use std::{io, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    task::JoinError,
    time::{Instant, timeout, timeout_at},
};

use super::{STALL, Session};
use crate::{
    access::Denied,
    net::{
        InputSink, News,
        admission::Place,
        audit::{self, Attempt},
        roster::{Dismissal, Occupied},
        stay::Over,
        wire::UpgradeError,
    },
};

/// Time to take the reason for being turned away.
const FAREWELL: Duration = Duration::from_secs(2);

/// Why a session ended, for the log.
#[derive(Debug, thiserror::Error)]
pub(super) enum Ending {
    #[error("the client closed the connection")]
    Closed,
    #[error("the connection broke: {0}")]
    Broken(#[from] io::Error),
    #[error(transparent)]
    Peer(#[from] rfb::Error),
    #[error("no complete handshake within {0} s")]
    SlowHandshake(usize),
    #[error("the client took no data for {} s", STALL.as_secs())]
    Stalled,
    #[error("made room for another connection")]
    Evicted,
    #[error(transparent)]
    Full(#[from] crate::net::admission::Full),
    #[error(transparent)]
    NotEncrypted(#[from] UpgradeError),
    #[error("authentication failed: {0}")]
    Denied(Denied),
    #[error(transparent)]
    Occupied(#[from] Occupied),
    #[error(transparent)]
    Dismissed(#[from] Dismissal),
    #[error("the user has another password or role now, or was removed")]
    Revoked,
    #[error(transparent)]
    Over(#[from] Over),
    /// In the work that sessions have done elsewhere.
    #[error("rfbridge has a fault: {0}")]
    Fault(#[from] JoinError),
    #[error("no randomness for the challenge: {0}")]
    Random(#[from] getrandom::Error),
    #[error("rfbridge is stopping")]
    Stopping,
}

impl<I: InputSink> Session<'_, I> {
    /// Says what an operator wonders about who sees a client come and go.
    pub(super) fn explain(&self, ending: &Ending) {
        let said_nothing = self.admitted.is_none() && self.attempt == Attempt::default();
        let went = matches!(
            ending,
            Ending::Closed | Ending::Broken(_) | Ending::NotEncrypted(_)
        );
        if self.began_tls && said_nothing && went {
            tracing::info!(
                client = self.client.0,
                peer = %self.peer,
                "no login came of TLS: a viewer has to be given the certificate first; one that cannot take any needs an address \
                 without TLS, such as listen = [\"ADDR:PORT\", \"ADDR:PORT=VncAuth\"]"
            );
        }
    }

    /// Hands over what the client typed last, and tells it why it has to go.
    pub(super) async fn part(mut self, ending: &Ending, place: &Place) {
        let stop = self.server.stop.clone();
        let goodbye = async {
            if let Ending::Closed | Ending::Broken(_) | Ending::Peer(_) = ending {
                self.inputs.drain().await;
            }
            self.inputs.leave();
            // Nothing is held any more: another may have control.
            self.seat = None;
            if let Ending::Denied(denied) = ending {
                tokio::select! {
                    () = self.hold_back(*denied) => {}
                    // Another needs the place; this one knows what the silence means.
                    () = place.evicted() => return,
                }
            }
            if let Ending::Peer(_) | Ending::Denied(_) | Ending::Full(_) | Ending::Occupied(_) =
                ending
            {
                self.flush().await;
            }
            if let Ending::Dismissed(_) | Ending::Over(_) | Ending::Revoked = ending {
                // Where the stream can say that this is meant, so that a browser does not come back by itself.
                let _ = timeout(FAREWELL, self.wire.writer.shutdown()).await;
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = goodbye => {}
        }
    }

    /// Takes note of a failed login, and lets the client wait for the answer.
    async fn hold_back(&mut self, denied: Denied) {
        let delay = self.server.throttle.failed(self.peer.ip(), Instant::now());
        self.server.edges.metrics.login("failed");
        audit::login_failed(self.client, self.peer, &self.attempt, &denied);
        (self.server.edges.tell)(News::LoginFailed {
            client: self.client,
            peer: self.peer,
            why: denied.to_string(),
        });
        // A peer that hangs up meanwhile gives back its place at once.
        let _ = timeout(delay, self.gone()).await;
    }

    /// Writes what is left and lets the peer read it: closing while bytes from it lie unread would reset the
    /// connection and take the reason away.
    async fn flush(&mut self) {
        self.outbox.push_control(self.connection.take_output());
        let ends = Instant::now() + FAREWELL;
        let write = async {
            while !self.outbox.is_empty() {
                let taken = self.outbox.write_to(&mut self.wire.writer).await?;
                self.outbox.written(taken);
            }
            self.wire.writer.shutdown().await
        };
        if !matches!(timeout_at(ends, write).await, Ok(Ok(()))) {
            return;
        }
        let _ = timeout_at(ends, self.gone()).await;
    }

    /// Waits until the peer has hung up; what it says meanwhile is not heard.
    async fn gone(&mut self) {
        let mut ignored = [0; 1024];
        let reader = &mut self.wire.reader;
        while reader.read(&mut ignored).await.is_ok_and(|n| n > 0) {}
    }
}
