//! Every character that a layout has is typed, in every way in which clients name it, by the program's keyboard; a
//! simulated machine with that layout reads the reports and says what it got.
//!
//! The layouts are the machine's (xkb-data), what dead keys compose is X11's (libx11-data). Without these files the tests
//! are ignored and say so, unless RFBRIDGE_XKB_DATA=required is set.

mod bench;
mod host;
#[path = "../wire/server.rs"]
#[allow(dead_code, reason = "the tests over TCP use the rest")]
mod server;
#[path = "../viewer/mod.rs"]
#[allow(dead_code, reason = "the tests over TCP use the rest")]
mod viewer;

use std::{path::Path, process::ExitCode, sync::Arc};

use kbvm::Keysym;
use libtest_mimic::{Arguments, Failed, Trial};
use rfb::testing::client::key;
use rfbridge::hid::{
    Input,
    keymap::{Layout, LayoutError},
};
use unicode_normalization::UnicodeNormalization as _;

use bench::{Bench, CLIENT, END, OTHER};
use server::Server;
use viewer::Viewer;

const XKB: &str = "/usr/share/X11/xkb/rules/evdev.lst";
const COMPOSE: &str = "/usr/share/X11/locale/en_US.UTF-8/Compose";

const LAYOUTS: &[(&str, &str)] = &[
    ("us", ""),
    ("us", "basic"),
    ("us", "intl"),
    ("us", "altgr-intl"),
    ("us", "dvorak"),
    ("us", "colemak"),
    ("gb", ""),
    ("de", ""),
    ("de", "nodeadkeys"),
    ("de", "neo"),
    ("at", ""),
    ("fr", ""),
    ("fr", "oss"),
    ("fr", "bepo"),
    ("es", ""),
    ("latam", ""),
    ("it", ""),
    ("pt", ""),
    ("se", ""),
    ("no", ""),
    ("dk", ""),
    ("fi", ""),
    ("ch", ""),
    ("ch", "fr"),
    ("be", ""),
    ("nl", ""),
    ("br", ""),
    ("ca", ""),
    ("ca", "multix"),
    ("jp", ""),
    ("kr", ""),
    ("ru", ""),
    ("ua", ""),
    ("gr", ""),
    ("il", ""),
    ("ara", ""),
    ("pl", ""),
    ("cz", ""),
    ("sk", ""),
    ("hu", ""),
    ("ro", ""),
    ("hr", ""),
    ("tr", ""),
    ("vn", ""),
];

fn main() -> ExitCode {
    let missing = [XKB, COMPOSE]
        .into_iter()
        .find(|path| !Path::new(path).exists());
    let is_required = std::env::var_os("RFBRIDGE_XKB_DATA").is_some_and(|v| v == "required");
    let mut trials = Vec::new();
    for &(layout, variant) in LAYOUTS {
        trials.push(Trial::test(
            format!("complaints_6_18_what_is_typed_is_what_arrives::{layout}({variant})"),
            move || conduct(layout, variant),
        ));
    }
    // Half a minute: asked for with `--ignored`.
    trials.push(Trial::test("every_layout_of_the_machine", every_layout).with_ignored_flag(true));
    trials.push(Trial::test(
        "us_is_the_same_from_files_and_built_in",
        us_is_the_same,
    ));
    trials.push(Trial::test("unknown_names_are_explained", unknown_names));
    trials.push(Trial::test(
        "complaint_6_a_viewer_types_at_a_german_target",
        german_over_the_wire,
    ));
    if let Some(missing) = missing
        && !is_required
    {
        eprintln!("ignored: there is no {missing}; install xkb-data and libx11-data");
        trials = trials
            .into_iter()
            .map(|trial| trial.with_ignored_flag(true).with_kind("no xkb-data"))
            .collect();
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// How a client, or several, send a character.
struct Way {
    name: &'static str,
    /// Keysyms held meanwhile by the client that types.
    held: &'static [u32],
    /// Keysyms held meanwhile by another client.
    others: &'static [u32],
    caps: bool,
    input: Sent,
}

#[derive(Clone, Copy, PartialEq)]
enum Sent {
    /// As X11 numbers it.
    Legacy,
    /// 0x01000000 + code point.
    Unicode,
    /// The code point itself, as vncdotool does.
    Bare,
    /// As a character of a text.
    Text,
}

const SHIFT_L: u32 = 0xffe1;
const CONTROL_L: u32 = 0xffe3;
const ALT_L: u32 = 0xffe9;
const LEVEL_3: u32 = 0xfe03;

const WAYS: &[Way] = &[
    Way {
        name: "as keysyms",
        held: &[],
        others: &[],
        caps: false,
        input: Sent::Legacy,
    },
    Way {
        name: "as Unicode keysyms",
        held: &[],
        others: &[],
        caps: false,
        input: Sent::Unicode,
    },
    Way {
        name: "as bare code points",
        held: &[],
        others: &[],
        caps: false,
        input: Sent::Bare,
    },
    Way {
        name: "with Shift held",
        held: &[SHIFT_L],
        others: &[],
        caps: false,
        input: Sent::Legacy,
    },
    Way {
        name: "with AltGr held",
        held: &[LEVEL_3],
        others: &[],
        caps: false,
        input: Sent::Legacy,
    },
    Way {
        name: "with both held",
        held: &[LEVEL_3, SHIFT_L],
        others: &[],
        caps: false,
        input: Sent::Unicode,
    },
    Way {
        name: "with Caps Lock on",
        held: &[],
        others: &[],
        caps: true,
        input: Sent::Legacy,
    },
    Way {
        name: "with Caps Lock on and Shift held",
        held: &[SHIFT_L],
        others: &[],
        caps: true,
        input: Sent::Unicode,
    },
    Way {
        name: "as a text",
        held: &[],
        others: &[],
        caps: false,
        input: Sent::Text,
    },
    Way {
        name: "as a text with Caps Lock on",
        held: &[],
        others: &[],
        caps: true,
        input: Sent::Text,
    },
    Way {
        name: "as a text while another holds keys",
        held: &[],
        others: &[CONTROL_L, ALT_L, SHIFT_L, LEVEL_3],
        caps: false,
        input: Sent::Text,
    },
];

fn conduct(name: &str, variant: &str) -> Result<(), Failed> {
    let machine = host::Layout::new(name, variant);
    let layout = Layout::xkb(name, variant).map_err(|error| error.to_string())?;
    let singles = machine.single_strokes();
    let printable = |c: &char| !c.is_control();
    let mut text: Vec<char> = singles.keys().copied().filter(printable).collect();
    if let Some(lacking) = text.iter().find(|c| !layout.can_type(**c))
        && (name, variant) != ("us", "")
    {
        return Err(format!("{lacking:?} has a key of its own and cannot be typed").into());
    }
    text.retain(|c| layout.can_type(*c));

    // What dead keys add, and whatever else the layout says that it can.
    let dead_keys = machine.dead_keys();
    for character in '\u{a1}'..='\u{17f}' {
        let can = layout.can_type(character);
        let mut bases = singles.keys().filter(|base| **base != ' ');
        let base = character.nfd().next().filter(|base| *base != character);
        let composes = bases.any(|b| {
            Some(*b) == base
                && dead_keys
                    .iter()
                    .any(|dead| machine.composed(*dead, *b) == Some(character))
        });
        if composes && !can {
            return Err(format!("{character:?} is made by a dead key and cannot be typed").into());
        }
        if can && !text.contains(&character) {
            text.push(character);
        }
    }
    text.extend((' '..='~').filter(|c| layout.can_type(*c) && !singles.contains_key(c)));

    let can_type = |c: char| layout.can_type(c);
    let ways: Vec<_> = WAYS
        .iter()
        .filter(|way| !way.caps || layout.caps_locks())
        .map(|way| (way, sent_as(way.input, &text, can_type)))
        .collect();
    let layout = Arc::new(layout);
    let mut faults = Vec::new();
    for (way, text) in ways {
        let bench = Bench::new(Arc::clone(&layout));
        if let Err(fault) = type_all(&bench, &machine, way, &text) {
            faults.push(format!("{}: {fault}", way.name));
        }
    }
    match faults.is_empty() {
        true => Ok(()),
        false => Err(faults.join("\n").into()),
    }
}

/// The characters that this way of naming can name, each with its keysym.
fn sent_as(input: Sent, text: &[char], can_type: impl Fn(char) -> bool) -> Vec<(char, u32)> {
    let named = text.iter().filter_map(|&character| {
        let code_point = u32::from(character);
        let keysym = match input {
            Sent::Legacy => Keysym::from_char(character).0,
            Sent::Unicode | Sent::Text => 0x0100_0000 + code_point,
            Sent::Bare => {
                // X11 has these numbers for keys.
                if (0xfe00..=0xffff).contains(&code_point) {
                    return None;
                }
                // And these for characters, which win if they can be typed.
                let of_x11 = Keysym(code_point).char();
                if of_x11.is_some_and(|other| other != character && can_type(other)) {
                    return None;
                }
                code_point
            }
        };
        Some((character, keysym))
    });
    named.collect()
}

fn type_all(
    bench: &Bench,
    machine: &host::Layout,
    way: &Way,
    text: &[(char, u32)],
) -> Result<(), String> {
    let mut host = machine.host();
    if way.caps {
        host.read_report(&[0, 0, 0x39, 0, 0, 0, 0, 0]);
        host.read_report(&[0; 8]);
        assert!(host.caps_is_on(), "Caps Lock does nothing on this layout");
    }
    bench.light_caps(way.caps);
    for keysym in way.held {
        bench.key(true, *keysym);
    }
    for keysym in way.others {
        let (down, keysym) = (true, *keysym);
        bench.send(OTHER, Input::Key { down, keysym });
    }
    for report in bench.reports() {
        host.read_report(&report);
    }
    let (modifiers, keys) = host.held();
    let before = (modifiers, keys.to_vec());
    let mut result = Ok(());
    for &(character, keysym) in text {
        host.text.clear();
        for down in [true, false] {
            let input = match way.input {
                Sent::Text => Input::Character { down, character },
                _ => Input::Key { down, keysym },
            };
            bench.send(CLIENT, input);
        }
        let reports = bench.reports();
        for report in &reports {
            host.read_report(report);
        }
        // Scripts write Shift + b for the chord.
        let is_chord = || {
            let mut typed = host.text.chars();
            let capital = typed.next().filter(|c| c.is_uppercase());
            way.held.contains(&SHIFT_L)
                && !way.caps
                && character.is_lowercase()
                && capital.is_some()
                && typed.next().is_none()
        };
        let (modifiers, keys) = host.held();
        if host.text != character.to_string() && !is_chord() {
            result = Err(format!(
                "{character:?} ({keysym:#x}) arrived as {:?} by {reports:02x?}",
                host.text
            ));
        } else if (modifiers, keys.to_vec()) != before {
            result = Err(format!("after {character:?}: {:02x?} is held", host.held()));
        } else if host.caps_is_on() != way.caps {
            result = Err(format!("after {character:?}: Caps Lock is another"));
        }
        if result.is_err() {
            break;
        }
    }
    bench.send(CLIENT, Input::Leave);
    bench.send(OTHER, Input::Leave);
    for report in bench.reports() {
        host.read_report(&report);
    }
    if result.is_ok() && host.held() != (0, &[]) {
        result = Err(format!("at the end: {:02x?} is held", host.held()));
    }
    result
}

/// Also those that nobody here can read.
fn every_layout() -> Result<(), Failed> {
    let list = std::fs::read_to_string(XKB).expect("a list of layouts");
    let (mut section, mut names) = ("", Vec::new());
    for line in list.lines() {
        let mut words = line.split_whitespace();
        match (words.next(), section) {
            (Some("!"), _) => section = words.next().unwrap_or_default(),
            (Some(layout), "layout") if layout != "custom" => names.push((layout, "")),
            // With AltGr its Shift latches a level, so one report that swaps both leaves that behind.
            (Some("T3"), "variant") => {}
            (Some(variant), "variant") => {
                let layout = words.next().expect("a layout").trim_end_matches(':');
                names.push((layout, variant));
            }
            _ => {}
        }
    }
    let faults = names.iter().filter_map(|(layout, variant)| {
        let fault = conduct(layout, variant).err()?;
        let fault = fault.message().unwrap_or_default().to_owned();
        Some(format!("{layout}({variant}): {fault}"))
    });
    let faults: Vec<_> = faults.collect();
    println!("{} layouts, {} at fault", names.len(), faults.len());
    match faults.is_empty() {
        true => Ok(()),
        false => Err(faults.join("\n").into()),
    }
}

fn us_is_the_same() -> Result<(), Failed> {
    let built_in = Layout::us();
    let from_files = Layout::xkb("us", "basic").map_err(|error| error.to_string())?;
    for character in ' '..='~' {
        for caps in [false, true] {
            let [ours, theirs] =
                [&built_in, &from_files].map(|layout| layout.typing(character, caps));
            if ours != theirs {
                return Err(format!("{character:?}: {ours:?}, from files {theirs:?}").into());
            }
        }
    }
    Ok(())
}

/// The whole program, told the layout by a flag and the file.
fn german_over_the_wire() -> Result<(), Failed> {
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("rfbridge.toml");
    std::fs::write(
        &file,
        "[keyboard]\nlayout = \"us\"\nvariant = \"nodeadkeys\"\n",
    )?;
    let source = concat!(
        "replay:",
        env!("CARGO_MANIFEST_DIR"),
        "/fixtures/screens/firmware.mjpeg"
    );
    let config = file.to_str().expect("a name in UTF-8");
    let arguments = [
        "serve", "--source", source, "--sink", "null", "--config", config,
    ];
    let server = Server::start(&[&arguments, ["--keyboard-layout", "de"].as_slice()].concat());
    let mut viewer = Viewer::connect(server.address);
    let text = "Grüße: {@} ^1/2 y-Z";
    let keysyms = text.chars().map(|c| Keysym::from_char(c).0).chain([END]);
    for keysym in keysyms {
        viewer.send(&[key(true, keysym), key(false, keysym)].concat());
    }
    let reports = server.wait_for("the last key", |server| {
        let reports = server.keyboard();
        let end = reports
            .iter()
            .position(|report| report[4..].contains("73"))?;
        Some(reports[..end].to_vec())
    });
    let machine = host::Layout::new("de", "nodeadkeys");
    let mut host = machine.host();
    for report in reports {
        let byte = |at: usize| u8::from_str_radix(&report[at..at + 2], 16);
        let bytes: Result<Vec<u8>, _> = (0..16).step_by(2).map(byte).collect();
        host.read_report(&bytes?);
    }
    match host.text == text {
        true => Ok(()),
        false => Err(format!("{text:?} arrived as {:?}", host.text).into()),
    }
}

fn unknown_names() -> Result<(), Failed> {
    for (layout, variant, word) in [
        ("german", "", "de (German)"),
        ("qq", "", "se"),
        ("de", "nodeadkey", "nodeadkeys"),
        ("de(foo)", "", "neo"),
        ("../../../etc/passwd", "", "there is no keyboard layout"),
        ("us,ru", "", "one at a time"),
        ("de(neo)", "bone", "name it once"),
        ("", "", "there is no keyboard layout"),
    ] {
        let error: LayoutError = Layout::xkb(layout, variant).expect_err(layout);
        let text = error.to_string();
        if !text.contains(word) {
            return Err(format!("{layout}({variant}): {text}").into());
        }
    }
    Layout::xkb("de(nodeadkeys)", "").map_err(|error| error.to_string())?;
    Ok(())
}
