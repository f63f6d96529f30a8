//! Pictures are cut out of a stream, and are the same however it arrives.
//!
//! First byte: how many bytes arrive at a time.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rfbridge::source::jpeg_stream::JpegStream;

fuzz_target!(|data: &[u8]| {
    let Some((&at_a_time, stream)) = data.split_first() else {
        return;
    };
    let whole = pictures(stream, stream.len());
    assert_eq!(whole, pictures(stream, at_a_time.into()));
    for (end, length) in whole {
        let picture = &stream[end - length..end];
        assert!(picture.starts_with(b"\xff\xd8") && picture.ends_with(b"\xff\xd9"));
    }
});

/// Where each picture ends, and its length.
fn pictures(stream: &[u8], at_a_time: usize) -> Vec<(usize, usize)> {
    let (mut cutter, mut at, mut found) = (JpegStream::default(), 0, Vec::new());
    for mut piece in stream.chunks(at_a_time.max(1)) {
        while !piece.is_empty() {
            let (taken, picture) = cutter.feed(piece);
            assert!(taken > 0, "it takes something");
            at += taken;
            piece = &piece[taken..];
            found.extend(picture.map(|length| (at, length)));
            assert!(cutter.pending() <= at);
        }
    }
    found
}
