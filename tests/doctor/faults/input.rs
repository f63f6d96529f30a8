//! What can be wrong between rfbridge and the target's USB port.

use super::{Case, Error, Note, Warning};
use crate::machine::{BOOT, CONFIG, CONTROLLER, Fake, GADGET, PORT};

/// The port without its overlay, as the system starts without it.
fn without_overlay(fake: &mut Fake) {
    fake.write(&format!("{PORT}/compatible"), "brcm,bcm2708-usb\0");
    fake.remove(&format!("{PORT}/dr_mode"));
    fake.remove("sys/class/udc");
    fake.remove("sys/kernel/config/usb_gadget/rfbridge");
    for number in 0..3 {
        fake.remove(&format!("dev/hidg{number}"));
    }
}

fn without_gadget(fake: &mut Fake) {
    fake.remove(GADGET);
    for number in 0..3 {
        fake.remove(&format!("dev/hidg{number}"));
    }
}

fn without_framework(fake: &mut Fake) {
    without_gadget(fake);
    fake.remove("sys/kernel/config/usb_gadget");
    fake.write("proc/modules", "dwc2 200704 0 - Live 0x0\n");
}

pub const CASES: &[Case] = &[
    (
        "a board without a device port",
        |fake| {
            without_overlay(fake);
            fake.write(
                "sys/firmware/devicetree/base/model",
                "Raspberry Pi 3 Model B Rev 1.2\0",
            );
        },
        "board",
        Error,
        "none of its USB ports can be a device",
        "Raspberry Pi 4 or 5",
    ),
    (
        "a board without a device port, and the overlay",
        |fake| {
            fake.write(
                "sys/firmware/devicetree/base/model",
                "Raspberry Pi 3 Model B Plus Rev 1.3\0",
            );
        },
        "board",
        Error,
        "none of its USB ports can be a device",
        "Raspberry Pi 4 or 5",
    ),
    (
        "libcomposite is not loaded",
        without_framework,
        "modules",
        Error,
        "libcomposite) is not loaded",
        "sudo modprobe libcomposite",
    ),
    (
        "a kernel without gadgets",
        |fake| {
            without_framework(fake);
            fake.write("lib/modules/6.12.1-rpi/modules.dep", "kernel/x.ko:\n");
        },
        "modules",
        Error,
        "6.12.1-rpi has no gadget framework",
        "install a kernel",
    ),
    (
        "a kernel that was replaced",
        |fake| {
            without_framework(fake);
            fake.remove("lib/modules");
        },
        "modules",
        Error,
        "/lib/modules/6.12.1-rpi is missing",
        "sudo reboot",
    ),
    (
        "a kernel without HID functions",
        |fake| {
            fake.write("proc/modules", "libcomposite 1 0 - Live 0x0\n");
            fake.write("lib/modules/6.12.1-rpi/modules.dep", "kernel/x.ko:\n");
        },
        "modules",
        Error,
        "usb_f_hid",
        "install a kernel",
    ),
    (
        "dwc2 is not loaded",
        |fake| {
            without_gadget(fake);
            fake.remove("sys/class/udc");
            fake.write("proc/modules", "libcomposite 1 0 - Live 0x0\n");
        },
        "modules",
        Error,
        "module dwc2) is not loaded",
        "sudo modprobe dwc2",
    ),
    (
        "the overlay is missing",
        |fake| {
            without_overlay(fake);
            fake.write(BOOT, "dtparam=audio=on\n[all]\n");
        },
        "device-mode",
        Error,
        "not in device mode",
        "add the line `dtoverlay=dwc2,dr_mode=peripheral` below [all] in /boot/firmware/config.txt, then restart",
    ),
    (
        "the overlay of an older system",
        |fake| {
            without_overlay(fake);
            fake.remove(BOOT);
            fake.write("boot/config.txt", "#dtoverlay=dwc2\n");
        },
        "device-mode",
        Error,
        "(1 of /boot/config.txt) is commented out",
        "in /boot/config.txt",
    ),
    (
        "the overlay is below another board's section",
        |fake| {
            without_overlay(fake);
            fake.write(
                BOOT,
                "[cm4]\notg_mode=1\n[cm5]\ndtoverlay=dwc2,dr_mode=peripheral\n",
            );
        },
        "device-mode",
        Error,
        "(4 of /boot/firmware/config.txt) is below [cm5]",
        "below a line [all]",
    ),
    (
        "otg_mode=1",
        |fake| {
            without_overlay(fake);
            fake.write(BOOT, "otg_mode=1\ndtoverlay=dwc2,dr_mode=peripheral\n");
        },
        "device-mode",
        Error,
        "`otg_mode=1`, gives the port to a controller",
        "take that line out",
    ),
    (
        "dr_mode=host",
        |fake| {
            without_overlay(fake);
            fake.write(&format!("{PORT}/compatible"), "brcm,bcm2835-usb\0");
            fake.write(&format!("{PORT}/dr_mode"), "host\0");
            fake.write(BOOT, "dtoverlay=dwc2,dr_mode=host\n");
        },
        "device-mode",
        Error,
        "line 1 of /boot/firmware/config.txt makes the port a host",
        "dr_mode=peripheral",
    ),
    (
        "not restarted since",
        without_overlay,
        "device-mode",
        Error,
        "was not started with it",
        "sudo reboot",
    ),
    (
        "another board with its port a host",
        |fake| {
            without_overlay(fake);
            fake.write("sys/firmware/devicetree/base/model", "Rock X\0");
            fake.write(&format!("{PORT}/compatible"), "snps,dwc3\0");
            fake.write(&format!("{PORT}/dr_mode"), "host\0");
        },
        "device-mode",
        Error,
        "usb@7e980000 is in the mode `host`",
        "OTG overlay",
    ),
    (
        "no controller came up",
        |fake| {
            without_gadget(fake);
            fake.remove("sys/class/udc");
        },
        "controller",
        Error,
        "did not come up",
        "dmesg",
    ),
    (
        "configfs is not mounted",
        |fake| {
            without_gadget(fake);
            fake.remove("sys/kernel/config/usb_gadget");
            fake.write("proc/mounts", "");
        },
        "configfs",
        Error,
        "not mounted",
        "sys-kernel-config.mount",
    ),
    (
        "there is no gadget",
        without_gadget,
        "gadget",
        Error,
        "there is no gadget",
        "enable --now rfbridge-gadget",
    ),
    (
        "the gadget is not plugged in",
        |fake| fake.write(&format!("{GADGET}/UDC"), "\n"),
        "gadget",
        Error,
        "not plugged into a controller",
        "gadget down && sudo rfbridge gadget up",
    ),
    (
        "another gadget has the controller",
        |fake| {
            without_gadget(fake);
            fake.write("sys/kernel/config/usb_gadget/net/UDC", "fe980000.usb\n");
            fake.write(
                "sys/kernel/config/usb_gadget/net/functions/ecm.usb0/ifname",
                "usb0\n",
            );
        },
        "gadget",
        Error,
        "another gadget, `net`",
        "sudo tee /sys/kernel/config/usb_gadget/net/UDC",
    ),
    (
        "a module has the controller",
        |fake| {
            without_gadget(fake);
            fake.write(
                "proc/modules",
                "libcomposite 1 0 - Live 0x0\ng_ether 1 0 - Live 0x0\nusb_f_hid 1 0 - Live 0x0\n",
            );
        },
        "gadget",
        Error,
        "the module g_ether",
        "modprobe -r g_ether",
    ),
    (
        "too many endpoints",
        |fake| {
            for name in ["ecm.usb0", "acm.0", "uvc.0"] {
                fake.write(&format!("{GADGET}/functions/{name}/x"), "");
            }
        },
        "endpoints",
        Warning,
        "9 IN and 2 OUT, more than the 7",
        "take functions out",
    ),
    (
        "no keyboard node",
        |fake| fake.remove("dev/hidg0"),
        "keyboard",
        Error,
        "/dev/hidg0 is not there",
        "rfbridge gadget up",
    ),
    (
        "a file where the keyboard should be",
        |fake| {
            fake.numbers.remove(std::path::Path::new("/dev/hidg0"));
        },
        "keyboard",
        Error,
        "/dev/hidg0 is a plain file",
        "sudo rm /dev/hidg0",
    ),
    (
        "the keyboard is the mouse",
        |fake| {
            fake.write(CONFIG, "listen = \"0.0.0.0:5900\"\n[gadget]\nkeyboard = \"/dev/hidg2\"\nrelative = \"none\"\n");
        },
        "keyboard",
        Error,
        "/dev/hidg2 is not the keyboard: its reports have 5 bytes, these have 8",
        "[gadget]",
    ),
    (
        "a node of no gadget",
        |fake| {
            fake.numbers.insert("/dev/hidg1".into(), (236, 9));
        },
        "absolute",
        Error,
        "belongs to no gadget",
        "[gadget]",
    ),
    (
        "no right to the absolute mouse",
        |fake| fake.mode("dev/hidg1", 0o600),
        "absolute",
        Error,
        "pi may not write to /dev/hidg1",
        "contrib/udev/70-rfbridge.rules",
    ),
    (
        "no relative mouse",
        |fake| fake.remove("dev/hidg2"),
        "relative",
        Warning,
        "/dev/hidg2 is not there",
        "rfbridge gadget up",
    ),
    (
        "firmware cannot set the LEDs",
        |fake| {
            fake.write(
                &format!("{GADGET}/functions/hid.keyboard/no_out_endpoint"),
                "0\n",
            )
        },
        "leds",
        Warning,
        "has an OUT endpoint",
        "rfbridge gadget up",
    ),
    (
        "an old kernel's LEDs",
        |fake| fake.remove(&format!("{GADGET}/functions/hid.keyboard/no_out_endpoint")),
        "leds",
        Note,
        "always gives keyboards an OUT endpoint",
        "newer kernel",
    ),
    (
        "no right to wake",
        |fake| fake.mode(&format!("{CONTROLLER}/srp"), 0o200),
        "wake-up",
        Note,
        "pi may not write to /sys/class/udc/fe980000.usb/srp",
        "sudo chgrp pi",
    ),
    (
        "no wish to wake",
        |fake| fake.write(&format!("{GADGET}/configs/c.1/bmAttributes"), "0x80\n"),
        "wake-up",
        Note,
        "does not tell the target that it may wake it",
        "rfbridge gadget up",
    ),
    (
        "the target is off",
        |fake| fake.write(&format!("{CONTROLLER}/state"), "not attached\n"),
        "target",
        Error,
        "it is off, or the cable is not in, has no data wires",
        "switch the target on",
    ),
    (
        "the target is off, or the port does not notice it",
        |fake| {
            fake.write(&format!("{PORT}/dr_mode"), "otg\0");
            fake.write(&format!("{CONTROLLER}/state"), "not attached\n");
        },
        "target",
        Error,
        "not attached",
        "in the mode `otg`, so try `dr_mode=peripheral`",
    ),
    (
        "the target sleeps",
        |fake| fake.write(&format!("{CONTROLLER}/state"), "suspended\n"),
        "target",
        Warning,
        "sleeps",
        "power button",
    ),
    (
        "the target sleeps and the controller does not know",
        |fake| fake.write(&format!("{CONTROLLER}/device/gadget.0/suspended"), "1\n"),
        "target",
        Warning,
        "sleeps",
        "power button",
    ),
    (
        "the target does not use it",
        |fake| fake.write(&format!("{CONTROLLER}/state"), "addressed\n"),
        "target",
        Error,
        "state: addressed",
        "look again in a few seconds",
    ),
    (
        "USB 1",
        |fake| fake.write(&format!("{CONTROLLER}/current_speed"), "full-speed\n"),
        "target",
        Note,
        "at the speed of USB 1",
        "hub",
    ),
];
