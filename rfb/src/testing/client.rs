//! A strict client without IO: it parses every byte that a server sends and closes at the first one
//! that it cannot explain.

use crate::geom::{Rect, Size};
use crate::pixel::{Colour, PixelFormat};
use crate::wire::{Put, Read, Reader, Short};

use super::decode::{DecodeError, Decoder, Progress};

/// One rectangle of an update, its pixels already drawn on [`Client::decoder`]'s screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rectangle {
    pub rect: Rect,
    pub encoding: i32,
    /// The payload of a pseudo-rectangle; empty for pixels.
    pub pseudo: Vec<u8>,
    /// Payload bytes.
    pub length: usize,
}

/// A message from the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    Update(Vec<Rectangle>),
    ColourMap {
        first: u16,
        entries: Vec<[u16; 3]>,
    },
    EndOfContinuousUpdates,
    /// Of xvp, version 1: 0 for a failure, 1 that requests are taken.
    Xvp(u8),
    Fence {
        flags: u32,
        data: Vec<u8>,
    },
    /// An Extended Clipboard message: its flags, and what lies behind them.
    Clipboard {
        flags: u32,
        data: Vec<u8>,
    },
}

impl Message {
    /// The rectangles of an update.
    ///
    /// # Panics
    /// If it is another message.
    pub fn rectangles(&self) -> &[Rectangle] {
        match self {
            Message::Update(rectangles) => rectangles,
            other => panic!("an update, not {other:?}"),
        }
    }
}

/// What a strict client closes the connection for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    #[error("message type {0} was not asked for")]
    Unexpected(u8),
    #[error("a rectangle {0:?} outside the framebuffer of {1}")]
    Outside(Rect, Size),
    #[error("encoding {0} was not listed")]
    NotListed(i32),
    #[error("a colour map for a true-colour client, or one that is no map of 256 colours")]
    ColourMap,
    #[error("clipboard text, or an extended clipboard message that is too long ({0} bytes)")]
    Clipboard(i32),
    #[error("a screen layout that is none")]
    Layout,
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

/// The pseudo-encoding of the Extended Clipboard.
pub const EXTENDED_CLIPBOARD: i32 = 0xc0a1_e5ce_u32 as i32;

/// A client after the handshake.
pub struct Client {
    input: Vec<u8>,
    size: Size,
    listed: Vec<i32>,
    partial: Option<(u16, Vec<Rectangle>)>,
    /// Decodes pixels and keeps the screen.
    pub decoder: Decoder,
}

impl Client {
    /// A client that has just got ServerInit.
    pub fn new(size: Size) -> Self {
        Self {
            input: Vec::new(),
            size,
            listed: Vec::new(),
            partial: None,
            decoder: Decoder::new(size, PixelFormat::BGRX),
        }
    }

    /// The framebuffer's size as the server told it.
    pub fn size(&self) -> Size {
        self.size
    }

    /// SetEncodings; from now on nothing else is accepted.
    pub fn set_encodings(&mut self, list: &[i32]) -> Vec<u8> {
        self.listed = list.to_vec();
        let quality = |n: &i32| (-32..=-23).contains(n) || (-512..=-412).contains(n);
        self.decoder.allow_jpeg(list.iter().any(quality));
        set_encodings(list)
    }

    /// SetPixelFormat; from now on pixels are read in it.
    pub fn set_pixel_format(&mut self, format: PixelFormat) -> Vec<u8> {
        self.decoder.set_format(format);
        let mut out = vec![0, 0, 0, 0];
        format.write(&mut out);
        out
    }

    /// Whether every byte so far belonged to a whole message.
    pub fn is_between_messages(&self) -> bool {
        self.input.is_empty() && self.partial.is_none()
    }

    /// Takes bytes from the server; gives the messages that are whole now.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<Vec<Message>, ClientError> {
        self.input.extend_from_slice(bytes);
        let mut messages = Vec::new();
        loop {
            let input = std::mem::take(&mut self.input);
            let mut reader = Reader::new(&input);
            let step = self.step(&mut reader);
            let consumed = if step.is_ok() { reader.consumed() } else { 0 };
            self.input = input[consumed..].to_vec();
            match step {
                Ok(Ok(Some(message))) => messages.push(message),
                Ok(Ok(None)) => {}
                Ok(Err(e)) => return Err(e),
                Err(Short) => return Ok(messages),
            }
        }
    }

    /// Reads a message, or the next part of an update.
    fn step(&mut self, reader: &mut Reader<'_>) -> Read<Result<Option<Message>, ClientError>> {
        if let Some((left, mut done)) = self.partial.take() {
            let mut probe = reader.clone();
            match self.rectangle(&mut probe) {
                Ok(Ok(rectangle)) => {
                    *reader = probe;
                    done.push(rectangle);
                    return Ok(Ok(self.progress(left - 1, done)));
                }
                Ok(Err(e)) => return Ok(Err(e)),
                Err(Short) => {
                    self.partial = Some((left, done));
                    return Err(Short);
                }
            }
        }
        Ok(match reader.u8()? {
            0 => {
                reader.skip(1)?;
                let count = reader.u16()?;
                Ok(self.progress(count, Vec::new()))
            }
            1 => {
                reader.skip(1)?;
                let first = reader.u16()?;
                let count = reader.u16()?;
                let mut entries = Vec::new();
                for _ in 0..count {
                    entries.push([reader.u16()?, reader.u16()?, reader.u16()?]);
                }
                let mapped = self.decoder.format().colour == Colour::Map;
                if !mapped || first != 0 || entries.len() != 256 {
                    return Ok(Err(ClientError::ColourMap));
                }
                self.decoder.set_colour_map(first, &entries);
                Ok(Some(Message::ColourMap { first, entries }))
            }
            150 if self.listed.contains(&-313) => Ok(Some(Message::EndOfContinuousUpdates)),
            3 if self.listed.contains(&EXTENDED_CLIPBOARD) => {
                reader.skip(3)?;
                let length = reader.i32()?;
                // A server has no text of its own, so what it says is short and never plain.
                if !(-64..=-4).contains(&length) {
                    return Ok(Err(ClientError::Clipboard(length)));
                }
                let flags = reader.u32()?;
                let data = reader.take(length.unsigned_abs() as usize - 4)?.to_vec();
                Ok(Some(Message::Clipboard { flags, data }))
            }
            248 if self.listed.contains(&-312) => {
                reader.skip(3)?;
                let flags = reader.u32()?;
                let length = usize::from(reader.u8()?);
                let data = reader.take(length)?.to_vec();
                Ok(Some(Message::Fence { flags, data }))
            }
            250 => {
                reader.skip(1)?;
                match reader.u8()? {
                    1 => Ok(Some(Message::Xvp(reader.u8()?))),
                    other => Err(ClientError::Unexpected(other)),
                }
            }
            other => Err(ClientError::Unexpected(other)),
        })
    }

    fn progress(&mut self, left: u16, done: Vec<Rectangle>) -> Option<Message> {
        if left == 0 {
            return Some(Message::Update(done));
        }
        self.partial = Some((left, done));
        None
    }

    fn rectangle(&mut self, reader: &mut Reader<'_>) -> Read<Result<Rectangle, ClientError>> {
        let rect = Rect::new(reader.u16()?, reader.u16()?, reader.u16()?, reader.u16()?);
        let encoding = reader.i32()?;
        if encoding != 0 && !self.listed.contains(&encoding) {
            return Ok(Err(ClientError::NotListed(encoding)));
        }
        let rest = reader.rest();
        let pseudo_length = match encoding {
            -223 | -257 | -258 | -316 => Some(0),
            -261 => Some(1),
            0x574d_5668 => Some(4),
            -307 => Some(4 + Reader::new(rest).u32()? as usize),
            -308 => Some(4 + 16 * usize::from(Reader::new(rest).u8()?)),
            _ => None,
        };
        if let Some(length) = pseudo_length {
            let pseudo = reader.take(length)?.to_vec();
            return Ok(self.pseudo(rect, encoding, pseudo));
        }
        if rect.is_empty() || !self.size.rect().contains(rect) {
            return Ok(Err(ClientError::Outside(rect, self.size)));
        }
        match self.decoder.decode_rect(encoding, rect, rest) {
            Ok(Progress::Done(length)) => {
                reader.skip(length)?;
                Ok(Ok(Rectangle {
                    rect,
                    encoding,
                    pseudo: Vec::new(),
                    length,
                }))
            }
            Ok(Progress::NeedMore) => Err(Short),
            Err(error) => Ok(Err(error.into())),
        }
    }

    fn pseudo(
        &mut self,
        rect: Rect,
        encoding: i32,
        pseudo: Vec<u8>,
    ) -> Result<Rectangle, ClientError> {
        match encoding {
            -223 => self.resize(rect.size()),
            -308 => {
                let [1, 0, 0, 0, _, _, _, _, layout @ .., _, _, _, _] = &pseudo[..] else {
                    return Err(ClientError::Layout);
                };
                let mut whole = vec![0; 4];
                whole.put_u16(rect.width);
                whole.put_u16(rect.height);
                if rect.is_empty() || layout != whole {
                    return Err(ClientError::Layout);
                }
                self.resize(rect.size());
            }
            _ => {}
        }
        let length = pseudo.len();
        Ok(Rectangle {
            rect,
            encoding,
            pseudo,
            length,
        })
    }

    fn resize(&mut self, size: Size) {
        if size != self.size {
            self.size = size;
            self.decoder.resize(size);
        }
    }
}

/// FramebufferUpdateRequest.
pub fn request(incremental: bool, rect: Rect) -> Vec<u8> {
    let mut out = vec![3, u8::from(incremental)];
    for v in [rect.x, rect.y, rect.width, rect.height] {
        out.put_u16(v);
    }
    out
}

/// SetEncodings.
pub fn set_encodings(list: &[i32]) -> Vec<u8> {
    let mut out = vec![2, 0];
    out.put_u16(u16::try_from(list.len()).unwrap_or(u16::MAX));
    for encoding in list {
        out.put_i32(*encoding);
    }
    out
}

/// KeyEvent.
pub fn key(down: bool, keysym: u32) -> Vec<u8> {
    let mut out = vec![4, u8::from(down), 0, 0];
    out.put_u32(keysym);
    out
}

/// QEMU extended key event.
pub fn extended_key(down: bool, keysym: u32, code: u32) -> Vec<u8> {
    let mut out = vec![255, 0];
    out.put_u16(u16::from(down));
    out.put_u32(keysym);
    out.put_u32(code);
    out
}

/// PointerEvent with an 8-bit mask.
pub fn pointer(buttons: u8, x: u16, y: u16) -> Vec<u8> {
    let mut out = vec![5, buttons];
    out.put_u16(x);
    out.put_u16(y);
    out
}

/// EnableContinuousUpdates.
pub fn continuous_updates(enable: bool, rect: Rect) -> Vec<u8> {
    let mut out = vec![150, u8::from(enable)];
    for v in [rect.x, rect.y, rect.width, rect.height] {
        out.put_u16(v);
    }
    out
}

/// ClientFence.
pub fn fence(flags: u32, data: &[u8]) -> Vec<u8> {
    let mut out = vec![248, 0, 0, 0];
    out.put_u32(flags);
    out.put_u8(u8::try_from(data.len()).unwrap_or(u8::MAX));
    out.put(data);
    out
}

/// xvp Client Message, version 1.
pub fn xvp(code: u8) -> Vec<u8> {
    vec![250, 0, 1, code]
}

/// ClientCutText: Latin-1 text.
pub fn cut_text(text: &[u8]) -> Vec<u8> {
    let mut out = vec![6, 0, 0, 0];
    out.put_u32(u32::try_from(text.len()).unwrap_or(u32::MAX));
    out.put(text);
    out
}

/// An Extended Clipboard message: its flags, and what lies behind them.
pub fn extended_clipboard(flags: u32, data: &[u8]) -> Vec<u8> {
    let mut out = vec![6, 0, 0, 0];
    out.put_i32(-i32::try_from(4 + data.len()).unwrap_or(i32::MAX));
    out.put_u32(flags);
    out.put(data);
    out
}

/// The Extended Clipboard's provide with one text, as the specification writes it: lines end in CR LF, a NUL behind.
pub fn provide_text(text: &str) -> Vec<u8> {
    let text = format!("{}\0", text.replace('\n', "\r\n"));
    let mut plain = Vec::new();
    plain.put_u32(u32::try_from(text.len()).unwrap_or(u32::MAX));
    plain.put(text.as_bytes());
    let mut stream = flate2::Compress::new(flate2::Compression::new(6), true);
    let mut data = Vec::with_capacity(plain.len() + plain.len() / 100 + 1024);
    // Flushed and never finished, as TigerVNC does it.
    let compressed = stream.compress_vec(&plain, &mut data, flate2::FlushCompress::Sync);
    debug_assert!(compressed.is_ok() && stream.total_in() == plain.len() as u64);
    extended_clipboard(1 << 28 | 1, &data)
}

/// SetDesktopSize with `screens` screens of that size at the origin.
pub fn set_desktop_size(size: Size, screens: u8) -> Vec<u8> {
    let mut out = vec![251, 0];
    out.put_u16(size.width);
    out.put_u16(size.height);
    out.put(&[screens, 0]);
    for id in 0..screens {
        out.put_u32(u32::from(id));
        for v in [0, 0, size.width, size.height] {
            out.put_u16(v);
        }
        out.put_u32(0);
    }
    out
}
