//! Which keys are down, and the keyboard and consumer reports that say so.
//!
//! **Ownership.** A key is down while any client holds it. Who releases it or leaves lifts only what no one
//! else holds.
//!
//! **Shift for keysym clients.** A keysym names a character, a report names places. If the Shift that is held
//! does not give the character on the US layout, a report of its own brings the modifiers in order before the
//! key goes down (firmware that samples the modifiers late still gets it right), and another restores them after the
//! key went up:
//! - `A`, `!` or ISO_Left_Tab without Shift: Shift is pressed. Not for a capital while Ctrl, Alt or GUI is held: that is
//!   a shortcut typed with Caps Lock on, and Ctrl + C must not become Ctrl + Shift + C.
//! - `b` with Shift: Shift stays. Only scripts that mean the chord Shift + b send this (or Caps Lock is on, and then
//!   Shift is what makes the letter small).
//! - `1` or `/` with Shift: Shift is hidden. Viewers on layouts that have these at the upper level (French digits, the German
//!   slash) send this, and they mean the character; who means `!` sends `!`.
//! - any US character while AltGr is held as ISO_Level3_Shift or Mode_switch: AltGr is hidden, since it only
//!   served to make the character on the client's layout.
//!
//! Keys pressed by scancode, and keys that type no character, go out under the modifiers as held.
//!
//! **More than six keys.** A boot report has room for six. The newest six are shown: every press is seen, and
//! the key that gives way counts as up until it is pressed again (its own release changes nothing).

use std::sync::Arc;

use super::{
    ClientId, Report,
    keymap::{Key, Layout, Shift, Stroke, Usage, from_scancode, keypad_twin, of_character},
};

const SHIFTS: u8 = 0x22;
const CHORDS: u8 = 0xdd;
const RIGHT_ALT: u8 = Usage::RIGHT_ALT.modifier();
/// Keys in a boot report.
const ROOM: usize = 6;

/// The keyboard and the consumer control of all clients together.
#[derive(Debug, Default)]
pub(super) struct Keyboard {
    layout: Arc<Layout>,
    held: Vec<Held>,
    /// Keys in the report, oldest first; no modifiers.
    shown: Vec<Usage>,
    consumer: Option<u16>,
    disguise: Option<Disguise>,
}

/// A key that a client holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Held {
    client: ClientId,
    key: Key,
    /// What it was pressed as; 0 if by scancode alone.
    keysym: u32,
}

/// Modifiers shown otherwise than held, while one key is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Disguise {
    key: Key,
    pressed: u8,
    hidden: u8,
}

impl Keyboard {
    pub(super) fn new(layout: Arc<Layout>) -> Self {
        Self {
            layout,
            ..Self::default()
        }
    }

    /// A key by its keysym. Adds the reports that follow from it to `out`, each to be seen by the target.
    pub(super) fn keysym(
        &mut self,
        client: ClientId,
        down: bool,
        keysym: u32,
        out: &mut Vec<Report>,
    ) {
        let Some(stroke) = self.layout.stroke(keysym) else {
            return;
        };
        match down {
            true => self.press(client, stroke, keysym, out),
            false => self.lift_keysym(client, stroke.key, keysym, out),
        }
    }

    /// A character of a text: under exactly the modifiers that it needs.
    pub(super) fn character(
        &mut self,
        client: ClientId,
        down: bool,
        character: char,
        out: &mut Vec<Report>,
    ) {
        let keysym = of_character(character);
        let Some(Stroke { key, shift }) = self.layout.stroke(keysym) else {
            return;
        };
        let shift = match shift {
            Shift::Capital | Shift::Down | Shift::Only => Shift::Only,
            Shift::AsHeld | Shift::Letter | Shift::Up | Shift::None => Shift::None,
        };
        match down {
            true => self.press(client, Stroke { key, shift }, keysym, out),
            false => self.lift_keysym(client, key, keysym, out),
        }
    }

    /// A key by its scancode; by its keysym if the scancode is of no key.
    pub(super) fn extended(
        &mut self,
        client: ClientId,
        down: bool,
        keysym: u32,
        code: u32,
        out: &mut Vec<Report>,
    ) {
        let Some(key) = from_scancode(code) else {
            return self.keysym(client, down, keysym, out);
        };
        if down {
            let shift = Shift::AsHeld;
            self.press(client, Stroke { key, shift }, 0, out);
        } else if !self.lift(client, out, |held| held.key == key) {
            self.lift(client, out, |held| held.keysym == keysym && keysym != 0);
        }
    }

    /// A client is gone.
    pub(super) fn leave(&mut self, client: ClientId, out: &mut Vec<Report>) {
        let before = self.keyboard_report();
        self.held.retain(|held| held.client != client);
        self.settle(before, out);
    }

    /// Forgets what is held on the keyboard, without a report: the target did not get it.
    pub(super) fn forget_keys(&mut self) {
        self.held
            .retain(|held| !matches!(held.key, Key::Keyboard(_)));
        self.shown.clear();
        self.disguise = None;
    }

    /// Forgets what is held on the consumer control, without a report.
    pub(super) fn forget_consumer(&mut self) {
        self.held
            .retain(|held| !matches!(held.key, Key::Consumer(_)));
        self.consumer = None;
    }

    /// The keyboard report of this moment.
    pub(super) fn keyboard_report(&self) -> Report {
        Report::keyboard(self.modifiers(), &self.shown)
    }

    /// The consumer report of this moment.
    pub(super) fn consumer_report(&self) -> Report {
        Report::consumer(self.consumer.unwrap_or(0))
    }

    fn press(&mut self, client: ClientId, stroke: Stroke, keysym: u32, out: &mut Vec<Report>) {
        let Stroke { key, shift } = stroke;
        if self
            .held
            .iter()
            .any(|held| held.client == client && held.key == key)
        {
            return; // The viewer's auto-repeat; the target repeats by itself.
        }
        let held = Held {
            client,
            key,
            keysym,
        };
        match key {
            Key::Keyboard(usage) if usage.modifier() == 0 => {
                if !self.shown.contains(&usage) {
                    self.dress(key, shift, out);
                    if self.shown.len() == ROOM {
                        self.shown.remove(0);
                    }
                    self.shown.push(usage);
                    out.push(self.keyboard_report());
                }
                self.held.push(held);
            }
            Key::Keyboard(_) => {
                let before = self.keyboard_report();
                self.held.push(held);
                self.tell(before, out);
            }
            Key::Consumer(usage) => {
                self.held.push(held);
                if self.consumer != Some(usage) {
                    self.consumer = Some(usage);
                    out.push(self.consumer_report());
                }
            }
        }
    }

    /// Brings the modifiers to what the key about to be pressed needs.
    fn dress(&mut self, key: Key, shift: Shift, out: &mut Vec<Report>) {
        let before = self.keyboard_report();
        let real = self.held_modifiers();
        let (mut pressed, mut hidden) = (0, 0);
        let shortcut = real & CHORDS & !self.level_three() != 0;
        match shift {
            Shift::Capital if shortcut => {}
            Shift::Capital | Shift::Down if real & SHIFTS == 0 => {
                pressed = Usage::LEFT_SHIFT.modifier();
            }
            Shift::Up => hidden = real & SHIFTS,
            Shift::None => hidden = real,
            Shift::Only => {
                hidden = real & CHORDS;
                pressed = match real & SHIFTS {
                    0 => Usage::LEFT_SHIFT.modifier(),
                    _ => 0,
                };
            }
            _ => {}
        }
        if shift != Shift::AsHeld {
            hidden |= self.level_three();
        }
        self.disguise = (pressed | hidden != 0).then_some(Disguise {
            key,
            pressed,
            hidden,
        });
        self.tell(before, out);
    }

    /// Releases the key that was pressed as this keysym, else the one in the same place: a client may press `?`, let go
    /// of Shift, and release `/`.
    fn lift_keysym(&mut self, client: ClientId, key: Key, keysym: u32, out: &mut Vec<Report>) {
        let twin = match key {
            Key::Keyboard(usage) => keypad_twin(usage).map(Key::Keyboard),
            Key::Consumer(_) => None,
        };
        let _ = self.lift(client, out, |held| held.keysym == keysym)
            || self.lift(client, out, |held| held.key == key)
            || self.lift(client, out, |held| {
                Some(held.key) == twin && held.keysym != 0
            });
    }

    /// Takes one key out of a client's hands; false if it holds no such key.
    fn lift(
        &mut self,
        client: ClientId,
        out: &mut Vec<Report>,
        which: impl Fn(&Held) -> bool,
    ) -> bool {
        let found = self
            .held
            .iter()
            .position(|held| held.client == client && which(held));
        if let Some(at) = found {
            let before = self.keyboard_report();
            self.held.remove(at);
            self.settle(before, out);
        }
        found.is_some()
    }

    /// Reports what changed since `before` now that nobody holds some keys any more, then shows the modifiers as held if the key they were changed for is up.
    fn settle(&mut self, before: Report, out: &mut Vec<Report>) {
        let consumer_before = self.consumer_report();
        let held = &self.held;
        let is_held = |key: Key| held.iter().any(|held| held.key == key);
        self.shown.retain(|usage| is_held(Key::Keyboard(*usage)));
        self.consumer = self.consumer.filter(|usage| is_held(Key::Consumer(*usage)));
        let over = self.disguise.is_some_and(|disguise| !is_held(disguise.key));
        self.tell(before, out);
        if self.consumer_report() != consumer_before {
            out.push(self.consumer_report());
        }
        if over {
            let before = self.keyboard_report();
            self.disguise = None;
            self.tell(before, out);
        }
    }

    fn tell(&self, before: Report, out: &mut Vec<Report>) {
        let now = self.keyboard_report();
        if now != before {
            out.push(now);
        }
    }

    fn modifiers(&self) -> u8 {
        let (pressed, hidden) = self
            .disguise
            .map_or((0, 0), |disguise| (disguise.pressed, disguise.hidden));
        (self.held_modifiers() & !hidden) | pressed
    }

    fn held_modifiers(&self) -> u8 {
        self.held
            .iter()
            .fold(0, |all, held| all | modifier(held.key))
    }

    /// Right Alt's bit if it is held only as the shift to a layout's third level.
    fn level_three(&self) -> u8 {
        let right_alt = Key::Keyboard(Usage::RIGHT_ALT);
        let mut holders = self
            .held
            .iter()
            .filter(|held| held.key == right_alt)
            .peekable();
        let any = holders.peek().is_some();
        let all = holders.all(|held| matches!(held.keysym, 0xfe03 | 0xfe04 | 0xfe11 | 0xff7e));
        if any && all { RIGHT_ALT } else { 0 }
    }
}

fn modifier(key: Key) -> u8 {
    match key {
        Key::Keyboard(usage) => usage.modifier(),
        Key::Consumer(_) => 0,
    }
}

#[cfg(test)]
#[path = "keyboard_tests.rs"]
mod tests;
