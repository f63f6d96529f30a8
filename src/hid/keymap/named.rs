//! X11 keysyms of keys that are the same on every layout.

use super::{Key, Usage};

/// The key that a keysym names; `None` for characters, dead keys, and the keys that choose a layout's levels.
pub(super) fn named(keysym: u32) -> Option<Key> {
    match keysym {
        0xfe00..=0xffff => function(keysym),
        0x1008_ff00..=0x1008_ffff => media(keysym & 0xff),
        0x0100_0000..=0x0100_007f => control(keysym - 0x0100_0000),
        _ => control(keysym),
    }
}

/// The navigation key that a keypad key is without Num Lock, and the other way round.
///
/// A client whose Num Lock changed while a key was down releases it by the other name.
pub fn keypad_twin(usage: Usage) -> Option<Usage> {
    const TWINS: [(u8, u8); 10] = [
        (0x5f, 0x4a), // 7 Home
        (0x60, 0x52), // 8 Up
        (0x61, 0x4b), // 9 Page Up
        (0x5c, 0x50), // 4 Left
        (0x5e, 0x4f), // 6 Right
        (0x59, 0x4d), // 1 End
        (0x5a, 0x51), // 2 Down
        (0x5b, 0x4e), // 3 Page Down
        (0x62, 0x49), // 0 Insert
        (0x63, 0x4c), // . Delete
    ];
    TWINS.iter().find_map(|&(digit, navigation)| match usage.0 {
        u if u == digit => Some(Usage(navigation)),
        u if u == navigation => Some(Usage(digit)),
        _ => None,
    })
}

/// Control characters, as scripts that send code points write them.
fn control(code_point: u32) -> Option<Key> {
    match code_point {
        0x08 => key(0x2a),
        0x09 => key(0x2b),
        0x0a | 0x0d => key(0x28),
        0x1b => key(0x29),
        0x7f => key(0x4c),
        _ => None,
    }
}

fn function(keysym: u32) -> Option<Key> {
    let usage = match keysym {
        0xff08 => 0x2a,                                  // BackSpace
        0xff09 => 0x2b,                                  // Tab
        0xff0a | 0xff0d => 0x28,                         // Linefeed, Return
        0xff0b => 0x9c,                                  // Clear
        0xff13 | 0xff6b => 0x48,                         // Pause, Break
        0xff14 => 0x47,                                  // Scroll_Lock
        0xff15 | 0xff61 => 0x46,                         // Sys_Req, Print
        0xff1b => 0x29,                                  // Escape
        0xff22 => 0x8b,                                  // Muhenkan
        0xff23 => 0x8a,                                  // Henkan
        0xff25 => 0x93,                                  // Hiragana
        0xff26 => 0x92,                                  // Katakana
        0xff27 => 0x88,                                  // Hiragana_Katakana
        0xff28..=0xff2a => 0x94,                         // Zenkaku, Hankaku, Zenkaku_Hankaku
        0xff2f | 0xff30 => 0x39, // Eisu_Shift, Eisu_toggle: the Caps Lock key of Japanese keyboards
        0xff31 => 0x90,          // Hangul
        0xff34 => 0x91,          // Hangul_Hanja
        0xff50 => 0x4a,          // Home
        0xff51 => 0x50,          // Left
        0xff52 => 0x52,          // Up
        0xff53 => 0x4f,          // Right
        0xff54 => 0x51,          // Down
        0xff55 => 0x4b,          // Page Up
        0xff56 => 0x4e,          // Page Down
        0xff57 => 0x4d,          // End
        0xff58 => 0x4a,          // Begin
        0xff60 => 0x77,          // Select
        0xff62 => 0x74,          // Execute
        0xff63 => 0x49,          // Insert
        0xff65 => 0x7a,          // Undo
        0xff66 => 0x79,          // Redo
        0xff67 => 0x65,          // Menu
        0xff68 => 0x7e,          // Find
        0xff69 => 0x78,          // Cancel (the Stop usage)
        0xff6a => 0x75,          // Help
        0xff7f => 0x53,          // Num_Lock
        0xff80 => 0x2c,          // KP_Space
        0xff89 => 0x2b,          // KP_Tab
        0xff8d => 0x58,          // KP_Enter
        0xff91..=0xff94 => offset(keysym, 0xff91, 0x3a), // KP_F1 to KP_F4
        // The keypad without Num Lock: the keys of the navigation block mean the same whatever the target's Num Lock says.
        0xff95 => 0x4a,                                  // KP_Home
        0xff96 => 0x50,                                  // KP_Left
        0xff97 => 0x52,                                  // KP_Up
        0xff98 => 0x4f,                                  // KP_Right
        0xff99 => 0x51,                                  // KP_Down
        0xff9a => 0x4b,                                  // KP_Page_Up
        0xff9b => 0x4e,                                  // KP_Page_Down
        0xff9c => 0x4d,                                  // KP_End
        0xff9d => 0x5d,                                  // KP_Begin: 5
        0xff9e => 0x49,                                  // KP_Insert
        0xff9f => 0x4c,                                  // KP_Delete
        0xffaa => 0x55,                                  // KP_Multiply
        0xffab => 0x57,                                  // KP_Add
        0xffac => 0x85,                                  // KP_Separator
        0xffad => 0x56,                                  // KP_Subtract
        0xffae => 0x63,                                  // KP_Decimal
        0xffaf => 0x54,                                  // KP_Divide
        0xffb0 => 0x62,                                  // KP_0
        0xffb1..=0xffb9 => offset(keysym, 0xffb1, 0x59), // KP_1 to KP_9
        0xffbd => 0x67,                                  // KP_Equal
        0xffbe..=0xffc9 => offset(keysym, 0xffbe, 0x3a), // F1 to F12
        0xffca..=0xffd5 => offset(keysym, 0xffca, 0x68), // F13 to F24
        0xffe1 => 0xe1,                                  // Shift_L
        0xffe2 => 0xe5,                                  // Shift_R
        0xffe3 => 0xe0,                                  // Control_L
        0xffe4 => 0xe4,                                  // Control_R
        0xffe5 | 0xffe6 => 0x39,                         // Caps_Lock, Shift_Lock
        // Meta is what X11 calls Alt while Shift is held, and what some clients call a Macintosh's Option.
        0xffe7 | 0xffe9 => 0xe2, // Meta_L, Alt_L
        0xffe8 | 0xffea => 0xe6, // Meta_R, Alt_R
        0xffeb | 0xffed => 0xe3, // Super_L, Hyper_L
        0xffec | 0xffee => 0xe7, // Super_R, Hyper_R
        0xffff => 0x4c,          // Delete
        _ => return None,
    };
    key(usage)
}

/// XF86 keysyms, by their last byte.
fn media(low: u32) -> Option<Key> {
    let usage = match low {
        0x02 => 0x006f,           // MonBrightnessUp
        0x03 => 0x0070,           // MonBrightnessDown
        0x11 => 0x00ea,           // AudioLowerVolume
        0x12 => 0x00e2,           // AudioMute
        0x13 => 0x00e9,           // AudioRaiseVolume
        0x14 => 0x00cd,           // AudioPlay: Play/Pause, as the key of keyboards does
        0x15 => 0x00b7,           // AudioStop
        0x16 => 0x00b6,           // AudioPrev
        0x17 => 0x00b5,           // AudioNext
        0x18 => 0x0223,           // HomePage
        0x19 => 0x018a,           // Mail
        0x1b => 0x0221,           // Search
        0x1c => 0x00b2,           // AudioRecord
        0x1d => 0x0192,           // Calculator
        0x26 => 0x0224,           // Back
        0x27 => 0x0225,           // Forward
        0x28 => 0x0226,           // Stop
        0x29 => 0x0227,           // Refresh
        0x2a => return key(0x66), // PowerOff
        0x2c => 0x00b8,           // Eject
        0x2e => 0x0196,           // WWW
        0x2f => 0x0032,           // Sleep
        0x30 => 0x022a,           // Favorites
        0x31 => 0x00b1,           // AudioPause
        0x32 => 0x0183,           // AudioMedia
        0x33 => 0x0194,           // MyComputer
        0x3e => 0x00b4,           // AudioRewind
        0x97 => 0x00b3,           // AudioForward
        _ => return None,
    };
    Some(Key::Consumer(usage))
}

/// The usage as far from `usage` as `keysym` is from `first`, in a run of a dozen.
fn offset(keysym: u32, first: u32, usage: u8) -> u8 {
    usage + (keysym - first) as u8
}

fn key(usage: u8) -> Option<Key> {
    Some(Key::Keyboard(Usage(usage)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_keys_and_modifiers() {
        for (keysym, usage) in [
            (0xffbe, 0x3a), // F1
            (0xffc9, 0x45), // F12
            (0xffca, 0x68), // F13
            (0xffd5, 0x73), // F24
            (0xffb0, 0x62), // KP_0
            (0xffb9, 0x61), // KP_9
            (0xff15, 0x46),
            (0xff67, 0x65),
            (0xffe7, 0xe2),
            (0xffe9, 0xe2),
            (0xffeb, 0xe3),
        ] {
            assert_eq!(named(keysym), key(usage), "{keysym:#x}");
        }
        assert_eq!(named(0x1008_ff13), Some(Key::Consumer(0xe9)));
        for keysym in [0x61, 0xfe03, 0xfe51, 0x0100_0041, 0x20ac, u32::MAX, 0] {
            assert_eq!(named(keysym), None, "{keysym:#x}");
        }
        assert_eq!(keypad_twin(Usage(0x5f)), Some(Usage(0x4a)));
        assert_eq!(keypad_twin(Usage(0x4a)), Some(Usage(0x5f)));
        assert_eq!(keypad_twin(Usage(0x04)), None);
    }
}
