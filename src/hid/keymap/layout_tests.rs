//! Layouts made by hand, for the keyboard's tests as well; those of the machine's files are in `tests/layouts`.

use super::*;
use crate::hid::keymap::typing::Place;

const ALT_GR: Modifiers = 0x40;

/// US letters (so no umlauts, but a dead circumflex and the rows above) and a third level, as German keyboards have it.
pub(in crate::hid) fn german() -> Layout {
    Layout::new(Compiled {
        level_keys: [Some(Usage::RIGHT_ALT), None],
        ..keys(&[
            (0x14, ALT_GR, '@'),
            (0x24, 0, '7'),
            (0x24, SHIFT, '/'),
            (0x24, ALT_GR, '{'),
            (0x2d, 0, 'ß'),
            (0x2d, SHIFT, '?'),
            (0x37, 0, '.'),
            (0x37, SHIFT, ':'),
            (0x64, 0, '<'),
            (0x35, SHIFT, '°'),
        ])
    })
}

/// Cyrillic letters in the places of a few Latin ones.
pub(in crate::hid) fn russian() -> Layout {
    let mut compiled = keys(&[(0x38, 0, '.')]);
    let is_latin =
        |place: &Place| char::from_u32(place.keysym).is_some_and(|c| c.is_ascii_alphabetic());
    compiled.places.retain(|place| !is_latin(place));
    for (usage, small, capital) in [(0x06, 'с', 'С'), (0x04, 'ф', 'Ф')] {
        compiled.places.extend(level(usage, 0, small));
        compiled.places.extend(level(usage, SHIFT, capital));
    }
    Layout::new(compiled)
}

/// The third level is behind the key in Caps Lock's place.
pub(in crate::hid) fn neo() -> Layout {
    Layout::new(Compiled {
        level_keys: [Some(Usage::CAPS_LOCK), None],
        caps_locks: false,
        ..keys(&[(0x04, 0x100, '{')])
    })
}

/// What reaches no other way than by Caps Lock: a Czech row of digits.
pub(in crate::hid) fn czech() -> Layout {
    let mut compiled = keys(&[]);
    for (caps, character) in [(false, 'š'), (true, 'Š')] {
        compiled.places.push(Place {
            usage: Usage(0x20),
            modifiers: 0,
            caps,
            keysym: 0x0100_0000 + u32::from(character),
        });
    }
    Layout::new(compiled)
}

/// US letters, a dead circumflex in the grave accent's place, and these.
fn keys(others: &[(u8, Modifiers, char)]) -> Compiled {
    let mut places = us::places();
    places.retain(|place| (0x04..=0x1d).contains(&place.usage.0) || place.usage == Usage::SPACE);
    for &(usage, modifiers, character) in others {
        places.extend(level(usage, modifiers, character));
    }
    places.extend([false, true].map(|caps| Place {
        usage: Usage(0x35),
        modifiers: 0,
        caps,
        keysym: 0xfe52,
    }));
    Compiled {
        places,
        level_keys: [None, None],
        caps_locks: true,
        keypad: Vec::new(),
    }
}

/// A character whose level Caps Lock does not change.
fn level(usage: u8, modifiers: Modifiers, character: char) -> [Place; 2] {
    [false, true].map(|caps| Place {
        usage: Usage(usage),
        modifiers,
        caps,
        keysym: 0x0100_0000 + u32::from(character),
    })
}

fn typed(layout: &Layout, keysym: u32) -> Option<(u8, Modifiers)> {
    match layout.action(keysym, false)? {
        Action::Type(typing) => Some((typing.stroke.usage.0, typing.stroke.modifiers)),
        Action::Key(_) => None,
    }
}

#[test]
fn check_63_every_way_to_write_a_character() {
    let us = Layout::us();
    for keysym in [0x41, 0x0100_0041] {
        assert_eq!(typed(&us, keysym), Some((0x04, SHIFT)));
    }
    for keysym in [
        0x0100_20ac,
        0x20ac,
        0xe9,
        0xfe51,
        u32::MAX,
        0,
        0x00ff_ffff,
        0x0110_ffff,
    ] {
        assert_eq!(us.action(keysym, false), None, "{keysym:#x}");
    }
    // Cyrillic_es by its X11 number, as Unicode, and bare as vncdotool sends it.
    for keysym in [0x6d3, 0x0100_0441, 0x441] {
        assert_eq!(typed(&russian(), keysym), Some((0x06, 0)), "{keysym:#x}");
    }
    assert_eq!(
        typed(&us, 0xfe20),
        Some((0x2b, SHIFT)),
        "ISO_Left_Tab is Shift + Tab"
    );
}

#[test]
fn every_printable_ascii_character_has_its_own_stroke_on_the_us_layout() {
    let mut seen = std::collections::HashSet::new();
    for keysym in 0x20..=0x7e {
        let place = typed(&Layout::us(), keysym).expect("a place");
        assert!(seen.insert(place), "{keysym:#x}");
    }
}

#[test]
fn level_keys_are_the_layouts_own() {
    for (layout, usage) in [
        (Layout::us(), Usage::RIGHT_ALT),
        (german(), Usage::RIGHT_ALT),
        (neo(), Usage::CAPS_LOCK),
    ] {
        for keysym in [0xfe03, 0xfe04, 0xff7e, 0xfe11] {
            let key = Action::Key(Key::Keyboard(usage));
            assert_eq!(layout.action(keysym, false), Some(key), "{keysym:#x}");
        }
    }
}

#[test]
fn complaint_18_what_cannot_be_typed_is_known_before() {
    let us = Layout::us();
    assert_eq!(us.lacks("Ünïcode, a\tb\r\n1€ Ü"), ['Ü', 'ï', '€']);
    assert!(us.can_type('\u{a0}'), "as a space");
    assert!(!us.can_type('\u{ff0d}'), "the number of Return");
    let german = german();
    assert_eq!(german.lacks("ê^ °@ß"), []);
    assert_eq!(russian().lacks("с с"), []);
    assert_eq!(russian().lacks("c c"), ['c']);
}

#[test]
fn without_files_the_error_says_what_to_install() {
    let empty = tempfile::tempdir().expect("a directory");
    let error = Layout::from_files(Some(empty.path()), "de", "").expect_err("no files");
    let text = error.to_string();
    assert!(
        text.contains("xkb-data") && text.contains(&*empty.path().to_string_lossy()),
        "{text}"
    );
    assert!(Layout::xkb("us", "").is_ok(), "built in");
    assert!(matches!(
        Layout::xkb("us,ru", ""),
        Err(LayoutError::Several(_))
    ));
}
