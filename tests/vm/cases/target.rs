//! A target that sleeps, goes away and comes back while keys are held: nothing sticks, nothing is typed late, and
//! the client's session does not notice.

use super::input::{ABS_Y, ALL_DEVICES, CONTROLLER, SCREEN, keys_until, with_gadget};
use crate::{
    Case,
    bridge::{Bridge, Client},
    host::{EV_ABS, EV_KEY, Host, inputs},
    machine::Machine,
    protocol::{Device, Event},
};

const A: (u32, u16) = (0x1e, 30);
const B: (u32, u16) = (0x30, 48);
const C: (u32, u16) = (0x2e, 46);

/// The host suspends the gadget, as a sleeping machine does. A key wakes it, and is not typed.
pub fn asleep(case: &Case) -> String {
    let machine = Machine::boot(&case.folder);
    let (host, bridge, mut client) = with_gadget(&machine);
    // Linux lets no keyboard sleep on which a key is down.
    hold(&host, &mut client);
    client.key(false, A.0);
    client.pointer(0, 10, 10);
    assert_eq!(
        keys_until(&host, "both released", 2),
        [(A.1, 0), (0x110, 0)]
    );

    // Once it is awake again it is to stay so.
    let power = "cd $(dirname $(grep -l rfbridge /sys/bus/usb/devices/*/product))/power";
    machine.run(&format!(
        "{power}
         echo 0 > autosuspend_delay_ms; echo enabled > wakeup; echo auto > control
         until [ $(cat runtime_status) = suspended ]; do sleep 0.05; done
         echo 60000 > autosuspend_delay_ms"
    ));
    // Whoever looks by moving the pointer does not wake it.
    client.pointer(0, 20, 20);
    bridge.waits_for("it says that the target is asleep", |bridge| {
        bridge.log().contains("`suspended`")
    });
    let state = machine.run(&format!("{power}; cat runtime_status"));
    assert_eq!(state.trim(), "suspended");
    client.key(true, B.0);
    client.key(false, B.0);
    machine.run(&format!(
        "{power}; until [ $(cat runtime_status) = active ]; do sleep 0.05; done"
    ));
    assert!(bridge.log().contains("it is asked to wake up"));
    format!("a key wakes it; {}", back(&host, &bridge, client))
}

/// The host's port is switched off and on, which is a cable that is pulled and put back.
pub fn gone(case: &Case) -> String {
    let switch = |off: u8| {
        format!(
            "port=$(echo /sys/devices/platform/dummy_hcd.0/usb*/*:1.0/usb*-port1); echo {off} > $port/disable"
        )
    };
    away(case, &switch(1), &switch(0))
}

/// The gadget is unbound from its controller and bound again, as scripts do.
pub fn rebound(case: &Case) -> String {
    let bind =
        |controller| format!("echo {controller} > /sys/kernel/config/usb_gadget/rfbridge/UDC");
    away(case, &bind(""), &bind(CONTROLLER))
}

/// The gadget is taken down and made anew, which makes new nodes of the same names.
pub fn made_anew(case: &Case) -> String {
    let up = format!("/bin/rfbridge gadget up --controller {CONTROLLER}");
    away(case, "/bin/rfbridge gadget down", &up)
}

/// One script takes the devices away from the host, another gives them back.
fn away(case: &Case, leave: &str, come: &str) -> String {
    let machine = Machine::boot(&case.folder);
    let (host, bridge, mut client) = with_gadget(&machine);
    hold(&host, &mut client);

    machine.run(leave);
    let mut left = 0;
    host.until("the host loses the devices", |event| {
        left += usize::from(matches!(event, Event::Left { .. }));
        left == ALL_DEVICES.len()
    });
    type_in_vain(&bridge, &mut client);
    machine.run(come);
    host.has_devices(&ALL_DEVICES);
    back(&host, &bridge, client)
}

/// A key and a button go down, and stay.
pub fn hold(host: &Host, client: &mut Client) {
    client.key(true, A.0);
    client.pointer(1, 10, 10);
    assert_eq!(
        keys_until(host, "a key and a button", 2),
        [(A.1, 1), (0x110, 1)]
    );
}

/// Types while nobody listens, long enough for it to be noticed.
fn type_in_vain(bridge: &Bridge, client: &mut Client) {
    client.key(true, B.0);
    client.key(false, B.0);
    client.pointer(1, 20, 20);
    bridge.waits_for("it says that the target does not take reports", |bridge| {
        let log = bridge.log();
        log.contains("the target is offline") || log.contains("the target fetches no reports")
    });
    client.key(true, B.0);
    client.key(false, B.0);
}

/// The target is back: what was held is let go of, and the next key is the first thing typed.
pub fn back(host: &Host, bridge: &Bridge, mut client: Client) -> String {
    client.key(false, A.0);
    client.pointer(0, 30, 30);
    client.key(true, C.0);
    client.key(false, C.0);
    let events = host.until(
        "the next key",
        |event| matches!(event, Event::Input { kind: EV_KEY, code, value: 0, .. } if *code == C.1),
    );
    let pressed: Vec<_> = inputs(&events, EV_KEY)
        .into_iter()
        .filter(|(_, value)| *value == 1)
        .collect();
    assert_eq!(pressed, [(C.1, 1)], "nothing is typed late: {events:?}");
    // The button's release may come after the key.
    client.pointer(0, 40, 40);
    let mut more = events;
    more.extend(host.until("a move", |event| {
        matches!(event, Event::Input { device: Device::Absolute, kind: EV_ABS, code: ABS_Y, value, .. }
            if (*value - 40 * 32767 / i32::from(SCREEN.height - 1)).abs() <= 1)
    }));
    assert_eq!(host.held(), [], "nothing is stuck: {more:?}");
    client.repaint();
    bridge.waits_for("it says that the target takes reports", |bridge| {
        bridge.log().contains("the target takes reports")
    });
    "held keys let go of, nothing typed late, the next key arrives, the session goes on".to_owned()
}
