//! Where the control socket is, for the server and for the commands that look for it.

use std::path::{Path, PathBuf};

use crate::{
    config::{Config, ControlSocket, Settings},
    control::{OpenError, Socket, usual_places},
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
        "no control socket: none of the usual places can be had; choose one with --control-socket PATH for `rfbridge type` and `rfbridge ctl`"
    );
    None
}

/// Where the running server may be: at the socket that was named, here or in its configuration file, else at one of the
/// usual ones.
pub(super) fn places(named: Option<&Path>) -> Result<Vec<PathBuf>, SwitchedOff> {
    if let Some(path) = named {
        return Ok(vec![path.to_owned()]);
    }
    // A file that this user may not read, or that is wrong, is the server's business.
    let configured = Settings::from_file(None).unwrap_or_default().control.socket;
    match configured {
        Some(ControlSocket::Path(path)) => Ok(vec![path]),
        Some(ControlSocket::None) => Err(SwitchedOff),
        None => Ok(usual_places()),
    }
}

#[derive(Debug, thiserror::Error)]
#[error(
    "the server's control socket is switched off in its configuration file; name another with --socket PATH"
)]
pub(super) struct SwitchedOff;
