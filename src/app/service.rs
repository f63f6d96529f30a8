//! What a service manager is told, and what it hands over (sd_notify(3), sd_listen_fds(3)).

use std::{
    net::SocketAddr,
    os::fd::{FromRawFd as _, OwnedFd},
    sync::Arc,
    time::Duration,
};

use sd_notify::NotifyState;
use tokio::time::{MissedTickBehavior, interval};

use crate::{
    control::{self, Operations, PictureState, Status},
    net::{ListenError, Listener},
};

/// How often the status line is looked at.
const LOOK: Duration = Duration::from_secs(5);

/// Sockets that the service manager has bound.
pub(super) struct HandedOver(Vec<Listener>);

impl HandedOver {
    /// To be called once, before anything else opens files. Must be called inside a tokio runtime.
    pub(super) fn take() -> Self {
        let sockets = match sd_notify::listen_fds() {
            Ok(sockets) => sockets,
            Err(error) => {
                tracing::warn!(%error, "the sockets of the service manager cannot be used");
                return Self(Vec::new());
            }
        };
        let adopt = |number| {
            // SAFETY: the service manager has opened it for this process, and it is taken once.
            let socket = unsafe { OwnedFd::from_raw_fd(number) };
            Listener::adopt(socket)
                .inspect_err(|error| {
                    tracing::warn!(number, %error, "a socket of the service manager cannot be used: it is no TCP listener");
                })
                .ok()
        };
        Self(sockets.filter_map(adopt).collect())
    }

    /// A listener at this address, which was chosen with `flag`: one that was handed over, or a new one.
    pub(super) fn listener(
        &mut self,
        address: SocketAddr,
        flag: &'static str,
    ) -> Result<Listener, ListenError> {
        let mut handed = self.0.iter();
        match handed.position(|listener| listener.address() == address) {
            Some(index) => Ok(self.0.swap_remove(index)),
            None => Listener::bind(address, flag),
        }
    }

    /// Says what nobody asked for.
    pub(super) fn finish(self) {
        for listener in self.0 {
            tracing::warn!(
                address = %listener.address(),
                "a socket of the service manager is not used: no `listen` names its address"
            );
        }
    }
}

/// Clients are welcome.
pub(super) fn ready() {
    tell(&[NotifyState::Ready]);
}

pub(super) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Tells what goes on, and that it does: a service that does not is started again.
pub(super) async fn follow(operations: Arc<dyn Operations>) {
    let watched = sd_notify::watchdog_enabled();
    let mut look = interval(watched.map_or(LOOK, |limit| (limit / 2).min(LOOK)));
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut told = String::new();
    loop {
        look.tick().await;
        let line = status_line(&control::status(&operations).await);
        let alive = watched.map(|_| NotifyState::Watchdog);
        let news = (line != told).then_some(NotifyState::Status(&line));
        let states: Vec<_> = [alive, news].into_iter().flatten().collect();
        tell(&states);
        told = line;
    }
}

fn status_line(status: &Status) -> String {
    let picture = &status.picture;
    let picture = match (picture.state, picture.width, picture.height) {
        (PictureState::Live, Some(width), Some(height)) => format!("{width}x{height}"),
        (PictureState::Live, ..) => "a picture".to_owned(),
        (PictureState::Starting, ..) => "no picture yet".to_owned(),
        (PictureState::NoSignal, ..) => "no signal".to_owned(),
        (PictureState::Lost, ..) => "no capture device".to_owned(),
    };
    let usb = match &status.usb {
        Some(state) => format!(", USB {state}"),
        None => String::new(),
    };
    format!("{picture}{usb}, {} clients", status.clients)
}

fn tell(states: &[NotifyState<'_>]) {
    if !states.is_empty()
        && let Err(error) = sd_notify::notify(states)
    {
        tracing::debug!(%error, "the service manager is not told");
    }
}
