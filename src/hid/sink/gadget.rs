//! The nodes of the USB gadget's HID functions, `/dev/hidgN` (the kernel's `f_hid`).
//!
//! - The node takes one report; until the target has polled it, the next write fails with EAGAIN.
//! - With no cable, an unbound gadget or a target that is off, writes fail with ESHUTDOWN, and neither `poll` nor the open
//!   file ever says when that is over. So the node is closed and opened anew, for ever, with a growing pause.
//! - A gadget that was made anew has new nodes, perhaps with other numbers behind the same name, and one that became another
//!   profile has other functions; each offer looks whether the name still means the open node, and if not, where the
//!   function is now.
//! - Reports of the wrong length are cut or sent short by the kernel, so they are refused here. A function without AC
//!   Pan or wheel gets its reports without these.
//! - A press is never left with a target that sleeps, to be typed whenever it wakes; it asks for the wake-up, no more.

use std::{
    fs::{File, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use tokio::sync::watch;

use super::{
    Function, Offer, Sink,
    configfs::Places,
    identity::Identity,
    leds::LedReader,
    locate::{Located, Locator, Place},
    udc::{SUSPENDED, UdcStates},
};
use crate::hid::{Leds, report};

/// Pause before a node is opened again: the first, and the longest.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));
/// A target that sleeps is asked to wake up at most this often.
const WAKE: Duration = Duration::from_secs(1);

/// Where the gadget is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GadgetNodes {
    /// The functions that reports may go to, each with how its node is found.
    pub nodes: Vec<(Function, Place)>,
    /// Whether lock LEDs are read from the keyboard's node.
    pub leds: bool,
    pub places: Places,
}

impl GadgetNodes {
    /// These nodes of this machine, with LEDs.
    pub fn new(nodes: impl IntoIterator<Item = (Function, Place)>) -> Self {
        Self {
            nodes: nodes.into_iter().collect(),
            leds: true,
            places: Places::default(),
        }
    }
}

impl Default for GadgetNodes {
    /// Every function, wherever it is.
    fn default() -> Self {
        Self::new(Function::ALL.map(|function| (function, Place::Auto)))
    }
}

#[derive(Debug)]
pub struct GadgetSink {
    locator: Locator,
    nodes: Vec<Node>,
    udc: UdcStates,
    wake: Wake,
    leds: watch::Sender<Option<Leds>>,
    /// Reads until the sink is dropped.
    _reader: Option<LedReader>,
}

/// What was done to wake a target that sleeps.
#[derive(Debug, Default)]
struct Wake {
    last: Option<Instant>,
    /// It was logged since the target was awake.
    is_said: bool,
}

impl GadgetSink {
    /// Lock LEDs go to `leds`: `None` at first and whenever the target is gone.
    pub fn new(gadget: GadgetNodes, leds: watch::Sender<Option<Leds>>) -> Self {
        let locator = || Locator::new(gadget.places.clone(), gadget.nodes.clone());
        let udc = || UdcStates::new(Some(&gadget.places.controllers));
        let reader = gadget.leds.then(|| {
            LedReader::spawn(locator(), udc(), leds.clone())
                .inspect_err(|error| tracing::error!(%error, "lock LEDs stay unknown: no thread to read them"))
                .ok()
        });
        Self {
            locator: locator(),
            udc: udc(),
            nodes: Vec::new(),
            wake: Wake::default(),
            leds,
            _reader: reader.flatten(),
        }
    }

    /// The node of a function as it is now, by its place in `nodes`, and how long its reports are.
    fn locate(&mut self, function: Function) -> Result<(usize, usize), String> {
        let mut found = self.locator.find(function)?;
        let is_as_before = |nodes: &[Node], found: &Located| {
            nodes.iter().any(|node| {
                node.function == function && node.path == found.path && !node.is_stale()
            })
        };
        if !is_as_before(&self.nodes, &found) {
            self.locator.doubt();
            found = self.locator.find(function)?;
        }
        let length = found.report_length;
        if !function.takes(length) {
            return Err(format!(
                "{} takes reports of {length} bytes, which is no {function} function's; name the right node with --gadget-{function}",
                found.path.display()
            ));
        }
        let known = self
            .nodes
            .iter()
            .position(|node| node.function == function && node.path == found.path);
        let index = known.unwrap_or_else(|| {
            self.nodes.retain(|node| node.function != function);
            self.nodes.push(Node::new(function, found.path));
            self.nodes.len() - 1
        });
        Ok((index, length))
    }

    /// Why the target takes nothing, if its controller says so; a press wakes one that sleeps.
    fn absence(&mut self, is_press: bool) -> Option<String> {
        self.udc.look_at(self.locator.controller());
        let Some(state) = self.udc.not_configured() else {
            self.wake.is_said = false;
            return None;
        };
        self.leds.send_if_modified(|leds| leds.take().is_some());
        let what_to_do = match (state.contains(SUSPENDED), is_press) {
            (true, true) => self.wake(),
            (true, false) => {
                "the target is asleep, a key or a button wakes it if it can be woken".to_owned()
            }
            (false, _) => {
                "check that the target is on and the cable is in the gadget port".to_owned()
            }
        };
        Some(format!(
            "the USB device controller says `{state}`: {what_to_do}"
        ))
    }

    /// Asks for the wake-up; says what came of it.
    fn wake(&mut self) -> String {
        let asked = "the target is asleep and was asked to wake up; if it does not, wake it by its power button";
        if self.wake.last.is_some_and(|last| last.elapsed() < WAKE) {
            return asked.to_owned();
        }
        self.wake.last = Some(Instant::now());
        let is_news = !std::mem::replace(&mut self.wake.is_said, true);
        match self.udc.wake() {
            Ok(()) => {
                if is_news {
                    tracing::info!("the target is asleep: it is asked to wake up (remote wake-up)");
                }
                asked.to_owned()
            }
            Err(error) => {
                let text = format!(
                    "the target is asleep and cannot be asked to wake up ({error}): give this user the right to write there, \
                     as contrib/udev does; until then wake it by its power button"
                );
                if is_news {
                    tracing::warn!("{text}");
                }
                text
            }
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
        let offer = match self.locate(function) {
            Err(why) => Offer::Offline(why),
            Ok((node, length)) => match self.absence(report::holds(function, report)) {
                Some(why) => return Offer::Offline(why),
                None => self.nodes[node].offer(&report[..length]),
            },
        };
        if matches!(offer, Offer::Offline(_)) {
            self.locator.doubt();
            if function == Function::Keyboard {
                self.leds.send_if_modified(|leds| leds.take().is_some());
            }
        }
        offer
    }

    fn has(&mut self, function: Function) -> bool {
        self.locator.has(function)
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

    /// Whether the name means another node than the open one.
    fn is_stale(&self) -> bool {
        let named = Identity::named(&self.path);
        self.open
            .as_ref()
            .is_some_and(|(_, open)| Some(*open) != named)
    }

    fn offer(&mut self, report: &[u8]) -> Offer {
        let named = Identity::named(&self.path);
        if self.is_stale() {
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
