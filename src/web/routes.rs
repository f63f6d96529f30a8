//! What there is at which path.

use std::sync::Arc;

use hyper::{Method, Request, StatusCode, body::Incoming};

use super::{
    Web,
    answer::{self, Answer, Refusal},
    connection::Channel,
    info, novnc,
    picture::{self, Form},
    typing, websocket,
};
use crate::{access::Role, config::Resource, control, net::InputSink};

const PAGE: &str = include_str!("page/index.html");
const SCRIPTS: [(&str, &str); 4] = [
    ("/app.js", include_str!("page/app.js")),
    ("/connection.js", include_str!("page/connection.js")),
    ("/login.js", include_str!("page/login.js")),
    ("/tools.js", include_str!("page/tools.js")),
];
const STYLE: &str = include_str!("page/style.css");
const ICON: &str = include_str!("page/icon.svg");

pub(super) async fn answer<I: InputSink>(
    web: &Arc<Web<I>>,
    request: Request<Incoming>,
    channel: Channel,
) -> Answer {
    match try_answer(web, request, channel).await {
        Ok(answer) => answer,
        Err(refusal) => refusal.into(),
    }
}

async fn try_answer<I: InputSink>(
    web: &Arc<Web<I>>,
    request: Request<Incoming>,
    channel: Channel,
) -> Result<Answer, Refusal> {
    web.check_host(request.headers())?;
    let path = request.uri().path().to_owned();
    if websocket::is_wanted(request.headers()) {
        return Ok(match path.as_str() {
            "/websockify" | "/" => websocket::open(web, request, channel),
            _ => answer::not_found(),
        });
    }
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if path == "/type" {
        if request.method() != Method::POST {
            return Err(answer::not_allowed("POST").into());
        }
        web.check_origin(request.headers())?;
        let admitted = web.admit(request.headers(), channel, Role::Control).await?;
        return typing::type_text(web, request, &admitted, channel).await;
    }
    if let Some(action) = path.strip_prefix("/power/") {
        if request.method() != Method::POST {
            return Err(answer::not_allowed("POST").into());
        }
        web.check_origin(request.headers())?;
        return info::power(web, &request, action, channel).await;
    }
    if !reads {
        return Err(answer::not_allowed("GET, HEAD").into());
    }
    if let Some(answer) = public(web, &path, channel).await {
        return Ok(answer);
    }
    let (fetched, resource) = match path.as_str() {
        "/snapshot.jpg" => (Fetched::Snapshot(Form::Jpeg), Some(Resource::Snapshot)),
        "/snapshot.png" => (Fetched::Snapshot(Form::Png), Some(Resource::Snapshot)),
        "/settled" => (Fetched::Settled, Some(Resource::Settled)),
        "/healthz" => (Fetched::Health, Some(Resource::Healthz)),
        "/metrics" => (Fetched::Metrics, Some(Resource::Metrics)),
        "/clients" => (Fetched::Clients, None),
        "/status" => (Fetched::Status, None),
        "/websockify" => {
            let why = "This is for WebSockets (RFC 6455), such as noVNC's.";
            return Err(answer::refusal(StatusCode::UPGRADE_REQUIRED, why).into());
        }
        _ => return Err(answer::not_found().into()),
    };
    let is_open = resource.is_some_and(|resource| web.settings.open.contains(&resource));
    if !is_open {
        web.admit(request.headers(), channel, Role::View).await?;
    }
    match fetched {
        Fetched::Snapshot(form) => picture::snapshot(web, &request, form).await,
        Fetched::Settled => picture::settled(web, &request).await,
        Fetched::Health => Ok(info::health(web).await),
        Fetched::Metrics => info::metrics(web).await,
        Fetched::Clients => Ok(answer::json(StatusCode::OK, &web.operations.clients())),
        Fetched::Status => {
            let status = control::status(&web.operations).await;
            Ok(answer::json(StatusCode::OK, &status))
        }
    }
}

/// What programs fetch, for which they log in.
enum Fetched {
    Snapshot(Form),
    Settled,
    Health,
    Metrics,
    Clients,
    Status,
}

/// What everybody is given: the page and what it is made of, which know nothing of the target.
async fn public<I: InputSink>(web: &Arc<Web<I>>, path: &str, channel: Channel) -> Option<Answer> {
    let script = SCRIPTS.iter().find(|(name, _)| *name == path);
    Some(match path {
        "/" | "/index.html" => answer::page(PAGE),
        "/style.css" => answer::content("text/css; charset=utf-8", STYLE),
        "/icon.svg" => answer::content("image/svg+xml", ICON),
        "/page.json" => info::page(web, channel).await,
        _ => match (script, path.strip_prefix("/novnc/")) {
            (Some((_, text)), _) => answer::content("text/javascript; charset=utf-8", *text),
            (None, Some(file)) => novnc::file(web.settings.novnc_places(), file).await,
            (None, None) => return None,
        },
    })
}
