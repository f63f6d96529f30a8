//! The pixels of a part of a picture, for those who take no JPEG.

use bytes::Bytes;
use rfb::geom::Rect;

use super::Scan;
use crate::video::{
    BadPicture,
    jpeg::{Jpeg, JpegDecoder},
};

impl Scan {
    /// The pixels of `rect`, cut to the picture: 0x00RRGGBB, row by row without padding.
    ///
    /// They are what decoding the whole picture gives, though no more is decoded than the MCUs of
    /// `rect`, and those around it if its chroma is smoothed over their edges.
    pub fn decode(
        &self,
        rect: Rect,
        decoder: &mut dyn JpegDecoder,
    ) -> Result<Vec<u32>, BadPicture> {
        let rect = rect.intersection(self.size().rect());
        if rect.is_empty() {
            return Ok(Vec::new());
        }
        let mcus = self.mcus_for(rect);
        let decoded = self.pixels(mcus);
        let jpeg = self.spliced(mcus);
        let mut bgrx = vec![0; decoded.area() * 4];
        decoder.decode(&jpeg, &mut bgrx)?;

        let (left, top) = (rect.x - decoded.x, rect.y - decoded.y);
        let mut pixels = Vec::with_capacity(rect.area());
        let rows = bgrx.chunks_exact(usize::from(decoded.width) * 4);
        for row in rows.skip(top.into()).take(rect.height.into()) {
            let row = row.as_chunks::<4>().0.iter().skip(left.into());
            pixels.extend(
                row.take(rect.width.into())
                    .map(|&bgrx| u32::from_le_bytes(bgrx) & 0x00ff_ffff),
            );
        }
        Ok(pixels)
    }

    /// These MCUs, which are some of the grid.
    pub(super) fn spliced(&self, mcus: Rect) -> Jpeg {
        let mut bytes = Vec::new();
        self.splice(mcus, &mut bytes);
        Jpeg {
            bytes: Bytes::from(bytes),
            size: self.pixels(mcus).size(),
            sampling: self.coding.sampling,
            is_plain: self.coding.is_plain,
        }
    }

    /// The MCUs that `rect` has a share in, and where chroma is subsampled those beside them.
    pub fn mcus_for(&self, rect: Rect) -> Rect {
        let (mcu, (columns, rows)) = (self.mcu(), self.grid());
        let (across, down) = self.coding.is_subsampled();
        let span = |start: u16, end: u32, length: u16, beside: bool, count: usize| {
            let beside = u32::from(beside);
            let first = u32::from(start / length).saturating_sub(beside);
            let last = end.div_ceil(length.into()) + beside;
            (first, last.min(count as u32))
        };
        let (left, right) = span(rect.x, rect.right(), mcu.width, across, columns);
        let (top, bottom) = span(rect.y, rect.bottom(), mcu.height, down, rows);
        Rect::from_edges(left, top, right, bottom)
    }
}
