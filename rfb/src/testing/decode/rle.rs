//! The tiles of TRLE and ZRLE (RFC 6143 §7.7.5, §7.7.6).
//!
//! Tiles that use the palette of the tile before (TRLE, 127 and 129) are errors here: clients
//! disagree about them, so no server of ours may send them.

use super::pixel::Layout;
use super::{Fault, bad};
use crate::geom::Rect;
use crate::wire::Reader;

/// More than any sensible coding of `rect` inflates to.
pub(super) fn most_bytes(layout: &Layout, rect: Rect) -> usize {
    let tiles = usize::from(rect.width).div_ceil(64) * usize::from(rect.height).div_ceil(64);
    rect.area() * (layout.cpixel_size() + 1) + tiles * 600
}

/// Reads all tiles of `rect`; returns its values, and the first byte of each tile.
pub(super) fn tiles(
    layout: &Layout,
    rect: Rect,
    side: usize,
    reader: &mut Reader<'_>,
) -> Result<(Vec<u32>, Vec<u8>), Fault> {
    let (width, height) = (usize::from(rect.width), usize::from(rect.height));
    let mut values = vec![0; width * height];
    let mut codings = Vec::new();
    for top in (0..height).step_by(side) {
        for left in (0..width).step_by(side) {
            let (w, h) = (side.min(width - left), side.min(height - top));
            let coding = reader.u8()?;
            codings.push(coding);
            let tile = tile(layout, coding, w, h, reader)?;
            for (y, row) in tile.chunks(w).enumerate() {
                let start = (top + y) * width + left;
                values[start..start + w].copy_from_slice(row);
            }
        }
    }
    Ok((values, codings))
}

fn tile(
    layout: &Layout,
    coding: u8,
    width: usize,
    height: usize,
    reader: &mut Reader<'_>,
) -> Result<Vec<u32>, Fault> {
    let area = width * height;
    match coding {
        0 => (0..area).map(|_| layout.cpixel(reader)).collect(),
        1 => Ok(vec![layout.cpixel(reader)?; area]),
        2..=16 => {
            let palette = palette(layout, coding, reader)?;
            let bits = match coding {
                2 => 1,
                3 | 4 => 2,
                _ => 4,
            };
            packed(&palette, bits, width, height, reader)
        }
        128 => {
            let mut values = Vec::with_capacity(area);
            while values.len() < area {
                let value = layout.cpixel(reader)?;
                run(value, area, reader, &mut values)?;
            }
            Ok(values)
        }
        130.. => {
            let palette = palette(layout, coding - 128, reader)?;
            let mut values = Vec::with_capacity(area);
            while values.len() < area {
                let index = reader.u8()?;
                let Some(&value) = palette.get(usize::from(index & 127)) else {
                    return bad(format!(
                        "index {} in {} colours",
                        index & 127,
                        palette.len()
                    ));
                };
                if index & 128 == 0 {
                    values.push(value);
                } else {
                    run(value, area, reader, &mut values)?;
                }
            }
            Ok(values)
        }
        _ => bad(format!("tile coding {coding}")),
    }
}

fn palette(layout: &Layout, colours: u8, reader: &mut Reader<'_>) -> Result<Vec<u32>, Fault> {
    (0..colours).map(|_| layout.cpixel(reader)).collect()
}

fn packed(
    palette: &[u32],
    bits: usize,
    width: usize,
    height: usize,
    reader: &mut Reader<'_>,
) -> Result<Vec<u32>, Fault> {
    let mut values = Vec::with_capacity(width * height);
    for _ in 0..height {
        let row = reader.take((width * bits).div_ceil(8))?;
        for x in 0..width {
            let bit = x * bits;
            let index = row[bit / 8] >> (8 - bits - bit % 8) & ((1 << bits) - 1);
            let Some(&value) = palette.get(usize::from(index)) else {
                return bad(format!("index {index} in {} colours", palette.len()));
            };
            values.push(value);
        }
    }
    Ok(values)
}

/// Reads a run length and appends that many pixels.
fn run(
    value: u32,
    area: usize,
    reader: &mut Reader<'_>,
    values: &mut Vec<u32>,
) -> Result<(), Fault> {
    let mut length = 1;
    loop {
        let byte = reader.u8()?;
        length += usize::from(byte);
        if values.len() + length > area {
            return bad("a run beyond its tile");
        }
        if byte != 255 {
            break;
        }
    }
    values.resize(values.len() + length, value);
    Ok(())
}
