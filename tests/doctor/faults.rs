//! Each fault alone leads to its own finding with its own remedy; everything that does not hang on it stays as it was.

use std::time::Duration;

use rfbridge::doctor::{Severity, Watched};

use Severity::{Error, Note, Ok as Fine, Warning};

use crate::machine::{BOOT, CONFIG, CONTROLLER, DONGLE, Fake, GADGET, PORT, dongle, watched};

type Break = fn(&mut Fake);

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

fn without_dongle(fake: &mut Fake) {
    fake.remove("dev/video0");
    fake.remove("dev/video1");
    fake.remove("sys/class/video4linux");
}

fn sees(fake: &mut Fake, change: impl FnOnce(&mut Watched)) {
    let mut seen = watched();
    change(&mut seen);
    fake.camera.watched = Some(Ok(seen)).into();
}

/// Name, finding, severity, and what its text and its remedy say.
type Case = (
    &'static str,
    Break,
    &'static str,
    Severity,
    &'static str,
    &'static str,
);

const CASES: &[Case] = &[
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
    (
        "no dongle",
        without_dongle,
        "capture-device",
        Error,
        "there is no capture device",
        "plug the HDMI dongle",
    ),
    (
        "a dongle without a driver",
        |fake| {
            without_dongle(fake);
            fake.link(
                "sys/bus/usb/devices/1-1.2",
                "../../../devices/usb1/1-1/1-1.2",
            );
            fake.link(
                "sys/bus/usb/devices/1-1.2:1.0",
                "../../../devices/usb1/1-1/1-1.2/1-1.2:1.0",
            );
        },
        "capture-device",
        Error,
        "USB Video (MS2109, 534d:2109) is plugged in, but its driver",
        "sudo modprobe uvcvideo",
    ),
    (
        "the configured dongle is not there",
        |fake| {
            fake.write(
                CONFIG,
                "listen = \"0.0.0.0:5900\"\nsource = \"v4l:/dev/video7\"\n",
            );
        },
        "capture-device",
        Error,
        "/dev/video7 of the configuration is not there; there are: /dev/video0, USB Video",
        "source = \"v4l\"",
    ),
    (
        "no right to capture",
        |fake| {
            fake.mode("dev/video0", 0o660);
            fake.camera.nodes[0].1 =
                Err("/dev/video0 may not be opened by this user: add it to the group video".into());
        },
        "capture-access",
        Error,
        "pi may not use /dev/video0",
        "sudo usermod -aG video pi",
    ),
    (
        "a mode that is not offered",
        |fake| {
            let mut description = dongle();
            description.chosen =
                Err("it does not offer 4096x2160; it offers MJPEG 1920x1080@30".into());
            fake.camera.nodes[0].1 = Ok(description);
        },
        "capture-modes",
        Error,
        "it does not offer 4096x2160",
        "leave `format`, `size` and `fps` out of the configuration, or choose from: MJPEG 1920x1080@30/25",
    ),
    (
        "a driver that fails",
        |fake| {
            fake.camera.nodes[0].1 =
                Err("/dev/video0 was unplugged: plug the dongle in again".into())
        },
        "capture-modes",
        Error,
        "/dev/video0 was unplugged",
        "plug the dongle in again",
    ),
    (
        "a USB 3 dongle in a USB 2 port",
        |fake| {
            fake.write(&format!("{DONGLE}/idVendor"), "345f\n");
            fake.write(&format!("{DONGLE}/idProduct"), "2130\n");
            fake.write(&format!("{DONGLE}/version"), " 2.10\n");
        },
        "capture-usb",
        Warning,
        "made for USB 3 but runs at 480",
        "USB 3 port",
    ),
    (
        "an unknown dongle that could do USB 3",
        |fake| {
            fake.write(&format!("{DONGLE}/idProduct"), "ffff\n");
            fake.write(&format!("{DONGLE}/version"), " 2.10\n");
        },
        "capture-usb",
        Note,
        "seems to be made for USB 3",
        "USB 3 port",
    ),
    (
        "a dongle at USB 1",
        |fake| fake.write(&format!("{DONGLE}/speed"), "12\n"),
        "capture-usb",
        Error,
        "12 Mbit/s",
        "another port",
    ),
    (
        "two dongles on one bus",
        |fake| {
            let other = "sys/devices/usb1/1-1/1-1.3";
            for (name, text) in [
                ("idVendor", "534d"),
                ("idProduct", "2109"),
                ("speed", "480"),
                ("busnum", "1"),
            ] {
                fake.write(&format!("{other}/{name}"), text);
            }
            fake.write(&format!("{other}/1-1.3:1.0/bInterfaceClass"), "0e");
            fake.write("dev/video2", "");
            fake.link(
                "sys/class/video4linux/video2/device",
                "../../../devices/usb1/1-1/1-1.3/1-1.3:1.0",
            );
            fake.camera.nodes.push(("/dev/video2".into(), Ok(dongle())));
        },
        "capture-usb",
        Warning,
        "two dongles share one USB 2 bus",
        "another bus",
    ),
    (
        "no frames",
        |fake| {
            fake.camera.watched = Some(Err(
                "/dev/video0 sends no picture: is the target on, and its HDMI cable in the dongle?"
                    .into(),
            ))
            .into()
        },
        "capture-picture",
        Error,
        "/dev/video0 sends no picture",
        "is the target on",
    ),
    (
        "another program captures",
        |fake| {
            fake.camera.watched =
                Some(Err("/dev/video0 is in use by another program".into())).into();
            fake.process(800, "ffmpeg", &["ffmpeg"], &["/dev/video0"]);
        },
        "capture-picture",
        Error,
        "in use by ffmpeg (pid 800)",
        "end that program",
    ),
    (
        "only damaged frames",
        |fake| {
            sees(fake, |seen| {
                (seen.pictures, seen.damaged, seen.damage) =
                    (0, 30, Some("its end is missing".into()))
            })
        },
        "capture-picture",
        Error,
        "only damaged pictures arrive (its end is missing)",
        "another USB port",
    ),
    (
        "some damaged frames",
        |fake| sees(fake, |seen| seen.damaged = 30),
        "capture-picture",
        Warning,
        "30 of 120 pictures are damaged",
        "another USB port",
    ),
    (
        "one colour",
        |fake| sees(fake, |seen| seen.only_colour = Some(0x00_00_f0)),
        "capture-picture",
        Warning,
        "one colour all over (#0000f0)",
        "switch the target on",
    ),
    (
        "few frames",
        |fake| sees(fake, |seen| seen.per_second = 2.0),
        "capture-picture",
        Warning,
        "2 frames a second",
        "another USB port",
    ),
    (
        "too little voltage",
        |fake| fake.write("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1\n"),
        "power",
        Warning,
        "too little voltage right now",
        "5.1 V",
    ),
    (
        "too little voltage before",
        |fake| fake.write("dev/kmsg", "4,1,2,-;hwmon hwmon1: Undervoltage detected!\n"),
        "power",
        Warning,
        "1 times since it started",
        "5.1 V",
    ),
    (
        "throttled, on an older kernel",
        |fake| {
            fake.remove("sys/class/hwmon/hwmon1");
            fake.write(
                "sys/devices/platform/soc/soc:firmware/get_throttled",
                "50000\n",
            );
        },
        "power",
        Warning,
        "has too little voltage, is throttled",
        "5.1 V",
    ),
    (
        "no monitor of the voltage",
        |fake| fake.remove("sys/class/hwmon/hwmon1"),
        "power",
        Note,
        "does not tell of the voltage",
        "raspberrypi-hwmon",
    ),
    (
        "hot",
        |fake| fake.write("sys/class/thermal/thermal_zone0/temp", "82100\n"),
        "temperature",
        Warning,
        "82 °C",
        "fan",
    ),
    (
        "a typo in the configuration",
        |fake| fake.write(CONFIG, "lisen = 1\n"),
        "config",
        Error,
        "did you mean `listen`?",
        "mend /etc/rfbridge/rfbridge.toml",
    ),
    (
        "the port is somebody else's",
        |fake| {
            fake.remove("proc/700");
            fake.process(900, "Xvnc", &["Xvnc", ":0"], &["socket:[4711]"]);
        },
        "listen",
        Error,
        "0.0.0.0:5900 is in use by Xvnc (pid 900)",
        "choose another port",
    ),
    (
        "the port is another user's",
        |fake| fake.remove("proc/700"),
        "listen",
        Error,
        "another user's program",
        "end that program",
    ),
    (
        "rfbridge does not run",
        |fake| {
            fake.remove("proc/700");
            fake.write("proc/net/tcp", "");
        },
        "listen",
        Note,
        "rfbridge does not run",
        "sudo systemctl enable --now rfbridge",
    ),
    (
        "rfbridge listens elsewhere",
        |fake| fake.write("proc/net/tcp", ""),
        "listen",
        Note,
        "it listens elsewhere",
        "its log",
    ),
    (
        "a port for root",
        |fake| {
            fake.write(CONFIG, "listen = \"0.0.0.0:590\"\n");
        },
        "listen",
        Error,
        "ports below 1024 are for root",
        "5900",
    ),
    (
        "no password",
        |fake| {
            fake.remove("etc/systemd");
            fake.remove("etc/rfbridge/password");
        },
        "password",
        Error,
        "refuses to listen on 0.0.0.0:5900",
        "install -D -m 600 /dev/stdin /etc/rfbridge/password",
    ),
    (
        "no password, for this machine alone",
        |fake| {
            fake.remove("etc/systemd");
            fake.write(CONFIG, "");
        },
        "password",
        Note,
        "only this machine itself can connect",
        "0.0.0.0:5900",
    ),
    (
        "the service's password is missing",
        |fake| fake.remove("etc/rfbridge/password"),
        "password",
        Error,
        "the service does not start: its password, /etc/rfbridge/password, is not there",
        "/dev/stdin /etc/rfbridge/password",
    ),
    (
        "the service's password is open",
        |fake| fake.mode("etc/rfbridge/password", 0o644),
        "password",
        Warning,
        "(mode 0644)",
        "sudo chmod 600 /etc/rfbridge/password",
    ),
    (
        "the service's password is empty",
        |fake| fake.write("etc/rfbridge/password", "\n"),
        "password",
        Error,
        "empty first line",
        "write the password there",
    ),
    (
        "a long password",
        |fake| fake.write("etc/rfbridge/password", "swordfish\n"),
        "password",
        Note,
        "first 8 bytes",
        "nothing",
    ),
    (
        "a password file that others can read",
        |fake| {
            fake.write(
                CONFIG,
                "listen = \"0.0.0.0:5900\"\npassword-file = \"/etc/secret\"\n",
            );
            fake.write("etc/secret", "swordfsh\n");
            fake.mode("etc/secret", 0o644);
        },
        "password",
        Error,
        "can be read by others (mode 0644)",
        "chmod 600",
    ),
    (
        "no layouts",
        |fake| fake.remove("usr/share/X11"),
        "xkb-data",
        Note,
        "US layout",
        "apt install xkb-data",
    ),
    (
        "a clock in the past",
        |fake| fake.clock.now = std::time::UNIX_EPOCH + Duration::from_secs(60),
        "clock",
        Warning,
        "1970-01-01",
        "set-ntp true",
    ),
    (
        "a clock of its own",
        |fake| fake.clock.is_synchronised = Some(false),
        "clock",
        Note,
        "not held by a time server",
        "set-ntp true",
    ),
];

/// What hangs on each finding, and is skipped when that is an error; or is another look at the same thing.
const BEHIND: &[(&str, &[&str])] = &[
    (
        "board",
        &["modules", "device-mode", "configfs", "controller", "gadget"],
    ),
    ("modules", &["controller", "configfs", "gadget"]),
    ("device-mode", &["controller", "gadget"]),
    ("controller", &["gadget"]),
    ("configfs", &["gadget"]),
    (
        "gadget",
        &[
            "endpoints",
            "keyboard",
            "absolute",
            "relative",
            "leds",
            "wake-up",
            "target",
        ],
    ),
    ("keyboard", &["leds"]),
    (
        "capture-device",
        &[
            "capture-access",
            "capture-modes",
            "capture-usb",
            "capture-picture",
        ],
    ),
    ("capture-access", &["capture-modes", "capture-picture"]),
    ("capture-modes", &["capture-picture"]),
    ("config", &["password", "listen"]),
];

fn hangs_on(id: &str, broken: &str) -> bool {
    let behind = BEHIND.iter().find(|(before, _)| *before == broken);
    behind.is_some_and(|(_, behind)| behind.iter().any(|next| *next == id || hangs_on(id, next)))
}

#[test]
fn each_fault_has_its_own_finding_and_remedy() {
    let mut strays = Vec::new();
    for (name, break_it, id, severity, what, fix) in CASES {
        let mut fake = Fake::perfect();
        break_it(&mut fake);
        let seen = fake.examine();
        let finding = seen.finding(id);
        let remedy = finding.fix.as_deref().unwrap_or_default();
        assert_eq!(finding.severity, *severity, "{name}: {finding:?}");
        assert!(
            finding.what.contains(what),
            "{name}: no {what:?} in {finding:?}"
        );
        assert!(remedy.contains(fix), "{name}: no {fix:?} in {finding:?}");
        for other in seen.report.findings.iter().filter(|other| other.id != *id) {
            let expected: &[Severity] = match other.id {
                "consumer" => &[Severity::Skipped],
                other if *severity == Error && hangs_on(other, id) => &[Severity::Skipped],
                "power" if *name == "another board with its port a host" => &[Severity::Skipped],
                // The relative mouse is left out by that configuration.
                "relative" if *id == "keyboard" => &[Fine, Severity::Skipped],
                _ => &[Fine],
            };
            if !expected.contains(&other.severity) {
                strays.push(format!("{name}: {other:?}"));
            }
        }
        for finding in &seen.report.findings {
            let needs_fix = finding.severity >= Note;
            assert_eq!(finding.fix.is_some(), needs_fix, "{name}: {finding:?}");
        }
        assert_eq!(seen.report.is_ok(), *severity != Error, "{name}");
    }
    assert!(strays.is_empty(), "{}", strays.join("\n"));
}

/// An instance that serves and captures is no fault.
#[test]
fn a_dongle_that_rfbridge_uses_is_not_looked_at() {
    let mut fake = Fake::perfect();
    fake.process(701, "rfbridge", &["rfbridge", "serve"], &["/dev/video0"]);
    fake.camera.watched = None.into();
    let seen = fake.examine();
    assert_eq!(seen.finding("capture-picture").severity, Fine);
    assert!(
        seen.finding("capture-picture")
            .what
            .contains("in use by rfbridge (pid 701)")
    );
}

#[test]
fn what_is_not_asked_for_is_left_out() {
    let mut fake = Fake::perfect();
    fake.options.capture = false;
    fake.camera.watched = None.into();
    let seen = fake.examine();
    assert_eq!(
        seen.finding("capture-picture").what,
        "left out (--no-capture)"
    );
    let fake = Fake::perfect();
    fake.write(
        CONFIG,
        "listen = \"0.0.0.0:5900\"\nsink = \"null\"\nsource = \"replay:/x\"\n",
    );
    fake.remove("sys/class/udc");
    let seen = fake.examine();
    assert!(seen.report.is_ok());
    assert!(seen.finding("gadget").what.contains("sink = \"null\""));
    assert!(seen.finding("capture-picture").what.contains("replay:/x"));
}

/// Root's own rights say nothing about the service, which runs as a user of its own.
#[test]
fn run_by_root_the_rights_of_the_service_count() {
    let root = |fake: &Fake| {
        fake.write(
            "proc/self/status",
            "Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nGroups:\t0\n",
        );
    };
    let fake = Fake::perfect();
    root(&fake);
    fake.mode("dev/hidg0", 0o600);
    assert_eq!(
        fake.examine().finding("keyboard").severity,
        Fine,
        "root may"
    );
    let fake = Fake::perfect();
    root(&fake);
    fake.mode("dev/hidg0", 0o600);
    fake.write(
        "etc/passwd",
        "root:x:0:0::/root:/bin/sh\nrfbridge:x:4000002:4000002::/:/bin/false\n",
    );
    let seen = fake.examine();
    assert_eq!(seen.finding("keyboard").severity, Error);
    assert!(
        seen.finding("keyboard")
            .what
            .starts_with("rfbridge may not write to /dev/hidg0")
    );
}
