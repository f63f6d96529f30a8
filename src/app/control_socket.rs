//! Opens the control socket and says what the server is doing.

use std::sync::Arc;

use tokio::sync::watch;

use crate::{
    config::{Config, ControlSocket},
    control::{self, Context, OpenError, Reply, Socket, Status, usual_places},
    hid::{Leds, PointerMode},
    net::{InputSink, Server},
    typing::Typist,
};

/// Binds the socket that was asked for, or the first of the usual ones that can be had; a server works without one, too.
pub(super) fn open(config: &Config) -> Result<Option<Socket>, OpenError> {
    let socket = match &config.control.socket {
        Some(ControlSocket::None) => None,
        Some(ControlSocket::Path(path)) => Some(Socket::open(path.clone())?),
        None => open_usual(),
    };
    if let Some(socket) = &socket {
        tracing::info!(path = %socket.path().display(), "control socket");
    }
    Ok(socket)
}

fn open_usual() -> Option<Socket> {
    for place in usual_places() {
        match Socket::open(place) {
            Ok(socket) => return Some(socket),
            Err(error @ OpenError::InUse(_)) => {
                tracing::warn!("no control socket: {error}");
                return None;
            }
            Err(error) => tracing::debug!(%error, "not the control socket's place"),
        }
    }
    tracing::info!(
        "no control socket: none of the usual places can be had; choose one with --control-socket PATH for `rfbridge type`"
    );
    None
}

/// What the commands of the socket work on.
pub(super) fn context<I: InputSink>(
    server: &Arc<Server<I>>,
    typist: Typist,
    leds: watch::Receiver<Option<Leds>>,
    pointer_mode: watch::Receiver<PointerMode>,
    view_only: bool,
) -> Context {
    let server = Arc::clone(server);
    let typing = typist.status();
    let status = move || {
        let running = typing.borrow().clone().filter(|text| text.end.is_none());
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            clients: server.clients(),
            view_only,
            pointer: match *pointer_mode.borrow() {
                PointerMode::Absolute => control::Pointer::Absolute,
                PointerMode::Relative => control::Pointer::Relative,
            },
            leds: leds.borrow().map(|leds| control::Leds {
                num: leds.num,
                caps: leds.caps,
                scroll: leds.scroll,
            }),
            typing: running.map(|text| Reply {
                typed: Some(text.typed),
                of: Some(text.of),
                ..Reply::default()
            }),
        }
    };
    Context {
        typist,
        status: Box::new(status),
    }
}
