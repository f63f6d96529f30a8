//! What is spliced from a picture that can be decoded can be decoded.
//!
//! An input is a rectangle of MCUs and a picture.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rfb::geom::Rect;
use rfbridge::video::jpeg::{Jpeg, decoder, sanitise, scan::Scan};

/// Decoding larger ones takes time that is better spent on others.
const MOST_PIXELS: usize = 1 << 16;

fuzz_target!(|data: &[u8]| {
    let Some((&[x, y, width, height], picture)) = data.split_first_chunk() else {
        return;
    };
    let Ok(whole) = sanitise(picture) else {
        return;
    };
    if whole.size.area() > MOST_PIXELS || !decodes(&whole) {
        return;
    }
    let Ok(scan) = Scan::walk(&whole, None) else {
        return;
    };
    let mcus = Rect::new(x.into(), y.into(), width.into(), height.into());
    let (columns, rows) = scan.grid();
    let mcus = mcus.intersection(Rect::from_edges(0, 0, columns as u32, rows as u32));
    let size = scan.pixels(mcus).size();
    // Smaller ones are no pictures of their own.
    if size.width < 16 || size.height < 16 {
        return;
    }
    let mut spliced = Vec::new();
    scan.splice(mcus, &mut spliced);
    let part = sanitise(&spliced).expect("a splice is a picture");
    assert_eq!(part.size, size);
    assert!(decodes(&part), "{mcus:?} of {:?}", whole.size);
});

fn decodes(jpeg: &Jpeg) -> bool {
    let mut pixels = vec![0; jpeg.size.area() * 4];
    decoder().decode(jpeg, &mut pixels).is_ok()
}
