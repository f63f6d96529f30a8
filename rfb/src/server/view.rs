//! What one client has on its screen, tile by tile.
//!
//! What the client lacks is what differs from this; there is no list of damage that could be lost or
//! grow while a client is slow. A view never changes: bringing it up to a frame makes the next one, so clients that
//! have seen the same share it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Millis;
use super::motion::Motion;
use super::shown::{Shown, moved};
use crate::frame::moves::Grid;
use crate::frame::{Damaged, Frame, FrameSeq, TILE, Tile, fit, moves, tile_count, tile_rect};
use crate::geom::{Point, Rect, Size};

/// A lossy picture is sent again without loss when it has not changed for so long.
const REST: Millis = Millis(500);

/// About the height of a line of text: what moves is looked for by lines.
const LINE: u16 = 16;

/// One client's screen.
#[derive(Clone, Debug)]
pub(super) struct View {
    size: Size,
    screen: Screen,
    id: ViewId,
    /// The last frame as fitted into `size`, if it had to be.
    fitted: Option<Frame>,
    pub(super) motion: Motion,
}

#[derive(Clone, Debug)]
enum Screen {
    /// This frame and nothing else.
    Exact(Frame),
    Mixed(Vec<Option<Shown>>),
}

/// Which screens are known to look the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum ViewId {
    Unknown(Size),
    Exact(Size, FrameSeq),
    Own(u64),
}

/// What a client asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Asked {
    /// To be sent whether it changed or not.
    pub(super) full: Rect,
    /// To be sent where it changed.
    pub(super) changed: Rect,
}

/// How what changed may be told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Means {
    /// The client takes CopyRect.
    pub(super) copies: bool,
    /// How far a cell can be seen outside its edges where what is copied must look as if it had been decoded in its
    /// new place.
    pub(super) bleed: Size,
    /// So many tiles with a lossy part that has rested are wanted without loss.
    pub(super) refine: usize,
    pub(super) now: Millis,
}

/// What has to be sent to bring a view up to a frame.
#[derive(Debug, Default)]
pub(super) struct Lacks {
    /// To be done first: the area, and where its top left corner is copied from.
    pub(super) copy: Option<(Rect, Point)>,
    /// Asked for whether it changed or not.
    pub(super) full: Rect,
    /// Boxes around what changed, from left to right in rows from the top down.
    pub(super) boxes: Vec<Vec<Rect>>,
    /// Where a lossy picture has rested, row by row.
    pub(super) rested: Vec<Vec<Rect>>,
}

impl View {
    /// A screen of which nothing is known.
    pub(super) fn new(size: Size) -> Self {
        Self {
            size,
            screen: Screen::Mixed(vec![None; tile_count(size)]),
            id: ViewId::Unknown(size),
            fitted: None,
            motion: Motion::default(),
        }
    }

    pub(super) fn id(&self) -> ViewId {
        self.id
    }

    /// Whether something may differ from `frame`; cheap, and right when it says no.
    pub(super) fn may_lack(&self, frame: &Frame) -> bool {
        self.id != ViewId::Exact(self.size, frame.seq())
    }

    /// The frame that is shown, if it is nothing else.
    pub(super) fn exact(&self) -> Option<&Frame> {
        match &self.screen {
            Screen::Exact(frame) => Some(frame),
            Screen::Mixed(_) => None,
        }
    }

    /// The id of the cell that is shown at this point; `None` where none is.
    pub(super) fn id_at(&self, point: Point) -> Option<u64> {
        match &self.screen {
            Screen::Exact(frame) => frame.id_at(point),
            Screen::Mixed(shown) => {
                let columns = usize::from(self.size.width.div_ceil(TILE));
                let index = usize::from(point.y / TILE) * columns + usize::from(point.x / TILE);
                let tile = shown.get(index)?.as_ref()?.whole()?;
                tile.id_at(Point::new(point.x % TILE, point.y % TILE))
            }
        }
    }

    /// `frame` as this client sees it: itself, or letterboxed to the client's size.
    pub(super) fn fit(&mut self, frame: &Frame) -> Result<Frame, Damaged> {
        if frame.size() == self.size {
            self.fitted = None;
            return Ok(frame.clone());
        }
        match &self.fitted {
            Some(fitted) if fitted.seq() == frame.seq() => Ok(fitted.clone()),
            previous => {
                let fitted = fit::fit(frame, self.size, previous.as_ref())?;
                self.fitted = Some(fitted.clone());
                Ok(fitted)
            }
        }
    }

    /// This frame was sent as a whole and without loss.
    pub(super) fn replace(&mut self, frame: &Frame) {
        self.id = ViewId::Exact(self.size, frame.seq());
        self.screen = Screen::Exact(frame.clone());
    }

    /// Brings the view up to `frame`, which must have the view's size (see [`View::fit`]), and gives what has to be
    /// sent for that.
    pub(super) fn advance(
        &mut self,
        frame: &Frame,
        asked: Asked,
        means: Means,
    ) -> Result<Lacks, Damaged> {
        let new = frame.tiles()?;
        let mut shown = self.take_tiles();
        let mut lacks = Lacks::default();
        let mut refinable = means.refine;
        if means.copies && asked.full.is_empty() && asked.changed == self.size.rect() {
            lacks.copy = self.find_move(&mut shown, new, means);
        }
        if !asked.full.is_empty() {
            for (index, part) in overlapping(self.size, asked.full) {
                shown[index] = Some(Shown::with(shown[index].take(), &new[index], part));
            }
            lacks.full = asked.full;
        }
        for (index, part) in overlapping(self.size, asked.changed) {
            let place = tile_rect(self.size, index);
            let on_screen = |r: Rect| Rect::new(place.x + r.x, place.y + r.y, r.width, r.height);
            let old = shown[index].take();
            let next = Shown::catch_up(old, &new[index], part, means.now, |found| {
                add(&mut lacks.boxes, on_screen(found));
            });
            let next = match next {
                next if refinable > 0 && next.has_rested(means.now, REST) => {
                    refinable -= 1;
                    add(&mut lacks.rested, on_screen(next.lossy));
                    next.refined()
                }
                next => next,
            };
            shown[index] = Some(next);
        }
        lacks.boxes.retain(|row| !row.is_empty());
        lacks.rested.retain(|row| !row.is_empty());
        self.screen = Screen::Mixed(shown);
        self.name(frame);
        Ok(lacks)
    }

    /// What was sent in these rectangles is not exactly what the view says.
    pub(super) fn note_loss(&mut self, frame: &Frame, rects: &[Rect], now: Millis) {
        if rects.is_empty() {
            return;
        }
        let mut shown = self.take_tiles();
        for rect in rects {
            for (index, part) in overlapping(self.size, *rect) {
                if let Some(shown) = &mut shown[index] {
                    shown.lossy = shown.lossy.union(part);
                    shown.since = now;
                }
            }
        }
        self.screen = Screen::Mixed(shown);
        self.name(frame);
    }

    /// When the first lossy part of this area will have rested.
    pub(super) fn rests_at(&self, area: Rect) -> Option<Millis> {
        match &self.screen {
            Screen::Exact(_) => None,
            Screen::Mixed(shown) => overlapping(self.size, area)
                .filter_map(|(index, _)| shown.get(index)?.as_ref()?.rests_at(REST))
                .min(),
        }
    }

    /// Finds what moved up or down and moves it in `shown` too. Gives the area and where it comes from.
    fn find_move(
        &self,
        shown: &mut [Option<Shown>],
        new: &[Arc<Tile>],
        means: Means,
    ) -> Option<(Rect, Point)> {
        let differ = shown
            .iter()
            .zip(new)
            .filter(|(shown, new)| shown.as_ref().is_none_or(|s| !Arc::ptr_eq(&s.tile, new)))
            .count();
        if differ * 32 < new.len() {
            return None;
        }
        let unit = new.first()?.unit();
        let before = grid(self.size, unit, |index| shown[index].as_ref()?.whole());
        let after = grid(self.size, unit, |index| Some(&*new[index]));
        let found = moves::find(&before, &after, usize::from(LINE.div_ceil(unit.height)))?;
        moved::apply(self.size, unit, &before, &after, &found, shown, new, means)
    }

    fn take_tiles(&mut self) -> Vec<Option<Shown>> {
        match std::mem::replace(&mut self.screen, Screen::Mixed(Vec::new())) {
            Screen::Mixed(tiles) => tiles,
            Screen::Exact(frame) => match frame.tiles() {
                Ok(tiles) => tiles.iter().map(|tile| Some(Shown::all_of(tile))).collect(),
                // Sent unseen, and not a picture after all.
                Err(_) => vec![None; tile_count(self.size)],
            },
        }
    }

    /// Finds out which other views are the same.
    fn name(&mut self, frame: &Frame) {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let Screen::Mixed(shown) = &self.screen else {
            return;
        };
        let is_exact = frame.tiles().is_ok_and(|tiles| {
            shown
                .iter()
                .zip(tiles)
                .all(|(shown, tile)| shown.as_ref().is_some_and(|s| s.is_exactly(tile)))
        });
        if is_exact {
            self.replace(frame);
        } else {
            self.id = ViewId::Own(NEXT.fetch_add(1, Ordering::Relaxed));
        }
    }
}

/// Puts a box behind those that begin as high as it.
fn add(rows: &mut Vec<Vec<Rect>>, found: Rect) {
    const STEP: u16 = 8;
    let row = usize::from(found.y / STEP);
    if rows.len() <= row {
        rows.resize_with(row + 1, Vec::new);
    }
    rows[row].push(found);
}

/// The tiles that `area` touches, each with the part it touches (tile coordinates).
pub(super) fn overlapping(size: Size, area: Rect) -> impl Iterator<Item = (usize, Rect)> {
    (0..tile_count(size)).filter_map(move |index| {
        let tile = tile_rect(size, index);
        let part = tile.intersection(area);
        let local = || Rect::new(part.x - tile.x, part.y - tile.y, part.width, part.height);
        (!part.is_empty()).then(|| (index, local()))
    })
}

/// The ids of a screen's cells of size `unit`, of those tiles that are known and have such.
fn grid<'t>(size: Size, unit: Size, tile: impl Fn(usize) -> Option<&'t Tile>) -> Grid {
    let columns = usize::from(size.width.div_ceil(unit.width));
    let rows = usize::from(size.height.div_ceil(unit.height));
    let mut grid = Grid::new(columns, rows);
    for index in 0..tile_count(size) {
        let Some(tile) = tile(index).filter(|tile| tile.unit() == unit) else {
            continue;
        };
        let place = tile_rect(size, index);
        let left = usize::from(place.x / unit.width);
        let top = usize::from(place.y / unit.height);
        let width = usize::from(place.width.div_ceil(unit.width));
        for (row, ids) in tile.unit_ids().chunks(width).enumerate() {
            let start = (top + row) * columns + left;
            grid.ids[start..start + width].copy_from_slice(ids);
        }
    }
    grid
}

#[cfg(test)]
#[path = "view_tests.rs"]
mod tests;
