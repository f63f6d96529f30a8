//! What the page has to know before a login, and how the server fares.

use std::sync::Arc;

use hyper::StatusCode;
use rfb::security::SecurityType;
use serde::Serialize;
use tokio::task::spawn_blocking;

use super::{
    Web,
    answer::{self, Answer, Refusal},
    connection::Channel,
    novnc,
};
use crate::{
    control::{Picture, PictureState, Status},
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
    /// `configured` if the target uses the keyboard; `null` where none is needed.
    usb: Option<String>,
}

/// Whether there is a picture, and somebody who takes keys. 200 if so, 503 if not.
pub(super) fn health<I: InputSink>(web: &Arc<Web<I>>) -> Answer {
    let Status { picture, usb, .. } = web.operations.status();
    let ready = picture.state == PictureState::Live
        && usb.as_deref().is_none_or(|state| state == "configured");
    let status = match ready {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    answer::json(
        status,
        &Health {
            ready,
            picture,
            usb,
        },
    )
}

/// Everything that is counted (OpenMetrics text).
pub(super) async fn metrics<I: InputSink>(web: &Arc<Web<I>>) -> Result<Answer, Refusal> {
    let exposition = Arc::clone(&web.metrics);
    let text = spawn_blocking(move || exposition())
        .await
        .map_err(|fault| {
            let why = format!("rfbridge has a fault: {fault}");
            answer::refusal(StatusCode::INTERNAL_SERVER_ERROR, why)
        })?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(answer::content(kind, text))
}
