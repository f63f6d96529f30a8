//! A moving pattern in which every pixel changes with every frame.
//!
//! Integers only, so that every machine draws the same bytes.

use rfb::geom::Rect;

use crate::video::canvas::Canvas;

/// Fills `rect` with the pattern at `millis` of its motion.
pub(super) fn draw(canvas: &mut Canvas, rect: Rect, millis: u64) {
    let rect = rect.intersection(canvas.size().rect());
    let waves: [u16; 1024] = std::array::from_fn(|angle| wave(angle as u64));
    let at = |angle: u64| waves[(angle & 1023) as usize];
    let palette: [[u8; 4]; 256] =
        std::array::from_fn(|index| colour(index as u64 * 4 + millis / 2));
    let columns: Vec<u16> = (0..u64::from(rect.width))
        .map(|x| at(x * 3 + millis) + at((x * 2).wrapping_sub(millis / 2)))
        .collect();
    for row in 0..rect.height {
        let y = u64::from(row);
        let level = at(y * 4 + millis / 3) + at(y + millis);
        let Some(pixels) = canvas.row_mut(rect.y + row).get_mut(usize::from(rect.x)..) else {
            return;
        };
        for (x, (pixel, column)) in pixels.iter_mut().zip(&columns).enumerate() {
            let slope = at(x as u64 * 2 + y * 3 + millis * 2);
            *pixel = palette[usize::from((column + level + slope) & 255)];
        }
    }
}

/// One period of a smooth wave over 1024 steps, from 0 to 255: two parabolas.
fn wave(angle: u64) -> u16 {
    let half = angle & 511;
    let arch = half * (512 - half) * 127 / (256 * 256);
    let height = if angle & 512 == 0 {
        128 + arch
    } else {
        127 - arch
    };
    height as u16
}

fn colour(angle: u64) -> [u8; 4] {
    let channel = |shift: u64| wave(angle + shift) as u8;
    [channel(0), channel(341) / 2 + 40, channel(683), 0]
}
