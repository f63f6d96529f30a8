//! Walking a picture in square tiles, row by row from the top left; those at the right and bottom
//! edge are smaller.

use crate::geom::Size;

/// Calls `each` with the codes (rows without padding) and the width and height of every tile.
pub(super) fn for_each(
    codes: &[u32],
    size: Size,
    side: usize,
    mut each: impl FnMut(&[u32], usize, usize),
) {
    let (width, height) = (usize::from(size.width), usize::from(size.height));
    let mut tile = Vec::with_capacity(side * side);
    for top in (0..height).step_by(side) {
        let tile_height = side.min(height - top);
        for left in (0..width).step_by(side) {
            let tile_width = side.min(width - left);
            tile.clear();
            for y in top..top + tile_height {
                let start = y * width + left;
                tile.extend_from_slice(&codes[start..start + tile_width]);
            }
            each(&tile, tile_width, tile_height);
        }
    }
}
