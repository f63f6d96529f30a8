//! What a client asks of rfbridge itself, by hotkeys and in the menu.
//!
//! The client's clipboard is kept here and typed when a hotkey says so, never by itself: viewers send it whenever their
//! window is entered. Who asked is told in the desktop's name why something is not done, and in the picture if it was
//! asked for there.

use std::{sync::Arc, time::Duration};

use rfb::{
    frame::Frame,
    server::{Clipboard, Connection, Millis},
};
use tokio::time::{Instant, sleep_until};

use super::{
    hotkey::{Command, Detector, Key, Verdict},
    menu::{self, Choice, Overlay},
    roster::Standing,
    title::Title,
};
use crate::{
    config::{Hotkey, Leader, PowerAction},
    hid::{ClientId, Input, PointerMode},
    typing::{Job, Manner, Refusal, Typist},
};

/// A viewer that has not given its clipboard by then does not want to; people have moved on, too.
const FETCH: Duration = Duration::from_secs(5);

/// The requests of one client.
pub(super) struct Requests<'a> {
    client: ClientId,
    typist: &'a Typist,
    detector: Detector,
    overlay: Overlay,
    clipboard: Clipboard,
    /// The client was asked for its clipboard; what it gives until then is typed.
    fetching: Option<Instant>,
    /// The text that this client had typed last. It ends when the client leaves.
    job: Option<Job>,
    title: Title,
    leader: Leader,
}

/// What an input is meant for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meant {
    ForTarget(Input),
    /// So is this, and the menu is to be opened.
    Menu(Input),
    /// Keys to be pressed one after the other, and released the other way round.
    Press(&'static [u32]),
    Power(PowerAction),
    /// The target's keyboard layout is to be this one.
    Layout(Arc<str>),
    /// Control is asked for.
    Take,
    /// It is given up.
    GiveUp,
    /// It was for rfbridge itself, and is done.
    Done,
}

impl<'a> Requests<'a> {
    pub(super) fn new(client: ClientId, typist: &'a Typist, hotkey: Hotkey, name: &str) -> Self {
        let leader = hotkey.leader;
        Self {
            client,
            typist,
            detector: Detector::new(leader, hotkey.menu),
            overlay: Overlay::default(),
            clipboard: Clipboard::Empty,
            fetching: None,
            job: None,
            title: Title::new(name, typist.status()),
            leader,
        }
    }

    /// Says what an input is meant for; does what it asks for if it is a hotkey that can be served here. `controls`:
    /// whether the client may change anything at the target.
    pub(super) fn input(
        &mut self,
        input: Input,
        now: Millis,
        controls: bool,
        connection: &mut Connection,
    ) -> Meant {
        let (down, key) = match input {
            Input::Key { down, keysym } => (down, Key { keysym, code: 0 }),
            Input::ExtendedKey { down, keysym, code } => (down, Key { keysym, code }),
            other => return self.pointer(other, controls, connection),
        };
        match self.detector.key(down, key, now) {
            Verdict::Lead => {
                self.overlay.close();
                Meant::ForTarget(input)
            }
            Verdict::Open => Meant::Menu(input),
            Verdict::Swallow => Meant::Done,
            Verdict::Act(command) => self.act(command, controls, connection),
            Verdict::Pass if !down => Meant::ForTarget(input),
            Verdict::Pass => match self.overlay.key(key, Instant::now()) {
                menu::Outcome::Passes => Meant::ForTarget(input),
                outcome => {
                    self.detector.swallow(key);
                    self.chosen(outcome, controls, connection)
                }
            },
        }
    }

    fn pointer(&mut self, input: Input, controls: bool, connection: &mut Connection) -> Meant {
        let (outcome, clicks) = self.overlay.pointer(input, Instant::now());
        if clicks {
            self.detector.interrupt();
        }
        match outcome {
            menu::Outcome::Passes => Meant::ForTarget(input),
            outcome => self.chosen(outcome, controls, connection),
        }
    }

    fn chosen(
        &mut self,
        outcome: menu::Outcome,
        controls: bool,
        connection: &mut Connection,
    ) -> Meant {
        match outcome {
            menu::Outcome::Chosen(Choice::Command(command)) => {
                self.act(command, controls, connection)
            }
            menu::Outcome::Chosen(Choice::Press(keys)) => Meant::Press(keys),
            menu::Outcome::Chosen(Choice::Power(action)) => Meant::Power(action),
            menu::Outcome::Chosen(Choice::Layout(name)) => Meant::Layout(name),
            menu::Outcome::Stays | menu::Outcome::Closes | menu::Outcome::Passes => Meant::Done,
        }
    }

    fn act(&mut self, command: Command, controls: bool, connection: &mut Connection) -> Meant {
        match command {
            Command::TakeControl => return Meant::Take,
            Command::GiveUpControl => return Meant::GiveUp,
            _ if !controls => self.answer("not done: you do not have control"),
            Command::TypeClipboard => self.type_clipboard(connection),
            Command::TogglePointerMode => return Meant::ForTarget(Input::TogglePointerMode),
            Command::CtrlAltDel => return Meant::Press(menu::CTRL_ALT_DEL),
            Command::CancelTyping => self.cancel(),
        }
        Meant::Done
    }

    /// Opens the menu, with what there is to choose from.
    pub(super) fn open_menu(&mut self, offer: menu::Offer) {
        self.overlay.open(offer, Instant::now());
    }

    /// Whether `picture` gives something else now than it gave last.
    pub(super) fn has_new_picture(&mut self) -> bool {
        self.overlay.has_changed(Instant::now())
    }

    /// What the client is to see where the others see `frame`.
    pub(super) fn picture(&mut self, frame: Frame) -> Frame {
        self.overlay.over(frame)
    }

    /// Tells the client something, for a while.
    pub(super) fn answer(&mut self, text: impl Into<String>) {
        let text = text.into();
        self.overlay.answer(&text, Instant::now());
        self.title.answer(text);
    }

    /// Tells it that it will be disconnected, for as long as that holds.
    pub(super) fn warn(&mut self, text: Option<String>) {
        self.title.warn(text);
    }

    /// What the client may do is something else now.
    pub(super) fn stand(&mut self, standing: &Standing) {
        self.overlay.close_menu();
        if *standing != Standing::Controls {
            // Its text ends with its control.
            self.job = None;
            self.fetching = None;
        }
        let notice = match standing {
            Standing::Controls | Standing::Dismissed(_) => None,
            Standing::Watches => Some("you may only watch".to_owned()),
            Standing::Waits { holder, may_take } => {
                let holder = holder.as_deref().unwrap_or("nobody");
                Some(match (may_take, self.leader) {
                    (false, _) | (_, Leader::None) => format!("{holder} has control"),
                    (true, leader) => {
                        format!("{holder} has control; tap {leader} twice, then t to take it")
                    }
                })
            }
        };
        self.title.notice(notice);
    }

    /// Another of the target's pointers is used from now on.
    pub(super) fn pointer_changed(&mut self, mode: PointerMode) {
        self.answer(match mode {
            PointerMode::Absolute => "absolute pointer",
            PointerMode::Relative => "relative mouse",
        });
    }

    /// Another layout is the target's from now on.
    pub(super) fn layout_changed(&mut self, name: &str) {
        self.answer(format!("keyboard layout {name}"));
    }

    /// The client tells what its clipboard holds.
    pub(super) fn clipboard(&mut self, clipboard: Clipboard) {
        if self.fetching.is_some() && clipboard != Clipboard::Announced {
            self.fetching = None;
            if let Clipboard::Text(text) = clipboard {
                // It stays with the client: the next time it is asked again.
                return self.type_text(&text);
            }
            self.say_why_not(&clipboard);
        }
        self.clipboard = clipboard;
    }

    fn type_clipboard(&mut self, connection: &mut Connection) {
        match std::mem::replace(&mut self.clipboard, Clipboard::Empty) {
            Clipboard::Text(text) => {
                self.type_text(&text);
                self.clipboard = Clipboard::Text(text);
            }
            other => {
                if other == Clipboard::Announced && connection.request_clipboard() {
                    self.fetching = Some(Instant::now() + FETCH);
                } else {
                    self.say_why_not(&other);
                }
                self.clipboard = other;
            }
        }
    }

    fn type_text(&mut self, text: &str) {
        let client = self.client.0;
        match self.typist.start(text, Manner::default()) {
            Ok(job) => {
                tracing::info!(client, bytes = text.len(), "typing the clipboard");
                self.job = Some(job);
            }
            Err(refusal) => {
                let why = match &refusal {
                    // Parts of a text, of which the log is to hold nothing.
                    Refusal::Untypable(list) => {
                        format!("the layout lacks {} of its characters", list.len())
                    }
                    other => other.to_string(),
                };
                tracing::warn!(client, why, "the clipboard is not typed");
                self.answer(format!("not typed: {refusal}"));
            }
        }
    }

    fn say_why_not(&mut self, clipboard: &Clipboard) {
        let why = match clipboard {
            Clipboard::TooLong => "the clipboard holds more text than is taken",
            Clipboard::Announced => "the viewer does not give its clipboard",
            Clipboard::Empty | Clipboard::Text(_) => "there is no text in the viewer's clipboard",
        };
        tracing::info!(client = self.client.0, why, "nothing is typed");
        self.answer(format!("not typed: {why}"));
    }

    fn cancel(&mut self) {
        let was_fetching = self.fetching.take().is_some();
        if !self.typist.cancel() && !was_fetching {
            self.answer("nothing is being typed");
        }
    }

    /// The desktop's name, if it is to become another one now.
    pub(super) fn new_name(&mut self) -> Option<String> {
        let now = Instant::now();
        if self.fetching.is_some_and(|until| until <= now) {
            self.fetching = None;
            self.say_why_not(&Clipboard::Announced);
        }
        self.title.new_name(now)
    }

    /// Waits until [`Requests::new_name`] or [`Requests::has_new_picture`] may give something. Cancel-safe.
    pub(super) async fn wake(&mut self) {
        let (fetching, overlay) = (self.fetching, self.overlay.due_at());
        tokio::select! {
            () = self.title.wake() => {}
            () = async { sleep_until(overlay.unwrap_or_else(Instant::now)).await },
                if overlay.is_some() => {}
            () = async { sleep_until(fetching.unwrap_or_else(Instant::now)).await },
                if fetching.is_some() => {}
        }
    }
}
