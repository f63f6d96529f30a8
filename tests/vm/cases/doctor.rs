//! What `rfbridge doctor` says while a bridge is being set up, and of one that is.

use std::fs;

use rfb::geom::Size;
use serde_json::Value;

use crate::{
    Case,
    bridge::Bridge,
    cases::{dongle::plug_in, input::CONTROLLER},
    dongle::{Dongle, Fault, Screen},
    host::Host,
    machine::Machine,
    picture::Picture,
};

const SIZE: Size = Size::new(1280, 720);

/// What the doctor said.
struct Said {
    status: i32,
    report: Value,
}

impl Said {
    fn by(machine: &Machine) -> Self {
        // Progress is told beside it.
        let (status, text) = machine.try_run("rfbridge doctor --json 2>/dev/null");
        let report = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        Self { status, report }
    }

    /// The ids of what is of this severity.
    fn ids(&self, severity: &str) -> Vec<&str> {
        let findings = self.report["findings"].as_array().expect("a list").iter();
        let of_it = findings.filter(|finding| finding["severity"] == severity);
        of_it
            .map(|finding| finding["id"].as_str().expect("text"))
            .collect()
    }

    /// What is said of it.
    fn what(&self, id: &str) -> &str {
        let mut findings = self.report["findings"].as_array().expect("a list").iter();
        let finding = findings.find(|finding| finding["id"] == id);
        finding
            .and_then(|finding| finding["what"].as_str())
            .expect("it is told")
    }
}

pub fn doctor(case: &Case) -> String {
    let machine = Machine::boot(&case.folder);
    let tell = |name: &str| {
        let (_, text) = machine.try_run("LANG=C.UTF-8 rfbridge doctor 2>/dev/null");
        fs::write(case.folder.join(name), text).expect("a file");
    };
    let said = Said::by(&machine);
    assert_eq!(
        (said.status, said.ids("error")),
        (1, vec!["board", "capture-device"]),
        "{}",
        said.report
    );
    tell("doctor-nothing.txt");

    machine.run("modprobe dummy_hcd");
    let host = Host::watch(&machine);
    let said = Said::by(&machine);
    assert_eq!(
        said.ids("error"),
        ["gadget", "capture-device"],
        "{}",
        said.report
    );
    machine.run(&format!("rfbridge gadget up --controller {CONTROLLER}"));
    host.has_devices(&super::input::ALL_DEVICES);
    let said = Said::by(&machine);
    assert_eq!(said.ids("error"), ["capture-device"], "{}", said.report);

    machine.run("modprobe -a vhci-hcd uvcvideo");
    let dongle = Dongle::new();
    dongle.show(Screen::Jpegs(
        vec![Picture::test_card(SIZE, 1).jpeg()].into(),
    ));
    let _plugged = plug_in(&machine, &dongle);
    let said = Said::by(&machine);
    assert_eq!(
        (said.status, said.ids("error")),
        (0, vec![]),
        "{}",
        said.report
    );
    assert!(
        said.what("capture-device").contains("534d:2109"),
        "{}",
        said.report
    );
    assert!(
        said.what("capture-picture").contains("frames a second"),
        "{}",
        said.report
    );
    let rate = said.what("capture-picture").to_owned();

    dongle.fault(Fault::Freeze);
    let said = Said::by(&machine);
    assert_eq!(
        (said.status, said.ids("error")),
        (1, vec!["capture-picture"]),
        "{}",
        said.report
    );
    assert!(
        said.what("capture-picture").contains("sends no picture"),
        "{}",
        said.report
    );
    dongle.thaw();

    let bridge = Bridge::serve(&machine, &[]);
    bridge.client();
    let said = Said::by(&machine);
    assert_eq!(
        (said.status, said.ids("error")),
        (0, vec![]),
        "{}",
        said.report
    );
    assert!(
        said.what("capture-picture").contains("in use by rfbridge"),
        "{}",
        said.report
    );
    // As it is served, with its flags, and not as the configuration would have it.
    assert!(said.what("listen").contains("served"), "{}", said.report);
    tell("doctor-served.txt");
    bridge.terminate();
    tell("doctor-ready.txt");

    machine.run(&format!("echo > /sys/kernel/config/usb_gadget/rfbridge/UDC; echo disconnect > /sys/class/udc/{CONTROLLER}/soft_connect || true"));
    let said = Said::by(&machine);
    assert_eq!(said.ids("error"), ["gadget"], "{}", said.report);
    rate
}
