//! A peer that says anything at all from the greeting on, in pieces of any size.
//!
//! First byte: bit 0 asks for a password, the rest is how many bytes arrive at a time.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use rfb::{
    frame::{Frame, FrameSeq},
    geom::Size,
    security::SecurityType,
    server::{Connection, Event, ServerConfig},
};

/// More than every answer of a handshake together.
const MOST_OUTPUT: usize = 4096;

fuzz_target!(|data: &[u8]| {
    let Some((&how, bytes)) = data.split_first() else {
        return;
    };
    let config = ServerConfig {
        name: "fuzzed".to_owned(),
        security: match how & 1 {
            0 => vec![SecurityType::None],
            _ => vec![SecurityType::VncAuth, SecurityType::None],
        },
        ..ServerConfig::default()
    };
    let frame = Frame::solid(FrameSeq(1), Size::new(70, 66), 0x33_66_99);
    let mut connection = Connection::new(Arc::new(config), [7; 16], frame);
    let mut output = connection.take_output().len();
    for piece in bytes.chunks(usize::from(how >> 2).max(1)) {
        let mut refused = connection.receive(piece).is_err();
        while let Some(event) = connection.next_event() {
            match event {
                Event::Login(_) if how & 2 == 0 => connection.deny("No."),
                Event::Login(_) => refused |= connection.admit().is_err(),
                _ => {}
            }
        }
        output += connection.take_output().len();
        if refused {
            break;
        }
    }
    assert!(
        output <= MOST_OUTPUT + bytes.len() * 16,
        "{output} bytes in answer to {}",
        bytes.len()
    );
});
