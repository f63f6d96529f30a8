//! Something of ours laid over a picture, for one client alone.

use std::sync::{Arc, OnceLock};

use super::{Damaged, Frame, FrameSeq, Picture, Pixel, Tile};
use crate::geom::{Rect, Size};

/// What is laid over a picture. It hides what is below it.
pub trait Patch: Send + Sync {
    /// Where it lies; what hangs over the picture is cut off.
    fn place(&self) -> Rect;

    /// Its pixels, rows top to bottom without padding; asked for where pictures are encoded, so they may take time.
    fn pixels(&self) -> &[Pixel];
}

/// `base` with `patch` over it, under a number of its own (see [`FrameSeq::private`]).
///
/// Only the tiles below the patch are not those of `base`: they hold pixels, whatever the others are made of. There is
/// no JPEG of such a picture. Nothing is drawn or decoded before somebody asks for tiles or pixels.
pub fn over(base: &Frame, patch: Arc<dyn Patch>) -> Frame {
    let picture = Overlaid {
        base: base.clone(),
        patch,
        tiles: OnceLock::new(),
    };
    Frame::new(FrameSeq::private(), Arc::new(picture))
}

struct Overlaid {
    base: Frame,
    patch: Arc<dyn Patch>,
    tiles: OnceLock<Result<Vec<Arc<Tile>>, Damaged>>,
}

impl Picture for Overlaid {
    fn size(&self) -> Size {
        self.base.size()
    }

    fn tiles(&self) -> Result<&[Arc<Tile>], Damaged> {
        let tiles = self.tiles.get_or_init(|| {
            let place = self.patch.place();
            let tile = |(index, tile): (usize, &Arc<Tile>)| {
                let rect = self.base.tile_rect(index);
                if rect.intersection(place).is_empty() {
                    return Ok(Arc::clone(tile));
                }
                let pixels = self.pixels(rect)?.into_boxed_slice();
                Ok(Arc::new(Tile::of_pixels(rect.size(), pixels)))
            };
            self.base.tiles()?.iter().enumerate().map(tile).collect()
        });
        tiles.as_deref().map_err(Clone::clone)
    }

    fn pixels(&self, rect: Rect) -> Result<Vec<Pixel>, Damaged> {
        let mut pixels = self.base.pixels(rect)?;
        let place = self.patch.place();
        let covered = rect.intersection(place);
        let from = self.patch.pixels();
        let length = usize::from(covered.width);
        for y in covered.y..covered.y + covered.height {
            let to = offset(rect, covered.x, y);
            let at = offset(place, covered.x, y);
            pixels[to..to + length].copy_from_slice(&from[at..at + length]);
        }
        Ok(pixels)
    }

    fn bleed(&self) -> Size {
        self.base.bleed()
    }
}

/// Where a point lies among the pixels of `rect`.
fn offset(rect: Rect, x: u16, y: u16) -> usize {
    usize::from(y - rect.y) * usize::from(rect.width) + usize::from(x - rect.x)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size::new(200, 130);

    struct Square(Rect, Vec<Pixel>);

    impl Patch for Square {
        fn place(&self) -> Rect {
            self.0
        }

        fn pixels(&self) -> &[Pixel] {
            &self.1
        }
    }

    fn square(rect: Rect) -> Arc<Square> {
        let pixels = (0..rect.area()).map(|i| 0x10_0000 + i as Pixel);
        Arc::new(Square(rect, pixels.collect()))
    }

    #[test]
    fn only_what_is_covered_is_another_picture() {
        let base = Frame::solid(FrameSeq(1), SIZE, 0x0000ff);
        // Two tiles in a row, and the last pixels hang over the lower edge.
        let place = Rect::new(120, 100, 20, 40);
        let shown = over(&base, square(place));
        assert!(shown.seq().is_private() && !base.seq().is_private());
        let (old, new) = (base.tiles().expect("tiles"), shown.tiles().expect("tiles"));
        let differ: Vec<usize> = (0..old.len())
            .filter(|index| !Arc::ptr_eq(&old[*index], &new[*index]))
            .collect();
        assert_eq!(differ, [5, 6, 9, 10]);
        let all = shown.pixels(SIZE.rect()).expect("pixels");
        for y in 0..SIZE.height {
            for x in 0..SIZE.width {
                let expected = match (120..140).contains(&x) && y >= 100 {
                    true => 0x10_0000 + u32::from(y - 100) * 20 + u32::from(x - 120),
                    false => 0x0000ff,
                };
                assert_eq!(all[usize::from(y) * 200 + usize::from(x)], expected);
                let tile = usize::from(y / 64) * 4 + usize::from(x / 64);
                assert_eq!(new[tile].row(y % 64, x % 64, 1), [expected], "{x}, {y}");
            }
        }
    }

    #[test]
    fn two_pictures_never_have_the_same_number() {
        let base = Frame::solid(FrameSeq(1), SIZE, 0);
        let patch = square(Rect::new(0, 0, 1, 1));
        let numbers = [(); 2].map(|()| over(&base, patch.clone()).seq());
        assert_ne!(numbers[0], numbers[1]);
    }
}
