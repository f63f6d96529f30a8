//! What happens to clients, for whoever wants to know.

use std::{net::SocketAddr, sync::Arc};

use super::Identity;
use crate::hid::ClientId;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// Before anything is known of it.
    Connected {
        client: ClientId,
        peer: SocketAddr,
    },
    LoggedIn(Identity),
    LoginFailed {
        client: ClientId,
        peer: SocketAddr,
        why: String,
    },
    /// Another has control, where only one may, or nobody.
    Control {
        holder: Option<Identity>,
    },
    Disconnected {
        client: ClientId,
        peer: SocketAddr,
        why: String,
    },
}

/// Takes the news; must neither block nor ask the server anything.
pub type Tell = Arc<dyn Fn(News) + Send + Sync>;
