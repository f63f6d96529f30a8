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
use tokio::sync::Semaphore;

use crate::{
    access::Means,
    config,
    control::Operations,
    identity::Tls,
    net::{InputSink, Listener, Server},
    typing::Typist,
};
use keyring::Keyring;

const PICTURES: usize = 2;

/// Gives what Prometheus reads. May block.
pub type Exposition = Arc<dyn Fn() -> String + Send + Sync>;

/// What is served over HTTP.
pub struct Web<I> {
    server: Arc<Server<I>>,
    operations: Arc<dyn Operations>,
    typist: Typist,
    metrics: Exposition,
    settings: config::Web,
    tls: Option<Tls>,
    /// VNC's own password may travel in clear.
    allows_vnc_auth: bool,
    keyring: Keyring,
    /// Pictures that are made at a time: one of a large screen takes tens of megabytes for a moment.
    pictures: Semaphore,
}

/// What the page and the programs reach.
pub struct Parts<I> {
    pub server: Arc<Server<I>>,
    pub operations: Arc<dyn Operations>,
    pub typist: Typist,
    /// What has been counted, as text.
    pub metrics: Exposition,
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
            metrics: parts.metrics,
            settings,
            tls: parts.tls,
            allows_vnc_auth: types.is_none_or(|types| types.contains(&SecurityType::VncAuth)),
            keyring: Keyring::new(),
            pictures: Semaphore::new(PICTURES),
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
        let means = self.server.access().means();
        offer(means, is_private, self.allows_vnc_auth)
    }
}

fn offer(means: Means, is_private: bool, allows_vnc_auth: bool) -> Vec<SecurityType> {
    let is_guarded = means.password || means.response;
    let may_answer = means.response && (is_private || allows_vnc_auth);
    // VNC authentication knows no names, and old noVNC would prefer it.
    if means.users && is_private {
        vec![SecurityType::Plain]
    } else if may_answer {
        vec![SecurityType::VncAuth]
    } else if !is_guarded {
        vec![SecurityType::None]
    } else {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_its_password_never_travel_in_clear() {
        let nothing = Means::default();
        let password = Means {
            response: true,
            password: true,
            ..nothing
        };
        let users = Means {
            password: true,
            users: true,
            ..nothing
        };
        let both = Means {
            users: true,
            ..password
        };
        let types = |means, is_private, allows| offer(means, is_private, allows);
        for allows in [true, false] {
            assert_eq!(types(nothing, true, allows), [SecurityType::None]);
            assert_eq!(types(password, true, allows), [SecurityType::VncAuth]);
            assert_eq!(types(users, true, allows), [SecurityType::Plain]);
            assert_eq!(types(both, true, allows), [SecurityType::Plain]);
            assert_eq!(types(users, false, allows), []);
        }
        assert_eq!(types(password, false, true), [SecurityType::VncAuth]);
        assert_eq!(types(both, false, true), [SecurityType::VncAuth]);
        assert_eq!(types(password, false, false), []);
        assert_eq!(types(both, false, false), []);
    }
}
