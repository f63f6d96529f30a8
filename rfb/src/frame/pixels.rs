//! Pictures that are pixels.

use std::sync::Arc;

use super::{Damaged, Picture, Pixel, RGB, TILE, Tile, tile_count, tile_rect};
use crate::geom::{Rect, Size};

/// A picture whose tiles hold pixels.
#[derive(Clone, Debug)]
pub struct Tiles {
    size: Size,
    tiles: Arc<[Arc<Tile>]>,
}

impl Tiles {
    /// # Panics
    /// If the tiles are not those of a picture of this size, or one holds no pixels.
    pub fn new(size: Size, tiles: Arc<[Arc<Tile>]>) -> Self {
        assert!(!size.is_empty(), "a picture has pixels");
        assert_eq!(tiles.len(), tile_count(size), "tiles fill their picture");
        for (index, tile) in tiles.iter().enumerate() {
            assert_eq!(tile.size(), tile_rect(size, index).size());
            assert!(tile.pixels().is_some(), "these tiles hold pixels");
        }
        Self { size, tiles }
    }
}

impl Tiles {
    /// The tiles row by row, from the top left.
    pub fn into_tiles(self) -> Arc<[Arc<Tile>]> {
        self.tiles
    }
}

impl Picture for Tiles {
    fn size(&self) -> Size {
        self.size
    }

    fn tiles(&self) -> Result<&[Arc<Tile>], Damaged> {
        Ok(&self.tiles)
    }

    fn pixels(&self, rect: Rect) -> Result<Vec<Pixel>, Damaged> {
        let columns = usize::from(self.size.width.div_ceil(TILE));
        let mut out = Vec::with_capacity(rect.area());
        for y in rect.y..rect.y + rect.height {
            let mut x = rect.x;
            while u32::from(x) < rect.right() {
                let tile = &self.tiles[usize::from(y / TILE) * columns + usize::from(x / TILE)];
                let inside = x % TILE;
                let left = u16::try_from(rect.right() - u32::from(x)).unwrap_or(u16::MAX);
                let run = (tile.size().width - inside).min(left);
                out.extend_from_slice(tile.row(y % TILE, inside, run));
                x += run;
            }
        }
        Ok(out)
    }
}

/// Cuts a picture into tiles (see [`super::Frame::from_bgrx`]), sharing those that are equal in `known`, the
/// tiles of another picture of this size.
///
/// # Panics
/// If `size` is empty or `bgrx` is shorter than `size` and `stride` say.
pub fn cut(size: Size, bgrx: &[u8], stride: usize, known: Option<&[Arc<Tile>]>) -> Tiles {
    assert!(!size.is_empty(), "a frame has pixels");
    let row_bytes = usize::from(size.width) * 4;
    assert!(
        stride >= row_bytes && bgrx.len() >= stride * usize::from(size.height - 1) + row_bytes,
        "a frame's pixels fill it"
    );
    let tiles = (0..tile_count(size)).map(|index| {
        let rect = tile_rect(size, index);
        let row = |y: u16| {
            let start = usize::from(rect.y + y) * stride + usize::from(rect.x) * 4;
            &bgrx[start..start + usize::from(rect.width) * 4]
        };
        let old = known.and_then(|known| known.get(index));
        if let Some(old) = old.filter(|old| old.size() == rect.size())
            && old.pixels().is_some()
            && (0..rect.height).all(|y| same_pixels(old.row(y, 0, rect.width), row(y)))
        {
            return Arc::clone(old);
        }
        let mut pixels = Vec::with_capacity(rect.area());
        for y in 0..rect.height {
            pixels.extend(row(y).as_chunks::<4>().0.iter().map(pixel));
        }
        Arc::new(Tile::of_pixels(rect.size(), pixels.into_boxed_slice()))
    });
    Tiles {
        size,
        tiles: tiles.collect(),
    }
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
    use super::super::{Frame, FrameSeq};
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
        Frame::from_bgrx(FrameSeq(1), size, bgrx, stride, previous)
    }

    #[test]
    fn equal_tiles_are_shared_and_changed_ones_are_not() {
        let size = Size::new(150, 70);
        let mut bytes = picture(size, |x, y| u32::from(x) << 8 | u32::from(y));
        let first = frame(size, &bytes, None);
        let tiles = first.tiles().expect("pixels");
        assert_eq!(tiles.len(), 6);
        let again = frame(size, &bytes, Some(&first));
        assert!(again.same_picture(&first));

        bytes[(65 * 150 + 149) * 4] ^= 1;
        let changed = frame(size, &bytes, Some(&first));
        assert!(!changed.same_picture(&first));
        let changed = changed.tiles().expect("pixels");
        let shared: Vec<bool> = tiles
            .iter()
            .zip(changed)
            .map(|(a, b)| Arc::ptr_eq(a, b))
            .collect();
        assert_eq!(shared, [true, true, true, true, true, false]);
        let mut boxes = Vec::new();
        tiles[5].changes(&changed[5], |rect| boxes.push(rect));
        assert_eq!(boxes, [Rect::new(21, 1, 1, 1)]);
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
        assert_eq!(frame.pixels(rect), Ok(expected));
    }
}
