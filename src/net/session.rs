//! One client: moves bytes between its stream and [`rfb::server::Connection`].
//!
//! Reading, writing and encoding go on side by side, so a key never waits behind a picture that a
//! slow line takes seconds for.

use std::{io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use rfb::{
    security::Login,
    server::{Connection, Event, LedState},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadHalf, WriteHalf},
    sync::watch,
    task::{JoinError, JoinHandle, spawn_blocking},
    time::{Instant, sleep_until, timeout, timeout_at},
};

use super::{
    InputSink, Server,
    admission::Place,
    expiry::{Expiry, Silence},
    input::Inputs,
    outbox::Outbox,
    requests::Requests,
};
use crate::{
    access::{Admitted, Denied, Role},
    hid::{ClientId, Input, Leds, PointerMode},
};

/// From the first byte to ClientInit (check 69).
const HANDSHAKE: Duration = Duration::from_secs(30);
/// A client that takes not one byte for so long is gone (check 68).
const STALL: Duration = Duration::from_secs(60);
/// Time to take the reason for being turned away.
const FAREWELL: Duration = Duration::from_secs(2);

/// What a session can run over.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Stream for S {}

/// Why a session ended, for the log.
#[derive(Debug, thiserror::Error)]
enum Ending {
    #[error("the client closed the connection")]
    Closed,
    #[error("the connection broke: {0}")]
    Broken(#[from] io::Error),
    #[error(transparent)]
    Peer(#[from] rfb::Error),
    #[error("no complete handshake within {} s", HANDSHAKE.as_secs())]
    SlowHandshake,
    #[error("the client took no data for {} s", STALL.as_secs())]
    Stalled,
    #[error("made room for another connection")]
    Evicted,
    #[error(transparent)]
    Full(#[from] super::admission::Full),
    #[error("authentication failed: {0}")]
    Denied(Denied),
    /// In the work that sessions have done elsewhere.
    #[error("rfbridge has a fault: {0}")]
    Fault(#[from] JoinError),
    #[error("no randomness for the challenge: {0}")]
    Random(#[from] getrandom::Error),
    #[error("rfbridge is stopping")]
    Stopping,
}

/// Serves one client from its greeting to its end.
pub(super) async fn serve<I: InputSink>(
    server: Arc<Server<I>>,
    client: ClientId,
    stream: impl Stream,
    peer: SocketAddr,
) {
    let client_number = client.0;
    tracing::info!(client = client_number, %peer, "connected");
    let mut place = server.admission.enter(peer.ip());
    let ending = match welcome(&server, peer) {
        Ok((connection, turn)) => {
            let mut session = Session::new(&server, client, stream, peer, connection);
            let ending = session.run(&mut place, turn).await;
            session.part(&ending).await;
            ending
        }
        Err(ending) => ending,
    };
    match &ending {
        Ending::Fault(_) | Ending::Random(_) => {
            tracing::error!(client = client_number, %peer, reason = %ending, "disconnected");
        }
        _ => tracing::info!(client = client_number, %peer, reason = %ending, "disconnected"),
    }
}

/// A connection for `peer`, and when it may be heard.
fn welcome<I: InputSink>(
    server: &Server<I>,
    peer: SocketAddr,
) -> Result<(Connection, Instant), Ending> {
    let frame = server.edges.frames.borrow().clone();
    let now = Instant::now();
    if let Err(full) = server.admission.check() {
        return Ok((Connection::refusing(full.to_string(), frame), now));
    }
    match server.throttle.turn(peer.ip(), now) {
        Ok(turn) => {
            let mut challenge = [0; 16];
            getrandom::fill(&mut challenge)?;
            let config = Arc::clone(&server.config);
            Ok((Connection::new(config, challenge, frame), turn))
        }
        Err(soon) => {
            let reason = format!(
                "Too many wrong passwords from this address; try again in {} s.",
                soon.wait.as_secs() + 1
            );
            Ok((Connection::refusing(reason, frame), now))
        }
    }
}

struct Session<'a, S, I: InputSink> {
    server: &'a Server<I>,
    client: ClientId,
    peer: SocketAddr,
    connection: Connection,
    reader: ReadHalf<S>,
    writer: WriteHalf<S>,
    outbox: Outbox,
    inputs: Inputs<'a, I>,
    requests: Requests<'a>,
    frames: watch::Receiver<rfb::frame::Frame>,
    leds: watch::Receiver<Option<Leds>>,
    pointer_mode: watch::Receiver<PointerMode>,
    expiry: Expiry,
    deciding: Option<JoinHandle<Result<Admitted, Denied>>>,
    encoding_logged: bool,
}

impl<'a, S: Stream, I: InputSink> Session<'a, S, I> {
    fn new(
        server: &'a Server<I>,
        client: ClientId,
        stream: S,
        peer: SocketAddr,
        connection: Connection,
    ) -> Self {
        let (reader, writer) = tokio::io::split(stream);
        let edges = &server.edges;
        let mut session = Self {
            server,
            client,
            peer,
            connection,
            reader,
            writer,
            outbox: Outbox::default(),
            inputs: Inputs::new(&edges.input, client),
            requests: Requests::new(client, &edges.typist, edges.leader, &server.config.name),
            frames: edges.frames.clone(),
            leds: edges.leds.clone(),
            pointer_mode: edges.pointer_mode.clone(),
            expiry: Expiry::new(edges.key_expiry, Instant::now()),
            deciding: None,
            encoding_logged: false,
        };
        session.frames.mark_changed();
        session.leds.mark_changed();
        // Before the client can be told another one.
        let mode = *session.pointer_mode.borrow_and_update();
        session.connection.set_pointer_mode(pointer_mode(mode));
        session
    }

    /// Runs until there is a reason to end. The client is not heard before `turn`.
    async fn run(&mut self, place: &mut Place, turn: Instant) -> Ending {
        let handshake_ends = Instant::now() + HANDSHAKE;
        let mut last_progress = Instant::now();
        let mut heard = turn <= last_progress;
        let (mut leds_known, mut mode_known) = (true, true);
        let mut received = vec![0; 16 * 1024];
        let mut encoding = pin!(None);
        loop {
            self.connection.set_now(self.server.now());
            let shaking_hands = !self.connection.is_running();
            if !shaking_hands && let Some(name) = self.requests.new_name() {
                self.connection.set_name(&name);
            }
            self.outbox.push_control(self.connection.take_output());
            if encoding.is_none() && self.outbox.is_empty() {
                if let Some(job) = self.connection.plan_update() {
                    encoding.set(Some(self.server.encoders.encode(job)));
                }
                let announced = self.connection.take_output();
                if !announced.is_empty() {
                    last_progress = Instant::now();
                    self.outbox.push_control(announced);
                }
            }

            let may_read = heard && !self.outbox.is_full() && !self.inputs.is_full();
            if !may_read {
                // Nobody can be heard.
                self.expiry.heard(Instant::now());
            }
            let expires_at = self.expiry.due_at();
            let wakes_at = self.connection.wakes_at().map(|at| self.server.instant(at));
            tokio::select! {
                () = self.server.stop.cancelled() => return Ending::Stopping,
                () = place.evicted() => return Ending::Evicted,
                () = sleep_until(turn), if !heard => heard = true,
                () = sleep_until(handshake_ends), if shaking_hands => {
                    return Ending::SlowHandshake;
                }
                () = sleep_until(last_progress + STALL), if !self.outbox.is_empty() => {
                    return Ending::Stalled;
                }
                Ok(()) = self.frames.changed() => {
                    let frame = self.frames.borrow_and_update().clone();
                    self.connection.show(frame);
                }
                changed = self.leds.changed(), if leds_known => {
                    leds_known = changed.is_ok();
                    let leds = *self.leds.borrow_and_update();
                    self.connection.set_leds(leds.map(led_state));
                }
                () = self.requests.wake(), if !shaking_hands => {}
                changed = self.pointer_mode.changed(), if mode_known => {
                    mode_known = changed.is_ok();
                    let mode = *self.pointer_mode.borrow_and_update();
                    self.connection.set_pointer_mode(pointer_mode(mode));
                    self.requests.pointer_changed(mode);
                }
                () = async { sleep_until(expires_at.unwrap_or(last_progress)).await },
                    if expires_at.is_some() => self.expire(),
                // Something is due by time alone: the loop looks what.
                () = async { sleep_until(wakes_at.unwrap_or(last_progress)).await },
                    if wakes_at.is_some() && self.outbox.is_empty() => {}
                Some(decided) = async { Some(self.deciding.as_mut()?.await) } => {
                    self.deciding = None;
                    let settled = match decided {
                        Ok(verdict) => self.settle(verdict, place),
                        Err(fault) => Err(fault.into()),
                    };
                    if let Err(ending) = settled {
                        return ending;
                    }
                }
                () = self.inputs.send_next(), if !self.inputs.is_empty() => {}
                Some(encoded) = async { Some(encoding.as_mut().as_pin_mut()?.await) } => {
                    encoding.set(None);
                    match encoded {
                        Ok(update) => {
                            self.connection.set_now(self.server.now());
                            last_progress = Instant::now();
                            self.outbox.push_update(self.connection.finish_update(update));
                        }
                        Err(error) => return error.into(),
                    }
                }
                written = self.outbox.write_to(&mut self.writer), if !self.outbox.is_empty() => {
                    match written {
                        Ok(0) => return Ending::Closed,
                        Ok(n) => {
                            last_progress = Instant::now();
                            self.outbox.written(n);
                            if self.outbox.is_empty() {
                                self.connection.set_now(self.server.now());
                                self.connection.update_written();
                            }
                        }
                        Err(error) => return error.into(),
                    }
                }
                read = self.reader.read(&mut received), if may_read => {
                    let bytes = match read {
                        Ok(0) => return Ending::Closed,
                        Ok(n) => received.get(..n).unwrap_or_default(),
                        Err(error) => return error.into(),
                    };
                    let was_empty = self.outbox.is_empty();
                    self.expiry.heard(Instant::now());
                    self.connection.set_now(self.server.now());
                    let result = self.connection.receive(bytes);
                    self.take_events();
                    if let Err(error) = result {
                        return error.into();
                    }
                    if was_empty {
                        last_progress = Instant::now();
                    }
                }
            }
        }
    }

    /// Has it decided whether the client may enter.
    fn decide(&mut self, login: Login) {
        let access = Arc::clone(&self.server.access);
        self.deciding = Some(spawn_blocking(move || access.decide(&login)));
    }

    /// Lets the client in or turns it away.
    fn settle(
        &mut self,
        verdict: Result<Admitted, Denied>,
        place: &mut Place,
    ) -> Result<(), Ending> {
        let admitted = match verdict {
            Ok(admitted) => admitted,
            Err(denied) => {
                self.connection.deny(&denied.to_string());
                return Err(Ending::Denied(denied));
            }
        };
        if let Err(full) = place.promote() {
            self.connection.deny(&full.to_string());
            return Err(full.into());
        }
        if self.server.access.is_guarded() {
            self.server.throttle.succeeded(self.peer.ip());
            tracing::info!(client = self.client.0, peer = %self.peer, "password accepted");
        }
        self.connection.set_view_only(admitted.role == Role::View);
        let result = self.connection.admit();
        self.take_events();
        Ok(result?)
    }

    /// Passes on what the client did.
    fn take_events(&mut self) {
        let (client, peer) = (self.client.0, self.peer);
        while let Some(event) = self.connection.next_event() {
            match event {
                Event::Login(login) => self.decide(login),
                Event::Ready { shared } => tracing::info!(client, %peer, shared, "ready"),
                // A client may change its mind as often as it likes; the log need not follow.
                Event::EncodingChosen(encoding) if self.encoding_logged => {
                    tracing::debug!(client, %peer, encoding, "encoding chosen");
                }
                Event::EncodingChosen(encoding) => {
                    self.encoding_logged = true;
                    tracing::info!(client, %peer, encoding, "encoding chosen");
                }
                Event::Key { down, keysym } => self.input(Input::Key { down, keysym }),
                Event::ExtendedKey { down, keysym, code } => {
                    self.input(Input::ExtendedKey { down, keysym, code });
                }
                Event::Pointer {
                    position,
                    size,
                    buttons,
                } => self.input(Input::Pointer {
                    position,
                    size,
                    buttons,
                }),
                Event::Motion { dx, dy, buttons } => {
                    self.input(Input::Motion { dx, dy, buttons });
                }
                Event::Clipboard(clipboard) => self.requests.clipboard(clipboard),
            }
        }
    }

    /// Passes on what is meant for the target and not for rfbridge.
    fn input(&mut self, input: Input) {
        let now = self.server.now();
        let meant = self.requests.input(input, now, &mut self.connection);
        meant.into_iter().for_each(|input| self.push(input));
    }

    fn push(&mut self, input: Input) {
        self.expiry.note(&input);
        self.inputs.push(input);
    }

    /// Nothing was heard for long of a client that holds something.
    fn expire(&mut self) {
        match self.expiry.due(Instant::now()) {
            None => {}
            Some(Silence::Ask) => self.connection.probe(),
            Some(Silence::LetGo) => {
                tracing::warn!(
                    client = self.client.0,
                    peer = %self.peer,
                    seconds = self.server.edges.key_expiry.as_secs(),
                    "nothing was heard of a client that holds keys or buttons; they are let go of"
                );
                self.push(Input::Expire);
            }
        }
    }

    /// Hands over what the client typed last, and tells it why it has to go.
    async fn part(mut self, ending: &Ending) {
        let stop = self.server.stop.clone();
        let goodbye = async {
            if let Ending::Closed | Ending::Broken(_) | Ending::Peer(_) = ending {
                self.inputs.drain().await;
            }
            self.inputs.leave();
            if let Ending::Denied(denied) = ending {
                self.hold_back(*denied).await;
            }
            if let Ending::Peer(_) | Ending::Denied(_) | Ending::Full(_) = ending {
                self.flush().await;
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = goodbye => {}
        }
    }

    /// Takes note of a failed login, and lets the client wait for the answer.
    async fn hold_back(&mut self, denied: Denied) {
        let delay = self.server.throttle.failed(self.peer.ip(), Instant::now());
        tracing::warn!(client = self.client.0, peer = %self.peer, %denied, "authentication failed");
        // A peer that hangs up meanwhile gives back its place at once.
        let mut ignored = [0; 256];
        let gone = async { while self.reader.read(&mut ignored).await.is_ok_and(|n| n > 0) {} };
        let _ = timeout(delay, gone).await;
    }

    /// Writes what is left and lets the peer read it: closing while bytes from it lie unread would reset the
    /// connection and take the reason away.
    async fn flush(&mut self) {
        self.outbox.push_control(self.connection.take_output());
        let ends = Instant::now() + FAREWELL;
        let write = async {
            while !self.outbox.is_empty() {
                let n = self.outbox.write_to(&mut self.writer).await?;
                if n == 0 {
                    break;
                }
                self.outbox.written(n);
            }
            self.writer.shutdown().await
        };
        if !matches!(timeout_at(ends, write).await, Ok(Ok(()))) {
            return;
        }
        let mut ignored = [0; 1024];
        let gone = async { while self.reader.read(&mut ignored).await.is_ok_and(|n| n > 0) {} };
        let _ = timeout_at(ends, gone).await;
    }
}

fn pointer_mode(mode: PointerMode) -> rfb::server::PointerMode {
    match mode {
        PointerMode::Absolute => rfb::server::PointerMode::Absolute,
        PointerMode::Relative => rfb::server::PointerMode::Relative,
    }
}

fn led_state(leds: Leds) -> LedState {
    LedState {
        scroll: leds.scroll,
        num: leds.num,
        caps: leds.caps,
    }
}

#[cfg(test)]
#[path = "session_pointer_tests.rs"]
mod pointer_tests;
#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
