//! From what clients name a key by, keysyms and scancodes, to what HID names it by.
//!
//! ```text
//! us (built in) ┐
//! xkb (files)   ┴→ places: what each key types at each level → typing: how to type each character (dead) → Layout
//! keysym → named: keys that are the same on every layout, else the layout's characters
//! scancode → usage
//! ```

mod dead;
mod layout;
mod named;
mod scancode;
mod typing;
mod us;
mod xkb;

#[cfg(test)]
pub(super) use layout::tests as made;
pub use layout::{Layout, LayoutError};
pub use named::keypad_twin;
pub use scancode::from_scancode;
pub use typing::{Stroke, Types, Typing};

/// A usage of the HID Keyboard/Keypad page (0x07): a place on the keyboard, not a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Usage(pub u8);

impl Usage {
    pub const CAPS_LOCK: Usage = Usage(0x39);
    pub const NUM_LOCK: Usage = Usage(0x53);
    pub const SPACE: Usage = Usage(0x2c);
    pub const RIGHT_ALT: Usage = Usage(0xe6);

    /// The key's bit in the modifier byte; 0 for all other keys.
    pub const fn modifier(self) -> u8 {
        match self.0 {
            0xe0..=0xe7 => 1 << (self.0 - 0xe0),
            _ => 0,
        }
    }
}

/// A key of the gadget: of its keyboard or of its consumer control.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    Keyboard(Usage),
    /// A usage of the HID Consumer page (0x0c).
    Consumer(u16),
}

/// A set of modifier keys: bits 0 to 7 as in the first byte of a boot keyboard's report, bits 8 and 9 the keys that
/// choose the third and the fifth level on layouts (de(neo)) where those are keys like any other.
pub type Modifiers = u16;

/// Left Shift; in what a stroke needs, either Shift.
pub const SHIFT: Modifiers = 0x02;
/// Either Shift.
pub const SHIFTS: Modifiers = 0x22;

/// What a keysym asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A key that means the same under all modifiers, or whose modifiers are part of what the client wants: Return, F1.
    Key(Key),
    /// A character, or a dead key.
    Type(Typing),
}
