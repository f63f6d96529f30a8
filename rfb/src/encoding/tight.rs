//! Tight (rfbproto, encoding 7).
//!
//! A rectangle is a control byte and what belongs to it:
//!
//! | control | meaning | follows |
//! |---|---|---|
//! | 0x80 | Fill | one TPIXEL |
//! | 0x90 | JPEG | compact length, JPEG |
//! | 0x01 | full colour | data: TPIXELs |
//! | 0x52 | two colours | filter id 1, U8 1, 2 TPIXELs, data: bits, rows padded to bytes |
//! | 0x64 | palette | filter id 1, U8 colours - 1, TPIXELs, data: U8 indices |
//!
//! Data below 12 bytes goes as it is; otherwise a compact length and that many bytes of one of
//! four zlib streams. Bits 4 and 5 of the control byte name the stream (0 full colour, 1 two
//! colours, 2 palette, as other servers have it) and bits 0 to 3 start streams anew: each of our
//! rectangles restarts the one it uses, so it stands for itself. The gradient filter is never used.

use super::jpeg_coder::{JpegEncoder, default_encoder};
use super::palette::{Palette, pack};
use super::{Parameters, Picture, deflate, deflate_pixels};
use crate::pixel::convert::{Converter, Pen};
use crate::wire::Put;

const FILL: u8 = 0x80;
pub(super) const JPEG: u8 = 0x90;
const FULL_COLOUR: Basic = Basic::stream(0);
const TWO_COLOURS: Basic = Basic::stream(1).with_filter();
const PALETTE: Basic = Basic::stream(2).with_filter();
const PALETTE_FILTER: u8 = 1;

/// Data shorter than this is neither compressed nor given a length.
const LEAST_COMPRESSED: usize = 12;

/// Largest length that the compact form can say: 22 bits.
pub const MAX_JPEG: usize = 4_194_303;

/// Most pixels of a JPEG for a 16-bit client: libvncclient has a fixed buffer for them.
const LARGEST_16_BIT_JPEG: usize = 65_536;

/// Below this many pixels a JPEG's headers and tables (some 600 bytes) outweigh what it saves.
const LEAST_JPEG: usize = 1024;

/// With JPEG allowed, a piece of more colours than this goes by its texture: if one pixel in
/// [`TEXT_RUN`] or more differs from its left neighbour, it is a picture and JPEG is smaller, otherwise
/// it is text with the soft edges that the dongle's own JPEG left, and a palette is both smaller
/// and exact. (Measured on recorded screens: at this run length both take the same number of bytes.)
const TEXT_COLOURS: usize = 96;
const TEXT_RUN: usize = 16;

/// A palette must save more than it costs: pixels for each of its colours.
const PIXELS_PER_COLOUR: usize = 4;

/// The control byte of a basic (zlib) rectangle.
#[derive(Clone, Copy)]
struct Basic(u8);

impl Basic {
    /// Uses this stream and starts it anew.
    const fn stream(stream: u8) -> Self {
        Basic(stream << 4 | 1 << stream)
    }

    /// A filter id follows.
    const fn with_filter(self) -> Self {
        Basic(self.0 | 0x40)
    }

    /// Without the reset: what is said when the data is too short for zlib.
    const fn without_zlib(self) -> Self {
        Basic(self.0 & 0xf0)
    }
}

pub(super) fn encode(picture: &Picture<'_>, parameters: &Parameters, _: bool, out: &mut Vec<u8>) {
    let converter = Converter::new(&parameters.format);
    let codes = converter.codes(picture.pixels);
    let pen = converter.tpixel();
    let level = parameters.level;
    match Content::of(&codes, parameters) {
        Content::Solid => put_fill(codes[0], pen, out),
        Content::Few { palette, indices } => {
            let width = usize::from(picture.size.width);
            put_palette(&palette, &indices, width, pen, level, out);
        }
        Content::Many => {
            if !put_jpeg(picture, parameters, out) {
                put_full_colour(&codes, pen, level, out);
            }
        }
    }
}

/// What there is to see in a piece, as far as it decides the coding.
pub(super) enum Content {
    Solid,
    Few {
        palette: Box<Palette>,
        indices: Vec<u8>,
    },
    Many,
}

impl Content {
    pub(super) fn of(codes: &[u32], parameters: &Parameters) -> Self {
        let first = codes[0];
        if codes.iter().all(|&code| code == first) {
            return Content::Solid;
        }
        let area = codes.len();
        let mut palette = Box::new(Palette::new(most_colours(area, parameters)));
        let mut indices = Vec::new();
        let Some(runs) = palette.indices(codes, &mut indices) else {
            return Content::Many;
        };
        let textured = palette.colours().len() > TEXT_COLOURS && runs * TEXT_RUN > area;
        if textured && area >= LEAST_JPEG && parameters.jpeg_allowed().is_some() {
            Content::Many
        } else {
            Content::Few { palette, indices }
        }
    }
}

/// The largest palette worth having for this many pixels.
fn most_colours(area: usize, parameters: &Parameters) -> usize {
    if parameters.format.bits_per_pixel == 8 {
        // An index is as long as a pixel, and bVNC insists on two colours at 8 bits.
        return 2;
    }
    (area / PIXELS_PER_COLOUR).clamp(2, Palette::LARGEST)
}

pub(super) fn put_fill(code: u32, pen: Pen<'_>, out: &mut Vec<u8>) {
    out.put_u8(FILL);
    pen.one(code, out);
}

fn put_full_colour(codes: &[u32], pen: Pen<'_>, level: u8, out: &mut Vec<u8>) {
    if codes.len() >= deflate_pixels::LEAST
        && let Some(pixels) = pen.triples(codes)
    {
        out.put_u8(FULL_COLOUR.0);
        put_zlib(out, |zlib| {
            let mut chunk = deflate_pixels::Chunk::new();
            chunk.pixels(&pixels, zlib);
            chunk.end(zlib);
        });
        return;
    }
    let mut data = Vec::with_capacity(codes.len() * pen.size());
    pen.all(codes, &mut data);
    put_basic(FULL_COLOUR, |_| (), &data, level, out);
}

fn put_palette(
    palette: &Palette,
    indices: &[u8],
    width: usize,
    pen: Pen<'_>,
    level: u8,
    out: &mut Vec<u8>,
) {
    let colours = palette.colours();
    let head = |out: &mut Vec<u8>| {
        // 2..=256 colours.
        out.put(&[PALETTE_FILTER, (colours.len() - 1) as u8]);
        pen.all(colours, out);
    };
    if colours.len() == 2 {
        let mut bits = Vec::with_capacity(indices.len() / 8 + 1);
        pack(indices, width, 1, &mut bits);
        put_basic(TWO_COLOURS, head, &bits, level, out);
    } else {
        put_basic(PALETTE, head, indices, level, out);
    }
}

/// Writes a basic rectangle: control byte, what `head` writes, data.
fn put_basic(
    basic: Basic,
    head: impl FnOnce(&mut Vec<u8>),
    data: &[u8],
    level: u8,
    out: &mut Vec<u8>,
) {
    if data.len() < LEAST_COMPRESSED {
        out.put_u8(basic.without_zlib().0);
        head(out);
        out.put(data);
        return;
    }
    out.put_u8(basic.0);
    head(out);
    put_zlib(out, |zlib| deflate::chunk(level, data, zlib));
}

/// Writes a compact length and the zlib stream that it counts: header and the chunk from `chunk`.
fn put_zlib(out: &mut Vec<u8>, chunk: impl FnOnce(&mut Vec<u8>)) {
    let mut zlib = deflate::HEADER.to_vec();
    chunk(&mut zlib);
    put_compact_length(zlib.len(), out);
    out.put(&zlib);
}

/// Writes the picture as JPEG if that is allowed and of use; false if nothing was written.
pub(super) fn put_jpeg(picture: &Picture<'_>, parameters: &Parameters, out: &mut Vec<u8>) -> bool {
    let area = picture.size.area();
    let Some(quality) = parameters.jpeg_allowed() else {
        return false;
    };
    if area < LEAST_JPEG || (parameters.format.bits_per_pixel == 16 && area > LARGEST_16_BIT_JPEG) {
        return false;
    }
    let mut jpeg = Vec::new();
    if default_encoder()
        .encode(picture, quality, &mut jpeg)
        .is_err()
        || !jpeg_fits(jpeg.len())
    {
        return false;
    }
    tight_jpeg_payload(&jpeg, out);
    true
}

/// Whether a JPEG of this many bytes can be sent in a Tight rectangle.
pub const fn jpeg_fits(length: usize) -> bool {
    length <= MAX_JPEG
}

/// Appends the payload of a Tight or TightPNG rectangle that is this JPEG: 0x90, compact length,
/// the bytes. The JPEG must be complete, have the rectangle's size, be no wider than 2048 pixels
/// and pass [`jpeg_fits`].
pub fn tight_jpeg_payload(jpeg: &[u8], out: &mut Vec<u8>) {
    tight_jpeg_head(jpeg.len(), out);
    out.put(jpeg);
}

/// Appends what [`tight_jpeg_payload`] writes before a JPEG of this length.
pub fn tight_jpeg_head(length: usize, out: &mut Vec<u8>) {
    out.put_u8(JPEG);
    put_compact_length(length, out);
}

/// Writes a length of up to 22 bits: 7, 7 and 8 bits, the lowest first; bit 7 of the first two
/// bytes says that another follows.
pub(super) fn put_compact_length(length: usize, out: &mut Vec<u8>) {
    debug_assert!(length <= MAX_JPEG, "{length} bytes fit into 22 bits");
    let low = (length & 0x7f) as u8;
    let middle = (length >> 7 & 0x7f) as u8;
    let high = (length >> 14 & 0xff) as u8;
    match length {
        0..=0x7f => out.put_u8(low),
        0x80..=0x3fff => out.put(&[low | 0x80, middle]),
        _ => out.put(&[low | 0x80, middle | 0x80, high]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Check 33.
    #[test]
    fn compact_lengths_at_their_boundaries() {
        for (length, expected) in [
            (0, vec![0]),
            (127, vec![0x7f]),
            (128, vec![0x80, 0x01]),
            (10_000, vec![0x90, 0x4e]),
            (16_383, vec![0xff, 0x7f]),
            (16_384, vec![0x80, 0x80, 0x01]),
            (MAX_JPEG, vec![0xff, 0xff, 0xff]),
        ] {
            let mut out = Vec::new();
            put_compact_length(length, &mut out);
            assert_eq!(out, expected, "{length}");
        }
        assert!(jpeg_fits(MAX_JPEG) && !jpeg_fits(MAX_JPEG + 1));
    }

    #[test]
    fn control_bytes_are_those_of_other_servers() {
        assert_eq!(
            (FULL_COLOUR.0, TWO_COLOURS.0, PALETTE.0),
            (0x01, 0x52, 0x64)
        );
        assert_eq!(TWO_COLOURS.without_zlib().0, 0x50);
    }
}
