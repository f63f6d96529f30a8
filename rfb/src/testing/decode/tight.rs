//! Tight (7) and TightPNG (-260), by the community's rfbproto.

use super::inflate::Inflater;
use super::{Decoder, Fault, Pixels, bad};
use crate::geom::Rect;
use crate::pixel::Colour;
use crate::wire::Reader;

impl Decoder {
    /// Reads a Tight (or TightPNG) rectangle.
    pub(super) fn tight(
        &mut self,
        png: bool,
        rect: Rect,
        reader: &mut Reader<'_>,
    ) -> Result<Pixels, Fault> {
        let control = reader.u8()?;
        let resets = control & 0x0f;
        let pixels = match control >> 4 {
            0x8 => {
                let value = self.layout.tpixel(reader)?;
                self.reset_streams(resets);
                Pixels::Values(vec![value; rect.area()])
            }
            _ if rect.width > 2048 => return bad("Tight that is wider than 2048 pixels"),
            0x9 => {
                let length = compact_length(reader)?;
                let file = reader.take(length)?;
                self.reset_streams(resets);
                self.jpeg(file, rect)?
            }
            0xa if png && self.layout.format.colour == Colour::Map => {
                return bad("a PNG for a colour map");
            }
            0xa if png => {
                let length = compact_length(reader)?;
                let file = reader.take(length)?;
                self.reset_streams(resets);
                Pixels::Rgb(decode_png(file, rect)?)
            }
            0x0..=0x7 if !png => Pixels::Values(self.basic(control, rect, reader)?),
            _ => return bad(format!("Tight control byte {control:#04x}")),
        };
        self.seen.tight_controls.push(control);
        Ok(pixels)
    }

    /// Reads a rectangle in basic (zlib) compression.
    fn basic(
        &mut self,
        control: u8,
        rect: Rect,
        reader: &mut Reader<'_>,
    ) -> Result<Vec<u32>, Fault> {
        let (width, height) = (usize::from(rect.width), usize::from(rect.height));
        let filter = if control & 0x40 != 0 { reader.u8()? } else { 0 };
        let (palette, row) = match filter {
            0 => (None, width * self.layout.tpixel_size()),
            1 => {
                let colours = usize::from(reader.u8()?) + 1;
                if colours < 2 {
                    return bad("a Tight palette of one colour");
                }
                if self.layout.format.bits_per_pixel == 8 && colours != 2 {
                    return bad("a Tight palette of more than 2 colours at 8 bits a pixel");
                }
                let palette = (0..colours)
                    .map(|_| self.layout.tpixel(reader))
                    .collect::<Result<Vec<_>, _>>()?;
                let row = if colours == 2 {
                    width.div_ceil(8)
                } else {
                    width
                };
                (Some(palette), row)
            }
            2 => return bad("the gradient filter, which clients do not all have"),
            other => return bad(format!("Tight filter {other}")),
        };

        let size = row * height;
        let stream = usize::from(control >> 4 & 3);
        let inflated;
        let data = if size < 12 {
            let data = reader.take(size)?;
            self.reset_streams(control & 0x0f);
            data
        } else {
            let length = compact_length(reader)?;
            let chunk = reader.take(length)?;
            self.reset_streams(control & 0x0f);
            inflated = self.tight[stream].exactly(chunk, size)?;
            &inflated
        };

        let Some(palette) = palette else {
            let mut pixels = Reader::new(data);
            return (0..rect.area())
                .map(|_| self.layout.tpixel(&mut pixels))
                .collect();
        };
        let index = |x: usize, y: usize| {
            if palette.len() == 2 {
                usize::from(data[y * row + x / 8] >> (7 - x % 8) & 1)
            } else {
                usize::from(data[y * row + x])
            }
        };
        (0..height)
            .flat_map(|y| (0..width).map(move |x| (x, y)))
            .map(|(x, y)| match palette.get(index(x, y)) {
                Some(&value) => Ok(value),
                None => bad(format!(
                    "index {} in {} colours",
                    index(x, y),
                    palette.len()
                )),
            })
            .collect()
    }

    fn reset_streams(&mut self, resets: u8) {
        for (i, stream) in self.tight.iter_mut().enumerate() {
            if resets >> i & 1 != 0 {
                *stream = Inflater::new();
            }
        }
    }
}

/// One to three bytes: 7, 7 and 8 bits, the lowest first.
fn compact_length(reader: &mut Reader<'_>) -> Result<usize, Fault> {
    let first = usize::from(reader.u8()?);
    if first < 0x80 {
        return Ok(first);
    }
    let second = usize::from(reader.u8()?);
    let length = first & 0x7f | (second & 0x7f) << 7;
    if second < 0x80 {
        if length < 0x80 {
            return bad(format!("length {length} in two bytes"));
        }
        return Ok(length);
    }
    let length = length | usize::from(reader.u8()?) << 14;
    if length < 0x4000 {
        return bad(format!("length {length} in three bytes"));
    }
    Ok(length)
}

fn decode_png(file: &[u8], rect: Rect) -> Result<Vec<u32>, Fault> {
    let fault = |error: png::DecodingError| Fault::Bad(format!("not a PNG: {error}"));
    let mut decoder = png::Decoder::new(std::io::Cursor::new(file));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().map_err(fault)?;
    let (width, height) = reader.info().size();
    if (width, height) != (rect.width.into(), rect.height.into()) {
        return bad(format!("a PNG of {width}x{height}"));
    }
    let mut samples = vec![0; rect.area() * 4];
    let info = reader.next_frame(&mut samples).map_err(fault)?;
    reader.finish().map_err(fault)?;
    if (info.color_type, info.bit_depth) != (png::ColorType::Rgb, png::BitDepth::Eight) {
        return bad(format!(
            "a PNG of {:?} {:?}",
            info.color_type, info.bit_depth
        ));
    }
    let (pixels, _) = samples[..info.buffer_size()].as_chunks::<3>();
    Ok(pixels
        .iter()
        .map(|&[red, green, blue]| u32::from_be_bytes([0, red, green, blue]))
        .collect())
}
