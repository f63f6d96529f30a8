//! Checks 53 and 58 to 66: what a client types is what the target's USB host reads.

use rfb::testing::client::{extended_key, key, pointer};

use crate::server::Server;
use crate::viewer::Viewer;

const SHIFT: u32 = 0xffe1;

/// What these messages pressed on a target that was sent nothing else: `(modifiers, usage)` of each key.
fn typed(bytes: &[u8]) -> Vec<(u8, u8)> {
    let server = Server::demo();
    let mut viewer = Viewer::connect(server.address);
    viewer.send(bytes);
    viewer.send(&tap(END));
    let mut presses = server.wait_for("the last key", |server| {
        let reports = server.keyboard();
        let presses = presses(&reports);
        let ended = presses.last() == Some(&(0, END_USAGE));
        (ended && reports.last().is_some_and(|r| r == RELEASED)).then_some(presses)
    });
    presses.pop();
    presses
}

/// A key that nothing else presses: F12.
const END: u32 = 0xffc9;
const END_USAGE: u8 = 0x45;

/// Each key that went down, with the modifiers it went down under: `(modifiers, usage)`.
pub fn presses(reports: &[String]) -> Vec<(u8, u8)> {
    let bytes = |report: &String| -> Vec<u8> {
        (0..16)
            .step_by(2)
            .map(|i| u8::from_str_radix(&report[i..i + 2], 16).expect("hex"))
            .collect()
    };
    let mut held = Vec::new();
    let mut presses = Vec::new();
    for report in reports.iter().map(bytes) {
        let now: Vec<u8> = report[2..].iter().copied().filter(|k| *k != 0).collect();
        presses.extend(
            now.iter()
                .filter(|k| !held.contains(*k))
                .map(|k| (report[0], *k)),
        );
        held = now;
    }
    presses
}

pub const RELEASED: &str = "0000000000000000";

pub fn tap(keysym: u32) -> Vec<u8> {
    [key(true, keysym), key(false, keysym)].concat()
}

#[test]
fn check_58_61_vncdotool_types_without_shift_and_in_one_segment() {
    let bytes: Vec<u8> = "aA!?".chars().flat_map(|c| tap(c.into())).collect();
    assert_eq!(typed(&bytes), [(0, 0x04), (2, 0x04), (2, 0x1e), (2, 0x38)]);
}

#[test]
fn check_59_openqa_presses_shift_itself() {
    let around = |c: char| [key(true, SHIFT), tap(c.into()), key(false, SHIFT)].concat();
    assert_eq!(
        typed(&[around('A'), around('!')].concat()),
        [(2, 0x04), (2, 0x1e)]
    );
}

#[test]
fn complaint_7_check_60_mismatching_releases_leave_nothing_pressed() {
    let jump = [
        key(true, SHIFT),
        key(true, '?'.into()),
        key(false, SHIFT),
        key(false, '/'.into()),
        key(false, 'x'.into()),
    ];
    assert_eq!(typed(&jump.concat()), [(2, 0x38)]);
}

#[test]
fn check_61_a_burst_of_two_hundred_keys_loses_none() {
    let word = "thequickbrownfoxjumpsoverthelazydog0123456789";
    let text: Vec<char> = word.chars().cycle().take(200).collect();
    let bytes: Vec<u8> = text.iter().flat_map(|c| tap(u32::from(*c))).collect();
    let usage = |c: &char| match c {
        'a'..='z' => *c as u8 - b'a' + 4,
        '0' => 0x27,
        _ => *c as u8 - b'1' + 0x1e,
    };
    let expected: Vec<(u8, u8)> = text.iter().map(|c| (0, usage(c))).collect();
    assert_eq!(typed(&bytes), expected);
}

#[test]
fn check_53_62_63_scancodes_repeats_and_odd_keysyms() {
    let mut bytes = extended_key(true, 0x7a, 0x1e).repeat(20);
    bytes.extend(extended_key(false, 0x7a, 0x1e));
    for keysym in [0, 0xffff_ffff, 0x00ff_ffff, 0x0100_20ac, 0x20ac] {
        bytes.extend(tap(keysym));
    }
    bytes.extend(tap(0x0100_0041));
    for code in [0x54, 0xb7, 0xc6] {
        bytes.extend([extended_key(true, 0, code), extended_key(false, 0, code)].concat());
    }
    let expected = [(0, 0x04), (2, 0x04), (0, 0x46), (0, 0x46), (0, 0x48)];
    assert_eq!(typed(&bytes), expected);
}

#[test]
fn check_64_a_client_that_leaves_releases_what_nobody_else_holds() {
    let server = Server::demo();
    let mut stays = Viewer::connect(server.address);
    stays.send(&extended_key(true, 0, 0x1e));
    let mut leaves = Viewer::connect(server.address);
    let hold = [
        extended_key(true, 0, 0x1d),
        extended_key(true, 0, 0x38),
        extended_key(true, 0, 0x1f),
        pointer(1, 10, 10),
    ];
    leaves.send(&hold.concat());
    let all_held = |r: &String| r.starts_with("05") && r.contains("04") && r.contains("16");
    server.wait_for("all to be held", |s| {
        s.keyboard().iter().any(all_held).then_some(())
    });
    let button = |server: &Server, held: &str| {
        let reports = server.reports();
        let last = reports
            .iter()
            .rfind(|(function, _)| function == "absolute")
            .cloned();
        last.is_some_and(|(_, report)| report.starts_with(held))
            .then_some(())
    };
    server.wait_for("the button", |s| button(s, "01"));
    drop(leaves);
    server.wait_for("only the other's key to be held", |s| {
        s.keyboard()
            .last()
            .is_some_and(|r| r == "0000040000000000")
            .then_some(())
    });
    server.wait_for("the button's release", |s| button(s, "00"));
    drop(stays);
    server.wait_for("everything to be released", |s| {
        s.keyboard()
            .last()
            .is_some_and(|r| r == RELEASED)
            .then_some(())
    });
}

#[test]
fn check_65_positions_are_clamped_and_the_wheel_turns_by_edges() {
    let server = Server::demo();
    let mut viewer = Viewer::connect(server.address);
    let mut bytes = pointer(0, 0xffff, 0xffff);
    // Wheel up twice, held down for a while in between; then a click.
    for buttons in [0x08, 0x08, 0, 0x08, 0, 1, 0] {
        bytes.extend(pointer(buttons, 0xffff, 0xffff));
    }
    viewer.send(&bytes);
    let reports = server.wait_for("the click", |server| {
        let reports: Vec<String> = server
            .reports()
            .into_iter()
            .filter(|r| r.0 == "absolute")
            .map(|r| r.1)
            .collect();
        let click = reports.iter().position(|r| r.starts_with("01"))?;
        reports[click..]
            .last()
            .is_some_and(|r| r.starts_with("00"))
            .then_some(reports)
    });
    assert!(
        reports.iter().all(|r| &r[2..10] == "ff7fff7f"),
        "{reports:?}"
    );
    let turns: Vec<&str> = reports
        .iter()
        .map(|r| &r[10..12])
        .filter(|w| *w != "00")
        .collect();
    assert_eq!(turns, ["01", "01"]);
}

#[test]
fn check_65_ten_thousand_moves_lose_no_click() {
    let server = Server::demo();
    let mut viewer = Viewer::connect(server.address);
    let mut bytes = Vec::new();
    for i in 0..10_000u16 {
        let pressed = u8::from(i % 1000 == 500);
        bytes.extend(pointer(pressed, i % 1280, i % 700));
    }
    viewer.send(&bytes);
    server.wait_for("ten clicks", |server| {
        let reports = server.reports();
        let buttons = reports
            .iter()
            .filter(|r| r.0 == "absolute")
            .map(|r| r.1.starts_with("01"));
        let pairs: Vec<bool> = buttons.collect();
        let clicks = pairs.windows(2).filter(|w| w[0] && !w[1]).count();
        (clicks == 10).then_some(())
    });
}

#[test]
fn complaint_8_9_a_silent_client_loses_its_keys_and_keeps_its_modifiers() {
    let server = Server::start(&["demo", "--keyboard-expiry", "1"]);
    let mut viewer = Viewer::connect(server.address);
    let hold = [
        extended_key(true, 0, 0x1d),
        extended_key(true, 0, 0x1e),
        pointer(1, 10, 10),
    ];
    viewer.send(&hold.concat());
    server.wait_for("the key to go up and Ctrl to stay", |server| {
        let reports = server.keyboard();
        let pressed = reports.iter().position(|r| r == "0100040000000000")?;
        (reports[pressed..] == ["0100040000000000", "0100000000000000"]).then_some(())
    });
    server.wait_for("the button to go up", |server| {
        let reports = server.reports();
        let last = reports.iter().rfind(|r| r.0 == "absolute")?;
        last.1.starts_with("00").then_some(())
    });
    assert!(server.log().contains("nothing was heard of a client"));
    // It was only asleep.
    viewer.send(&extended_key(true, 0, 0x1e));
    server.wait_for("the key to be down again", |server| {
        let held = |r: &&String| *r == "0100040000000000";
        (server.keyboard().iter().filter(held).count() == 2).then_some(())
    });
}
