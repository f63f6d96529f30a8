//! The mouse of each profile, and an idle target's.

use super::{
    gadget::{come_anew, types_and_points},
    input::{ALL_DEVICES, SCREEN, with_gadget},
};
use crate::{
    Case,
    bridge::{Bridge, Client, POINTER_MOTION_CHANGE},
    host::{EV_ABS, EV_KEY, EV_REL, Host},
    machine::Machine,
    picture::Picture,
    protocol::{Device, Event},
};

const ABS_X: u16 = 0;
const REL_X: u16 = 0;
const REL_Y: u16 = 1;
const PAN: u16 = 6;
const WHEEL: u16 = 8;
/// (RFB's mask, the kernel's button): left, middle, right.
const BUTTONS: [(u8, u16); 3] = [(1, 0x110), (2, 0x112), (4, 0x111)];

/// The profiles one after the other under a client that knows both ways to move, which is told of each change.
pub fn profiles(case: &Case) -> String {
    use Device::{Absolute, Consumer, Keyboard, Relative};
    let machine = Machine::boot(&case.folder);
    let (host, bridge, first) = with_gadget(&machine);
    drop(first);
    let mut client = listing(&bridge);
    let mut modes = vec![true];
    client.until_pointer_modes(1);
    assert_eq!(client.pointer_modes, modes);
    uses(&host, &mut client, Absolute, &[WHEEL, PAN]);

    // A boot mouse has no wheels.
    let walk: [(&str, &[Device], Device, &[u16]); 5] = [
        ("bios", &[Keyboard, Relative], Relative, &[]),
        ("nvr", &[Keyboard, Absolute, Relative], Absolute, &[WHEEL]),
        ("bios", &[Keyboard, Relative], Relative, &[]),
        (
            "mac",
            &[Keyboard, Absolute, Consumer],
            Absolute,
            &[WHEEL, PAN],
        ),
        ("full", &ALL_DEVICES, Absolute, &[WHEEL, PAN]),
    ];
    for (number, (profile, devices, pointer, wheels)) in (0..).zip(walk) {
        machine.run(&format!("/bin/rfbridge gadget profile {profile}"));
        come_anew(&host, devices);
        types_and_points(&host, &bridge, &mut client, devices, number);
        let is_absolute = pointer == Absolute;
        if modes.last() != Some(&is_absolute) {
            modes.push(is_absolute);
        }
        client.until_pointer_modes(modes.len());
        uses(&host, &mut client, pointer, wheels);
        assert_eq!(client.pointer_modes, modes, "{profile}");
    }
    drop(client);
    bridge.terminate();

    let bridge = Bridge::serve(
        &machine,
        &["--source", "replay:/screen", "--mouse-mode", "relative"],
    );
    let mut client = listing(&bridge);
    client.until_pointer_modes(1);
    assert_eq!(client.pointer_modes, [false]);
    uses(&host, &mut client, Relative, &[WHEEL, PAN]);
    drop(client);
    // Who knows positions alone moves it too: from one to the other.
    let mut client = bridge.client();
    client.pointer(0, 100, 100);
    client.pointer(0, 110, 90);
    client.pointer(1, 110, 90);
    client.pointer(0, 110, 90);
    let events = until_click(&host, Relative, 0x110);
    assert_eq!(distance(&events), (10, -10));
    bridge.terminate();
    format!(
        "the pointer was told {modes:?} through bios, nvr, bios, mac, full; a relative one in full"
    )
}

/// A client that takes movements.
fn listing(bridge: &Bridge<'_>) -> Client {
    bridge.client_of(&[16, -308, -258, -316, POINTER_MOTION_CHANGE])
}

/// Movements, buttons and wheels arrive at this device, and nothing at the other pointer.
fn uses(host: &Host, client: &mut Client, device: Device, wheels: &[u16]) {
    let mut to = |buttons: u8, dx: i16, dy: i16| match device {
        Device::Relative => client.moves(buttons, dx, dy),
        _ => client.pointer(
            buttons,
            150_u16.wrapping_add_signed(dx),
            100_u16.wrapping_add_signed(dy),
        ),
    };
    for (mask, button) in BUTTONS {
        to(mask, 0, 0);
        to(0, 0, 0);
        let events = until_click(host, device, button);
        assert!(of_other_pointer(&events, device).is_empty(), "{events:?}");
    }
    // Far, near, and back again.
    let mut sum = (0, 0);
    for (dx, dy) in [
        (5, -7),
        (300, 2),
        (-1, -1),
        (-130, 400),
        (127, -127),
        (1, 0),
    ] {
        if device == Device::Relative {
            to(0, dx, dy);
            sum = (sum.0 + i32::from(dx), sum.1 + i32::from(dy));
        }
    }
    // Wheel up, pan right.
    for mask in [8, 64] {
        to(mask, 0, 0);
        to(0, 0, 0);
    }
    to(1, 0, 0);
    to(0, 0, 0);
    let events = until_click(host, device, 0x110);
    assert_eq!(distance(&events), sum, "{events:?}");
    let turned: Vec<_> = relative(&events, |code| [WHEEL, PAN].contains(&code));
    let wanted: Vec<_> = wheels.iter().map(|wheel| (*wheel, 1)).collect();
    assert_eq!(turned, wanted, "{device:?}");
    assert!(of_other_pointer(&events, device).is_empty(), "{events:?}");
}

/// All until this button of this device was pressed and let go of.
fn until_click(host: &Host, device: Device, button: u16) -> Vec<Event> {
    host.until("a click", |event| {
        matches!(event, Event::Input { device: of, kind: EV_KEY, code, value: 0, .. }
            if (*of, *code) == (device, button))
    })
}

fn of_other_pointer(events: &[Event], device: Device) -> Vec<Event> {
    let is_other = |event: &&Event| matches!(event, Event::Input { device: of @ (Device::Absolute | Device::Relative), .. } if *of != device);
    events.iter().filter(is_other).copied().collect()
}

fn relative(events: &[Event], wanted: impl Fn(u16) -> bool) -> Vec<(u16, i32)> {
    let moved = crate::host::inputs(events, EV_REL);
    moved
        .into_iter()
        .filter(|(code, _)| wanted(*code))
        .collect()
}

fn distance(events: &[Event]) -> (i32, i32) {
    let sum = |axis: u16| {
        relative(events, |code| code == axis)
            .iter()
            .map(|(_, value)| value)
            .sum()
    };
    (sum(REL_X), sum(REL_Y))
}

/// An idle target's pointer is stirred, and a target that sleeps is let sleep.
pub fn jiggle(case: &Case) -> String {
    let machine = Machine::boot(&case.folder);
    let (host, bridge, client) = with_gadget(&machine);
    drop(client);
    bridge.terminate();
    let bridge = Bridge::serve(
        &machine,
        &["--source", "replay:/screen", "--mouse-jiggle", "1"],
    );
    let mut client = bridge.client();
    client.until("the screen", |shown| {
        (*shown == Picture::test_card(SCREEN, 1)).then_some(())
    });
    client.pointer(0, 150, 100);
    let at = stirred(&host);
    assert_eq!(stirred(&host), at, "it ends where it was");

    let power = "cd $(dirname $(grep -l rfbridge /sys/bus/usb/devices/*/product))/power";
    machine.run(&format!(
        "{power}
         echo 0 > autosuspend_delay_ms; echo enabled > wakeup; echo auto > control
         until [ $(cat runtime_status) = suspended ]; do sleep 0.05; done
         echo 60000 > autosuspend_delay_ms"
    ));
    // Nobody does anything: it is the stirring that finds this out.
    bridge.waits_for("it would be stirred", |bridge| {
        bridge.log().contains("`suspended`")
    });
    let state = machine.run(&format!("{power}; cat runtime_status"));
    assert_eq!(state.trim(), "suspended");
    assert!(
        !bridge.log().contains("asked to wake up"),
        "{}",
        bridge.log()
    );

    // A key wakes it, and it is stirred again where the client points.
    client.key(true, 0x1e);
    client.key(false, 0x1e);
    machine.run(&format!(
        "{power}; until [ $(cat runtime_status) = active ]; do sleep 0.05; done"
    ));
    client.pointer(0, 50, 50);
    let there = stirred(&host);
    assert_eq!(stirred(&host), there);
    assert_ne!(there, at);
    bridge.terminate();
    format!("a step and back at {at} and {there}; not while it sleeps, which it went on with")
}

/// The column where the pointer is after a step to the left and back.
fn stirred(host: &Host) -> i32 {
    let mut last = [0; 3];
    host.until("a step and back", |event| {
        if let Event::Input {
            device: Device::Absolute,
            kind: EV_ABS,
            code: ABS_X,
            value,
            ..
        } = event
        {
            last = [last[1], last[2], *value];
        }
        last[0] == last[2] && last[1] == last[2] - 1
    });
    last[2]
}
