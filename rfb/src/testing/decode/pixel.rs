//! Reading PIXEL, CPIXEL and TPIXEL, and what colour a value is.

use super::Fault;
use crate::pixel::{Channel, Colour, PixelFormat};
use crate::wire::Reader;

/// A pixel format and the colour map, ready for reading.
pub(super) struct Layout {
    pub(super) format: PixelFormat,
    pub(super) map: [Option<[u16; 3]>; 256],
    cpixel: Packed,
    tpixel_is_rgb: bool,
}

/// What a CPIXEL leaves out.
#[derive(Clone, Copy)]
enum Packed {
    Nothing,
    /// The bits are in the least significant 3 bytes.
    Low,
    /// The bits are in the most significant 3 bytes.
    High,
}

impl Layout {
    pub(super) fn new(format: PixelFormat) -> Self {
        let mut layout = Self {
            format,
            map: [None; 256],
            cpixel: Packed::Nothing,
            tpixel_is_rgb: false,
        };
        layout.set_format(format);
        layout
    }

    pub(super) fn set_format(&mut self, format: PixelFormat) {
        self.format = format;
        (self.cpixel, self.tpixel_is_rgb) = (Packed::Nothing, false);
        let Colour::True { red, green, blue } = format.colour else {
            return;
        };
        if format.bits_per_pixel != 32 {
            return;
        }
        let channels = [red, green, blue];
        // RFC 6143 §7.7.5: true colour, 32 bits, a depth of 24 or less, all bits in 3 bytes.
        let lowest = channels.iter().map(|c| c.shift).min().unwrap_or(0);
        let end = |c: &Channel| u32::from(c.shift) + (u32::BITS - u32::from(c.max).leading_zeros());
        let highest = channels.iter().map(end).max().unwrap_or(32);
        if format.depth <= 24 {
            // Where both hold, clients leave out the byte that is last on the wire.
            self.cpixel = match (highest <= 24, lowest >= 8) {
                (true, true) if format.big_endian => Packed::High,
                (true, _) => Packed::Low,
                (false, true) => Packed::High,
                (false, false) => Packed::Nothing,
            };
        }
        self.tpixel_is_rgb = format.depth == 24 && channels.iter().all(|c| c.max == 255);
    }

    pub(super) fn pixel_size(&self) -> usize {
        usize::from(self.format.bits_per_pixel) / 8
    }

    pub(super) fn cpixel_size(&self) -> usize {
        match self.cpixel {
            Packed::Nothing => self.pixel_size(),
            Packed::Low | Packed::High => 3,
        }
    }

    pub(super) fn tpixel_size(&self) -> usize {
        if self.tpixel_is_rgb {
            3
        } else {
            self.pixel_size()
        }
    }

    pub(super) fn pixel(&self, reader: &mut Reader<'_>) -> Result<u32, Fault> {
        Ok(self.number(reader.take(self.pixel_size())?))
    }

    pub(super) fn cpixel(&self, reader: &mut Reader<'_>) -> Result<u32, Fault> {
        let number = self.number(reader.take(self.cpixel_size())?);
        Ok(match self.cpixel {
            Packed::High => number << 8,
            Packed::Low | Packed::Nothing => number,
        })
    }

    pub(super) fn tpixel(&self, reader: &mut Reader<'_>) -> Result<u32, Fault> {
        if !self.tpixel_is_rgb {
            return self.pixel(reader);
        }
        let [red, green, blue] = reader.array()?;
        Ok(self.value_of(u32::from_be_bytes([0, red, green, blue])))
    }

    fn number(&self, bytes: &[u8]) -> u32 {
        let append = |number, byte: &u8| number << 8 | u32::from(*byte);
        if self.format.big_endian {
            bytes.iter().fold(0, append)
        } else {
            bytes.iter().rev().fold(0, append)
        }
    }

    /// The pixel value of a colour 0x00RRGGBB, each sample rounded to the nearest.
    pub(super) fn value_of(&self, rgb: u32) -> u32 {
        let Colour::True { red, green, blue } = self.format.colour else {
            // Nothing but PNG and JPEG brings colours, and both are refused for a colour map.
            return 0;
        };
        let [_, r, g, b] = rgb.to_be_bytes();
        [(red, r), (green, g), (blue, b)]
            .iter()
            .map(|(channel, sample)| {
                let scaled = f64::from(*sample) * f64::from(channel.max) / 255.0;
                (scaled.round() as u32) << channel.shift
            })
            .sum()
    }

    /// The colour 0x00RRGGBB of a pixel value; `None` if the colour map has no such entry.
    pub(super) fn rgb_of(&self, value: u32) -> Option<u32> {
        let samples = match self.format.colour {
            Colour::True { red, green, blue } => [red, green, blue].map(|channel| {
                let bits = u32::BITS - u32::from(channel.max).leading_zeros();
                let sample = (value >> channel.shift) & ((1 << bits) - 1);
                (f64::from(sample) * 255.0 / f64::from(channel.max)).round() as u32
            }),
            Colour::Map => {
                let entry = (*self.map.get(value as usize)?)?;
                entry.map(|sample| u32::from(sample >> 8))
            }
        };
        Some(samples[0] << 16 | samples[1] << 8 | samples[2])
    }
}
