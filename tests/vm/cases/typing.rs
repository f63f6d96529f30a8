//! Texts typed by `rfbridge type`, as they arrive at the target.

use std::{
    collections::BTreeMap,
    thread,
    time::{Duration, Instant},
};

use super::{
    input::with_gadget,
    story::{DOWN, ENTER, ESCAPE, Story},
};
use crate::{
    Case,
    host::{Blind, EV_KEY, Host, inputs},
    machine::{Firmware, LOOK, Machine},
    protocol::Event,
};

/// Milliseconds between two characters; `None` is what rfbridge does by itself. Without a pause OVMF forgets some, which is
/// told and not judged; it forgot none with 2, 5, 10 and 20.
const DELAYS: [Option<u16>; 2] = [None, Some(0)];
/// Where something else than typing is tested.
const SLOWLY: u16 = 40;
/// A line of the shell, together with the command, is shorter than its screen. All of them are fewer reports than the
/// 2000 that QEMU's end of the cable keeps for a target that polls slower than the gadget's host: what is more it drops.
const LINES: [&str; 8] = [
    "!\"#$%&'()*+,-./0123456789:;<=>?@",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`",
    "abcdefghijklmnopqrstuvwxyz{|}~",
    "Pack my box with five dozen liquor jugs.",
    "AaAaBbBb 11!!22@@33## (({{[[<<>>]]}}))",
    "aaaaaaaa bbbbbbbb cccccccc 00000000",
    "x=1; y=\"2\"; [ $x != $y ] && echo ~/z | tee",
    "The end of it.",
];

/// A text typed into the UEFI shell, which writes it to the virtual drive.
pub fn uefi(case: &Case) -> String {
    let machine = Machine::boot(&case.folder);
    machine.run(
        "modprobe -a dummy_hcd usb-storage sd_mod vfat; mkdir -p /mnt
         dd if=/dev/zero of=/tmp/disk bs=1M count=64 2>/dev/null; mkdosfs /tmp/disk
         /bin/rfbridge gadget up --controller dummy_udc.0
         /bin/rfbridge media insert /tmp/disk --rw
         until mount -t vfat /dev/sda /mnt 2>/dev/null; do sleep 0.1; done
         echo 'echo Ready to be typed at' > /mnt/startup.nsh; umount /mnt",
    );
    let mut story = Story::begin(case, &machine, Firmware::Ovmf, "full");
    story.press_until(ESCAPE, "Select Language");
    story.press_for(DOWN, "Device Manager");
    story.press_for(DOWN, "Boot Manager");
    story.press_for(ENTER, "UEFI rfbridge");
    story.press_for(DOWN, "EFI Internal Shell");
    story.press_for(ENTER, "Ready to be typed at");
    let mut times = Vec::new();
    for (number, delay) in DELAYS.into_iter().enumerate() {
        is_ready(&mut story, &machine, &format!("before{number}"));
        let command = |line: &&str| format!("echo {} >>a fs0:\\{number}.txt\n", escaped(line));
        let text: String = LINES.iter().map(command).collect();
        let began = Instant::now();
        types(&machine, &text, delay);
        times.push(began.elapsed().as_secs_f32() / text.len() as f32);
    }
    is_ready(&mut story, &machine, "at the end");

    let machine = story.pull_out();
    machine.run(
        "/bin/rfbridge media remove; /bin/rfbridge media insert /tmp/disk
         until mount -t vfat /dev/sda /mnt 2>/dev/null; do sleep 0.1; done",
    );
    let mut said = Vec::new();
    for (number, delay) in DELAYS.into_iter().enumerate() {
        let text = machine.try_run(&format!("cat /mnt/{number}.txt")).1;
        let text = text.replace('\r', "");
        std::fs::write(case.folder.join(format!("{number}.txt")), &text).expect("a file");
        let is_whole = text.lines().map(str::trim_end).eq(LINES);
        let what = if is_whole { "all" } else { "not all" };
        let each = times[number] * 1000.0;
        let pause = delay.map_or("the default".to_owned(), |ms| format!("{ms} ms"));
        said.push(format!("{pause} between: {what}, {each:.0} ms each"));
        assert!(is_whole || delay.is_some(), "{said:?}");
    }
    said.join(", ")
}

/// Waits until the shell does what it is told.
fn is_ready(story: &mut Story<'_>, machine: &Machine, mark: &str) {
    for _ in 0..10 {
        let from = story.target.serial().len();
        story.press(ENTER);
        // What it shows while it is typed is not what it says then.
        types(machine, &format!("echo is^ ready^ {mark}\n"), Some(SLOWLY));
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(10) {
            if story.target.has_said(&format!("is ready {mark}"), from) {
                return;
            }
            thread::sleep(LOOK);
        }
    }
    panic!("the shell takes no commands");
}

/// Has rfbridge type a text.
fn types(machine: &Machine, text: &str, delay: Option<u16>) {
    machine.write("/tmp/text", text.as_bytes());
    let delay = delay.map(|delay| format!("--delay {delay}"));
    let delay = delay.unwrap_or_default();
    machine.run(&format!("/bin/rfbridge type {delay} /tmp/text"));
}

/// As the shell's command line has it (UEFI Shell 2.2, section 3.3).
fn escaped(line: &str) -> String {
    let escape = |character: char| {
        let escape = "^\"%|<>#".contains(character).then_some('^');
        escape.into_iter().chain([character])
    };
    line.chars().flat_map(escape).collect()
}

/// 2000 characters as fast as a host takes them.
pub fn linux(case: &Case) -> String {
    let machine = Machine::boot(&case.folder);
    let (host, bridge, _client) = with_gadget(&machine);
    let printable: String = (' '..='~').collect();
    let mut text = String::new();
    while text.len() < 2000 {
        text.push_str(&printable);
        text.push_str("\n\t");
    }
    text.truncate(2000);
    for unseen in 0..5 {
        let began = Instant::now();
        types(&machine, &text, Some(0));
        let rate = text.len() as f32 / began.elapsed().as_secs_f32();
        let mut typed = 0;
        match host.undisturbed("the text", |event| {
            typed += usize::from(is_character(event));
            typed == text.len() && host.held().is_empty()
        }) {
            Ok(events) => {
                assert_eq!(decoded(&events), text);
                bridge.terminate();
                return format!(
                    "2000 characters, {rate:.0}/s, none lost ({unseen} runs the bench could not see whole)"
                );
            }
            Err(Blind) => sees_again(&machine, &host),
        }
    }
    panic!("the bench was five times too slow to see all events; is this machine very busy?")
}

/// Types what is no part of the text, and waits for it.
fn sees_again(machine: &Machine, host: &Host) {
    types(machine, "\u{1b}", Some(0));
    host.recover(|event| {
        matches!(
            event,
            Event::Input {
                kind: EV_KEY,
                code: 1,
                value: 0,
                ..
            }
        )
    });
}

fn is_character(event: &Event) -> bool {
    matches!(event, Event::Input { kind: EV_KEY, code, value: 1, .. } if ![LEFT_SHIFT, RIGHT_SHIFT].contains(code))
}

const LEFT_SHIFT: u16 = 42;
const RIGHT_SHIFT: u16 = 54;

/// What a US keyboard writes with these events.
fn decoded(events: &[Event]) -> String {
    const ROWS: [(u16, &str, &str); 5] = [
        (2, "1234567890-=", "!@#$%^&*()_+"),
        (15, "\tqwertyuiop[]\n", "\tQWERTYUIOP{}\n"),
        (30, "asdfghjkl;'`", "ASDFGHJKL:\"~"),
        (43, "\\zxcvbnm,./", "|ZXCVBNM<>?"),
        (57, " ", " "),
    ];
    let mut keys = BTreeMap::new();
    for (first, plain, shifted) in ROWS {
        for (code, pair) in (first..).zip(plain.chars().zip(shifted.chars())) {
            keys.insert(code, pair);
        }
    }
    let mut shift = false;
    let mut text = String::new();
    for (code, value) in inputs(events, EV_KEY) {
        match (code, value) {
            (LEFT_SHIFT | RIGHT_SHIFT, _) => shift = value != 0,
            (_, 1) => {
                let (plain, shifted) = keys.get(&code).expect("a key that writes");
                text.push(if shift { *shifted } else { *plain });
            }
            _ => {}
        }
    }
    text
}
