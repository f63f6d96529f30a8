//! From captured pixels to the bytes of PIXEL, CPIXEL and TPIXEL.
//!
//! Encoders work on **codes**: numbers that are equal just when the pixels look the same on the wire.
//! A format that keeps all 8 bits of each colour needs no work for that (a code is the captured
//! pixel itself); a coarser format is quantised once, up front, so that palettes and runs are found
//! in what the client will see.

use std::borrow::Cow;

use super::{Channel, Colour, PixelFormat};
use crate::frame::Pixel;

impl PixelFormat {
    /// Whether clients disagree about the size of a CPIXEL in this format, so that ZRLE and TRLE are
    /// better avoided: the spec wants 4 bytes because the depth is above 24, many clients look
    /// at the channels alone and read 3 (trap 23).
    pub fn cpixel_is_ambiguous(&self) -> bool {
        self.bits_per_pixel == 32 && self.depth > 24 && self.unused_outer_byte().is_some()
    }

    /// Which byte of a 4-byte PIXEL, in the order on the wire, no channel reaches: the last, the
    /// first, or neither. Where both are unused the last is meant, as clients have it.
    fn unused_outer_byte(&self) -> Option<Outer> {
        let Colour::True { red, green, blue } = self.colour else {
            return None;
        };
        let mask = |c: Channel| ((1u32 << (16 - c.max.leading_zeros())) - 1) << c.shift;
        let used = mask(red) | mask(green) | mask(blue);
        let (low_free, high_free) = (used & 0x0000_00ff == 0, used & 0xff00_0000 == 0);
        let (first_free, last_free) = if self.big_endian {
            (high_free, low_free)
        } else {
            (low_free, high_free)
        };
        if last_free {
            Some(Outer::Last)
        } else if first_free {
            Some(Outer::First)
        } else {
            None
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Outer {
    First,
    Last,
}

/// The 256 entries (red, green, blue, each 0..=65535) of the map that colour-map clients are sent;
/// the index is the [`PixelFormat::RGB332`] value.
pub fn colour_map() -> [[u16; 3]; 256] {
    let widen =
        |v: usize, max: u32| u16::try_from((v as u32 * 65535 + max / 2) / max).unwrap_or(u16::MAX);
    std::array::from_fn(|i| [widen(i >> 5, 7), widen(i >> 2 & 7, 7), widen(i & 3, 3)])
}

/// Turns captured pixels into codes and codes into bytes, for one pixel format.
pub struct Converter {
    format: PixelFormat,
    map: Map,
    quantises: bool,
}

/// From a captured pixel to the pixel value of the format.
enum Map {
    /// The value is the captured pixel.
    Same,
    /// 8 bits a channel, moved to these bits.
    Moved { red: u32, green: u32, blue: u32 },
    /// One look-up per channel.
    Tables(Box<[[u32; 256]; 3]>),
}

impl Map {
    fn value(&self, pixel: Pixel) -> u32 {
        match self {
            Map::Same => pixel,
            Map::Moved { red, green, blue } => {
                (pixel >> 16 & 255) << red | (pixel >> 8 & 255) << green | (pixel & 255) << blue
            }
            Map::Tables(tables) => look_up(tables, pixel),
        }
    }
}

impl Converter {
    pub fn new(format: &PixelFormat) -> Self {
        let (red, green, blue) = match format.colour {
            Colour::True { red, green, blue } => (red, green, blue),
            // The map was chosen so that index and RGB332 value are the same.
            Colour::Map => return Self::with_tables(format, [(7, 5), (7, 2), (3, 0)]),
        };
        let channels = [red, green, blue];
        if channels.iter().any(|c| c.max != 255) {
            return Self::with_tables(format, channels.map(|c| (c.max, c.shift)));
        }
        let [red, green, blue] = channels.map(|c| u32::from(c.shift));
        let map = if (red, green, blue) == (16, 8, 0) {
            Map::Same
        } else {
            Map::Moved { red, green, blue }
        };
        Self {
            format: *format,
            map,
            quantises: false,
        }
    }

    fn with_tables(format: &PixelFormat, channels: [(u16, u8); 3]) -> Self {
        let tables = channels.map(|(max, shift)| {
            std::array::from_fn(|v| ((v as u32 * u32::from(max) + 127) / 255) << shift)
        });
        Self {
            format: *format,
            map: Map::Tables(Box::new(tables)),
            quantises: channels.iter().any(|&(max, _)| max < 255),
        }
    }

    /// The codes of these pixels.
    pub fn codes<'p>(&self, pixels: &'p [Pixel]) -> Cow<'p, [u32]> {
        match &self.map {
            Map::Tables(tables) if self.quantises => {
                Cow::Owned(pixels.iter().map(|&p| look_up(tables, p)).collect())
            }
            _ => Cow::Borrowed(pixels),
        }
    }

    /// Writes codes as PIXEL.
    pub fn pixel(&self) -> Pen<'_> {
        self.pen(Shape::pixel(&self.format))
    }

    /// Writes codes as CPIXEL (ZRLE, TRLE).
    pub fn cpixel(&self) -> Pen<'_> {
        self.pen(Shape::cpixel(&self.format))
    }

    /// Writes codes as TPIXEL (Tight).
    pub fn tpixel(&self) -> Pen<'_> {
        self.pen(Shape::tpixel(&self.format))
    }

    fn pen(&self, shape: Shape) -> Pen<'_> {
        Pen {
            map: if self.quantises {
                &Map::Same
            } else {
                &self.map
            },
            shape,
        }
    }
}

/// Where the bytes of a pixel value go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    One,
    Two {
        big_endian: bool,
    },
    Three {
        big_endian: bool,
        dropped: Outer,
    },
    Four {
        big_endian: bool,
    },
    /// Red, green, blue, whatever the byte order.
    Rgb,
}

impl Shape {
    fn pixel(format: &PixelFormat) -> Self {
        let big_endian = format.big_endian;
        match format.bits_per_pixel {
            8 => Shape::One,
            16 => Shape::Two { big_endian },
            _ => Shape::Four { big_endian },
        }
    }

    fn cpixel(format: &PixelFormat) -> Self {
        match format.unused_outer_byte() {
            Some(dropped) if format.bits_per_pixel == 32 && format.depth <= 24 => Shape::Three {
                big_endian: format.big_endian,
                dropped,
            },
            _ => Self::pixel(format),
        }
    }

    fn tpixel(format: &PixelFormat) -> Self {
        let eight_bits = match format.colour {
            Colour::True { red, green, blue } => {
                [red, green, blue].iter().all(|channel| channel.max == 255)
            }
            Colour::Map => false,
        };
        if format.bits_per_pixel == 32 && format.depth == 24 && eight_bits {
            Shape::Rgb
        } else {
            Self::pixel(format)
        }
    }

    fn size(self) -> usize {
        match self {
            Shape::One => 1,
            Shape::Two { .. } => 2,
            Shape::Three { .. } | Shape::Rgb => 3,
            Shape::Four { .. } => 4,
        }
    }
}

/// Writes codes in one of the three shapes of a pixel.
#[derive(Clone, Copy)]
pub struct Pen<'c> {
    map: &'c Map,
    shape: Shape,
}

impl Pen<'_> {
    /// Bytes of one pixel.
    pub fn size(&self) -> usize {
        self.shape.size()
    }

    /// Appends one pixel.
    pub fn one(&self, code: u32, out: &mut Vec<u8>) {
        self.all(&[code], out);
    }

    /// Appends pixels one after the other.
    pub fn all(&self, codes: &[u32], out: &mut Vec<u8>) {
        if self.shape == Shape::Rgb {
            // Codes of 8-bit formats are captured pixels.
            return fill(codes, out, |[b, g, r, _]: [u8; 4]| [r, g, b], |code| code);
        }
        match self.map {
            Map::Same => self.values(codes, out, |code| code),
            map => self.values(codes, out, |code| map.value(code)),
        }
    }

    /// Pixels of three bytes as numbers: the first byte on the wire is the lowest, the top byte is
    /// zero. `None` if a pixel has another size.
    pub fn triples(&self, codes: &[u32]) -> Option<Vec<u32>> {
        let triple = |value: u32, big_endian, dropped| {
            let value = if big_endian {
                value.swap_bytes()
            } else {
                value
            };
            match dropped {
                Outer::First => value >> 8,
                Outer::Last => value & 0x00ff_ffff,
            }
        };
        let triples = match self.shape {
            Shape::Rgb => codes
                .iter()
                .map(|&code| triple(code, true, Outer::First))
                .collect(),
            Shape::Three {
                big_endian,
                dropped,
            } => {
                let value = |&code| triple(self.map.value(code), big_endian, dropped);
                codes.iter().map(value).collect()
            }
            Shape::One | Shape::Two { .. } | Shape::Four { .. } => return None,
        };
        Some(triples)
    }

    fn values(&self, codes: &[u32], out: &mut Vec<u8>, value: impl Fn(u32) -> u32) {
        use Outer::{First, Last};
        match self.shape {
            Shape::One => fill(codes, out, |[a, ..]| [a], value),
            Shape::Two { big_endian: false } => fill(codes, out, |[a, b, ..]| [a, b], value),
            Shape::Two { big_endian: true } => fill(codes, out, |[a, b, ..]| [b, a], value),
            Shape::Three {
                big_endian,
                dropped,
            } => match (big_endian, dropped) {
                (false, Last) => fill(codes, out, |[a, b, c, _]| [a, b, c], value),
                (false, First) => fill(codes, out, |[_, b, c, d]| [b, c, d], value),
                (true, Last) => fill(codes, out, |[_, b, c, d]| [d, c, b], value),
                (true, First) => fill(codes, out, |[a, b, c, _]| [c, b, a], value),
            },
            Shape::Four { big_endian: false } => fill(codes, out, |bytes| bytes, value),
            Shape::Four { big_endian: true } | Shape::Rgb => {
                fill(codes, out, |[a, b, c, d]| [d, c, b, a], value);
            }
        }
    }
}

/// Appends `N` bytes for each code; `order` takes a value's bytes least significant first.
fn fill<const N: usize>(
    codes: &[u32],
    out: &mut Vec<u8>,
    order: impl Fn([u8; 4]) -> [u8; N],
    value: impl Fn(u32) -> u32,
) {
    let start = out.len();
    out.resize(start + codes.len() * N, 0);
    let (places, _) = out[start..].as_chunks_mut::<N>();
    for (place, &code) in places.iter_mut().zip(codes) {
        *place = order(value(code).to_le_bytes());
    }
}

fn look_up(tables: &[[u32; 256]; 3], pixel: Pixel) -> u32 {
    let [blue, green, red, _] = pixel.to_le_bytes().map(usize::from);
    tables[0][red] | tables[1][green] | tables[2][blue]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pixel_bytes(format: &PixelFormat, pixel: Pixel) -> Vec<u8> {
        let converter = Converter::new(format);
        let mut out = Vec::new();
        converter.pixel().all(&converter.codes(&[pixel]), &mut out);
        out
    }

    #[test]
    fn samples_round_as_other_servers_do() {
        let rgb565 = PixelFormat::rgb(16, 16, (31, 11), (63, 5), (31, 0));
        // 131 * 31 / 255 = 15.9, 2 * 63 / 255 = 0.49, 251 * 31 / 255 = 30.5.
        assert_eq!(
            pixel_bytes(&rgb565, 0x83_02_fb),
            (16u16 << 11 | 31).to_le_bytes()
        );
        assert_eq!(pixel_bytes(&PixelFormat::RGB332, 0xff_00_ff), [0xe3]);
    }

    /// Traps 21 and 23.
    #[test]
    fn cpixel_keeps_the_three_used_bytes() {
        let pixel = 0x11_22_33;
        let cases = [
            (PixelFormat::BGRX, vec![0x33, 0x22, 0x11]),
            (PixelFormat::BGRX.big_endian(), vec![0x11, 0x22, 0x33]),
            (
                PixelFormat::rgb(32, 24, (255, 24), (255, 16), (255, 8)),
                vec![0x33, 0x22, 0x11],
            ),
            (
                PixelFormat::rgb(32, 24, (255, 24), (255, 16), (255, 8)).big_endian(),
                vec![0x11, 0x22, 0x33],
            ),
            (
                PixelFormat::rgb(32, 32, (255, 16), (255, 8), (255, 0)),
                vec![0x33, 0x22, 0x11, 0],
            ),
        ];
        for (format, expected) in cases {
            let mut out = Vec::new();
            let converter = Converter::new(&format);
            converter.cpixel().one(pixel, &mut out);
            assert_eq!(out, expected, "{format:?}");
            let triples = converter.cpixel().triples(&[pixel]);
            let bytes = triples.map(|triples| triples[0].to_le_bytes()[..3].to_vec());
            assert_eq!(
                bytes,
                (expected.len() == 3).then_some(expected),
                "{format:?}"
            );
            assert_eq!(format.cpixel_is_ambiguous(), format.depth == 32);
        }
    }

    #[test]
    fn map_entries_are_the_colours_of_their_index() {
        let map = colour_map();
        assert_eq!(map[0], [0, 0, 0]);
        assert_eq!(map[255], [65535, 65535, 65535]);
        assert_eq!(map[0b1000_1001], [37449, 18724, 21845]);
    }
}
