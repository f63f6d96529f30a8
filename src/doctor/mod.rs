//! `rfbridge doctor`: looks at everything between a viewer and the target, and says what to mend.
//!
//! Each check is one function in the file of its subject and a row in `CHECKS`, whose order is that in which things have to be
//! mended. A check that makes no sense because of what an earlier one found is skipped and says so, so what is broken is
//! told once. Nothing is changed: files are read, devices are asked, and the capture device streams for a moment, as it
//! would for a viewer, if nobody else uses it.

mod board;
mod boot;
mod browser;
mod camera;
mod capture;
mod clock;
mod controller;
mod devicetree;
mod encryption;
mod finding;
mod gadget;
mod kernel;
mod listen;
mod machine;
mod nodes;
mod password;
mod processes;
mod report;
mod server;
mod switches;
mod usb;
mod user;
mod users;

use std::{cell::OnceCell, path::PathBuf};

use crate::config::{self, Config, Settings, Sink};

pub use camera::{Camera, Watched};
pub use finding::{Finding, Severity};
pub use machine::{Clock, Machine};
pub use report::{Report, Style};

use finding::Verdict;
use processes::Process;
use user::User;

/// What is asked for.
pub struct Options {
    /// The configuration file, if it is not that of the rfbridge that runs, or the one that is read by itself.
    pub config: Option<PathBuf>,
    /// Whether to look at what the capture device sends.
    pub capture: bool,
    /// Reads the command line of an rfbridge that serves.
    pub served: fn(&[String]) -> Option<Served>,
}

/// What an rfbridge was started with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Served {
    pub flags: Settings,
    pub config: Option<PathBuf>,
}

type Check = fn(&Examination<'_>) -> Verdict;

const INPUT: &str = "Keyboard and mouse";
const PICTURE: &str = "Picture";
const BOARD: &str = "Board";
const SERVER: &str = "Server";

/// Identity, part, subject and check, in the order of the report. The identities are for scripts and stay.
const CHECKS: [(&str, &str, &str, Check); 29] = [
    ("board", INPUT, "board", board::model),
    ("modules", INPUT, "kernel modules", kernel::modules),
    ("device-mode", INPUT, "USB device mode", boot::device_mode),
    (
        "controller",
        INPUT,
        "device controller",
        controller::present,
    ),
    ("configfs", INPUT, "configfs", kernel::configfs),
    ("gadget", INPUT, "gadget", gadget::plugged_in),
    ("endpoints", INPUT, "endpoints", gadget::endpoints),
    ("keyboard", INPUT, "keyboard", nodes::keyboard),
    ("absolute", INPUT, "absolute mouse", nodes::absolute),
    ("relative", INPUT, "relative mouse", nodes::relative),
    ("consumer", INPUT, "media keys", nodes::consumer),
    ("leds", INPUT, "lock LEDs", nodes::leds),
    ("wake-up", INPUT, "waking the target", controller::wake_up),
    ("target", INPUT, "USB to the target", controller::target),
    ("capture-device", PICTURE, "capture device", capture::device),
    (
        "capture-access",
        PICTURE,
        "right to capture",
        capture::access,
    ),
    (
        "capture-modes",
        PICTURE,
        "formats and rates",
        capture::modes,
    ),
    ("capture-usb", PICTURE, "USB of the dongle", capture::usb),
    ("capture-picture", PICTURE, "live picture", capture::picture),
    ("power", BOARD, "power", board::power),
    ("temperature", BOARD, "temperature", board::temperature),
    ("config", SERVER, "configuration", server::config),
    ("listen", SERVER, "port", listen::ports),
    ("password", SERVER, "password", password::password),
    ("encryption", SERVER, "encryption", encryption::encryption),
    ("browser", SERVER, "browser", browser::browser),
    ("power-actions", SERVER, "power actions", switches::switches),
    ("xkb-data", SERVER, "keyboard layouts", server::layouts),
    ("clock", SERVER, "clock", clock::clock),
];

/// Looks at everything; `progress` is told before what takes longer.
pub fn examine(machine: &Machine, options: &Options, progress: &dyn Fn(&str)) -> Report {
    let running = processes::server(machine);
    let (origin, config) = server::read_config(machine, options, running.as_ref());
    let (config, config_fault) = match config {
        Ok(config) => (Some(config), None),
        Err(fault) => (Config::new(Settings::default()).ok(), Some(fault)),
    };
    let mut examination = Examination {
        machine,
        options,
        progress,
        caller: User::caller(machine),
        user: User::of(machine, running.as_ref()),
        running,
        origin,
        config,
        config_fault,
        captures: OnceCell::new(),
        ports: OnceCell::new(),
        findings: Vec::new(),
    };
    for (id, part, subject, check) in CHECKS {
        let Verdict {
            severity,
            what,
            fix,
        } = check(&examination);
        examination.findings.push(Finding {
            id,
            part,
            subject,
            severity,
            what,
            fix,
        });
    }
    Report {
        findings: examination.findings,
    }
}

/// What checks look at.
struct Examination<'m> {
    machine: &'m Machine,
    options: &'m Options,
    progress: &'m dyn Fn(&str),
    /// Who runs this.
    caller: User,
    /// Who is to open the devices.
    user: User,
    /// The rfbridge that serves.
    running: Option<Process>,
    /// Where the configuration is from.
    origin: String,
    /// The defaults where the file is no good.
    config: Option<Config>,
    config_fault: Option<String>,
    captures: OnceCell<Vec<capture::Node>>,
    ports: OnceCell<Vec<devicetree::Port>>,
    /// What the checks before this one have found.
    findings: Vec<Finding>,
}

impl Examination<'_> {
    /// Why a check is skipped: one of `needed` has failed, or was itself skipped.
    fn without(&self, needed: &[&str]) -> Option<Verdict> {
        let mut findings = needed
            .iter()
            .filter_map(|id| self.findings.iter().find(|finding| finding.id == *id));
        findings.find_map(|finding| match finding.severity {
            Severity::Error => Some(Verdict::skipped(format!(
                "first mend the {}",
                finding.subject
            ))),
            Severity::Skipped => Some(Verdict::skipped(&finding.what)),
            _ => None,
        })
    }

    /// The configuration, for checks that make no sense with another one.
    fn config(&self) -> Result<&Config, Verdict> {
        let first = || Verdict::skipped("first mend the configuration");
        match self.config_fault {
            Some(_) => Err(first()),
            None => self.config.as_ref().ok_or_else(first),
        }
    }

    /// Why nothing of the gadget is looked at.
    fn without_gadget(&self) -> Option<Verdict> {
        let sink = self.config.as_ref().map(|config| config.sink);
        (sink == Some(Sink::Null))
            .then(|| Verdict::skipped("the configuration has `sink = \"null\"`: no input is sent"))
    }

    /// Where frames are to come from.
    fn source(&self) -> config::Source {
        let source = self.config.as_ref().map(|config| config.source.clone());
        source.unwrap_or(config::Source::V4l(None))
    }

    /// The ports that the device tree has.
    fn ports(&self) -> &[devicetree::Port] {
        self.ports.get_or_init(|| devicetree::ports(self.machine))
    }
}
