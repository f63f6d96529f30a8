//! Checks 64 and 65: whatever a client does with keys, none stays down.

use std::time::Duration;

use rfb::testing::client::{extended_key, pointer};

use crate::{
    attack::{Attack, Noise},
    server::Server,
    viewer::Viewer,
};

/// Ctrl, Alt and `s`, by position, and the left button.
const HELD: [u32; 3] = [0x1d, 0x38, 0x1f];
const HELD_REPORT: &str = "0500160000000000";
/// `a`, which somebody else holds.
const OTHERS_KEY: u32 = 0x1e;
const OTHERS_REPORT: &str = "0000040000000000";

pub fn leaving_with_keys_down(attack: &Attack<'_>) {
    let endings: [fn(Viewer); 4] = [drop, reset, cut_off, half_closed];
    for end in endings {
        let mut stays = attack.client();
        let mut leaves = attack.client();
        let held = HELD.map(|code| extended_key(true, 0, code)).concat();
        leaves.send(&held);
        leaves.send(&pointer(1, 10, 10));
        is_down(attack.server, HELD_REPORT);
        has_button(attack.server, "01");
        stays.send(&extended_key(true, 0, OTHERS_KEY));
        attack.server.wait_for("both to hold keys", |server| {
            server
                .keyboard()
                .last()
                .filter(|r| r.contains("16") && r.contains("04"))
                .map(drop)
        });
        end(leaves);
        is_down(attack.server, OTHERS_REPORT);
        has_button(attack.server, "00");
        reset(stays);
        is_down(attack.server, crate::attack::RELEASED);
    }
}

fn is_down(server: &Server, wanted: &str) {
    server.wait_for(wanted, |server| {
        server
            .keyboard()
            .last()
            .filter(|report| *report == wanted)
            .map(drop)
    });
}

fn has_button(server: &Server, wanted: &str) {
    server.wait_for("the button", |server| {
        let reports = server.reports();
        let (_, last) = reports
            .iter()
            .rfind(|(function, _)| function == "absolute")?;
        last.starts_with(wanted).then_some(())
    });
}

/// As when the process is killed with data unread, or its machine restarts.
fn reset(client: Viewer) {
    let socket = socket2::SockRef::from(&client.socket.0);
    socket.set_linger(Some(Duration::ZERO)).expect("an option");
}

/// In the middle of a message.
fn cut_off(mut client: Viewer) {
    client.send(&[2, 0, 0xff]);
}

fn half_closed(mut client: Viewer) {
    client
        .socket
        .0
        .shutdown(std::net::Shutdown::Write)
        .expect("an open socket");
    client.socket.read_to_close();
}

/// As fast as they can, all keys and buttons there are, and gone in the middle of it.
pub fn torrents(attack: &Attack<'_>) {
    let mut noise = Noise::new(65);
    let mut clients: Vec<_> = (0..4).map(|_| attack.client()).collect();
    for round in 0..40 {
        for client in &mut clients {
            let mut bytes = Vec::new();
            for _ in 0..50 {
                let (down, code) = (noise.below(2) == 0, noise.below(256) as u32);
                bytes.extend(extended_key(down, noise.below(1 << 16) as u32, code));
                let place = noise.bytes(5);
                let at = |i| u16::from_be_bytes([place[i], place[i + 1]]);
                bytes.extend(pointer(place[0], at(1), at(3)));
            }
            client.send(&bytes);
        }
        if round % 10 == 9 {
            reset(clients.remove(0));
            clients.push(attack.client());
        }
    }
}
