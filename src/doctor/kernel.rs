//! The kernel's parts that a gadget needs: its modules and configfs.

use super::{Examination, finding::Verdict, machine::Machine};

const GADGETS: &str = "/sys/kernel/config/usb_gadget";

/// What is known of a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Module {
    /// Or built in.
    Loaded,
    /// It can be loaded.
    Available,
    Missing,
    /// The kernel's modules are not there to be looked at.
    Unknown,
}

pub(super) fn modules(examination: &Examination<'_>) -> Verdict {
    if let Some(skipped) = examination
        .without_gadget()
        .or(examination.without(&["board"]))
    {
        return skipped;
    }
    let machine = examination.machine;
    let release = machine
        .text("/proc/sys/kernel/osrelease")
        .unwrap_or_default();
    let framework = match module(machine, &release, "libcomposite") {
        _ if machine.has(GADGETS) => Module::Loaded,
        known => known,
    };
    let hid = module(machine, &release, "usb_f_hid");
    let is_driver_needed = machine.names("/sys/class/udc").is_empty()
        && examination.ports().iter().any(|port| port.is_for_devices());
    let driver = module(machine, &release, "dwc2");
    let another = "install a kernel that has it (on Debian linux-image-amd64 or -arm64, not the one for clouds)";
    match (framework, hid) {
        (Module::Available, _) => Verdict::error(
            "the gadget framework (module libcomposite) is not loaded",
            "sudo modprobe libcomposite, and for each start: echo libcomposite | sudo tee /etc/modules-load.d/rfbridge.conf",
        ),
        (Module::Missing, _) => Verdict::error(
            format!("the kernel {release} has no gadget framework (module libcomposite)"),
            another,
        ),
        (Module::Unknown, _) => Verdict::error(
            format!(
                "the gadget framework (module libcomposite) is not loaded, and /lib/modules/{release} is missing: the kernel was replaced, or this is a container"
            ),
            "restart the board: sudo reboot (in a container, load libcomposite on the host)",
        ),
        (_, Module::Missing) => Verdict::error(
            format!("the kernel {release} has no HID function for gadgets (module usb_f_hid)"),
            another,
        ),
        _ if is_driver_needed && driver == Module::Available => Verdict::error(
            "the driver of the device port (module dwc2) is not loaded",
            "sudo modprobe dwc2; if that does not help, restart: sudo reboot",
        ),
        _ => Verdict::ok("libcomposite is there, and usb_f_hid for the keyboard and mouse"),
    }
}

pub(super) fn configfs(examination: &Examination<'_>) -> Verdict {
    let without = || examination.without(&["board", "modules"]);
    if let Some(skipped) = examination.without_gadget().or_else(without) {
        return skipped;
    }
    let machine = examination.machine;
    let mounts = machine.text("/proc/mounts").unwrap_or_default();
    let is_mounted = mounts.lines().any(|line| {
        let mut words = line.split(' ');
        words.nth(1) == Some("/sys/kernel/config") && words.next() == Some("configfs")
    });
    match (machine.has(GADGETS), is_mounted) {
        (true, _) => Verdict::ok("mounted on /sys/kernel/config"),
        (false, false) => Verdict::error(
            "configfs is not mounted",
            "sudo systemctl start sys-kernel-config.mount, or: sudo mount -t configfs none /sys/kernel/config",
        ),
        (false, true) => Verdict::error(
            format!("configfs is mounted, but {GADGETS} is not there"),
            "sudo modprobe libcomposite",
        ),
    }
}

fn module(machine: &Machine, release: &str, name: &str) -> Module {
    let same = |other: &str| other.replace('-', "_") == name;
    let loaded = machine.text("/proc/modules").unwrap_or_default();
    if loaded
        .lines()
        .any(|line| line.split(' ').next().is_some_and(same))
    {
        return Module::Loaded;
    }
    let lists = |file: &str| {
        // A path, such as kernel/drivers/usb/gadget/libcomposite.ko.xz, and in one of the files a colon.
        let list = machine.text(format!("/lib/modules/{release}/{file}"))?;
        Some(list.lines().any(|line| {
            let path = line.split(':').next().unwrap_or_default();
            let file = path.rsplit('/').next().unwrap_or_default();
            file.split_once(".ko").is_some_and(|(file, _)| same(file))
        }))
    };
    match (lists("modules.builtin"), lists("modules.dep")) {
        (Some(true), _) => Module::Loaded,
        (_, Some(true)) => Module::Available,
        (None, None) => Module::Unknown,
        _ => Module::Missing,
    }
}
