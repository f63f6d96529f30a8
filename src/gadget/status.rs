//! What there is, in words and as JSON, and what is wrong with it.

use std::{
    fmt, fs,
    io::{Seek, SeekFrom},
    path::{Path, PathBuf},
};

use serde::Serialize;

use super::{
    GadgetError, Places,
    configfs::{Directory, Kernel, names},
    controller,
    media::{Drive, Kind},
    shape::{self, Shape},
};
use crate::{
    config::Profile,
    hid::sink::{Function, configfs::attribute, udc},
};

/// The gadget, its controller, and the target as far as the controller knows.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// Whether there is a gadget.
    pub exists: bool,
    /// `None` if its functions are those of no profile.
    pub profile: Option<&'static str>,
    /// The one that it is plugged into.
    pub controller: Option<String>,
    /// `not attached`, `configured`, `suspended` and so on, as the kernel says.
    pub state: Option<String>,
    /// `full-speed`, `high-speed` and so on.
    pub speed: Option<String>,
    pub functions: Vec<FunctionStatus>,
    /// Functions that others put into the gadget.
    pub others: Vec<String>,
    pub media: MediaStatus,
    /// What is wrong, each with what to do.
    pub problems: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct FunctionStatus {
    pub function: &'static str,
    /// `major:minor`
    pub number: String,
    /// Bytes of a report.
    pub report_length: usize,
    pub node: Option<PathBuf>,
}

/// The virtual drive.
#[derive(Clone, Debug, Serialize)]
pub struct MediaStatus {
    /// Whether the target has a drive.
    pub drive: bool,
    pub kind: Option<Kind>,
    pub inserted: bool,
    pub file: Option<PathBuf>,
    /// In bytes.
    pub size: Option<u64>,
    pub read_only: Option<bool>,
}

impl Status {
    pub fn read(places: &Places) -> Self {
        let directory = Directory::new(places.gadget(), Box::new(Kernel));
        let shape = Shape::read(&directory);
        let controller = places.controller();
        let of_controller = |name: &str| {
            let path = places.controllers.join(controller.as_deref()?).join(name);
            attribute(&path)
        };
        let mut status = Self {
            exists: directory.path.is_dir(),
            profile: shape.profile().map(Profile::name),
            state: controller
                .as_deref()
                .and_then(|name| udc::state(&places.controllers, name)),
            speed: of_controller("current_speed").filter(|speed| speed != "UNKNOWN"),
            functions: functions(places),
            others: shape::functions_of_others(&directory),
            media: MediaStatus::new(shape.drive.as_ref()),
            problems: Vec::new(),
            controller,
        };
        status.problems = status.problems(places);
        status
    }

    pub fn to_json(&self) -> String {
        json(self)
    }

    fn problems(&self, places: &Places) -> Vec<String> {
        if !places.gadgets.is_dir() {
            return vec![GadgetError::NoConfigfs(places.gadgets.clone()).to_string()];
        }
        let mut problems = Vec::new();
        if names(&places.controllers).is_empty() {
            problems.push(GadgetError::NoController(places.controllers.clone()).to_string());
        } else if self.controller.is_none()
            && let Err(error) = controller::choose(places, None)
        {
            problems.push(error.to_string());
        }
        if !self.exists {
            problems.push(GadgetError::NoGadget.to_string());
            return problems;
        }
        match (self.controller.as_deref(), self.state.as_deref()) {
            (None, _) => problems.push(
                "the gadget is not plugged into a controller: plug it in (`rfbridge gadget up`)"
                    .to_owned(),
            ),
            (_, Some("configured")) => {}
            (_, Some(udc::SUSPENDED)) => problems.push(
                "the target is asleep: a key or a button wakes it if it can be woken, else its power button"
                    .to_owned(),
            ),
            (Some(controller), state) => problems.push(format!(
                "the target has not set the gadget up ({}): check that it is on and the cable is in the port of {controller}",
                state.unwrap_or("nothing is known")
            )),
        }
        if self.functions.is_empty() {
            problems
                .push("the gadget has no HID function: add them (`rfbridge gadget up`)".to_owned());
        } else if self.profile.is_none() {
            problems.push(
                "the functions are those of no profile, perhaps of an older version: choose one (`rfbridge gadget profile full`)"
                    .to_owned(),
            );
        }
        let is_plugged = self.controller.is_some();
        for function in self.functions.iter().filter(|_| is_plugged) {
            if function.node.is_none() {
                let missing = format!(
                    "no device node for {} ({}) is in {}: is udev or devtmpfs running?",
                    function.function,
                    function.number,
                    places.devices.display()
                );
                problems.push(missing);
            }
        }
        if self.profile == Some(Profile::Bios.name()) && self.media.drive && !self.media.inserted {
            problems.push(
                "some firmware takes no keyboard that comes with a drive, and the drive is empty: take it away (`rfbridge media remove`)"
                    .to_owned(),
            );
        }
        problems
    }
}

fn functions(places: &Places) -> Vec<FunctionStatus> {
    let functions = Function::ALL.into_iter().filter_map(|function| {
        let found = places.hid_function(function)?;
        Some(FunctionStatus {
            function: function.name(),
            node: places.node(&found.number),
            number: found.number,
            report_length: found.report_length,
        })
    });
    functions.collect()
}

impl MediaStatus {
    pub fn read(places: &Places) -> Self {
        let directory = Directory::new(places.gadget(), Box::new(Kernel));
        Self::new(Drive::read(&directory).as_ref())
    }

    fn new(drive: Option<&Drive>) -> Self {
        let file = drive.and_then(|drive| drive.file.clone());
        Self {
            drive: drive.is_some(),
            kind: drive.map(|drive| drive.kind),
            inserted: file.is_some(),
            size: file.as_deref().and_then(size),
            read_only: drive.map(|drive| drive.read_only),
            file,
        }
    }

    pub fn to_json(&self) -> String {
        json(self)
    }
}

/// Of a block device as well, whose metadata do not tell.
fn size(path: &Path) -> Option<u64> {
    fs::File::open(path).ok()?.seek(SeekFrom::End(0)).ok()
}

fn json(value: &impl Serialize) -> String {
    // Nothing in it can fail: no map, no path that is not text is left to serde.
    serde_json::to_string_pretty(value).unwrap_or_default()
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |name: &str, text: &dyn fmt::Display| writeln!(f, "{name:<10}{text}");
        if self.exists {
            let profile = self.profile.unwrap_or("of no profile");
            match &self.controller {
                Some(controller) => {
                    line("gadget", &format!("{profile}, plugged into {controller}"))?
                }
                None => line("gadget", &format!("{profile}, not plugged in"))?,
            }
        } else {
            line("gadget", &"none")?;
        }
        if let Some(state) = &self.state {
            match &self.speed {
                Some(speed) => line("target", &format!("{state}, {speed}"))?,
                None => line("target", state)?,
            }
        }
        for function in &self.functions {
            let node = function.node.as_deref().unwrap_or(Path::new("-")).display();
            let text = format!(
                "{node} ({}), reports of {} bytes",
                function.number, function.report_length
            );
            line(function.function, &text)?;
        }
        for other in &self.others {
            line("other", other)?;
        }
        if self.media.drive {
            line("drive", &self.media)?;
        }
        for problem in &self.problems {
            line("problem", problem)?;
        }
        Ok(())
    }
}

impl fmt::Display for MediaStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(kind) = self.kind else {
            return f.write_str("no drive; `rfbridge media insert FILE` adds one");
        };
        write!(f, "{kind}, ")?;
        match &self.file {
            None => f.write_str("empty"),
            Some(file) => {
                write!(f, "{}", file.display())?;
                if let Some(size) = self.size {
                    write!(f, ", {size} bytes")?;
                }
                let read_only = self.read_only == Some(true);
                f.write_str(if read_only {
                    ", read-only"
                } else {
                    ", writable"
                })
            }
        }
    }
}
