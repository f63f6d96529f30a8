//! What lies over one client's picture, and which of its keys and clicks that takes.

use std::time::Duration;

use rfb::frame::Frame;
use tokio::time::Instant;

use super::{Menu, Offer, Outcome, note::Note};
use crate::{hid::Input, net::hotkey::Key};

/// What was chosen is answered in the picture for so long; a power action may take its time.
const SPEAKS: Duration = Duration::from_secs(30);

/// The menu of one client, or an answer to what it chose, or mostly nothing.
#[derive(Default)]
pub(in crate::net) struct Overlay {
    shown: Shown,
    has_changed: bool,
    /// Answers are shown until then.
    speaks_until: Option<Instant>,
    /// The pointer's buttons, and whether they were pressed in the menu.
    buttons: u16,
    takes_buttons: bool,
}

#[derive(Default)]
enum Shown {
    #[default]
    Nothing,
    Menu(Box<Menu>),
    Note(Note),
}

impl Overlay {
    pub(in crate::net) fn open(&mut self, offer: Offer, now: Instant) {
        self.show(Shown::Menu(Box::new(Menu::new(offer, now))));
    }

    pub(in crate::net) fn close(&mut self) {
        if !matches!(self.shown, Shown::Nothing) {
            self.show(Shown::Nothing);
        }
    }

    /// Closes the menu, because what it offers holds no longer.
    pub(in crate::net) fn close_menu(&mut self) {
        if matches!(self.shown, Shown::Menu(_)) {
            self.close();
        }
    }

    /// Says what came of something, if it was chosen in the menu.
    pub(in crate::net) fn answer(&mut self, text: &str, now: Instant) {
        if self.speaks_until.is_some_and(|until| now < until) {
            self.show(Shown::Note(Note::new(text.to_owned(), now)));
        }
    }

    fn show(&mut self, shown: Shown) {
        self.shown = shown;
        self.has_changed = true;
    }

    /// A key was pressed, and has not been meant for anything else yet.
    pub(in crate::net) fn key(&mut self, key: Key, now: Instant) -> Outcome {
        let outcome = match &mut self.shown {
            Shown::Menu(menu) => menu.key(key, now),
            Shown::Note(_) | Shown::Nothing => Outcome::Passes,
        };
        self.after(outcome, now)
    }

    /// The pointer was used. Gives too whether a button went down or up.
    pub(in crate::net) fn pointer(&mut self, input: Input, now: Instant) -> (Outcome, bool) {
        let Some(buttons) = input.buttons() else {
            return (Outcome::Passes, false);
        };
        let before = std::mem::replace(&mut self.buttons, buttons);
        let (pressed, clicks) = (buttons & !before, buttons != before);
        // Who has a button from its press on has it until its release.
        if before == 0 {
            self.takes_buttons = matches!(self.shown, Shown::Menu(_));
        }
        if !self.takes_buttons {
            if clicks && matches!(self.shown, Shown::Note(_)) {
                self.close();
            }
            return (Outcome::Passes, clicks);
        }
        let outcome = match &mut self.shown {
            Shown::Menu(menu) => match input {
                Input::Pointer { position, size, .. } => menu.pointer(position, size, pressed, now),
                Input::Motion { dy, .. } => menu.motion(dy, pressed, now),
                _ => Outcome::Stays,
            },
            Shown::Note(_) | Shown::Nothing => return (Outcome::Stays, clicks),
        };
        (self.after(outcome, now), clicks)
    }

    fn after(&mut self, outcome: Outcome, now: Instant) -> Outcome {
        match &outcome {
            Outcome::Stays => {
                self.has_changed |= matches!(&self.shown, Shown::Menu(menu) if !menu.is_drawn());
            }
            Outcome::Closes | Outcome::Passes => self.close(),
            Outcome::Chosen(_) => {
                self.close();
                self.speaks_until = Some(now + SPEAKS);
            }
        }
        outcome
    }

    /// When something is over.
    pub(in crate::net) fn due_at(&self) -> Option<Instant> {
        match &self.shown {
            Shown::Nothing => None,
            Shown::Menu(menu) => Some(menu.due_at()),
            Shown::Note(note) => Some(note.due_at()),
        }
    }

    /// Whether [`Overlay::over`] gives something else now than it gave last.
    pub(in crate::net) fn has_changed(&mut self, now: Instant) -> bool {
        if self.due_at().is_some_and(|due| due <= now) {
            self.close();
        }
        self.has_changed
    }

    /// `frame` with what lies over it.
    pub(in crate::net) fn over(&mut self, frame: Frame) -> Frame {
        self.has_changed = false;
        match &mut self.shown {
            Shown::Nothing => frame,
            Shown::Menu(menu) => menu.over(&frame),
            Shown::Note(note) => note.over(&frame),
        }
    }
}
