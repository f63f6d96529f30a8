//! An admitted client that says anything, with updates planned in between.
//!
//! First byte: how many bytes arrive at a time.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use rfb::{
    frame::{Frame, FrameSeq},
    geom::Size,
    server::{Clipboard, Connection, Event, PointerMode, ServerConfig},
};

/// Version 3.8, security type None, shared.
const ADMISSION: &[u8] = b"RFB 003.008\n\x01\x01";

fuzz_target!(|data: &[u8]| {
    let Some((&at_a_time, bytes)) = data.split_first() else {
        return;
    };
    let size = Size::new(70, 66);
    let first = Frame::solid(FrameSeq(1), size, 0x33_66_99);
    let second = Frame::solid(FrameSeq(2), size, 0x99_66_33);
    let mut connection = Connection::new(Arc::new(ServerConfig::default()), [7; 16], first.clone());
    connection
        .receive(ADMISSION)
        .and_then(|()| connection.admit())
        .expect("a faultless handshake is accepted");
    for (index, piece) in bytes.chunks(usize::from(at_a_time).max(1)).enumerate() {
        if connection.receive(piece).is_err() {
            return;
        }
        while let Some(event) = connection.next_event() {
            // Ask for what was announced, as a hotkey does.
            if event == Event::Clipboard(Clipboard::Announced) {
                connection.request_clipboard();
            }
        }
        connection.set_pointer_mode(match index % 3 {
            0 => PointerMode::Relative,
            _ => PointerMode::Absolute,
        });
        if index % 5 == 0 {
            connection.probe();
        }
        connection.show(if index % 2 == 0 {
            first.clone()
        } else {
            second.clone()
        });
        if let Some(job) = connection.plan_update() {
            let sent = connection.finish_update(job.encode());
            assert!(
                sent.len() < 1 << 20,
                "an update of a small picture is small"
            );
        }
        connection.take_output();
    }
});
