//! What clients send (RFC 6143 §7.5 and the extensions that rfbridge offers or must survive).

use super::clipboard::Clipboard;
use crate::error::Error;
use crate::geom::{Point, Rect};
use crate::pixel::PixelFormat;
use crate::wire::{Read, Reader};

/// Bounds on what a client may make the server hold.
pub mod limits {
    /// Clipboard text up to here is kept.
    pub const KEPT_CUT_TEXT: u32 = 256 << 10;
    /// Clipboard text up to here is passed over; more ends the connection.
    pub const CUT_TEXT: u32 = 1 << 20;
    /// A fence's data (community rfbproto, ClientFence).
    pub const FENCE: usize = 64;
    /// Distinct encodings that are kept of a SetEncodings; the rest is read and dropped.
    pub const ENCODINGS: usize = 256;
}

/// The version of xvp that is spoken (community rfbproto, "xvp Client Message").
pub const XVP_VERSION: u8 = 1;

/// What a client asks of the machine's power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PowerRequest {
    /// Cleanly.
    Shutdown,
    /// Cleanly.
    Reboot,
    /// At once.
    Reset,
}

/// A message from a client, read whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientMessage {
    SetPixelFormat(PixelFormat),
    /// In the client's order, at most [`limits::ENCODINGS`].
    SetEncodings(Vec<i32>),
    FramebufferUpdateRequest {
        incremental: bool,
        area: Rect,
    },
    KeyEvent {
        down: bool,
        keysym: u32,
    },
    PointerEvent {
        position: Point,
        buttons: u16,
    },
    /// What was copied at the client.
    CutText(Clipboard),
    /// The next `length` bytes are clipboard text or an Extended Clipboard message, more than is kept and to be passed over.
    LongCutText {
        length: u32,
    },
    /// An Extended Clipboard message, to be read with [`super::clipboard::Extended::read`] by who offered that.
    ExtendedCutText(Vec<u8>),
    EnableContinuousUpdates {
        enable: bool,
        area: Rect,
    },
    /// `data` is `None` if it was longer than a fence may be.
    Fence {
        flags: u32,
        data: Option<Vec<u8>>,
    },
    SetDesktopSize,
    ExtendedKeyEvent {
        down: bool,
        keysym: u32,
        code: u32,
    },
    /// xvp: what is to be done with the machine's power. `request` is `None` for a code or a version that there is not.
    Xvp {
        request: Option<PowerRequest>,
    },
    /// Something harmless that other servers offer and that was passed over.
    Ignored,
}

/// Reads one message. `extended_buttons` says whether this client was granted ExtendedMouseButtons,
/// because that decides how long a PointerEvent is.
pub fn read(reader: &mut Reader<'_>, extended_buttons: bool) -> Read<Result<ClientMessage, Error>> {
    use ClientMessage as M;
    Ok(Ok(match reader.u8()? {
        0 => {
            reader.skip(3)?;
            match PixelFormat::read(reader)? {
                Ok(format) => M::SetPixelFormat(format),
                Err(e) => return Ok(Err(e.into())),
            }
        }
        2 => set_encodings(reader)?,
        3 => M::FramebufferUpdateRequest {
            incremental: reader.u8()? != 0,
            area: rect(reader)?,
        },
        4 => {
            let down = reader.u8()? != 0;
            reader.skip(2)?;
            M::KeyEvent {
                down,
                keysym: reader.u32()?,
            }
        }
        5 => pointer_event(reader, extended_buttons)?,
        6 => return cut_text(reader),
        // UltraVNC SetScale, SetServerInput and PalmVNC SetScaleFactor; Guacamole sends the second unasked.
        8 | 9 | 15 => {
            reader.skip(3)?;
            M::Ignored
        }
        // UltraVNC SetSW.
        10 => {
            reader.skip(5)?;
            M::Ignored
        }
        150 => M::EnableContinuousUpdates {
            enable: reader.u8()? != 0,
            area: rect(reader)?,
        },
        248 => {
            reader.skip(3)?;
            let flags = reader.u32()?;
            let length = usize::from(reader.u8()?);
            let data = reader.take(length)?;
            M::Fence {
                flags,
                data: (length <= limits::FENCE).then(|| data.to_vec()),
            }
        }
        250 => {
            reader.skip(1)?;
            let request = match (reader.u8()?, reader.u8()?) {
                (XVP_VERSION, 2) => Some(PowerRequest::Shutdown),
                (XVP_VERSION, 3) => Some(PowerRequest::Reboot),
                (XVP_VERSION, 4) => Some(PowerRequest::Reset),
                _ => None,
            };
            M::Xvp { request }
        }
        251 => {
            reader.skip(5)?;
            let screens = usize::from(reader.u8()?);
            reader.skip(1 + screens * 16)?;
            M::SetDesktopSize
        }
        255 => match reader.u8()? {
            0 => M::ExtendedKeyEvent {
                down: reader.u16()? != 0,
                keysym: reader.u32()?,
                code: reader.u32()?,
            },
            other => return Ok(Err(Error::UnknownQemuMessage(other))),
        },
        other => return Ok(Err(Error::UnknownMessage(other))),
    }))
}

/// ClientCutText: 3 padding, S32 length, Latin-1 text. A negative length is that of an Extended Clipboard message: its
/// size is the absolute value (`i32::MIN` has none as an i32).
fn cut_text(reader: &mut Reader<'_>) -> Read<Result<ClientMessage, Error>> {
    reader.skip(3)?;
    let signed = reader.i32()?;
    let length = signed.unsigned_abs();
    if length > limits::CUT_TEXT {
        let limit = limits::CUT_TEXT;
        return Ok(Err(Error::CutTextTooLong { length, limit }));
    }
    if length > limits::KEPT_CUT_TEXT {
        return Ok(Ok(ClientMessage::LongCutText { length }));
    }
    let body = reader.take(usize::try_from(length).unwrap_or(usize::MAX))?;
    Ok(Ok(match signed < 0 {
        true => ClientMessage::ExtendedCutText(body.to_vec()),
        false => ClientMessage::CutText(Clipboard::from_latin1(body)),
    }))
}

/// SetEncodings: padding, U16 count, count × S32. Up to 256 KiB, of which only what is new is kept.
fn set_encodings(reader: &mut Reader<'_>) -> Read<ClientMessage> {
    reader.skip(1)?;
    let count = usize::from(reader.u16()?);
    let mut list = Reader::new(reader.take(count * 4)?);
    let mut encodings = Vec::with_capacity(count.min(limits::ENCODINGS));
    while let Ok(encoding) = list.i32() {
        if encodings.len() < limits::ENCODINGS && !encodings.contains(&encoding) {
            encodings.push(encoding);
        }
    }
    Ok(ClientMessage::SetEncodings(encodings))
}

/// PointerEvent: U8 mask, U16 x, U16 y; where the client has ExtendedMouseButtons, bit 7 of the mask
/// only says that one more byte follows, with Back and Forward in bits 0 and 1. Otherwise bit 7 is Back.
fn pointer_event(reader: &mut Reader<'_>, extended_buttons: bool) -> Read<ClientMessage> {
    let mask = u16::from(reader.u8()?);
    let position = Point::new(reader.u16()?, reader.u16()?);
    let buttons = if extended_buttons && mask & 0x80 != 0 {
        mask & 0x7f | (u16::from(reader.u8()?) & 3) << 7
    } else {
        mask
    };
    Ok(ClientMessage::PointerEvent { position, buttons })
}

fn rect(reader: &mut Reader<'_>) -> Read<Rect> {
    Ok(Rect::new(
        reader.u16()?,
        reader.u16()?,
        reader.u16()?,
        reader.u16()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Short;

    /// Reads a whole message, having seen that no beginning of it is taken for one.
    fn parse(bytes: &[u8], extended: bool) -> Result<ClientMessage, Error> {
        for n in 0..bytes.len() {
            assert_eq!(
                read(&mut Reader::new(&bytes[..n]), extended),
                Err(Short),
                "{n} bytes"
            );
        }
        let mut reader = Reader::new(bytes);
        let message = read(&mut reader, extended).expect("a whole message");
        assert_eq!(reader.consumed(), bytes.len());
        message
    }

    /// Check 54.
    #[test]
    fn extended_buttons_change_the_length_only_where_granted() {
        let at = |buttons| ClientMessage::PointerEvent {
            position: Point::new(258, 3),
            buttons,
        };
        assert_eq!(parse(&[5, 0x81, 1, 2, 0, 3, 1], true), Ok(at(0x081)));
        assert_eq!(parse(&[5, 0x80, 1, 2, 0, 3, 2], true), Ok(at(0x100)));
        assert_eq!(parse(&[5, 0x80, 1, 2, 0, 3, 0xff], true), Ok(at(0x180)));
        assert_eq!(parse(&[5, 0x01, 1, 2, 0, 3], true), Ok(at(1)));
        assert_eq!(parse(&[5, 0x80, 1, 2, 0, 3], false), Ok(at(0x80)));
    }

    /// Check 67.
    #[test]
    fn cut_text_lengths_are_bounded_before_anything_is_held() {
        let with = |length: u32, held: usize| {
            let mut bytes = vec![6, 0, 0, 0];
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.resize(8 + held, b'x');
            parse(&bytes, false)
        };
        let text = |text: &str| Ok(ClientMessage::CutText(Clipboard::Text(text.to_owned())));
        assert_eq!(with(0, 0), Ok(ClientMessage::CutText(Clipboard::Empty)));
        assert_eq!(with(3, 3), text("xxx"));
        let extended = |body: &[u8]| Ok(ClientMessage::ExtendedCutText(body.to_vec()));
        assert_eq!(with(0xffff_fffc, 4), extended(b"xxxx"));
        assert_eq!(with(0xffff_ffff, 1), extended(b"x"));
        for length in [(256 << 10) + 1, 1 << 20] {
            let long = Ok(ClientMessage::LongCutText { length });
            assert_eq!(with(length, 0), long, "{length:#x}");
            assert_eq!(with(length.wrapping_neg(), 0), long, "-{length:#x}");
        }
        for length in [0x7fff_ffff, 0x8000_0000, (1 << 20) + 1] {
            assert!(
                matches!(with(length, 0), Err(Error::CutTextTooLong { .. })),
                "{length:#x}"
            );
        }
    }

    /// Check 29.
    #[test]
    fn encodings_are_kept_once_each_and_bounded() {
        let mut bytes = vec![2, 0, 0xff, 0xff];
        for n in 0..65535i32 {
            bytes.extend_from_slice(&(n / 2).to_be_bytes());
        }
        let mut reader = Reader::new(&bytes);
        let Ok(Ok(ClientMessage::SetEncodings(list))) = read(&mut reader, false) else {
            panic!("65535 encodings are a valid message");
        };
        assert_eq!(reader.consumed(), bytes.len());
        assert_eq!(list, (0..256).collect::<Vec<_>>());
        assert_eq!(
            parse(&[2, 0, 0, 0], false),
            Ok(ClientMessage::SetEncodings(vec![]))
        );
    }

    /// Check 46.
    #[test]
    fn a_fence_that_is_too_long_is_passed_over_whole() {
        let fence = |length: u8| {
            let mut bytes = vec![248, 0, 0, 0, 0x80, 0, 0, 1, length];
            bytes.resize(9 + usize::from(length), 7);
            parse(&bytes, false)
        };
        let flags = 0x8000_0001;
        assert_eq!(
            fence(0),
            Ok(ClientMessage::Fence {
                flags,
                data: Some(vec![])
            })
        );
        assert_eq!(
            fence(64),
            Ok(ClientMessage::Fence {
                flags,
                data: Some(vec![7; 64])
            })
        );
        assert_eq!(fence(65), Ok(ClientMessage::Fence { flags, data: None }));
        assert_eq!(fence(255), Ok(ClientMessage::Fence { flags, data: None }));
    }

    /// Check 28 and trap 46.
    #[test]
    fn foreign_messages_are_passed_over_where_their_length_is_known() {
        for bytes in [
            &[8, 1, 0, 0][..],
            &[9, 1, 0, 0],
            &[15, 1, 0, 0],
            &[10, 0, 0, 0, 0, 0],
        ] {
            assert_eq!(parse(bytes, false), Ok(ClientMessage::Ignored));
        }
        for kind in [1, 7, 11, 0x42, 252, 253] {
            assert_eq!(parse(&[kind], false), Err(Error::UnknownMessage(kind)));
        }
        assert_eq!(parse(&[255, 1], false), Err(Error::UnknownQemuMessage(1)));
    }

    /// Check 49.
    #[test]
    fn set_desktop_size_is_read_with_any_number_of_screens() {
        for screens in [0u8, 1, 255] {
            let mut bytes = vec![251, 0, 3, 32, 2, 88, screens, 0];
            bytes.resize(8 + usize::from(screens) * 16, 1);
            assert_eq!(parse(&bytes, false), Ok(ClientMessage::SetDesktopSize));
        }
    }

    /// Check 56.
    #[test]
    fn xvp_has_three_requests_of_one_version() {
        for (version, code, request) in [
            (1, 2, Some(PowerRequest::Shutdown)),
            (1, 3, Some(PowerRequest::Reboot)),
            (1, 4, Some(PowerRequest::Reset)),
            (1, 0, None),
            (1, 5, None),
            (2, 4, None),
        ] {
            let expected = Ok(ClientMessage::Xvp { request });
            assert_eq!(parse(&[250, 0, version, code], false), expected);
        }
    }

    /// Check 53.
    #[test]
    fn an_extended_key_event_has_both_numbers() {
        let bytes = [255, 0, 0, 1, 0, 0, 0, 0x61, 0, 0, 0, 0x1e];
        let expected = ClientMessage::ExtendedKeyEvent {
            down: true,
            keysym: 0x61,
            code: 0x1e,
        };
        assert_eq!(parse(&bytes, false), Ok(expected));
    }
}
