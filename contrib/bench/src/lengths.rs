//! Where the updates of a server end, found by lengths alone, however its bytes are cut.

use rfb::{
    geom::Size,
    wire::{Read, Reader, Short},
};

/// What went by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Passed {
    /// The last byte of a FramebufferUpdate.
    Update,
    /// A ServerFence.
    Fence { flags: u32, data: Vec<u8> },
    /// EndOfContinuousUpdates, which at first means that the server knows them.
    ContinuousUpdates,
}

/// Follows one server's messages. Pixels are BGRX, 32 bits each.
pub struct Lengths {
    size: Size,
    /// Bytes of which nothing is to be known.
    skip: usize,
    /// The beginning of a header whose rest has not come.
    begun: Vec<u8>,
    expected: Expected,
    left: u16,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Expected {
    Message,
    Rectangle,
}

/// No header is longer: a Tight palette of 256 colours, its rectangle's header and a length.
const LONGEST_HEADER: usize = 1024;
const BYTES_PER_PIXEL: usize = 4;
const BYTES_PER_TPIXEL: usize = 3;

const RAW: i32 = 0;
const COPY_RECT: i32 = 1;
const TIGHT: i32 = 7;
const ZRLE: i32 = 16;
const DESKTOP_SIZE: i32 = -223;
const LAST_RECT: i32 = -224;

impl Lengths {
    /// Begins behind ServerInit.
    pub fn new(size: Size) -> Self {
        Self {
            size,
            skip: 0,
            begun: Vec::new(),
            expected: Expected::Message,
            left: 0,
        }
    }

    /// The framebuffer's size.
    pub fn size(&self) -> Size {
        self.size
    }

    /// Takes what the server sent.
    ///
    /// # Errors
    /// What cannot be followed.
    pub fn take(&mut self, mut bytes: &[u8], mut tell: impl FnMut(Passed)) -> Result<(), String> {
        loop {
            let skipped = self.skip.min(bytes.len());
            self.skip -= skipped;
            bytes = &bytes[skipped..];
            if self.skip > 0 {
                return Ok(());
            }
            if self.expected == Expected::Rectangle && self.left == 0 {
                self.expected = Expected::Message;
                tell(Passed::Update);
            }
            if bytes.is_empty() {
                return Ok(());
            }
            let old = self.begun.len();
            let header = if old == 0 {
                bytes
            } else {
                let more = bytes.len().min(LONGEST_HEADER);
                self.begun.extend_from_slice(&bytes[..more]);
                &std::mem::take(&mut self.begun)
            };
            let mut reader = Reader::new(header);
            match self.header(&mut reader) {
                Ok(step) => {
                    if let Some(passed) = step? {
                        tell(passed);
                    }
                    bytes = &bytes[reader.consumed() - old..];
                }
                Err(Short) => {
                    self.begun = header.to_vec();
                    return Ok(());
                }
            }
        }
    }

    /// Reads one header. Nothing changes if it is not all there.
    fn header(&mut self, reader: &mut Reader<'_>) -> Read<Result<Option<Passed>, String>> {
        match self.expected {
            Expected::Message => self.message(reader),
            Expected::Rectangle => self.rectangle(reader).map(|done| done.map(|()| None)),
        }
    }

    fn message(&mut self, reader: &mut Reader<'_>) -> Read<Result<Option<Passed>, String>> {
        match reader.u8()? {
            0 => {
                reader.skip(1)?;
                self.left = reader.u16()?;
                self.expected = Expected::Rectangle;
            }
            1 => {
                reader.skip(3)?;
                self.skip = 6 * usize::from(reader.u16()?);
            }
            2 => {}
            3 => {
                reader.skip(3)?;
                self.skip = reader.u32()? as usize;
            }
            150 => return Ok(Ok(Some(Passed::ContinuousUpdates))),
            248 => {
                reader.skip(3)?;
                let flags = reader.u32()?;
                let length = usize::from(reader.u8()?);
                let data = reader.take(length)?.to_vec();
                return Ok(Ok(Some(Passed::Fence { flags, data })));
            }
            other => return Ok(Err(format!("message type {other}"))),
        }
        Ok(Ok(None))
    }

    fn rectangle(&mut self, reader: &mut Reader<'_>) -> Read<Result<(), String>> {
        let (x, y) = (reader.u16()?, reader.u16()?);
        let (width, height) = (reader.u16()?, reader.u16()?);
        let encoding = reader.i32()?;
        let payload = match encoding {
            DESKTOP_SIZE => {
                self.size = Size::new(width, height);
                0
            }
            LAST_RECT => 0,
            _ => match payload(encoding, Size::new(width, height), reader)? {
                Ok(payload) => payload,
                Err(fault) => return Ok(Err(fault)),
            },
        };
        let ends = |start: u16, length: u16| u32::from(start) + u32::from(length);
        let outside =
            ends(x, width) > self.size.width.into() || ends(y, height) > self.size.height.into();
        if encoding >= 0 && outside {
            return Ok(Err(format!("{width}x{height} at {x},{y} in {}", self.size)));
        }
        self.skip = payload;
        self.left = match encoding {
            LAST_RECT => 0,
            // Their number is not known: LastRect ends them.
            _ if self.left == u16::MAX => u16::MAX,
            _ => self.left - 1,
        };
        Ok(Ok(()))
    }
}

/// Reads the payload of a rectangle up to its data and gives the length of these.
pub fn payload(encoding: i32, size: Size, reader: &mut Reader<'_>) -> Read<Result<usize, String>> {
    Ok(Ok(match encoding {
        RAW => size.area() * BYTES_PER_PIXEL,
        COPY_RECT => 4,
        TIGHT => return tight(reader, size.width.into(), size.height.into()),
        ZRLE => reader.u32()? as usize,
        other => return Ok(Err(format!("encoding {other}, which was not listed"))),
    }))
}

/// Reads a Tight rectangle up to its data and gives their length.
fn tight(reader: &mut Reader<'_>, width: usize, height: usize) -> Read<Result<usize, String>> {
    let control = reader.u8()?;
    let mut size = width * height * BYTES_PER_TPIXEL;
    match control >> 4 {
        8 => return Ok(Ok(BYTES_PER_TPIXEL)),
        9 => return compact(reader).map(Ok),
        0..=3 => {}
        4..=7 => match reader.u8()? {
            0 | 2 => {}
            1 => {
                let colours = usize::from(reader.u8()?) + 1;
                reader.skip(colours * BYTES_PER_TPIXEL)?;
                let row = if colours == 2 {
                    width.div_ceil(8)
                } else {
                    width
                };
                size = row * height;
            }
            filter => return Ok(Err(format!("Tight filter {filter}"))),
        },
        _ => return Ok(Err(format!("Tight control byte {control:#04x}"))),
    }
    if size < 12 {
        return Ok(Ok(size));
    }
    compact(reader).map(Ok)
}

/// One to three bytes: 7, 7 and 8 bits, the lowest first.
pub fn compact(reader: &mut Reader<'_>) -> Read<usize> {
    let mut length = 0;
    for shift in [0, 7] {
        let byte = usize::from(reader.u8()?);
        length |= (byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(length);
        }
    }
    Ok(length | usize::from(reader.u8()?) << 14)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rectangle(width: u8, height: u8, encoding: i32, payload: &[u8]) -> Vec<u8> {
        let mut out = vec![0, 0, 0, 0, 0, width, 0, height];
        out.extend(encoding.to_be_bytes());
        out.extend(payload);
        out
    }

    /// One of everything, an update in the middle and one at the end.
    fn talk() -> Vec<u8> {
        let palette = [&[0x50, 1, 2][..], &[7; 9], &[12], &[9; 12]].concat();
        let rectangles = [
            rectangle(2, 2, RAW, &[1; 16]),
            rectangle(2, 2, COPY_RECT, &[0; 4]),
            rectangle(2, 2, TIGHT, &[0x80, 1, 2, 3]),
            rectangle(2, 2, TIGHT, &[&[0x90, 0x81, 1][..], &[3; 129]].concat()),
            rectangle(1, 1, TIGHT, &[0, 5, 5, 5]),
            rectangle(4, 4, TIGHT, &palette),
            rectangle(2, 2, ZRLE, &[0, 0, 0, 2, 8, 8]),
        ];
        let mut out = vec![0, 0, 0, 7];
        out.extend(rectangles.concat());
        out.extend([2, 3, 0, 0, 0, 0, 0, 0, 1, 65, 150]);
        out.extend([248, 0, 0, 0, 0x80, 0, 0, 1, 2, 6, 6]);
        out.extend([0, 0, 0xff, 0xff]);
        out.extend(rectangle(8, 8, DESKTOP_SIZE, &[]));
        out.extend(rectangle(0, 0, LAST_RECT, &[]));
        out
    }

    #[test]
    fn updates_end_at_the_same_place_however_the_bytes_are_cut() {
        let talk = talk();
        let expected = [
            Passed::Update,
            Passed::ContinuousUpdates,
            Passed::Fence {
                flags: 0x8000_0001,
                data: vec![6, 6],
            },
            Passed::Update,
        ];
        for piece in [1, 2, 3, 7, 100, talk.len()] {
            let mut lengths = Lengths::new(Size::new(4, 4));
            let mut passed = Vec::new();
            for part in talk.chunks(piece) {
                let taken = lengths.take(part, |p| passed.push(p));
                assert_eq!(taken, Ok(()), "in pieces of {piece}");
            }
            assert_eq!(passed, expected, "in pieces of {piece}");
            assert_eq!(lengths.size(), Size::new(8, 8));
        }
    }

    #[test]
    fn nothing_unknown_is_skipped() {
        for bytes in [
            vec![77],
            [vec![0, 0, 0, 1], rectangle(1, 1, 99, &[])].concat(),
            [vec![0, 0, 0, 1], rectangle(5, 1, RAW, &[])].concat(),
            [vec![0, 0, 0, 1], rectangle(1, 1, TIGHT, &[0xf0])].concat(),
        ] {
            let taken = Lengths::new(Size::new(4, 4)).take(&bytes, |_| {});
            assert!(taken.is_err(), "{bytes:?}");
        }
    }
}
