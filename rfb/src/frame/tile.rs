//! Tiles, and what differs between two of them.

use std::fmt;
use std::ops::Range;
use std::sync::OnceLock;

use super::Pixel;
use crate::geom::{Point, Rect, Size};

/// Side of a tile in pixels; tiles at the right and bottom edge are smaller.
pub const TILE: u16 = 64;

/// Side of the squares in which changed pixels are looked for: small enough that two words typed in one tile
/// are two boxes.
const SQUARE: u16 = 16;

/// An immutable piece of a frame, at most [`TILE`] × [`TILE`] pixels.
pub struct Tile {
    size: Size,
    content: Content,
    /// One number for each row of pixels; see [`Tile::unit_ids`].
    row_ids: OnceLock<Box<[u64]>>,
}

enum Content {
    /// Rows top to bottom without padding.
    Pixels(Box<[Pixel]>),
    /// A grid of cells, row by row; those at the right and bottom edge may hang over it.
    Cells { cell: Size, ids: Box<[u64]> },
}

/// The id of a cell of which nothing is known; it equals no other, not even itself.
pub const UNKNOWN: u64 = 0;

/// The lower 16 bits of a cell's id: neighbours of the same class, other than 0, look the same beside each other as
/// they do alone. (Chroma that has fewer samples than pixels is smoothed across the edges of MCUs by most decoders.)
pub const fn edge_class(id: u64) -> u16 {
    id as u16
}

impl PartialEq for Tile {
    fn eq(&self, other: &Self) -> bool {
        self.size == other.size
            && match (&self.content, &other.content) {
                (Content::Pixels(a), Content::Pixels(b)) => a == b,
                (
                    Content::Cells { cell: a, ids },
                    Content::Cells {
                        cell: b,
                        ids: other,
                    },
                ) => a == b && ids == other && !ids.contains(&UNKNOWN),
                _ => false,
            }
    }
}

impl fmt::Debug for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tile({})", self.size)
    }
}

impl Tile {
    /// A tile that is its pixels, rows top to bottom without padding.
    ///
    /// # Panics
    /// If `pixels` is not exactly `size` large.
    pub fn of_pixels(size: Size, pixels: Box<[Pixel]>) -> Self {
        assert_eq!(pixels.len(), size.area(), "a tile's pixels fill it");
        Self::with(size, Content::Pixels(pixels))
    }

    /// A tile of which only ids are known: one for each cell of `cell` pixels, row by row. Cells with the same id
    /// look the same; [`UNKNOWN`] is the id of none.
    ///
    /// # Panics
    /// If `ids` does not cover `size`, or a tile is no whole number of cells.
    pub fn of_cells(size: Size, cell: Size, ids: Box<[u64]>) -> Self {
        assert!(
            !cell.is_empty() && TILE.is_multiple_of(cell.width) && TILE.is_multiple_of(cell.height),
            "cells fill tiles"
        );
        let columns = usize::from(size.width.div_ceil(cell.width));
        let rows = usize::from(size.height.div_ceil(cell.height));
        assert_eq!(ids.len(), columns * rows, "a tile's cells fill it");
        Self::with(size, Content::Cells { cell, ids })
    }

    fn with(size: Size, content: Content) -> Self {
        Self {
            size,
            content,
            row_ids: OnceLock::new(),
        }
    }

    pub fn size(&self) -> Size {
        self.size
    }

    /// The pixels, rows top to bottom without padding, if the tile holds any.
    pub fn pixels(&self) -> Option<&[Pixel]> {
        match &self.content {
            Content::Pixels(pixels) => Some(pixels),
            Content::Cells { .. } => None,
        }
    }

    /// The size of a cell and the cells' ids, row by row, if the tile is made of cells.
    pub fn cells(&self) -> Option<(Size, &[u64])> {
        match &self.content {
            Content::Pixels(_) => None,
            Content::Cells { cell, ids } => Some((*cell, ids)),
        }
    }

    /// The id of the cell at this point (tile coordinates), if the tile is made of cells.
    pub fn id_at(&self, point: Point) -> Option<u64> {
        let (cell, ids) = self.cells()?;
        let columns = usize::from(self.size.width.div_ceil(cell.width));
        ids.get(usize::from(point.y / cell.height) * columns + usize::from(point.x / cell.width))
            .copied()
    }

    /// The pixels `[x, x + width)` of row `y`; none if the tile holds none.
    pub fn row(&self, y: u16, x: u16, width: u16) -> &[Pixel] {
        let start = usize::from(y) * usize::from(self.size.width) + usize::from(x);
        self.pixels()
            .map_or(&[], |pixels| &pixels[start..start + usize::from(width)])
    }

    /// The largest piece that has an id: a cell, or a row of pixels as wide as a tile.
    pub fn unit(&self) -> Size {
        match &self.content {
            Content::Pixels(_) => Size::new(TILE, 1),
            Content::Cells { cell, .. } => *cell,
        }
    }

    /// The ids of all units, row by row; those of pixels are made when they are first asked for.
    pub fn unit_ids(&self) -> &[u64] {
        match &self.content {
            Content::Cells { ids, .. } => ids,
            Content::Pixels(pixels) => self.row_ids.get_or_init(|| {
                let width = usize::from(self.size.width);
                pixels.chunks(width).map(row_id).collect()
            }),
        }
    }

    /// This tile with what lies in `rect` (tile coordinates) taken from `other`. A cell that lies in `rect` only in
    /// part is unknown then.
    ///
    /// # Panics
    /// If the tiles are not alike (see [`Tile::is_like`]).
    pub fn patched(&self, other: &Tile, rect: Rect) -> Tile {
        assert!(self.is_like(other), "tiles of one kind");
        let content = match (&self.content, &other.content) {
            (Content::Pixels(own), Content::Pixels(_)) => {
                let mut pixels = own.clone();
                let stride = usize::from(self.size.width);
                for y in rect.y..rect.y + rect.height {
                    let start = usize::from(y) * stride + usize::from(rect.x);
                    pixels[start..start + usize::from(rect.width)]
                        .copy_from_slice(other.row(y, rect.x, rect.width));
                }
                Content::Pixels(pixels)
            }
            (Content::Cells { cell, ids: own }, Content::Cells { ids, .. }) => {
                let mut patched = own.clone();
                for (index, id) in ids.iter().enumerate() {
                    let place = self.cell_rect(*cell, index);
                    if rect.contains(place) {
                        patched[index] = *id;
                    } else if !rect.intersection(place).is_empty() {
                        patched[index] = UNKNOWN;
                    }
                }
                Content::Cells {
                    cell: *cell,
                    ids: patched,
                }
            }
            _ => unreachable!("checked above"),
        };
        Tile::with(self.size, content)
    }

    /// Whether both are made of pixels, or of cells of the same size, so that they can be compared in part.
    pub fn is_like(&self, other: &Tile) -> bool {
        let cell = |tile: &Tile| tile.cells().map(|(cell, _)| cell);
        self.size == other.size && cell(self) == cell(other)
    }

    /// Where cell `index` lies in this tile, cut at its edges.
    fn cell_rect(&self, cell: Size, index: usize) -> Rect {
        let columns = usize::from(self.size.width.div_ceil(cell.width));
        let column = index % columns;
        self.cells_rect(cell, index / columns, column..column + 1)
    }

    /// Where these cells of a row lie in this tile, cut at its edges.
    fn cells_rect(&self, cell: Size, row: usize, columns: Range<usize>) -> Rect {
        let edge = |cells: usize, side: u16| cells as u32 * u32::from(side);
        Rect::from_edges(
            edge(columns.start, cell.width),
            edge(row, cell.height),
            edge(columns.end, cell.width),
            edge(row + 1, cell.height),
        )
        .intersection(self.size.rect())
    }

    /// Gives the boxes (tile coordinates, row by row from the top left) outside which `other` looks the same: cells
    /// side by side, or of pixels, the smallest box in each square of 16 × 16.
    pub fn changes(&self, other: &Tile, mut found: impl FnMut(Rect)) {
        debug_assert_eq!(self.size, other.size);
        match (&self.content, &other.content) {
            (Content::Cells { cell: a, ids: old }, Content::Cells { cell: b, ids: new })
                if a == b =>
            {
                let columns = usize::from(self.size.width.div_ceil(a.width));
                let rows = old.chunks(columns).zip(new.chunks(columns));
                for (row, (old, new)) in rows.enumerate() {
                    let differs = |i: &usize| old[*i] != new[*i] || old[*i] == UNKNOWN;
                    let mut next = 0;
                    while let Some(first) = (next..old.len()).find(differs) {
                        next = (first..old.len())
                            .find(|i| !differs(i))
                            .unwrap_or(old.len());
                        found(self.cells_rect(*a, row, first..next));
                    }
                }
            }
            (Content::Pixels(_), Content::Pixels(_)) => {
                for top in (0..self.size.height).step_by(usize::from(SQUARE)) {
                    let height = SQUARE.min(self.size.height - top);
                    for left in (0..self.size.width).step_by(usize::from(SQUARE)) {
                        let width = SQUARE.min(self.size.width - left);
                        let changed = self.changed_in(other, Rect::new(left, top, width, height));
                        if !changed.is_empty() {
                            found(changed);
                        }
                    }
                }
            }
            (_, Content::Cells { cell, ids }) => {
                (0..ids.len()).for_each(|index| found(self.cell_rect(*cell, index)));
            }
            (Content::Cells { .. }, Content::Pixels(_)) => found(self.size.rect()),
        }
    }

    /// The smallest box in `square` around the pixels that differ.
    fn changed_in(&self, other: &Tile, square: Rect) -> Rect {
        let (mut rows, mut columns) = (0u32, 0u32);
        for y in 0..square.height {
            let old = self.row(square.y + y, square.x, square.width);
            let new = other.row(square.y + y, square.x, square.width);
            if old == new {
                continue;
            }
            rows |= 1 << y;
            for (x, (old, new)) in old.iter().zip(new).enumerate() {
                columns |= u32::from(old != new) << x;
            }
        }
        if rows == 0 {
            return Rect::EMPTY;
        }
        let (left, right) = (columns.trailing_zeros(), 32 - columns.leading_zeros());
        let (top, bottom) = (rows.trailing_zeros(), 32 - rows.leading_zeros());
        let (x, y) = (u32::from(square.x), u32::from(square.y));
        Rect::from_edges(x + left, y + top, x + right, y + bottom)
    }
}

/// Mixes a row of pixels into one number, never [`UNKNOWN`].
fn row_id(row: &[Pixel]) -> u64 {
    let mut id = 0x9e37_79b9_7f4a_7c15 ^ row.len() as u64;
    for pair in row.chunks(2) {
        let two = pair.iter().fold(0u64, |two, p| two << 32 | u64::from(*p));
        id = (id.rotate_left(23) ^ two).wrapping_mul(0xd6e8_feb8_6659_fd93);
        id ^= id >> 32;
    }
    id.max(1)
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

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size::new(64, 64);
    const CELL: Size = Size::new(16, 8);

    fn pixels(dots: &[(u16, u16)]) -> Tile {
        let mut pixels = vec![5; SIZE.area()];
        for &(x, y) in dots {
            pixels[usize::from(y) * 64 + usize::from(x)] = 6;
        }
        Tile::of_pixels(SIZE, pixels.into())
    }

    fn cells(ids: impl Fn(usize) -> u64) -> Tile {
        Tile::of_cells(SIZE, CELL, (0..32).map(ids).collect())
    }

    fn changes(old: &Tile, new: &Tile) -> Vec<Rect> {
        let mut boxes = Vec::new();
        old.changes(new, |rect| boxes.push(rect));
        boxes
    }

    #[test]
    fn changed_pixels_are_boxed_exactly_and_a_patch_repairs_them() {
        let (a, b) = (pixels(&[]), pixels(&[(3, 9), (5, 11), (40, 11), (63, 63)]));
        let boxes = changes(&a, &b);
        let expected = [
            Rect::new(3, 9, 3, 3),
            Rect::new(40, 11, 1, 1),
            Rect::new(63, 63, 1, 1),
        ];
        assert_eq!(boxes, expected);
        let repaired = boxes.iter().fold(pixels(&[]), |t, r| t.patched(&b, *r));
        assert_eq!(repaired, b);
        assert_eq!(changes(&a, &a), []);
    }

    #[test]
    fn changed_cells_are_boxes_and_half_a_cell_is_unknown() {
        let (a, b) = (
            cells(|i| i as u64 + 1),
            cells(|i| i as u64 + 1 + u64::from(i == 6) * 100),
        );
        assert_eq!(changes(&a, &b), [Rect::new(32, 8, 16, 8)]);
        let whole = a.patched(&b, Rect::new(32, 8, 16, 8));
        assert_eq!(whole, b);
        let half = a.patched(&b, Rect::new(32, 8, 8, 8));
        assert_eq!(changes(&half, &b), [Rect::new(32, 8, 16, 8)]);
        assert_ne!(half, half, "what is unknown equals nothing");
    }

    #[test]
    fn pixels_and_cells_have_nothing_in_common() {
        let (a, b) = (pixels(&[]), cells(|_| 7));
        assert_eq!(changes(&a, &b).len(), 32);
        assert_eq!(changes(&b, &a), [SIZE.rect()]);
        assert!(!a.is_like(&b) && a.is_like(&a) && b.is_like(&b));
    }

    #[test]
    fn rows_that_look_alike_have_the_same_number() {
        let tile = pixels(&[(3, 9), (4, 20)]);
        let ids = tile.unit_ids();
        assert_eq!(ids.len(), 64);
        assert_eq!(ids[0], ids[63]);
        assert!(ids[9] != ids[0] && ids[20] != ids[0] && ids[9] != ids[20]);
    }
}
