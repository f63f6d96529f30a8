//! The gadget in each profile, and the drive in it, as their host sees them.

use std::time::Instant;

use serde_json::Value;

use super::{
    input::{ABS_Y, ALL_DEVICES, CONTROLLER, SCREEN, keys_until, with_gadget},
    target::{back, hold},
};
use crate::{
    Case,
    bridge::{Bridge, Client},
    host::{EV_ABS, EV_KEY, EV_REL, Host, inputs},
    machine::{DEADLINE, Machine},
    picture::Picture,
    protocol::{Device, Event},
};

const A: (u32, u16) = (0x1e, 30);
/// The gadget's directory at the host.
const DEVICE: &str = "$(dirname $(grep -l rfbridge /sys/bus/usb/devices/*/product))";

/// What the host is to have of a profile.
struct Wanted {
    profile: &'static str,
    devices: &'static [Device],
    /// `bcdUSB`, Mbit/s and mA.
    usb: [&'static str; 3],
    /// Subclass and protocol of the interfaces in their order.
    interfaces: &'static [&'static str],
    /// A report of the relative function, and what the host makes of it: X, Y, wheel, horizontal wheel.
    relative: Option<(&'static str, &'static [(u16, i32)])>,
}

const PROFILES: [Wanted; 4] = [
    Wanted {
        profile: "full",
        devices: &ALL_DEVICES,
        usb: ["2.00", "480", "250mA"],
        interfaces: &["01 01", "00 00", "01 02", "00 00"],
        relative: Some((r"\000\005\371\001\377", &[(0, 5), (1, -7), (8, 1), (6, -1)])),
    },
    Wanted {
        profile: "bios",
        devices: &[Device::Keyboard, Device::Relative],
        // This kernel says 2.00 whatever is set.
        usb: ["2.00", "12", "100mA"],
        interfaces: &["01 01", "01 02"],
        relative: Some((r"\000\005\371", &[(0, 5), (1, -7)])),
    },
    Wanted {
        profile: "nvr",
        devices: &[Device::Keyboard, Device::Absolute, Device::Relative],
        usb: ["2.00", "480", "250mA"],
        interfaces: &["01 01", "00 00", "01 02"],
        relative: Some((r"\000\005\371\001", &[(0, 5), (1, -7), (8, 1)])),
    },
    Wanted {
        profile: "mac",
        devices: &[Device::Keyboard, Device::Absolute, Device::Consumer],
        usb: ["2.00", "480", "250mA"],
        interfaces: &["01 01", "00 00", "00 00"],
        relative: None,
    },
];

/// Each profile is taken down and the next one made while a client is connected, which goes on typing.
pub fn profiles(case: &Case) -> String {
    let machine = Machine::boot(&case.folder);
    let (host, bridge, mut client) = with_gadget(&machine);
    let mut seen = Vec::new();
    let mut releases = Vec::new();
    for wanted in &PROFILES {
        machine.run("/bin/rfbridge gadget down");
        host.has_devices(&[]);
        assert_eq!(status(&machine)["exists"], false);
        machine.run(&format!(
            "/bin/rfbridge gadget up --profile {} --controller {CONTROLLER}",
            wanted.profile
        ));
        host.has_devices(wanted.devices);
        releases.push(is_as_wanted(&machine, &host, wanted));
        types_and_points(
            &host,
            &bridge,
            &mut client,
            wanted.devices,
            seen.len() as u16,
        );
        seen.push(format!("{} {}", wanted.profile, releases[seen.len()]));
    }
    releases.dedup();
    assert_eq!(
        releases.len(),
        PROFILES.len(),
        "each has a release of its own"
    );
    bridge.terminate();
    seen.join(", ")
}

/// One profile becomes another and another while a client is connected and holds a key; what somebody else put into the
/// gadget stays.
pub fn switched(case: &Case) -> String {
    let machine = Machine::boot(&case.folder);
    let (host, bridge, mut client) = with_gadget(&machine);
    machine.run(
        "cd /sys/kernel/config/usb_gadget/rfbridge; echo > UDC
         mkdir functions/acm.usb0; ln -s $PWD/functions/acm.usb0 configs/c.1/
         /bin/rfbridge gadget up",
    );
    come_anew(&host, &ALL_DEVICES);
    hold(&host, &mut client);
    for (number, profile) in ["bios", "nvr", "mac", "full"].into_iter().enumerate() {
        let wanted = PROFILES.iter().find(|wanted| wanted.profile == profile);
        let wanted = wanted.expect("a profile");
        machine.run(&format!("/bin/rfbridge gadget profile {profile}"));
        // What was held on the devices of the one before is gone with them.
        come_anew(&host, wanted.devices);
        let interfaces = machine.run(&format!("cat {DEVICE}/*:1.*/bInterfaceClass"));
        let classes: Vec<_> = interfaces.split_whitespace().collect();
        assert!(
            classes.ends_with(&["02", "0a"]),
            "{classes:?} with the serial line last"
        );
        client.key(false, A.0);
        client.pointer(0, 1, 1);
        types_and_points(&host, &bridge, &mut client, wanted.devices, number as u16);
        // Nothing that is so already is done again.
        machine.run(&format!("/bin/rfbridge gadget profile {profile}"));
        assert_eq!(status(&machine)["others"][0], "acm.usb0");
        client.key(true, A.0);
        assert_eq!(keys_until(&host, "a key to hold", 1), [(A.1, 1)]);
    }
    let said = back(&host, &bridge, client);
    let text = machine.run("/bin/rfbridge gadget down");
    assert!(text.contains("acm.usb0"), "{text}");
    host.has_devices(&[]);
    machine.run(
        "until cat /sys/bus/usb/devices/*:1.*/bInterfaceClass | grep -q 02; do sleep 0.1; done",
    );
    machine.run("/bin/rfbridge gadget down --all; [ ! -e /sys/kernel/config/usb_gadget/rfbridge ]");
    format!("three times another, a serial line beside it; {said}")
}

/// The devices that the host had leave, and these come.
pub(super) fn come_anew(host: &Host, devices: &[Device]) {
    host.until("the devices of the one before leave", |event| {
        matches!(
            event,
            Event::Left {
                device: Device::Keyboard
            }
        )
    });
    host.has_devices(devices);
}

fn status(machine: &Machine) -> Value {
    let text = machine.run("/bin/rfbridge gadget status --json");
    serde_json::from_str(&text).expect("JSON")
}

/// Checks what the host read of the gadget; gives `bcdDevice`.
fn is_as_wanted(machine: &Machine, host: &Host, wanted: &Wanted) -> String {
    let read = |path: &str| machine.run(&format!("cat {DEVICE}/{path}"));
    let usb = ["version", "speed", "bMaxPower"].map(|name| read(name).trim().to_owned());
    assert_eq!(usb, wanted.usb, "{}", wanted.profile);
    assert_eq!(read("bmAttributes").trim(), "a0");
    let interfaces = machine.run(&format!(
        "cd {DEVICE}; for i in *:1.*; do echo $(cat $i/bInterfaceSubClass $i/bInterfaceProtocol); done"
    ));
    let interfaces: Vec<_> = interfaces.lines().collect();
    assert_eq!(interfaces, wanted.interfaces, "{}", wanted.profile);

    let status = status(machine);
    assert_eq!(status["profile"], wanted.profile);
    assert_eq!(status["state"], "configured");
    assert_eq!(status["problems"], Value::Array(Vec::new()));
    let functions = status["functions"].as_array().expect("a list");
    assert_eq!(functions.len(), wanted.devices.len());
    if let Some((report, moved)) = wanted.relative {
        let is_relative = |function: &&Value| function["function"] == "relative";
        let node = &functions.iter().find(is_relative).expect("it")["node"];
        let node = node.as_str().expect("a node");
        machine.run(&format!("printf '{report}' > {node}"));
        let last = moved[moved.len() - 1].0;
        let events = host.until(
            "the relative mouse",
            |event| matches!(event, Event::Input { kind: EV_REL, code, .. } if *code == last),
        );
        let mut seen = inputs(&events, EV_REL);
        seen.retain(|(code, _)| *code <= 8); // Without the wheels' finer steps.
        let mut moved = moved.to_vec();
        seen.sort_unstable();
        moved.sort_unstable();
        assert_eq!(seen, moved, "{}", wanted.profile);
    }
    read("bcdDevice").trim().to_owned()
}

/// A key arrives, and a position where there is an absolute pointer.
pub(super) fn types_and_points(
    host: &Host,
    bridge: &Bridge,
    client: &mut Client,
    devices: &[Device],
    number: u16,
) {
    // The node is there before the host polls it, and the client's first key may be too early.
    let began = Instant::now();
    let pressed = |client: &mut Client| {
        client.key(true, A.0);
        client.key(false, A.0);
    };
    pressed(client);
    bridge.waits_for("the target takes keys", |bridge| {
        let log = bridge.log();
        let last = |text| log.rfind(text);
        last("takes reports function=keyboard")
            >= last("the target is offline, input is dropped function=keyboard")
    });
    pressed(client);
    let mut keys = host.until("a key", |event| {
        assert!(began.elapsed() < DEADLINE);
        matches!(event, Event::Input { kind: EV_KEY, code, value: 0, .. } if *code == A.1)
    });
    keys.retain(|event| matches!(event, Event::Input { kind: EV_KEY, .. }));
    assert!(inputs(&keys, EV_KEY).ends_with(&[(A.1, 1), (A.1, 0)]));
    if devices.contains(&Device::Absolute) {
        let y = 50 + number;
        client.pointer(0, 60 + number, y);
        let wanted = i32::from(y) * 32767 / i32::from(SCREEN.height - 1);
        host.until("a position", |event| {
            matches!(event, Event::Input { device: Device::Absolute, kind: EV_ABS, code: ABS_Y, value, .. }
                if (*value - wanted).abs() <= 1)
        });
    }
    // All of the presses are through.
    while !host.held().is_empty() {
        host.until("a release", |event| {
            matches!(
                event,
                Event::Input {
                    kind: EV_KEY,
                    value: 0,
                    ..
                }
            )
        });
    }
}

/// A disk and a CD-ROM: the host reads the right bytes, and they come out whatever the host says to that.
pub fn media(case: &Case) -> String {
    let machine = Machine::boot(&case.folder);
    machine.run("modprobe -a dummy_hcd usb-storage sd_mod sr_mod vfat");
    machine.run(&format!(
        "/bin/rfbridge gadget up --controller {CONTROLLER}"
    ));
    let host = Host::watch(&machine);
    host.has_devices(&ALL_DEVICES);
    machine.run("mkdir -p /images /mnt");
    let bytes = |seed: u32| -> Vec<u8> {
        let picture = Picture::test_card(rfb::geom::Size::new(1024, 1024), seed);
        picture.rgb()
    };
    let (first, second) = (bytes(1), bytes(2));
    machine.write("/images/first.img", &first);
    machine.write("/images/second.img", &second);
    machine.write("/images/third.iso", &second);
    let insert = |what: &str| machine.run(&format!("/bin/rfbridge media insert {what}"));

    // A disk. Inserting the first image makes the drive, which is a gadget plugged in again.
    assert!(
        machine
            .try_run("/bin/rfbridge media insert /images/none")
            .1
            .contains("/images/none")
    );
    insert("/images/first.img");
    host.has_devices(&ALL_DEVICES);
    reads(&machine, "sda", &first);
    let model = machine.run("cat /sys/block/sda/device/vendor /sys/block/sda/device/model");
    assert_eq!(
        model.split_whitespace().collect::<Vec<_>>(),
        ["rfbridge", "Virtual", "media"]
    );
    let text = machine.run("cat /sys/block/sda/ro");
    assert_eq!(text.trim(), "1", "read-only");
    let status = status(&machine);
    assert_eq!(status["media"]["kind"], "disk");
    assert_eq!(status["media"]["file"], "/images/first.img");
    assert_eq!(status["media"]["size"], first.len());
    assert!(
        machine
            .try_run("/bin/rfbridge media insert /images/second.img")
            .1
            .contains("media eject")
    );

    // Another one of the same kind, with nothing plugged in anew.
    machine.run("/bin/rfbridge media eject");
    insert("/images/second.img");
    reads(&machine, "sda", &second);
    machine.run("/bin/rfbridge media eject");

    // A CD-ROM, which the host locks while it is open.
    insert("/images/third.iso");
    host.has_devices(&ALL_DEVICES);
    reads(&machine, "sr0", &second);
    let holder = machine.start(
        &["/bin/sh", "-c", "exec 3</dev/sr0; exec sleep 1000"],
        "holder",
    );
    machine.run(&format!(
        "until [ -e /proc/{holder}/fd/3 ]; do sleep 0.1; done"
    ));
    let file = "/sys/kernel/config/usb_gadget/rfbridge/functions/mass_storage.media/lun.0/file";
    let (status, text) = machine.try_run(&format!("echo > {file}"));
    assert_ne!(status, 0, "the host does not lock it: {text}");
    assert!(
        machine
            .run("/bin/rfbridge media eject")
            .contains("third.iso")
    );
    machine.signal(holder, libc::SIGKILL);

    // A disk that is written to, and taken out while it is mounted.
    machine
        .run("dd if=/dev/zero of=/images/rw.img bs=1M count=8 2>/dev/null; mkdosfs /images/rw.img");
    insert("/images/rw.img --rw");
    host.has_devices(&ALL_DEVICES);
    machine.run(
        "until [ \"$(cat /sys/block/sda/size)\" = 16384 ]; do sleep 0.1; done
         until mount -t vfat /dev/sda /mnt; do sleep 0.1; done
         echo written by the target > /mnt/file; sync",
    );
    machine.run(
        "/bin/rfbridge media eject; umount -l /mnt; grep -q 'written by the target' /images/rw.img",
    );
    machine.run("/bin/rfbridge media remove");
    host.has_devices(&ALL_DEVICES);
    machine.run("while [ -e /sys/block/sda ] || [ -e /sys/block/sr0 ]; do sleep 0.1; done");
    assert_eq!(self::status(&machine)["media"]["drive"], false);
    machine.run("/bin/rfbridge gadget down");
    "a disk, another in its place, a CD-ROM taken out while locked, a disk written to and taken out while mounted".to_owned()
}

/// The host reads just these bytes from the drive.
fn reads(machine: &Machine, device: &str, bytes: &[u8]) {
    let blocks = bytes.len() / 512;
    machine.run(&format!(
        "until [ \"$(cat /sys/block/{device}/size)\" = {blocks} ]; do
             head -c 1 /dev/{device} > /dev/null 2>&1; sleep 0.1
         done
         cat /dev/{device} > /tmp/read"
    ));
    assert!(
        machine.read("/tmp/read") == bytes,
        "{device} has other bytes"
    );
}
