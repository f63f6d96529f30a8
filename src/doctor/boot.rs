//! Whether the board's port is in device mode, and on a Raspberry Pi what its `config.txt` has to do with it.

use super::{
    Examination,
    board::{self, RaspberryPi},
    devicetree,
    finding::Verdict,
    machine::Machine,
};

/// Where it is: on newer and on older systems.
const FILES: [&str; 2] = ["/boot/firmware/config.txt", "/boot/config.txt"];
const LINE: &str = "dtoverlay=dwc2,dr_mode=peripheral";

pub(super) fn device_mode(examination: &Examination<'_>) -> Verdict {
    if let Some(skipped) = examination
        .without_gadget()
        .or(examination.without(&["board"]))
    {
        return skipped;
    }
    let machine = examination.machine;
    let ports = examination.ports();
    if let Some(port) = ports.iter().find(|port| port.is_for_devices()) {
        let mode = port.dr_mode.as_deref().unwrap_or_default();
        return Verdict::ok(format!("{} is in the mode `{mode}`", port.name));
    }
    if !machine.names("/sys/class/udc").is_empty() {
        return Verdict::ok("there is a device controller");
    }
    let model = devicetree::model(machine).unwrap_or_default();
    match board::raspberry_pi(&model) {
        Some(pi) => on_raspberry_pi(machine, &pi),
        None => {
            let modes: Vec<_> = ports
                .iter()
                .map(|port| match (&port.dr_mode, port.is_disabled) {
                    (_, true) => format!("{} is disabled", port.name),
                    (Some(mode), _) => format!("{} is in the mode `{mode}`", port.name),
                    (None, _) => format!("{} has no mode set", port.name),
                })
                .collect();
            Verdict::error(
                format!("no port is in device mode: {}", modes.join(", ")),
                "enable the board's OTG overlay, or set `dr_mode` of the port to `peripheral` in its device tree; then restart",
            )
        }
    }
}

fn on_raspberry_pi(machine: &Machine, pi: &RaspberryPi) -> Verdict {
    let found = FILES
        .iter()
        .find_map(|path| Some((*path, machine.text(path)?)));
    // What stands in the old place on a newer system points to the new one.
    let (path, text) = found.unwrap_or((FILES[0], String::new()));
    let add = format!("add the line `{LINE}` below [all] in {path}, then restart: sudo reboot");
    match Boot::read(&text, pi.sections) {
        Boot::HostController(line) => Verdict::error(
            format!(
                "line {line} of {path}, `otg_mode=1`, gives the port to a controller that can only be a host"
            ),
            format!("take that line out; {add}"),
        ),
        Boot::Overlay {
            line,
            mode: Some(mode),
        } if mode == "host" => Verdict::error(
            format!("line {line} of {path} makes the port a host"),
            format!("write `{LINE}` instead, then restart: sudo reboot"),
        ),
        Boot::Overlay { line, .. } => Verdict::error(
            format!(
                "line {line} of {path} sets the device mode, but the system was not started with it"
            ),
            "restart: sudo reboot",
        ),
        Boot::Elsewhere { line, section } => Verdict::error(
            format!(
                "the line for the device mode ({line} of {path}) is below [{section}], which does not count on this board"
            ),
            format!(
                "move it to the end of the file, below a line [all], as `{LINE}`; then restart: sudo reboot"
            ),
        ),
        Boot::Commented(line) => Verdict::error(
            format!("the line for the device mode ({line} of {path}) is commented out"),
            add,
        ),
        Boot::Nothing => Verdict::error(
            "the USB port is not in device mode: the overlay dwc2 is missing",
            add,
        ),
    }
}

/// What a `config.txt` says of the device port.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Boot {
    /// `otg_mode=1`: the port belongs to the xHCI.
    HostController(usize),
    /// The overlay that counts, and its `dr_mode`.
    Overlay {
        line: usize,
        mode: Option<String>,
    },
    /// The overlay, but for other boards.
    Elsewhere {
        line: usize,
        section: String,
    },
    Commented(usize),
    Nothing,
}

impl Boot {
    /// `sections` are the model's own. Filters of another kind, such as `[EDID=…]` or `[gpio4=1]`, count only sometimes, so
    /// they are taken for one that does not. `[all]` ends all of them.
    fn read(text: &str, sections: &[&str]) -> Self {
        let (mut model, mut other) = (None::<String>, None::<String>);
        let (mut overlay, mut host, mut elsewhere, mut commented) = (None, None, None, None);
        for (line, text) in (1..).zip(text.lines()) {
            let text = text.trim();
            if let Some(section) = text
                .strip_prefix('[')
                .and_then(|rest| rest.strip_suffix(']'))
            {
                match section.to_lowercase().as_str() {
                    "all" => (model, other) = (None, None),
                    name if sections.contains(&name) => model = None,
                    name if is_model(name) => model = Some(section.to_owned()),
                    _ => other = Some(section.to_owned()),
                }
                continue;
            }
            if text.starts_with('#') {
                let text = text.trim_start_matches(['#', ' ']);
                commented = commented.or(dwc2(text).map(|_| line));
                continue;
            }
            let section = model.as_ref().or(other.as_ref());
            match (dwc2(text), section) {
                (Some(mode), None) => overlay = Some((line, mode)),
                (Some(mode), Some(section)) if mode.as_deref() != Some("host") => {
                    elsewhere = Some((line, section.clone()));
                }
                _ if text == "otg_mode=1" && section.is_none() => host = Some(line),
                _ => {}
            }
        }
        match (host, overlay, elsewhere, commented) {
            (Some(line), ..) => Boot::HostController(line),
            (_, Some((line, mode)), ..) => Boot::Overlay { line, mode },
            (_, _, Some((line, section)), _) => Boot::Elsewhere { line, section },
            (.., Some(line)) => Boot::Commented(line),
            _ => Boot::Nothing,
        }
    }
}

fn is_model(section: &str) -> bool {
    section == "none"
        || section.starts_with("pi")
        || section.starts_with("cm")
        || section.starts_with("board-type=")
}

/// The `dr_mode` of a line `dtoverlay=dwc2,…`; `None` if it is another line.
fn dwc2(line: &str) -> Option<Option<String>> {
    let mut words = line.strip_prefix("dtoverlay=")?.split(',').map(str::trim);
    (words.next() == Some("dwc2"))
        .then(|| words.find_map(|word| Some(word.strip_prefix("dr_mode=")?.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_of_config_txt_count_as_on_the_board() {
        let read = |text: &str| Boot::read(text, &["pi4"]);
        let overlay = |line, mode: &str| Boot::Overlay {
            line,
            mode: Some(mode.to_owned()),
        };
        let peripheral = "dtoverlay=dwc2,dr_mode=peripheral";
        assert_eq!(read(peripheral), overlay(1, "peripheral"));
        // As Raspberry Pi OS ships it, and the line at its end.
        let shipped = format!(
            "[cm4]\notg_mode=1\n\n[cm5]\ndtoverlay=dwc2,dr_mode=host\n\n[all]\n{peripheral}\n"
        );
        assert_eq!(read(&shipped), overlay(8, "peripheral"));
        assert_eq!(
            Boot::read(&shipped, &["pi4", "cm4"]),
            Boot::HostController(2)
        );
        // And without the [all] before it.
        let trapped = Boot::Elsewhere {
            line: 2,
            section: "cm5".into(),
        };
        assert_eq!(read(&format!("[cm5]\n{peripheral}")), trapped);
        assert_eq!(
            read(&format!("[cm5]\n[pi4]\n{peripheral}")),
            overlay(3, "peripheral")
        );
        let conditional = Boot::Elsewhere {
            line: 2,
            section: "gpio4=1".into(),
        };
        assert_eq!(read(&format!("[gpio4=1]\n{peripheral}")), conditional);
        assert_eq!(read("dtoverlay=dwc2,dr_mode=host"), overlay(1, "host"));
        assert_eq!(
            read("dtoverlay=dwc2"),
            Boot::Overlay {
                line: 1,
                mode: None
            }
        );
        assert_eq!(read(&format!("# {peripheral}")), Boot::Commented(1));
        assert_eq!(read("dtoverlay=dwc2x\n[\n]\n[]"), Boot::Nothing);
    }
}
