//! A frame shown in a framebuffer of another size, for clients that cannot follow a size change.

use super::{Damaged, Frame, Pixel};
use crate::geom::{Point, Rect, Size};

/// Where a picture of size `source` lies in a framebuffer of size `into`: as large as fits with its
/// proportions kept, in the middle. Empty if either size is.
pub fn placement(source: Size, into: Size) -> Rect {
    if source.is_empty() || into.is_empty() {
        return Rect::EMPTY;
    }
    let (sw, sh) = (u32::from(source.width), u32::from(source.height));
    let (iw, ih) = (u32::from(into.width), u32::from(into.height));
    let (width, height) = if sw * ih >= sh * iw {
        (iw, (sh * iw / sw).max(1))
    } else {
        ((sw * ih / sh).max(1), ih)
    };
    let (left, top) = ((iw - width) / 2, (ih - height) / 2);
    Rect::from_edges(left, top, left + width, top + height)
}

/// The point of the picture that is shown at `point` of the framebuffer; on the black border, the
/// nearest one.
pub fn to_source(point: Point, source: Size, into: Size) -> Point {
    let place = placement(source, into);
    let map = |v: u16, from: u16, length: u16, source: u16| {
        let inside = u32::from(v.saturating_sub(from).min(length.saturating_sub(1)));
        // The middle of the pixel, so that a picture shown larger or smaller hits what is seen.
        let mapped = (inside * 2 + 1) * u32::from(source) / (u32::from(length).max(1) * 2);
        u16::try_from(mapped)
            .unwrap_or(u16::MAX)
            .min(source.saturating_sub(1))
    };
    Point::new(
        map(point.x, place.x, place.width, source.width),
        map(point.y, place.y, place.height, source.height),
    )
}

/// The picture of `frame` in a framebuffer of size `into`, on black, sharing what is equal in `previous`.
pub fn fit(frame: &Frame, into: Size, previous: Option<&Frame>) -> Result<Frame, Damaged> {
    let source = frame.size();
    let place = placement(source, into);
    let pixels = frame.pixels(source.rect())?;
    let spans = |length: u16, source: u16| -> Vec<(usize, usize)> {
        let (length, source) = (usize::from(length), usize::from(source));
        (0..length)
            .map(|i| {
                let start = i * source / length;
                (start, ((i + 1) * source / length).max(start + 1))
            })
            .collect()
    };
    let columns = spans(place.width, source.width);
    let rows = spans(place.height, source.height);
    let stride = usize::from(into.width) * 4;
    let mut bgrx = vec![0; stride * usize::from(into.height)];
    let source_width = usize::from(source.width);
    for (y, &(top, bottom)) in rows.iter().enumerate() {
        let start = (usize::from(place.y) + y) * stride + usize::from(place.x) * 4;
        let line = &mut bgrx[start..start + columns.len() * 4];
        for (out, &(left, right)) in line.as_chunks_mut::<4>().0.iter_mut().zip(&columns) {
            let rows =
                (top..bottom).map(|y| &pixels[y * source_width + left..y * source_width + right]);
            *out = average(rows.flatten()).to_le_bytes();
        }
    }
    Ok(Frame::from_bgrx(frame.seq(), into, &bgrx, stride, previous))
}

/// The mean colour of some pixels (at least one).
fn average<'a>(pixels: impl Iterator<Item = &'a Pixel>) -> Pixel {
    let (mut count, mut red, mut green, mut blue) = (0, 0, 0, 0);
    for &p in pixels {
        count += 1;
        red += (p >> 16) & 0xff;
        green += (p >> 8) & 0xff;
        blue += p & 0xff;
    }
    if count == 0 {
        return 0;
    }
    ((red / count) << 16) | ((green / count) << 8) | (blue / count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::FrameSeq;

    #[test]
    fn proportions_are_kept_and_the_rest_is_black() {
        let wide = Size::new(1920, 1080);
        assert_eq!(
            placement(wide, Size::new(1024, 768)),
            Rect::new(0, 96, 1024, 576)
        );
        assert_eq!(
            placement(Size::new(640, 480), wide),
            Rect::new(240, 0, 1440, 1080)
        );
        assert_eq!(placement(wide, wide), wide.rect());

        let frame = Frame::solid(FrameSeq(7), Size::new(64, 32), 0x10_20_30);
        let fitted = fit(&frame, Size::new(32, 32), None).expect("pixels");
        assert_eq!(fitted.seq(), FrameSeq(7));
        let pixels = fitted.pixels(fitted.size().rect()).expect("pixels");
        for (y, row) in pixels.chunks(32).enumerate() {
            let colour = if (8..24).contains(&y) { 0x10_20_30 } else { 0 };
            assert!(row.iter().all(|p| *p == colour), "row {y}");
        }
    }

    #[test]
    fn a_click_lands_on_what_is_seen_there() {
        let (source, into) = (Size::new(1920, 1080), Size::new(1024, 768));
        let at = |x, y| to_source(Point::new(x, y), source, into);
        assert_eq!(at(0, 96), Point::new(0, 0));
        assert_eq!(at(0, 0), Point::new(0, 0));
        assert_eq!(at(1023, 767), Point::new(1919, 1079));
        assert_eq!(at(512, 384), Point::new(960, 540));
        assert_eq!(at(65535, 65535), Point::new(1919, 1079));
        let same = Point::new(17, 1079);
        assert_eq!(to_source(same, source, source), same);
    }
}
