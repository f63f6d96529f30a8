//! The USB device controller, and what it knows of the target.

use super::{Examination, finding::Verdict, gadget, machine::Machine};

pub(super) const CONTROLLERS: &str = "/sys/class/udc";
const CABLE: &str = "switch the target on; check that the cable goes into the board's device port and has data wires; try another \
     cable or port of the target";

pub(super) fn present(examination: &Examination<'_>) -> Verdict {
    let without = || examination.without(&["board", "device-mode", "modules"]);
    if let Some(skipped) = examination.without_gadget().or_else(without) {
        return skipped;
    }
    let machine = examination.machine;
    match machine.names(CONTROLLERS).as_slice() {
        [] => Verdict::error(
            "the port is in device mode, but its controller did not come up: nothing is in /sys/class/udc",
            "restart the board (sudo reboot); then see what the driver says: sudo dmesg | grep -i dwc",
        ),
        [name] => {
            let speed = machine.text(format!("{CONTROLLERS}/{name}/maximum_speed"));
            let speed = speed.map_or_else(String::new, |speed| format!(", up to {speed}"));
            Verdict::ok(format!("{name}{speed}"))
        }
        names => Verdict::ok(names.join(", ")),
    }
}

/// The controller that the gadget is plugged into.
fn bound(machine: &Machine) -> Option<String> {
    gadget::all(machine)
        .into_iter()
        .find_map(|gadget| gadget.controller)
}

pub(super) fn target(examination: &Examination<'_>) -> Verdict {
    let without = || examination.without(&["gadget"]);
    if let Some(skipped) = examination.without_gadget().or_else(without) {
        return skipped;
    }
    let machine = examination.machine;
    let Some(controller) = bound(machine) else {
        return Verdict::skipped("the gadget is not plugged in");
    };
    let attribute = |name: &str| machine.text(format!("{CONTROLLERS}/{controller}/{name}"));
    let state = attribute("state").unwrap_or_default();
    // Some drivers say nothing of sleep; then the gadget itself does.
    let device = format!("{CONTROLLERS}/{controller}/device");
    let is_suspended = machine.names(&device).iter().any(|name| {
        let suspended = machine.text(format!("{device}/{name}/suspended"));
        name.starts_with("gadget") && suspended.as_deref() == Some("1")
    });
    match state.as_str() {
        "configured" if !is_suspended => match attribute("current_speed").as_deref() {
            Some("full-speed" | "low-speed") => Verdict::note(
                "the target uses the keyboard and mouse, at the speed of USB 1",
                "nothing, if its firmware or a hub between is that old; else try another cable or port of the target",
            ),
            _ => Verdict::ok("the target uses the keyboard and mouse"),
        },
        "suspended" | "configured" => Verdict::warning(
            "the target sleeps: it takes no keys until it is awake",
            "wake it by its power button; some wake by a key",
        ),
        "not attached" => Verdict::error(
            "the target does not see the keyboard (state: not attached): it is off, or the cable is not in, has no data wires, or leads to another port",
            match examination
                .ports()
                .iter()
                .find(|port| port.is_for_devices())
            {
                Some(port) if port.dr_mode.as_deref() == Some("otg") => format!(
                    "{CABLE}; or the board does not notice the cable: {} is in the mode `otg`, so try `dr_mode=peripheral`",
                    port.name
                ),
                _ => CABLE.to_owned(),
            },
        ),
        "" => Verdict::warning(
            format!(
                "{CONTROLLERS}/{controller}/state cannot be read, so whether the target is there is not known"
            ),
            "run this as root: sudo rfbridge doctor",
        ),
        state => Verdict::error(
            format!(
                "the target sees the keyboard but does not use it (state: {state}): it is starting, or its firmware or the cable does not take it"
            ),
            format!("look again in a few seconds; then {CABLE}"),
        ),
    }
}

pub(super) fn wake_up(examination: &Examination<'_>) -> Verdict {
    let without = || examination.without(&["gadget"]);
    if let Some(skipped) = examination.without_gadget().or_else(without) {
        return skipped;
    }
    let machine = examination.machine;
    let gadget = gadget::all(machine)
        .into_iter()
        .find(|gadget| gadget.controller.is_some());
    let Some((gadget, controller)) = gadget.and_then(|g| Some((g.name, g.controller?))) else {
        return Verdict::skipped("the gadget is not plugged in");
    };
    let configurations = format!("{}/{gadget}/configs", gadget::GADGETS);
    let is_allowed = machine.names(&configurations).iter().any(|name| {
        let attributes = machine.text(format!("{configurations}/{name}/bmAttributes"));
        let attributes = attributes.unwrap_or_default();
        // Bit 5 of the configuration's bmAttributes: USB 2.0, table 9-10.
        u8::from_str_radix(attributes.trim_start_matches("0x"), 16)
            .is_ok_and(|bits| bits & 0x20 != 0)
    });
    let path = format!("{CONTROLLERS}/{controller}/srp");
    let may = machine
        .metadata(&path)
        .map(|metadata| examination.user.may(&metadata, 0o2));
    match (is_allowed, may) {
        (false, _) => Verdict::note(
            "the gadget does not tell the target that it may wake it",
            "make it anew: sudo rfbridge gadget down && sudo rfbridge gadget up",
        ),
        (true, Some(true)) => {
            Verdict::ok("the gadget may wake the target, where the target allows it")
        }
        (true, Some(false)) => Verdict::note(
            format!(
                "{} may not write to {path}, and so not wake a target that sleeps",
                examination.user.name
            ),
            format!(
                "wake it by its power button; or let {0}: sudo chgrp {0} {path}; sudo chmod 220 {path}",
                examination.user.name
            ),
        ),
        (true, None) => Verdict::note(
            "this controller cannot wake a target that sleeps",
            "wake the target by its power button",
        ),
    }
}
