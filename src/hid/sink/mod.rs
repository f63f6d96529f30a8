//! Where reports go.
//!
//! A sink is one file here, its `mod` line, and one arm each in [`SinkKind`]'s functions.

mod gadget;
mod identity;
mod leds;
mod null;
mod record;
mod udc;

use std::{path::PathBuf, str::FromStr};

use tokio::sync::watch;

use super::Leds;

pub use gadget::{GadgetNodes, GadgetSink};
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
}

/// A sink as configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SinkKind {
    /// `gadget` or `gadget:KEYBOARD,ABSOLUTE,RELATIVE,CONSUMER`: the hidg nodes in this order. What is left out at the end
    /// or between commas is not there.
    Gadget(GadgetNodes),
    /// `null`
    Null,
}

/// What is wrong with a sink's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no sink is called `{0}`; there are `null`, `gadget`, and `gadget:` with the nodes of keyboard, absolute pointer, relative mouse and consumer control, such as `gadget:/dev/hidg0,/dev/hidg1,/dev/hidg2`"
)]
pub struct UnknownSink(String);

impl SinkKind {
    /// Makes the sink ready. Nothing has to be there yet; what cannot be opened is tried again when reports are offered.
    pub fn open(&self, leds: watch::Sender<Option<Leds>>) -> Box<dyn Sink> {
        match self {
            Self::Gadget(nodes) => Box::new(GadgetSink::new(nodes.clone(), leds)),
            Self::Null => Box::new(NullSink),
        }
    }
}

/// As [`FromStr`] reads it.
impl std::fmt::Display for SinkKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self::Gadget(gadget) = self else {
            return f.write_str("null");
        };
        let path = |function| {
            let node = gadget.nodes.iter().find(|(of, _)| *of == function);
            node.map_or(String::new(), |(_, path)| path.display().to_string())
        };
        let paths = Function::ALL.map(path).join(",");
        write!(f, "gadget:{}", paths.trim_end_matches(','))
    }
}

impl FromStr for SinkKind {
    type Err = UnknownSink;

    fn from_str(text: &str) -> Result<Self, UnknownSink> {
        let unknown = || UnknownSink(text.to_owned());
        match text.split_once(':') {
            None if text == "null" => Ok(Self::Null),
            None if text == "gadget" => Ok(Self::Gadget(GadgetNodes::default())),
            Some(("gadget", nodes)) => {
                let paths: Vec<&str> = nodes.split(',').map(str::trim).collect();
                if paths.len() > Function::ALL.len() || paths.iter().all(|path| path.is_empty()) {
                    return Err(unknown());
                }
                let nodes = Function::ALL.into_iter().zip(paths);
                let nodes = nodes.filter(|(_, path)| !path.is_empty());
                Ok(Self::Gadget(GadgetNodes::new(
                    nodes.map(|(function, path)| (function, PathBuf::from(path))),
                )))
            }
            _ => Err(unknown()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sinks_are_called_by_name() {
        assert_eq!("null".parse(), Ok(SinkKind::Null));
        assert_eq!(
            "gadget:/dev/a,,/dev/c".parse(),
            Ok(SinkKind::Gadget(GadgetNodes::new([
                (Function::Keyboard, "/dev/a".into()),
                (Function::Relative, "/dev/c".into()),
            ])))
        );
        assert_eq!(
            "gadget".parse(),
            Ok(SinkKind::Gadget(GadgetNodes::default()))
        );
        for wrong in [
            "",
            "gadget:",
            "gadget:,",
            "gadget:a,b,c,d,e",
            "file:x",
            "Null",
        ] {
            assert!(wrong.parse::<SinkKind>().is_err(), "{wrong}");
        }
    }
}
