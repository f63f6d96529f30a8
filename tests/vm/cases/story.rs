//! What rfbridge is for: a target in its firmware, seen through a dongle and typed at through the gadget.

use std::{
    thread,
    time::{Duration, Instant},
};

use rfb::geom::Size;

use crate::{
    Case,
    bridge::{Bridge, Client},
    cases::dongle::plug_in,
    dongle::{Dongle, Plugged},
    machine::{DEADLINE, Firmware, Machine, REDIRECTED, SECOND_DISK, Target},
};

const SIZE: Size = Size::new(1280, 720);
/// Decibels from which the client's picture is the target's screen, through the dongle's JPEG.
const ALIKE: f64 = 30.0;

pub(super) const ESCAPE: u32 = 0x01;
pub(super) const ENTER: u32 = 0x1c;
pub(super) const DOWN: u32 = 0xd0;
const F10: u32 = 0x44;
const TWO: u32 = 0x03;
const SEVEN: u32 = 0x08;
const Y: u32 = 0x15;

/// A target, the cables that lead to it, and a client that looks at it and types.
pub(super) struct Story<'m> {
    case: &'m Case,
    client: Client,
    _bridge: Bridge<'m>,
    /// Keeps the gadget at the target.
    cable: u32,
    /// It looks at the target's screen, so it goes first.
    _plugged: Plugged,
    pub(super) target: Target,
    seen: Vec<String>,
}

impl<'m> Story<'m> {
    pub(super) fn begin(
        case: &'m Case,
        machine: &'m Machine,
        firmware: Firmware,
        profile: &str,
    ) -> Self {
        machine.run("modprobe -a dummy_hcd vhci-hcd uvcvideo");
        machine.run(&format!(
            "/bin/rfbridge gadget up --profile {profile} --controller dummy_udc.0"
        ));
        // It ends with each target that leaves.
        let cable = machine.start(
            &[
                "/bin/sh",
                "-c",
                "while true; do usbredirect --device 1d6b:0104 --as 0.0.0.0:4000 --keepalive; sleep 0.2; done",
            ],
            "usbredirect",
        );
        // SeaBIOS looks for keyboards once.
        machine.run(&format!(
            "until netstat -ltn | grep -q :{REDIRECTED}; do sleep 0.1; done"
        ));
        let folder = case.folder.join("target");
        let target = Target::boot(&folder, firmware, machine.address(REDIRECTED));
        let dongle = Dongle::new();
        dongle.show(target.output());
        let plugged = plug_in(machine, &dongle);
        let bridge = Bridge::serve(
            machine,
            &[
                "--source",
                "v4l:/dev/video0",
                "--size",
                "1280x720",
                "--fps",
                "30",
            ],
        );
        let client = bridge.client();
        Story {
            case,
            client,
            _bridge: bridge,
            cable,
            _plugged: plugged,
            target,
            seen: Vec::new(),
        }
    }

    pub(super) fn press(&mut self, scancode: u32) {
        self.client.key(true, scancode);
        self.client.key(false, scancode);
    }

    /// Presses a key and waits until the target has said this for it.
    pub(super) fn press_for(&mut self, scancode: u32, text: &str) {
        let from = self.target.serial().len();
        self.press(scancode);
        self.target.says(text, from);
    }

    /// Presses a key again and again, since nobody knows when the firmware begins to listen, until it has said this.
    pub(super) fn press_until(&mut self, scancode: u32, text: &str) {
        let from = self.target.serial().len();
        let began = Instant::now();
        while !self.target.has_said(text, from) {
            assert!(
                began.elapsed() < 2 * DEADLINE,
                "the target does not say {text:?}"
            );
            self.press(scancode);
            thread::sleep(Duration::from_millis(500));
        }
    }

    /// Takes the gadget away from the target, for good; gives the machine that is its host then.
    pub(super) fn pull_out(self) -> &'m Machine {
        let machine = self._bridge.machine;
        machine.signal(self.cable, libc::SIGKILL);
        machine.run("killall -9 usbredirect");
        machine
    }

    /// Waits until the client shows what is on the target's screen, and keeps that.
    fn shows(&mut self, step: &str) {
        let target = &self.target;
        let (likeness, _) = self.client.until(step, |screen| {
            let likeness = screen.psnr(&target.screen().scaled(SIZE));
            (likeness >= ALIKE).then_some(likeness)
        });
        self.seen.push(format!("{step} {likeness:.0} dB"));
        let path = self
            .case
            .folder
            .join(format!("{}-{step}.png", self.seen.len()));
        self.client.screen().save(&path);
    }
}

/// Into the UEFI set-up, through its menus, and a setting changed.
pub fn uefi(case: &Case) -> String {
    let machine = Machine::boot(&case.folder);
    let mut story = Story::begin(case, &machine, Firmware::Ovmf, "full");
    story.shows("logo");
    story.press_until(ESCAPE, "Select Language");
    story.shows("front-page");

    story.press_for(DOWN, "Device Manager");
    story.press_for(ENTER, "OVMF Platform Configuration");
    story.shows("device-manager");
    story.press_for(ESCAPE, "Reset");
    story.press_for(DOWN, "Boot Manager");
    story.press_for(ENTER, "EFI Internal Shell");
    story.shows("boot-manager");
    story.press_for(ESCAPE, "Reset");
    story.press_for(DOWN, "Boot Maintenance Manager");
    story.press_for(ENTER, "[65]");
    story.shows("boot-maintenance");

    for entry in [
        "Driver Options",
        "Console Options",
        "Boot From File",
        "Boot Next Value",
        "Auto Boot Time-out",
    ] {
        story.press_for(DOWN, entry);
    }
    story.press_for(ENTER, "are valid inputs");
    story.press_for(SEVEN, "7");
    story.press_for(ENTER, "Configuration changed");
    story.press_for(F10, "Save configuration changes?");
    story.shows("saving");
    story.press_for(Y, "Auto Boot Time-out");
    // It is kept: the page that is entered anew has it.
    story.press_for(ESCAPE, "Reset");
    story.press_for(ENTER, "[7]");
    story.shows("changed");
    story.seen.join(", ")
}

/// The keyboard of another profile is one to UEFI firmware as well.
fn uefi_with(case: &Case, profile: &str) -> String {
    let machine = Machine::boot(&case.folder);
    let mut story = Story::begin(case, &machine, Firmware::Ovmf, profile);
    story.press_until(ESCAPE, "Select Language");
    story.press_for(DOWN, "Device Manager");
    story.press_for(ENTER, "OVMF Platform Configuration");
    story.shows("device-manager");
    story.seen.join(", ")
}

pub fn uefi_bios(case: &Case) -> String {
    uefi_with(case, "bios")
}

pub fn uefi_nvr(case: &Case) -> String {
    uefi_with(case, "nvr")
}

pub fn uefi_mac(case: &Case) -> String {
    uefi_with(case, "mac")
}

/// UEFI firmware finds the virtual drive beside the keyboard, offers to boot from it, and its shell runs what is on it.
pub fn uefi_media(case: &Case) -> String {
    let machine = Machine::boot(&case.folder);
    // This kernel is the gadget's host first, and writes what the target is to read.
    machine.run(
        "modprobe -a dummy_hcd usb-storage sd_mod vfat; mkdir -p /mnt
         dd if=/dev/zero of=/tmp/disk bs=1M count=64 2>/dev/null; mkdosfs /tmp/disk
         /bin/rfbridge gadget up --controller dummy_udc.0
         /bin/rfbridge media insert /tmp/disk --rw
         until mount -t vfat /dev/sda /mnt 2>/dev/null; do sleep 0.1; done
         echo 'echo Started from virtual media' > /mnt/startup.nsh; umount /mnt
         /bin/rfbridge media eject; /bin/rfbridge media insert /tmp/disk",
    );
    let mut story = Story::begin(case, &machine, Firmware::Ovmf, "full");
    story.press_until(ESCAPE, "Select Language");
    story.press_for(DOWN, "Device Manager");
    story.press_for(DOWN, "Boot Manager");
    story.press_for(ENTER, "UEFI rfbridge");
    story.shows("boot-manager");
    story.press_for(DOWN, "EFI Internal Shell");
    story.press_for(ENTER, "Started from virtual media");
    story.shows("started");
    story.seen.join(", ")
}

/// SeaBIOS reads the boot keyboard by the boot protocol. From its menu the second of two disks is chosen.
pub fn seabios(case: &Case) -> String {
    seabios_with(case, "full")
}

pub fn seabios_bios(case: &Case) -> String {
    seabios_with(case, "bios")
}

pub fn seabios_nvr(case: &Case) -> String {
    seabios_with(case, "nvr")
}

pub fn seabios_mac(case: &Case) -> String {
    seabios_with(case, "mac")
}

fn seabios_with(case: &Case, profile: &str) -> String {
    let machine = Machine::boot(&case.folder);
    let mut story = Story::begin(case, &machine, Firmware::SeaBios, profile);
    story.press_until(ESCAPE, "Select boot device");
    story.target.says("2.", 0);
    story.shows("boot-menu");
    story.press_for(TWO, SECOND_DISK);
    story.shows("booted");
    story.seen.join(", ")
}
