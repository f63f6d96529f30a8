//! What an uncompressed picture without padding looks like.

use rfb::geom::Size;

use crate::video::{Captured, Colour, Layout, Range};

/// The shape of pictures that say nothing of themselves, such as those of a pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RawFrame {
    /// Not [`Layout::Mjpeg`].
    pub(super) layout: Layout,
    pub(super) size: Size,
}

impl RawFrame {
    /// Bytes of a row (of luma, where chroma is apart).
    fn stride(self) -> usize {
        let width = usize::from(self.size.width);
        match self.layout {
            Layout::Yuyv | Layout::Uyvy => width * 2,
            Layout::Nv12 => width,
            Layout::Rgb24 | Layout::Bgr24 => width * 3,
            Layout::Bgrx => width * 4,
            Layout::Mjpeg => 0,
        }
    }

    /// Bytes of a picture.
    pub(super) fn length(self) -> usize {
        let height = usize::from(self.size.height);
        match self.layout {
            Layout::Nv12 => self.stride() * (height + height / 2),
            _ => self.stride() * height,
        }
    }

    /// `bytes` as a picture. YCbCr is BT.601 at limited range, what programs write if nothing is
    /// said; red, green and blue use their full range.
    pub(super) fn captured(self, bytes: &[u8]) -> Captured<'_> {
        let range = match self.layout {
            Layout::Rgb24 | Layout::Bgr24 => Range::Full,
            _ => Range::Limited,
        };
        Captured {
            layout: self.layout,
            size: self.size,
            stride: self.stride(),
            colour: Colour {
                range,
                ..Colour::default()
            },
            bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::video::Converter;

    #[test]
    fn its_length_is_what_a_picture_takes() {
        let layouts = [
            Layout::Yuyv,
            Layout::Uyvy,
            Layout::Nv12,
            Layout::Rgb24,
            Layout::Bgr24,
            Layout::Bgrx,
        ];
        for layout in layouts {
            let size = Size::new(34, 18);
            let frame = RawFrame { layout, size };
            let bytes = vec![255; frame.length()];
            let convert = |bytes| Converter::new().convert(&frame.captured(bytes));
            assert!(convert(&bytes).is_ok(), "{layout}");
            assert!(convert(&bytes[1..]).is_err(), "{layout}");
        }
        let frame = |layout| RawFrame {
            layout,
            size: Size::new(1920, 1080),
        };
        assert_eq!(frame(Layout::Yuyv).length(), 4_147_200);
        assert_eq!(frame(Layout::Nv12).length(), 3_110_400);
    }
}
