//! Each fault alone leads to its own finding with its own remedy; everything that does not hang on it stays as it was.

mod input;
mod picture;
mod rest;

use rfbridge::doctor::Severity;

use Severity::{Error, Note, Ok as Fine, Warning};

use crate::machine::{CONFIG, Fake};

type Break = fn(&mut Fake);

/// Name, finding, severity, and what its text and its remedy say.
type Case = (
    &'static str,
    Break,
    &'static str,
    Severity,
    &'static str,
    &'static str,
);

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
    let cases = [input::CASES, picture::CASES, rest::CASES].concat();
    for (name, break_it, id, severity, what, fix) in &cases {
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

/// What runs is judged by what it was started with, as README starts it by hand.
#[test]
fn flags_of_the_running_server_count() {
    let fake = Fake::perfect();
    fake.remove("etc/rfbridge/rfbridge.toml");
    fake.remove("proc/700");
    let words = ["rfbridge", "serve", "--listen", "0.0.0.0:5900"];
    fake.process(701, "rfbridge", &words, &["socket:[4711]"]);
    let seen = fake.examine();
    let said = |id: &str| seen.finding(id).what.as_str();
    assert!(said("config").contains("and the flags that rfbridge (pid 701) was started with"));
    assert_eq!(
        said("listen"),
        "0.0.0.0:5900 is served by rfbridge (pid 701)"
    );
    assert_eq!(seen.finding("password").severity, Fine);
    let fake = Fake::perfect();
    fake.remove("proc/700");
    fake.process(702, "rfbridge", &["rfbridge", "demo"], &["socket:[4711]"]);
    let seen = fake.examine();
    assert_eq!(seen.finding("listen").severity, Warning);
    assert!(
        seen.finding("listen")
            .what
            .contains("shows a simulated target")
    );
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
