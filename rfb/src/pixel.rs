//! PIXEL_FORMAT (RFC 6143 §7.4), validated when it is parsed.

pub mod convert;

use crate::wire::{Put, Read, Reader};

/// One colour of a true-colour format: a sample of `0..=max` at bit `shift`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Channel {
    pub max: u16,
    pub shift: u8,
}

/// How a pixel value stands for a colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Colour {
    True {
        red: Channel,
        green: Channel,
        blue: Channel,
    },
    /// 8-bit indices into the map that the server sends with SetColourMapEntries; the map is
    /// that of [`PixelFormat::RGB332`], so index and RGB332 value are the same number.
    Map,
}

/// A pixel format that encoders can rely on: 8, 16 or 32 bits, every channel non-zero, inside the
/// pixel and not overlapping another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PixelFormat {
    pub bits_per_pixel: u8,
    pub depth: u8,
    pub big_endian: bool,
    pub colour: Colour,
}

/// Why a client's pixel format cannot be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPixelFormat {
    #[error("{0} bits per pixel (8, 16 and 32 are defined)")]
    BitsPerPixel(u8),
    #[error("a colour map with {0} bits per pixel (8 is served)")]
    MapBits(u8),
    #[error("{colour} with maximum {max} at bit {shift} does not fit into {bits} bits")]
    Channel {
        colour: &'static str,
        max: u16,
        shift: u8,
        bits: u8,
    },
    #[error("colours that share bits")]
    Overlap,
}

impl PixelFormat {
    /// What ServerInit offers: 32 bits, depth 24, little-endian, blue in the first byte. Clients that
    /// never send SetPixelFormat were all seen to expect just this.
    pub const BGRX: PixelFormat = PixelFormat::rgb(32, 24, (255, 16), (255, 8), (255, 0));
    /// 8 bits, three for red and green, two for blue.
    pub const RGB332: PixelFormat = PixelFormat::rgb(8, 8, (7, 5), (7, 2), (3, 0));

    /// A little-endian true-colour format from (maximum, shift) of red, green and blue.
    pub const fn rgb(bits: u8, depth: u8, r: (u16, u8), g: (u16, u8), b: (u16, u8)) -> Self {
        PixelFormat {
            bits_per_pixel: bits,
            depth,
            big_endian: false,
            colour: Colour::True {
                red: Channel {
                    max: r.0,
                    shift: r.1,
                },
                green: Channel {
                    max: g.0,
                    shift: g.1,
                },
                blue: Channel {
                    max: b.0,
                    shift: b.1,
                },
            },
        }
    }

    /// The same format with the most significant byte first.
    pub const fn big_endian(self) -> Self {
        PixelFormat {
            big_endian: true,
            ..self
        }
    }

    /// Bytes of one PIXEL: 1, 2 or 4.
    pub const fn bytes_per_pixel(&self) -> usize {
        self.bits_per_pixel as usize / 8
    }

    /// Parses the 16 bytes of a PIXEL_FORMAT: U8 bits-per-pixel, depth, big-endian-flag,
    /// true-colour-flag; U16 red-, green-, blue-max; U8 red-, green-, blue-shift; 3 bytes padding.
    ///
    /// The depth is taken as it is (clients send 15, 16, 24 and 32 for the same layout), the padding
    /// ignored, and a flag is set if it is not zero.
    pub fn read(reader: &mut Reader<'_>) -> Read<Result<Self, BadPixelFormat>> {
        let (bits, depth) = (reader.u8()?, reader.u8()?);
        let (big_endian, true_colour) = (reader.u8()? != 0, reader.u8()? != 0);
        let max = [reader.u16()?, reader.u16()?, reader.u16()?];
        let shift = [reader.u8()?, reader.u8()?, reader.u8()?];
        reader.skip(3)?;
        Ok(Self::validated(
            bits,
            depth,
            big_endian,
            true_colour,
            max,
            shift,
        ))
    }

    fn validated(
        bits: u8,
        depth: u8,
        big_endian: bool,
        true_colour: bool,
        max: [u16; 3],
        shift: [u8; 3],
    ) -> Result<Self, BadPixelFormat> {
        if !matches!(bits, 8 | 16 | 32) {
            return Err(BadPixelFormat::BitsPerPixel(bits));
        }
        let colour = if true_colour {
            let mut used = 0u64;
            let mut channel = |colour, max: u16, shift: u8| {
                let fits = shift < bits && (u64::from(max) << shift) >> bits == 0;
                if max == 0 || !fits {
                    return Err(BadPixelFormat::Channel {
                        colour,
                        max,
                        shift,
                        bits,
                    });
                }
                // Every bit up to the highest of the maximum belongs to the channel.
                let mask = ((1u64 << (16 - max.leading_zeros())) - 1) << shift;
                if used & mask != 0 {
                    return Err(BadPixelFormat::Overlap);
                }
                used |= mask;
                Ok(Channel { max, shift })
            };
            Colour::True {
                red: channel("red", max[0], shift[0])?,
                green: channel("green", max[1], shift[1])?,
                blue: channel("blue", max[2], shift[2])?,
            }
        } else if bits == 8 {
            Colour::Map
        } else {
            return Err(BadPixelFormat::MapBits(bits));
        };
        Ok(PixelFormat {
            bits_per_pixel: bits,
            depth,
            big_endian,
            colour,
        })
    }

    /// Writes the 16 bytes that [`PixelFormat::read`] parses.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.put(&[self.bits_per_pixel, self.depth, u8::from(self.big_endian)]);
        let unused = Channel { max: 0, shift: 0 };
        let (r, g, b) = match self.colour {
            Colour::True { red, green, blue } => (red, green, blue),
            Colour::Map => (unused, unused, unused),
        };
        out.put_u8(u8::from(self.colour != Colour::Map));
        for channel in [r, g, b] {
            out.put_u16(channel.max);
        }
        out.put(&[r.shift, g.shift, b.shift, 0, 0, 0]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(bytes: [u8; 16]) -> Result<PixelFormat, BadPixelFormat> {
        PixelFormat::read(&mut Reader::new(&bytes)).expect("16 bytes are a whole pixel format")
    }

    #[test]
    fn server_init_format_has_the_bytes_that_clients_compare() {
        let mut out = Vec::new();
        PixelFormat::BGRX.write(&mut out);
        assert_eq!(
            out,
            [32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0]
        );
        assert_eq!(
            parse(out.try_into().expect("16 bytes")),
            Ok(PixelFormat::BGRX)
        );
    }

    /// Check 41.
    #[test]
    fn odd_but_harmless_formats_are_taken() {
        let mut bytes = [
            16, 15, 0, 255, 0, 31, 0, 31, 0, 31, 11, 6, 1, 0xaa, 0xbb, 0xcc,
        ];
        assert_eq!(
            parse(bytes),
            Ok(PixelFormat::rgb(16, 15, (31, 11), (31, 6), (31, 1)))
        );
        bytes[0] = 32;
        bytes[2] = 7;
        assert!(parse(bytes).is_ok_and(|f| f.big_endian));
        let ultravnc = [16, 16, 0, 1, 0, 63, 0, 31, 0, 31, 0, 6, 11, 0, 0, 0];
        assert_eq!(
            parse(ultravnc),
            Ok(PixelFormat::rgb(16, 16, (63, 0), (31, 6), (31, 11)))
        );
    }

    /// Check 41.
    #[test]
    fn impossible_formats_are_refused() {
        let good = [32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0];
        let with = |changes: &[(usize, u8)]| {
            let mut bytes = good;
            for &(at, v) in changes {
                bytes[at] = v;
            }
            parse(bytes)
        };
        assert_eq!(with(&[(0, 7)]), Err(BadPixelFormat::BitsPerPixel(7)));
        assert_eq!(with(&[(0, 24)]), Err(BadPixelFormat::BitsPerPixel(24)));
        assert!(matches!(
            with(&[(10, 40)]),
            Err(BadPixelFormat::Channel { shift: 40, .. })
        ));
        assert!(matches!(
            with(&[(10, 31)]),
            Err(BadPixelFormat::Channel { .. })
        ));
        assert!(matches!(
            with(&[(5, 0)]),
            Err(BadPixelFormat::Channel { max: 0, .. })
        ));
        assert_eq!(with(&[(11, 12)]), Err(BadPixelFormat::Overlap));
        assert_eq!(with(&[(3, 0)]), Err(BadPixelFormat::MapBits(32)));
        assert!(parse([0; 16]).is_err());
    }
}
