//! What the keys of a US keyboard mean to the machine they are plugged into.
//!
//! Written from the HID Usage Tables 1.5, section 10, and on purpose apart from the tables that
//! turn keysyms into usages: a slip in one is not hidden by the same slip in the other.

/// What a key press means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Char(char),
    Enter,
    Escape,
    Backspace,
    Delete,
    Insert,
    Tab,
    Left,
    Right,
    Up,
    Down,
    Home,
    End,
    PageUp,
    PageDown,
    Function(u16),
    NumLock,
    CapsLock,
    ScrollLock,
    /// Print Screen, Pause, Menu and whatever else does nothing here.
    Other,
}

/// Keyboard/Keypad usage page.
pub(super) const KEYBOARD_PAGE: u16 = 0x07;

/// Modifier usages in the order of the boot report's first byte.
pub(super) const LEFT_CONTROL: u16 = 0xe0;
pub(super) const LEFT_SHIFT: u16 = 0xe1;
pub(super) const RIGHT_SHIFT: u16 = 0xe5;
pub(super) const RIGHT_GUI: u16 = 0xe7;

/// The meaning of usage `id` of the keyboard page under Shift, Caps Lock and Num Lock.
pub(super) fn key(id: u16, shift: bool, caps: bool, num: bool) -> Key {
    match id {
        // a to z.
        0x04..=0x1d => letter(id - 0x04, shift != caps),
        // 1 to 9, 0.
        0x1e..=0x27 => symbol("1234567890", "!@#$%^&*()", id - 0x1e, shift),
        0x28 | 0x58 => Key::Enter,
        0x29 => Key::Escape,
        0x2a => Key::Backspace,
        0x2b => Key::Tab,
        0x2c => Key::Char(' '),
        0x2d..=0x31 => symbol("-=[]\\", "_+{}|", id - 0x2d, shift),
        // The extra key of ISO keyboards and the one beside Enter both carry the backslash.
        0x32 | 0x64 => symbol("\\", "|", 0, shift),
        0x33..=0x38 => symbol(";'`,./", ":\"~<>?", id - 0x33, shift),
        0x39 => Key::CapsLock,
        0x3a..=0x45 => Key::Function(id - 0x3a + 1),
        0x47 => Key::ScrollLock,
        0x49 => Key::Insert,
        0x4a => Key::Home,
        0x4b => Key::PageUp,
        0x4c => Key::Delete,
        0x4d => Key::End,
        0x4e => Key::PageDown,
        0x4f => Key::Right,
        0x50 => Key::Left,
        0x51 => Key::Down,
        0x52 => Key::Up,
        0x53 => Key::NumLock,
        0x54..=0x57 => symbol("/*-+", "/*-+", id - 0x54, false),
        // Shift turns the keypad's other meaning on, whatever Num Lock says.
        0x59..=0x63 if num != shift => symbol("1234567890.", "", id - 0x59, false),
        0x59..=0x63 => keypad_navigation(id - 0x59),
        0x67 => Key::Char('='),
        0x68..=0x73 => Key::Function(id - 0x68 + 13),
        _ => Key::Other,
    }
}

fn letter(index: u16, upper: bool) -> Key {
    let Key::Char(letter) = symbol("abcdefghijklmnopqrstuvwxyz", "", index, false) else {
        return Key::Other;
    };
    Key::Char(if upper {
        letter.to_ascii_uppercase()
    } else {
        letter
    })
}

fn symbol(plain: &str, shifted: &str, index: u16, shift: bool) -> Key {
    let row = if shift { shifted } else { plain };
    row.chars()
        .nth(usize::from(index))
        .map_or(Key::Other, Key::Char)
}

fn keypad_navigation(index: u16) -> Key {
    const KEYS: [Key; 11] = [
        Key::End,
        Key::Down,
        Key::PageDown,
        Key::Left,
        Key::Other,
        Key::Right,
        Key::Home,
        Key::Up,
        Key::PageUp,
        Key::Insert,
        Key::Delete,
    ];
    KEYS.get(usize::from(index)).copied().unwrap_or(Key::Other)
}
