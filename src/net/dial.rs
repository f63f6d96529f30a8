//! Reverse connections: the server calls a viewer that listens.
//!
//! The viewer is a client like any other from then on: it logs in, and counts among the others.

use std::{io, sync::Arc, time::Duration};

use rfb::security::SecurityType;
use tokio::{
    net::{TcpStream, lookup_host},
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::{InputSink, Server, listener::prepare};
use crate::config::Viewer;

/// Time to answer a call.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two calls: after the first failure, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// A viewer that was not reached.
#[derive(Debug, thiserror::Error)]
#[error("{viewer} is not reached: {error}; does a viewer listen there (vncviewer -listen)?")]
pub struct DialError {
    viewer: Viewer,
    error: io::Error,
}

impl<I: InputSink> Server<I> {
    /// Calls `viewer` and serves it; what comes back ends with its session. It is offered these security types, in order.
    pub async fn dial(
        self: &Arc<Self>,
        viewer: &Viewer,
        security: Vec<SecurityType>,
    ) -> Result<JoinHandle<()>, DialError> {
        let connected = timeout(PATIENCE, connect(viewer)).await;
        let connected = connected.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        let stream = connected.map_err(|error| DialError {
            viewer: viewer.clone(),
            error,
        })?;
        let peer = stream.peer_addr().map_err(|error| DialError {
            viewer: viewer.clone(),
            error,
        })?;
        prepare(&stream);
        let config = Arc::new(self.connection_config(security));
        Ok(self.start_session(stream, peer, config))
    }

    /// Calls `viewer` until the server stops: again whenever its session has ended, and later each time it is not reached.
    pub async fn keep_calling(self: Arc<Self>, viewer: Viewer, security: Vec<SecurityType>) {
        let calling = async {
            let mut pause = PAUSES.0;
            loop {
                match self.dial(&viewer, security.clone()).await {
                    Ok(session) => {
                        tracing::info!(%viewer, "called");
                        pause = PAUSES.0;
                        // A fault in it has been told.
                        let _ = session.await;
                    }
                    Err(error) => {
                        // The first of many.
                        if pause == PAUSES.0 {
                            tracing::warn!("{error} It is called again and again.");
                        }
                        pause = (pause * 2).min(PAUSES.1);
                    }
                }
                sleep(pause).await;
            }
        };
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = calling => {}
        }
    }
}

/// To the first of its addresses at which somebody answers.
async fn connect(viewer: &Viewer) -> io::Result<TcpStream> {
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for address in lookup_host((viewer.host.as_str(), viewer.port)).await? {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}
