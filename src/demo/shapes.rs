//! What the target's screen shows beside text and boxes.

use rfb::geom::Rect;

use crate::video::canvas::{Canvas, Colour};

pub(super) fn disc(canvas: &mut Canvas, x: i32, y: i32, radius: i32, colour: Colour) {
    for dy in -radius..=radius {
        for dx in -radius..=radius {
            if dx * dx + dy * dy <= radius * radius + radius / 2 {
                canvas.set(x + dx, y + dy, colour);
            }
        }
    }
}

/// The pointer, its tip at (`x`, `y`); `#` is the edge.
pub(super) fn arrow(canvas: &mut Canvas, x: i32, y: i32, fill: Colour) {
    const SHAPE: [&str; 19] = [
        "#",
        "##",
        "#.#",
        "#..#",
        "#...#",
        "#....#",
        "#.....#",
        "#......#",
        "#.......#",
        "#........#",
        "#.........#",
        "#......#####",
        "#...#..#",
        "#..# #..#",
        "#.#  #..#",
        "##    #..#",
        "#     #..#",
        "       #..#",
        "       ###",
    ];
    for (dy, row) in (0..).zip(SHAPE) {
        for (dx, dot) in (0..).zip(row.bytes()) {
            match dot {
                b'#' => canvas.set(x + dx, y + dy, 0x00_0000),
                b'.' => canvas.set(x + dx, y + dy, fill),
                _ => {}
            }
        }
    }
}

/// Primaries and mixtures above, then ramps of red, green, blue and grey.
pub(super) fn colour_bars(canvas: &mut Canvas, rect: Rect) {
    const SOLID: [Colour; 8] = [
        0xff_ffff, 0xff_ff00, 0x00_ffff, 0x00_ff00, 0xff_00ff, 0xff_0000, 0x00_00ff, 0x00_0000,
    ];
    const RAMPS: [Colour; 4] = [0x01_0000, 0x00_0100, 0x00_0001, 0x01_0101];
    let row = rect.height / 6;
    let column = |index: u32, of: u32| u32::from(rect.x) + u32::from(rect.width) * index / of;
    let top = u32::from(rect.y);
    let band = |index: u16| top + u32::from(index * row);
    for (index, colour) in (0..).zip(SOLID) {
        let (left, right) = (column(index, 8), column(index + 1, 8));
        canvas.fill(Rect::from_edges(left, top, right, band(2)), colour);
    }
    for (index, unit) in (2..).zip(RAMPS) {
        for step in 0..64 {
            let (left, right) = (column(step, 64), column(step + 1, 64));
            let rect = Rect::from_edges(left, band(index), right, band(index + 1));
            canvas.fill(rect, unit * (step * 255 / 63));
        }
    }
}
