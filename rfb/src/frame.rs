//! A frame is a vector of immutable tiles.
//!
//! The next frame shares every tile that did not change, so "did this tile change?" is a pointer
//! comparison, whoever asks and however many frames were skipped in between.

pub mod fit;

use std::sync::Arc;

use bytes::Bytes;

use crate::geom::{Rect, Size};

/// Side of a tile in pixels; tiles at the right and bottom edge are smaller.
pub const TILE: u16 = 64;

/// A pixel as `0x00RRGGBB`. The top byte is always zero, so equal pixels are equal numbers.
pub type Pixel = u32;

/// Mask that drops the unused top byte of a captured pixel.
pub const RGB: Pixel = 0x00ff_ffff;

/// An immutable piece of a frame, at most [`TILE`] × [`TILE`] pixels, rows top to bottom without padding.
#[derive(PartialEq, Eq)]
pub struct Tile {
    size: Size,
    pixels: Box<[Pixel]>,
}

impl std::fmt::Debug for Tile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tile({})", self.size)
    }
}

impl Tile {
    /// # Panics
    /// If `pixels` is not exactly `size` large.
    pub fn new(size: Size, pixels: Box<[Pixel]>) -> Self {
        assert_eq!(pixels.len(), size.area(), "a tile's pixels fill it");
        Self { size, pixels }
    }

    pub fn size(&self) -> Size {
        self.size
    }

    pub fn pixels(&self) -> &[Pixel] {
        &self.pixels
    }

    /// The pixels `[x, x + width)` of row `y`.
    pub fn row(&self, y: u16, x: u16, width: u16) -> &[Pixel] {
        let start = usize::from(y) * usize::from(self.size.width) + usize::from(x);
        &self.pixels[start..start + usize::from(width)]
    }

    /// This tile with the pixels in `rect` (tile coordinates) taken from `other`.
    pub fn patched(&self, other: &Tile, rect: Rect) -> Tile {
        debug_assert_eq!(self.size, other.size);
        let mut pixels = self.pixels.clone();
        let stride = usize::from(self.size.width);
        for y in rect.y..rect.y + rect.height {
            let start = usize::from(y) * stride + usize::from(rect.x);
            pixels[start..start + usize::from(rect.width)]
                .copy_from_slice(other.row(y, rect.x, rect.width));
        }
        Tile::new(self.size, pixels)
    }

    /// The smallest rectangle (tile coordinates) outside which both tiles are the same picture.
    pub fn difference(&self, other: &Tile) -> Rect {
        debug_assert_eq!(self.size, other.size);
        let (width, height) = (self.size.width, self.size.height);
        let differs = |y: &u16| self.row(*y, 0, width) != other.row(*y, 0, width);
        let Some(top) = (0..height).find(differs) else {
            return Rect::EMPTY;
        };
        let bottom = (top..height).rev().find(differs).unwrap_or(top) + 1;
        let (mut left, mut right) = (width, 0);
        for y in top..bottom {
            let (a, b) = (self.row(y, 0, width), other.row(y, 0, width));
            let unequal = |x: &u16| a[usize::from(*x)] != b[usize::from(*x)];
            if let Some(first) = (0..left).find(unequal) {
                left = first;
            }
            if let Some(last) = (right..width).rev().find(unequal) {
                right = last + 1;
            }
        }
        Rect::new(left, top, right - left, bottom - top)
    }
}

/// Number of a frame; grows by one with every picture that differs from the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrameSeq(pub u64);

/// One picture of the target's screen. Cloning is two reference counts.
#[derive(Clone, Debug)]
pub struct Frame {
    seq: FrameSeq,
    size: Size,
    tiles: Arc<[Arc<Tile>]>,
    jpeg: Option<Bytes>,
}

impl Frame {
    /// Cuts a picture into tiles, sharing those that are equal in `previous`.
    ///
    /// `bgrx` holds rows top to bottom, 4 bytes a pixel in the order blue, green, red, unused, and
    /// `stride` bytes from one row to the next. `jpeg`, if given, is a complete baseline JPEG of
    /// this very picture.
    ///
    /// # Panics
    /// If `size` is empty or `bgrx` is shorter than `size` and `stride` say.
    pub fn from_bgrx(
        seq: FrameSeq,
        size: Size,
        bgrx: &[u8],
        stride: usize,
        jpeg: Option<Bytes>,
        previous: Option<&Frame>,
    ) -> Frame {
        assert!(!size.is_empty(), "a frame has pixels");
        let row_bytes = usize::from(size.width) * 4;
        assert!(
            stride >= row_bytes && bgrx.len() >= stride * usize::from(size.height - 1) + row_bytes,
            "a frame's pixels fill it"
        );
        let previous = previous.filter(|p| p.size == size);
        let tiles = (0..tile_count(size))
            .map(|index| {
                let rect = tile_rect(size, index);
                let row = |y: u16| {
                    let start = usize::from(rect.y + y) * stride + usize::from(rect.x) * 4;
                    &bgrx[start..start + usize::from(rect.width) * 4]
                };
                let old = previous.map(|p| &p.tiles[index]);
                if let Some(old) = old
                    && (0..rect.height).all(|y| same_pixels(old.row(y, 0, rect.width), row(y)))
                {
                    return Arc::clone(old);
                }
                let mut pixels = Vec::with_capacity(rect.area());
                for y in 0..rect.height {
                    pixels.extend(row(y).as_chunks::<4>().0.iter().map(pixel));
                }
                Arc::new(Tile::new(rect.size(), pixels.into_boxed_slice()))
            })
            .collect();
        Frame {
            seq,
            size,
            tiles,
            jpeg,
        }
    }

    /// A frame of one colour.
    pub fn solid(seq: FrameSeq, size: Size, colour: Pixel) -> Frame {
        let bgrx: Vec<u8> = std::iter::repeat_n((colour & RGB).to_le_bytes(), size.area())
            .flatten()
            .collect();
        Frame::from_bgrx(seq, size, &bgrx, usize::from(size.width) * 4, None, None)
    }

    pub fn seq(&self) -> FrameSeq {
        self.seq
    }

    /// The same picture under another number, for who joins frames of several origins.
    pub fn with_seq(self, seq: FrameSeq) -> Frame {
        Frame { seq, ..self }
    }

    pub fn size(&self) -> Size {
        self.size
    }

    /// The tiles row by row, from the top left.
    pub fn tiles(&self) -> &[Arc<Tile>] {
        &self.tiles
    }

    /// The dongle's own JPEG of this whole picture, with every table it needs, if it sent one.
    pub fn jpeg(&self) -> Option<&Bytes> {
        self.jpeg.as_ref()
    }

    /// Whether both show the same picture, as far as shared tiles tell.
    pub fn same_picture(&self, other: &Frame) -> bool {
        self.size == other.size
            && (Arc::ptr_eq(&self.tiles, &other.tiles)
                || self
                    .tiles
                    .iter()
                    .zip(other.tiles.iter())
                    .all(|(a, b)| Arc::ptr_eq(a, b)))
    }

    /// Where tile `index` lies in the frame.
    pub fn tile_rect(&self, index: usize) -> Rect {
        tile_rect(self.size, index)
    }

    /// The pixels of `rect`, rows top to bottom without padding.
    ///
    /// # Panics
    /// If `rect` is not inside the frame.
    pub fn pixels(&self, rect: Rect) -> Vec<Pixel> {
        assert!(
            self.size.rect().contains(rect),
            "{rect:?} lies in the frame"
        );
        let columns = usize::from(self.size.width.div_ceil(TILE));
        let mut out = Vec::with_capacity(rect.area());
        for y in rect.y..rect.y + rect.height {
            let mut x = rect.x;
            while u32::from(x) < rect.right() {
                let tile = &self.tiles[usize::from(y / TILE) * columns + usize::from(x / TILE)];
                let inside = x % TILE;
                let left = u16::try_from(rect.right() - u32::from(x)).unwrap_or(u16::MAX);
                let run = (tile.size.width - inside).min(left);
                out.extend_from_slice(tile.row(y % TILE, inside, run));
                x += run;
            }
        }
        out
    }
}

/// Number of tiles of a frame of this size.
pub fn tile_count(size: Size) -> usize {
    usize::from(size.width.div_ceil(TILE)) * usize::from(size.height.div_ceil(TILE))
}

/// Where tile `index` of a frame of this size lies.
pub fn tile_rect(size: Size, index: usize) -> Rect {
    let columns = usize::from(size.width.div_ceil(TILE));
    let (column, row) = (index % columns, index / columns);
    let side = usize::from(TILE);
    Rect::from_edges(
        (column * side) as u32,
        (row * side) as u32,
        ((column + 1) * side).min(usize::from(size.width)) as u32,
        ((row + 1) * side).min(usize::from(size.height)) as u32,
    )
}

fn pixel(bgrx: &[u8; 4]) -> Pixel {
    Pixel::from_le_bytes(*bgrx) & RGB
}

/// Written as one fold without an early exit so that it compiles to vector code.
fn same_pixels(tile: &[Pixel], bgrx: &[u8]) -> bool {
    tile.iter()
        .zip(bgrx.as_chunks::<4>().0)
        .fold(0, |unequal, (a, b)| unequal | (a ^ pixel(b)))
        == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(size: Size, colour: impl Fn(u16, u16) -> Pixel) -> Vec<u8> {
        let mut out = Vec::new();
        for y in 0..size.height {
            for x in 0..size.width {
                // The unused byte is noise that must not count.
                out.extend_from_slice(&(colour(x, y) | u32::from(x ^ y) << 24).to_le_bytes());
            }
        }
        out
    }

    fn frame(size: Size, bgrx: &[u8], previous: Option<&Frame>) -> Frame {
        let stride = usize::from(size.width) * 4;
        Frame::from_bgrx(FrameSeq(1), size, bgrx, stride, None, previous)
    }

    #[test]
    fn equal_tiles_are_shared_and_changed_ones_are_not() {
        let size = Size::new(150, 70);
        let mut bytes = picture(size, |x, y| u32::from(x) << 8 | u32::from(y));
        let first = frame(size, &bytes, None);
        assert_eq!(first.tiles().len(), 6);
        let again = frame(size, &bytes, Some(&first));
        assert!(again.same_picture(&first));

        bytes[(65 * 150 + 149) * 4] ^= 1;
        let changed = frame(size, &bytes, Some(&first));
        assert!(!changed.same_picture(&first));
        let shared: Vec<bool> = first
            .tiles()
            .iter()
            .zip(changed.tiles())
            .map(|(a, b)| Arc::ptr_eq(a, b))
            .collect();
        assert_eq!(shared, [true, true, true, true, true, false]);
        assert_eq!(
            first.tiles()[5].difference(&changed.tiles()[5]),
            Rect::new(21, 1, 1, 1)
        );
    }

    #[test]
    fn pixels_cross_tile_borders() {
        let size = Size::new(200, 130);
        let colour = |x: u16, y: u16| u32::from(x) * 7 + u32::from(y) * 1000;
        let frame = frame(size, &picture(size, colour), None);
        let rect = Rect::new(60, 60, 131, 69);
        let expected: Vec<Pixel> = (rect.y..rect.y + rect.height)
            .flat_map(|y| (rect.x..rect.x + rect.width).map(move |x| colour(x, y)))
            .collect();
        assert_eq!(frame.pixels(rect), expected);
    }

    #[test]
    fn difference_is_exact_and_patch_repairs_it() {
        let size = Size::new(64, 64);
        let a = frame(size, &picture(size, |_, _| 5), None);
        let b = frame(
            size,
            &picture(size, |x, y| {
                if (x, y) == (3, 9) || (x, y) == (40, 11) {
                    6
                } else {
                    5
                }
            }),
            None,
        );
        let (a, b) = (&a.tiles()[0], &b.tiles()[0]);
        let rect = a.difference(b);
        assert_eq!(rect, Rect::new(3, 9, 38, 3));
        assert_eq!(a.patched(b, rect), **b);
        assert_eq!(a.difference(a), Rect::EMPTY);
    }
}
