//! `POST /type`: a text becomes keys of the target, as `rfbridge type` does it.

use std::sync::Arc;

use http_body_util::{BodyExt as _, Limited};
use hyper::{Request, StatusCode, body::Incoming};

use super::{
    Web,
    answer::{self, Answer},
    connection::Channel,
    picture::query,
};
use crate::{
    access::{Admitted, Role},
    control::Reply,
    net::InputSink,
    typing::{End, LIMIT, Manner, Refusal},
};

/// Types the request's body, UTF-8 as it is. Who goes away before the answer ends it. `?skip=true` leaves out what the
/// layout cannot type.
///
/// 200 when all of it was typed, 409 while somebody else has control or types, 422 if the layout lacks characters of it,
/// 413 if it is too long, 502 if the target did not take it.
pub(super) async fn type_text<I: InputSink>(
    web: &Arc<Web<I>>,
    request: Request<Incoming>,
    by: &Admitted,
    channel: Channel,
) -> Result<Answer, answer::Refusal> {
    let refusal = |status, why: String| answer::json(status, &Reply::error(why));
    if let Some(holder) = web.server.roster().holder()
        && by.role < Role::Admin
        && (by.user.is_none() || holder.user != by.user)
    {
        return Err(refusal(StatusCode::CONFLICT, format!("{holder} has control")).into());
    }
    let skip = query(&request, "skip").is_some_and(|value| value == "true");
    let body = Limited::new(request.into_body(), LIMIT).collect().await;
    let body = body.map_err(|_| {
        let why = format!("a text has at most {LIMIT} bytes; type it in parts");
        refusal(StatusCode::PAYLOAD_TOO_LARGE, why)
    })?;
    let text = String::from_utf8(body.to_bytes().into()).map_err(|_| {
        let why = "the text is not UTF-8".to_owned();
        refusal(StatusCode::BAD_REQUEST, why)
    })?;
    let manner = Manner { delay: None, skip };
    let mut job = web.typist.start(&text, manner).map_err(|refused| {
        let reply = Reply::error(refused.to_string());
        match &refused {
            Refusal::Busy => answer::json(StatusCode::CONFLICT, &reply),
            Refusal::TooLong(_) => answer::json(StatusCode::PAYLOAD_TOO_LARGE, &reply),
            Refusal::Untypable(list) => {
                let reply = reply.with_findings(list);
                answer::json(StatusCode::UNPROCESSABLE_ENTITY, &reply)
            }
        }
    })?;
    let user = by.user.as_deref();
    tracing::info!(peer = %channel.peer, user, bytes = text.len(), "typing a text from the web");
    loop {
        let progress = job.progress().borrow_and_update().clone();
        if let Some(end) = &progress.end {
            let reply = Reply {
                typed: Some(progress.typed),
                of: Some(progress.of),
                ..Reply::default()
            };
            return Ok(match end {
                End::Done => {
                    let done = Some(true);
                    answer::json(StatusCode::OK, &Reply { done, ..reply })
                }
                end => {
                    let status = match end {
                        End::Cancelled => StatusCode::CONFLICT,
                        _ => StatusCode::BAD_GATEWAY,
                    };
                    let error = Some(progress.to_string());
                    answer::json(status, &Reply { error, ..reply })
                }
            });
        }
        if job.progress().changed().await.is_err() {
            let why = "rfbridge is stopping".to_owned();
            return Err(refusal(StatusCode::BAD_GATEWAY, why).into());
        }
    }
}
