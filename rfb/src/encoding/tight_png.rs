//! TightPNG (encoding -260): Tight with PNG in place of everything that needs zlib, for clients that
//! let a browser decode.
//!
//! | control | meaning | follows |
//! |---|---|---|
//! | 0x80 | Fill | one TPIXEL |
//! | 0x90 | JPEG | compact length, JPEG |
//! | 0xa0 | PNG | compact length, PNG |
//!
//! A PNG holds true colours whatever the client's pixel format.

use png::{BitDepth, ColorType, Compression, Encoder, EncodingError, Filter};

use super::palette::{Palette, pack};
use super::tight::{Content, jpeg_fits, put_compact_length, put_fill, put_jpeg};
use super::{Parameters, Picture};
use crate::geom::Size;
use crate::pixel::convert::Converter;
use crate::wire::Put;

const PNG: u8 = 0xa0;

pub(super) fn encode(picture: &Picture<'_>, parameters: &Parameters, _: bool, out: &mut Vec<u8>) {
    let converter = Converter::new(&parameters.format);
    let level = parameters.level;
    let codes = converter.codes(picture.pixels);
    let png = match Content::of(&codes, parameters) {
        Content::Solid => return put_fill(codes[0], converter.tpixel(), out),
        Content::Few { .. } => paletted(picture, level),
        Content::Many => {
            if put_jpeg(picture, parameters, out) {
                return;
            }
            None
        }
    };
    let png = png.unwrap_or_else(|| full_colour(picture, level));
    debug_assert!(jpeg_fits(png.len()), "a piece is far below 4 MiB");
    out.put_u8(PNG);
    put_compact_length(png.len(), out);
    out.put(&png);
}

/// How hard to try. Indices compress well, so they are worth more work than full colour, where
/// the same step takes seven times as long for a fifth fewer bytes.
fn compression(level: u8, indexed: bool) -> Compression {
    match level {
        0 => Compression::NoCompression,
        1 => Compression::Fast,
        2..=5 if !indexed => Compression::Fast,
        2..=7 => Compression::Balanced,
        _ => Compression::High,
    }
}

/// A PNG with a palette; `None` if the captured pixels have more than 256 colours, which happens
/// when only the client's format has few.
fn paletted(picture: &Picture<'_>, level: u8) -> Option<Vec<u8>> {
    let mut palette = Palette::new(Palette::LARGEST);
    let mut indices = Vec::new();
    palette.indices(picture.pixels, &mut indices)?;
    let colours = palette.colours();
    let (depth, bits) = match colours.len() {
        0..=2 => (BitDepth::One, 1),
        3..=4 => (BitDepth::Two, 2),
        5..=16 => (BitDepth::Four, 4),
        _ => (BitDepth::Eight, 8),
    };
    let mut rows = Vec::with_capacity(indices.len());
    pack(&indices, usize::from(picture.size.width), bits, &mut rows);
    let palette: Vec<u8> = rgb(colours).collect();
    Some(written(picture.size, &rows, |encoder| {
        encoder.set_color(ColorType::Indexed);
        encoder.set_depth(depth);
        encoder.set_palette(palette);
        encoder.set_compression(compression(level, true));
        encoder.set_filter(Filter::NoFilter);
    }))
}

fn full_colour(picture: &Picture<'_>, level: u8) -> Vec<u8> {
    let samples: Vec<u8> = rgb(picture.pixels).collect();
    written(picture.size, &samples, |encoder| {
        encoder.set_color(ColorType::Rgb);
        encoder.set_depth(BitDepth::Eight);
        encoder.set_compression(compression(level, false));
    })
}

fn rgb(pixels: &[u32]) -> impl Iterator<Item = u8> {
    pixels.iter().flat_map(|pixel| {
        let [blue, green, red, _] = pixel.to_le_bytes();
        [red, green, blue]
    })
}

fn written(size: Size, rows: &[u8], set: impl FnOnce(&mut Encoder<'_, &mut Vec<u8>>)) -> Vec<u8> {
    let mut png = Vec::new();
    let write = |png: &mut Vec<u8>| -> Result<(), EncodingError> {
        let mut encoder = Encoder::new(png, u32::from(size.width), u32::from(size.height));
        set(&mut encoder);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(rows)?;
        writer.finish()
    };
    write(&mut png).expect("a picture that is not empty, written to memory, has no way to fail");
    png
}
