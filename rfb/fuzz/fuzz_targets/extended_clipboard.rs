//! Extended Clipboard messages: what lies behind the flags as it is, and deflated, where it would rarely be a zlib stream.
//!
//! First byte: bit 0 says whether the rest behind the flags is deflated, bit 1 whether it is cut short then.
#![no_main]

use std::io::Write as _;

use flate2::{Compression, write::ZlibEncoder};
use libfuzzer_sys::fuzz_target;
use rfb::msg::clipboard::{Clipboard, Extended, INFLATED_LIMIT};

fuzz_target!(|data: &[u8]| {
    let Some((&how, message)) = data.split_first() else {
        return;
    };
    let Some((flags, rest)) = message.split_first_chunk::<4>() else {
        return read(message);
    };
    if how & 1 == 0 {
        return read(message);
    }
    let mut stream = ZlibEncoder::new(flags.to_vec(), Compression::fast());
    stream.write_all(rest).expect("memory");
    let mut message = stream.finish().expect("memory");
    if how & 2 != 0 {
        message.truncate(message.len() - message.len() / 3);
    }
    read(&message);
});

fn read(message: &[u8]) {
    if let Ok(Extended::Has(Clipboard::Text(text))) = Extended::read(message) {
        assert!(!text.is_empty() && !text.contains('\r'));
        // A byte that is no UTF-8 becomes three.
        assert!(text.len() <= 3 * INFLATED_LIMIT as usize);
    }
}
