//! The header walk over anything that a dongle may send.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rfbridge::video::jpeg::header;

fuzz_target!(|data: &[u8]| {
    let Ok(found) = header::walk(data) else {
        return;
    };
    assert!(!found.size.is_empty(), "a usable picture has pixels");
    assert!(
        found.start < found.scan && found.scan < found.end && found.end <= data.len(),
        "{found:?} in {} bytes",
        data.len()
    );
    let picture = &data[found.start..found.end];
    assert!(picture.starts_with(b"\xff\xd8") && picture.ends_with(b"\xff\xd9"));
    let again = header::walk(picture).expect("a picture cut out is still one");
    assert_eq!(
        (again.size, again.scan),
        (found.size, found.scan - found.start)
    );
});
