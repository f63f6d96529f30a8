//! A peer that says anything at all from the greeting on, in pieces of any size.
//!
//! First byte: bit 0 asks for a password, the rest is how many bytes arrive at a time.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use rfb::{
    frame::{Frame, FrameSeq},
    geom::Size,
    security::vnc_auth::Password,
    server::{Connection, ServerConfig},
};

/// More than every answer of a handshake together.
const MOST_OUTPUT: usize = 4096;

fuzz_target!(|data: &[u8]| {
    let Some((&how, bytes)) = data.split_first() else {
        return;
    };
    let config = ServerConfig {
        name: "fuzzed".to_owned(),
        password: (how & 1 == 1).then(|| Password::new(b"password")),
        view_only: false,
    };
    let frame = Frame::solid(FrameSeq(1), Size::new(70, 66), 0x33_66_99);
    let mut connection = Connection::new(Arc::new(config), [7; 16], frame);
    let mut output = connection.take_output().len();
    for piece in bytes.chunks(usize::from(how >> 1).max(1)) {
        let refused = connection.receive(piece).is_err();
        while connection.next_event().is_some() {}
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
