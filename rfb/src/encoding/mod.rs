//! Encodings: pure functions from a picture to the bytes of a rectangle.

use crate::frame::Pixel;
use crate::geom::Size;
use crate::pixel::PixelFormat;

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

/// How a JPEG is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct JpegQuality {
    /// 1..=100, as libjpeg counts.
    pub quality: u8,
    pub subsampling: Subsampling,
}

/// Chroma subsampling of a JPEG.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subsampling {
    S444,
    S422,
    S420,
    Grey,
}
