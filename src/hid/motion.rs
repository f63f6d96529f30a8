//! Movements of a relative mouse, in its own counts.

use std::ops::{Add, Sub};

/// The furthest that one report moves on an axis.
const FURTHEST: i32 = 127;

/// So many counts to the right and down, however many reports that takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Motion {
    pub(super) dx: i32,
    pub(super) dy: i32,
}

impl Motion {
    pub(super) const NONE: Self = Self { dx: 0, dy: 0 };

    pub(super) fn new(dx: impl Into<i32>, dy: impl Into<i32>) -> Self {
        Self {
            dx: dx.into(),
            dy: dy.into(),
        }
    }

    pub(super) fn is_none(self) -> bool {
        self == Self::NONE
    }

    /// How many reports it takes.
    pub(super) fn reports(self) -> usize {
        let longest = self.dx.unsigned_abs().max(self.dy.unsigned_abs());
        longest.div_ceil(FURTHEST.unsigned_abs()) as usize
    }

    /// The first report's part. All parts lie on a straight line, as a hand would draw it.
    pub(super) fn step(self) -> (i8, i8) {
        let reports = self.reports().max(1) as i32;
        // The longer side divided by the number of reports is at most 127.
        ((self.dx / reports) as i8, (self.dy / reports) as i8)
    }

    /// What is left after the first report.
    pub(super) fn rest(self) -> Self {
        let (dx, dy) = self.step();
        self - Self::new(dx, dy)
    }
}

impl Add for Motion {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            dx: self.dx.saturating_add(other.dx),
            dy: self.dy.saturating_add(other.dy),
        }
    }
}

impl Sub for Motion {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            dx: self.dx.saturating_sub(other.dx),
            dy: self.dy.saturating_sub(other.dy),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parts(mut motion: Motion) -> Vec<(i8, i8)> {
        let mut parts = Vec::new();
        while !motion.is_none() {
            parts.push(motion.step());
            motion = motion.rest();
        }
        parts
    }

    #[test]
    fn a_long_way_is_a_straight_line() {
        assert_eq!(parts(Motion::NONE), []);
        assert_eq!(parts(Motion::new(-127, 5)), [(-127, 5)]);
        assert_eq!(
            parts(Motion::new(300, -100)),
            [(100, -33), (100, -33), (100, -34)]
        );
    }

    proptest! {
        #[test]
        fn parts_add_up_and_are_as_many_as_said(dx in -70_000..70_000, dy in -70_000..70_000) {
            let motion = Motion { dx, dy };
            let parts = parts(motion);
            prop_assert_eq!(parts.len(), motion.reports());
            let sum = parts.iter().fold(Motion::NONE, |sum, (dx, dy)| sum + Motion::new(*dx, *dy));
            prop_assert_eq!(sum, motion);
            prop_assert!(parts.iter().all(|(dx, dy)| *dx != -128 && *dy != -128));
        }
    }
}
