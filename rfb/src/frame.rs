//! A frame is a vector of immutable tiles.
//!
//! The next frame shares every tile that did not change, so "did this tile change?" is a pointer
//! comparison, whoever asks and however many frames were skipped in between.
//!
//! What a frame is made of hides behind [`Picture`]: pixels, or a JPEG that nobody needs to decode. Tiles
//! and pixels are made when they are first asked for; a frame that nobody looks at costs nothing.

pub mod fit;
pub mod moves;
pub mod overlay;
mod pixels;
mod tile;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use crate::geom::{Point, Rect, Size};

pub use pixels::{Tiles, cut};
pub use tile::{TILE, Tile, UNKNOWN, edge_class, tile_count, tile_rect};

/// A pixel as `0x00RRGGBB`. The top byte is always zero, so equal pixels are equal numbers.
pub type Pixel = u32;

/// Mask that drops the unused top byte of a captured pixel.
pub const RGB: Pixel = 0x00ff_ffff;

/// Number of a frame; grows by one with every picture that differs from the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrameSeq(pub u64);

impl FrameSeq {
    /// Numbers from here on are those of pictures that one client alone is shown.
    const PRIVATE: u64 = 1 << 63;

    /// A number that no other frame has, for a picture that one client alone is shown.
    pub fn private() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(FrameSeq::PRIVATE);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// Whether one client alone is shown this frame, so that nobody else can use what is made of it.
    pub fn is_private(self) -> bool {
        self.0 >= Self::PRIVATE
    }
}

/// A picture turned out to be damaged when somebody looked into it; there is nothing to show of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Damaged(pub String);

/// What a frame is made of.
pub trait Picture: Send + Sync {
    /// Never empty.
    fn size(&self) -> Size;

    /// The tiles row by row, from the top left, shared with earlier pictures where they are equal.
    fn tiles(&self) -> Result<&[Arc<Tile>], Damaged>;

    /// The pixels of `rect`, which lies in the picture, rows top to bottom without padding.
    fn pixels(&self, rect: Rect) -> Result<Vec<Pixel>, Damaged>;

    /// The picture as the JPEG that it came as, if it did and clients can read it.
    fn compressed(&self) -> Option<&dyn Compressed> {
        None
    }

    /// How far outside its edges a cell of the tiles can be seen, in pixels.
    fn bleed(&self) -> Size {
        self.compressed().map_or(Size::default(), Compressed::bleed)
    }
}

/// A picture that came as a baseline JPEG, of which parts can be had as JPEGs of their own without decoding.
pub trait Compressed: Send + Sync {
    /// The whole picture with every table it needs, from SOI to EOI.
    fn whole(&self) -> &Bytes;

    /// Width and height of an MCU in pixels: parts are made of whole ones.
    fn mcu(&self) -> Size;

    /// How far outside its edges an MCU can be seen, in pixels: decoders smooth chroma that has fewer samples
    /// than pixels.
    fn bleed(&self) -> Size;

    /// How many bytes the coded data of `rect` takes, headers and tables not counted. Bounds that lie inside an
    /// MCU are moved outwards.
    fn weight(&self, rect: Rect) -> Result<usize, Damaged>;

    /// Appends a complete JPEG of `rect`, whose bounds are bounds of MCUs or of the picture.
    fn splice(&self, rect: Rect, out: &mut Vec<u8>) -> Result<(), Damaged>;
}

/// One picture of the target's screen. Cloning is one reference count.
#[derive(Clone)]
pub struct Frame {
    seq: FrameSeq,
    picture: Arc<dyn Picture>,
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frame({}, {})", self.seq.0, self.size())
    }
}

impl Frame {
    pub fn new(seq: FrameSeq, picture: Arc<dyn Picture>) -> Frame {
        Frame { seq, picture }
    }

    /// Cuts a picture into tiles, sharing those that are equal in `previous`.
    ///
    /// `bgrx` holds rows top to bottom, 4 bytes a pixel in the order blue, green, red, unused, and
    /// `stride` bytes from one row to the next.
    ///
    /// # Panics
    /// If `size` is empty or `bgrx` is shorter than `size` and `stride` say.
    pub fn from_bgrx(
        seq: FrameSeq,
        size: Size,
        bgrx: &[u8],
        stride: usize,
        previous: Option<&Frame>,
    ) -> Frame {
        let previous = previous.filter(|p| p.size() == size);
        let known = previous.and_then(|p| p.tiles().ok());
        Frame::new(seq, Arc::new(cut(size, bgrx, stride, known)))
    }

    /// A frame of one colour.
    pub fn solid(seq: FrameSeq, size: Size, colour: Pixel) -> Frame {
        let bgrx: Vec<u8> = std::iter::repeat_n((colour & RGB).to_le_bytes(), size.area())
            .flatten()
            .collect();
        Frame::from_bgrx(seq, size, &bgrx, usize::from(size.width) * 4, None)
    }

    pub fn seq(&self) -> FrameSeq {
        self.seq
    }

    /// The same picture under another number, for who joins frames of several origins.
    pub fn with_seq(self, seq: FrameSeq) -> Frame {
        Frame { seq, ..self }
    }

    pub fn size(&self) -> Size {
        self.picture.size()
    }

    /// The tiles row by row, from the top left.
    pub fn tiles(&self) -> Result<&[Arc<Tile>], Damaged> {
        self.picture.tiles()
    }

    /// The dongle's own JPEG of this picture, if it sent one.
    pub fn compressed(&self) -> Option<&dyn Compressed> {
        self.picture.compressed()
    }

    /// How far outside its edges a cell of the tiles can be seen, in pixels.
    pub fn bleed(&self) -> Size {
        self.picture.bleed()
    }

    /// Whether both show the same picture, as far as shared tiles tell.
    pub fn same_picture(&self, other: &Frame) -> bool {
        if self.size() != other.size() {
            return false;
        }
        if Arc::ptr_eq(&self.picture, &other.picture) {
            return true;
        }
        match (self.tiles(), other.tiles()) {
            (Ok(a), Ok(b)) => a.iter().zip(b).all(|(a, b)| Arc::ptr_eq(a, b)),
            _ => false,
        }
    }

    /// Where tile `index` lies in the frame.
    pub fn tile_rect(&self, index: usize) -> Rect {
        tile_rect(self.size(), index)
    }

    /// The id of the cell at this point, if the frame is made of cells.
    pub fn id_at(&self, point: Point) -> Option<u64> {
        let columns = usize::from(self.size().width.div_ceil(TILE));
        let index = usize::from(point.y / TILE) * columns + usize::from(point.x / TILE);
        self.tiles()
            .ok()?
            .get(index)?
            .id_at(Point::new(point.x % TILE, point.y % TILE))
    }

    /// The pixels of `rect`, rows top to bottom without padding.
    ///
    /// # Panics
    /// If `rect` is not inside the frame.
    pub fn pixels(&self, rect: Rect) -> Result<Vec<Pixel>, Damaged> {
        assert!(
            self.size().rect().contains(rect),
            "{rect:?} lies in the frame"
        );
        self.picture.pixels(rect)
    }
}
