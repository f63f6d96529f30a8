//! What the device tree says of the board and its USB ports. A property is a file, a text in it ends in NUL.

use super::machine::Machine;

/// Where the kernel shows the tree.
const TREE: &str = "/sys/firmware/devicetree/base";
/// How deep controllers are looked for; those of a Pi 5 behind PCIe are at 5.
const DEPTH: usize = 8;
/// Most nodes that are looked at.
const MAX_NODES: usize = 20_000;
/// Drivers whose controllers can be devices, by a part of `compatible`.
const DUAL_ROLE: [&str; 8] = [
    "dwc2",
    "dwc3",
    "bcm2835-usb",
    "bcm2708-usb",
    "musb",
    "chipidea",
    "ci-hdrc",
    "-mtu3",
];

/// A USB controller that could be a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Port {
    /// Such as `usb@7e980000`.
    pub(super) name: String,
    /// `host`, `peripheral` or `otg`; a driver without one decides by itself.
    pub(super) dr_mode: Option<String>,
    pub(super) is_disabled: bool,
    /// The driver that Raspberry Pi OS uses without the overlay; it knows only the host's role.
    pub(super) is_host_only: bool,
}

impl Port {
    /// Whether the kernel was told that it may be a device.
    pub(super) fn is_for_devices(&self) -> bool {
        let mode = self.dr_mode.as_deref();
        !self.is_disabled && !self.is_host_only && matches!(mode, Some("peripheral" | "otg"))
    }
}

/// The name of the board, if it has one.
pub(super) fn model(machine: &Machine) -> Option<String> {
    machine
        .text(format!("{TREE}/model"))
        .filter(|model| !model.is_empty() && !model.chars().any(char::is_control))
}

/// All that could be devices.
pub(super) fn ports(machine: &Machine) -> Vec<Port> {
    let mut ports = Vec::new();
    let mut waiting = vec![(TREE.to_owned(), 0)];
    let mut seen = 0;
    while let Some((directory, depth)) = waiting.pop() {
        seen += 1;
        if seen > MAX_NODES {
            break;
        }
        for name in machine.names(&directory) {
            let path = format!("{directory}/{name}");
            // The tree has no links.
            let is_node = machine.link(&path).is_none() && machine.path(&path).is_dir();
            if !is_node {
                continue;
            }
            ports.extend(
                name.starts_with("usb")
                    .then(|| port(machine, &path, &name))
                    .flatten(),
            );
            if depth < DEPTH {
                waiting.push((path, depth + 1));
            }
        }
    }
    ports.sort_by(|one, other| one.name.cmp(&other.name));
    ports
}

fn port(machine: &Machine, path: &str, name: &str) -> Option<Port> {
    let property = |name: &str| machine.text(format!("{path}/{name}"));
    let compatible = property("compatible")?;
    DUAL_ROLE
        .iter()
        .any(|driver| compatible.contains(driver))
        .then(|| Port {
            name: name.to_owned(),
            dr_mode: property("dr_mode"),
            is_disabled: property("status").is_some_and(|status| status == "disabled"),
            is_host_only: compatible.contains("bcm2708-usb"),
        })
}
