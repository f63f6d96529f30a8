//! The server's configuration, and keyboard layouts for clients that send characters.

use std::path::Path;

use super::{Examination, Options, Served, finding::Verdict, machine::Machine, processes::Process};
use crate::{
    config::{self, Config, DEFAULT_PATH, Settings},
    hid::keymap::Layout,
};

/// Where the layouts of X are.
const LAYOUTS: &str = "/usr/share/X11/xkb";

/// The text of a unit of systemd, if it is installed.
pub(super) fn unit(machine: &Machine, name: &str) -> Option<String> {
    let directories = [
        "/etc/systemd/system",
        "/usr/lib/systemd/system",
        "/lib/systemd/system",
    ];
    let mut paths = directories
        .iter()
        .map(|directory| format!("{directory}/{name}"));
    paths.find_map(|path| machine.text(path))
}

/// Where the configuration is from, and that of the rfbridge that runs, or of one that would be started; or why it
/// cannot be used.
pub(super) fn read_config(
    machine: &Machine,
    options: &Options,
    running: Option<&Process>,
) -> (String, Result<Config, String>) {
    let served = match (&options.config, running) {
        (None, Some(running)) => (options.served)(&running.words(machine)).unwrap_or_default(),
        (path, _) => Served {
            config: path.clone(),
            ..Served::default()
        },
    };
    let by_itself = Path::new(DEFAULT_PATH);
    let path = match &served.config {
        // One that is named from where we are.
        Some(path) => Some(std::path::absolute(path).unwrap_or_else(|_| path.clone())),
        // What may not be looked at is there.
        None => {
            let is_there = machine.path(by_itself).try_exists().unwrap_or(true);
            is_there.then(|| by_itself.to_owned())
        }
    };
    let mut origin = match &path {
        Some(path) => path.display().to_string(),
        None => format!("the defaults: there is no {DEFAULT_PATH}"),
    };
    if let Some(running) = running.filter(|_| served.flags != Settings::default()) {
        origin += &format!("; and the flags that {running} was started with");
    }
    let file = match &path {
        Some(path) => Settings::from_file(Some(&machine.path(path))),
        None => Ok(Settings::default()),
    };
    let settings = file.map_err(|error| error.to_string());
    let config = settings
        .and_then(|file| Config::new(served.flags.over(file)).map_err(|error| error.to_string()));
    (origin, config)
}

pub(super) fn config(examination: &Examination<'_>) -> Verdict {
    match &examination.config_fault {
        Some(fault) => Verdict::error(
            format!("rfbridge does not start with it: {fault}"),
            format!(
                "mend {}; `rfbridge serve --print-config` tries it",
                examination.origin
            ),
        ),
        None => Verdict::ok(&examination.origin),
    }
}

pub(super) fn layouts(examination: &Examination<'_>) -> Verdict {
    let machine = examination.machine;
    if let Some(config) = &examination.config {
        let config::Keyboard {
            layout, variant, ..
        } = &config.keyboard;
        let directory = machine.path(LAYOUTS);
        if let Err(error) = Layout::xkb_in(Some(&directory), layout, variant) {
            return Verdict::error(
                format!("rfbridge does not start: {error}"),
                format!(
                    "mend `layout` and `variant` of [keyboard] in {}",
                    examination.origin
                ),
            );
        }
    }
    match machine.has(format!("{LAYOUTS}/symbols")) {
        true => Verdict::ok(format!("{LAYOUTS} has them")),
        false => Verdict::note(
            format!(
                "{LAYOUTS} is not there: clients that send characters can only type for a target with the US layout"
            ),
            "for another layout: sudo apt install xkb-data",
        ),
    }
}
