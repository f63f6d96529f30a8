//! What a client does, on its way to the target, and what it is told of the target.

use rfb::server::{Event, LedState};
use tokio::time::Instant;

use super::{Session, Stream};
use crate::{
    hid::{Input, Leds, PointerMode},
    net::{InputSink, expiry::Silence},
};

impl<S: Stream, I: InputSink> Session<'_, S, I> {
    /// Passes on what the client did.
    pub(super) fn take_events(&mut self) {
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
    pub(super) fn expire(&mut self) {
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
}

pub(super) fn pointer_mode(mode: PointerMode) -> rfb::server::PointerMode {
    match mode {
        PointerMode::Absolute => rfb::server::PointerMode::Absolute,
        PointerMode::Relative => rfb::server::PointerMode::Relative,
    }
}

pub(super) fn led_state(leds: Leds) -> LedState {
    LedState {
        scroll: leds.scroll,
        num: leds.num,
        caps: leds.caps,
    }
}
