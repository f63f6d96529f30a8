//! A text as it is typed: what its characters are, and which of them the layout does not have.

use std::{collections::HashMap, fmt};

use crate::hid::keymap::Layout;

/// Longest text that is typed, in bytes of UTF-8.
pub const LIMIT: usize = 1 << 20;

/// A text that was looked through before its first key.
#[derive(PartialEq, Eq)]
pub struct Text {
    /// All that can be typed, in order; line ends are LF.
    pub(super) characters: Vec<char>,
    /// What cannot be typed, in the order of the text, each character once.
    pub untypable: Vec<Untypable>,
}

/// A character that the layout does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untypable {
    pub character: char,
    /// How often it is there.
    pub count: usize,
    /// Where it is first: line and column in characters, both from 1.
    pub line: usize,
    pub column: usize,
}

impl Text {
    /// Looks through `text`. CR LF and CR are line ends; a byte order mark at the beginning is none of the text.
    pub fn new(text: &str, layout: &Layout) -> Self {
        let mut characters = Vec::new();
        let mut untypable: Vec<Untypable> = Vec::new();
        let mut known = HashMap::new();
        let (mut line, mut column) = (1, 0);
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut rest = text.chars().peekable();
        while let Some(character) = rest.next() {
            let character = match character {
                '\r' => {
                    rest.next_if_eq(&'\n');
                    '\n'
                }
                other => other,
            };
            column += 1;
            if can_type(character, layout) {
                characters.push(character);
            } else {
                let index = *known.entry(character).or_insert(untypable.len());
                match untypable.get_mut(index) {
                    Some(there) => there.count += 1,
                    None => untypable.push(Untypable {
                        character,
                        count: 1,
                        line,
                        column,
                    }),
                }
            }
            if character == '\n' {
                (line, column) = (line + 1, 0);
            }
        }
        Self {
            characters,
            untypable,
        }
    }

    /// How many characters can be typed.
    pub fn len(&self) -> usize {
        self.characters.len()
    }

    pub fn is_empty(&self) -> bool {
        self.characters.is_empty()
    }
}

/// A text has Return and Tab; other control characters would do something else than write.
fn can_type(character: char, layout: &Layout) -> bool {
    let is_text = !character.is_control() || matches!(character, '\n' | '\t');
    is_text && layout.can_type(character)
}

/// Tells the length only: a text may hold a password.
impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({} characters)", self.len())
    }
}

impl fmt::Display for Untypable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            character,
            count,
            line,
            column,
        } = *self;
        if !character.is_control() {
            write!(f, "{character} ")?;
        }
        write!(f, "(U+{:04X}) ", u32::from(character))?;
        match count {
            1 => write!(f, "at {line}:{column}"),
            count => write!(f, "{count} times, first at {line}:{column}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Text {
        Text::new(text, &Layout::us())
    }

    #[test]
    fn line_ends_of_all_kinds_are_one_return() {
        let expected: Vec<char> = "a\nb\nc\n\nd\t".chars().collect();
        assert_eq!(text("\u{feff}a\r\nb\rc\n\r\nd\t").characters, expected);
        assert!(text("").is_empty());
    }

    #[test]
    fn what_cannot_be_typed_is_listed_once_each_with_count_and_place() {
        let text = text("naïve\n\tcafé é\u{7}\r\n€\u{feff}é");
        let there = |character, count, line, column| Untypable {
            character,
            count,
            line,
            column,
        };
        let expected = [
            there('ï', 1, 1, 3),
            there('é', 3, 2, 5),
            there('\u{7}', 1, 2, 8),
            there('€', 1, 3, 1),
            there('\u{feff}', 1, 3, 2),
        ];
        assert_eq!(text.untypable, expected);
        let rest: Vec<char> = "nave\n\tcaf \n".chars().collect();
        assert_eq!(text.characters, rest);
        let shown: Vec<_> = text.untypable[..3]
            .iter()
            .map(ToString::to_string)
            .collect();
        let expected = [
            "ï (U+00EF) at 1:3",
            "é (U+00E9) 3 times, first at 2:5",
            "(U+0007) at 2:8",
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn control_characters_are_no_text() {
        for character in ['\0', '\u{3}', '\u{8}', '\u{1b}', '\u{7f}', '\u{85}'] {
            assert_eq!(
                text(&character.to_string()).untypable.len(),
                1,
                "{character:?}"
            );
        }
    }
}
