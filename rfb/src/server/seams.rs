//! Parts of a JPEG: where they may be cut, and what their neighbours have to do with how they look.
//!
//! Chroma that has fewer samples than pixels is smoothed across the edges of MCUs by most decoders, so a part that is
//! decoded by itself can look different at its edges from the same part of the whole.

use super::view::View;
use crate::frame::{Compressed, Frame, UNKNOWN, edge_class};
use crate::geom::{Point, Rect};

/// How many MCUs a part is made larger to end where no seam can be seen.
const CALM_REACH: u32 = 3;

/// The rectangle, if its bounds are bounds of MCUs.
pub(super) fn aligned(frame: &Frame, jpeg: &dyn Compressed, rect: Rect) -> Option<Rect> {
    let (mcu, size) = (jpeg.mcu(), frame.size());
    let fits =
        |at: u32, side: u16, end: u16| at.is_multiple_of(side.into()) || at == u32::from(end);
    (fits(rect.x.into(), mcu.width, size.width)
        && fits(rect.y.into(), mcu.height, size.height)
        && fits(rect.right(), mcu.width, size.width)
        && fits(rect.bottom(), mcu.height, size.height))
    .then_some(rect)
}

/// The smallest rectangle of whole MCUs around this one.
pub(super) fn widened(frame: &Frame, jpeg: &dyn Compressed, rect: Rect) -> Rect {
    let (width, height) = (u32::from(jpeg.mcu().width), u32::from(jpeg.mcu().height));
    Rect::from_edges(
        u32::from(rect.x) / width * width,
        u32::from(rect.y) / height * height,
        rect.right().next_multiple_of(width),
        rect.bottom().next_multiple_of(height),
    )
    .intersection(frame.size().rect())
}

/// A rectangle with the pixels around it that look different because it changed.
pub(super) fn bled(frame: &Frame, rect: Rect) -> Rect {
    let bleed = frame.bleed();
    let (x, y) = (u32::from(bleed.width), u32::from(bleed.height));
    Rect::from_edges(
        u32::from(rect.x).saturating_sub(x),
        u32::from(rect.y).saturating_sub(y),
        rect.right() + x,
        rect.bottom() + y,
    )
    .intersection(frame.size().rect())
}

/// The rectangle, made larger on each side by as few MCUs as it takes to end where decoding it alone looks the same as
/// decoding it with its neighbours, now and in what the client shows; where that is not near, it stays.
pub(super) fn calmed(view: &View, frame: &Frame, jpeg: &dyn Compressed, rect: Rect) -> Rect {
    let (bleed, mcu, size) = (jpeg.bleed(), jpeg.mcu(), frame.size());
    let calm = |a: Option<u64>, b: Option<u64>| match (a.map(edge_class), b.map(edge_class)) {
        (Some(a), Some(b)) => a != 0 && a == b,
        _ => false,
    };
    let is_calm = |inside: Point, outside: Point| {
        let before = (view.id_at(inside), view.id_at(outside));
        let known =
            before.0.is_some_and(|id| id != UNKNOWN) && before.1.is_some_and(|id| id != UNKNOWN);
        calm(frame.id_at(inside), frame.id_at(outside)) && (!known || calm(before.0, before.1))
    };
    let mut rect = rect;
    if bleed.width > 0 {
        let rows = || (rect.y..rect.y + rect.height).step_by(usize::from(mcu.height));
        let at = |x: u16| rows().all(|y| is_calm(Point::new(x, y), Point::new(x - 1, y)));
        let (left, right) = nearest(rect.x, rect.right(), mcu.width, size.width, at);
        rect = Rect::from_edges(left, rect.y.into(), right, rect.bottom());
    }
    if bleed.height > 0 {
        let columns = || (rect.x..rect.x + rect.width).step_by(usize::from(mcu.width));
        let at = |y: u16| columns().all(|x| is_calm(Point::new(x, y), Point::new(x, y - 1)));
        let (top, bottom) = nearest(rect.y, rect.bottom(), mcu.height, size.height, at);
        rect = Rect::from_edges(rect.x.into(), top, rect.right(), bottom);
    }
    rect
}

/// The nearest places outwards from a range, in steps of an MCU, that are calm or an edge of the picture.
fn nearest(
    start: u16,
    end: u32,
    step: u16,
    length: u16,
    is_calm: impl Fn(u16) -> bool,
) -> (u32, u32) {
    let (step, length) = (u32::from(step), u32::from(length));
    let calm = |at: u32| at == 0 || at >= length || u16::try_from(at).is_ok_and(&is_calm);
    let before = (0..=CALM_REACH)
        .map(|steps| u32::from(start).saturating_sub(steps * step))
        .find(|at| calm(*at));
    let behind = (0..=CALM_REACH)
        .map(|steps| (end + steps * step).min(length))
        .find(|at| calm(*at));
    (before.unwrap_or(start.into()), behind.unwrap_or(end))
}

/// Whether the chroma of all MCUs of a part is the same.
pub(super) fn is_of_one_class(frame: &Frame, jpeg: &dyn Compressed, rect: Rect) -> bool {
    let (width, height) = (
        usize::from(jpeg.mcu().width),
        usize::from(jpeg.mcu().height),
    );
    let mut classes = (rect.y..rect.y + rect.height)
        .step_by(height)
        .flat_map(|y| {
            (rect.x..rect.x + rect.width)
                .step_by(width)
                .map(move |x| Point::new(x, y))
        })
        .map(|point| frame.id_at(point).map_or(0, edge_class));
    let first = classes.next().unwrap_or(0);
    first != 0 && classes.all(|class| class == first)
}
