//! How each character is typed, found once from what the keys type at each of their levels.

use std::collections::HashMap;

use unicode_normalization::char::compose;

use super::{Modifiers, SHIFT, Usage, dead, xkb};

/// What one key types at one level.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) usage: Usage,
    /// What chooses the level: [`SHIFT`] and the layout's level keys.
    pub(super) modifiers: Modifiers,
    /// Whether Caps Lock is on.
    pub(super) caps: bool,
    pub(super) keysym: u32,
}

/// A key and the modifiers under which it types what is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stroke {
    pub usage: Usage,
    /// Exactly these of Shift and the layout's level keys.
    pub modifiers: Modifiers,
    pub types: Types,
}

/// What a stroke types, as far as Shift's meaning depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Types {
    /// A small letter, whose capital is on the same key with Shift the other way.
    Small,
    /// The same the other way round.
    Capital,
    /// A space, with Shift and without.
    Space,
    /// A character for which Shift is no more than the way to it.
    Symbol,
}

/// All it takes to type a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Typing {
    /// A dead key before it.
    pub dead: Option<Stroke>,
    pub stroke: Stroke,
    /// Only with Caps Lock the other way, so it is tapped before and after.
    pub other_caps: bool,
}

impl From<Stroke> for Typing {
    fn from(stroke: Stroke) -> Self {
        Self {
            dead: None,
            stroke,
            other_caps: false,
        }
    }
}

/// How to type under one state of Caps Lock.
#[derive(Debug, Default)]
pub(super) struct Typings {
    pub(super) characters: HashMap<char, Typing>,
    /// Dead keys by keysym.
    pub(super) dead: HashMap<u32, Stroke>,
}

/// How to type everything that these places give: with Caps Lock off, and with it on. One stroke is best, then a dead key
/// and a stroke, then Caps Lock (if `caps_locks`: it may be something else on this layout) and a stroke.
pub(super) fn typings(places: &[Place], caps_locks: bool) -> [Typings; 2] {
    let mut both = [false, true].map(|caps| {
        let places: Vec<_> = places.iter().filter(|place| place.caps == caps).collect();
        let mut typings = strokes(&places);
        add_dead_sequences(&mut typings);
        typings
    });
    if caps_locks {
        let all = |typings: &Typings| typings.characters.clone();
        let others = [all(&both[1]), all(&both[0])];
        for (typings, others) in both.iter_mut().zip(others) {
            for (character, typing) in others {
                typings.characters.entry(character).or_insert(Typing {
                    other_caps: true,
                    ..typing
                });
            }
        }
    }
    both
}

/// The best single stroke for each character and each dead key.
fn strokes(places: &[&Place]) -> Typings {
    let characters: HashMap<(Usage, Modifiers), char> = places
        .iter()
        .filter_map(|place| {
            let character = xkb::character(place.keysym)?;
            Some(((place.usage, place.modifiers), character))
        })
        .collect();
    let types = |place: &Place, character: char| {
        let other = characters.get(&(place.usage, place.modifiers ^ SHIFT));
        match other {
            Some(' ') if character == ' ' => Types::Space,
            Some(other) if character.is_lowercase() && other.is_uppercase() => Types::Small,
            Some(other) if character.is_uppercase() && other.is_lowercase() => Types::Capital,
            _ => Types::Symbol,
        }
    };
    let mut ordered = places.to_vec();
    ordered.sort_by_key(|place| (rank(place.usage, place.modifiers), place.usage));
    let mut typings = Typings::default();
    for place in ordered {
        let stroke = |types| Stroke {
            usage: place.usage,
            modifiers: place.modifiers,
            types,
        };
        if dead::is_dead(place.keysym) {
            let dead = typings.dead.entry(place.keysym);
            dead.or_insert(stroke(Types::Symbol));
        } else if let Some(character) = xkb::character(place.keysym) {
            let typing = stroke(types(place, character)).into();
            typings.characters.entry(character).or_insert(typing);
        }
    }
    typings
}

/// What dead keys add: what they compose with the characters of single strokes, and themselves with the space bar.
fn add_dead_sequences(typings: &mut Typings) {
    let mut sequences: Vec<(u16, char, Stroke, Stroke)> = Vec::new();
    for (&keysym, &dead) in &typings.dead {
        let mark = dead::mark(keysym);
        let spacing = dead::spacing(keysym);
        for (&base, typing) in &typings.characters {
            let composed = match base {
                ' ' => spacing,
                _ => mark.and_then(|mark| compose(base, mark)),
            };
            if let Some(composed) = composed {
                let stroke = typing.stroke;
                let rank = rank(dead.usage, dead.modifiers) + rank(stroke.usage, stroke.modifiers);
                sequences.push((rank, composed, dead, stroke));
            }
        }
    }
    sequences.sort_by_key(|(rank, _, dead, stroke)| (*rank, dead.usage, stroke.usage));
    for (_, composed, dead, stroke) in sequences {
        typings.characters.entry(composed).or_insert(Typing {
            dead: Some(dead),
            ..stroke.into()
        });
    }
}

/// How little a place is liked. Keys that not every keyboard has come after Shift, since hosts differ in what such a key
/// is on a layout made for keyboards without it, but before AltGr.
fn rank(usage: Usage, modifiers: Modifiers) -> u16 {
    let key = match usage.0 {
        0x64 | 0x87 | 0x89 => 2,
        0x54..=0x67 | 0x85 => 100,
        _ => 0,
    };
    let others = (modifiers & !SHIFT).count_ones() as u16;
    key + u16::from(modifiers & SHIFT != 0) + 4 * others
}
