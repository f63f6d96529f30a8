//! The compressed domain: what can be told of a JPEG, and cut out of it, without decoding it.
//!
//! A [`Scan`] knows of each MCU (the 8x8, 16x8, 16x16, … pixels that are coded together) where its
//! bits lie, what its DC levels are, and an id of all its levels. MCUs with the same id are the same
//! picture, in whichever frame of a stream and wherever in it they lie. [`Scan::splice`] makes a
//! JPEG of some of them: bits are copied, only the first DC differences of each row are coded anew.

mod bits;
mod coding;
mod huffman;
mod identity;
mod part;
mod splice;
#[cfg(test)]
mod tests;
mod tolerance;
mod walk;

use std::sync::Arc;

use rfb::geom::{Rect, Size};

use super::Jpeg;
use crate::video::BadPicture;
use coding::Coding;
use walk::Index;

pub use tolerance::Tolerance;

/// One picture whose scan has been walked.
pub struct Scan {
    coding: Arc<Coding>,
    /// The coded data, without byte stuffing and restart markers.
    bytes: Vec<u8>,
    /// The byte at which each restart interval begins.
    intervals: Vec<usize>,
    index: Index,
    /// The ids that a [`Tolerance`] gave.
    settled: Option<Vec<u64>>,
}

impl Scan {
    /// Walks the scan of `jpeg`. The result does not depend on `previous`, but it comes sooner if
    /// that is a picture much like this one.
    ///
    /// Fails unless the coded data are exactly the blocks that the header promises.
    pub fn walk(jpeg: &Jpeg, previous: Option<&Scan>) -> Result<Scan, BadPicture> {
        let (coding, start) = Coding::read(jpeg, previous.map(|previous| &previous.coding))?;
        // Between the scan header and EOI.
        let coded = jpeg.bytes.get(start..jpeg.bytes.len().saturating_sub(2));
        let unstuffed = bits::unstuff(coded.unwrap_or(&[]))?;
        let index = walk::walk(&coding, &unstuffed.bytes, &unstuffed.intervals, previous)?;
        Ok(Scan {
            coding,
            bytes: unstuffed.bytes,
            intervals: unstuffed.intervals,
            index,
            settled: None,
        })
    }

    /// Pixels of the picture.
    pub fn size(&self) -> Size {
        self.coding.size
    }

    /// Pixels of an MCU.
    pub fn mcu(&self) -> Size {
        self.coding.mcu
    }

    /// How many MCUs are in a row, and how many rows there are. Those at the right and lower edge
    /// may hang over the picture.
    pub fn grid(&self) -> (usize, usize) {
        self.coding.grid
    }

    /// An id for each MCU, row by row; never 0.
    ///
    /// The lower 16 bits are the chroma class: 0 if the MCU's chroma is textured. Where two MCUs
    /// side by side are in the same class that is not 0, smoothing the chroma between them changes
    /// nothing. A picture without chroma is in class 1.
    pub fn ids(&self) -> &[u64] {
        self.settled.as_ref().unwrap_or(&self.index.ids)
    }

    /// How many bits these MCUs take.
    pub fn bits(&self, mcus: Rect) -> usize {
        self.rows(mcus)
            .map(|(first, last)| self.end(last) - self.start(first))
            .sum()
    }

    /// The first and the last MCU of each row of a rectangle, cut to the grid.
    fn rows(&self, mcus: Rect) -> impl Iterator<Item = (usize, usize)> + use<> {
        let (columns, _) = self.grid();
        let mcus = mcus.intersection(self.whole());
        (0..usize::from(mcus.height)).map(move |row| {
            let first = (usize::from(mcus.y) + row) * columns + usize::from(mcus.x);
            (first, first + usize::from(mcus.width) - 1)
        })
    }

    /// All MCUs.
    fn whole(&self) -> Rect {
        let (columns, rows) = self.grid();
        Rect::from_edges(0, 0, columns as u32, rows as u32)
    }

    /// The place of an MCU's first bit.
    fn start(&self, mcu: usize) -> usize {
        match mcu % self.coding.restart {
            0 => self.intervals[mcu / self.coding.restart] * 8,
            _ => self.end(mcu - 1),
        }
    }

    /// The place behind an MCU's last bit.
    fn end(&self, mcu: usize) -> usize {
        self.index.ends[mcu] as usize
    }

    /// The DC levels from which an MCU's differences count.
    fn levels_before(&self, mcu: usize) -> [i16; 4] {
        match mcu % self.coding.restart {
            0 => [0; 4],
            _ => self.index.levels[mcu - 1],
        }
    }
}
