//! Where reports go.
//!
//! A sink is one file here and its `mod` line; `app` makes the one that is configured.

pub mod configfs;
mod counted;
mod gadget;
mod identity;
mod leds;
mod locate;
mod null;
mod record;
pub mod udc;

pub use counted::CountedSink;
pub use gadget::{GadgetNodes, GadgetSink};
pub use locate::Place;
pub use null::NullSink;
pub use record::RecordSink;

/// A HID function of the gadget, each with its own report descriptor and endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Function {
    /// 8-byte boot keyboard.
    Keyboard,
    /// Absolute pointer.
    Absolute,
    /// Relative boot mouse.
    Relative,
    /// Consumer control (media keys).
    Consumer,
}

/// What became of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Offer {
    /// The kernel (or the target) has it.
    Taken,
    /// The one before has not been fetched yet; offer again.
    Busy,
    /// Nobody will fetch it: no cable, target off, gadget unbound, node gone. The text says what and how to mend it.
    Offline(String),
}

/// Takes reports; lives on the HID thread and never blocks. Lock LEDs that the target sets go to the
/// `watch::Sender<Option<Leds>>` that the sink was made with.
pub trait Sink: Send {
    fn offer(&mut self, function: Function, report: &[u8]) -> Offer;

    /// Whether there is such a function now; a gadget may change what it is while it is used.
    fn has(&mut self, function: Function) -> bool {
        let _ = function;
        true
    }
}
