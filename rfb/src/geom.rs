//! Points, sizes and rectangles in framebuffer pixels.
//!
//! RFB carries all of them as U16, so these types cannot hold a negative value; rectangles are
//! half-open (`right` and `bottom` are the first column and row outside).

/// A pixel position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Point {
    pub x: u16,
    pub y: u16,
}

impl Point {
    pub const fn new(x: u16, y: u16) -> Self {
        Self { x, y }
    }
}

/// Width and height of a framebuffer, a frame or a tile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Size {
    pub width: u16,
    pub height: u16,
}

impl Size {
    pub const fn new(width: u16, height: u16) -> Self {
        Self { width, height }
    }

    /// Number of pixels.
    pub const fn area(self) -> usize {
        self.width as usize * self.height as usize
    }

    pub const fn is_empty(self) -> bool {
        self.width == 0 || self.height == 0
    }

    /// The rectangle from the origin to the far corner.
    pub const fn rect(self) -> Rect {
        Rect::new(0, 0, self.width, self.height)
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

/// A half-open rectangle of pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rect {
    pub x: u16,
    pub y: u16,
    pub width: u16,
    pub height: u16,
}

impl Rect {
    pub const EMPTY: Rect = Rect::new(0, 0, 0, 0);

    pub const fn new(x: u16, y: u16, width: u16, height: u16) -> Self {
        Self {
            x,
            y,
            width,
            height,
        }
    }

    /// The rectangle between two corners; empty if they are out of order.
    ///
    /// Edges beyond the U16 range are cut, so a peer's `x + width` can never overflow.
    pub fn from_edges(left: u32, top: u32, right: u32, bottom: u32) -> Self {
        let cut = |v: u32| u16::try_from(v).unwrap_or(u16::MAX);
        let (left, top, right, bottom) = (cut(left), cut(top), cut(right), cut(bottom));
        if right <= left || bottom <= top {
            return Self::EMPTY;
        }
        Self::new(left, top, right - left, bottom - top)
    }

    /// First column to the right of the rectangle.
    pub const fn right(self) -> u32 {
        self.x as u32 + self.width as u32
    }

    /// First row below the rectangle.
    pub const fn bottom(self) -> u32 {
        self.y as u32 + self.height as u32
    }

    pub const fn size(self) -> Size {
        Size::new(self.width, self.height)
    }

    pub const fn area(self) -> usize {
        self.size().area()
    }

    pub const fn is_empty(self) -> bool {
        self.width == 0 || self.height == 0
    }

    /// The part both cover; [`Rect::EMPTY`] if there is none.
    pub fn intersection(self, other: Rect) -> Rect {
        Rect::from_edges(
            u32::from(self.x.max(other.x)),
            u32::from(self.y.max(other.y)),
            self.right().min(other.right()),
            self.bottom().min(other.bottom()),
        )
    }

    /// The smallest rectangle that covers both; an empty one adds nothing.
    pub fn union(self, other: Rect) -> Rect {
        if self.is_empty() {
            return other;
        }
        if other.is_empty() {
            return self;
        }
        Rect::from_edges(
            u32::from(self.x.min(other.x)),
            u32::from(self.y.min(other.y)),
            self.right().max(other.right()),
            self.bottom().max(other.bottom()),
        )
    }

    /// Whether every pixel of `other` lies in `self`; an empty rectangle lies anywhere.
    pub fn contains(self, other: Rect) -> bool {
        other.is_empty()
            || (self.x <= other.x
                && self.y <= other.y
                && other.right() <= self.right()
                && other.bottom() <= self.bottom())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rectangles_are_cut_to_the_u16_range() {
        let far = Rect::new(65535, 65535, 65535, 65535);
        assert_eq!(far.right(), 131_070);
        assert_eq!(far.intersection(Size::new(1920, 1080).rect()), Rect::EMPTY);
        let wide = Rect::new(10, 0, 65535, 8);
        assert_eq!(
            wide.intersection(Size::new(1920, 1080).rect()),
            Rect::new(10, 0, 1910, 8)
        );
    }

    #[test]
    fn union_ignores_empty_and_contains_accepts_it() {
        let a = Rect::new(4, 4, 4, 4);
        assert_eq!(a.union(Rect::EMPTY), a);
        assert_eq!(Rect::EMPTY.union(a), a);
        assert_eq!(a.union(Rect::new(0, 6, 1, 10)), Rect::new(0, 4, 8, 12));
        assert!(a.contains(Rect::EMPTY));
        assert!(!a.contains(Rect::new(4, 4, 5, 4)));
    }
}
