//! Small changes, down to the pixel: an MCU is more than a letter.

use crate::frame::{Damaged, Frame, Pixel};
use crate::geom::Rect;

/// Most pixels of a rectangle for which the picture before is decoded too.
const SMALL: usize = 96 * 96;

/// Whether [`trimmed`] looks at what was there before.
pub(super) fn is_small(rect: Rect) -> bool {
    rect.area() <= SMALL
}

/// The smallest rectangle in `rect` outside which `frame` looks like `before`, with its pixels. All of `rect` if nothing
/// is known of what was there before, or if there is too much of it to look.
pub(super) fn trimmed(
    before: Option<&Frame>,
    frame: &Frame,
    rect: Rect,
) -> Result<(Rect, Vec<Pixel>), Damaged> {
    let new = frame.pixels(rect)?;
    let known = before.filter(|before| is_small(rect) && before.size() == frame.size());
    let Some(old) = known.and_then(|before| before.pixels(rect).ok()) else {
        return Ok((rect, new));
    };
    let changed = difference(rect, &old, &new);
    let pixels = part_of(rect, &new, changed);
    Ok((changed, pixels))
}

/// The smallest rectangle around the pixels of `rect` that differ.
fn difference(rect: Rect, old: &[Pixel], new: &[Pixel]) -> Rect {
    let width = usize::from(rect.width).max(1);
    let (mut left, mut right, mut top, mut bottom) = (u32::MAX, 0, u32::MAX, 0);
    for (y, (old, new)) in (0..).zip(old.chunks(width).zip(new.chunks(width))) {
        let differs = |(x, _): &(u32, (&Pixel, &Pixel))| old[*x as usize] != new[*x as usize];
        let mut pairs = (0..).zip(old.iter().zip(new));
        let Some((first, _)) = pairs.find(differs) else {
            continue;
        };
        let last = pairs.filter(differs).last().map_or(first, |(x, _)| x);
        (left, right) = (left.min(first), right.max(last + 1));
        (top, bottom) = (top.min(y), y + 1);
    }
    let (x, y) = (u32::from(rect.x), u32::from(rect.y));
    match bottom {
        0 => Rect::EMPTY,
        _ => Rect::from_edges(x + left, y + top, x + right, y + bottom),
    }
}

/// The pixels of `rect` out of those of `area`, which contains it.
pub(super) fn part_of(area: Rect, pixels: &[Pixel], rect: Rect) -> Vec<Pixel> {
    if rect.is_empty() {
        return Vec::new();
    }
    let stride = usize::from(area.width);
    let left = usize::from(rect.x - area.x);
    let width = usize::from(rect.width);
    let mut out = Vec::with_capacity(rect.area());
    for y in rect.y - area.y..rect.y - area.y + rect.height {
        let start = usize::from(y) * stride + left;
        out.extend_from_slice(&pixels[start..start + width]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::FrameSeq;
    use crate::geom::Size;

    const SIZE: Size = Size::new(200, 100);

    fn frame(dots: &[(usize, usize)]) -> Frame {
        let mut bgrx = vec![7u8; SIZE.area() * 4];
        dots.iter().for_each(|(x, y)| bgrx[(y * 200 + x) * 4] = 9);
        Frame::from_bgrx(FrameSeq(1), SIZE, &bgrx, 800, None)
    }

    #[test]
    fn what_is_left_is_just_what_differs() {
        let before = frame(&[(40, 40)]);
        let after = frame(&[(42, 37), (45, 41)]);
        let rect = Rect::new(32, 32, 32, 16);
        let (changed, pixels) = trimmed(Some(&before), &after, rect).expect("pixels");
        assert_eq!(changed, Rect::new(40, 37, 6, 5));
        assert_eq!(Ok(pixels), after.pixels(changed));

        let same = trimmed(Some(&after), &after, rect).expect("pixels");
        assert_eq!(same, (Rect::EMPTY, Vec::new()));
        let unknown = trimmed(None, &after, rect).expect("pixels");
        assert_eq!(unknown.0, rect);
        let large = trimmed(Some(&before), &after, SIZE.rect()).expect("pixels");
        assert_eq!(large.0, SIZE.rect());
    }
}
