//! What a client does, on its way to the target, and what it is told of the target.

use std::time::Duration;

use bytes::Bytes;
use rfb::server::{Event, LedState};
use tokio::time::Instant;

use super::{Session, Worked, ending::Ending, power::Asked};
use crate::{
    hid::{Input, Leds, PointerMode},
    net::{InputSink, expiry::Silence, requests::Meant, roster::Standing, stay::Due},
};

impl<I: InputSink> Session<'_, I> {
    /// Acts on what the client did.
    pub(super) fn take_events(&mut self) -> Result<(), Ending> {
        let (client, peer) = (self.client.0, self.peer);
        while let Some(event) = self.connection.next_event() {
            match event {
                Event::Upgrade(upgrade) => self.upgrade = Some(upgrade),
                Event::Rsa(task) => self.do_rsa(task),
                Event::Login(login) => self.decide(login),
                Event::Ready { shared } => {
                    tracing::info!(client, %peer, shared, "ready");
                    self.join(shared)?;
                }
                // A client may change its mind as often as it likes; the log need not follow.
                Event::EncodingChosen(encoding) if self.encoding.is_some() => {
                    tracing::debug!(client, %peer, encoding, "encoding chosen");
                    self.note_encoding(encoding);
                }
                Event::EncodingChosen(encoding) => {
                    tracing::info!(client, %peer, encoding, "encoding chosen");
                    self.note_encoding(encoding);
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
                Event::Power(request) => self.power(request),
                Event::Clipboard(clipboard) => self.requests.clipboard(clipboard),
            }
        }
        Ok(())
    }

    /// Passes on what is meant for the target and not for rfbridge, if the client has control.
    fn input(&mut self, input: Input) {
        let Some(seat) = &self.seat else {
            return;
        };
        let now = Instant::now();
        seat.activity().input(now);
        if self.stay.as_mut().is_some_and(|stay| stay.input(now)) {
            self.requests.warn(None);
        }
        let (now, controls) = (self.server.now(), seat.controls());
        match self
            .requests
            .input(input, now, controls, &mut self.connection)
        {
            Meant::ForTarget(input) if controls => self.push(input),
            Meant::Menu(input) => {
                if controls {
                    self.push(input);
                }
                self.open_menu();
            }
            Meant::Press(keysyms) if controls => self.press(keysyms),
            Meant::Layout(name) => self.choose_layout(name),
            Meant::Power(action) => self.start_power(action, Asked::InMenu),
            Meant::ForTarget(_) | Meant::Press(_) | Meant::Done => {}
            Meant::Take => self.requests.answer(match seat.take() {
                Ok(()) => "you have control".to_owned(),
                Err(error) => format!("control is not taken: {error}"),
            }),
            Meant::GiveUp => self.requests.answer(match seat.give_up() {
                true => "you gave up control",
                false => "control is not yours to give up",
            }),
        }
    }

    /// Tells the client what came of something that it had asked for.
    pub(super) fn worked(&mut self, worked: Worked) {
        self.working = None;
        match worked {
            Worked::Power(powered) => self.powered(powered),
            // Everybody is told of the new one.
            Worked::Layout(Ok(())) => {}
            Worked::Layout(Err(why)) => {
                self.requests
                    .answer(format!("keyboard layout: not changed: {why}"));
            }
        }
    }

    /// What the client may do is something else now.
    pub(super) fn stand(&mut self, standing: Standing) -> Result<(), Ending> {
        // The roster had its keys released already.
        if standing != Standing::Controls {
            self.inputs.forget();
            self.expiry.note(&Input::Leave);
        }
        self.requests.stand(&standing);
        match standing {
            Standing::Dismissed(why) => Err(why.into()),
            Standing::Controls | Standing::Waits { .. } | Standing::Watches => Ok(()),
        }
    }

    /// The client's time is over, or soon will be.
    pub(super) fn end_stay(&mut self) -> Result<(), Ending> {
        let due = self.stay.as_mut().and_then(|stay| stay.due(Instant::now()));
        match due {
            None => {}
            Some(Due::Warn(text)) => self.requests.warn(Some(text)),
            Some(Due::End(over)) => return Err(over.into()),
        }
        Ok(())
    }

    pub(super) fn note_written(&self, bytes: usize) {
        if let Some(seat) = &self.seat {
            let mut activity = seat.activity();
            activity.sent(bytes, Instant::now());
            let trip = self.connection.round_trip();
            activity.in_flight = self.connection.bytes_in_flight();
            activity.round_trip = trip.map(|trip| Duration::from_millis(trip.0));
        }
    }

    /// An update is on its way to the client.
    pub(super) fn note_update(&self, pieces: &[Bytes]) {
        let bytes = pieces.iter().map(Bytes::len).sum();
        let encoding = self.encoding.unwrap_or("Raw");
        self.server.edges.metrics.update(encoding, bytes);
    }

    fn note_encoding(&mut self, encoding: &'static str) {
        self.encoding = Some(encoding);
        if let Some(seat) = &self.seat {
            seat.activity().encoding = Some(encoding);
        }
    }

    pub(super) fn push(&mut self, input: Input) {
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
