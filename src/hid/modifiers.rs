//! Which modifiers a stroke has to find down, and which of those held it must not.
//!
//! A keysym names a character, a report names places. If the Shift and AltGr that are held do not give the character on
//! the target's layout, they are shown to the target otherwise than they are held:
//! - `A`, `!` or ISO_Left_Tab without Shift: Shift is pressed; `@` on a German keyboard: AltGr is. Not for a letter
//!   while Ctrl, Alt or GUI is held: that is a shortcut typed with Caps Lock on, and Ctrl + C must not become
//!   Ctrl + Shift + C.
//! - `b` with Shift: Shift stays. Only scripts that mean the chord Shift + b send this (or Caps Lock is on, and then
//!   Shift is what makes the letter small).
//! - `1` or `/` with Shift: Shift is hidden. Viewers on layouts that have these at the upper level (French digits, the German
//!   slash) send this, and they mean the character; who means `!` sends `!`.
//! - any character that needs no AltGr while that is held as ISO_Level3_Shift or Mode_switch: AltGr is hidden, since it
//!   only served to make the character on the client's layout.
//! - a character that needs AltGr while exactly Ctrl and Alt are held: they are hidden; this is how Windows spells AltGr.
//! - where the target's Caps Lock is known to be on, letters need Shift the other way, and nothing is left to guess.
//!
//! A character of a text goes out under exactly the modifiers it needs, whoever holds others.

use super::keymap::{Modifiers, SHIFT, SHIFTS, Stroke, Types};

const CONTROLS: Modifiers = 0x11;
const ALTS: Modifiers = 0x44;
const GUIS: Modifiers = 0x88;

/// What all clients together hold, and how that is to be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) modifiers: Modifiers,
    /// Those that are held only as the way to a layout's third or fifth level.
    pub(super) level_keys: Modifiers,
    /// Off if nobody knows.
    pub(super) caps_on: bool,
}

/// Modifiers to show otherwise than they are held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Disguise {
    pub(super) pressed: Modifiers,
    pub(super) hidden: Modifiers,
}

impl Held {
    /// Whether modifiers are held that make a shortcut of a letter.
    pub(super) fn is_shortcut(self) -> bool {
        self.modifiers & (CONTROLS | ALTS | GUIS) & !self.level_keys != 0
    }

    /// Shows no modifier.
    pub(super) fn all_hidden(self) -> Disguise {
        Disguise {
            pressed: 0,
            hidden: self.modifiers,
        }
    }

    /// For a key that a client presses.
    pub(super) fn disguise(self, stroke: &Stroke) -> Disguise {
        let needs = stroke.modifiers & !SHIFTS;
        let controls_and_alts = self.modifiers & (CONTROLS | ALTS);
        let is_windows_alt_gr = needs != 0
            && controls_and_alts & CONTROLS != 0
            && controls_and_alts & ALTS != 0
            && self.modifiers & GUIS == 0;
        let windows_alt_gr = if is_windows_alt_gr {
            controls_and_alts
        } else {
            0
        };
        let is_chord = self.is_shortcut() && !is_windows_alt_gr;
        let keeps_shift = match stroke.types {
            Types::Small => is_chord || (stroke.modifiers & SHIFT == 0 && !self.caps_on),
            Types::Capital => is_chord,
            Types::Space => true,
            Types::Symbol => false,
        };
        let mut disguise = Disguise {
            pressed: needs & !self.modifiers,
            hidden: (self.level_keys | windows_alt_gr) & !needs,
        };
        if !keeps_shift {
            self.bring_shift(stroke, &mut disguise);
        }
        disguise
    }

    /// For a character of a text.
    pub(super) fn exact_disguise(self, stroke: &Stroke) -> Disguise {
        let needs = stroke.modifiers & !SHIFTS;
        let mut disguise = Disguise {
            pressed: needs & !self.modifiers,
            hidden: self.modifiers & !SHIFTS & !needs,
        };
        self.bring_shift(stroke, &mut disguise);
        disguise
    }

    fn bring_shift(self, stroke: &Stroke, disguise: &mut Disguise) {
        match (stroke.modifiers & SHIFT != 0, self.modifiers & SHIFTS) {
            (true, 0) => disguise.pressed |= SHIFT,
            (true, _) => {}
            (false, shifts) => disguise.hidden |= shifts,
        }
    }
}

impl Disguise {
    /// What the target is shown while these are held.
    pub(super) fn of(self, held: Modifiers) -> Modifiers {
        (held & !self.hidden) | self.pressed
    }

    pub(super) fn is_none(self) -> bool {
        self == Self::default()
    }
}
