//! Captured bytes become frames.

pub mod canvas;
pub mod slate;

use std::time::SystemTime;

use rfb::{frame::Frame, geom::Size};

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

/// One picture as a source delivers it.
#[derive(Clone, Copy, Debug)]
pub struct Captured<'a> {
    pub layout: Layout,
    /// For [`Layout::Mjpeg`] what was negotiated; the JPEG's own header decides.
    pub size: Size,
    /// Bytes from one row to the next of the first plane; 0 for [`Layout::Mjpeg`].
    pub stride: usize,
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
