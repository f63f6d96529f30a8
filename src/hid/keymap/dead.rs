//! Dead keys: pressed before another key, they put their accent on its character.

/// The combining mark of a dead keysym (`keysymdef.h`, 0xfe50 and up); `None` for those, such as `dead_currency`,
/// whose results Unicode does not compose.
pub(super) fn mark(keysym: u32) -> Option<char> {
    let mark = match keysym {
        0xfe50 => '\u{300}', // grave
        0xfe51 => '\u{301}', // acute
        0xfe52 => '\u{302}', // circumflex
        0xfe53 => '\u{303}', // tilde
        0xfe54 => '\u{304}', // macron
        0xfe55 => '\u{306}', // breve
        0xfe56 => '\u{307}', // abovedot
        0xfe57 => '\u{308}', // diaeresis
        0xfe58 => '\u{30a}', // abovering
        0xfe59 => '\u{30b}', // doubleacute
        0xfe5a => '\u{30c}', // caron
        0xfe5b => '\u{327}', // cedilla
        0xfe5c => '\u{328}', // ogonek
        0xfe60 => '\u{323}', // belowdot
        0xfe61 => '\u{309}', // hook
        0xfe62 => '\u{31b}', // horn
        _ => return None,
    };
    Some(mark)
}

/// Whether a keysym is that of a dead key.
pub(super) fn is_dead(keysym: u32) -> bool {
    (0xfe50..=0xfe93).contains(&keysym)
}

/// What a dead key and then the space bar type, where Linux, Windows and macOS agree: acute gives `'` on one and `´` on
/// the other, diaeresis `"` or `¨`.
pub(super) fn spacing(keysym: u32) -> Option<char> {
    let accent = match keysym {
        0xfe50 => '`',
        0xfe52 => '^',
        0xfe53 => '~',
        0xfe54 => '¯',
        0xfe55 => '˘',
        0xfe56 => '˙',
        0xfe58 => '°',
        0xfe59 => '˝',
        0xfe5a => 'ˇ',
        0xfe5b => '¸',
        0xfe5c => '˛',
        _ => return None,
    };
    Some(accent)
}
