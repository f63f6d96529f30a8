//! A small simulated target, so that everything can be tried and tested without hardware.
//!
//! It is honest: it understands nothing but the report bytes that a USB host would receive, read
//! through the very report descriptors that the gadget declares. A key that does not arrive as HID
//! bytes does nothing.

mod draw;
mod hid_host;
mod layout;
mod log;
mod menu;
mod plasma;
mod run;
mod shapes;
mod target;
mod us_layout;

use rfb::geom::Size;

use crate::hid::sink::Function;

pub use hid_host::DescriptorError;
pub use log::Log;
pub use menu::{Choice, Menu, Page, Popup};
pub use run::{DemoOpener, DemoSink, Polls, start};
pub use target::Target;

/// The screen is laid out for at least this much.
pub const SMALLEST: Size = Size::new(640, 400);

/// Beyond this only memory would be used up.
pub const LARGEST: Size = Size::new(7680, 4320);

/// The report descriptors that the target finds when the gadget is plugged in.
#[derive(Clone, Copy, Debug)]
pub struct Descriptors<'a> {
    pub keyboard: &'a [u8],
    pub absolute: &'a [u8],
    pub relative: &'a [u8],
    pub consumer: &'a [u8],
}

impl<'a> Descriptors<'a> {
    fn each(&self) -> [(Function, &'a [u8]); 4] {
        [
            (Function::Keyboard, self.keyboard),
            (Function::Absolute, self.absolute),
            (Function::Relative, self.relative),
            (Function::Consumer, self.consumer),
        ]
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DemoOptions {
    pub size: Size,
    /// Pictures a second, at most.
    pub fps: u32,
    /// Whether held keys repeat, as on any machine. Tests that must not depend on how long a key
    /// is held turn it off.
    pub key_repeat: bool,
}

impl Default for DemoOptions {
    fn default() -> Self {
        Self {
            size: Size::new(1280, 720),
            fps: 30,
            key_repeat: true,
        }
    }
}

/// Why the demo target cannot start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DemoError {
    #[error("the demo target's screen cannot be {0}; choose a size from {SMALLEST} to {LARGEST}")]
    Size(Size),
    #[error("the demo target cannot show {0} pictures a second; choose 1 to 240")]
    Fps(u32),
    #[error("the demo target refuses the report descriptor of the {function:?} function: {error}")]
    Descriptor {
        function: Function,
        error: DescriptorError,
    },
}

fn check_size(size: Size) -> Result<(), DemoError> {
    let fits = LARGEST.rect().contains(size.rect()) && size.rect().contains(SMALLEST.rect());
    if fits {
        Ok(())
    } else {
        Err(DemoError::Size(size))
    }
}
