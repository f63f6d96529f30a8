//! The nodes of the USB gadget's HID functions, `/dev/hidgN` (the kernel's `f_hid`).
//!
//! - The node takes one report; until the target has polled it, the next write fails with EAGAIN.
//! - With no cable, an unbound gadget or a target that is off, writes fail with ESHUTDOWN, and neither `poll` nor the open
//!   file ever says when that is over. So the node is closed and opened anew, for ever, with a growing pause.
//! - A gadget that was made anew has new nodes, perhaps with other numbers behind the same name; each offer
//!   looks whether the name still means the open node.
//! - Reports of the wrong length are cut or sent short by the kernel, so they are refused here.

use std::{
    fs::{File, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use tokio::sync::watch;

use super::{Function, Offer, Sink, identity::Identity, leds::LedReader, udc::UdcStates};
use crate::hid::Leds;

/// Pause before a node is opened again: the first, and the longest.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// Where the gadget is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GadgetNodes {
    /// The functions that there are, each with its node.
    pub nodes: Vec<(Function, PathBuf)>,
    /// The node from which lock LEDs are read.
    pub leds: Option<PathBuf>,
    /// The directory of the UDCs; `None` not to look at their state.
    pub udc_root: Option<PathBuf>,
}

impl GadgetNodes {
    /// These nodes, LEDs from the keyboard's, and this machine's UDCs.
    pub fn new(nodes: impl IntoIterator<Item = (Function, PathBuf)>) -> Self {
        let nodes: Vec<_> = nodes.into_iter().collect();
        let keyboard = nodes
            .iter()
            .find(|(function, _)| *function == Function::Keyboard);
        Self {
            leds: keyboard.map(|(_, path)| path.clone()),
            udc_root: Some("/sys/class/udc".into()),
            nodes,
        }
    }
}

impl Default for GadgetNodes {
    /// The nodes of a gadget that has keyboard, absolute pointer and relative mouse, in this order.
    fn default() -> Self {
        Self::new([
            (Function::Keyboard, "/dev/hidg0".into()),
            (Function::Absolute, "/dev/hidg1".into()),
            (Function::Relative, "/dev/hidg2".into()),
        ])
    }
}

#[derive(Debug)]
pub struct GadgetSink {
    nodes: Vec<Node>,
    udc: UdcStates,
    leds: watch::Sender<Option<Leds>>,
    /// Reads until the sink is dropped.
    _reader: Option<LedReader>,
}

impl GadgetSink {
    /// Lock LEDs go to `leds`: `None` at first and whenever the target is gone.
    pub fn new(gadget: GadgetNodes, leds: watch::Sender<Option<Leds>>) -> Self {
        let udc_root = gadget.udc_root.as_deref();
        let reader = gadget.leds.and_then(|path| {
            LedReader::spawn(path, UdcStates::new(udc_root), leds.clone())
                .inspect_err(|error| tracing::error!(%error, "lock LEDs stay unknown: no thread to read them"))
                .ok()
        });
        Self {
            nodes: gadget
                .nodes
                .into_iter()
                .map(|(function, path)| Node::new(function, path))
                .collect(),
            udc: UdcStates::new(udc_root),
            leds,
            _reader: reader,
        }
    }
}

impl Sink for GadgetSink {
    fn offer(&mut self, function: Function, report: &[u8]) -> Offer {
        let wanted = function.descriptor().report_length;
        if report.len() != wanted {
            return Offer::Offline(format!(
                "a {function} report has {wanted} bytes, not {}",
                report.len()
            ));
        }
        let Some(node) = self.nodes.iter_mut().find(|node| node.function == function) else {
            return Offer::Offline(format!(
                "the gadget has no {function} function; name its node to use it"
            ));
        };
        if let Some(state) = self.udc.not_configured() {
            self.leds.send_if_modified(|leds| leds.take().is_some());
            let what_to_do = if state.contains("suspended") {
                "the target is asleep, wake it by its power button"
            } else {
                "check that the target is on and the cable is in the gadget port"
            };
            return Offer::Offline(format!(
                "the USB device controller says `{state}`: {what_to_do}"
            ));
        }
        let offer = node.offer(report);
        if matches!(offer, Offer::Offline(_)) && function == Function::Keyboard {
            self.leds.send_if_modified(|leds| leds.take().is_some());
        }
        offer
    }
}

#[derive(Debug)]
struct Node {
    function: Function,
    path: PathBuf,
    open: Option<(File, Identity)>,
    /// What was there when it failed last; something else is tried at once.
    failed: Option<Failure>,
    pause: Duration,
}

#[derive(Debug)]
struct Failure {
    why: String,
    at: Option<Identity>,
    until: Instant,
}

impl Node {
    fn new(function: Function, path: PathBuf) -> Self {
        Self {
            function,
            path,
            open: None,
            failed: None,
            pause: PAUSE.0,
        }
    }

    fn offer(&mut self, report: &[u8]) -> Offer {
        let named = Identity::named(&self.path);
        if self
            .open
            .as_ref()
            .is_some_and(|(_, open)| Some(*open) != named)
        {
            self.open = None;
        }
        if self.open.is_none() {
            if let Some(failure) = &self.failed
                && failure.at == named
                && Instant::now() < failure.until
            {
                return Offer::Offline(failure.why.clone());
            }
            match open(&self.path) {
                Ok(opened) => self.open = Some(opened),
                Err(error) => return self.fail("open", &error),
            }
        }
        let Some((file, _)) = &mut self.open else {
            return Offer::Busy;
        };
        match file.write(report) {
            Ok(written) if written == report.len() => {
                self.failed = None;
                self.pause = PAUSE.0;
                Offer::Taken
            }
            Ok(written) => {
                let error =
                    io::Error::other(format!("it took {written} of {} bytes", report.len()));
                self.fail("write to", &error)
            }
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) =>
            {
                Offer::Busy
            }
            Err(error) => self.fail("write to", &error),
        }
    }

    fn fail(&mut self, what: &str, error: &io::Error) -> Offer {
        let hint = match error.raw_os_error() {
            Some(libc::ENOENT) => "create the gadget (`rfbridge gadget up`)",
            Some(libc::EACCES | libc::EPERM) => "give this user the right to write to it",
            Some(libc::ESHUTDOWN) => {
                "the target does not have the gadget configured: check that it is on and the cable is in"
            }
            _ => "it is tried again",
        };
        let why = format!("cannot {what} {}: {error}; {hint}", self.path.display());
        self.open = None;
        self.failed = Some(Failure {
            why: why.clone(),
            at: Identity::named(&self.path),
            until: Instant::now() + self.pause,
        });
        self.pause = (self.pause * 2).min(PAUSE.1);
        Offer::Offline(why)
    }
}

/// Opened for writing alone: LEDs are read through a file of their own.
fn open(path: &Path) -> io::Result<(File, Identity)> {
    let file = OpenOptions::new()
        .write(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC)
        .open(path)?;
    let identity = Identity::of(&file)?;
    Ok((file, identity))
}

#[cfg(test)]
#[path = "gadget_tests.rs"]
mod tests;
