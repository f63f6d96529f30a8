//! The US layout, which firmware and boot loaders have: built in, so that it needs no files.

use super::{SHIFT, Usage, typing::Place};

/// What the keys type with Caps Lock off and on.
pub(super) fn places() -> Vec<Place> {
    let mut places = Vec::new();
    for caps in [false, true] {
        let mut level = |usage, modifiers, character: u8| {
            places.push(Place {
                usage: Usage(usage),
                modifiers,
                caps,
                keysym: character.into(),
            });
        };
        level(Usage::SPACE.0, 0, b' ');
        level(Usage::SPACE.0, SHIFT, b' ');
        for (usage, letter) in (0x04..).zip(b'a'..=b'z') {
            let capital = letter.to_ascii_uppercase();
            level(usage, 0, if caps { capital } else { letter });
            level(usage, SHIFT, if caps { letter } else { capital });
        }
        for (usage, lower, upper) in SYMBOLS {
            level(usage, 0, lower);
            level(usage, SHIFT, upper);
        }
    }
    places
}

/// Usage, lower level, upper level.
pub(super) const SYMBOLS: [(u8, u8, u8); 21] = [
    (0x1e, b'1', b'!'),
    (0x1f, b'2', b'@'),
    (0x20, b'3', b'#'),
    (0x21, b'4', b'$'),
    (0x22, b'5', b'%'),
    (0x23, b'6', b'^'),
    (0x24, b'7', b'&'),
    (0x25, b'8', b'*'),
    (0x26, b'9', b'('),
    (0x27, b'0', b')'),
    (0x2d, b'-', b'_'),
    (0x2e, b'=', b'+'),
    (0x2f, b'[', b'{'),
    (0x30, b']', b'}'),
    (0x31, b'\\', b'|'),
    (0x33, b';', b':'),
    (0x34, b'\'', b'"'),
    (0x35, b'`', b'~'),
    (0x36, b',', b'<'),
    (0x37, b'.', b'>'),
    (0x38, b'/', b'?'),
];
