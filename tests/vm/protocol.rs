//! What the tests ask of the agent inside the machine, and what it answers.
//!
//! One TCP connection carries one request, a line of JSON, and its [`Answer`], another. Some requests turn the
//! connection into something else after that; each says what.

use serde::{Deserialize, Serialize};

/// Where the agent listens inside.
pub const PORT: u16 = 7000;

#[derive(Debug, Serialize, Deserialize)]
pub enum Request {
    /// Whether it is up.
    Hello,
    /// Runs a shell script to its end. Answered by [`Answer::Output`].
    Run { script: String },
    /// Starts a program that goes on; what it prints goes to the file. Answered by [`Answer::Started`].
    Start {
        program: Vec<String>,
        output: String,
    },
    /// Sends a signal to a started program.
    Signal { process: u32, signal: i32 },
    /// What a started program uses. Answered by [`Answer::Usage`].
    Usage { process: u32 },
    /// The file's bytes follow [`Answer::File`].
    Read { path: String },
    /// This many bytes follow, which become the file.
    Write { path: String, length: u64 },
    /// Waits until a path is there (or is gone). Answered when it is.
    Await { path: String, present: bool },
    /// From the answer on, the connection is the cable to a USB/IP device, which the kernel's vhci_hcd takes over.
    PlugIn,
    /// From the answer on, lines of JSON follow, each an [`Event`] of the gadget as its host sees it, for ever.
    Events,
    /// Plugs in a GPIO chip with four lines. From the answer on, lines of JSON go both ways: a [`GpioLine`] for each change
    /// that the kernel makes, and a [`GpioInput`] for each that something else does.
    GpioChip,
    /// Sets a lock LED of the host's keyboard (0 Num, 1 Caps, 2 Scroll), as the host's system does.
    Led { led: u16, on: bool },
    /// From the answer on, the connection carries pictures for a v4l2loopback device: length (u32, big-endian) and bytes
    /// of each. The newest is written to the device at `fps`, over and over.
    Feed {
        device: String,
        fourcc: [u8; 4],
        size: (u32, u32),
        fps: u32,
    },
}

#[derive(Debug, Serialize, Deserialize)]
pub enum Answer {
    Done,
    Output { status: i32, text: String },
    Started { process: u32 },
    Usage(Usage),
    File { length: u64 },
    Failed(String),
}

/// What a program uses now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Usage {
    Running {
        rss_kib: u64,
        files: usize,
        threads: usize,
    },
    /// With this exit status; `None` if by a signal.
    Ended(Option<i32>),
}

/// The gadget's functions, each as the input device that its host makes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Device {
    Keyboard,
    Absolute,
    Relative,
    Consumer,
}

/// What the host of the gadget sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// The host has this device now; these keys or buttons (of `KEY_MAX`) were down already.
    Came { device: Device, held: usize },
    /// The host has it no longer.
    Left { device: Device },
    /// An input event (`EV_KEY`, `EV_REL`, `EV_ABS` or `EV_LED`), with the kernel's time in microseconds.
    Input {
        device: Device,
        kind: u16,
        code: u16,
        value: i32,
        at: i64,
    },
    /// Events came faster than the agent read them, and the kernel threw some away (`SYN_DROPPED`).
    Dropped { device: Device },
}

/// A line of the chip.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GpioLine {
    pub number: u8,
    pub is_output: bool,
    pub level: bool,
    /// When this came about, in milliseconds.
    pub at: u64,
}

/// What is at a line that is an input.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct GpioInput {
    pub number: u8,
    pub level: bool,
}
