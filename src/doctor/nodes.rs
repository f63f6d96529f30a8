//! The device nodes that reports are written to.

use std::{
    os::unix::fs::FileTypeExt,
    path::{Path, PathBuf},
};

use super::{
    Examination,
    finding::Verdict,
    gadget::{self, HidFunction},
    machine::Machine,
};
use crate::{
    config,
    hid::sink::{Function, configfs::GADGET},
};

const REMAKE: &str = "sudo rfbridge gadget down && sudo rfbridge gadget up";

pub(super) fn keyboard(examination: &Examination<'_>) -> Verdict {
    node(examination, Function::Keyboard)
}

pub(super) fn absolute(examination: &Examination<'_>) -> Verdict {
    node(examination, Function::Absolute)
}

pub(super) fn relative(examination: &Examination<'_>) -> Verdict {
    node(examination, Function::Relative)
}

pub(super) fn consumer(examination: &Examination<'_>) -> Verdict {
    node(examination, Function::Consumer)
}

fn node(examination: &Examination<'_>, function: Function) -> Verdict {
    let without = || examination.without(&["gadget"]);
    if let Some(skipped) = examination.without_gadget().or_else(without) {
        return skipped;
    }
    let machine = examination.machine;
    let path = match place(examination, function) {
        Ok(path) => path,
        Err(why) => return Verdict::skipped(why),
    };
    let name = path.display();
    let Some(metadata) = machine.metadata(&path) else {
        let what = format!("{name} is not there");
        return match function {
            Function::Keyboard | Function::Absolute => Verdict::error(what, REMAKE),
            _ => Verdict::warning(what, REMAKE),
        };
    };
    let Some(number) = machine.number(&path) else {
        let kind = if metadata.file_type().is_block_device() {
            "a block device"
        } else {
            "a plain file"
        };
        return Verdict::error(
            format!("{name} is {kind}: something wrote there while there was no gadget"),
            format!("sudo rm {name}; then {REMAKE}"),
        );
    };
    let functions = gadget::hid_functions(machine);
    let behind = functions.iter().find(|function| function.number == number);
    match behind {
        Some(behind) if !is_like(behind, function) => Verdict::error(
            format!(
                "{name} is not the {}: its reports have {} bytes, these have {}",
                words(function),
                behind.report_length.unwrap_or_default(),
                function.descriptor().report_length,
            ),
            "set the devices of [gadget] in the configuration as `sudo rfbridge gadget up` prints them",
        ),
        Some(behind) if !behind.is_plugged_in => Verdict::error(
            format!("{name} belongs to a gadget that is not plugged in"),
            REMAKE,
        ),
        None if !functions.is_empty() => Verdict::error(
            format!("{name} belongs to no gadget that is there"),
            format!("set the devices of [gadget] in the configuration, or: {REMAKE}"),
        ),
        _ if !examination.user.may_read_and_write(&metadata) => Verdict::error(
            format!("{} may not write to {name}", examination.user.name),
            "install contrib/udev/70-rfbridge.rules and run rfbridge as the user rfbridge (or as root); then sudo udevadm trigger",
        ),
        _ => Verdict::ok(format!("{name}, open to {}", examination.user.name)),
    }
}

/// Reports are what has to fit; of two functions as long as each other the protocol tells.
fn is_like(behind: &HidFunction, function: Function) -> bool {
    let has_length = behind.report_length.map(usize::from);
    let is_keyboard = function == Function::Keyboard;
    has_length.is_none_or(|length| function.takes(length))
        && behind
            .protocol
            .is_none_or(|protocol| (protocol == 1) == is_keyboard)
}

fn words(function: Function) -> &'static str {
    match function {
        Function::Keyboard => "keyboard",
        Function::Absolute => "absolute mouse",
        Function::Relative => "relative mouse",
        Function::Consumer => "media keys",
    }
}

/// The node that reports go to, as the sink finds it, or why there is none.
fn place(examination: &Examination<'_>, function: Function) -> Result<PathBuf, String> {
    let key = function.name();
    let no_device = || format!("the configuration has no device for it (`{key}` of [gadget])");
    let config = examination.config.as_ref().ok_or_else(no_device)?;
    let functions = config.gadget.functions();
    let device = functions.into_iter().find(|(name, _)| *name == key);
    match device.map(|(_, device)| device) {
        Some(config::Function::Device(path)) => Ok(path.clone()),
        Some(config::Function::Auto) => automatic(examination.machine, function)
            .ok_or_else(|| "the gadget has no such function in its profile".to_owned()),
        Some(config::Function::None) | None => Err(no_device()),
    }
}

/// Where `auto` leads: to our gadget's function by its number, else to the node that has its name.
fn automatic(machine: &Machine, function: Function) -> Option<PathBuf> {
    let by_name = match function {
        Function::Keyboard => Some("hidg0"),
        Function::Absolute => Some("hidg1"),
        Function::Relative => Some("hidg2"),
        Function::Consumer => None,
    };
    let by_name = by_name.map(|name| Path::new("/dev").join(name));
    let ours = format!("{}/{GADGET}", gadget::GADGETS);
    if !machine.has(&ours) {
        return by_name;
    }
    let number = machine.text(format!("{ours}/functions/hid.{function}/dev"))?;
    let nodes = machine.names("/dev").into_iter();
    let mut nodes = nodes
        .filter(|name| name.starts_with("hidg"))
        .map(|name| Path::new("/dev").join(name));
    let found = nodes.find(|node| machine.number(node).as_ref() == Some(&number));
    // One that is missing is told by the name that it would have.
    found.or(by_name)
}

pub(super) fn leds(examination: &Examination<'_>) -> Verdict {
    let without = || examination.without(&["gadget", "keyboard"]);
    if let Some(skipped) = examination.without_gadget().or_else(without) {
        return skipped;
    }
    let machine = examination.machine;
    let place = place(examination, Function::Keyboard).ok();
    let number = place.and_then(|path| machine.number(&path));
    let functions = gadget::hid_functions(machine);
    let Some(keyboard) = functions
        .iter()
        .find(|function| Some(&function.number) == number.as_ref())
    else {
        return Verdict::skipped("the keyboard's function is not known");
    };
    match machine
        .text(keyboard.directory.join("no_out_endpoint"))
        .as_deref()
    {
        Some("1") => Verdict::ok("firmware can set them too"),
        Some(_) => Verdict::warning(
            "a BIOS or UEFI cannot set Num Lock and Caps Lock: the keyboard has an OUT endpoint",
            format!("make the gadget anew, without one: {REMAKE}"),
        ),
        None => Verdict::note(
            "a BIOS or UEFI cannot set Num Lock and Caps Lock: this kernel always gives keyboards an OUT endpoint",
            "nothing, if it does not matter; else a newer kernel (with the attribute no_out_endpoint)",
        ),
    }
}
