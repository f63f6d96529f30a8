//! One connection: HTTP or HTTPS, and requests until it ends or becomes a WebSocket.

use std::{convert::Infallible, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use hyper::{
    Request, StatusCode,
    body::Incoming,
    header::{HOST, HeaderMap},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};

use super::{
    Web,
    answer::{self, Answer},
    routes,
};
use crate::net::{InputSink, Stream, TcpStream};

/// Time to say what is wanted, from the first byte on.
const HEAD: Duration = Duration::from_secs(20);
/// Most that the head of a request may take.
const LONGEST_HEAD: usize = 16 * 1024;
const MOST_HEADERS: usize = 64;
/// What TLS begins with: a handshake record (RFC 8446 §5.1).
const TLS_HANDSHAKE: u8 = 22;

/// What a request came over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Channel {
    pub(super) peer: SocketAddr,
    pub(super) is_encrypted: bool,
}

impl Channel {
    /// Nobody can listen in: it is encrypted, or of this machine, where a tunnel or a proxy may end.
    pub(super) fn is_private(self) -> bool {
        self.is_encrypted || self.is_from_here()
    }

    fn is_from_here(self) -> bool {
        self.peer.ip().to_canonical().is_loopback()
    }
}

pub(super) async fn serve<I: InputSink>(web: Arc<Web<I>>, stream: TcpStream, peer: SocketAddr) {
    let place = web.server.visit(peer.ip());
    let stop = web.server.stop().clone();
    tokio::select! {
        () = stop.cancelled() => {}
        () = place.evicted() => {}
        () = speak(&web, stream, peer) => {}
    }
}

async fn speak<I: InputSink>(web: &Arc<Web<I>>, stream: TcpStream, peer: SocketAddr) {
    let mut first = [0];
    let Ok(Ok(1)) = tokio::time::timeout(HEAD, stream.peek(&mut first)).await else {
        return;
    };
    if first != [TLS_HANDSHAKE] {
        let is_encrypted = false;
        return requests(web, stream, Channel { peer, is_encrypted }).await;
    }
    let Some(tls) = &web.tls else {
        tracing::info!(%peer, "HTTPS was asked for, and there is no certificate; `rfbridge cert` makes one");
        return;
    };
    match tokio::time::timeout(HEAD, tls.acceptor().accept(stream)).await {
        Ok(Ok(stream)) => {
            let is_encrypted = true;
            requests(web, stream, Channel { peer, is_encrypted }).await;
        }
        Ok(Err(error)) => tracing::debug!(%peer, %error, "no TLS session"),
        Err(_) => {}
    }
}

/// Answers requests until the peer goes.
async fn requests<I: InputSink>(web: &Arc<Web<I>>, stream: impl Stream, channel: Channel) {
    let service = service_fn(async |request: Request<Incoming>| {
        Ok::<_, Infallible>(answer(web, request, channel).await)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(LONGEST_HEAD)
        .max_headers(MOST_HEADERS)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    if let Err(error) = pin!(connection).await {
        tracing::debug!(peer = %channel.peer, %error, "a browser's connection ended");
    }
}

async fn answer<I: InputSink>(
    web: &Arc<Web<I>>,
    request: Request<Incoming>,
    channel: Channel,
) -> Answer {
    let must_encrypt = web.tls.is_some() && !channel.is_private();
    if !must_encrypt {
        return routes::answer(web, request, channel).await;
    }
    match host(request.headers()) {
        Some(host) if request.headers().get("upgrade").is_none() => {
            let path = request
                .uri()
                .path_and_query()
                .map_or("/", |path| path.as_str());
            answer::redirect(&format!("https://{host}{path}"))
        }
        _ => answer::refusal(StatusCode::FORBIDDEN, "This server speaks HTTPS only."),
    }
}

/// By which name and port it was called.
pub(super) fn host(headers: &HeaderMap) -> Option<&str> {
    headers.get(HOST)?.to_str().ok()
}
