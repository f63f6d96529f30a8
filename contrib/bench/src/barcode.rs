//! The number that each picture shows at its top left: 4×4 cells of 16×16 pixels, row by row. Cell 0 is white,
//! cell 15 black, cells 1 to 14 are the Gray code of the number, its highest bit first.

const CELL: usize = 16;
const BITS: usize = 14;

/// Reads the number from a picture of 0x00RRGGBB pixels; `None` if there is no barcode.
pub fn read(pixels: &[u32], width: usize) -> Option<u32> {
    let white = |cell: usize| {
        let (left, top) = (cell % 4 * CELL, cell / 4 * CELL);
        let mut sum = 0;
        // The border may be blurred by a JPEG.
        for y in top + 4..top + CELL - 4 {
            let start = y * width + left;
            let row = pixels.get(start + 4..start + CELL - 4)?;
            sum += row.iter().map(|pixel| pixel >> 8 & 0xff).sum::<u32>();
        }
        Some(sum / 64 >= 128)
    };
    if width < 4 * CELL || !white(0)? || white(15)? {
        return None;
    }
    let mut number = 0;
    for cell in 1..=BITS {
        number = number << 1 | (number & 1 ^ u32::from(white(cell)?));
    }
    Some(number)
}

/// Draws a number into a picture of 3 bytes a pixel that is at least 64×64 large.
pub fn draw(number: u32, width: usize, rgb: &mut [u8]) {
    let gray = number ^ number >> 1;
    for y in 0..4 * CELL {
        for x in 0..4 * CELL {
            let white = match y / CELL * 4 + x / CELL {
                0 => true,
                15 => false,
                cell => gray >> (BITS - cell) & 1 == 1,
            };
            let start = (y * width + x) * 3;
            rgb[start..start + 3].fill(if white { 255 } else { 0 });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_drawn_is_read() {
        for number in [0, 1, 2, 3, 94, 219, (1 << BITS) - 1] {
            let mut rgb = vec![77; 80 * 64 * 3];
            draw(number, 80, &mut rgb);
            let pixels: Vec<u32> = rgb
                .chunks(3)
                .map(|c| u32::from_be_bytes([0, c[0], c[1], c[2]]))
                .collect();
            assert_eq!(read(&pixels, 80), Some(number));
        }
    }

    #[test]
    fn a_picture_without_one_has_no_number() {
        assert_eq!(read(&vec![0; 64 * 64], 64), None);
        assert_eq!(read(&vec![0x00ff_ffff; 64 * 64], 64), None);
        assert_eq!(read(&[], 64), None);
    }
}
