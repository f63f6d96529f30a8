//! The wall clock is set while everything runs, as NTP does it on a board without a clock of its own: nothing notices.

use super::input::{keys_until, with_gadget};
use crate::{Case, machine::Machine};

const A: (u32, u16) = (0x1e, 30);
/// Hours; back to before the machine was booted, too.
const JUMPS: [i64; 5] = [5, -7, 24 * 365, -24 * 400, 24 * 35];

pub fn jumps(case: &Case) -> String {
    let machine = Machine::boot(&case.folder);
    let (host, bridge, mut client) = with_gadget(&machine);
    for hours in JUMPS {
        let seconds = hours * 3600;
        machine.run(&format!("date -s @$(($(date +%s) + {seconds}))"));
        client.key(true, A.0);
        client.key(false, A.0);
        let keys = keys_until(&host, "a key is typed", 2);
        assert_eq!(keys, [(A.1, 1), (A.1, 0)], "after {hours} h");
        // Nobody is taken for somebody who is late.
        drop(bridge.client());
    }
    let log = bridge.log();
    assert!(
        !log.contains("took no data") && !log.contains("no complete handshake"),
        "{log}"
    );
    bridge.terminate();
    format!("the wall clock jumped by {JUMPS:?} hours, keys and clients did not notice")
}
