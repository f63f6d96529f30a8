//! What can be wrong between the target's HDMI port and rfbridge.

use rfbridge::doctor::Watched;

use super::{Case, Error, Note, Warning};
use crate::machine::{CONFIG, DONGLE, Fake, dongle, watched};

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

pub const CASES: &[Case] = &[
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
            fake.mode("dev/video0", 0o600);
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
        |fake| sees(fake, |seen| seen.per_second = 12.0),
        "capture-picture",
        Warning,
        "only 1920x1080 at 12 frames a second, where the mode has 30",
        "another USB port",
    ),
];
