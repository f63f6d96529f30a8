//! Raw, RRE and Hextile (RFC 6143 §7.7.1, §7.7.3, §7.7.4).

use super::pixel::Layout;
use super::{Fault, bad};
use crate::geom::Rect;
use crate::wire::Reader;

pub(super) fn raw(layout: &Layout, rect: Rect, reader: &mut Reader<'_>) -> Result<Vec<u32>, Fault> {
    // Everything must be there before anything is allocated.
    let bytes = reader.take(rect.area() * layout.pixel_size())?;
    let mut pixels = Reader::new(bytes);
    (0..rect.area())
        .map(|_| layout.pixel(&mut pixels))
        .collect()
}

pub(super) fn rre(layout: &Layout, rect: Rect, reader: &mut Reader<'_>) -> Result<Vec<u32>, Fault> {
    let count = reader.u32()?;
    let background = layout.pixel(reader)?;
    let mut canvas = Canvas::new(rect.width.into(), rect.height.into(), background);
    for _ in 0..count {
        let value = layout.pixel(reader)?;
        let (x, y) = (reader.u16()?, reader.u16()?);
        let (width, height) = (reader.u16()?, reader.u16()?);
        canvas.fill(value, x.into(), y.into(), width.into(), height.into())?;
    }
    Ok(canvas.values)
}

pub(super) fn hextile(
    layout: &Layout,
    rect: Rect,
    reader: &mut Reader<'_>,
) -> Result<Vec<u32>, Fault> {
    let mut canvas = Canvas::new(rect.width.into(), rect.height.into(), 0);
    // What a tile may leave out. A raw tile makes both unknown, coloured subrectangles the foreground.
    let (mut background, mut foreground) = (None, None);
    for top in (0..canvas.height).step_by(16) {
        for left in (0..canvas.width).step_by(16) {
            let width = 16.min(canvas.width - left);
            let height = 16.min(canvas.height - top);
            let flags = reader.u8()?;
            if flags == 1 {
                for y in 0..height {
                    for x in 0..width {
                        let value = layout.pixel(reader)?;
                        canvas.fill(value, left + x, top + y, 1, 1)?;
                    }
                }
                (background, foreground) = (None, None);
                continue;
            }
            if flags & 1 != 0 || flags > 31 {
                return bad(format!("Hextile flags {flags:#04x}"));
            }
            if flags & 2 != 0 {
                background = Some(layout.pixel(reader)?);
            }
            let Some(back) = background else {
                return bad("a Hextile tile without a background");
            };
            canvas.fill(back, left, top, width, height)?;
            if flags & 4 != 0 {
                if flags & 16 != 0 {
                    return bad("a Hextile tile with a foreground and coloured subrectangles");
                }
                foreground = Some(layout.pixel(reader)?);
            }
            if flags & 8 == 0 {
                if flags & 16 != 0 {
                    return bad("a Hextile tile with coloured subrectangles and none of them");
                }
                continue;
            }
            for _ in 0..reader.u8()? {
                let value = if flags & 16 != 0 {
                    foreground = None;
                    layout.pixel(reader)?
                } else if let Some(foreground) = foreground {
                    foreground
                } else {
                    return bad("a Hextile subrectangle without a colour");
                };
                let (position, extent) = (usize::from(reader.u8()?), usize::from(reader.u8()?));
                let (x, y) = (position >> 4, position & 15);
                let (w, h) = ((extent >> 4) + 1, (extent & 15) + 1);
                if x + w > width || y + h > height {
                    return bad("a Hextile subrectangle outside its tile");
                }
                canvas.fill(value, left + x, top + y, w, h)?;
            }
        }
    }
    Ok(canvas.values)
}

/// Pixels to paint rectangles on.
struct Canvas {
    width: usize,
    height: usize,
    values: Vec<u32>,
}

impl Canvas {
    fn new(width: usize, height: usize, value: u32) -> Self {
        Self {
            width,
            height,
            values: vec![value; width * height],
        }
    }

    fn fill(
        &mut self,
        value: u32,
        x: usize,
        y: usize,
        width: usize,
        height: usize,
    ) -> Result<(), Fault> {
        if width == 0 || height == 0 {
            return bad("an empty subrectangle");
        }
        if x + width > self.width || y + height > self.height {
            return bad("a subrectangle outside its rectangle");
        }
        for row in self.values.chunks_mut(self.width).skip(y).take(height) {
            row[x..x + width].fill(value);
        }
        Ok(())
    }
}
