//! Finding what moved up or down: text that scrolls is the same text in another place.
//!
//! Works on grids of ids, whatever a cell of them is: an MCU of a JPEG or a piece of a row of pixels.

use std::ops::Range;

use super::tile::UNKNOWN;

/// What is seen, as ids: equal ids look the same, [`UNKNOWN`] is equal to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grid {
    pub columns: usize,
    pub rows: usize,
    /// Row by row.
    pub ids: Vec<u64>,
}

impl Grid {
    /// A grid of which nothing is known.
    pub fn new(columns: usize, rows: usize) -> Self {
        Self {
            columns,
            rows,
            ids: vec![UNKNOWN; columns * rows],
        }
    }

    /// What is seen so many rows further down and columns further right of a cell; `None` outside the grid.
    pub fn id_beside(&self, row: usize, column: usize, by: (isize, isize)) -> Option<u64> {
        let row = row
            .checked_add_signed(by.0)
            .filter(|row| *row < self.rows)?;
        let column = column.checked_add_signed(by.1);
        let column = column.filter(|column| *column < self.columns)?;
        Some(self.ids[row * self.columns + column])
    }

    fn row(&self, row: usize) -> &[u64] {
        &self.ids[row * self.columns..(row + 1) * self.columns]
    }
}

/// What stands in `rows` and `columns` of the new picture stood `down` rows further down in the old one (further
/// up if it is negative).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    pub columns: Range<usize>,
    pub rows: Range<usize>,
    pub down: isize,
}

impl Move {
    /// Whether this cell is one that moved here.
    pub fn has(&self, row: usize, column: usize) -> bool {
        self.rows.contains(&row) && self.columns.contains(&column)
    }
}

/// Columns that are looked at together; what moves may be narrower than the picture.
const STRIP: usize = 8;
/// A move is worth it from so many cells on that need not be sent.
const LEAST_GAIN: i32 = 16;
/// What one cell that was right and is spoiled weighs, in cells that are gained: it has to be sent anew.
const CELL_SPOILED: i8 = 2;

/// The move that explains most of what differs between two grids of the same shape; `None` if none is worth it.
///
/// So many rows as `together` says are looked for together, because single ones may be alike everywhere.
pub fn find(old: &Grid, new: &Grid, together: usize) -> Option<Move> {
    debug_assert_eq!((old.columns, old.rows), (new.columns, new.rows));
    let down = vote(old, new, together.max(1))?;
    best_area(old, new, down)
}

/// By how many rows most of what changed seems to have moved.
fn vote(old: &Grid, new: &Grid, together: usize) -> Option<isize> {
    let mut votes: Vec<(isize, usize)> = Vec::new();
    for left in (0..old.columns).step_by(STRIP) {
        let strip = left..(left + STRIP).min(old.columns);
        let changed = |row: &usize| old.row(*row)[strip.clone()] != new.row(*row)[strip.clone()];
        if !(0..new.rows).any(|row| changed(&row)) {
            continue;
        }
        let mut known: Vec<(u64, usize)> = (old.strip_ids(&strip, together).into_iter())
            .zip(0..)
            .filter_map(|(id, row)| Some((id?, row)))
            .collect();
        known.sort_unstable();
        let wanted = new.strip_ids(&strip, together);
        for row in (0..wanted.len()).filter(changed) {
            let Some(id) = wanted[row] else {
                continue;
            };
            let at = known.partition_point(|(other, _)| *other < id);
            let mut same = known[at..].iter().take_while(|(other, _)| *other == id);
            // What stands in several places, like empty lines, says nothing about moves.
            if let (Some((_, from)), None) = (same.next(), same.next()) {
                let down = *from as isize - row as isize;
                match votes.iter_mut().find(|(of, _)| *of == down) {
                    Some((_, count)) => *count += 1,
                    None => votes.push((down, 1)),
                }
            }
        }
    }
    let (down, count) = votes.into_iter().max_by_key(|(_, count)| *count)?;
    (count > 1 && down != 0).then_some(down)
}

impl Grid {
    /// For each row a number of what stands in this strip in it and the `together - 1` rows below; `None` where a
    /// part of that is unknown.
    fn strip_ids(&self, strip: &Range<usize>, together: usize) -> Vec<Option<u64>> {
        let rows: Vec<Option<u64>> = (0..self.rows)
            .map(|row| mixed(self.row(row)[strip.clone()].iter().map(|id| Some(*id))))
            .collect();
        rows.windows(together)
            .map(|rows| mixed(rows.iter().copied()))
            .collect()
    }
}

/// One number for several ids; `None` if one of them is unknown.
fn mixed(ids: impl Iterator<Item = Option<u64>>) -> Option<u64> {
    ids.map(|id| id.filter(|id| *id != UNKNOWN))
        .try_fold(1u64, |mixed, id| {
            Some((mixed.rotate_left(17) ^ id?).wrapping_mul(0x9e37_79b9_7f4a_7c15))
        })
}

/// The area in which a move by `down` saves most: cells that it makes right count for it, cells that were right
/// before and would be spoiled count against it.
fn best_area(old: &Grid, new: &Grid, down: isize) -> Option<Move> {
    // Rows that can be moved from within the picture, from the first that is not right to the last.
    let first = usize::try_from(-down).unwrap_or(0);
    let last = old.rows.checked_sub(usize::try_from(down).unwrap_or(0))?;
    let mut wrong = (first..last).filter(|row| old.row(*row) != new.row(*row));
    let first = wrong.next()?;
    let last = wrong.next_back().unwrap_or(first) + 1;
    let gains: Vec<Vec<i8>> = (first..last)
        .map(|row| {
            gains(
                old.row(row),
                new.row(row),
                old.row(row.saturating_add_signed(down)),
            )
        })
        .collect();
    let mut rows = 0..gains.len();
    let mut columns = 0..old.columns;
    let mut total = 0;
    // Each bound depends on the other; the second round settles nearly all there is.
    for _ in 0..2 {
        let mut by_column = vec![0; old.columns];
        for gains in &gains[rows] {
            for (sum, gain) in by_column.iter_mut().zip(gains) {
                *sum += i32::from(*gain);
            }
        }
        columns = best_range(&by_column)?.0;
        let sum = |gains: &Vec<i8>| gains[columns.clone()].iter().map(|g| i32::from(*g)).sum();
        let by_row: Vec<i32> = gains.iter().map(sum).collect();
        (rows, total) = best_range(&by_row)?;
    }
    (total >= LEAST_GAIN).then_some(Move {
        columns,
        rows: first + rows.start..first + rows.end,
        down,
    })
}

/// What each cell of a row gains when it is `moved` instead of `old`, and should be `new`.
fn gains(old: &[u64], new: &[u64], moved: &[u64]) -> Vec<i8> {
    (old.iter().zip(new).zip(moved))
        .map(|((old, new), moved)| {
            let was_right = old == new;
            let gets_right = moved == new && *new != UNKNOWN;
            i8::from(gets_right & !was_right) - CELL_SPOILED * i8::from(was_right & !gets_right)
        })
        .collect()
}

/// The range with the largest sum, if that is above zero.
fn best_range(values: &[i32]) -> Option<(Range<usize>, i32)> {
    let (mut best, mut best_sum) = (0..0, 0);
    let (mut start, mut sum) = (0, 0);
    for (index, value) in values.iter().enumerate() {
        if sum <= 0 {
            (start, sum) = (index, 0);
        }
        sum += value;
        if sum > best_sum {
            (best, best_sum) = (start..index + 1, sum);
        }
    }
    (best_sum > 0).then_some((best, best_sum))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(columns: usize, rows: usize, id: impl Fn(usize, usize) -> u64) -> Grid {
        let mut grid = Grid::new(columns, rows);
        for row in 0..rows {
            for column in 0..columns {
                grid.ids[row * columns + column] = id(row, column);
            }
        }
        grid
    }

    /// Lines of text: each another one, empty at their ends.
    fn text(row: usize, column: usize) -> u64 {
        let length = 10 + row * 7 % 23;
        if column < length {
            (row * 1000 + column + 2) as u64
        } else {
            1
        }
    }

    #[test]
    fn a_console_that_scrolls_is_one_move() {
        let old = grid(40, 60, text);
        let new = grid(40, 60, |row, column| text(row + 2, column));
        let found = find(&old, &new, 2).expect("a move");
        assert_eq!((found.down, found.rows), (2, 0..58));
        assert!(found.columns.end >= 32);
        let back = find(&new, &old, 2).expect("a move");
        assert_eq!((back.down, back.rows), (-2, 2..60));
    }

    #[test]
    fn a_window_that_scrolls_is_moved_alone() {
        let inside =
            |row: usize, column: usize| (10..50).contains(&row) && (16..48).contains(&column);
        let around = |row: usize, column: usize| (1_000_000 + row * 64 + column) as u64;
        let paint = |by: usize| {
            grid(64, 60, move |row, column| match inside(row, column) {
                true => ((row + by) * 100 + column) as u64,
                false => around(row, column),
            })
        };
        let found = find(&paint(0), &paint(3), 2).expect("a move");
        assert_eq!(
            found,
            Move {
                columns: 16..48,
                rows: 10..47,
                down: 3
            }
        );
    }

    #[test]
    fn nothing_is_found_where_nothing_moved() {
        let old = grid(40, 60, text);
        assert_eq!(find(&old, &old, 2), None);
        let other = grid(40, 60, |row, column| (row * 40 + column + 5_000_000) as u64);
        assert_eq!(find(&old, &other, 2), None);
        let unknown = Grid::new(40, 60);
        assert_eq!(find(&unknown, &old, 2), None);
        // One changed line among others is not a move.
        let line = grid(
            40,
            60,
            |row, column| if row == 5 { 9 } else { text(row, column) },
        );
        assert_eq!(find(&old, &line, 2), None);
    }

    #[test]
    fn a_move_stays_inside_the_picture() {
        for down in [1usize, 5, 30, 58] {
            let old = grid(24, 60, |row, column| (row * 24 + column + 1) as u64);
            let new = grid(24, 60, |row, column| {
                ((row + down) * 24 + column + 1) as u64
            });
            let Some(found) = find(&old, &new, 2) else {
                assert!(down > 57);
                continue;
            };
            assert_eq!(found.down, down as isize);
            assert_eq!(found.rows, 0..60 - down);
        }
    }
}
