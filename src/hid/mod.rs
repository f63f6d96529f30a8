//! What clients press and move becomes USB HID reports.
//!
//! ```text
//! sessions → inbox (bounded, moves coalesce) → HID thread:
//!     keyboard, mouse (who holds what → reports) → pending (what the target has yet to be told) → sink → target
//! ```
//!
//! The mouse is the absolute pointer or the relative one (`pointer_mode` says which); for that, positions become
//! movements (`reckoning`) and movements reports (`motion`). An idle target is stirred (`jiggle`).
//!
//! All but `inbox`, `writer`, the thread around the rest, and `sink` are pure.

pub mod descriptor;
mod inbox;
mod jiggle;
mod keyboard;
pub mod keymap;
mod locks;
mod modifiers;
mod motion;
mod mouse;
mod pending;
mod pointer_mode;
mod reckoning;
mod report;
pub mod sink;
mod tally;
mod target_layout;
mod writer;

pub use report::Report;
pub use tally::Typed;
pub use target_layout::{Named, TargetLayout};
pub use writer::{HidHandle, HidThread, spawn};

use std::time::Duration;

use rfb::geom::{Point, Size};
use tokio::sync::watch;

use crate::config::MouseMode;

/// What the HID thread works with beside its sink.
#[derive(Clone, Debug)]
pub struct Options {
    /// The target's keyboard layout.
    pub layout: TargetLayout,
    /// The target's lock LEDs, as the sink publishes them.
    pub leds: watch::Receiver<Option<Leds>>,
    /// Tap Num Lock where the target's is off and a client's keypad says that its own is on.
    pub lock_inference: bool,
    pub mouse: MouseOptions,
}

/// Which client an input event comes from, so that keys can be owned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientId(pub u64);

/// What a client did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// KeyEvent: a keysym.
    Key { down: bool, keysym: u32 },
    /// QEMU extended key event: an XT scancode (0xe0 prefix as bit 7), and the keysym beside it.
    ExtendedKey { down: bool, keysym: u32, code: u32 },
    /// A character of a text, typed as it is written whatever modifiers anybody holds.
    Character { down: bool, character: char },
    /// PointerEvent: a position in a framebuffer of `size`, and all nine buttons, bit 0 left, 1 middle,
    /// 2 right, 3 to 6 wheel up, down, left, right, 7 back, 8 forward.
    Pointer {
        position: Point,
        size: Size,
        buttons: u16,
    },
    /// A PointerEvent of a client that sends movements, in pixels; `buttons` as in [`Input::Pointer`].
    Motion { dx: i16, dy: i16, buttons: u16 },
    /// Use the other pointer from now on: positions instead of movements, or the other way round.
    TogglePointerMode,
    /// Nothing was heard of the client for long: it loses its keys and buttons, but not its modifiers.
    Expire,
    /// The client is gone; it holds nothing any more.
    Leave,
}

impl Input {
    /// The buttons of a pointer event.
    pub(crate) fn buttons(&self) -> Option<u16> {
        match *self {
            Self::Pointer { buttons, .. } | Self::Motion { buttons, .. } => Some(buttons),
            _ => None,
        }
    }

    /// The one move that stands for this and the client's next one: the newer position, or both movements together. `None`
    /// if there is none: buttons differ, or they are moves of different kinds.
    pub(crate) fn and_then_move(self, next: Self) -> Option<Self> {
        match (self, next) {
            (Self::Pointer { size, buttons, .. }, Self::Pointer { .. })
                if next.buttons() == Some(buttons)
                    && matches!(next, Self::Pointer { size: other, .. } if other == size) =>
            {
                Some(next)
            }
            (
                Self::Motion { dx, dy, buttons },
                Self::Motion {
                    dx: further_x,
                    dy: further_y,
                    buttons: later,
                },
            ) if buttons == later => Some(Self::Motion {
                dx: dx.saturating_add(further_x),
                dy: dy.saturating_add(further_y),
                buttons,
            }),
            _ => None,
        }
    }
}

/// What the target is moved by: its absolute pointer, or its relative mouse.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PointerMode {
    #[default]
    Absolute,
    Relative,
}

/// How pointer events become reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MouseOptions {
    pub mode: MouseMode,
    /// Steps for one turn of a client's wheel.
    pub scroll_rate: u8,
    /// After about so long without input the pointer is stirred; never if zero.
    pub jiggle: Duration,
}

impl Default for MouseOptions {
    fn default() -> Self {
        Self {
            mode: MouseMode::Auto,
            scroll_rate: 1,
            jiggle: Duration::ZERO,
        }
    }
}

/// Lock LEDs as the target last set them, in the bit order of the HID LED report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leds {
    pub num: bool,
    pub caps: bool,
    pub scroll: bool,
}

impl Leds {
    /// From the first byte of a keyboard's output report.
    pub fn from_report(report: u8) -> Self {
        Self {
            num: report & 1 != 0,
            caps: report & 2 != 0,
            scroll: report & 4 != 0,
        }
    }
}
