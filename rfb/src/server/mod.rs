//! One client's connection, without IO.
//!
//! [`Connection`] takes the bytes that were received and the newest frame, and gives events, bytes to
//! send and update jobs:
//!
//! ```text
//! socket → receive() → next_event()            keys, pointer
//!                    → take_output()           handshake, fences, resizes: send these first
//! frames → show()    → plan_update() → UpdateJob::encode() → finish_update() → socket
//! ```
//!
//! Only [`UpdateJob::encode`] is slow; it holds no reference to the connection and runs wherever the
//! caller likes. At most one job exists at a time, and it is planned against the newest frame, so a slow
//! client skips frames instead of queueing them.
//!
//! The steps of an update, each in its file: `session` says when (`pace`: how fast is the line?), `view` what the client
//! lacks (`shown`: tile by tile), `plan` which rectangles in which form (`boxes`, `seams`, `motion`), `piece` encodes
//! each (`trim`: to the pixel).

mod announce;
mod boxes;
mod clipboard;
mod event;
mod handshake;
mod motion;
mod pace;
mod piece;
mod plan;
mod pointer;
mod power;
mod rsa_aes;
mod seams;
mod session;
mod shown;
mod trim;
mod update;
mod view;
mod wants;

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use zeroize::Zeroize as _;

use crate::error::Error;
use crate::frame::Frame;
use crate::msg::version::GREETING;
use crate::security::rsa_aes::{self as rsa, Exchange, PublicKey};
use crate::security::vnc_auth::Challenge;
use crate::security::{Login, SecurityType};
use crate::wire::Reader;

pub use crate::msg::client::PowerRequest;
pub use crate::msg::clipboard::Clipboard;
pub use crate::msg::server::LedState;
pub use event::Event;
use handshake::{Handshake, Step, Verdict};
pub use piece::Part;
pub use plan::Plan;
pub use pointer::PointerMode;
use session::Session;
pub use update::{Encoded, EncodedUpdate, Task, UpdateJob, UpdateKey};

/// Time in milliseconds from a beginning that is the same for all connections of a server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(pub u64);

/// What is the same for every connection.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Desktop name.
    pub name: String,
    /// Security types in the order in which they are offered, each once; many clients take the first that they know.
    pub security: Vec<SecurityType>,
    /// What RSA-AES shows clients; without one its types must not be offered.
    pub host_key: Option<PublicKey>,
    /// Whether clients that are asked for a password by RSA-AES are asked for a user's name, too.
    pub names: bool,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            name: String::new(),
            security: vec![SecurityType::None],
            host_key: None,
            names: false,
        }
    }
}

enum State {
    Handshake(Handshake),
    RsaAes(Verdict, Box<Exchange>),
    /// The owner of the connection has to change the stream. With the login if that came before.
    Upgrading(Verdict, Option<Login>),
    /// The owner of the connection has to say whether the client is let in.
    Deciding(Verdict),
    Running(Box<Session>),
    Ended,
}

/// One client, from its first byte to its last.
pub struct Connection {
    config: Arc<ServerConfig>,
    challenge: Challenge,
    refusal: Option<String>,
    security: Option<SecurityType>,
    state: State,
    frame: Frame,
    leds: Option<LedState>,
    pointer: PointerMode,
    view_only: bool,
    /// The beginning of a message that is not whole yet.
    input: Vec<u8>,
    /// Bytes of input to pass over (clipboard text that is too long to be kept).
    skip: usize,
    output: Vec<u8>,
    events: VecDeque<Event>,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = match &self.state {
            State::Handshake(handshake) => return write!(f, "Connection({handshake:?})"),
            State::RsaAes(..) => "in RSA-AES",
            State::Upgrading(..) => "upgrading",
            State::Deciding(_) => "deciding",
            State::Running(_) => "running",
            State::Ended => "ended",
        };
        write!(f, "Connection({state})")
    }
}

/// Bytes that may come before the client is let in and wait for that.
const AHEAD: usize = 1024;
/// Bytes that may come while RSA is done: a random number as long as the longest key, and more.
const AHEAD_OF_RSA: usize = 2048;

impl Connection {
    /// A new connection; its greeting is ready in [`Connection::take_output`]. `challenge` must be fresh
    /// random bytes. `frame` is what there is to show now, be it a slate.
    pub fn new(config: Arc<ServerConfig>, challenge: Challenge, frame: Frame) -> Self {
        Self {
            config,
            challenge,
            refusal: None,
            security: None,
            state: State::Handshake(Handshake::default()),
            frame,
            leds: None,
            pointer: PointerMode::default(),
            view_only: false,
            input: Vec::new(),
            skip: 0,
            output: GREETING.to_vec(),
            events: VecDeque::new(),
        }
    }

    /// A connection that is told `reason` as soon as it has said its version, and then ends.
    pub fn refusing(reason: String, frame: Frame) -> Self {
        Self {
            refusal: Some(reason),
            ..Self::new(Arc::default(), [0; 16], frame)
        }
    }

    /// Takes bytes from the client and acts on every message that is whole.
    ///
    /// After an error the connection has ended: send what [`Connection::take_output`] holds, then close.
    /// What stays inside between calls is less than one message (at most some 256 KiB, before authentication
    /// 2 KiB), so bound what is passed in at once.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if matches!(self.state, State::Ended) {
            return Err(Error::Ended);
        }
        self.input.extend_from_slice(bytes);
        self.advance()
    }

    /// Acts on what has been received.
    fn advance(&mut self) -> Result<(), Error> {
        let mut consumed = 0;
        let result = self.process(&mut consumed);
        let consumed = consumed.min(self.input.len());
        if !self.is_running() {
            // A password may be among it.
            if let Some(read) = self.input.get_mut(..consumed) {
                read.zeroize();
            }
        }
        self.input.drain(..consumed);
        if result.is_err() {
            self.state = State::Ended;
            self.input = Vec::new();
        }
        result
    }

    fn process(&mut self, consumed: &mut usize) -> Result<(), Error> {
        loop {
            let rest = self.input.get(*consumed..).unwrap_or_default();
            let passed = self.skip.min(rest.len());
            self.skip -= passed;
            *consumed += passed;
            let mut reader = Reader::new(rest.get(passed..).unwrap_or_default());
            if self.skip > 0 || reader.rest().is_empty() {
                return Ok(());
            }
            let step = match &mut self.state {
                State::Ended => return Err(Error::Ended),
                // Whoever sits in between could have written this (trap 5).
                State::Upgrading(..) => {
                    return Err(Error::AheadOfEncryption(reader.rest().len()));
                }
                State::Deciding(_) => match reader.rest().len() {
                    waiting if waiting > AHEAD => return Err(Error::Impatient(waiting)),
                    _ => return Ok(()),
                },
                State::RsaAes(_, exchange) if exchange.is_waiting_for_owner() => {
                    match reader.rest().len() {
                        waiting if waiting > AHEAD_OF_RSA => return Err(Error::Impatient(waiting)),
                        _ => return Ok(()),
                    }
                }
                State::RsaAes(verdict, exchange) => {
                    rsa_aes::step(*verdict, exchange, &mut reader, &mut self.output)
                }
                State::Handshake(handshake) => {
                    let peer = peer(&self.config, &self.challenge, self.refusal.as_deref());
                    handshake.step(&peer, &mut reader, &mut self.output)
                }
                State::Running(session) => session
                    .step(
                        &mut reader,
                        self.frame.size(),
                        &mut self.output,
                        &mut self.events,
                    )
                    .map(|result| {
                        result.map(|skip| {
                            self.skip = skip;
                            Step::Done
                        })
                    }),
            };
            let Ok(step) = step else {
                return Ok(());
            };
            *consumed += reader.consumed();
            self.take_step(step?);
        }
    }

    fn take_step(&mut self, step: Step) {
        match step {
            Step::Done => {}
            Step::Next(state) => self.state = State::Handshake(state),
            Step::Upgrade(upgrade, verdict, login) => {
                self.state = State::Upgrading(verdict, login);
                self.events.push_back(Event::Upgrade(upgrade));
            }
            Step::RsaAes(verdict, exchange) => self.state = State::RsaAes(verdict, exchange),
            Step::Rsa(task) => self.events.push_back(Event::Rsa(task)),
            Step::Ask(verdict, login) => {
                self.security = Some(verdict.security());
                self.state = State::Deciding(verdict);
                self.events.push_back(Event::Login(login));
            }
            Step::Finished { shared } => {
                let size = self.frame.size();
                crate::msg::server::server_init(&mut self.output, size, &self.config.name);
                self.state = State::Running(Box::new(Session::new(
                    size,
                    self.leds,
                    self.pointer,
                    self.view_only,
                )));
                self.events.push_back(Event::Ready { shared });
            }
        }
    }

    /// The stream has become what an [`Event::Upgrade`] asked for: what is received and sent from now on goes through
    /// it.
    pub fn upgraded(&mut self) {
        if let State::Upgrading(verdict, login) = &mut self.state {
            let step = match login.take() {
                Some(login) => Step::Ask(*verdict, login),
                None => {
                    let peer = peer(&self.config, &self.challenge, self.refusal.as_deref());
                    verdict.begin(&peer, &mut self.output)
                }
            };
            self.take_step(step);
        }
    }

    /// Takes the result of an [`Event::Rsa`], and acts on what has come meanwhile.
    pub fn rsa_done(&mut self, done: rsa::Done) -> Result<(), Error> {
        let State::RsaAes(_, exchange) = &mut self.state else {
            return Ok(());
        };
        match exchange.done(done, &mut self.output) {
            Ok(()) => self.advance(),
            Err(error) => {
                self.state = State::Ended;
                Err(error)
            }
        }
    }

    /// Lets the client in that an [`Event::Login`] told of, and acts on what it has sent meanwhile.
    pub fn admit(&mut self) -> Result<(), Error> {
        let State::Deciding(verdict) = self.state else {
            return Ok(());
        };
        verdict.admit(&mut self.output);
        self.state = State::Handshake(Handshake::ClientInit);
        self.advance()
    }

    /// Turns it away. The connection has ended: send what [`Connection::take_output`] holds, then close.
    pub fn deny(&mut self, reason: &str) {
        if let State::Deciding(verdict) = self.state {
            verdict.deny(&mut self.output, reason);
            self.state = State::Ended;
            self.input = Vec::new();
        }
    }

    /// Whether the client only watches: what it presses and moves is then read and dropped.
    pub fn set_view_only(&mut self, view_only: bool) {
        self.view_only = view_only;
        if let State::Running(session) = &mut self.state {
            session.set_view_only(view_only);
        }
    }

    /// What the client did, oldest first.
    pub fn next_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Bytes to send now. They must not be put into the middle of an update, and must be sent before
    /// the bytes that a later [`Connection::finish_update`] gives.
    pub fn take_output(&mut self) -> Bytes {
        std::mem::take(&mut self.output).into()
    }

    /// What the client has logged in by, once it has given what it had to.
    pub fn security(&self) -> Option<SecurityType> {
        self.security
    }

    /// Whether the handshake is over.
    pub fn is_running(&self) -> bool {
        matches!(self.state, State::Running(_))
    }

    /// The newest frame.
    pub fn show(&mut self, frame: Frame) {
        self.frame = frame;
    }

    /// The lock LEDs as the target set them last; `None` while that is unknown.
    pub fn set_leds(&mut self, leds: Option<LedState>) {
        self.leds = leds;
        if let State::Running(session) = &mut self.state {
            session.set_leds(leds);
        }
    }

    /// What the pointer messages of clients that can send both are to carry from now on. They are told so with the
    /// next update; others go on sending positions.
    pub fn set_pointer_mode(&mut self, mode: PointerMode) {
        self.pointer = mode;
        if let State::Running(session) = &mut self.state {
            session.set_pointer_mode(mode);
        }
    }

    /// Asks a client that takes fences for a sign of life: puts one into [`Connection::take_output`], or behind the update
    /// that is out. The answer is no event; that bytes come is the sign.
    pub fn probe(&mut self) {
        if let State::Running(session) = &mut self.state {
            session.probe(&mut self.output);
        }
    }

    /// Whether requests for the machine's power are taken from this client, if it knows xvp. It is told so once; what it asks for
    /// while they are not is refused.
    pub fn take_power(&mut self, takes: bool) {
        if let State::Running(session) = &mut self.state {
            session.take_power(takes, &mut self.output);
        }
    }

    /// Says that what the client asked for, an [`Event::Power`], was not done.
    pub fn refuse_power(&mut self) {
        if let State::Running(session) = &mut self.state {
            session.refuse_power(&mut self.output);
        }
    }

    /// Changes the desktop name that this client sees.
    pub fn set_name(&mut self, name: &str) {
        if let State::Running(session) = &mut self.state {
            session.set_name(name);
        }
    }

    /// Asks the client for the text that it announced last, which then comes as [`Event::Clipboard`], soon or never.
    /// False if it announced none.
    pub fn request_clipboard(&mut self) -> bool {
        match &mut self.state {
            State::Running(session) => session.request_clipboard(&mut self.output),
            _ => false,
        }
    }

    /// The next update for this client, if it asked for one and there is something to send. May put bytes
    /// into [`Connection::take_output`] as well (a size change), even when it gives no job.
    ///
    /// `None` also while a job is out: every job must come back through [`Connection::finish_update`].
    pub fn plan_update(&mut self) -> Option<UpdateJob> {
        match &mut self.state {
            State::Running(session) => session.plan_update(&self.frame, &mut self.output),
            _ => None,
        }
    }

    /// Takes a finished job back and gives the bytes to send, piece by piece, with everything that had to wait for
    /// it; empty if it turned out that nothing had changed.
    pub fn finish_update(&mut self, update: EncodedUpdate) -> Vec<Bytes> {
        match &mut self.state {
            State::Running(session) => session.finish_update(update),
            _ => Vec::new(),
        }
    }

    /// Tells the time, to be called before anything else that is called: what the client's line takes is measured,
    /// and a picture that was sent with loss is sent again without once it has rested.
    pub fn set_now(&mut self, now: Millis) {
        if let State::Running(session) = &mut self.state {
            session.set_now(now);
        }
    }

    /// Tells that all of what [`Connection::finish_update`] gave last was taken by the socket.
    pub fn update_written(&mut self) {
        if let State::Running(session) = &mut self.state {
            session.update_written();
        }
    }

    /// The shortest way to the client and back that was measured, with what the client takes to answer.
    pub fn round_trip(&self) -> Option<Millis> {
        match &self.state {
            State::Running(session) => session.round_trip(),
            _ => None,
        }
    }

    /// Bytes of updates of which it is not known that the client has them; 0 where it cannot tell.
    pub fn bytes_in_flight(&self) -> usize {
        match &self.state {
            State::Running(session) => session.bytes_in_flight(),
            _ => 0,
        }
    }

    /// When [`Connection::plan_update`] will have something though no new frame came.
    pub fn wakes_at(&self) -> Option<Millis> {
        match &self.state {
            State::Running(session) => session.wakes_at(self.frame.seq()),
            _ => None,
        }
    }
}

/// What the handshake needs to know.
fn peer<'a>(
    config: &'a ServerConfig,
    challenge: &'a Challenge,
    refusal: Option<&'a str>,
) -> handshake::Peer<'a> {
    handshake::Peer {
        offer: &config.security,
        challenge,
        refusal,
        host_key: config.host_key.as_ref(),
        names: config.names,
    }
}
