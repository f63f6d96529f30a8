//! `rfbridge doctor` on machines made of files: one on which all is right, and that one with each fault alone.

mod faults;
mod machine;

use std::collections::HashSet;

use machine::Fake;
use proptest::prelude::*;
use rfbridge::doctor::{Severity, Style};

const PLAIN: Style = Style {
    colour: false,
    unicode: true,
};

#[test]
fn on_a_perfect_machine_there_is_nothing_to_mend() {
    let seen = Fake::perfect().examine();
    let text = seen.report.to_text(PLAIN);
    for finding in &seen.report.findings {
        let allowed = match finding.id {
            "consumer" => Severity::Skipped,
            _ => Severity::Ok,
        };
        assert_eq!(finding.severity, allowed, "{finding:?}\n{text}");
    }
    assert!(seen.report.is_ok());
    assert!(text.ends_with("\n\nNothing to mend.\n"), "{text}");
}

/// What is broken is told once; what depends on it is not.
#[test]
fn on_an_empty_machine_only_the_roots_of_the_trouble_are_errors() {
    let seen = Fake::empty().examine();
    let errors: Vec<_> = seen
        .report
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .map(|finding| finding.id)
        .collect();
    assert_eq!(errors, ["board", "capture-device"]);
    let text = seen.report.to_text(PLAIN);
    assert!(
        text.contains("Do first (board): use a board with a USB device port"),
        "{text}"
    );
    assert!(
        text.contains("- right to capture, formats and rates, USB of the dongle, live picture: first mend the capture\n    device\n"),
        "{text}"
    );
}

#[test]
fn json_has_the_same_findings_under_stable_names() {
    let seen = Fake::empty().examine();
    let json = seen.report.to_json().expect("JSON");
    let value: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(value["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(value["ok"], false);
    let findings = value["findings"].as_array().expect("a list");
    let ids: Vec<_> = findings
        .iter()
        .map(|finding| finding["id"].as_str().expect("text"))
        .collect();
    // Scripts know these.
    assert_eq!(
        ids,
        [
            "board",
            "modules",
            "device-mode",
            "controller",
            "configfs",
            "gadget",
            "endpoints",
            "keyboard",
            "absolute",
            "relative",
            "consumer",
            "leds",
            "wake-up",
            "target",
            "capture-device",
            "capture-access",
            "capture-modes",
            "capture-usb",
            "capture-picture",
            "power",
            "temperature",
            "config",
            "listen",
            "password",
            "encryption",
            "browser",
            "power-actions",
            "xkb-data",
            "clock",
        ]
    );
    assert_eq!(findings[0]["severity"], "error");
    assert!(
        findings[0]["fix"]
            .as_str()
            .is_some_and(|fix| fix.contains("Raspberry Pi 4"))
    );
    assert_eq!(findings[1]["severity"], "skipped");
    assert!(findings[1]["fix"].is_null());
    let again = Fake::empty().examine().report.to_json().expect("JSON");
    assert_eq!(json, again);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever the tree holds, there is a report of all subjects, in order, that can be shown.
    #[test]
    fn no_file_makes_it_fall_over(junk in proptest::collection::vec((any::<prop::sample::Index>(), proptest::option::of(proptest::collection::vec(any::<u8>(), 0..200))), 1..12)) {
        let fake = Fake::perfect();
        let mut files = Vec::new();
        let mut waiting = vec![fake.path("")];
        while let Some(path) = waiting.pop() {
            if path.is_symlink() || path.is_file() {
                files.push(path);
            } else if let Ok(entries) = path.read_dir() {
                waiting.extend(entries.flatten().map(|entry| entry.path()));
            }
        }
        files.sort();
        for (index, bytes) in junk {
            let path = index.get(&files);
            let _ = std::fs::remove_file(path);
            if let Some(bytes) = bytes {
                std::fs::write(path, bytes).expect("a file");
            }
        }
        let seen = fake.examine();
        let ids: HashSet<_> = seen.report.findings.iter().map(|finding| finding.id).collect();
        prop_assert_eq!(ids.len(), 29);
        let escape = char::from(0x1b);
        prop_assert!(!seen.report.to_text(PLAIN).contains(escape));
        prop_assert!(serde_json::from_str::<serde_json::Value>(&seen.report.to_json().expect("JSON")).is_ok());
    }
}
