//! What a client does with keyboard and mouse, as the host of the gadget sees it.

use std::{
    thread,
    time::{Duration, Instant},
};

use rfb::geom::Size;

use crate::{
    Case,
    bridge::{Bridge, Client},
    host::{Blind, EV_ABS, EV_KEY, EV_REL, Host, inputs},
    machine::Machine,
    picture::Picture,
    protocol::{Device, Event},
};

/// The screen that positions refer to.
pub const SCREEN: Size = Size::new(320, 200);

/// Z: (scancode, key), which ends what was not seen whole.
const MARKER: (u32, u16) = (0x2c, 44);

const ABS_X: u16 = 0;
pub const ABS_Y: u16 = 1;

/// The codes behind the XT prefix 0xe0 (as 0x80 + the code), and the kernel's names for the keys. All other keys of a
/// US keyboard have the same number on both sides (linux/input-event-codes.h).
const EXTENDED: [(u32, u16); 19] = [
    (0x9c, 96),  // keypad Enter
    (0x9d, 97),  // right Ctrl
    (0xb5, 98),  // keypad /
    (0xb7, 99),  // Print Screen
    (0xb8, 100), // right Alt
    (0xc7, 102), // Home
    (0xc8, 103), // Up
    (0xc9, 104), // Page Up
    (0xcb, 105), // Left
    (0xcd, 106), // Right
    (0xcf, 107), // End
    (0xd0, 108), // Down
    (0xd1, 109), // Page Down
    (0xd2, 110), // Insert
    (0xd3, 111), // Delete
    (0xc6, 119), // Pause
    (0xdb, 125), // left GUI
    (0xdc, 126), // right GUI
    (0xdd, 127), // Menu
];

/// (scancode, key) of all 104 keys of a US keyboard.
fn us_keyboard() -> Vec<(u32, u16)> {
    let plain = (0x01..=0x53).chain([0x57, 0x58]);
    let plain = plain.map(|code| (u32::from(code), code));
    plain.chain(EXTENDED).collect()
}

/// The controller whose host's port is in the same kernel (dummy_hcd).
pub const CONTROLLER: &str = "dummy_udc.0";

/// What the host has of a gadget in the profile `full`.
pub const ALL_DEVICES: [Device; 4] = [
    Device::Keyboard,
    Device::Absolute,
    Device::Relative,
    Device::Consumer,
];

/// A gadget that this kernel itself is the host of, and rfbridge with a still screen; nothing is down.
pub fn with_gadget(machine: &Machine) -> (Host, Bridge<'_>, Client) {
    machine.run("modprobe dummy_hcd");
    let host = Host::watch(machine);
    machine.run(&format!(
        "/bin/rfbridge gadget up --controller {CONTROLLER}"
    ));
    let screen = Picture::test_card(SCREEN, 1);
    machine.run("mkdir /screen");
    machine.write("/screen/1.png", &screen.png());
    let bridge = Bridge::serve(machine, &["--source", "replay:/screen"]);
    let mut client = bridge.client();
    client.until("the screen", |shown| (*shown == screen).then_some(()));
    host.has_devices(&ALL_DEVICES);
    (host, bridge, client)
}

pub fn keyboard(case: &Case) -> String {
    let machine = Machine::boot(&case.folder);
    let (host, bridge, mut client) = with_gadget(&machine);

    let keys = us_keyboard();
    assert_eq!(keys.len(), 104);
    for (scancode, _) in &keys {
        client.key(true, *scancode);
        client.key(false, *scancode);
    }
    let expected: Vec<_> = keys
        .iter()
        .flat_map(|(_, key)| [(*key, 1), (*key, 0)])
        .collect();
    assert_eq!(keys_until(&host, "every key", expected.len()), expected);

    // All modifiers and six keys at once, held together and let go of in another order.
    let modifiers = [0x1d, 0x2a, 0x38, 0xdb, 0x9d, 0x36, 0xb8, 0xdc];
    let six = [0x1e, 0x1f, 0x20, 0x21, 0x22, 0x23];
    let together: Vec<u32> = modifiers.into_iter().chain(six).collect();
    for scancode in &together {
        client.key(true, *scancode);
    }
    for scancode in together.iter().rev() {
        client.key(false, *scancode);
    }
    let key = |scancode: &u32| {
        keys.iter()
            .find(|(code, _)| code == scancode)
            .expect("a key")
            .1
    };
    let down = together.iter().map(|scancode| (key(scancode), 1));
    let up = together.iter().rev().map(|scancode| (key(scancode), 0));
    let expected: Vec<_> = down.chain(up).collect();
    assert_eq!(keys_until(&host, "all at once", expected.len()), expected);

    let (count, rate, late, unseen) = fast(&host, &mut client, &keys);

    // The host's lock LEDs reach the client. Pressing the lock keys has lit some.
    let mut leds = Vec::new();
    (0..3).for_each(|led| machine.set_led(led, false));
    client.until_leds(0);
    for (led, bit) in [(0, 2), (1, 4), (2, 1)] {
        for on in [true, false] {
            machine.set_led(led, on);
            let wanted = if on { bit } else { 0 };
            client.until_leds(wanted);
            leds.push(wanted);
        }
    }
    bridge.terminate();
    format!(
        "104 keys, 8 modifiers and 6 keys at once, {count} events at {rate:.0}/s none lost, the last {:.0} ms after it was sent \
         ({unseen} runs the bench could not see whole), LEDs {leds:?}",
        late.as_secs_f32() * 1000.0
    )
}

/// 200 events a second for ten seconds: how many, how fast really, how late the last was, and how often the bench was
/// too slow to see them all and it was done again.
fn fast(host: &Host, client: &mut Client, keys: &[(u32, u16)]) -> (usize, f32, Duration, usize) {
    let letters: Vec<_> = keys
        .iter()
        .filter(|(code, _)| (0x10..=0x19).contains(code))
        .collect();
    for unseen in 0..5 {
        let events = (0..1000).flat_map(|number| {
            let (scancode, key) = letters[number % letters.len()];
            [(true, *scancode, (*key, 1)), (false, *scancode, (*key, 0))]
        });
        let mut expected = Vec::new();
        let started = Instant::now();
        let mut next = started;
        for (down, scancode, event) in events {
            thread::sleep(next.saturating_duration_since(Instant::now()));
            client.key(down, scancode);
            expected.push(event);
            next += Duration::from_millis(5);
        }
        let rate = expected.len() as f32 / started.elapsed().as_secs_f32();
        let began = Instant::now();
        let mut seen = 0;
        let all = host.undisturbed("200 a second", |event| {
            seen += usize::from(is_press_or_release(event));
            seen == expected.len()
        });
        match all {
            Ok(events) => {
                assert!(presses_and_releases(&events) == expected, "all, in order");
                return (expected.len(), rate, began.elapsed(), unseen);
            }
            Err(Blind) => {
                let (scancode, key) = MARKER;
                client.key(true, scancode);
                client.key(false, scancode);
                host.recover(|event| {
                    matches!(event, Event::Input { kind: EV_KEY, code, value: 0, .. } if *code == key)
                });
            }
        }
    }
    panic!("the bench was five times too slow to see all events; is this machine very busy?")
}

/// The key events until there were `count`, without the host's own repeats.
pub fn keys_until(host: &Host, what: &str, count: usize) -> Vec<(u16, i32)> {
    let mut seen = 0;
    let events = host.until(what, |event| {
        seen += usize::from(is_press_or_release(event));
        seen == count
    });
    presses_and_releases(&events)
}

fn presses_and_releases(events: &[Event]) -> Vec<(u16, i32)> {
    let mut keys = inputs(events, EV_KEY);
    keys.retain(|(_, value)| *value != 2);
    keys
}

fn is_press_or_release(event: &Event) -> bool {
    matches!(
        event,
        Event::Input {
            kind: EV_KEY,
            value: 0 | 1,
            ..
        }
    )
}

pub fn pointer(case: &Case) -> String {
    let machine = Machine::boot(&case.folder);
    let (host, bridge, mut client) = with_gadget(&machine);

    // Moves of both axes each, one after the other: those that wait for the target may become one.
    let (right, bottom) = (SCREEN.width - 1, SCREEN.height - 1);
    let scaled = |at: u16, most: u16| (f64::from(at) * 32767.0 / f64::from(most)).round() as i32;
    let places = [(1, 1), (right, bottom), (7, 9), (right / 2, bottom / 3)];
    for (x, y) in places {
        client.pointer(0, x, y);
        let events = host.until("a move", |event| {
            matches!(
                event,
                Event::Input {
                    kind: EV_ABS,
                    code: ABS_Y,
                    ..
                }
            )
        });
        let moved = inputs(&events, EV_ABS);
        let wanted = [(ABS_X, scaled(x, right)), (ABS_Y, scaled(y, bottom))];
        let is_near = |(a, b): (&(u16, i32), &(u16, i32))| a.0 == b.0 && (a.1 - b.1).abs() <= 1;
        assert!(
            moved.len() == 2 && moved.iter().zip(&wanted).all(is_near),
            "{moved:?} is not {wanted:?}"
        );
    }

    // Left, middle, right, then back and forward, whose form is an extension's.
    let (x, y) = places[3];
    let mut wanted = Vec::new();
    for (mask, button) in [(1, 0x110), (2, 0x112), (4, 0x111)] {
        client.pointer(mask, x, y);
        client.pointer(0, x, y);
        wanted.extend([(button, 1), (button, 0)]);
    }
    for (mask, button) in [(1, 0x113), (2, 0x114)] {
        client.side_buttons(mask, x, y);
        client.side_buttons(0, x, y);
        wanted.extend([(button, 1), (button, 0)]);
    }
    assert_eq!(keys_until(&host, "the buttons", wanted.len()), wanted);

    // The wheels: up, down, left, right.
    const WHEEL: u16 = 8;
    const HORIZONTAL: u16 = 6;
    let steps = [
        (8, (WHEEL, 1)),
        (16, (WHEEL, -1)),
        (32, (HORIZONTAL, -1)),
        (64, (HORIZONTAL, 1)),
    ];
    for (mask, _) in steps {
        client.pointer(mask, x, y);
        client.pointer(0, x, y);
    }
    let is_step = |event: &Event| {
        matches!(
            event,
            Event::Input {
                kind: EV_REL,
                code: WHEEL | HORIZONTAL,
                ..
            }
        )
    };
    let mut seen = 0;
    let events = host.until("the wheels", |event| {
        seen += usize::from(is_step(event));
        seen == steps.len()
    });
    let mut turned = inputs(&events, EV_REL);
    turned.retain(|(code, _)| [WHEEL, HORIZONTAL].contains(code));
    assert_eq!(turned, steps.map(|(_, step)| step));

    // The relative function: what it declares is what the host reads.
    machine.run(
        r"printf '\001\005\371\000\000' > /dev/hidg2; printf '\000\000\000\001\377' > /dev/hidg2",
    );
    let events = host.until("the relative mouse", |event| {
        matches!(
            event,
            Event::Input {
                kind: EV_REL,
                code: HORIZONTAL,
                ..
            }
        )
    });
    let mut relative = inputs(&events, EV_REL);
    relative.retain(|(code, _)| *code <= WHEEL);
    assert_eq!(relative, [(0, 5), (1, -7), (WHEEL, 1), (HORIZONTAL, -1)]);
    assert_eq!(inputs(&events, EV_KEY), [(0x110, 1), (0x110, 0)]);
    bridge.terminate();
    "4 moves, 5 buttons, 4 wheel steps; the relative function by reports of its own".to_owned()
}
