//! Check 68: clients that ask and never read.

use std::{
    io::{ErrorKind, Write as _},
    time::{Duration, Instant},
};

use rfb::testing::client::fence;

use crate::{attack::Attack, screen::SIZE, viewer::Viewer};

const CLIENTS: usize = 24;
/// Bytes of the whole screen, uncompressed.
const WHOLE: u64 = SIZE.width as u64 * SIZE.height as u64 * 4;

/// Clients whose answers lie between here and there, and stay there.
fn stall(attack: &Attack<'_>) -> Vec<Viewer> {
    let ask = |_| {
        let mut client = attack.client();
        for _ in 0..50 {
            client.request(false);
        }
        client
    };
    (0..CLIENTS).map(ask).collect()
}

pub fn stalled(attack: &Attack<'_>) {
    let before = attack.usage().peak_kib;
    let stalled = stall(attack);
    // The server is busy with this one until it has looked at those.
    for _ in 0..30 {
        let mut reads = attack.client();
        reads.request(false);
        reads.next();
    }
    let grown = attack.usage().peak_kib - before;
    // Each may have one update in the queue, and another one is planned when that was taken.
    let most = CLIENTS as u64 * 2 * WHOLE / 1024 + 16 * 1024;
    assert!(grown < most, "{grown} KiB for {CLIENTS} clients");
    drop(stalled);
}

/// Without reading a byte they are dropped, and their places are free.
pub fn dropped(attack: &Attack<'_>) {
    let stalled = stall(attack);
    let began = Instant::now();
    let patience = Duration::from_secs(120);
    let is_gone = |client: &Viewer| {
        // Only writing shows it: whatever it sent before lies in front of the end.
        let mut stream = &client.socket.0;
        stream.set_nonblocking(true).expect("an option");
        let written = stream.write(&[0x42]);
        matches!(written, Err(error) if error.kind() != ErrorKind::WouldBlock)
    };
    while !stalled.iter().all(is_gone) {
        assert!(
            began.elapsed() < patience,
            "clients that read nothing are kept"
        );
        std::thread::sleep(Duration::from_millis(200));
    }
    println!(
        "    {CLIENTS} clients that read nothing are dropped after {:.0} s",
        began.elapsed().as_secs_f32()
    );
}

/// Who asks for answers and does not read them is not heard any more.
pub fn unread_answers(attack: &Attack<'_>) {
    const MOST: usize = 64 << 20;
    let before = attack.usage().peak_kib;
    let mut client = attack.client();
    client.encodings(&[0, -312]);
    let stream = &client.socket.0;
    stream
        .set_write_timeout(Some(Duration::from_millis(500)))
        .expect("an option");
    let ask = fence(0x8000_0000, &[7; 64]).repeat(1000);
    let mut stream = stream;
    let mut sent = 0;
    loop {
        match stream.write(&ask) {
            Ok(n) => sent += n,
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => panic!("{error} after {sent} bytes"),
        }
        assert!(
            sent < MOST,
            "it takes all that is sent and holds the answers"
        );
    }
    let grown = attack.usage().peak_kib - before;
    assert!(grown < 32 * 1024, "{grown} KiB");
}
