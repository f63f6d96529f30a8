//! What clients press and move becomes USB HID reports.
//!
//! ```text
//! sessions → inbox (bounded, moves coalesce) → HID thread:
//!     keyboard, mouse (who holds what → reports) → pending (what the target has yet to be told) → sink → target
//! ```
//!
//! `keymap`, `keyboard`, `locks`, `modifiers`, `mouse` and `pending` are pure; `writer` is the thread around them.

pub mod descriptor;
mod inbox;
mod keyboard;
pub mod keymap;
mod locks;
mod modifiers;
mod mouse;
mod pending;
mod report;
pub mod sink;
mod tally;
mod writer;

pub use report::Report;
pub use tally::Typed;
pub use writer::{HidHandle, HidThread, spawn};

use std::sync::Arc;

use rfb::geom::{Point, Size};
use tokio::sync::watch;

use keymap::Layout;

/// What the HID thread works with beside its sink.
#[derive(Clone, Debug)]
pub struct Options {
    /// The target's keyboard layout.
    pub layout: Arc<Layout>,
    /// The target's lock LEDs, as the sink publishes them.
    pub leds: watch::Receiver<Option<Leds>>,
    /// Tap Num Lock where the target's is off and a client's keypad says that its own is on.
    pub lock_inference: bool,
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
    /// The client is gone; it holds nothing any more.
    Leave,
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
