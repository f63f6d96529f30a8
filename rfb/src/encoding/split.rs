//! How a changed rectangle is cut before it is encoded.

use super::Encoding;
use crate::geom::{Rect, Size};

/// RRE: one background for each piece, and a bound to the search for subrectangles.
pub(super) const RRE: Size = Size::new(64, 64);

/// Tight and TightPNG: 2048 is the protocol's bound, and so much data always fits into the 4194303
/// bytes that a compact length can say.
pub(super) const TIGHT: Size = Size::new(2048, 256);

/// The pieces that Tight and TightPNG are cut into: small enough for palettes to be local, for text and
/// pictures to be coded each in its way, for all cores to have work, and for a JPEG to be below
/// the 65536 pixels that 16-bit clients take. (Measured on recorded screens: 128×128 and less costs
/// up to 20 % more bytes; 256×256 and more saves 3 % on full motion but mixes what stands on a page.)
const TIGHT_PIECE: Size = Size::new(256, 128);

/// Plain JPEG: as wide as the clients of Tight take, high enough for any screen.
pub(super) const JPEG: Size = Size::new(2048, u16::MAX);

/// Cuts `rect` into pieces that [`super::encode`] takes, row by row from the top left.
///
/// Raw, Hextile, Zlib, TRLE and ZRLE stay whole: their tiles, if any, are inside the rectangle. The
/// others are cut along a grid that is fixed to the framebuffer, so that the same content is cut in the same
/// way however much around it changed.
pub fn split(encoding: Encoding, rect: Rect) -> Vec<Rect> {
    if rect.is_empty() {
        return Vec::new();
    }
    match encoding {
        Encoding::Raw | Encoding::Hextile | Encoding::Zlib | Encoding::Trle | Encoding::Zrle => {
            vec![rect]
        }
        Encoding::Rre => on_grid(rect, RRE),
        Encoding::Tight | Encoding::TightPng => on_grid(rect, TIGHT_PIECE),
        // Each piece has its own tables, so few of them; bands give all cores work.
        Encoding::Jpeg if rect.width <= JPEG.width => on_grid(rect, Size::new(u16::MAX, 256)),
        Encoding::Jpeg => on_grid(rect, Size::new(1024, 256)),
    }
}

/// Cuts along the multiples of `step`.
fn on_grid(rect: Rect, step: Size) -> Vec<Rect> {
    let mut pieces = Vec::new();
    for (top, bottom) in cuts(u32::from(rect.y), rect.bottom(), u32::from(step.height)) {
        for (left, right) in cuts(u32::from(rect.x), rect.right(), u32::from(step.width)) {
            pieces.push(Rect::from_edges(left, top, right, bottom));
        }
    }
    pieces
}

/// The half-open range `from..to` in pieces that end at multiples of `step`.
fn cuts(from: u32, to: u32, step: u32) -> impl Iterator<Item = (u32, u32)> {
    let ends = (from / step + 1..).map(move |i| i * step);
    let mut start = from;
    ends.map(move |end| {
        let piece = (start, end.min(to));
        start = piece.1;
        piece
    })
    .take_while(|(start, end)| start < end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_cover_the_rectangle_once_in_order() {
        for encoding in Encoding::ALL {
            for rect in [
                Size::new(1920, 1080).rect(),
                Size::new(4096, 2160).rect(),
                Rect::new(63, 65, 1, 1),
                Rect::new(250, 511, 600, 3),
                Rect::new(65000, 65000, 535, 535),
                Rect::new(0, 0, 65535, 1),
            ] {
                let pieces = split(encoding, rect);
                let largest = encoding.largest();
                let area: usize = pieces.iter().map(|p| p.area()).sum();
                assert_eq!(area, rect.area());
                for (i, piece) in pieces.iter().enumerate() {
                    assert!(rect.contains(*piece));
                    assert!(piece.width <= largest.width && piece.height <= largest.height);
                    for other in &pieces[i + 1..] {
                        assert_eq!(piece.intersection(*other), Rect::EMPTY);
                        assert!((piece.y, piece.x) < (other.y, other.x));
                    }
                }
                assert_eq!((pieces[0].x, pieces[0].y), (rect.x, rect.y));
            }
            assert_eq!(split(encoding, Rect::EMPTY), []);
        }
    }

    #[test]
    fn raw_stays_whole() {
        let rect = Size::new(3840, 2160).rect();
        assert_eq!(split(Encoding::Raw, rect), [rect]);
    }
}
