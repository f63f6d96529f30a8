//! The server's configuration, and keyboard layouts for clients that send characters.

use std::path::Path;

use super::{Examination, finding::Verdict, machine::Machine};
use crate::config::{Config, DEFAULT_PATH, Settings};

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

/// As `serve` reads it.
///
/// # Errors
/// Why it cannot be used.
pub(super) fn read_config(machine: &Machine, path: Option<&Path>) -> Result<Config, String> {
    let by_itself = Path::new(DEFAULT_PATH);
    let path = match path {
        Some(path) => Some(path),
        // What may not be looked at is there.
        None => machine
            .path(by_itself)
            .try_exists()
            .unwrap_or(true)
            .then_some(by_itself),
    };
    let settings = match path {
        Some(path) => Settings::from_file(Some(&machine.path(absolute(path)))),
        None => Ok(Settings::default()),
    };
    let settings = settings.map_err(|error| error.to_string())?;
    Config::new(settings).map_err(|error| error.to_string())
}

/// One that is named from where we are.
fn absolute(path: &Path) -> std::path::PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

pub(super) fn config(examination: &Examination<'_>) -> Verdict {
    let named = examination.options.config.as_deref();
    let path = named.unwrap_or(Path::new(DEFAULT_PATH)).display();
    match &examination.config_fault {
        Some(fault) => Verdict::error(
            format!("rfbridge does not start with this: {fault}"),
            format!("mend {path}; `rfbridge serve --print-config` tries it"),
        ),
        None if named.is_none() && !examination.machine.has(DEFAULT_PATH) => {
            Verdict::ok(format!("the defaults: there is no {path}"))
        }
        None => Verdict::ok(path.to_string()),
    }
}

pub(super) fn layouts(examination: &Examination<'_>) -> Verdict {
    match examination.machine.has(format!("{LAYOUTS}/symbols")) {
        true => Verdict::ok(format!("{LAYOUTS} has them")),
        false => Verdict::note(
            format!(
                "{LAYOUTS} is not there: clients that send characters can only type for a target with the US layout"
            ),
            "for another layout: sudo apt install xkb-data",
        ),
    }
}
