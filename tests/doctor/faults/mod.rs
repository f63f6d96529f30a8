//! Each fault alone leads to its own finding with its own remedy; everything that does not hang on it stays as it was.

mod input;
mod picture;
mod rest;

use rfbridge::doctor::Severity;

use Severity::{Error, Note, Ok as Fine, Warning};

use crate::machine::{CONFIG, Fake, status};

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
    (
        "config",
        &[
            "password",
            "encryption",
            "listen",
            "browser",
            "power-actions",
        ],
    ),
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
                "encryption" => &[Fine, Note],
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
    fake.write(CONFIG, "listen = \"0.0.0.0:0\"\n");
    assert_eq!(
        fake.examine().finding("listen").what,
        "0.0.0.0:5900 is served by rfbridge (pid 700)"
    );
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

/// Whoever looks, the rights of the rfbridge that runs count, or those of the service's user.
#[test]
fn the_rights_of_the_service_count_and_not_those_of_who_looks() {
    let fake = || {
        let fake = Fake::perfect();
        fake.mode("dev/hidg0", 0o600);
        fake
    };
    let said = |fake: Fake| fake.examine().finding("keyboard").what.clone();
    assert!(said(fake()).starts_with("pi may not write to /dev/hidg0"));
    let by_root = fake();
    by_root.write("proc/700/status", &status(0));
    assert_eq!(said(by_root), "/dev/hidg0, open to root");
    let service = fake();
    service.remove("proc/700");
    service.write("proc/self/status", &status(0));
    let users = "root:x:0:0::/root:/bin/sh\nrfbridge:x:4000002:4000002::/:/bin/false\n";
    service.write("etc/passwd", users);
    assert!(said(service).starts_with("rfbridge may not write to /dev/hidg0"));
    let root = fake();
    root.remove("proc/700");
    root.write("proc/self/status", &status(0));
    assert_eq!(said(root), "/dev/hidg0, open to root");
}

/// Somebody who may not open the devices, on a machine that serves: nothing is called broken that is not.
#[test]
fn without_rights_what_cannot_be_seen_is_no_error() {
    let mut fake = Fake::perfect();
    fake.write("proc/self/status", &status(4_000_003));
    fake.write("proc/700/status", &status(0));
    // Others' files.
    fake.remove("proc/700/fd");
    fake.mode("dev/video0", 0o600);
    fake.mode("dev/hidg0", 0o600);
    fake.camera.nodes[0].1 = Err("/dev/video0 may not be opened by this user: …".into());
    let seen = fake.examine();
    assert!(seen.report.is_ok(), "{:?}", seen.report);
    let said = |id: &str| seen.finding(id).what.as_str();
    assert!(said("capture-modes").contains("sudo rfbridge doctor"));
    assert!(said("listen").contains("it seems by rfbridge (pid 700)"));
}
