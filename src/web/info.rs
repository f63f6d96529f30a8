//! What the page has to know before a login, and how the server fares.

use std::sync::Arc;

use hyper::StatusCode;
use rfb::security::SecurityType;
use serde::Serialize;

use super::{
    Web,
    answer::{self, Answer},
    connection::Channel,
    novnc,
};
use crate::{
    control::{Picture, PictureState},
    net::InputSink,
};

/// `page.json`.
#[derive(Serialize)]
struct Page {
    /// What is asked for: a user's name and a password, or a password alone.
    name: bool,
    password: bool,
    /// Why nobody can log in over this connection.
    refused: Option<&'static str>,
    /// The server can be asked for more than the picture over this connection.
    tools: bool,
    /// Where noVNC was looked for, if it is not there.
    missing: Vec<String>,
}

pub(super) async fn page<I: InputSink>(web: &Arc<Web<I>>, channel: Channel) -> Answer {
    let offer = web.offer(channel.is_private());
    let missing = match novnc::find(web.settings.novnc.as_deref()).await {
        Some(_) => Vec::new(),
        None => novnc::places(web.settings.novnc.as_deref()),
    };
    let refused = offer.is_empty().then_some(
        "Users log in over HTTPS only, because a password could be read here. Make a certificate (sudo rfbridge cert), name \
         it in [security] and come back with https://.",
    );
    let page = Page {
        name: offer.contains(&SecurityType::Plain),
        password: !offer.contains(&SecurityType::None),
        refused,
        tools: channel.is_private() || !web.server.access().is_guarded(),
        missing,
    };
    answer::json(StatusCode::OK, &page)
}

/// `healthz`.
#[derive(Serialize)]
struct Health {
    ready: bool,
    picture: Picture,
}

/// Whether there is a picture. 200 if so, 503 if not.
pub(super) fn health<I: InputSink>(web: &Arc<Web<I>>) -> Answer {
    let picture = web.operations.status().picture;
    let ready = picture.state == PictureState::Live;
    let status = match ready {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    answer::json(status, &Health { ready, picture })
}
