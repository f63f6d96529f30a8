//! The control socket: what other programs on this machine ask of the running server.
//!
//! A Unix socket, JSON objects, one to a line each way. The commands are [`Request`]; a new one is a variant there and an
//! arm in `connection`. Who may connect is said by the socket's mode (0660) and checked again by what the kernel knows of the
//! peer: the user that rfbridge runs as, root, and members of the socket's group.

mod client;
mod connection;
mod lines;
mod peer;
mod place;
mod protocol;

use std::{fmt, io, path::PathBuf, pin::Pin, sync::Arc, time::Duration};

use tokio::{
    net::UnixListener,
    sync::{Semaphore, broadcast},
    task::spawn_blocking,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    config::{PowerAction, Viewer},
    typing::Typist,
};

pub use client::{Client, ConnectError};
pub use place::{OpenError, Place, usual_places};
pub use protocol::{
    ClientStatus, Clients, Event, Finding, Leds, Picture, PictureState, Pointer, PowerStatus,
    Reply, Request, Status,
};

/// Connections at once; more are told to come back.
const CONNECTIONS: usize = 16;

/// What the commands work on.
pub struct Context {
    pub typist: Typist,
    pub operations: Arc<dyn Operations>,
}

/// What takes its time.
pub type Answering = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// What the server does for the commands. Texts of errors say what is wrong.
pub trait Operations: fmt::Debug + Send + Sync {
    /// What it is doing now. Asks devices, so it may block for a moment: see [`status`].
    fn status(&self) -> Status;

    /// What there is to see.
    fn picture(&self) -> Picture;

    fn clients(&self) -> Vec<ClientStatus>;

    /// False if there is no such client.
    fn kick(&self, client: u64, reason: Option<&str>) -> bool;

    fn set_view_only(&self, client: u64, on: bool) -> Result<(), String>;

    fn take(&self, client: u64) -> Result<(), String>;

    /// Does something with the target's power, for `who`.
    fn power(&self, action: PowerAction, who: &str) -> Answering;

    /// Calls a viewer that listens; ends when it has answered, or why it has not.
    fn connect(&self, viewer: Viewer) -> Answering;

    /// Reads again what can be changed without a restart; gives its parts and how each went. May block.
    fn reload(&self) -> Vec<(&'static str, Result<(), String>)>;

    /// What happens from now on.
    fn events(&self) -> broadcast::Receiver<Event>;
}

/// [`Operations::status`], where nothing may block.
pub async fn status(operations: &Arc<dyn Operations>) -> Status {
    let operations = Arc::clone(operations);
    match spawn_blocking(move || operations.status()).await {
        Ok(status) => status,
        Err(fault) => match fault.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime ends, and whoever waits with it.
            Err(_) => std::future::pending().await,
        },
    }
}

/// A socket that is bound and not served yet. Its file is removed when it is dropped.
#[derive(Debug)]
pub struct Socket {
    listener: UnixListener,
    place: Place,
}

impl Socket {
    /// Binds a socket at this path; one that nobody answers at any more is replaced. Must be called inside a tokio
    /// runtime.
    pub fn open(path: PathBuf) -> Result<Self, OpenError> {
        let (listener, place) = Place::take(path)?;
        let error = |error| OpenError::Bind {
            path: place.path().to_owned(),
            error,
        };
        listener.set_nonblocking(true).map_err(error)?;
        let listener = UnixListener::from_std(listener).map_err(error)?;
        Ok(Self { listener, place })
    }

    pub fn path(&self) -> &std::path::Path {
        self.place.path()
    }

    /// Serves until told to stop, and then until what was begun is over.
    pub async fn serve(self, context: Context, stop: CancellationToken) {
        let context = Arc::new(context);
        let room = Arc::new(Semaphore::new(CONNECTIONS));
        let tasks = TaskTracker::new();
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => break,
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => {
                    let may_enter = peer::may_use(&stream, self.place.group());
                    let place = Arc::clone(&room).try_acquire_owned();
                    let context = Arc::clone(&context);
                    let stop = stop.clone();
                    tasks.spawn(async move {
                        match (may_enter, place) {
                            (Err(refusal), _) => {
                                tracing::warn!(%refusal, "control socket");
                                connection::refuse(stream, &refusal.to_string()).await;
                            }
                            (Ok(()), Err(_)) => {
                                let why = "too many connections to the control socket; try again";
                                connection::refuse(stream, why).await;
                            }
                            (Ok(()), Ok(_place)) => {
                                connection::serve(stream, &context, &stop).await;
                            }
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "the control socket accepts no connection");
                    // Out of descriptors, which others will give back.
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
        tasks.close();
        tasks.wait().await;
    }
}

/// Text of an error that the system gave, without its number.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((text, _)) => text.to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests;
