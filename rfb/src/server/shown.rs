//! A tile as a client shows it.

use std::sync::Arc;

use super::Millis;
use crate::frame::Tile;
use crate::geom::Rect;

pub(super) mod moved;

/// A tile as the client shows it. Rectangles are in tile coordinates.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    pub(super) tile: Arc<Tile>,
    /// The part that was sent; the rest is unknown.
    known: Rect,
    /// The part that was sent with loss, last changed at `since`.
    pub(super) lossy: Rect,
    pub(super) since: Millis,
}

impl Shown {
    /// All of `tile`, exactly.
    pub(super) fn all_of(tile: &Arc<Tile>) -> Self {
        Self::part_of(tile, tile.size().rect())
    }

    fn part_of(tile: &Arc<Tile>, known: Rect) -> Self {
        Self {
            tile: Arc::clone(tile),
            known,
            lossy: Rect::EMPTY,
            since: Millis(0),
        }
    }

    /// The tile, if all of it is known.
    pub(super) fn whole(&self) -> Option<&Tile> {
        (self.known == self.tile.size().rect()).then_some(&*self.tile)
    }

    /// Whether this is `tile` to the last pixel.
    pub(super) fn is_exactly(&self, tile: &Arc<Tile>) -> bool {
        Arc::ptr_eq(&self.tile, tile) && self.lossy.is_empty() && self.whole().is_some()
    }

    /// When a lossy part has not changed for so long.
    pub(super) fn rests_at(&self, rest: Millis) -> Option<Millis> {
        (!self.lossy.is_empty()).then(|| Millis(self.since.0.saturating_add(rest.0)))
    }

    pub(super) fn has_rested(&self, now: Millis, rest: Millis) -> bool {
        self.rests_at(rest).is_some_and(|at| at <= now)
    }

    /// The same after it was sent again without loss.
    pub(super) fn refined(self) -> Self {
        Self {
            lossy: Rect::EMPTY,
            ..self
        }
    }

    /// What is shown once `part` of `new` was drawn over what was there.
    pub(super) fn with(shown: Option<Shown>, new: &Arc<Tile>, part: Rect) -> Self {
        let whole = new.size().rect();
        let Some(shown) = shown.filter(|s| part != whole && s.tile.is_like(new)) else {
            return Self::part_of(new, part);
        };
        let known = joined(shown.known, part);
        let tile = if Arc::ptr_eq(&shown.tile, new) {
            shown.tile
        } else {
            let patched = shown.tile.patched(new, part);
            // Once it is the same picture again, it is the same tile again.
            match known == whole && patched == **new {
                true => Arc::clone(new),
                false => Arc::new(patched),
            }
        };
        Self {
            tile,
            known,
            ..shown
        }
    }

    /// What is shown when all that differs from `new` within `part` was sent; `found` is told what that is.
    pub(super) fn catch_up(
        shown: Option<Shown>,
        new: &Arc<Tile>,
        part: Rect,
        now: Millis,
        mut found: impl FnMut(Rect),
    ) -> Self {
        let Some(mut shown) = shown.filter(|s| s.known.contains(part) && s.tile.is_like(new))
        else {
            found(part);
            return Self::part_of(new, part);
        };
        if Arc::ptr_eq(&shown.tile, new) {
            return shown;
        }
        let mut sent = Rect::EMPTY;
        let mut all = true;
        shown.tile.changes(new, |change| {
            let wanted = change.intersection(part);
            all &= wanted == change;
            if !wanted.is_empty() {
                sent = sent.union(wanted);
                found(wanted);
            }
        });
        if all && shown.whole().is_some() {
            shown.tile = Arc::clone(new);
        } else if !sent.is_empty() {
            let lossy = shown.lossy;
            shown = Self {
                lossy,
                ..Self::with(Some(shown), new, part)
            };
        }
        if !sent.is_empty() && !shown.lossy.is_empty() {
            shown.since = now;
        }
        shown
    }
}

/// The known part of a tile after `part` was sent as well: both if together they are a rectangle,
/// otherwise the newer one.
fn joined(known: Rect, part: Rect) -> Rect {
    let both = known.union(part);
    let covered = known.area() + part.area() - known.intersection(part).area();
    if both.area() == covered { both } else { part }
}
