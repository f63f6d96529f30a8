//! The header walk over anything that a dongle may send.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rfbridge::video::jpeg::header;

fuzz_target!(|data: &[u8]| {
    if let Ok(header) = header::parse(data) {
        assert!(!header.size.is_empty(), "a usable JPEG has pixels");
        assert!(header.scan.start <= data.len(), "the scan lies inside the data");
    }
});
