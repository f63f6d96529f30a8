//! The menu that a client opens with the hotkey, and what came of a choice, drawn into that client's picture only.
//!
//! While it is open it takes the keys that mean something to it, and the pointer. A key that means nothing to it closes
//! it and goes on to the target: nobody types into a menu that they have not seen.

mod note;
mod overlay;
mod pages;
mod panel;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use rfb::{
    frame::Frame,
    geom::{Point, Size},
};
use tokio::time::Instant;

use super::hotkey::{Command, Key};
use pages::{Name, Page, Step};
use panel::{Panel, Text};

pub(super) use overlay::Overlay;
pub(super) use pages::{CTRL_ALT_DEL, Choice, Offer};

/// Whoever does nothing for so long has gone on.
const STAYS: Duration = Duration::from_secs(15);

/// The buttons of a pointer event that mean something here.
const LEFT: u16 = 1;
const WHEEL_UP: u16 = 1 << 3;
const WHEEL_DOWN: u16 = 1 << 4;
/// So far does a relative mouse move from row to row.
const ROW: i32 = 20;

/// What became of a key or of the pointer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It was for the menu, which stays.
    Stays,
    /// It was for the menu, which is closed now.
    Closes,
    /// It was not; the menu is closed now.
    Passes,
    Chosen(Choice),
}

/// The menu of one client, while it is open.
struct Menu {
    offer: Offer,
    page: Page,
    /// The row that Enter chooses, if there is anything to choose in it.
    marked: usize,
    until: Instant,
    panel: Option<Arc<Panel>>,
    travelled: i32,
}

/// What one moves about in the menu with.
#[derive(Clone, Copy)]
enum Walk {
    Up,
    Down,
    Enter,
    Back,
}

/// The keysyms of such keys, and their XT scancodes where those are unknown.
const WALKS: [(&[u32], u32, Walk); 6] = [
    (&[0xff52, 0xff97], 0xc8, Walk::Up),
    (&[0xff54, 0xff99], 0xd0, Walk::Down),
    (&[0xff0d, 0xff8d], 0x1c, Walk::Enter),
    (&[0xff53, 0xff98], 0xcd, Walk::Enter), // Right
    (&[0xff51, 0xff96], 0xcb, Walk::Back),  // Left
    (&[0xff1b], 0x01, Walk::Back),          // Escape
];

fn walk(key: Key) -> Option<Walk> {
    let fits = |(keysyms, code, _): &&(&[u32], u32, Walk)| match key.keysym {
        0 => key.code == *code,
        keysym => keysyms.contains(&keysym),
    };
    WALKS.iter().find(fits).map(|(_, _, walk)| *walk)
}

impl Menu {
    fn new(offer: Offer, now: Instant) -> Self {
        Self {
            page: Page::new(Name::Main, &offer),
            offer,
            marked: 0,
            until: now + STAYS,
            panel: None,
            travelled: 0,
        }
    }

    /// When it closes if nothing is done until then.
    fn due_at(&self) -> Instant {
        self.until
    }

    /// A key was pressed.
    fn key(&mut self, key: Key, now: Instant) -> Outcome {
        self.until = now + STAYS;
        match walk(key) {
            Some(Walk::Up) => self.step(false),
            Some(Walk::Down) => self.step(true),
            Some(Walk::Enter) => self.choose(self.marked),
            Some(Walk::Back) => match self.page.parent() {
                Some(parent) => self.turn(parent),
                None if self.offer.is_typing => {
                    Outcome::Chosen(Choice::Command(Command::CancelTyping))
                }
                None => Outcome::Closes,
            },
            None => self.letter(key),
        }
    }

    fn letter(&mut self, key: Key) -> Outcome {
        let fits = |letter: Option<char>| letter.is_some_and(|letter| key.is_letter(letter));
        if let Some(row) = self.page.rows.iter().position(|row| fits(row.letter)) {
            return self.choose(row);
        }
        // What can be asked for without a menu can be with one, though it is not listed.
        let command = key.command().filter(|_| self.page.name == Name::Main);
        command.map_or(Outcome::Passes, |command| {
            Outcome::Chosen(Choice::Command(command))
        })
    }

    /// The pointer is here on a screen of this size, and these buttons went down.
    fn pointer(&mut self, position: Point, screen: Size, pressed: u16, now: Instant) -> Outcome {
        self.until = now + STAYS;
        let text = self.text();
        let panel = Panel::new(text, Some(self.marked), screen);
        let row = panel.row_at(position);
        if pressed & (LEFT | WHEEL_UP | WHEEL_DOWN) == LEFT {
            return match row {
                Some(row) => self.choose(row),
                None if panel.contains(position) => Outcome::Stays,
                None => Outcome::Closes,
            };
        }
        if let Some(row) = row {
            self.mark(row);
        }
        self.wheel(pressed)
    }

    /// A relative mouse moved by so much, and these buttons went down.
    fn motion(&mut self, dy: i16, pressed: u16, now: Instant) -> Outcome {
        self.until = now + STAYS;
        if pressed & LEFT != 0 {
            return self.choose(self.marked);
        }
        self.travelled += i32::from(dy);
        while self.travelled.abs() >= ROW {
            let down = self.travelled > 0;
            self.travelled -= if down { ROW } else { -ROW };
            self.step(down);
        }
        self.wheel(pressed)
    }

    fn wheel(&mut self, pressed: u16) -> Outcome {
        match pressed & (WHEEL_UP | WHEEL_DOWN) {
            WHEEL_UP => self.step(false),
            WHEEL_DOWN => self.step(true),
            _ => Outcome::Stays,
        }
    }

    /// Marks the next row, or the one before.
    fn step(&mut self, down: bool) -> Outcome {
        let count = self.page.rows.len().max(1);
        self.mark(match down {
            true => (self.marked + 1) % count,
            false => (self.marked + count - 1) % count,
        });
        Outcome::Stays
    }

    fn mark(&mut self, row: usize) {
        if self.marked != row {
            self.marked = row;
            self.panel = None;
        }
    }

    fn choose(&mut self, row: usize) -> Outcome {
        match self.page.rows.get(row).and_then(|row| row.step.clone()) {
            None => Outcome::Stays,
            Some(Step::Turn(name)) => self.turn(name),
            Some(Step::Choose(choice)) => Outcome::Chosen(choice),
        }
    }

    fn turn(&mut self, name: Name) -> Outcome {
        self.page = Page::new(name, &self.offer);
        self.marked = 0;
        self.panel = None;
        Outcome::Stays
    }

    fn text(&self) -> Text {
        let row = |row: &pages::Row| (row.letter, row.label.clone());
        Text {
            title: self.page.title.clone(),
            rows: self.page.rows.iter().map(row).collect(),
            foot: match self.page.parent() {
                Some(_) => "Up, Down, Enter    Esc: back",
                None if self.offer.is_typing => "Up, Down, Enter    Esc: stop typing",
                None => "Up, Down, Enter    Esc: close",
            },
        }
    }

    /// Whether it looks as it did when it was drawn last.
    fn is_drawn(&self) -> bool {
        self.panel.is_some()
    }

    /// `frame` with the menu over it.
    fn over(&mut self, frame: &Frame) -> Frame {
        let (text, marked) = (self.text(), self.marked);
        panel::over(&mut self.panel, frame, |screen| {
            Panel::new(text, Some(marked), screen)
        })
    }
}
