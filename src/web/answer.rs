//! Answers of HTTP (RFC 9110).

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Response, StatusCode,
    header::{
        ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue,
        LOCATION, REFERRER_POLICY, RETRY_AFTER, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
    },
};
use serde::Serialize;

pub(super) type Answer = Response<Full<Bytes>>;

/// An answer that ends what a request was about; small, for there is one in each result.
pub(super) struct Refusal(Box<Answer>);

impl From<Answer> for Refusal {
    fn from(answer: Answer) -> Self {
        Self(Box::new(answer))
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        *refusal.0
    }
}

const SAME_ORIGIN: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Something that is there, and not to be kept: it is about now.
pub(super) fn content(kind: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    for (name, value) in [
        (CONTENT_TYPE, kind),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (SAME_ORIGIN, "same-origin"),
    ] {
        answer
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    answer
}

/// A page, which runs nothing but what this server gives it and is shown in no other's frame.
pub(super) fn page(body: &'static str) -> Answer {
    let policy = "default-src 'self'; img-src 'self' data: blob:; connect-src 'self' ws: wss:; \
                  frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
    with(
        content("text/html; charset=utf-8", body),
        CONTENT_SECURITY_POLICY,
        policy,
    )
}

/// Something that is asked for again each time, and given again only if it changed.
pub(super) fn revalidated(mut answer: Answer) -> Answer {
    let value = HeaderValue::from_static("no-cache");
    answer.headers_mut().insert(CACHE_CONTROL, value);
    answer
}

pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Answer {
    match serde_json::to_vec(body) {
        Ok(body) => with_status(content("application/json", body), status),
        Err(error) => refusal(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

/// A sentence for people.
pub(super) fn text(status: StatusCode, text: impl Into<String>) -> Answer {
    let mut text = text.into();
    text.push('\n');
    with_status(content("text/plain; charset=utf-8", text), status)
}

/// Why something is not done, and how to mend it.
pub(super) fn refusal(status: StatusCode, why: impl Into<String>) -> Answer {
    text(status, why)
}

pub(super) fn not_found() -> Answer {
    refusal(StatusCode::NOT_FOUND, "There is nothing here.")
}

pub(super) fn not_allowed(methods: &'static str) -> Answer {
    let why = format!("This is for {methods}.");
    with(refusal(StatusCode::METHOD_NOT_ALLOWED, why), ALLOW, methods)
}

/// Asks for a name and a password; a program's own `fetch` is not to open the browser's dialogue.
pub(super) fn unauthorized(why: String, asks: bool) -> Answer {
    let answer = refusal(StatusCode::UNAUTHORIZED, why);
    match asks {
        true => with(
            answer,
            WWW_AUTHENTICATE,
            "Basic realm=\"rfbridge\", charset=\"UTF-8\"",
        ),
        false => answer,
    }
}

pub(super) fn too_soon(why: String, seconds: u64) -> Answer {
    let mut answer = refusal(StatusCode::TOO_MANY_REQUESTS, why);
    answer.headers_mut().insert(RETRY_AFTER, seconds.into());
    answer
}

pub(super) fn redirect(to: &str) -> Answer {
    let mut answer = text(StatusCode::PERMANENT_REDIRECT, format!("Go to {to}"));
    match HeaderValue::from_str(to) {
        Ok(to) => {
            answer.headers_mut().insert(LOCATION, to);
            answer
        }
        Err(_) => refusal(StatusCode::BAD_REQUEST, "This is for HTTPS."),
    }
}

fn with(mut answer: Answer, name: HeaderName, value: &'static str) -> Answer {
    answer
        .headers_mut()
        .insert(name, HeaderValue::from_static(value));
    answer
}

fn with_status(mut answer: Answer, status: StatusCode) -> Answer {
    *answer.status_mut() = status;
    answer
}
