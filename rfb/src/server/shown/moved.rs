//! A part of a client's screen moved up or down, as CopyRect does it.

use std::ops::Range;
use std::sync::Arc;

use super::super::Millis;
use super::super::view::{Means, overlapping};
use super::Shown;
use crate::frame::moves::{Grid, Move};
use crate::frame::{TILE, Tile, UNKNOWN, edge_class, tile_rect};
use crate::geom::{Point, Rect, Size};

/// Moves in `shown` what `found` says, in cells of size `unit`. `before` holds the ids of `shown`, `after` those of
/// the tiles `new`. Gives the area in pixels and where its top left corner came from.
#[expect(
    clippy::too_many_arguments,
    reason = "both pictures, as tiles and as ids, and the way between them"
)]
pub(in super::super) fn apply(
    size: Size,
    unit: Size,
    before: &Grid,
    after: &Grid,
    found: &Move,
    shown: &mut [Option<Shown>],
    new: &[Arc<Tile>],
    means: Means,
) -> Option<(Rect, Point)> {
    // A row of cells that hangs over the lower edge is not all there to be copied.
    let last = usize::from(size.height / unit.height);
    let end = found
        .rows
        .end
        .min(last.checked_sub(usize::try_from(found.down).unwrap_or(0))?);
    let found = &Move {
        rows: found.rows.start..end,
        ..found.clone()
    };
    let edge = |cells: usize, side: u16| u32::try_from(cells).map(|cells| cells * u32::from(side));
    let to = Rect::from_edges(
        edge(found.columns.start, unit.width).ok()?,
        edge(found.rows.start, unit.height).ok()?,
        edge(found.columns.end, unit.width).ok()?,
        edge(found.rows.end, unit.height).ok()?,
    )
    .intersection(size.rect());
    let down = i32::try_from(found.down).ok()? * i32::from(unit.height);
    let from = Point::new(to.x, u16::try_from(i32::from(to.y) + down).ok()?);
    if to.is_empty() {
        return None;
    }
    // Where loss was moved to is not looked for; that there is some is enough.
    let is_lossy = shown.iter().flatten().any(|shown| !shown.lossy.is_empty());
    let lossy_since = is_lossy.then_some(means.now);
    let moved: Vec<(usize, Option<Shown>)> = overlapping(size, with_seams(to, unit, means.bleed))
        .map(|(index, part)| {
            let tile = match new[index].cells() {
                // Of another kind than what moved: to be sent anew.
                _ if new[index].unit() != unit => None,
                Some(_) => cells(size, unit, index, before, after, found, means),
                None => pixels(size, index, part, down, shown),
            };
            let lossy_since = lossy_since.filter(|_| shown[index].is_some());
            (
                index,
                tile.map(|tile| settle(tile, &new[index], lossy_since)),
            )
        })
        .collect();
    for (index, tile) in moved {
        shown[index] = tile;
    }
    Some((to, from))
}

/// A moved tile as it is shown; the frame's own if it looks like that.
fn settle(tile: Tile, new: &Arc<Tile>, lossy_since: Option<Millis>) -> Shown {
    let tile = if tile == **new {
        Arc::clone(new)
    } else {
        Arc::new(tile)
    };
    let mut moved = Shown::all_of(&tile);
    if let Some(since) = lossy_since {
        moved.lossy = tile.size().rect();
        moved.since = since;
    }
    moved
}

/// Tile `index` after the move, made of cells.
fn cells(
    size: Size,
    unit: Size,
    index: usize,
    before: &Grid,
    after: &Grid,
    found: &Move,
    means: Means,
) -> Option<Tile> {
    let place = tile_rect(size, index);
    let columns = span(place.x, place.width, unit.width);
    let rows = span(place.y, place.height, unit.height);
    let mut ids = Vec::with_capacity(columns.len() * rows.len());
    for row in rows {
        for column in columns.clone() {
            let inside = found.has(row, column);
            let from = match inside {
                true => row.checked_add_signed(found.down)?,
                false => row,
            };
            ids.push(
                match shows_seam(before, after, found, row, column, means.bleed) {
                    true => UNKNOWN,
                    false => before.ids[from * before.columns + column],
                },
            );
        }
    }
    Some(Tile::of_cells(place.size(), unit, ids.into_boxed_slice()))
}

/// Whether a cell beside the border of what moved may look different at that edge than it does when decoded with its
/// new neighbours: it was decoded with others.
fn shows_seam(
    before: &Grid,
    after: &Grid,
    found: &Move,
    row: usize,
    column: usize,
    bleed: Size,
) -> bool {
    let reach = |bleed: u16| if bleed > 0 { -1..=1 } else { 0..=0 };
    let inside = found.has(row, column);
    let own = edge_class(after.ids[row * after.columns + column]);
    let is_calm = |id: Option<u64>| id.is_none_or(|id| own != 0 && edge_class(id) == own);
    let moved_by = |inside: bool| if inside { found.down } else { 0 };
    let differs = |down: isize, right: isize| {
        let place = row
            .checked_add_signed(down)
            .zip(column.checked_add_signed(right));
        let is_moved = place.is_some_and(|(row, column)| found.has(row, column));
        let now = after.id_beside(row, column, (down, right));
        let there = before.id_beside(row, column, (down + moved_by(is_moved), right));
        let decoded_with = before.id_beside(row, column, (down + moved_by(inside), right));
        // A neighbour that is not right will be sent, and this edge with it.
        is_moved != inside
            && there == now
            && decoded_with != now
            && !(is_calm(now) && is_calm(decoded_with))
    };
    reach(bleed.height).any(|down| reach(bleed.width).any(|right| differs(down, right)))
}

/// What moved, with the cells around it where those can be seen across their edges.
fn with_seams(to: Rect, unit: Size, bleed: Size) -> Rect {
    let reach = |unit: u16, bleed: u16| u32::from(if bleed > 0 { unit } else { 0 });
    let (x, y) = (
        reach(unit.width, bleed.width),
        reach(unit.height, bleed.height),
    );
    Rect::from_edges(
        u32::from(to.x).saturating_sub(x),
        u32::from(to.y).saturating_sub(y),
        to.right() + x,
        to.bottom() + y,
    )
}

fn span(start: u16, length: u16, unit: u16) -> Range<usize> {
    usize::from(start / unit)..usize::from((start + length).div_ceil(unit))
}

/// Tile `index` after the move, made of pixels; `part` of it (tile coordinates) comes from `down` rows further down.
fn pixels(
    size: Size,
    index: usize,
    part: Rect,
    down: i32,
    shown: &[Option<Shown>],
) -> Option<Tile> {
    let place = tile_rect(size, index);
    let tiles_in_row = usize::from(size.width.div_ceil(TILE));
    let own = shown[index].as_ref()?.whole()?;
    own.pixels()?;
    let mut pixels = Vec::with_capacity(own.size().area());
    for y in 0..place.height {
        let inside = part.y <= y && u32::from(y) < part.bottom();
        if !inside {
            pixels.extend_from_slice(own.row(y, 0, place.width));
            continue;
        }
        let from = u16::try_from(i32::from(place.y + y) + down).ok()?;
        let above = usize::from(from / TILE) * tiles_in_row + index % tiles_in_row;
        let source = shown.get(above)?.as_ref()?.whole()?;
        source.pixels()?;
        pixels.extend_from_slice(source.row(from % TILE, 0, place.width));
    }
    Some(Tile::of_pixels(place.size(), pixels.into_boxed_slice()))
}
