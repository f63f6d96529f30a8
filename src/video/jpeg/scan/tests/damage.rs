//! Pictures with damage: refused, and never worse than that.

use jpeg_encoder::SamplingFactor;
use proptest::prelude::*;
use rfb::geom::Rect;

use super::super::Scan;
use super::pictures::{Kind, SIZES, encode, jpeg, screen};
use crate::video::{
    BadPicture,
    jpeg::{header, sanitise},
};

const KIND: Kind = Kind {
    sampling: Some(SamplingFactor::F_2_1),
    restart: 0,
    optimised: false,
    quality: 85,
};

fn good(kind: Kind) -> Vec<u8> {
    encode(kind, SIZES[0], &screen(SIZES[0], 20, 3))
}

/// Where the coded data begin.
fn scan_start(bytes: &[u8]) -> usize {
    let scan = header::walk(bytes).unwrap().scan;
    scan + 2 + usize::from(bytes[scan + 3])
}

/// Why the scan is refused when its coded data are these.
fn refused(kind: Kind, change: impl FnOnce(&mut Vec<u8>)) -> String {
    let bytes = good(kind);
    let start = scan_start(&bytes);
    let mut coded = bytes[start..bytes.len() - 2].to_vec();
    change(&mut coded);
    let damaged = [&bytes[..start], &coded, &[0xff, 0xd9]].concat();
    match Scan::walk(&sanitise(&damaged).unwrap(), None) {
        Err(BadPicture::Corrupt(why)) => why,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was taken"),
    }
}

#[test]
fn a_few_bytes_before_the_end_are_passed_over() {
    let bytes = good(KIND);
    let (picture, end) = bytes.split_at(bytes.len() - 2);
    let longer = [picture, &[0x55, 0, 0xaa, 0x12], end].concat();
    let walk = |bytes: &[u8]| Scan::walk(&sanitise(bytes).unwrap(), None).unwrap();
    let (plain, padded) = (walk(&bytes), walk(&longer));
    assert_eq!(plain.ids(), padded.ids());
    let mut parts = [Vec::new(), Vec::new()];
    plain.splice(plain.whole(), &mut parts[0]);
    padded.splice(padded.whole(), &mut parts[1]);
    assert!(parts[0] == parts[1], "they are not in a part");
}

#[test]
fn damaged_scans_are_refused() {
    let fewer = refused(KIND, |coded| coded.truncate(coded.len() / 2));
    assert!(fewer.contains("fewer bits") || fewer.contains("none of its tables"));
    assert!(refused(KIND, |coded| coded.clear()).contains("too few bits"));
    let more = refused(KIND, |coded| coded.extend([0x55; 70]));
    assert!(more.contains("more bits"));
    // Nine ones are no luma DC code.
    let ones = refused(KIND, |coded| {
        coded.splice(..0, [0xff, 0, 0xff, 0]).for_each(drop)
    });
    assert!(ones.contains("none of its tables"));
    // DC difference 0, then four times sixteen zeros.
    let zeros = |coded: &mut Vec<u8>| {
        let four = [
            0b00_111111,
            0b11_001_111,
            0b1111_1001,
            0b1111_1111,
            0,
            0b001_11111,
            0b111_00111,
        ];
        coded.splice(..0, four).for_each(drop);
    };
    assert!(refused(KIND, zeros).contains("more than 64 levels"));
}

#[test]
fn dc_levels_beyond_what_samples_can_be_are_refused() {
    // Category 11 for the first two blocks, each 2047 up and no AC level.
    let far = |coded: &mut Vec<u8>| {
        // 111111110 11111111111 1010
        coded
            .splice(..0, [0xff, 0, 0b0_1111111, 0b1111_1010])
            .for_each(drop);
    };
    assert!(refused(KIND, far).contains("out of range"));
}

#[test]
fn restart_intervals_must_be_as_many_as_promised() {
    let kind = Kind { restart: 3, ..KIND };
    // The last marker with all behind it.
    let cut = |coded: &mut Vec<u8>| {
        let is_restart = |two: &[u8]| two[0] == 0xff && (0xd0..=0xd7).contains(&two[1]);
        let at = coded.windows(2).rposition(is_restart).unwrap();
        coded.truncate(at);
    };
    assert!(refused(kind, cut).contains("too few restart intervals"));
}

#[test]
fn tables_that_are_missing_are_noticed() {
    // The scan's components use other tables; then other components.
    for (offset, value) in [(6, 0x33), (5, 9)] {
        let mut bytes = good(KIND);
        let scan = header::walk(&bytes).unwrap().scan;
        bytes[scan + offset] = value;
        let jpeg = sanitise(&bytes).unwrap();
        assert!(matches!(
            Scan::walk(&jpeg, None),
            Err(BadPicture::Corrupt(_))
        ));
    }
}

fn any_damage() -> impl Strategy<Value = Vec<(prop::sample::Index, u8)>> {
    proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)
}

proptest! {
    /// Damage anywhere, with and without a previous picture: the same result, and it can be spliced.
    #[test]
    fn damage_is_refused_or_spliced(
        kind in proptest::sample::select(Kind::all()),
        damage in any_damage(),
        in_scan in any::<bool>(),
        mcus in any::<[u8; 4]>(),
    ) {
        let mut bytes = good(kind);
        let start = if in_scan { scan_start(&bytes) } else { 0 };
        let previous = Scan::walk(&sanitise(&bytes).unwrap(), None).unwrap();
        for (at, value) in damage {
            let at = start + at.index(bytes.len() - start);
            bytes[at] = value;
        }
        if let Ok(jpeg) = sanitise(&bytes) {
            let plain = Scan::walk(&jpeg, None);
            let helped = Scan::walk(&jpeg, Some(&previous));
            match (plain, helped) {
                (Ok(plain), Ok(helped)) => {
                    prop_assert!(plain.index == helped.index);
                    let [x, y, width, height] = mcus.map(|v| u16::from(v % 8));
                    let rect = Rect::new(x, y, width, height);
                    let mut out = Vec::new();
                    helped.splice(rect, &mut out);
                    let is_empty = rect.intersection(helped.whole()).is_empty();
                    prop_assert_eq!(out.is_empty(), is_empty);
                }
                (plain, helped) => prop_assert_eq!(plain.err(), helped.err()),
            }
        }
    }

    /// Any edits of a screen, anywhere.
    #[test]
    fn walks_agree_on_any_edits(
        kind in proptest::sample::select(Kind::all()),
        edits in proptest::collection::vec((0u16..101, 0u16..35, 1u16..30, any::<[u8; 3]>()), 0..4),
    ) {
        let size = SIZES[1];
        let mut pixels = screen(size, 20, 3);
        let previous = Scan::walk(&jpeg(kind, size, &pixels), None).unwrap();
        for (x, y, side, colour) in edits {
            for y in y..size.height.min(y + side) {
                let row = &mut pixels[usize::from(y) * 101..][..101];
                row[usize::from(x)..usize::from((x + side).min(101))].fill(colour);
            }
        }
        let jpeg = jpeg(kind, size, &pixels);
        let helped = Scan::walk(&jpeg, Some(&previous)).unwrap();
        prop_assert!(helped.index == Scan::walk(&jpeg, None).unwrap().index);
    }
}
