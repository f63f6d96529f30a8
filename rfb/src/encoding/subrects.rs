//! Covering everything that is not background with rectangles of one colour, for RRE and Hextile.

/// A rectangle of one colour inside a tile.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subrect {
    pub(super) code: u32,
    pub(super) x: usize,
    pub(super) y: usize,
    pub(super) width: usize,
    pub(super) height: usize,
}

/// The colour that most pixels have.
pub(super) fn background(codes: &[u32], scratch: &mut Vec<u32>) -> u32 {
    let first = codes[0];
    let share = codes.iter().filter(|&&code| code == first).count();
    if share * 2 >= codes.len() {
        return first;
    }
    scratch.clear();
    scratch.extend_from_slice(codes);
    scratch.sort_unstable();
    scratch
        .chunk_by(|a, b| a == b)
        .max_by_key(|run| run.len())
        .map_or(first, |run| run[0])
}

/// Covers `codes` (rows of `width`) so that only `background` is left, and returns the rectangles;
/// `None` as soon as there are more than `limit`. The codes are destroyed.
///
/// From the top left, each uncovered pixel becomes the corner of the larger of two rectangles: as
/// wide as possible and then as high, or the other way round.
pub(super) fn cover(
    codes: &mut [u32],
    width: usize,
    background: u32,
    limit: usize,
    subrects: &mut Vec<Subrect>,
) -> Option<()> {
    subrects.clear();
    let height = codes.len() / width;
    for y in 0..height {
        let mut x = 0;
        while x < width {
            let code = codes[y * width + x];
            if code == background {
                x += 1;
                continue;
            }
            if subrects.len() == limit {
                return None;
            }
            let same = |x: usize, y: usize| codes[y * width + x] == code;
            let across = (x..width).take_while(|&x| same(x, y)).count();
            let down = (y..height).take_while(|&y| same(x, y)).count();
            let below = (y..height)
                .take_while(|&y| (x..x + across).all(|x| same(x, y)))
                .count();
            let beside = (x..width)
                .take_while(|&x| (y..y + down).all(|y| same(x, y)))
                .count();
            let (w, h) = if across * below >= beside * down {
                (across, below)
            } else {
                (beside, down)
            };
            for row in y..y + h {
                codes[row * width + x..][..w].fill(background);
            }
            subrects.push(Subrect {
                code,
                x,
                y,
                width: w,
                height: h,
            });
            x += w;
        }
    }
    Some(())
}
