//! Positions for a mouse that only knows movements.
//!
//! Nothing tells where the target's pointer is, so it is reckoned: from the last position it was brought to, whichever client
//! did that, it is moved by the difference. That is right as long as the target moves one pixel for one count, so
//! pointer acceleration should be off there.
//!
//! The first position is taken for where the pointer is, and so is the first after the screen's size changed or movements
//! were lost. Who sees that it is elsewhere brings their pointer to an edge: the target's is then pushed on by the
//! whole width or height of the screen and for certain is at the same edge. A corner puts both in step.

use rfb::geom::{Point, Size};

use super::motion::Motion;

/// An edge is pushed against again only after the pointer was farther away from it than so many pixels: a hand that rests
/// at an edge trembles.
const NEAR: u16 = 32;

/// Where the target's pointer should be.
#[derive(Debug, Default)]
pub(super) struct Reckoning {
    size: Size,
    x: Axis,
    y: Axis,
}

/// A column or a row.
#[derive(Clone, Copy, Debug, Default)]
struct Axis {
    at: Option<u16>,
    /// The edge that the pointer was pushed against and has stayed near since.
    pushed: Option<Edge>,
}

/// Left and top, or right and bottom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Edge {
    Low,
    High,
}

impl Reckoning {
    /// The movement that brings the pointer from where it should be to `position` on a screen of this size, and whether it
    /// pushes against an edge.
    pub(super) fn go(&mut self, position: Point, size: Size) -> (Motion, bool) {
        self.resize(size);
        let (dx, pushes_x) = self.x.go(position.x, size.width);
        let (dy, pushes_y) = self.y.go(position.y, size.height);
        (Motion { dx, dy }, pushes_x || pushes_y)
    }

    /// The pointer was put there.
    pub(super) fn put(&mut self, position: Point, size: Size) {
        self.resize(size);
        let at = |pixel: u16, pixels: u16| Axis {
            at: Some(pixel.min(pixels.saturating_sub(1))),
            pushed: None,
        };
        self.x = at(position.x, size.width);
        self.y = at(position.y, size.height);
    }

    /// The pointer was moved by somebody who sees where it is.
    pub(super) fn moved(&mut self, by: Motion) {
        self.x.moved(by.dx, self.size.width);
        self.y.moved(by.dy, self.size.height);
    }

    pub(super) fn is_at_right_edge(&self) -> bool {
        self.x.at.is_some_and(|x| x + 1 >= self.size.width)
    }

    /// It may be anywhere.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    fn resize(&mut self, size: Size) {
        if self.size != size {
            *self = Self {
                size,
                ..Self::default()
            };
        }
    }
}

impl Axis {
    fn go(&mut self, to: u16, pixels: u16) -> (i32, bool) {
        let to = to.min(pixels.saturating_sub(1));
        let way = self.at.map_or(0, |at| i32::from(to) - i32::from(at));
        self.at = Some(to);
        self.pushed = self.pushed.filter(|edge| edge.distance(to, pixels) <= NEAR);
        match Edge::at(to, pixels) {
            Some(edge) if self.pushed != Some(edge) => {
                self.pushed = Some(edge);
                (way + edge.outward() * i32::from(pixels), true)
            }
            _ => (way, false),
        }
    }

    fn moved(&mut self, by: i32, pixels: u16) {
        let last = i32::from(pixels.saturating_sub(1));
        let moved = |at: u16| i32::from(at).saturating_add(by).clamp(0, last);
        self.at = self.at.and_then(|at| u16::try_from(moved(at)).ok());
        if by != 0 {
            self.pushed = None;
        }
    }
}

impl Edge {
    fn at(pixel: u16, pixels: u16) -> Option<Self> {
        match pixel {
            0 => Some(Self::Low),
            _ if pixel >= pixels.saturating_sub(1) => Some(Self::High),
            _ => None,
        }
    }

    fn distance(self, pixel: u16, pixels: u16) -> u16 {
        match self {
            Self::Low => pixel,
            Self::High => pixels.saturating_sub(1).saturating_sub(pixel),
        }
    }

    fn outward(self) -> i32 {
        match self {
            Self::Low => -1,
            Self::High => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};

    const SCREEN: Size = Size::new(640, 480);

    /// A target that moves one pixel for one count and stops at its edges.
    struct Target(i32, i32);

    impl Target {
        fn moves(&mut self, by: Motion) {
            self.0 = (self.0 + by.dx).clamp(0, 639);
            self.1 = (self.1 + by.dy).clamp(0, 479);
        }
    }

    #[test]
    fn the_first_position_moves_nothing_and_the_next_by_the_difference() {
        let mut reckoning = Reckoning::default();
        let mut go = |x, y, size| reckoning.go(Point::new(x, y), size).0;
        assert_eq!(go(100, 100, SCREEN), Motion::NONE);
        assert_eq!(go(110, 95, SCREEN), Motion::new(10, -5));
        let larger = Size::new(1024, 768);
        assert_eq!(go(500, 500, larger), Motion::NONE, "another mode");
        assert_eq!(go(500, 501, larger), Motion::new(0, 1));
        reckoning.forget();
        let after = reckoning.go(Point::new(300, 300), larger);
        assert_eq!(after, (Motion::NONE, false));
    }

    #[test]
    fn an_edge_is_pushed_against_once_while_the_hand_rests_there() {
        let mut reckoning = Reckoning::default();
        let mut go = |x| reckoning.go(Point::new(x, 100), SCREEN).0.dx;
        assert_eq!(go(20), 0);
        assert_eq!(go(0), -20 - 640);
        assert_eq!([go(0), go(1), go(0), go(32), go(0)], [0, 1, -1, 32, -32]);
        assert_eq!([go(33), go(0)], [33, -33 - 640]);
        assert_eq!([go(639), go(638), go(5000)], [639 + 640, -1, 1]);
    }

    #[test]
    fn who_sees_the_pointer_moves_it_for_the_others_as_well() {
        let mut reckoning = Reckoning::default();
        reckoning.put(Point::new(5, 5), SCREEN);
        reckoning.moved(Motion::new(10, -100));
        assert_eq!(
            reckoning.go(Point::new(20, 20), SCREEN),
            (Motion::new(5, 20), false)
        );
    }

    proptest! {
        /// Wherever the target's pointer is at first, and whatever was done before.
        #[test]
        fn a_corner_puts_both_in_step(
            start in (0..640, 0..480),
            before in vec((0..700_u16, 0..500_u16), 0..20),
            after in vec((0..640_u16, 0..480_u16), 0..20),
        ) {
            let mut target = Target(start.0, start.1);
            let mut reckoning = Reckoning::default();
            for (x, y) in before {
                target.moves(reckoning.go(Point::new(x, y), SCREEN).0);
            }
            for (x, y) in [(320, 240), (639, 0)].into_iter().chain(after) {
                target.moves(reckoning.go(Point::new(x, y), SCREEN).0);
                if (x, y) != (320, 240) {
                    prop_assert_eq!((target.0, target.1), (i32::from(x), i32::from(y)));
                }
            }
        }
    }
}
