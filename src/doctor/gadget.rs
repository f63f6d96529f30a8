//! The gadget in configfs, ours or somebody else's, and the endpoints that it takes.

use std::{
    ffi::OsStr,
    ops::Add as _,
    path::{Path, PathBuf},
};

use super::{Examination, controller::CONTROLLERS, finding::Verdict, machine::Machine, server};
use crate::{
    gadget::{Endpoints, Limit},
    hid::sink::configfs::GADGET as NAME,
};

pub(super) const GADGETS: &str = "/sys/kernel/config/usb_gadget";
const REMAKE: &str = "sudo rfbridge gadget down && sudo rfbridge gadget up";

/// One gadget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Gadget {
    pub(super) name: String,
    /// What it is plugged into.
    pub(super) controller: Option<String>,
    /// The functions in it, such as `hid.keyboard`.
    functions: Vec<String>,
}

/// A HID function of any gadget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HidFunction {
    pub(super) directory: PathBuf,
    /// `bInterfaceProtocol`: 1 keyboard, 2 mouse.
    pub(super) protocol: Option<u8>,
    pub(super) report_length: Option<u16>,
    /// `major:minor`
    pub(super) number: String,
    pub(super) is_plugged_in: bool,
}

pub(super) fn all(machine: &Machine) -> Vec<Gadget> {
    let gadget = |name: String| {
        let directory = format!("{GADGETS}/{name}");
        let controller = machine.text(format!("{directory}/UDC"));
        Gadget {
            controller: controller.filter(|controller| !controller.is_empty()),
            functions: machine.names(format!("{directory}/functions")),
            name,
        }
    };
    machine.names(GADGETS).into_iter().map(gadget).collect()
}

pub(super) fn hid_functions(machine: &Machine) -> Vec<HidFunction> {
    let mut found = Vec::new();
    for gadget in all(machine) {
        for function in gadget
            .functions
            .iter()
            .filter(|name| name.starts_with("hid."))
        {
            let directory =
                PathBuf::from(format!("{GADGETS}/{}/functions/{function}", gadget.name));
            let attribute = |name: &str| machine.text(directory.join(name));
            found.extend(attribute("dev").map(|number| HidFunction {
                protocol: attribute("protocol").and_then(|text| text.parse().ok()),
                report_length: attribute("report_length").and_then(|text| text.parse().ok()),
                number,
                is_plugged_in: gadget.controller.is_some(),
                directory: directory.clone(),
            }));
        }
    }
    found
}

pub(super) fn plugged_in(examination: &Examination<'_>) -> Verdict {
    let without = || examination.without(&["board", "configfs", "controller"]);
    if let Some(skipped) = examination.without_gadget().or_else(without) {
        return skipped;
    }
    let machine = examination.machine;
    let make = how_to_make(machine);
    let gadgets = all(machine);
    let ours = gadgets.iter().find(|gadget| gadget.name == NAME);
    let bound = gadgets.iter().find(|gadget| gadget.controller.is_some());
    match (ours, bound) {
        (
            Some(Gadget {
                controller: Some(controller),
                functions,
                ..
            }),
            _,
        ) => Verdict::ok(format!(
            "{NAME} with {} functions is plugged into {controller}",
            functions.len()
        )),
        (_, Some(other)) if other.functions.iter().any(|name| name.starts_with("hid.")) => {
            Verdict::ok(format!(
                "`{}`, with HID functions of its own, is plugged in",
                other.name
            ))
        }
        (_, Some(other)) => Verdict::error(
            format!(
                "the controller is taken by another gadget, `{}`, which has no keyboard",
                other.name
            ),
            format!(
                "unplug that: echo | sudo tee {GADGETS}/{}/UDC; then {make}",
                other.name
            ),
        ),
        (ours, None) => match (legacy(machine), ours) {
            (Some(module), _) => Verdict::error(
                format!("the controller is taken by the module {module}"),
                format!(
                    "sudo modprobe -r {module}, and take it out of `modules-load` in /boot/firmware/cmdline.txt and of /etc/modules; then {make}"
                ),
            ),
            (None, Some(_)) => Verdict::error(
                format!("the gadget {NAME} is there but not plugged into a controller"),
                REMAKE,
            ),
            (None, None) => Verdict::error(
                "there is no gadget: the target has no keyboard to see",
                make,
            ),
        },
    }
}

/// How the gadget is made: now, and where the service is installed at each start.
fn how_to_make(machine: &Machine) -> &'static str {
    match server::unit(machine, "rfbridge-gadget.service") {
        Some(_) => "sudo systemctl enable --now rfbridge-gadget",
        None => "sudo rfbridge gadget up; for each start, install the service (contrib/systemd)",
    }
}

/// A module that is a gadget by itself and takes the controller.
fn legacy(machine: &Machine) -> Option<String> {
    const MODULES: [&str; 14] = [
        "g_acm_ms",
        "g_audio",
        "g_cdc",
        "g_ether",
        "g_ffs",
        "g_hid",
        "g_mass_storage",
        "g_midi",
        "g_multi",
        "g_ncm",
        "g_printer",
        "g_serial",
        "g_webcam",
        "g_zero",
    ];
    let loaded = machine.text("/proc/modules")?;
    let mut names = loaded.lines().filter_map(|line| line.split(' ').next());
    names.find(|name| MODULES.contains(name)).map(str::to_owned)
}

pub(super) fn endpoints(examination: &Examination<'_>) -> Verdict {
    let without = || examination.without(&["gadget"]);
    if let Some(skipped) = examination.without_gadget().or_else(without) {
        return skipped;
    }
    let machine = examination.machine;
    let bound = all(machine)
        .into_iter()
        .find(|gadget| gadget.controller.is_some());
    let Some((gadget, controller)) =
        bound.and_then(|gadget| Some((gadget.clone(), gadget.controller?)))
    else {
        return Verdict::skipped("the gadget is not plugged in");
    };
    let endpoints_of = |function: &String| {
        let has_out = || {
            let path = format!(
                "{GADGETS}/{}/functions/{function}/no_out_endpoint",
                gadget.name
            );
            machine.text(path).as_deref() != Some("1")
        };
        Endpoints::of(function, has_out)
    };
    let used = gadget
        .functions
        .iter()
        .map(endpoints_of)
        .fold(Endpoints::default(), Endpoints::add);
    let driver = machine.resolved(format!("{CONTROLLERS}/{controller}/device/driver"));
    let driver = driver.as_deref().and_then(Path::file_name);
    let limit = driver.and_then(OsStr::to_str).and_then(Limit::of);
    match limit {
        None => Verdict::ok(format!("{used} in use")),
        Some(limit) if limit.fits(used) => Verdict::ok(format!("{used} of {limit}")),
        Some(limit) => Verdict::warning(
            format!("{used}, more than the {limit} that the controller has: functions may be dead"),
            "take functions out of the gadget",
        ),
    }
}
