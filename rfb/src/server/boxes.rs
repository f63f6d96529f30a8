//! Few rectangles around many boxes.

use crate::geom::Rect;

/// How far below a rectangle a box may begin to be joined with it.
const NEAR: u32 = 64;
/// Rectangles that are compared each with each in the end.
const FEW: usize = 40;

/// Joins boxes where that costs no more than to send them apart. `rows` holds them from left to right in rows from the
/// top down; `cost` says what a rectangle costs by itself, its header included, in any unit.
pub(super) fn merge(rows: &[Vec<Rect>], cost: impl Fn(Rect) -> usize) -> Vec<Rect> {
    let mut rects: Vec<Priced> = Vec::new();
    // Rectangles before this one end too far above to be joined.
    let mut open = 0;
    for row in rows {
        for run in runs(row, &cost) {
            while open < rects.len() && rects[open].rect.bottom() + NEAR < u32::from(run.rect.y) {
                open += 1;
            }
            let best = rects[open..]
                .iter_mut()
                .filter_map(|above| Some((above.saving(&run, &cost)?, above)))
                .max_by_key(|(saving, _)| saving.0);
            match best {
                Some(((_, both), above)) => *above = both,
                None => rects.push(run),
            }
        }
    }
    if rects.len() <= FEW {
        join_all(&mut rects, &cost);
    }
    rects.into_iter().map(|priced| priced.rect).collect()
}

#[derive(Clone, Copy)]
struct Priced {
    rect: Rect,
    cost: usize,
}

impl Priced {
    /// What is saved by sending both as one, and that one; `None` if it costs more.
    fn saving(&self, other: &Priced, cost: &impl Fn(Rect) -> usize) -> Option<(usize, Priced)> {
        let rect = self.rect.union(other.rect);
        let apart = self.cost + other.cost;
        // Not worth asking.
        if rect.area() > 8 * (self.rect.area() + other.rect.area()) + 16_384 {
            return None;
        }
        let cost = cost(rect);
        Some((apart.checked_sub(cost)?, Priced { rect, cost }))
    }
}

/// The boxes of a row, those joined that touch or are not worth a gap.
fn runs(row: &[Rect], cost: &impl Fn(Rect) -> usize) -> Vec<Priced> {
    let mut touching: Vec<Rect> = Vec::new();
    for next in row {
        match touching.last_mut() {
            Some(last) if u32::from(next.x) <= last.right() => *last = last.union(*next),
            _ => touching.push(*next),
        }
    }
    let mut runs: Vec<Priced> = Vec::new();
    for rect in touching {
        let next = Priced {
            rect,
            cost: cost(rect),
        };
        match runs.last_mut() {
            Some(last) if let Some((_, both)) = last.saving(&next, cost) => *last = both,
            _ => runs.push(next),
        }
    }
    runs
}

/// Joins the pair that saves most until none saves anything.
fn join_all(rects: &mut Vec<Priced>, cost: &impl Fn(Rect) -> usize) {
    loop {
        let mut best: Option<(usize, usize, usize, Priced)> = None;
        for a in 0..rects.len() {
            for b in a + 1..rects.len() {
                if let Some((saving, both)) = rects[a].saving(&rects[b], cost)
                    && best.as_ref().is_none_or(|(most, ..)| saving > *most)
                {
                    best = Some((saving, a, b, both));
                }
            }
        }
        let Some((_, a, b, both)) = best else {
            return;
        };
        rects[a] = both;
        rects.remove(b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pixels, and a header that costs as much as 256.
    fn area(rect: Rect) -> usize {
        rect.area() + 256
    }

    #[test]
    fn a_full_picture_is_one_rectangle() {
        let rows: Vec<Vec<Rect>> = (0..17)
            .map(|y| (0..30).map(|x| Rect::new(x * 64, y * 64, 64, 64)).collect())
            .collect();
        assert_eq!(merge(&rows, area), [Rect::new(0, 0, 1920, 1088)]);
    }

    #[test]
    fn near_boxes_are_joined_and_far_ones_are_not() {
        let rows = [
            vec![
                Rect::new(0, 0, 16, 16),
                Rect::new(20, 0, 16, 16),
                Rect::new(800, 0, 16, 16),
            ],
            vec![Rect::new(0, 18, 36, 16)],
            vec![Rect::new(800, 900, 8, 8)],
        ];
        assert_eq!(
            merge(&rows, area),
            [
                Rect::new(0, 0, 36, 34),
                Rect::new(800, 0, 16, 16),
                Rect::new(800, 900, 8, 8)
            ]
        );
    }

    #[test]
    fn everything_stays_covered() {
        let mut state = 7u32;
        let mut random = move |below: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((state >> 8) % below) as u16
        };
        for _ in 0..200 {
            let rows: Vec<Vec<Rect>> = (0..40)
                .map(|y| {
                    let mut x = random(100);
                    let mut row = Vec::new();
                    while x < 900 {
                        row.push(Rect::new(
                            x,
                            y * 16 + random(4),
                            1 + random(30),
                            1 + random(12),
                        ));
                        x += 31 + random(400);
                    }
                    row
                })
                .collect();
            let rects = merge(&rows, area);
            for lost in rows.iter().flatten() {
                assert!(rects.iter().any(|rect| rect.contains(*lost)));
            }
            let sum = |rects: &mut dyn Iterator<Item = Rect>| rects.map(area).sum::<usize>();
            assert!(sum(&mut rects.iter().copied()) <= sum(&mut rows.iter().flatten().copied()));
        }
    }
}
