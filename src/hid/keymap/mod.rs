//! From what clients name a key by, keysyms and scancodes, to what HID names it by.

mod keysym;
mod scancode;

use keysym::from_keysym;
pub use keysym::keypad_twin;
pub use scancode::from_scancode;

/// A usage of the HID Keyboard/Keypad page (0x07): a place on the keyboard, not a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Usage(pub u8);

impl Usage {
    pub const LEFT_SHIFT: Usage = Usage(0xe1);
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

/// What a keysym asks of Shift on the US layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shift {
    /// The key means the same at both levels, or Shift is part of what the client wants: Return, F1, Space.
    AsHeld,
    /// A small letter. Only a tool that writes Shift + b sends one while Shift is held (or Caps Lock is on), so Shift stays.
    Letter,
    /// A capital letter.
    Capital,
    /// A character at the upper level, such as `!`.
    Down,
    /// A character at the lower level that is no letter, such as `1`.
    Up,
    /// Shift and no other modifier, whatever is held.
    Only,
    /// No modifier, whatever is held.
    None,
}

/// The target's keyboard layout: where its characters are.
#[derive(Debug)]
pub struct Layout(());

impl Default for Layout {
    fn default() -> Self {
        Self::us()
    }
}

impl Layout {
    /// The US layout, which firmware and boot loaders have.
    pub fn us() -> Self {
        Self(())
    }

    /// Where a keysym is; `None` if it is of no key, or of a character that the layout does not have.
    pub fn stroke(&self, keysym: u32) -> Option<Stroke> {
        from_keysym(keysym)
    }

    /// Whether [`Input::Character`](super::Input::Character) types this.
    pub fn can_type(&self, character: char) -> bool {
        self.stroke(of_character(character)).is_some()
    }
}

/// The keysym of a character.
pub fn of_character(character: char) -> u32 {
    0x0100_0000 + u32::from(character)
}

/// A keysym's place on the layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stroke {
    pub key: Key,
    pub shift: Shift,
}
