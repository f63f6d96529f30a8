//! Finds the node of each function, again and again: a gadget is taken down and made anew, and changes what it has.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use super::{Function, configfs::Places};

/// For how long an answer is good if nothing goes wrong with it.
const GOOD_FOR: Duration = Duration::from_millis(500);

/// How a function's node is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// By the number that configfs gives for this function of the gadget that `rfbridge gadget up` makes. Without such
    /// a gadget it is the node that the first gadget with keyboard, absolute and relative pointer has, in that order:
    /// `/dev/hidg0`, `/dev/hidg1`, `/dev/hidg2`.
    Auto,
    Path(PathBuf),
}

/// A node, and what it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Located {
    pub path: PathBuf,
    /// Bytes of a report.
    pub report_length: usize,
}

/// The nodes as they were found last.
#[derive(Debug)]
pub(super) struct Locator {
    places: Places,
    wanted: Vec<(Function, Place)>,
    found: Vec<(Function, Result<Located, String>)>,
    /// Which functions there are, as far as it was possible to tell.
    known: Vec<Function>,
    controller: Option<String>,
    until: Option<Instant>,
}

impl Locator {
    pub(super) fn new(places: Places, wanted: Vec<(Function, Place)>) -> Self {
        Self {
            known: wanted.iter().map(|(function, _)| *function).collect(),
            places,
            wanted,
            found: Vec::new(),
            controller: None,
            until: None,
        }
    }

    /// The function's node, or why there is none and what to do.
    pub(super) fn find(&mut self, function: Function) -> Result<Located, String> {
        self.look();
        let found = self.found.iter().find(|(found, _)| *found == function);
        found.map_or_else(
            || {
                Err(format!(
                    "{function} is `none` in the settings, so nothing is sent to it"
                ))
            },
            |(_, found)| found.clone(),
        )
    }

    /// Whether there is such a function. While the gadget is not plugged in, it is as it was.
    pub(super) fn has(&mut self, function: Function) -> bool {
        self.look();
        self.known.contains(&function)
    }

    /// The controller that the gadget is plugged into, if that is known.
    pub(super) fn controller(&mut self) -> Option<&str> {
        self.look();
        self.controller.as_deref()
    }

    /// Looks anew at the next question.
    pub(super) fn doubt(&mut self) {
        self.until = None;
    }

    fn look(&mut self) {
        if self.until.is_some_and(|until| Instant::now() < until) {
            return;
        }
        self.until = Some(Instant::now() + GOOD_FOR);
        let is_ours = self.places.gadget().is_dir();
        let is_used = self.wanted.iter().any(|(_, place)| *place == Place::Auto);
        self.controller = self.places.controller().filter(|_| is_used);
        let wanted = self.wanted.iter();
        self.found = wanted
            .map(|(function, place)| {
                let found = match place {
                    Place::Auto if is_ours => self.of_our_gadget(*function),
                    Place::Auto => self.of_any_gadget(*function),
                    Place::Path(path) => Ok(self.at(*function, path.clone())),
                };
                (*function, found)
            })
            .collect();
        self.learn(is_ours);
    }

    /// Which functions there are, if what there is now tells.
    fn learn(&mut self, is_ours: bool) {
        let is_there = |(function, place): &(Function, Place)| match place {
            Place::Path(_) => None,
            Place::Auto if is_ours => Some(self.places.hid_function(*function).is_some()),
            Place::Auto => Some(self.located(*function).is_some_and(|at| at.path.exists())),
        };
        let there: Vec<_> = self.wanted.iter().map(is_there).collect();
        let tells = if is_ours {
            self.controller.is_some()
        } else {
            there.contains(&Some(true))
        };
        if tells {
            let all = self.wanted.iter().zip(there);
            self.known = all
                .filter(|(_, there)| *there != Some(false))
                .map(|((function, _), _)| *function)
                .collect();
        }
    }

    fn located(&self, function: Function) -> Option<&Located> {
        let found = self.found.iter().find(|(found, _)| *found == function);
        found.and_then(|(_, found)| found.as_ref().ok())
    }

    fn of_our_gadget(&self, function: Function) -> Result<Located, String> {
        let there = self.places.hid_function(function).ok_or_else(|| {
            format!(
                "the gadget has no {function} function in its profile; `rfbridge gadget profile full` has all of them"
            )
        })?;
        if self.controller.is_none() {
            let text =
                "the gadget is not plugged into a controller: plug it in (`rfbridge gadget up`)";
            return Err(text.to_owned());
        }
        let path = self.places.node(&there.number).ok_or_else(|| {
            format!(
                "no node for {function} ({}) is in {}: is udev or devtmpfs running?",
                there.number,
                self.places.devices.display()
            )
        })?;
        Ok(Located {
            path,
            report_length: there.report_length,
        })
    }

    fn of_any_gadget(&self, function: Function) -> Result<Located, String> {
        let name = match function {
            Function::Keyboard => "hidg0",
            Function::Absolute => "hidg1",
            Function::Relative => "hidg2",
            Function::Consumer => {
                let text = "there is no gadget of rfbridge's: make it (`rfbridge gadget up`), or name the node with --gadget-consumer";
                return Err(text.to_owned());
            }
        };
        Ok(self.at(function, self.places.devices.join(name)))
    }

    fn at(&self, function: Function, path: PathBuf) -> Located {
        let report_length = self.places.report_length(&path);
        Located {
            report_length: report_length.unwrap_or(function.descriptor().report_length),
            path,
        }
    }
}
