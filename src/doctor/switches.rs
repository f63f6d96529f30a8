//! What switches the target: whether its GPIO lines and programs are there, for the server to use.

use std::path::Path;

use super::{Examination, finding::Verdict};
use crate::config::{Line, PowerAction, Way};

pub(super) fn switches(examination: &Examination<'_>) -> Verdict {
    let config = match examination.config() {
        Ok(config) => config,
        Err(skipped) => return skipped,
    };
    let power = &config.power;
    let set_up = |action: &PowerAction| power.way(*action).is_some();
    let actions: Vec<_> = PowerAction::ALL.into_iter().filter(set_up).collect();
    for action in &actions {
        let trouble = match power.way(*action) {
            Some(Way::Line(line)) => chip(examination, &line),
            Some(Way::Command(words)) => words
                .first()
                .and_then(|name| program(examination, Path::new(name))),
            Some(Way::Wake { .. }) | None => None,
        };
        if let Some(verdict) = trouble {
            return verdict;
        }
    }
    if let Some(verdict) = power.led.as_ref().and_then(|line| chip(examination, line)) {
        return verdict;
    }
    let names: Vec<_> = actions.iter().map(|action| action.name()).collect();
    match names.is_empty() {
        true => Verdict::ok("none is set up in [power]"),
        false => Verdict::ok(names.join(", ")),
    }
}

/// What is wrong with a line's chip.
fn chip(examination: &Examination<'_>, line: &Line) -> Option<Verdict> {
    let path = Path::new("/dev").join(&line.chip);
    let user = &examination.user;
    match examination.machine.metadata(&path) {
        None => Some(Verdict::warning(
            format!("{line} cannot be used: there is no {}", path.display()),
            "gpiodetect shows which chips there are; mend [power]",
        )),
        Some(metadata) if !user.may(&metadata, 0o6) => Some(Verdict::warning(
            format!(
                "{line} cannot be used: {} may not open {}",
                user.name,
                path.display()
            ),
            "systemctl edit rfbridge: [Service] and SupplementaryGroups=gpio, or the group that has the device",
        )),
        Some(_) => None,
    }
}

/// What is wrong with a program.
fn program(examination: &Examination<'_>, path: &Path) -> Option<Verdict> {
    let (user, name) = (&examination.user, path.display());
    match examination.machine.metadata(path) {
        None => Some(Verdict::warning(
            format!("a command of [power] is not there: {name}"),
            "mend [power], or put the program there",
        )),
        Some(metadata) if !user.may(&metadata, 0o1) => Some(Verdict::warning(
            format!(
                "a command of [power] cannot be run by {}: {name}",
                user.name
            ),
            format!("sudo chmod 755 {name}"),
        )),
        Some(_) => None,
    }
}
