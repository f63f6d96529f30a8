//! The browser's way in: a page around noVNC, RFB over WebSocket, and what programs fetch.
//!
//! One port speaks HTTP and HTTPS: the first byte of a connection tells which. Where there is a certificate, other machines are
//! sent on to HTTPS. A WebSocket becomes a stream under a session like any other ([`crate::net::Stream`]), with the same
//! limits, logins and audit log; what is fetched asks for the same users and passwords (RFC 7617).

mod answer;
mod connection;
mod guard;
mod info;
mod keyring;
mod novnc;
mod picture;
mod routes;
mod typing;
mod websocket;

use std::sync::Arc;

use rfb::security::SecurityType;

use crate::{
    access::Means,
    config,
    control::Operations,
    identity::Tls,
    net::{InputSink, Listener, Server},
    typing::Typist,
};
use keyring::Keyring;

/// What is served over HTTP.
pub struct Web<I> {
    server: Arc<Server<I>>,
    operations: Arc<dyn Operations>,
    typist: Typist,
    settings: config::Web,
    tls: Option<Tls>,
    /// VNC's own password may travel in clear.
    allows_vnc_auth: bool,
    keyring: Keyring,
}

/// What the page and the programs reach.
pub struct Parts<I> {
    pub server: Arc<Server<I>>,
    pub operations: Arc<dyn Operations>,
    pub typist: Typist,
    /// What HTTPS is spoken with.
    pub tls: Option<Tls>,
}

impl<I: InputSink> Web<I> {
    /// `types`: the security types that were chosen for streams in clear, if any were.
    pub fn new(
        parts: Parts<I>,
        settings: config::Web,
        types: Option<&[SecurityType]>,
    ) -> Arc<Self> {
        Arc::new(Self {
            server: parts.server,
            operations: parts.operations,
            typist: parts.typist,
            settings,
            tls: parts.tls,
            allows_vnc_auth: types.is_none_or(|types| types.contains(&SecurityType::VncAuth)),
            keyring: Keyring::new(),
        })
    }

    /// Serves what comes to `listeners` until the server stops. Must be called inside a tokio runtime.
    pub fn start(self: &Arc<Self>, listeners: Vec<Listener>) {
        for listener in listeners {
            let web = Arc::clone(self);
            let stop = self.server.stop().clone();
            let take = move |stream, peer| {
                let serving = connection::serve(Arc::clone(&web), stream, peer);
                web.server.spawn(serving);
            };
            self.server.spawn(listener.accept(stop, take));
        }
    }

    /// The security types for a WebSocket; `is_private`: nobody can listen in.
    fn offer(&self, is_private: bool) -> Vec<SecurityType> {
        let Means {
            response,
            password,
            users,
            ..
        } = self.server.access().means();
        let may_answer = response && (is_private || self.allows_vnc_auth);
        match (users && is_private, may_answer) {
            // VNC authentication knows no names, and old noVNC prefers it.
            (true, _) => vec![SecurityType::Plain],
            (false, true) => vec![SecurityType::VncAuth],
            (false, false) if !password && !response => vec![SecurityType::None],
            (false, false) => Vec::new(),
        }
    }
}
