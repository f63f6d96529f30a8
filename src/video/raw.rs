//! Uncompressed layouts.

use rfb::geom::{Rect, Size};
use yuv::{
    YuvBiPlanarImage, YuvConversionMode, YuvError, YuvPackedImage, YuvRange, YuvStandardMatrix,
};

use super::{BadPicture, Captured, Colour, Layout, Matrix, Range, checked_size};

/// A checked picture in an uncompressed layout, or a part of one.
pub(super) struct Raw<'a> {
    pub(super) size: Size,
    pub(super) stride: usize,
    pub(super) bytes: &'a [u8],
    layout: Layout,
    colour: Colour,
}

impl<'a> Raw<'a> {
    /// Checks that `captured.bytes` are as long as size, stride and layout say.
    pub(super) fn new(captured: &Captured<'a>) -> Result<Self, BadPicture> {
        let (width, height) = (captured.size.width, captured.size.height);
        let size = checked_size(width.into(), height.into())?;
        let (width, height) = (usize::from(width), usize::from(height));
        let (pixel_bytes, even_width, even_height) = match captured.layout {
            Layout::Yuyv | Layout::Uyvy => (2, true, false),
            Layout::Nv12 => (1, true, true),
            Layout::Rgb24 | Layout::Bgr24 => (3, false, false),
            Layout::Bgrx => (4, false, false),
            Layout::Mjpeg => return Err(BadPicture::Corrupt("it is a JPEG".to_owned())),
        };
        if even_width && width % 2 != 0 || even_height && height % 2 != 0 {
            return Err(BadPicture::Corrupt(format!(
                "{:?} cannot have a size of {size}",
                captured.layout
            )));
        }
        let row = width * pixel_bytes;
        if captured.stride < row {
            return Err(BadPicture::Short {
                have: captured.stride,
                need: row,
            });
        }
        let need = match captured.layout {
            Layout::Nv12 => captured.stride.saturating_mul(height + height / 2),
            _ => captured.stride.saturating_mul(height),
        };
        if captured.bytes.len() < need {
            return Err(BadPicture::Short {
                have: captured.bytes.len(),
                need,
            });
        }
        Ok(Self {
            size,
            stride: captured.stride,
            bytes: &captured.bytes[..need],
            layout: captured.layout,
            colour: captured.colour,
        })
    }

    pub(super) fn layout(&self) -> Layout {
        self.layout
    }

    /// Gives the bytes of `rect` piece by piece, rows from the top down, plane by plane. Its bounds must be even
    /// where the layout has one sample of chroma for two pixels.
    pub(super) fn rows(&self, rect: Rect) -> impl Iterator<Item = &'a [u8]> {
        let bytes = self.bytes;
        let stride = self.stride;
        let (first, second) = match self.layout {
            Layout::Nv12 => {
                let luma = stride * usize::from(self.size.height);
                let half = Rect::new(rect.x, rect.y / 2, rect.width, rect.height / 2);
                ((0, 1, rect), (luma, 1, half))
            }
            Layout::Yuyv | Layout::Uyvy => ((0, 2, rect), (0, 0, Rect::EMPTY)),
            Layout::Rgb24 | Layout::Bgr24 => ((0, 3, rect), (0, 0, Rect::EMPTY)),
            Layout::Bgrx | Layout::Mjpeg => ((0, 4, rect), (0, 0, Rect::EMPTY)),
        };
        [first, second]
            .into_iter()
            .flat_map(move |(plane, pixel_bytes, part)| {
                (part.y..part.y + part.height).map(move |y| {
                    let start = plane + usize::from(y) * stride + usize::from(part.x) * pixel_bytes;
                    &bytes[start..start + usize::from(part.width) * pixel_bytes]
                })
            })
    }

    /// The part `rect` of this picture, whose [`Raw::rows`] one after the other are `bytes`.
    pub(super) fn part<'b>(&self, rect: Rect, bytes: &'b [u8]) -> Raw<'b> {
        let pixel_bytes = match self.layout {
            Layout::Nv12 => 1,
            Layout::Yuyv | Layout::Uyvy => 2,
            Layout::Rgb24 | Layout::Bgr24 => 3,
            Layout::Bgrx | Layout::Mjpeg => 4,
        };
        Raw {
            size: rect.size(),
            stride: usize::from(rect.width) * pixel_bytes,
            bytes,
            layout: self.layout,
            colour: self.colour,
        }
    }

    /// The pixels as blue, green, red, unused, without padding, unless they are [`Layout::Bgrx`],
    /// whose bytes serve as they are.
    pub(super) fn convert(&self, bgrx: &mut [u8]) -> Result<(), BadPicture> {
        let (width, height) = (u32::from(self.size.width), u32::from(self.size.height));
        let row = usize::from(self.size.width) * 4;
        let failed = |error: YuvError| BadPicture::Corrupt(error.to_string());
        let stride = u32::try_from(self.stride)
            .map_err(|_| BadPicture::Corrupt("its rows are too long".to_owned()))?;
        let packed = YuvPackedImage {
            yuy: self.bytes,
            yuy_stride: stride,
            width,
            height,
        };
        let (range, matrix) = (range(self.colour.range), matrix(self.colour.matrix));
        match self.layout {
            Layout::Yuyv => {
                yuv::yuyv422_to_bgra(&packed, bgrx, width * 4, range, matrix).map_err(failed)?;
            }
            Layout::Uyvy => {
                yuv::uyvy422_to_bgra(&packed, bgrx, width * 4, range, matrix).map_err(failed)?;
            }
            Layout::Nv12 => {
                let (luma, chroma) = self
                    .bytes
                    .split_at(self.stride * usize::from(self.size.height));
                let planes = YuvBiPlanarImage {
                    y_plane: luma,
                    y_stride: stride,
                    uv_plane: chroma,
                    uv_stride: stride,
                    width,
                    height,
                };
                let mode = YuvConversionMode::Balanced;
                yuv::yuv_nv12_to_bgra(&planes, bgrx, width * 4, range, matrix, mode)
                    .map_err(failed)?;
            }
            Layout::Rgb24 => self.spread(bgrx, row, |[red, green, blue]| [blue, green, red]),
            Layout::Bgr24 => self.spread(bgrx, row, |blue_first| blue_first),
            Layout::Bgrx | Layout::Mjpeg => {}
        }
        Ok(())
    }

    /// `pixel` puts blue first.
    fn spread(&self, bgrx: &mut [u8], row: usize, pixel: impl Fn([u8; 3]) -> [u8; 3]) {
        match self.colour.range {
            Range::Full => self.spread_levels(bgrx, row, pixel),
            Range::Limited => self.spread_levels(bgrx, row, |from| pixel(from).map(widened)),
        }
    }

    fn spread_levels(&self, bgrx: &mut [u8], row: usize, pixel: impl Fn([u8; 3]) -> [u8; 3]) {
        for (from, to) in self.bytes.chunks(self.stride).zip(bgrx.chunks_mut(row)) {
            let from = from.as_chunks::<3>().0;
            for (from, to) in from.iter().zip(to.as_chunks_mut::<4>().0) {
                let [blue, green, red] = pixel(*from);
                *to = [blue, green, red, 0];
            }
        }
    }
}

/// 16 to 235 as 0 to 255.
fn widened(level: u8) -> u8 {
    let above_black = u16::from(level.saturating_sub(16));
    u8::try_from((above_black * 255 + 109) / 219).unwrap_or(u8::MAX)
}

fn range(range: Range) -> YuvRange {
    match range {
        Range::Limited => YuvRange::Limited,
        Range::Full => YuvRange::Full,
    }
}

fn matrix(matrix: Matrix) -> YuvStandardMatrix {
    match matrix {
        Matrix::Bt601 => YuvStandardMatrix::Bt601,
        Matrix::Bt709 => YuvStandardMatrix::Bt709,
        Matrix::Bt2020 => YuvStandardMatrix::Bt2020,
    }
}
