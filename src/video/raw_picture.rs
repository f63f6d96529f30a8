//! Uncompressed pictures as frames: only the tiles that changed are converted.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use rfb::{
    frame::{Damaged, Picture, Pixel, RGB, Tile, Tiles, tile_count, tile_rect},
    geom::{Rect, Size},
};

use super::{BadPicture, Captured, Colour, Layout, raw::Raw, tolerance};

/// One captured picture. Its tiles are made when they are first asked for.
pub(super) struct RawPicture {
    shape: Shape,
    bytes: Bytes,
    shown: Arc<Shown>,
    tiles: OnceLock<Result<Tiles, Damaged>>,
}

/// What else must be equal for equal bytes to be an equal picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    layout: Layout,
    size: Size,
    stride: usize,
    colour: Colour,
}

impl From<&Captured<'_>> for Shape {
    fn from(captured: &Captured<'_>) -> Self {
        Self {
            layout: captured.layout,
            size: captured.size,
            stride: captured.stride,
            colour: captured.colour,
        }
    }
}

/// The tiles of the picture looked at last, with the samples that each was made from. A tile stays, and its samples
/// with it, until a sample differs by more than the tolerance: what is shown is never further from the truth.
#[derive(Default)]
pub(super) struct Shown {
    tolerance: u8,
    last: Mutex<Option<Last>>,
}

struct Last {
    layout: Layout,
    size: Size,
    colour: Colour,
    tiles: Vec<(Box<[u8]>, Arc<Tile>)>,
}

impl Shown {
    pub(super) fn new(tolerance: u8) -> Self {
        Self {
            tolerance,
            last: Mutex::default(),
        }
    }
}

impl RawPicture {
    /// Checks that `bytes`, which are those of `captured`, are a whole picture.
    pub(super) fn new(
        captured: &Captured<'_>,
        bytes: Bytes,
        shown: Arc<Shown>,
    ) -> Result<Self, BadPicture> {
        Raw::new(captured)?;
        Ok(Self {
            shape: captured.into(),
            bytes,
            shown,
            tiles: OnceLock::new(),
        })
    }

    fn all(&self) -> Result<&Tiles, Damaged> {
        self.tiles
            .get_or_init(|| self.convert().map_err(|reason| Damaged(reason.to_string())))
            .as_ref()
            .map_err(Damaged::clone)
    }

    fn convert(&self) -> Result<Tiles, BadPicture> {
        let Shape {
            layout,
            size,
            stride,
            colour,
        } = self.shape;
        let raw = Raw::new(&Captured {
            layout,
            size,
            stride,
            colour,
            bytes: &self.bytes,
        })?;
        let mut last = self
            .shown
            .last
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut known = last
            .take()
            .filter(|last| (last.layout, last.size, last.colour) == (layout, size, colour))
            .map_or_else(Vec::new, |last| last.tiles);
        for index in 0..tile_count(size) {
            let place = tile_rect(size, index);
            match known.get_mut(index) {
                Some((samples, _)) if self.is_same(&raw, place, samples) => {}
                Some(changed) => *changed = tile(&raw, place)?,
                None => known.push(tile(&raw, place)?),
            }
        }
        let tiles = known.iter().map(|(_, tile)| Arc::clone(tile)).collect();
        *last = Some(Last {
            layout,
            size,
            colour,
            tiles: known,
        });
        Ok(Tiles::new(size, tiles))
    }

    /// Whether what is in `place` is near enough to these samples.
    fn is_same(&self, raw: &Raw<'_>, place: Rect, samples: &[u8]) -> bool {
        let mut rest = samples;
        raw.rows(place).all(|row| {
            let (old, below) = rest.split_at(row.len().min(rest.len()));
            rest = below;
            match self.shape.layout {
                // The fourth byte is anything.
                Layout::Bgrx => {
                    let pixels = |bytes| <[u8]>::as_chunks::<4>(bytes).0;
                    (pixels(old).iter().zip(pixels(row)))
                        .all(|(a, b)| tolerance::within(self.shown.tolerance, &a[..3], &b[..3]))
                }
                _ => tolerance::within(self.shown.tolerance, old, row),
            }
        })
    }
}

/// The samples in `place`, and the tile made from them.
fn tile(raw: &Raw<'_>, place: Rect) -> Result<(Box<[u8]>, Arc<Tile>), BadPicture> {
    let mut samples = Vec::new();
    for row in raw.rows(place) {
        samples.extend_from_slice(row);
    }
    let part = raw.part(place, &samples);
    let mut bgrx = vec![0; place.area() * 4];
    let bgrx = match raw.layout() {
        Layout::Bgrx => &samples,
        _ => {
            part.convert(&mut bgrx)?;
            &bgrx
        }
    };
    let pixel = |bytes: &[u8; 4]| Pixel::from_le_bytes(*bytes) & RGB;
    let pixels = bgrx.as_chunks::<4>().0.iter().map(pixel).collect();
    let tile = Arc::new(Tile::of_pixels(place.size(), pixels));
    Ok((samples.into_boxed_slice(), tile))
}

impl Picture for RawPicture {
    fn size(&self) -> Size {
        self.shape.size
    }

    fn tiles(&self) -> Result<&[Arc<Tile>], Damaged> {
        self.all()?.tiles()
    }

    fn pixels(&self, rect: Rect) -> Result<Vec<Pixel>, Damaged> {
        self.all()?.pixels(rect)
    }
}
