//! XT (set 1) scancodes, as the QEMU extended key event carries them, and Linux key codes, by which XKB names keys.

use super::{Key, Key::Consumer, Usage};

/// The key with this scancode. A 0xe0 prefix is bit 7; the two-byte form (0xe01d) is understood as well.
///
/// `None` for codes of no key, 0 among them: the keysym beside it decides then.
pub fn from_scancode(code: u32) -> Option<Key> {
    let code = match code {
        0x01..=0xff => code as u8,
        0xe000..=0xe07f => code as u8 | 0x80,
        _ => return None,
    };
    let usage = match code & 0x80 {
        0 => PLAIN[usize::from(code)],
        _ => return extended(code & 0x7f),
    };
    (usage != 0).then_some(Key::Keyboard(Usage(usage)))
}

/// The usage of a Linux key code (`input-event-codes.h`), as far as keyboard layouts give it a meaning. XKB's key code is
/// this one plus 8.
pub(super) fn from_linux(code: u32) -> Option<Usage> {
    let usage = match code {
        // The codes of the first 83 keys, and of those that later keyboards had without prefix, are those of XT.
        1..=83 | 86..=88 => PLAIN[code as usize],
        85 => 0x94,  // Zenkaku/Hankaku
        89 => 0x87,  // Ro (and / of Brazilian keyboards)
        90 => 0x92,  // Katakana
        91 => 0x93,  // Hiragana
        92 => 0x8a,  // Henkan
        93 => 0x88,  // Katakana/Hiragana
        94 => 0x8b,  // Muhenkan
        95 => 0x8c,  // keypad comma of Japanese keyboards
        96 => 0x58,  // keypad Enter
        97 => 0xe4,  // right Ctrl
        98 => 0x54,  // keypad /
        100 => 0xe6, // right Alt
        117 => 0x67, // keypad =
        121 => 0x85, // keypad . of Brazilian keyboards
        122 => 0x90, // Hangul
        123 => 0x91, // Hanja
        124 => 0x89, // Yen
        125 => 0xe3, // left GUI
        126 => 0xe7, // right GUI
        127 => 0x65, // Menu
        _ => return None,
    };
    (usage != 0).then_some(Usage(usage))
}

/// Usages of the codes without prefix; 0 where there is no key.
#[rustfmt::skip]
const PLAIN: [u8; 128] = [
    // 0x00: none, Esc, 1 to 0, -, =, Backspace, Tab
    0x00, 0x29, 0x1e, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x2d, 0x2e, 0x2a, 0x2b,
    // 0x10: Q W E R T Y U I O P [ ], Enter, left Ctrl, A S
    0x14, 0x1a, 0x08, 0x15, 0x17, 0x1c, 0x18, 0x0c, 0x12, 0x13, 0x2f, 0x30, 0x28, 0xe0, 0x04, 0x16,
    // 0x20: D F G H J K L ; ' `, left Shift, \, Z X C V
    0x07, 0x09, 0x0a, 0x0b, 0x0d, 0x0e, 0x0f, 0x33, 0x34, 0x35, 0xe1, 0x31, 0x1d, 0x1b, 0x06, 0x19,
    // 0x30: B N M , . /, right Shift, keypad *, left Alt, Space, Caps Lock, F1 to F5
    0x05, 0x11, 0x10, 0x36, 0x37, 0x38, 0xe5, 0x55, 0xe2, 0x2c, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e,
    // 0x40: F6 to F10, Num Lock, Scroll Lock, keypad 7 8 9 - 4 5 6 + 1
    0x3f, 0x40, 0x41, 0x42, 0x43, 0x53, 0x47, 0x5f, 0x60, 0x61, 0x56, 0x5c, 0x5d, 0x5e, 0x57, 0x59,
    // 0x50: keypad 2 3 0 ., Print Screen (with Alt), F16, the key beside left Shift, F11, F12, keypad =,
    //       F20, none, keypad comma of Japanese keyboards, F13 to F15
    0x5a, 0x5b, 0x62, 0x63, 0x46, 0x6b, 0x64, 0x44, 0x45, 0x67, 0x6f, 0x00, 0x8c, 0x68, 0x69, 0x6a,
    // 0x60: none; 0x64 Open, 0x65 Paste (below); 0x6d F23, 0x6f F24
    0x00, 0x00, 0x00, 0x00, 0x74, 0x7d, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x72, 0x00, 0x73,
    // 0x70: Katakana/Hiragana, Hanja, Hangul, Ro (and / of Brazilian keyboards), F21, none, Zenkaku/Hankaku,
    //       Hiragana, Katakana, Henkan, none, Muhenkan, none, Yen, keypad comma (. of Brazilian keyboards), none
    0x88, 0x91, 0x90, 0x87, 0x70, 0x00, 0x94, 0x93, 0x92, 0x8a, 0x00, 0x8b, 0x00, 0x89, 0x85, 0x00,
];

/// The codes behind a 0xe0 prefix.
fn extended(code: u8) -> Option<Key> {
    let usage = match code {
        0x03 => 0x6c,                          // F17
        0x04 => 0x6e,                          // F19
        0x05 => 0x79,                          // Again
        0x06 => 0x76,                          // Props (the Menu usage)
        0x07 => 0x7a,                          // Undo
        0x10 => return Some(Consumer(0x00b6)), // Previous track
        0x19 => return Some(Consumer(0x00b5)), // Next track
        0x1c => 0x58,                          // keypad Enter
        0x1d => 0xe4,                          // right Ctrl
        0x20 => return Some(Consumer(0x00e2)), // Mute
        0x21 => return Some(Consumer(0x0192)), // Calculator
        0x22 => return Some(Consumer(0x00cd)), // Play/Pause
        0x24 => return Some(Consumer(0x00b7)), // Stop
        0x2e => return Some(Consumer(0x00ea)), // Volume down
        0x30 => return Some(Consumer(0x00e9)), // Volume up
        0x32 => return Some(Consumer(0x0223)), // Home page
        0x35 => 0x54,                          // keypad /
        0x37 => 0x46,                          // Print Screen
        0x38 => 0xe6,                          // right Alt
        0x3c => 0x7b,                          // Cut
        0x41 => 0x7e,                          // Find
        0x45 => 0x53,                          // Num Lock, as some clients send it
        0x46 => 0x48,                          // Pause (Ctrl+Break)
        0x47 => 0x4a,                          // Home
        0x48 => 0x52,                          // Up
        0x49 => 0x4b,                          // Page Up
        0x4b => 0x50,                          // Left
        0x4d => 0x4f,                          // Right
        0x4f => 0x4d,                          // End
        0x50 => 0x51,                          // Down
        0x51 => 0x4e,                          // Page Down
        0x52 => 0x49,                          // Insert
        0x53 => 0x4c,                          // Delete
        0x5b => 0xe3,                          // left GUI
        0x5c => 0xe7,                          // right GUI
        0x5d => 0x65,                          // Menu (Application)
        0x5e => 0x66,                          // Power
        0x5f => return Some(Consumer(0x0032)), // Sleep
        0x65 => return Some(Consumer(0x0221)), // Search
        0x66 => return Some(Consumer(0x022a)), // Bookmarks
        0x67 => return Some(Consumer(0x0227)), // Refresh
        0x68 => return Some(Consumer(0x0226)), // Stop loading
        0x69 => return Some(Consumer(0x0225)), // Forward
        0x6a => return Some(Consumer(0x0224)), // Back
        0x6b => return Some(Consumer(0x0194)), // My computer
        0x6c => return Some(Consumer(0x018a)), // Mail
        0x6d => return Some(Consumer(0x0183)), // Media player
        0x71 => 0x91,                          // Hanja, the code real Korean keyboards send
        0x72 => 0x90,                          // Hangul, likewise
        0x75 => 0x75,                          // Help
        0x76 => 0xb6,                          // keypad (
        0x77 => 0x6d,                          // F18
        0x78 => 0x7c,                          // Copy
        0x79 => 0x71,                          // F22
        0x7b => 0xb7,                          // keypad )
        0x7d => return Some(Consumer(0x00b8)), // Eject
        _ => return None,
    };
    Some(Key::Keyboard(Usage(usage)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(code: u32) -> u8 {
        match from_scancode(code) {
            Some(Key::Keyboard(Usage(usage))) => usage,
            other => panic!("{code:#x}: {other:?}"),
        }
    }

    #[test]
    fn check_53_scancodes_name_places() {
        assert_eq!(usage(0x1e), 0x04);
        assert_eq!(usage(0x54), 0x46);
        assert_eq!(usage(0xb7), 0x46);
        assert_eq!(usage(0xc6), 0x48);
        assert_eq!(usage(0x1c), 0x28);
        assert_eq!(usage(0x9c), 0x58);
        assert_eq!(usage(0xe038), 0xe6);
        assert_eq!(from_scancode(0), None);
        assert_eq!(from_scancode(0x100), None);
        assert_eq!(from_scancode(u32::MAX), None);
    }

    #[test]
    fn letters_and_digits_are_where_the_us_layout_has_them() {
        for (row, keys) in [(0x10, "qwertyuiop"), (0x1e, "asdfghjkl"), (0x2c, "zxcvbnm")] {
            for (code, letter) in (row..).zip(keys.bytes()) {
                assert_eq!(usage(code), letter - b'a' + 4, "{}", letter as char);
            }
        }
        for (code, expected) in (0x02..=0x0b).zip(0x1e..) {
            assert_eq!(usage(code), expected);
        }
    }

    #[test]
    fn every_key_of_105_japanese_korean_and_brazilian_keyboards_is_there() {
        let places: Vec<u8> = (1..=0xff)
            .filter_map(|code| match from_scancode(code) {
                Some(Key::Keyboard(usage)) => Some(usage.0),
                _ => None,
            })
            .collect();
        // All of a 105-key board, F13 to F24, the international and language keys, both sides of each modifier;
        // 0x32 is the same key as 0x31 on every layout, 0x66 is Power.
        let wanted = (0x04..=0x73)
            .filter(|usage| *usage != 0x32)
            .chain([0x85])
            .chain(0x87..=0x8c)
            .chain(0x90..=0x94)
            .chain(0xe0..=0xe7);
        for usage in wanted {
            assert!(places.contains(&usage), "usage {usage:#x} has no scancode");
        }
    }
}
