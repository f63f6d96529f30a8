//! The target's keyboard layout.

use std::path::{Path, PathBuf};

use super::{
    Action, Key, Modifiers, SHIFT, Stroke, Types, Typing, Usage,
    named::named,
    typing::{Typings, typings},
    us,
    xkb::{self, Compiled},
};

const ISO_LEFT_TAB: u32 = 0xfe20;
const NO_BREAK_SPACE: char = '\u{a0}';
const TAB: Usage = Usage(0x2b);

/// The target's keyboard layout: where its characters are. Made once, at the start; a look-up is one in a hash table.
#[derive(Debug)]
pub struct Layout {
    /// With Caps Lock off, and with it on.
    typings: [Typings; 2],
    level_keys: [Option<Usage>; 2],
    caps_locks: bool,
    keypad: Vec<(u32, Usage)>,
    /// Where a US keyboard has ASCII, for what this layout lacks: `None` if it lacks nothing.
    latin: Option<Box<Layout>>,
}

/// Why there is no such layout, and what there is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    #[error(
        "there are no keyboard layouts in {}: install xkb-data (Debian) or xkeyboard-config, or use `us`, which is built in",
        .0.display()
    )]
    NoData(PathBuf),
    #[error("there is no keyboard layout `{name}`; {}", hint(.like))]
    Unknown {
        name: String,
        /// Names and descriptions of layouts that may be meant, else of all.
        like: Vec<String>,
    },
    #[error("keyboard layout `{layout}` has no variant `{variant}`; {}", variants(.known))]
    UnknownVariant {
        layout: String,
        variant: String,
        known: Vec<String>,
    },
    #[error(
        "`{0}` is several layouts, of which a target uses one at a time and does not say which; name the one it types with"
    )]
    Several(String),
    #[error("the variant is named twice, as `{0}` and as `{1}`; name it once")]
    TwoVariants(String, String),
}

impl Default for Layout {
    fn default() -> Self {
        Self::us()
    }
}

impl Layout {
    /// The US layout, which firmware and boot loaders have.
    pub fn us() -> Self {
        Self::new(Compiled {
            places: us::places(),
            level_keys: [None, None],
            caps_locks: true,
            keypad: Vec::new(),
        })
    }

    /// A layout by its XKB name, such as `de`, and variant, such as `nodeadkeys`, empty for the usual one; `de(nodeadkeys)`
    /// names both. `us` is built in, all others are read from the machine's files (xkb-data).
    pub fn xkb(layout: &str, variant: &str) -> Result<Self, LayoutError> {
        Self::xkb_in(None, layout, variant)
    }

    /// [`Layout::xkb`] with XKB's files in `directory`.
    pub fn xkb_in(
        directory: Option<&Path>,
        layout: &str,
        variant: &str,
    ) -> Result<Self, LayoutError> {
        match split(layout, variant)? {
            ("us", "") => Ok(Self::us()),
            (layout, variant) => Self::from_files(directory, layout, variant),
        }
    }

    /// From the files in `directory`, else from where XKB has its own.
    pub(super) fn from_files(
        directory: Option<&Path>,
        layout: &str,
        variant: &str,
    ) -> Result<Self, LayoutError> {
        // A path is no name; kbvm would follow it.
        let is_name = |name: &str| {
            let mut characters = name.chars();
            characters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+' | '.'))
                && !name.contains("..")
        };
        let compile = |variant: &str| match is_name(layout) && is_name(variant) {
            true => xkb::compile(directory, layout, variant),
            false => None,
        };
        if let Some(compiled) = compile(variant) {
            return Ok(Self::new(compiled));
        }
        let configured = std::env::var_os("XKB_CONFIG_ROOT").map(PathBuf::from);
        let directory = directory.map(Path::to_owned).or(configured);
        let directory = directory.unwrap_or_else(|| xkb::DIRECTORY.into());
        let listed = xkb::listed_layouts(&directory);
        if !directory.join("symbols").is_dir() {
            return Err(LayoutError::NoData(directory));
        }
        if !variant.is_empty() && compile("").is_some() {
            return Err(LayoutError::UnknownVariant {
                layout: layout.into(),
                variant: variant.into(),
                known: xkb::listed_variants(&directory, layout),
            });
        }
        let wanted = layout.to_lowercase();
        let is_like = |(name, description): &&(String, String)| {
            let description = description.to_lowercase();
            !wanted.is_empty() && (description.contains(&wanted) || wanted.contains(name.as_str()))
        };
        let mut like: Vec<_> = listed
            .iter()
            .filter(is_like)
            .map(|(name, description)| format!("{name} ({description})"))
            .collect();
        if like.is_empty() {
            like = listed.into_iter().map(|(name, _)| name).collect();
        }
        Err(LayoutError::Unknown {
            name: layout.into(),
            like,
        })
    }

    fn new(compiled: Compiled) -> Self {
        let typings = typings(&compiled.places, compiled.caps_locks);
        let lacks = |c: char| !typings[0].characters.contains_key(&c);
        let latin = (' '..='~').any(lacks).then(|| Box::new(Self::us()));
        Self {
            latin,
            typings,
            level_keys: compiled.level_keys,
            caps_locks: compiled.caps_locks,
            keypad: compiled.keypad,
        }
    }

    /// What a client's keysym asks for, with Caps Lock on or off; `None` if it is of no key, or of a character that the
    /// layout does not have.
    ///
    /// A character may come as Latin-1, as 0x01000000 + code point, as its number in `keysymdef.h`, or (from scripts) as
    /// the bare code point. A number that means one character to X11 and is the code point of another is the first one if
    /// the layout types that, else the other.
    pub fn action(&self, keysym: u32, caps: bool) -> Option<Action> {
        let level_key = |index: usize| {
            let key = self.level_keys[index].or(self.level_keys[0]);
            Action::Key(Key::Keyboard(key.unwrap_or(Usage::RIGHT_ALT)))
        };
        match keysym {
            0xfe03 | 0xfe04 | 0xff7e => return Some(level_key(0)), // ISO_Level3_Shift and Latch, Mode_switch
            0xfe11 => return Some(level_key(1)),                   // ISO_Level5_Shift
            ISO_LEFT_TAB => {
                let stroke = Stroke {
                    usage: TAB,
                    modifiers: SHIFT,
                    types: Types::Symbol,
                };
                return Some(Action::Type(stroke.into()));
            }
            _ => {}
        }
        if let Some((_, usage)) = self.keypad.iter().find(|(named, _)| *named == keysym) {
            return Some(Action::Key(Key::Keyboard(*usage)));
        }
        if let Some(key) = named(keysym) {
            return Some(Action::Key(key));
        }
        if let Some(stroke) = self.typings[usize::from(caps)].dead.get(&keysym) {
            return Some(Action::Type((*stroke).into()));
        }
        let of_x11 = xkb::character(keysym);
        // Below 0x100 both are the same.
        let bare = char::from_u32(keysym).filter(|_| keysym > 0xff);
        let mut characters = [of_x11, bare].into_iter().flatten();
        characters
            .find_map(|character| self.typing(character, caps))
            .map(Action::Type)
    }

    /// How a character of a text is typed.
    pub fn typing(&self, character: char, caps: bool) -> Option<Typing> {
        let characters = &self.typings[usize::from(caps)].characters;
        let typing = characters.get(&character);
        let typing = typing.or_else(|| match character {
            NO_BREAK_SPACE => characters.get(&' '),
            _ => None,
        });
        typing.copied()
    }

    /// Where an ASCII character that this layout does not have is on a US keyboard: there are the shortcuts of all
    /// keyboards, and the other layout of those without Latin letters, whatever that types at the moment.
    pub fn latin(&self, keysym: u32, caps: bool, shortcut: bool) -> Option<Typing> {
        if !shortcut && self.typing('a', caps).is_some() {
            return None;
        }
        match self.latin.as_ref()?.action(keysym, caps)? {
            Action::Type(typing) => Some(typing),
            Action::Key(_) => None,
        }
    }

    /// Whether [`Input::Character`](crate::hid::Input::Character) types this.
    pub fn can_type(&self, character: char) -> bool {
        let control = || named(0x0100_0000 + u32::from(character));
        self.typing(character, false).is_some() || control().is_some()
    }

    /// The characters of a text that cannot be typed, each once, in their order.
    pub fn lacks(&self, text: &str) -> Vec<char> {
        let mut lacking = Vec::new();
        for character in text.chars() {
            if !self.can_type(character) && !lacking.contains(&character) {
                lacking.push(character);
            }
        }
        lacking
    }

    /// A key's bit among the modifiers; 0 if it is none on this layout.
    pub fn modifier(&self, usage: Usage) -> Modifiers {
        xkb::modifier(usage, self.level_keys)
    }

    /// The keys that are modifiers on this layout and have no bit in a report, for those bits of `modifiers`.
    pub fn own_modifier_keys(&self, modifiers: Modifiers) -> impl Iterator<Item = Usage> {
        let own = self.level_keys.into_iter().flatten();
        own.filter(move |usage| usage.modifier() == 0 && modifiers & self.modifier(*usage) != 0)
    }

    /// Whether the key in Caps Lock's place is Caps Lock.
    pub fn caps_locks(&self) -> bool {
        self.caps_locks
    }
}

/// `de(nodeadkeys)` as layout and variant.
fn split<'a>(layout: &'a str, variant: &'a str) -> Result<(&'a str, &'a str), LayoutError> {
    let (layout, variant) = (layout.trim(), variant.trim());
    if layout.contains(',') {
        return Err(LayoutError::Several(layout.into()));
    }
    let inner = layout
        .strip_suffix(')')
        .and_then(|layout| layout.split_once('('));
    match inner {
        None => Ok((layout, variant)),
        Some((layout, inner)) if variant.is_empty() || variant == inner => Ok((layout, inner)),
        Some((_, inner)) => Err(LayoutError::TwoVariants(inner.into(), variant.into())),
    }
}

fn hint(like: &[String]) -> String {
    match like {
        [] => "see the names in /usr/share/X11/xkb/symbols".into(),
        [one] => format!("is {one} meant?"),
        several => format!("there are {}", several.join(", ")),
    }
}

fn variants(known: &[String]) -> String {
    match known {
        [] => "leave it out".into(),
        known => format!("there are {} (or none)", known.join(", ")),
    }
}

#[cfg(test)]
#[path = "layout_tests.rs"]
pub(in crate::hid) mod tests;
