//! Captured bytes become frames.
//!
//! A [`Converter`] turns what a source delivers into [`Frame`]s that share every tile that did not
//! change. It knows no device. What a picture shows is found out when somebody asks for it, in that one's
//! thread; a picture that nobody looks at costs a look at its header.

mod convert;
pub mod jpeg;
mod raw;
mod raw_picture;
pub(crate) mod tolerance;

pub mod canvas;
pub mod slate;

use std::time::SystemTime;

use rfb::{frame::Frame, geom::Size};

pub use convert::{Converter, Counters, Manner};

/// How captured bytes stand for pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layout {
    /// A JPEG as a UVC dongle sends it (`V4L2_PIX_FMT_MJPEG`).
    Mjpeg,
    /// `V4L2_PIX_FMT_YUYV`: 4:2:2, Y0 Cb Y1 Cr.
    Yuyv,
    /// `V4L2_PIX_FMT_UYVY`: 4:2:2, Cb Y0 Cr Y1.
    Uyvy,
    /// `V4L2_PIX_FMT_NV12`: a Y plane, then interleaved CbCr at half size.
    Nv12,
    /// `V4L2_PIX_FMT_RGB24`.
    Rgb24,
    /// `V4L2_PIX_FMT_BGR24`.
    Bgr24,
    /// `V4L2_PIX_FMT_XBGR32`: blue, green, red, unused; what the demo target draws.
    Bgrx,
}

/// As logs show it.
impl std::fmt::Display for Layout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Layout::Mjpeg => "MJPEG",
            Layout::Yuyv => "YUYV",
            Layout::Uyvy => "UYVY",
            Layout::Nv12 => "NV12",
            Layout::Rgb24 => "RGB24",
            Layout::Bgr24 => "BGR24",
            Layout::Bgrx => "BGRX",
        })
    }
}

/// Which captured values stand for which colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Colour {
    pub matrix: Matrix,
    pub range: Range,
}

/// How much red, green and blue are in luma.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Matrix {
    /// What V4L2 means if a driver says nothing.
    #[default]
    Bt601,
    Bt709,
    Bt2020,
}

/// Which sample values are black and white.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Range {
    /// 16 and 235; what V4L2 means for YCbCr if a driver says nothing.
    #[default]
    Limited,
    /// 0 and 255.
    Full,
}

/// One picture as a source delivers it.
#[derive(Clone, Copy, Debug)]
pub struct Captured<'a> {
    pub layout: Layout,
    /// For [`Layout::Mjpeg`] what was negotiated, or 0x0; the JPEG's own header decides.
    pub size: Size,
    /// Bytes from one row to the next of the first plane; 0 for [`Layout::Mjpeg`].
    pub stride: usize,
    /// The matrix counts in the YCbCr layouts, the range in these, [`Layout::Rgb24`] and
    /// [`Layout::Bgr24`]; a JPEG is always BT.601 at full range.
    pub colour: Colour,
    /// The bytes in use, no more.
    pub bytes: &'a [u8],
}

/// What there is to show.
#[derive(Clone, Debug)]
pub enum Signal {
    /// Nothing has come yet.
    Starting,
    /// The target's screen.
    Live(Frame),
    /// The source works but there is no picture.
    NoSignal { since: SystemTime, why: String },
    /// The source is gone; it is being reopened.
    Lost { since: SystemTime, why: String },
}

/// Smallest width and height of a picture that is taken for one.
pub const MIN_SIDE: u16 = 16;
/// Largest width and height of a picture.
pub const MAX_SIDE: u16 = 8192;
/// Most pixels of a picture: 8192 × 4320.
pub const MAX_AREA: usize = 8192 * 4320;

/// Why a captured picture is not shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPicture {
    /// There is no start of a JPEG near the beginning.
    #[error("no JPEG starts in it")]
    NoStart,
    /// The end is missing: a transfer was cut short.
    #[error("its end is missing")]
    Truncated,
    /// What is in it cannot be a picture.
    #[error("it is damaged: {0}")]
    Corrupt(String),
    /// A kind of JPEG that no dongle should send.
    #[error("{0} is not supported; a dongle sends baseline JPEG")]
    Unsupported(String),
    /// Width or height are out of bounds.
    #[error("its size of {width}x{height} is out of bounds")]
    Size { width: u32, height: u32 },
    /// Fewer bytes than a picture of its size and layout has.
    #[error("it has {have} bytes instead of {need}")]
    Short { have: usize, need: usize },
}

/// Checks a picture's size before anything is allocated for it.
pub(crate) fn checked_size(width: u32, height: u32) -> Result<Size, BadPicture> {
    let side = |length: u32| {
        u16::try_from(length)
            .ok()
            .filter(|length| (MIN_SIDE..=MAX_SIDE).contains(length))
    };
    side(width)
        .zip(side(height))
        .map(|(width, height)| Size::new(width, height))
        .filter(|size| size.area() <= MAX_AREA)
        .ok_or(BadPicture::Size { width, height })
}
