//! What one client has on its screen, tile by tile.
//!
//! What the client lacks is what differs from this; there is no list of damage that could be lost or
//! grow while a client is slow.

use std::sync::Arc;

use crate::frame::{Frame, Tile, fit, tile_count, tile_rect};
use crate::geom::{Rect, Size};

/// A tile as the client shows it.
#[derive(Debug)]
struct Shown {
    tile: Arc<Tile>,
    /// The part that was sent (tile coordinates); the rest is unknown.
    known: Rect,
}

/// One client's screen.
#[derive(Debug)]
pub(super) struct View {
    size: Size,
    tiles: Vec<Option<Shown>>,
    /// The last frame as fitted into `size`, if it had to be.
    fitted: Option<Frame>,
}

impl View {
    /// A screen of which nothing is known.
    pub(super) fn new(size: Size) -> Self {
        let tiles = std::iter::repeat_with(|| None)
            .take(tile_count(size))
            .collect();
        Self {
            size,
            tiles,
            fitted: None,
        }
    }

    /// Whether something in `area` may differ from `frame`; cheap, and right when it says no.
    pub(super) fn may_lack(&self, frame: &Frame, area: Rect) -> bool {
        if area.is_empty() {
            return false;
        }
        let shown = if frame.size() == self.size {
            frame
        } else {
            match &self.fitted {
                Some(fitted) if fitted.seq() == frame.seq() => fitted,
                _ => return true,
            }
        };
        self.overlapping(area).any(|(index, part)| {
            self.tiles[index].as_ref().is_none_or(|s| {
                !Arc::ptr_eq(&s.tile, &shown.tiles()[index]) || !s.known.contains(part)
            })
        })
    }

    /// `frame` as this client sees it: itself, or letterboxed to the client's size.
    pub(super) fn fit(&mut self, frame: &Frame) -> Frame {
        if frame.size() == self.size {
            self.fitted = None;
            return frame.clone();
        }
        match &self.fitted {
            Some(fitted) if fitted.seq() == frame.seq() => fitted.clone(),
            previous => {
                let fitted = fit::fit(frame, self.size, previous.as_ref());
                self.fitted = Some(fitted.clone());
                fitted
            }
        }
    }

    /// Brings the view up to `frame`: all of `full` and what differs in `changed`. Gives the rectangles
    /// to send, from the top down.
    ///
    /// `frame` must have the view's size (see [`View::fit`]).
    pub(super) fn advance(&mut self, frame: &Frame, full: Rect, changed: Rect) -> Vec<Rect> {
        let mut rects = Vec::new();
        if !full.is_empty() {
            let parts: Vec<_> = self.overlapping(full).collect();
            for (index, part) in parts {
                let shown = self.tiles[index].take();
                self.tiles[index] = Some(Shown::with(shown, &frame.tiles()[index], part));
            }
            rects.push(full);
        }
        let mut boxes = Vec::new();
        let parts: Vec<_> = self.overlapping(changed).collect();
        for (index, part) in parts {
            let new = &frame.tiles()[index];
            let shown = self.tiles[index].take();
            let (shown, sent) = Shown::catch_up(shown, new, part);
            self.tiles[index] = Some(shown);
            if !sent.is_empty() {
                let origin = tile_rect(self.size, index);
                boxes.push(Rect::new(
                    origin.x + sent.x,
                    origin.y + sent.y,
                    sent.width,
                    sent.height,
                ));
            }
        }
        rects.extend(merge(boxes));
        rects
    }

    /// Forgets what was sent in these rectangles, because it never left.
    pub(super) fn forget(&mut self, rects: &[Rect]) {
        for rect in rects {
            let parts: Vec<_> = self.overlapping(*rect).collect();
            for (index, _) in parts {
                self.tiles[index] = None;
            }
        }
    }

    /// The tiles that `area` touches, each with the part it touches (tile coordinates).
    fn overlapping(&self, area: Rect) -> impl Iterator<Item = (usize, Rect)> + '_ {
        (0..self.tiles.len()).filter_map(move |index| {
            let tile = tile_rect(self.size, index);
            let part = tile.intersection(area);
            let local = || Rect::new(part.x - tile.x, part.y - tile.y, part.width, part.height);
            (!part.is_empty()).then(|| (index, local()))
        })
    }
}

impl Shown {
    /// What is shown once `part` of `new` was drawn over what was there.
    fn with(shown: Option<Shown>, new: &Arc<Tile>, part: Rect) -> Shown {
        let whole = new.size().rect();
        match shown {
            Some(shown) if part != whole => {
                let known = joined(shown.known, part);
                if Arc::ptr_eq(&shown.tile, new) {
                    return Shown {
                        tile: shown.tile,
                        known,
                    };
                }
                let patched = shown.tile.patched(new, part);
                // Once it is the same picture again, it is the same tile again.
                let same = known == whole && patched == **new;
                let tile = if same {
                    Arc::clone(new)
                } else {
                    Arc::new(patched)
                };
                Shown { tile, known }
            }
            _ => Shown {
                tile: Arc::clone(new),
                known: part,
            },
        }
    }

    /// What must be sent of `new` within `part`, and what is shown then.
    fn catch_up(shown: Option<Shown>, new: &Arc<Tile>, part: Rect) -> (Shown, Rect) {
        let Some(shown) = shown else {
            return (Shown::with(None, new, part), part);
        };
        if !shown.known.contains(part) {
            return (Shown::with(Some(shown), new, part), part);
        }
        if Arc::ptr_eq(&shown.tile, new) {
            return (shown, Rect::EMPTY);
        }
        let differs = shown.tile.difference(new);
        let sent = differs.intersection(part);
        if sent == differs && shown.known == new.size().rect() {
            return (
                Shown {
                    tile: Arc::clone(new),
                    known: shown.known,
                },
                sent,
            );
        }
        if sent.is_empty() {
            return (shown, sent);
        }
        (Shown::with(Some(shown), new, sent), sent)
    }
}

/// The known part of a tile after `part` was sent as well: both if together they are a rectangle,
/// otherwise the newer one.
fn joined(known: Rect, part: Rect) -> Rect {
    let both = known.union(part);
    let covered = known.area() + part.area() - known.intersection(part).area();
    if both.area() == covered { both } else { part }
}

/// Joins neighbouring boxes (given row by row) where that costs few pixels that did not change: a
/// rectangle's header, palette and zlib start cost about as much as some hundred pixels.
fn merge(boxes: Vec<Rect>) -> Vec<Rect> {
    const FREE: usize = 256;
    let pays = |a: Rect, b: Rect, both: Rect| both.area() * 4 <= (a.area() + b.area() + FREE) * 5;
    let mut runs: Vec<Rect> = Vec::new();
    for next in boxes {
        if let Some(last) = runs.last_mut() {
            let both = last.union(next);
            let tile = u32::from(crate::frame::TILE);
            let same_row = u32::from(last.y) / tile == u32::from(next.y) / tile;
            if same_row && pays(*last, next, both) {
                *last = both;
                continue;
            }
        }
        runs.push(next);
    }
    let mut out: Vec<Rect> = Vec::new();
    for next in runs {
        match out
            .iter_mut()
            .rev()
            .find(|above| pays(**above, next, above.union(next)))
        {
            Some(above) => *above = above.union(next),
            None => out.push(next),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::FrameSeq;

    const SIZE: Size = Size::new(200, 130);

    fn frame(seq: u64, dots: &[(u16, u16)], previous: Option<&Frame>) -> Frame {
        let mut bgrx = vec![0u8; SIZE.area() * 4];
        for &(x, y) in dots {
            bgrx[(usize::from(y) * 200 + usize::from(x)) * 4] = 200;
        }
        Frame::from_bgrx(FrameSeq(seq), SIZE, &bgrx, 800, None, previous)
    }

    #[test]
    fn a_new_client_lacks_everything_then_only_what_changed() {
        let mut view = View::new(SIZE);
        let first = frame(1, &[], None);
        let all = SIZE.rect();
        assert!(view.may_lack(&first, all));
        assert_eq!(view.advance(&first, Rect::EMPTY, all), [all]);
        assert!(!view.may_lack(&first, all));

        let second = frame(2, &[(70, 10), (72, 12), (199, 129)], Some(&first));
        assert!(view.may_lack(&second, all));
        let sent = view.advance(&second, Rect::EMPTY, all);
        assert_eq!(sent, [Rect::new(70, 10, 3, 3), Rect::new(199, 129, 1, 1)]);
        assert!(view.advance(&second, Rect::EMPTY, all).is_empty());
    }

    #[test]
    fn a_tile_that_changed_and_changed_back_costs_nothing() {
        let mut view = View::new(SIZE);
        let first = frame(1, &[], None);
        view.advance(&first, SIZE.rect(), Rect::EMPTY);
        let other = frame(2, &[(5, 5)], Some(&first));
        let back = frame(3, &[], Some(&other));
        assert!(view.may_lack(&back, SIZE.rect()), "tiles were made anew");
        assert!(view.advance(&back, Rect::EMPTY, SIZE.rect()).is_empty());
        assert!(!view.may_lack(&back, SIZE.rect()));
    }

    #[test]
    fn a_part_that_was_asked_for_alone_is_known_and_the_rest_is_not() {
        let mut view = View::new(SIZE);
        let first = frame(1, &[], None);
        let part = Rect::new(10, 10, 16, 16);
        assert_eq!(view.advance(&first, part, Rect::EMPTY), [part]);
        assert!(view.advance(&first, Rect::EMPTY, part).is_empty());
        assert!(view.may_lack(&first, SIZE.rect()));

        let second = frame(2, &[(11, 11), (150, 100)], Some(&first));
        assert_eq!(
            view.advance(&second, Rect::EMPTY, part),
            [Rect::new(11, 11, 1, 1)]
        );
        let rest = view.advance(&second, Rect::EMPTY, SIZE.rect());
        assert_eq!(rest, [SIZE.rect()], "all else is still unknown");
        assert!(!view.may_lack(&second, SIZE.rect()));
    }

    #[test]
    fn a_part_sent_again_and_again_keeps_the_tile_whole() {
        let mut view = View::new(SIZE);
        let first = frame(1, &[], None);
        view.advance(&first, SIZE.rect(), Rect::EMPTY);
        // Two dots change in one tile, but the client asks for the left half only, then for all.
        let second = frame(2, &[(3, 3), (60, 60)], Some(&first));
        let half = Rect::new(0, 0, 32, 130);
        assert_eq!(
            view.advance(&second, Rect::EMPTY, half),
            [Rect::new(3, 3, 29, 58)]
        );
        assert_eq!(
            view.advance(&second, Rect::EMPTY, SIZE.rect()),
            [Rect::new(60, 60, 1, 1)]
        );
        assert!(!view.may_lack(&second, SIZE.rect()));
    }

    #[test]
    fn neighbours_join_and_strangers_do_not() {
        let row = |x| Rect::new(x, 0, 64, 64);
        assert_eq!(
            merge(vec![row(0), row(64), row(128)]),
            [Rect::new(0, 0, 192, 64)]
        );
        let far = vec![Rect::new(0, 0, 40, 40), Rect::new(1000, 700, 40, 40)];
        assert_eq!(merge(far.clone()), far);
    }
}
