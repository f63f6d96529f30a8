//! Whether a client's pointer messages are positions or movements (QEMU Pointer Motion Change, community rfbproto).
//!
//! A client that listed the pseudo-encoding is told by an empty rectangle: x = 1 for positions, x = 0 for
//! movements, which come as their distance plus 0x7fff. Until it has read that, it sends the other kind; the two are
//! told apart by their values, because no screen is so wide and no hand so quick.

use super::Event;
use crate::geom::{Point, Rect, Size};
use crate::msg::{pseudo, server};

/// What clients that can send both are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PointerMode {
    /// Positions in the framebuffer, as in plain RFB.
    #[default]
    Absolute,
    /// Movements, as of a mouse.
    Relative,
}

/// What stands for no movement.
const ORIGIN: u16 = 0x7fff;
/// Positions are below this, movements are not.
const NO_POSITION: u16 = 0x4000;

/// The pointer of one client.
#[derive(Debug, Default)]
pub(super) struct Pointer {
    wanted: PointerMode,
    told: Option<PointerMode>,
    /// Whether the client may send movements, now or because some are still on their way.
    moves: bool,
}

impl Pointer {
    pub(super) fn new(wanted: PointerMode) -> Self {
        Self {
            wanted,
            ..Self::default()
        }
    }

    pub(super) fn set_mode(&mut self, mode: PointerMode) {
        self.wanted = mode;
    }

    /// What a client that can send both has to be told now; it counts as told from then on.
    pub(super) fn announce(&mut self) -> Option<impl FnOnce(&mut Vec<u8>)> {
        if self.told.replace(self.wanted) == Some(self.wanted) {
            return None;
        }
        self.moves |= self.wanted == PointerMode::Relative;
        let absolute = u16::from(self.wanted == PointerMode::Absolute);
        Some(move |out: &mut Vec<u8>| {
            let rect = Rect::new(absolute, 0, 0, 0);
            server::rectangle(out, rect, pseudo::POINTER_MOTION_CHANGE);
        })
    }

    /// The event of a PointerEvent with these coordinates. `to_source` takes a position to the target's screen of
    /// size `source`.
    pub(super) fn event(
        &self,
        at: Point,
        buttons: u16,
        source: Size,
        to_source: impl FnOnce(Point) -> Point,
    ) -> Event {
        let is_move = at.x >= NO_POSITION && at.y >= NO_POSITION;
        match self.told {
            // Whoever was never asked for movements sends positions, be they beyond the screen.
            told if !self.moves || told == Some(PointerMode::Absolute) && !is_move => {
                Event::Pointer {
                    position: to_source(at),
                    size: source,
                    buttons,
                }
            }
            Some(PointerMode::Relative) if is_move => Event::Motion {
                dx: distance(at.x),
                dy: distance(at.y),
                buttons,
            },
            // It was on its way when the mode changed: the buttons count.
            _ => Event::Motion {
                dx: 0,
                dy: 0,
                buttons,
            },
        }
    }
}

fn distance(value: u16) -> i16 {
    i16::try_from(i32::from(value) - i32::from(ORIGIN)).unwrap_or(i16::MAX)
}
