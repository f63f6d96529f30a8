//! Encodings: pure functions from a picture to the bytes of a rectangle.
//!
//! No encoder keeps anything from one rectangle to the next, so the same bytes serve every client
//! that asked for the same [`Parameters`], and rectangles can be encoded in any order on any thread:
//! Tight starts its zlib streams anew in each rectangle, and the chunks of Zlib and ZRLE refer to
//! nothing before them. The only trace of a connection is the two-byte zlib header that the first
//! Zlib or ZRLE rectangle needs (`first_of_stream`).
//!
//! Adding an encoding is one file, its `mod` line and one row of `TABLE`.

mod deflate;
mod deflate_pixels;
mod hextile;
mod huffman;
mod jpeg;
mod jpeg_coder;
mod palette;
mod raw;
mod rle;
mod rre;
mod split;
mod subrects;
mod tight;
mod tight_png;
mod tiles;
mod trle;
mod zlib;
mod zrle;

#[cfg(feature = "turbojpeg")]
pub use jpeg_coder::Turbo;
pub use jpeg_coder::{JpegEncoder, JpegError, PureRust};
pub use split::split;
pub use tight::{MAX_JPEG, jpeg_fits, tight_jpeg_head, tight_jpeg_payload};

use crate::frame::Pixel;
use crate::geom::Size;
use crate::pixel::PixelFormat;

/// The number of an encoding or pseudo-encoding, as SetEncodings and rectangle headers have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EncodingType(pub i32);

impl EncodingType {
    pub const RAW: Self = Self(0);
    pub const COPY_RECT: Self = Self(1);
    pub const RRE: Self = Self(2);
    pub const HEXTILE: Self = Self(5);
    pub const ZLIB: Self = Self(6);
    pub const TIGHT: Self = Self(7);
    pub const TRLE: Self = Self(15);
    pub const ZRLE: Self = Self(16);
    pub const JPEG: Self = Self(21);
    pub const TIGHT_PNG: Self = Self(-260);
}

/// The encodings that this server can produce.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    Raw,
    Rre,
    Hextile,
    Zlib,
    Zrle,
    Trle,
    Tight,
    TightPng,
    Jpeg,
}

/// What there is to know of one encoding.
struct Row {
    encoding: Encoding,
    number: EncodingType,
    name: &'static str,
    /// Largest rectangle that may be encoded in one piece.
    largest: Size,
    encode: fn(&Picture<'_>, &Parameters, bool, &mut Vec<u8>),
}

const WHOLE: Size = Size::new(u16::MAX, u16::MAX);

/// One row for each encoding, in the order of [`Encoding`].
const TABLE: [Row; 9] = [
    row(Encoding::Raw, 0, "Raw", WHOLE, raw::encode),
    row(Encoding::Rre, 2, "RRE", split::RRE, rre::encode),
    row(Encoding::Hextile, 5, "Hextile", WHOLE, hextile::encode),
    row(Encoding::Zlib, 6, "Zlib", WHOLE, zlib::encode),
    row(Encoding::Zrle, 16, "ZRLE", WHOLE, zrle::encode),
    row(Encoding::Trle, 15, "TRLE", WHOLE, trle::encode),
    row(Encoding::Tight, 7, "Tight", split::TIGHT, tight::encode),
    row(
        Encoding::TightPng,
        -260,
        "TightPNG",
        split::TIGHT,
        tight_png::encode,
    ),
    row(Encoding::Jpeg, 21, "JPEG", split::JPEG, jpeg::encode),
];

const fn row(
    encoding: Encoding,
    number: i32,
    name: &'static str,
    largest: Size,
    encode: fn(&Picture<'_>, &Parameters, bool, &mut Vec<u8>),
) -> Row {
    Row {
        encoding,
        number: EncodingType(number),
        name,
        largest,
        encode,
    }
}

impl Encoding {
    /// Every encoding, best first for a client that does not care.
    pub const ALL: [Encoding; 9] = [
        Encoding::Tight,
        Encoding::Zrle,
        Encoding::TightPng,
        Encoding::Jpeg,
        Encoding::Zlib,
        Encoding::Trle,
        Encoding::Hextile,
        Encoding::Rre,
        Encoding::Raw,
    ];

    fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }

    /// The encoding that a client calls by this number; `None` for pseudo-encodings, CopyRect and
    /// whatever else is not made from pixels here.
    pub fn from_number(number: EncodingType) -> Option<Self> {
        TABLE
            .iter()
            .find(|row| row.number == number)
            .map(|row| row.encoding)
    }

    /// The number in rectangle headers.
    pub fn number(self) -> EncodingType {
        self.row().number
    }

    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The largest rectangle that [`encode`] takes; [`split`] cuts to it.
    pub fn largest(self) -> Size {
        self.row().largest
    }

    /// Whether this encoding may be chosen for a client with these parameters: plain JPEG needs a
    /// quality level and more than 8 bits a pixel, ZRLE and TRLE a CPIXEL that all read alike,
    /// TightPNG pixels of 32 bits: a PNG holds true colours, and not every client reduces them.
    pub fn suits(self, parameters: &Parameters) -> bool {
        match self {
            Encoding::Jpeg => parameters.jpeg_allowed().is_some(),
            Encoding::Zrle | Encoding::Trle => !parameters.format.cpixel_is_ambiguous(),
            Encoding::TightPng => parameters.format.bits_per_pixel == 32,
            _ => true,
        }
    }
}

impl std::fmt::Display for Encoding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Writes the payload of a rectangle (what follows its 12-byte header).
///
/// `first_of_stream` matters to Zlib and ZRLE alone: it must be true for the first rectangle in this
/// encoding on a connection and false for all others. The bytes are otherwise the same, so a cached
/// payload can be given to a client with the header `78 01` inserted behind the 4 length bytes (and
/// the length raised by 2), or simply encoded again.
///
/// [`Encoding::Jpeg`] ignores the client's wish not to get JPEGs, being nothing else: choose it
/// only if [`Encoding::suits`] says so.
///
/// # Panics
/// If the picture is empty, larger than [`Encoding::largest`] (see [`split`]), or does not have as
/// many pixels as its size says: mistakes of the caller that no peer can provoke.
pub fn encode(
    encoding: Encoding,
    picture: &Picture<'_>,
    parameters: &Parameters,
    first_of_stream: bool,
    out: &mut Vec<u8>,
) {
    let row = encoding.row();
    assert!(
        !picture.size.is_empty() && picture.pixels.len() == picture.size.area(),
        "a picture's pixels fill it"
    );
    assert!(
        picture.size.width <= row.largest.width && picture.size.height <= row.largest.height,
        "a {} picture of {} was not split",
        row.name,
        picture.size,
    );
    (row.encode)(picture, parameters, first_of_stream, out);
}

/// Whether the payload that [`encode`] wrote shows the picture only nearly: JPEG does.
pub fn is_lossy(encoding: Encoding, payload: &[u8]) -> bool {
    match encoding {
        Encoding::Jpeg => true,
        Encoding::Tight | Encoding::TightPng => payload.first() == Some(&tight::JPEG),
        _ => false,
    }
}

/// The pixels of one rectangle, rows top to bottom without padding.
#[derive(Clone, Copy, Debug)]
pub struct Picture<'a> {
    pub size: Size,
    pub pixels: &'a [Pixel],
}

/// What a client asked for, as far as it changes the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Parameters {
    pub format: PixelFormat,
    /// JPEG may be used, with this quality; `None` unless the client sent a quality level.
    pub jpeg: Option<JpegQuality>,
    /// zlib level, 0..=9.
    pub level: u8,
}

impl Parameters {
    /// The JPEG quality, if the client can be sent JPEGs: never with 8 bits a pixel.
    fn jpeg_allowed(&self) -> Option<JpegQuality> {
        self.jpeg.filter(|_| self.format.bits_per_pixel > 8)
    }
}

/// How a JPEG is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct JpegQuality {
    /// 1..=100, as libjpeg counts.
    pub quality: u8,
    pub subsampling: Subsampling,
}

impl JpegQuality {
    /// From a quality level pseudo-encoding (0..=9, larger is taken as 9).
    ///
    /// The qualities and subsamplings are those that TigerVNC's server gives for the same levels.
    pub fn from_level(level: u8) -> Self {
        use Subsampling::{S420, S422, S444};
        let (quality, subsampling) = match level {
            0 => (15, S420),
            1 => (29, S420),
            2 => (41, S420),
            3 => (42, S422),
            4 => (62, S422),
            5 => (77, S422),
            6 => (79, S444),
            7 => (86, S444),
            8 => (92, S444),
            _ => (100, S444),
        };
        Self {
            quality,
            subsampling,
        }
    }

    /// From a fine-grained quality pseudo-encoding (0..=100), with the subsampling that the nearest
    /// coarse level has; a client that sends it sends its subsampling too, as a rule.
    pub fn from_fine(quality: u8) -> Self {
        let subsampling = match quality {
            0..=41 => Subsampling::S420,
            42..=77 => Subsampling::S422,
            _ => Subsampling::S444,
        };
        Self {
            quality: quality.clamp(1, 100),
            subsampling,
        }
    }
}

/// Chroma subsampling of a JPEG.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subsampling {
    S444,
    S422,
    S420,
    Grey,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_is_in_the_order_of_the_enum() {
        for (index, row) in TABLE.iter().enumerate() {
            assert_eq!(row.encoding as usize, index);
            assert_eq!(Encoding::from_number(row.number), Some(row.encoding));
        }
        assert_eq!(Encoding::from_number(EncodingType::COPY_RECT), None);
        assert_eq!(Encoding::from_number(EncodingType(-224)), None);
    }
}
