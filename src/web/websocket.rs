//! RFB over WebSocket (RFC 6455): binary messages in each direction, whose bounds mean nothing.

use std::{
    io::{self, IoSlice},
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::{Buf as _, Bytes};
use futures_util::{Sink as _, Stream as _};
use hyper::{
    Request, StatusCode,
    body::Incoming,
    header::{HeaderMap, HeaderValue, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE},
};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error, Message,
        error::CapacityError,
        handshake::server::create_response,
        protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
    },
};

use super::{
    Web,
    answer::{self, Answer},
    connection::Channel,
};
use crate::net::{InputSink, Stream};

/// The subprotocol that noVNC and websockify know; there is no other.
const BINARY: &str = "binary";
/// Longest message that is taken: a clipboard's text fits.
const LONGEST: usize = 1024 * 1024 + 4096;
/// What goes into one message: more would only make the kernel wait for the whole.
const MOST: usize = 64 * 1024;

/// Whether a request asks for a WebSocket.
pub(super) fn is_wanted(headers: &HeaderMap) -> bool {
    let websocket = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"websocket");
    headers.get(UPGRADE).is_some_and(websocket)
}

/// Answers the opening handshake; the session begins when the answer is on its way.
pub(super) fn open<I: InputSink>(
    web: &Arc<Web<I>>,
    mut request: Request<Incoming>,
    channel: Channel,
) -> Answer {
    if let Err(refusal) = web.check_origin(request.headers()) {
        return refusal.into();
    }
    let security = web.offer(channel.is_private());
    if security.is_empty() {
        let why =
            "Users log in over HTTPS only; make a certificate (`rfbridge cert`) and use HTTPS.";
        return answer::refusal(StatusCode::FORBIDDEN, why);
    }
    let accepted = match create_response(&head_of(&request)) {
        Ok(accepted) => accepted,
        Err(error) => {
            let mut answer = answer::refusal(StatusCode::BAD_REQUEST, error.to_string());
            let version = HeaderValue::from_static("13");
            answer.headers_mut().insert(SEC_WEBSOCKET_VERSION, version);
            return answer;
        }
    };
    let (parts, ()) = accepted.into_parts();
    let mut answer = Answer::from_parts(parts, Default::default());
    if offers_binary(request.headers()) {
        let binary = HeaderValue::from_static(BINARY);
        answer.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, binary);
    }
    let (web, upgrade) = (Arc::clone(web), hyper::upgrade::on(&mut request));
    let server = Arc::clone(&web.server);
    server.spawn(async move {
        match upgrade.await {
            Ok(upgraded) => begin(&web, TokioIo::new(upgraded), channel.peer, security).await,
            Err(error) => tracing::debug!(peer = %channel.peer, %error, "no WebSocket came of it"),
        }
    });
    answer
}

async fn begin<I: InputSink>(
    web: &Arc<Web<I>>,
    stream: impl Stream,
    peer: SocketAddr,
    security: Vec<rfb::security::SecurityType>,
) {
    let config = WebSocketConfig::default()
        .max_message_size(Some(LONGEST))
        .max_frame_size(Some(LONGEST))
        // What is written lies nowhere but in the kernel.
        .write_buffer_size(0);
    let socket = WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await;
    web.server.serve(Messages::new(socket), peer, security);
}

fn head_of(request: &Request<Incoming>) -> Request<()> {
    let mut head = Request::new(());
    *head.method_mut() = request.method().clone();
    *head.version_mut() = request.version();
    *head.headers_mut() = request.headers().clone();
    head
}

/// Whether `binary` is among the subprotocols that the client can speak.
fn offers_binary(headers: &HeaderMap) -> bool {
    let offers = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter();
    let mut names = offers
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    names.any(|name| name.trim() == BINARY)
}

/// The bytes of binary messages as a stream.
struct Messages<S> {
    socket: WebSocketStream<S>,
    /// Of the last message, not read yet.
    rest: Bytes,
    /// Nothing more comes.
    is_over: bool,
    /// The close frame is on its way.
    is_closing: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Messages<S> {
    fn new(socket: WebSocketStream<S>) -> Self {
        Self {
            socket,
            rest: Bytes::new(),
            is_over: false,
            is_closing: false,
        }
    }

    /// Tells the peer why nothing more is taken from it, if it still listens (RFC 6455 §7.4.1).
    fn fail(&mut self, context: &mut Context<'_>, code: CloseCode, error: io::Error) -> io::Error {
        self.close(code, error.to_string());
        let _ = Pin::new(&mut self.socket).poll_flush(context);
        self.is_over = true;
        error
    }

    /// Puts the close frame behind what was sent.
    fn close(&mut self, code: CloseCode, reason: String) {
        if !std::mem::replace(&mut self.is_closing, true) {
            let reason = reason.into();
            let frame = Message::Close(Some(CloseFrame { code, reason }));
            // Where that is not possible any more, nobody listens.
            let _ = Pin::new(&mut self.socket).start_send(frame);
        }
    }

    /// Sends these as one message.
    fn poll_send(
        &mut self,
        context: &mut Context<'_>,
        message: impl FnOnce() -> Vec<u8>,
    ) -> Poll<io::Result<usize>> {
        // One message at a time: what waits here can no longer be replaced by something newer.
        ready!(Pin::new(&mut self.socket).poll_flush(context)).map_err(broken)?;
        ready!(Pin::new(&mut self.socket).poll_ready(context)).map_err(broken)?;
        let bytes = message();
        let length = bytes.len();
        Pin::new(&mut self.socket)
            .start_send(Message::Binary(bytes.into()))
            .map_err(broken)?;
        match Pin::new(&mut self.socket).poll_flush(context) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(broken(error))),
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Ready(Ok(length)),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Messages<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            if !this.rest.is_empty() {
                let part = this.rest.len().min(to.remaining());
                to.put_slice(this.rest.get(..part).unwrap_or_default());
                this.rest.advance(part);
                return Poll::Ready(Ok(()));
            }
            if this.is_over {
                return Poll::Ready(Ok(()));
            }
            match ready!(Pin::new(&mut this.socket).poll_next(context)) {
                Some(Ok(Message::Binary(bytes))) => this.rest = bytes,
                Some(Ok(Message::Text(_))) => {
                    let error = io::Error::new(
                        io::ErrorKind::InvalidData,
                        "RFB comes in binary messages, and this one is text",
                    );
                    let error = this.fail(context, CloseCode::Unsupported, error);
                    return Poll::Ready(Err(error));
                }
                // Pings are answered with what is written or read next.
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Close(_))) => {
                    // The answer to it.
                    let _ = Pin::new(&mut this.socket).poll_flush(context);
                    (this.is_over, this.is_closing) = (true, true);
                }
                None => this.is_over = true,
                Some(Err(Error::ConnectionClosed | Error::AlreadyClosed)) => this.is_over = true,
                Some(Err(Error::Io(error))) => return Poll::Ready(Err(error)),
                Some(Err(error)) => {
                    let code = match &error {
                        Error::Capacity(CapacityError::MessageTooLong { .. }) => CloseCode::Size,
                        _ => CloseCode::Protocol,
                    };
                    let error = this.fail(context, code, broken(error));
                    return Poll::Ready(Err(error));
                }
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Messages<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(context, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_send(context, || {
            let all: usize = slices.iter().map(|slice| slice.len()).sum();
            let mut message = Vec::with_capacity(all.min(MOST));
            for slice in slices {
                let part = slice.len().min(MOST - message.len());
                message.extend_from_slice(slice.get(..part).unwrap_or_default());
            }
            message
        })
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket)
            .poll_flush(context)
            .map_err(broken)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.close(CloseCode::Normal, String::new());
        let closed = ready!(Pin::new(&mut self.socket).poll_flush(context));
        Poll::Ready(match closed {
            Err(Error::ConnectionClosed | Error::AlreadyClosed) => Ok(()),
            other => other.map_err(broken),
        })
    }
}

fn broken(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        Error::ConnectionClosed | Error::AlreadyClosed => io::ErrorKind::BrokenPipe.into(),
        other => io::Error::new(io::ErrorKind::InvalidData, other),
    }
}
