//! A strict decoder for every encoding, with the state that a client keeps on a connection.
//!
//! It shares nothing with the encoders. Wrong lengths, data left over, palette indices without a colour,
//! runs beyond a tile, colours that were never set and JPEGs of another size are errors, even where
//! real clients would shrug.

mod inflate;
mod jpeg;
mod pixel;
mod plain;
mod rle;
mod tight;

use crate::geom::{Rect, Size};
use crate::pixel::PixelFormat;
use crate::wire::{Reader, Short};
use inflate::Inflater;
pub use jpeg::JpegHeader;
use pixel::Layout;

/// How far a rectangle could be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The input ends inside the rectangle; nothing changed. Try again with more bytes.
    NeedMore,
    /// The rectangle took this many bytes of the input.
    Done(usize),
}

/// The bytes of a rectangle are not what the protocol says. The decoder is of no use any more.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rectangle {rect:?} in encoding {encoding}: {what}")]
pub struct DecodeError {
    pub encoding: i32,
    pub rect: Rect,
    pub what: String,
}

/// Why a part of a rectangle could not be read.
enum Fault {
    Short,
    Bad(String),
}

impl From<Short> for Fault {
    fn from(_: Short) -> Self {
        Fault::Short
    }
}

fn bad<T>(what: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Bad(what.into()))
}

/// Pixels of a rectangle as they were sent.
enum Pixels {
    /// Pixel values of the format.
    Values(Vec<u32>),
    /// 0x00RRGGBB, from JPEG and PNG.
    Rgb(Vec<u32>),
}

/// What went by, for tests that care how something was sent.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The encoding of each rectangle.
    pub encodings: Vec<i32>,
    /// The control byte of each Tight and TightPNG rectangle.
    pub tight_controls: Vec<u8>,
    /// The header of each JPEG, in any encoding.
    pub jpegs: Vec<JpegHeader>,
    /// The first byte of each ZRLE and TRLE tile.
    pub tile_codings: Vec<u8>,
}

/// The framebuffer and the streams of one connection.
pub struct Decoder {
    size: Size,
    layout: Layout,
    values: Vec<u32>,
    rgb: Vec<u32>,
    zlib: Inflater,
    /// `None` if ZRLE uses the stream of Zlib.
    zrle: Option<Inflater>,
    tight: [Inflater; 4],
    jpeg_allowed: bool,
    pub seen: Seen,
}

impl Decoder {
    /// A black framebuffer of this size, and streams that have not begun.
    pub fn new(size: Size, format: PixelFormat) -> Self {
        Self {
            size,
            layout: Layout::new(format),
            values: vec![0; size.area()],
            rgb: vec![0; size.area()],
            zlib: Inflater::new(),
            zrle: Some(Inflater::new()),
            tight: std::array::from_fn(|_| Inflater::new()),
            jpeg_allowed: true,
            seen: Seen::default(),
        }
    }

    /// From now on Zlib and ZRLE are inflated as one stream, as libvncclient does.
    pub fn share_zlib_stream(&mut self) {
        self.zrle = None;
    }

    /// Whether a JPEG is an error: it is for clients that sent no quality level (check 32).
    pub fn allow_jpeg(&mut self, allowed: bool) {
        self.jpeg_allowed = allowed;
    }

    /// The format of the rectangles to come. The streams go on; the framebuffer keeps its colours
    /// (its values are those of the format in which they came).
    pub fn set_format(&mut self, format: PixelFormat) {
        self.layout.set_format(format);
    }

    pub fn format(&self) -> PixelFormat {
        self.layout.format
    }

    /// Takes SetColourMapEntries: red, green and blue (0..=65535) from index `first` on. Indices beyond
    /// 255 are ignored.
    pub fn set_colour_map(&mut self, first: u16, entries: &[[u16; 3]]) {
        let places = self.layout.map.iter_mut().skip(usize::from(first));
        for (place, entry) in places.zip(entries) {
            *place = Some(*entry);
        }
    }

    /// Changes the size of the framebuffer, which turns black. The streams go on.
    pub fn resize(&mut self, size: Size) {
        self.size = size;
        self.values = vec![0; size.area()];
        self.rgb = vec![0; size.area()];
    }

    pub fn size(&self) -> Size {
        self.size
    }

    /// The framebuffer as 0x00RRGGBB, as far as the pixel format shows the colours.
    pub fn rgb(&self) -> &[u32] {
        &self.rgb
    }

    /// The framebuffer's pixel values.
    pub fn values(&self) -> &[u32] {
        &self.values
    }

    /// Decodes the payload of one rectangle, whose header was read already, from the start of `input`.
    pub fn decode_rect(
        &mut self,
        encoding: i32,
        rect: Rect,
        input: &[u8],
    ) -> Result<Progress, DecodeError> {
        let error = |what: String| DecodeError {
            encoding,
            rect,
            what,
        };
        if rect.is_empty() || !self.size.rect().contains(rect) {
            return Err(error(format!("does not lie in {}", self.size)));
        }
        let mut reader = Reader::new(input);
        match self.pixels(encoding, rect, &mut reader) {
            Ok(pixels) => {
                self.store(rect, pixels).map_err(error)?;
                self.seen.encodings.push(encoding);
                Ok(Progress::Done(reader.consumed()))
            }
            Err(Fault::Short) => Ok(Progress::NeedMore),
            Err(Fault::Bad(what)) => Err(error(what)),
        }
    }

    /// Reads a rectangle's pixels. Nothing of `self` may change before all bytes are there.
    fn pixels(
        &mut self,
        encoding: i32,
        rect: Rect,
        reader: &mut Reader<'_>,
    ) -> Result<Pixels, Fault> {
        let layout = &self.layout;
        match encoding {
            0 => plain::raw(layout, rect, reader).map(Pixels::Values),
            1 => self.copied(rect, reader).map(Pixels::Values),
            2 => plain::rre(layout, rect, reader).map(Pixels::Values),
            5 => plain::hextile(layout, rect, reader).map(Pixels::Values),
            6 => {
                let length = reader.u32()? as usize;
                let data = reader.take(length)?;
                let size = rect.area() * layout.pixel_size();
                let raw = self.zlib.exactly(data, size)?;
                plain::raw(layout, rect, &mut Reader::new(&raw)).map(Pixels::Values)
            }
            7 | -260 => self.tight(encoding == -260, rect, reader),
            15 => {
                let (values, codings) = rle::tiles(layout, rect, 16, reader)?;
                self.seen.tile_codings.extend(codings);
                Ok(Pixels::Values(values))
            }
            16 => self.zrle(rect, reader).map(Pixels::Values),
            21 => {
                let file = reader.take(jpeg::length(reader.clone())?)?;
                self.jpeg(file, rect)
            }
            _ => bad("not an encoding that this decoder knows"),
        }
    }

    fn zrle(&mut self, rect: Rect, reader: &mut Reader<'_>) -> Result<Vec<u32>, Fault> {
        let length = reader.u32()? as usize;
        let data = reader.take(length)?;
        let stream = self.zrle.as_mut().unwrap_or(&mut self.zlib);
        let tiles = stream.all(data, rle::most_bytes(&self.layout, rect))?;
        let mut reader = Reader::new(&tiles);
        let (values, codings) = match rle::tiles(&self.layout, rect, 64, &mut reader) {
            Err(Fault::Short) => return bad("the inflated tiles end too early"),
            decoded => decoded?,
        };
        if reader.consumed() != tiles.len() {
            return bad(format!(
                "{} bytes after the last tile",
                tiles.len() - reader.consumed()
            ));
        }
        self.seen.tile_codings.extend(codings);
        Ok(values)
    }

    /// CopyRect: U16 x and y of where the pixels are.
    fn copied(&self, rect: Rect, reader: &mut Reader<'_>) -> Result<Vec<u32>, Fault> {
        let source = Rect {
            x: reader.u16()?,
            y: reader.u16()?,
            ..rect
        };
        if !self.size.rect().contains(source) {
            return bad(format!("copies from {source:?}, outside {}", self.size));
        }
        Ok(self
            .rows(source)
            .flat_map(|row| self.values[row].iter().copied())
            .collect())
    }

    fn jpeg(&mut self, file: &[u8], rect: Rect) -> Result<Pixels, Fault> {
        if !self.jpeg_allowed {
            return bad("a JPEG, which was not asked for");
        }
        if self.layout.format.bits_per_pixel == 8 {
            return bad("a JPEG at 8 bits a pixel");
        }
        let (header, pixels) = jpeg::decode(file, rect)?;
        self.seen.jpegs.push(header);
        Ok(Pixels::Rgb(pixels))
    }

    fn store(&mut self, rect: Rect, pixels: Pixels) -> Result<(), String> {
        let values = match pixels {
            Pixels::Values(values) => values,
            Pixels::Rgb(rgb) => rgb.iter().map(|&c| self.layout.value_of(c)).collect(),
        };
        if values.len() != rect.area() {
            return Err(format!(
                "{} pixels instead of {}",
                values.len(),
                rect.area()
            ));
        }
        let rows: Vec<_> = self.rows(rect).collect();
        let width = usize::from(rect.width);
        for (row, new) in rows.into_iter().zip(values.chunks(width)) {
            self.values[row.clone()].copy_from_slice(new);
            for (place, &value) in self.rgb[row].iter_mut().zip(new) {
                *place = self
                    .layout
                    .rgb_of(value)
                    .ok_or_else(|| format!("colour {value} was never set"))?;
            }
        }
        Ok(())
    }

    /// Where the rows of `rect` lie in the framebuffer.
    fn rows(&self, rect: Rect) -> impl Iterator<Item = std::ops::Range<usize>> + use<> {
        let stride = usize::from(self.size.width);
        (rect.y..rect.y + rect.height).map(move |y| {
            let start = usize::from(y) * stride + usize::from(rect.x);
            start..start + usize::from(rect.width)
        })
    }
}
