//! The clipboard: Latin-1 text (RFC 6143 §7.5.6), and the Extended Clipboard messages (community rfbproto) that take
//! the place of CutText, with a negative length, where both sides know them.
//!
//! Of the formats only text is understood. The server has no clipboard of its own: it says that it wants to be told what
//! there is but sent nothing, asks for the text when somebody wants it typed, and says that it has nothing to give.

use std::io::{ErrorKind, Read as _};

use flate2::read::ZlibDecoder;

use crate::error::Error;
use crate::wire::{Put, Reader, Short};

/// The one format: UTF-8, lines end in CR LF, a NUL behind it.
const TEXT: u32 = 1;
/// The bits that are formats; each has a size in caps.
const FORMATS: u32 = 0xffff;

const CAPS: u32 = 1 << 24;
const REQUEST: u32 = 1 << 25;
const PEEK: u32 = 1 << 26;
const NOTIFY: u32 = 1 << 27;
const PROVIDE: u32 = 1 << 28;
const ACTIONS: u32 = 0xff00_0000;

/// Text may be this long when it is inflated, in bytes, with CR and NUL.
pub const INFLATED_LIMIT: u32 = 1 << 20;

/// What a client tells of its clipboard.
#[derive(Clone, PartialEq, Eq)]
pub enum Clipboard {
    /// There is no text in it.
    Empty,
    /// There is text, which stays with the client until it is asked for.
    Announced,
    /// Lines end in LF.
    Text(String),
    /// More text than is taken.
    TooLong,
}

/// Tells the length only: a clipboard may hold a password.
impl std::fmt::Debug for Clipboard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Empty => f.write_str("Empty"),
            Self::Announced => f.write_str("Announced"),
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::TooLong => f.write_str("TooLong"),
        }
    }
}

impl Clipboard {
    /// The text of a ClientCutText: Latin-1.
    pub fn from_latin1(text: &[u8]) -> Self {
        Self::from_text(
            &text
                .iter()
                .map(|&byte| char::from(byte))
                .collect::<String>(),
        )
    }

    fn from_text(text: &str) -> Self {
        let text = text.trim_end_matches('\0');
        if text.is_empty() {
            return Self::Empty;
        }
        Self::Text(text.replace("\r\n", "\n").replace('\r', "\n"))
    }
}

/// An Extended Clipboard message of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extended {
    /// Whether the client gives text when it is asked for it.
    Caps { gives_text: bool },
    /// The client asks for what the server has, or what kinds of it there are.
    Asks,
    /// The clipboard became another one, or the text that was asked for: never [`Clipboard::Text`] in the first case.
    Has(Clipboard),
    /// Nothing that is known.
    Other,
}

impl Extended {
    /// Reads a message: U32 flags, and what belongs to them. Whatever lies behind that is passed over.
    pub fn read(message: &[u8]) -> Result<Self, Error> {
        let malformed = |Short| Error::Clipboard("it ends too soon");
        let mut reader = Reader::new(message);
        let flags = reader.u32().map_err(malformed)?;
        let has_text = flags & TEXT != 0;
        if flags & CAPS != 0 {
            // The sizes up to which the client would like to be sent each format unasked, which it never is.
            let sizes = (flags & FORMATS).count_ones() as usize * 4;
            reader.skip(sizes).map_err(malformed)?;
            let gives_text = has_text && flags & REQUEST != 0;
            return Ok(Self::Caps { gives_text });
        }
        Ok(match flags & ACTIONS {
            REQUEST | PEEK => Self::Asks,
            NOTIFY if has_text => Self::Has(Clipboard::Announced),
            NOTIFY => Self::Has(Clipboard::Empty),
            PROVIDE if has_text => Self::Has(provided(reader.rest())?),
            PROVIDE => Self::Has(Clipboard::Empty),
            _ => Self::Other,
        })
    }
}

/// Text out of a zlib stream of its own: U32 length, text; other formats follow and are left alone. The stream need not
/// end (TigerVNC only flushes it).
fn provided(stream: &[u8]) -> Result<Clipboard, Error> {
    let fault = |error: std::io::Error| match error.kind() {
        ErrorKind::UnexpectedEof => Error::Clipboard("its zlib stream ends too soon"),
        _ => Error::Clipboard("its zlib stream is damaged"),
    };
    let mut stream = ZlibDecoder::new(stream);
    let mut length = [0; 4];
    stream.read_exact(&mut length).map_err(fault)?;
    let length = u32::from_be_bytes(length);
    if length > INFLATED_LIMIT {
        return Ok(Clipboard::TooLong);
    }
    let mut text = Vec::new();
    let wanted = u64::from(length);
    let read = stream.take(wanted).read_to_end(&mut text).map_err(fault)?;
    if u64::try_from(read) != Ok(wanted) {
        return Err(Error::Clipboard("its zlib stream ends too soon"));
    }
    // What is not UTF-8 becomes U+FFFD, which nobody takes for what was copied.
    Ok(Clipboard::from_text(&String::from_utf8_lossy(&text)))
}

/// Says what is understood: text, to be announced and never sent unasked (at most 0 bytes of it).
pub fn caps(out: &mut Vec<u8>) {
    let flags = TEXT | CAPS | REQUEST | PEEK | NOTIFY | PROVIDE;
    message(out, &[flags, 0]);
}

/// Asks for the text.
pub fn request(out: &mut Vec<u8>) {
    message(out, &[TEXT | REQUEST]);
}

/// Says that there is nothing in the server's clipboard.
pub fn notify_nothing(out: &mut Vec<u8>) {
    message(out, &[NOTIFY]);
}

/// ServerCutText with the length negated: type 3, padding, S32 −length, words.
fn message(out: &mut Vec<u8>, words: &[u32]) {
    out.put(&[3, 0, 0, 0]);
    let length = i32::try_from(words.len() * 4).unwrap_or(i32::MAX);
    out.put_i32(-length);
    for word in words {
        out.put_u32(*word);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::ZlibEncoder};

    use super::*;

    fn provide(inflated: &[u8]) -> Vec<u8> {
        let mut stream = ZlibEncoder::new(Vec::new(), Compression::best());
        stream.write_all(inflated).expect("memory");
        [
            &(TEXT | PROVIDE).to_be_bytes()[..],
            &stream.finish().expect("memory"),
        ]
        .concat()
    }

    fn text(text: &str) -> Extended {
        Extended::Has(Clipboard::Text(text.to_owned()))
    }

    fn with_length(length: u32, data: &[u8]) -> Vec<u8> {
        [&length.to_be_bytes()[..], data].concat()
    }

    #[test]
    fn text_is_utf_8_with_line_feeds_and_without_the_nul() {
        for (bytes, expected) in [
            (&b"a\r\nb\0"[..], "a\nb"),
            (b"a\rb\nc", "a\nb\nc"),
            ("žluť 😀\0\0".as_bytes(), "žluť 😀"),
            (b"a\xffb\0", "a\u{fffd}b"),
        ] {
            let length = u32::try_from(bytes.len()).expect("short");
            let message = provide(&with_length(length, bytes));
            assert_eq!(Extended::read(&message), Ok(text(expected)), "{bytes:?}");
        }
        for nothing in [&b""[..], b"\0"] {
            let length = u32::try_from(nothing.len()).expect("short");
            let message = provide(&with_length(length, nothing));
            assert_eq!(
                Extended::read(&message),
                Ok(Extended::Has(Clipboard::Empty))
            );
        }
        assert_eq!(
            Clipboard::from_latin1(b"caf\xe9\r\n\x80"),
            Clipboard::Text("café\n\u{80}".to_owned())
        );
        assert_eq!(Clipboard::from_latin1(b""), Clipboard::Empty);
    }

    /// Check 67: what ends too soon, at every byte, ends the connection; what lies behind is passed over.
    #[test]
    fn check_67_whatever_is_cut_off_is_malformed() {
        let whole = provide(&with_length(5, b"hello"));
        // Without the checksum all of the text is there.
        for end in 0..whole.len() - 4 {
            let read = Extended::read(&whole[..end]);
            let is_text = read == Ok(text("hello"));
            assert!(
                matches!(read, Err(Error::Clipboard(_))) || is_text,
                "{end}: {read:?}"
            );
        }
        assert!(Extended::read(&whole[..12]).is_err());
        assert_eq!(
            Extended::read(&[&whole[..], b"more"].concat()),
            Ok(text("hello"))
        );

        let caps = [&(CAPS | REQUEST | 0x0f).to_be_bytes()[..], &[0; 16]].concat();
        for end in 0..caps.len() {
            assert!(Extended::read(&caps[..end]).is_err(), "{end}");
        }
        let understood = Ok(Extended::Caps { gives_text: true });
        assert_eq!(Extended::read(&caps), understood);
        assert_eq!(
            Extended::read(&[&caps[..], &[1, 2, 3]].concat()),
            understood
        );
    }

    /// Check 67: the length inside the stream is another one than the stream has.
    #[test]
    fn check_67_nested_lengths_are_bounded_before_anything_is_held() {
        for length in [6, INFLATED_LIMIT] {
            let message = provide(&with_length(length, b"hello"));
            assert!(
                matches!(Extended::read(&message), Err(Error::Clipboard(_))),
                "{length}"
            );
        }
        for length in [INFLATED_LIMIT + 1, 0x7fff_ffff, 0x8000_0000, u32::MAX] {
            let message = provide(&with_length(length, b"hello"));
            let too_long = Ok(Extended::Has(Clipboard::TooLong));
            assert_eq!(Extended::read(&message), too_long, "{length:#x}");
        }
        let shorter = provide(&with_length(4, b"hello"));
        assert_eq!(Extended::read(&shorter), Ok(text("hell")));
    }

    /// Check 67: a zlib bomb, honest or not about its length.
    #[test]
    fn check_67_a_zlib_bomb_is_not_inflated_beyond_the_limit() {
        let bomb = vec![b'a'; 32 << 20];
        let message = provide(&with_length(32 << 20, &bomb));
        assert!(message.len() < 64 << 10);
        assert_eq!(
            Extended::read(&message),
            Ok(Extended::Has(Clipboard::TooLong))
        );
        let understated = provide(&with_length(3, &bomb));
        assert_eq!(Extended::read(&understated), Ok(text("aaa")));
    }

    #[test]
    fn what_is_no_zlib_stream_is_malformed() {
        let flags = (TEXT | PROVIDE).to_be_bytes();
        for stream in [
            &b""[..],
            b"\x78",
            b"\x78\x9c",
            b"\x00\x00\x00\x00\x00\x00",
            &[0xff; 40],
        ] {
            let message = [&flags[..], stream].concat();
            assert!(Extended::read(&message).is_err(), "{stream:?}");
        }
    }

    #[test]
    fn other_formats_and_actions_are_no_fault() {
        let read = |flags: u32| Extended::read(&flags.to_be_bytes());
        assert_eq!(
            read(NOTIFY | TEXT | 4),
            Ok(Extended::Has(Clipboard::Announced))
        );
        assert_eq!(read(NOTIFY | 4), Ok(Extended::Has(Clipboard::Empty)));
        assert_eq!(read(NOTIFY), Ok(Extended::Has(Clipboard::Empty)));
        assert_eq!(read(PROVIDE | 2), Ok(Extended::Has(Clipboard::Empty)));
        assert_eq!(read(REQUEST | TEXT), Ok(Extended::Asks));
        assert_eq!(read(PEEK), Ok(Extended::Asks));
        assert_eq!(read(CAPS), Ok(Extended::Caps { gives_text: false }));
        for flags in [0, TEXT, 1 << 29, 1 << 31, NOTIFY | PROVIDE] {
            assert_eq!(read(flags), Ok(Extended::Other), "{flags:#x}");
        }
    }

    #[test]
    fn a_clipboard_is_not_shown_by_accident() {
        let secret = Clipboard::Text("hunter2".to_owned());
        assert_eq!(format!("{secret:?}"), "Text(7 bytes)");
    }
}
