//! The walk of a scan, with and without a picture before it, and what is spliced from it.
//!
//! An input is a rectangle of MCUs, a place and a value of one byte of damage, and a picture.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rfb::geom::Rect;
use rfbridge::video::jpeg::{Jpeg, sanitise, scan::Scan};

fuzz_target!(|data: &[u8]| {
    let Some((&[x, y, width, height, high, low, value], picture)) = data.split_first_chunk() else {
        return;
    };
    let mcus = Rect::new(x.into(), y.into(), width.into(), height.into());
    let previous = sanitise(picture)
        .ok()
        .and_then(|jpeg| walked(&jpeg, None, mcus));
    let mut damaged = picture.to_vec();
    let place = usize::from(high) << 8 | usize::from(low);
    if let Some(byte) = damaged.get_mut(place) {
        *byte = value;
    }
    if let Ok(jpeg) = sanitise(&damaged) {
        let helped = walked(&jpeg, previous.as_ref(), mcus);
        let plain = walked(&jpeg, None, mcus);
        let ids = |scan: &Option<Scan>| scan.as_ref().map(|scan| scan.ids().to_vec());
        assert_eq!(ids(&helped), ids(&plain), "the picture before counts");
    }
});

fn walked(jpeg: &Jpeg, previous: Option<&Scan>, mcus: Rect) -> Option<Scan> {
    let scan = Scan::walk(jpeg, previous).ok()?;
    let (columns, rows) = scan.grid();
    assert_eq!(scan.ids().len(), columns * rows);
    assert!(!scan.ids().contains(&0));
    assert!(scan.bits(mcus) <= jpeg.bytes.len() * 8);

    let mut spliced = Vec::new();
    scan.splice(mcus, &mut spliced);
    let whole = Rect::from_edges(0, 0, columns as u32, rows as u32);
    let mcus = mcus.intersection(whole);
    assert_eq!(spliced.is_empty(), mcus.is_empty());
    // Smaller ones are no pictures of their own.
    let size = scan.pixels(mcus).size();
    if size.width >= 16 && size.height >= 16 {
        let spliced = sanitise(&spliced).expect("a splice is a picture");
        assert_eq!(spliced.size, size);
        let again = Scan::walk(&spliced, None).expect("a splice has a whole scan");
        let rows = usize::from(mcus.y)..mcus.bottom() as usize;
        let ids = rows.flat_map(|row| {
            &scan.ids()[row * columns + usize::from(mcus.x)..][..usize::from(mcus.width)]
        });
        assert!(again.ids().iter().eq(ids), "a splice has other MCUs");
    }
    Some(scan)
}
