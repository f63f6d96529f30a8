//! Which keys are down, and the keyboard and consumer reports that say so.
//!
//! **Ownership.** A key is down while any client holds it. Who releases it or leaves lifts only what no one
//! else holds.
//!
//! **Modifiers for keysym clients.** Where those that are held do not give the character on the target's layout
//! ([`modifiers`] says what does), a report of its own brings them in order before the key goes down
//! (firmware that samples the modifiers late still gets it right), and another restores them after the key went up.
//!
//! **More than one stroke.** What takes a dead key first, or Caps Lock the other way, is typed by strokes each of which
//! the target sees come and go; the last one stays down as long as the client's key, unless Caps Lock has to follow it.
//!
//! Keys pressed by scancode, and keys that type no character, go out under the modifiers as held.
//!
//! **More than six keys.** A boot report has room for six. The newest six are shown: every press is seen, and
//! the key that gives way counts as up until it is pressed again (its own release changes nothing).

use std::{sync::Arc, time::Duration};

use super::{
    ClientId, Leds, Report,
    keymap::{
        Action, Key, Layout, Modifiers, Stroke, Types, Typing, Usage, from_scancode, keypad_twin,
    },
    locks::Locks,
    modifiers::{self, Disguise},
};

/// Keys in a boot report.
const ROOM: usize = 6;

/// The keyboard and the consumer control of all clients together.
#[derive(Debug, Default)]
pub(super) struct Keyboard {
    layout: Arc<Layout>,
    /// Num Lock is tapped for a client whose Num Lock is on.
    lock_inference: bool,
    locks: Locks,
    held: Vec<Held>,
    /// Keys in the report, oldest first; no modifiers.
    shown: Vec<Usage>,
    consumer: Option<u16>,
    /// Modifiers shown otherwise than held, while this key is down.
    disguise: Option<(Key, Disguise)>,
}

/// A key that a client holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Held {
    client: ClientId,
    key: Key,
    /// What it was pressed as; 0 if by scancode alone.
    keysym: u32,
    /// It types a character.
    types: bool,
}

impl Keyboard {
    pub(super) fn new(layout: Arc<Layout>, lock_inference: bool) -> Self {
        Self {
            layout,
            lock_inference,
            ..Self::default()
        }
    }

    /// What the target's LEDs are at this moment.
    pub(super) fn look_at_leds(&mut self, now: Duration, leds: Option<Leds>) {
        self.locks.update(now, leds);
    }

    /// A key by its keysym. Adds the reports that follow from it to `out`, each to be seen by the target.
    pub(super) fn keysym(
        &mut self,
        client: ClientId,
        down: bool,
        keysym: u32,
        out: &mut Vec<Report>,
    ) {
        let caps = self.caps_on();
        let action = self.layout.action(keysym, caps).or_else(|| {
            let is_shortcut = self.held_modifiers().is_shortcut();
            let typing = self.layout.latin(keysym, caps, is_shortcut)?;
            Some(Action::Type(typing))
        });
        match (action, down) {
            (None, true) => tracing::debug!("a keysym that the layout does not have"),
            // The layout may have it under other modifiers, as a shortcut.
            (None, false) => {
                self.lift(client, out, |held| held.keysym == keysym && keysym != 0);
            }
            (Some(Action::Key(key)), true) => {
                if self.lock_inference && is_keypad_digit(keysym) {
                    self.turn_num_on(client, key, out);
                }
                self.press(client, key, keysym, out);
            }
            (Some(Action::Type(typing)), true) => self.enter(client, typing, keysym, false, out),
            (Some(Action::Key(key)), false) => {
                self.lift_keysym(client, key, keysym, false, out);
            }
            (Some(Action::Type(typing)), false) => {
                let key = Key::Keyboard(typing.stroke.usage);
                self.lift_keysym(client, key, keysym, true, out);
            }
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
        let keysym = 0x0100_0000 + u32::from(character);
        let typing = self.layout.typing(character, self.caps_on()).or_else(|| {
            // Line ends and tabs: keys under no modifier.
            match self.layout.action(keysym, false)? {
                Action::Key(Key::Keyboard(usage)) => Some(Typing::from(Stroke {
                    usage,
                    modifiers: 0,
                    types: Types::Symbol,
                })),
                _ => None,
            }
        });
        match (typing, down) {
            (None, _) => {}
            (Some(typing), true) => self.enter(client, typing, keysym, true, out),
            (Some(typing), false) => {
                let key = Key::Keyboard(typing.stroke.usage);
                self.lift_keysym(client, key, keysym, true, out);
            }
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
            self.press(client, key, 0, out);
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

    /// Keys and characters are those of this layout from now on. What is held was pressed by the other one and is let go of.
    pub(super) fn set_layout(&mut self, layout: Arc<Layout>, out: &mut Vec<Report>) {
        let before = self.keyboard_report();
        self.held.clear();
        self.settle(before, out);
        self.layout = layout;
    }

    /// Nothing is heard of a client any more: its keys are let go of. Modifiers stay, because who holds one sends nothing
    /// until they press what it is for.
    pub(super) fn expire(&mut self, client: ClientId, out: &mut Vec<Report>) {
        let before = self.keyboard_report();
        let layout = &self.layout;
        let is_modifier = |key| matches!(key, Key::Keyboard(usage) if layout.modifier(usage) != 0);
        self.held
            .retain(|held| held.client != client || is_modifier(held.key));
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
        let modifiers = self.modifiers();
        let mut keys: Vec<Usage> = self.layout.own_modifier_keys(modifiers).collect();
        keys.extend(&self.shown);
        let [byte, _] = modifiers.to_le_bytes();
        Report::keyboard(byte, &keys)
    }

    /// The consumer report of this moment.
    pub(super) fn consumer_report(&self) -> Report {
        Report::consumer(self.consumer.unwrap_or(0))
    }

    /// Presses a key under the modifiers as held.
    fn press(&mut self, client: ClientId, key: Key, keysym: u32, out: &mut Vec<Report>) {
        if self.holds(client, key) {
            return; // The viewer's auto-repeat; the target repeats by itself.
        }
        let held = Held {
            client,
            key,
            keysym,
            types: false,
        };
        match key {
            Key::Keyboard(usage) if self.layout.modifier(usage) == 0 => {
                if !self.shown.contains(&usage) {
                    self.dress(key, Disguise::default(), out);
                    self.show(usage, out);
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

    /// Types a character: `exactly` if it is one of a text and what is held has no say.
    fn enter(
        &mut self,
        client: ClientId,
        typing: Typing,
        keysym: u32,
        exactly: bool,
        out: &mut Vec<Report>,
    ) {
        let key = Key::Keyboard(typing.stroke.usage);
        let is_same = |held: &Held| held.client == client && held.key == key;
        if let Some(at) = self.held.iter().position(is_same) {
            if self.held[at].keysym == keysym {
                return; // Auto-repeat.
            }
            // On the client's keyboard this is another key, or the same under other modifiers.
            self.held.remove(at);
        }
        if typing.other_caps {
            self.tap(Usage::CAPS_LOCK, self.held_modifiers().all_hidden(), out);
        }
        if let Some(dead) = typing.dead {
            self.tap(dead.usage, self.disguise_for(&dead, exactly), out);
        }
        let mut stroke = typing.stroke;
        if typing.dead.is_some() || typing.other_caps {
            stroke.types = Types::Symbol; // No chord that anybody can mean.
        }
        let disguise = self.disguise_for(&stroke, exactly);
        if typing.other_caps {
            self.tap(stroke.usage, disguise, out);
            self.tap(Usage::CAPS_LOCK, self.held_modifiers().all_hidden(), out);
            self.undress(out);
        } else {
            self.strike(stroke.usage, disguise, out);
        }
        self.held.push(Held {
            client,
            key,
            keysym,
            types: true,
        });
    }

    /// Presses and releases a key under other modifiers than those held.
    fn tap(&mut self, usage: Usage, disguise: Disguise, out: &mut Vec<Report>) {
        self.strike(usage, disguise, out);
        let before = self.keyboard_report();
        self.shown.retain(|shown| *shown != usage);
        self.tell(before, out);
    }

    /// Presses a key under other modifiers than those held, so that the target sees it go down even if it was.
    fn strike(&mut self, usage: Usage, disguise: Disguise, out: &mut Vec<Report>) {
        let before = self.keyboard_report();
        self.shown.retain(|shown| *shown != usage);
        self.tell(before, out);
        self.dress(Key::Keyboard(usage), disguise, out);
        self.show(usage, out);
    }

    /// Brings the modifiers to what the key about to be pressed needs.
    fn dress(&mut self, key: Key, disguise: Disguise, out: &mut Vec<Report>) {
        let before = self.keyboard_report();
        self.disguise = (!disguise.is_none()).then_some((key, disguise));
        self.tell(before, out);
    }

    /// Shows the modifiers as held.
    fn undress(&mut self, out: &mut Vec<Report>) {
        let before = self.keyboard_report();
        self.disguise = None;
        self.tell(before, out);
    }

    fn show(&mut self, usage: Usage, out: &mut Vec<Report>) {
        let own = self.layout.own_modifier_keys(Modifiers::MAX).count();
        if self.shown.len() == ROOM - own {
            self.shown.remove(0);
        }
        self.shown.push(usage);
        out.push(self.keyboard_report());
        if usage != Usage::CAPS_LOCK || self.layout.caps_locks() {
            self.locks.pressed(usage);
        }
    }

    /// How to show the modifiers for a stroke: `exactly` if it is of a text.
    fn disguise_for(&self, stroke: &Stroke, exactly: bool) -> Disguise {
        match exactly {
            true => self.held_modifiers().exact_disguise(stroke),
            false => self.held_modifiers().disguise(stroke),
        }
    }

    /// Taps Num Lock if the target takes the client's keypad digit for an arrow.
    fn turn_num_on(&mut self, client: ClientId, key: Key, out: &mut Vec<Report>) {
        let is_off = self.locks.num_on() == Some(false) && self.locks.num_answers();
        if is_off && !self.holds(client, key) {
            self.tap(Usage::NUM_LOCK, self.held_modifiers().all_hidden(), out);
            self.undress(out);
        }
    }

    /// Releases the key that was pressed as this keysym, else the one in the same place, else (if it `types`) the newest
    /// that types: a client may press `?`, let go of Shift, and release `/`, which may be another key on the target's layout.
    fn lift_keysym(
        &mut self,
        client: ClientId,
        key: Key,
        keysym: u32,
        types: bool,
        out: &mut Vec<Report>,
    ) {
        let twin = match key {
            Key::Keyboard(usage) => keypad_twin(usage).map(Key::Keyboard),
            Key::Consumer(_) => None,
        };
        let _ = self.lift(client, out, |held| held.keysym == keysym)
            || self.lift(client, out, |held| held.key == key)
            || self.lift(client, out, |held| {
                Some(held.key) == twin && held.keysym != 0
            })
            || self.lift(client, out, |held| types && held.types);
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
            .rposition(|held| held.client == client && which(held));
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
        let over = self.disguise.is_some_and(|(key, _)| !is_held(key));
        self.tell(before, out);
        if self.consumer_report() != consumer_before {
            out.push(self.consumer_report());
        }
        if over {
            self.undress(out);
        }
    }

    fn tell(&self, before: Report, out: &mut Vec<Report>) {
        let now = self.keyboard_report();
        if now != before {
            out.push(now);
        }
    }

    fn holds(&self, client: ClientId, key: Key) -> bool {
        let is_it = |held: &Held| held.client == client && held.key == key;
        self.held.iter().any(is_it)
    }

    /// The modifiers as the target is shown them.
    fn modifiers(&self) -> Modifiers {
        let disguise = self.disguise.map(|(_, disguise)| disguise);
        disguise
            .unwrap_or_default()
            .of(self.held_modifiers().modifiers)
    }

    fn held_modifiers(&self) -> modifiers::Held {
        let is_level = |held: &Held| matches!(held.keysym, 0xfe03 | 0xfe04 | 0xfe11 | 0xff7e);
        let (mut all, mut as_keys) = (0, 0);
        for held in &self.held {
            let modifier = self.modifier(held.key);
            all |= modifier;
            as_keys |= if is_level(held) { 0 } else { modifier };
        }
        modifiers::Held {
            modifiers: all,
            level_keys: all & !as_keys,
            caps_on: self.caps_on(),
        }
    }

    /// Off if nobody knows.
    fn caps_on(&self) -> bool {
        self.locks.caps_on() == Some(true)
    }

    fn modifier(&self, key: Key) -> Modifiers {
        match key {
            Key::Keyboard(usage) => self.layout.modifier(usage),
            Key::Consumer(_) => 0,
        }
    }
}

/// The keypad's keys as they are with Num Lock on: KP_Separator, KP_Decimal, KP_0 to KP_9.
fn is_keypad_digit(keysym: u32) -> bool {
    matches!(keysym, 0xffac | 0xffae | 0xffb0..=0xffb9)
}

#[cfg(test)]
#[path = "keyboard_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "keyboard_layout_tests.rs"]
mod layout_tests;
