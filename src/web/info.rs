//! What the page has to know before a login, and how the server fares.

use std::sync::Arc;

use hyper::{Request, StatusCode, body::Incoming};
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
    access::Role,
    config::PowerAction,
    control::{self, Picture, PictureState, PowerStatus, Status},
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
    let missing = match novnc::find(web.settings.novnc_places()).await {
        Some(_) => Vec::new(),
        None => {
            let places = web.settings.novnc_places().into_iter();
            places.map(|place| place.display().to_string()).collect()
        }
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
pub(super) async fn health<I: InputSink>(web: &Arc<Web<I>>) -> Answer {
    let Status { picture, usb, .. } = control::status(&web.operations).await;
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

/// `POST /power/ACTION`, answered when it is done: 200, 404 for what cannot be done, 502 if it failed.
pub(super) async fn power<I: InputSink>(
    web: &Arc<Web<I>>,
    request: &Request<Incoming>,
    action: &str,
    channel: Channel,
) -> Result<Answer, Refusal> {
    let known = control::status(&web.operations).await.power;
    let action = action.parse().ok();
    let can = |(power, action): &(PowerStatus, PowerAction)| power.actions.contains(action);
    let Some((power, action)) = known.zip(action).filter(can) else {
        return Err(answer::not_found().into());
    };
    let role = power.role.parse().unwrap_or(Role::Admin);
    let admitted = web.admit(request.headers(), channel, role).await?;
    let who = match &admitted.user {
        Some(user) => format!("{user} at {}", channel.peer),
        None => channel.peer.to_string(),
    };
    Ok(match web.operations.power(action, &who).await {
        Ok(()) => answer::text(StatusCode::OK, format!("{action}: done")),
        Err(error) => answer::refusal(StatusCode::BAD_GATEWAY, error),
    })
}
