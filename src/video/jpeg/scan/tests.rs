mod damage;
mod levels;
mod pictures;
mod screens;
mod strings;

use std::collections::HashMap;

use jpeg_encoder::SamplingFactor;
use rfb::geom::{Rect, Size};

use super::{Scan, Tolerance};
use crate::video::jpeg::{Jpeg, JpegDecoder, Zune, sanitise};
use levels::{Levels, levels};
use pictures::{Kind, SIZES, encode, jpeg, screen};

fn walk(jpeg: &Jpeg) -> Scan {
    Scan::walk(jpeg, None).unwrap()
}

/// Some rectangles of a grid: all, single MCUs, edges, the middle.
fn rectangles((columns, rows): (usize, usize)) -> Vec<Rect> {
    let (columns, rows) = (columns as u16, rows as u16);
    let (x, y) = (columns / 2, rows / 2);
    vec![
        Rect::new(0, 0, columns, rows),
        Rect::new(0, 0, 1, 1),
        Rect::new(columns - 1, rows - 1, 1, 1),
        Rect::new(x, 0, columns - x, rows),
        Rect::new(0, y, columns, 1),
        Rect::new(x, y, 1, rows - y),
        Rect::new(columns / 3, rows / 3, x.max(1), y.max(1)),
    ]
}

fn pixels(decoder: &mut dyn JpegDecoder, jpeg: &Jpeg) -> Vec<u32> {
    let mut bgrx = vec![0; jpeg.size.area() * 4];
    decoder.decode(jpeg, &mut bgrx).unwrap();
    let bgrx = bgrx.as_chunks::<4>().0.iter();
    bgrx.map(|&bgrx| u32::from_le_bytes(bgrx) & 0x00ff_ffff)
        .collect()
}

/// What a picture of `size` has in `rect`.
fn cut(all: &[u32], size: Size, rect: Rect) -> Vec<u32> {
    let rows = all.chunks(usize::from(size.width));
    rows.skip(rect.y.into())
        .take(rect.height.into())
        .flat_map(|row| &row[usize::from(rect.x)..rect.right() as usize])
        .copied()
        .collect()
}

#[test]
fn ids_are_equal_just_where_the_levels_are() {
    for sampling in Kind::all().into_iter().map(|kind| kind.sampling) {
        // Whatever the tables and the intervals are; of two frames that are partly the same.
        let mut ids: HashMap<Levels, u64> = HashMap::new();
        let mut meanings: HashMap<u64, Levels> = HashMap::new();
        for mut kind in Kind::all() {
            kind.sampling = sampling;
            for (size, at) in [(SIZES[1], 9), (SIZES[1], 30), (SIZES[2], 4)] {
                let bytes = encode(kind, size, &screen(size, at, 7));
                let scan = walk(&sanitise(&bytes).unwrap());
                let (levels, order) = levels(&bytes);
                assert_eq!(scan.ids().len(), scan.grid().0 * scan.grid().1);
                assert_eq!(scan.ids().len(), levels.len());
                for (&id, levels) in scan.ids().iter().zip(levels) {
                    assert_ne!(id, 0);
                    let chroma = || levels.iter().zip(&order).filter(|(_, c)| **c > 0);
                    let is_flat = chroma().all(|(block, _)| block[1..].iter().all(|&l| l == 0));
                    assert_eq!(id & 0xffff != 0, is_flat, "{kind:?}");
                    assert_eq!(*ids.entry(levels.clone()).or_insert(id), id, "{kind:?}");
                    assert_eq!(*meanings.entry(id).or_insert(levels.clone()), levels);
                }
            }
        }
        assert!(ids.len() > 20);
    }
}

#[test]
fn chroma_classes_are_equal_just_where_flat_chroma_is() {
    let size = Size::new(128, 128);
    let mut classes = HashMap::new();
    let mut pixels = Vec::new();
    for y in 0..128u16 {
        pixels.extend((0..128u16).map(|x| [(x / 16 * 32) as u8, (y / 16 * 32) as u8, 99]));
    }
    let bytes = encode(Kind::plain(SamplingFactor::F_2_2), size, &pixels);
    let scan = walk(&sanitise(&bytes).unwrap());
    for (id, levels) in scan.ids().iter().zip(levels(&bytes).0) {
        let chroma = (levels[4][0], levels[5][0]);
        assert_ne!(id & 0xffff, 0);
        assert_eq!(*classes.entry(id & 0xffff).or_insert(chroma), chroma);
    }
    assert!(classes.len() > 40);
}

#[test]
fn other_quantisation_tables_or_samplings_are_other_ids() {
    let size = SIZES[0];
    let grey = vec![[128; 3]; size.area()];
    let mut seen = HashMap::new();
    let mut kinds = vec![];
    for sampling in [
        None,
        Some(SamplingFactor::F_2_1),
        Some(SamplingFactor::F_1_2),
    ] {
        for quality in [50, 85] {
            kinds.push(Kind {
                sampling,
                restart: 0,
                optimised: false,
                quality,
            });
        }
    }
    for kind in kinds {
        let scan = walk(&jpeg(kind, size, &grey));
        assert!(scan.ids().iter().all(|id| *id == scan.ids()[0]));
        assert!(seen.insert(scan.ids()[0], ()).is_none(), "{kind:?}");
    }
}

#[test]
fn a_splice_holds_the_levels_of_its_mcus() {
    for kind in Kind::all() {
        for size in SIZES {
            let bytes = encode(kind, size, &screen(size, 20, 3));
            let (all, _) = levels(&bytes);
            let scan = walk(&sanitise(&bytes).unwrap());
            let columns = scan.grid().0;
            for mcus in rectangles(scan.grid()) {
                let mut out = b"before".to_vec();
                scan.splice(mcus, &mut out);
                let spliced = out.strip_prefix(b"before").unwrap();
                let expected: Vec<Levels> = (mcus.y.into()..mcus.bottom() as usize)
                    .flat_map(|y| {
                        let row = &all[y * columns..][..columns];
                        row[usize::from(mcus.x)..mcus.right() as usize].to_vec()
                    })
                    .collect();
                assert_eq!(levels(spliced).0, expected, "{kind:?} {size} {mcus:?}");
                // Its size is that of the pixels: the levels alone do not tell.
                let frame = spliced
                    .windows(2)
                    .position(|two| two == [0xff, 0xc0])
                    .unwrap();
                let pixels = scan.pixels(mcus);
                assert_eq!(spliced[frame + 5..frame + 7], pixels.height.to_be_bytes());
                assert_eq!(spliced[frame + 7..frame + 9], pixels.width.to_be_bytes());
                // And it can be walked and spliced itself.
                if pixels.width >= 16 && pixels.height >= 16 {
                    let again = walk(&sanitise(spliced).unwrap());
                    let ids = scan.rows(mcus).flat_map(|(a, b)| &scan.ids()[a..=b]);
                    assert!(again.ids().iter().eq(ids), "{kind:?} {size} {mcus:?}");
                    let whole = again.whole();
                    let mut twice = Vec::new();
                    again.splice(whole, &mut twice);
                    assert_eq!(twice, spliced);
                }
            }
        }
    }
}

#[test]
fn a_splice_decodes_to_the_region_of_the_whole() {
    for kind in Kind::all() {
        for size in SIZES {
            let jpeg = jpeg(kind, size, &screen(size, 20, 3));
            let whole = pixels(&mut Zune, &jpeg);
            let scan = walk(&jpeg);
            let (across, down) = scan.coding.is_subsampled();
            for mcus in rectangles(scan.grid()) {
                let place = scan.pixels(mcus);
                let expected = cut(&whole, size, place);
                let got = pixels(&mut Zune, &scan.spliced(mcus));
                // Only where chroma is smoothed over an edge that is none in the whole.
                let reach = Size::new(scan.mcu().width / 8, scan.mcu().height / 8);
                for (i, (got, expected)) in got.iter().zip(&expected).enumerate() {
                    let (x, y) = (i % usize::from(place.width), i / usize::from(place.width));
                    let (x, y) = (x as u16, y as u16);
                    let at_side = across
                        && ((x < reach.width && place.x > 0)
                            || (x + reach.width >= place.width
                                && place.right() < size.width.into()));
                    let at_end = down
                        && ((y < reach.height && place.y > 0)
                            || (y + reach.height >= place.height
                                && place.bottom() < size.height.into()));
                    if !at_side && !at_end {
                        assert_eq!(got, expected, "{kind:?} {size} {mcus:?} {x} {y}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_part_decodes_to_what_the_whole_has_there() {
    for kind in Kind::all() {
        for size in SIZES {
            let jpeg = jpeg(kind, size, &screen(size, 20, 3));
            let whole = pixels(&mut Zune, &jpeg);
            let scan = walk(&jpeg);
            for rect in [
                Rect::new(0, 0, size.width, size.height),
                Rect::new(3, 5, 9, 14),
                Rect::new(16, 16, 1, 16),
                Rect::new(size.width - 1, size.height - 20, 100, 100),
                Rect::new(0, size.height - 1, 16, 1),
            ] {
                let cut_rect = rect.intersection(size.rect());
                let expected = cut(&whole, size, cut_rect);
                let part = scan.decode(rect, &mut Zune).unwrap();
                assert_eq!(part, expected, "{kind:?} {size} {rect:?}");
            }
            assert_eq!(scan.decode(Rect::new(200, 0, 9, 9), &mut Zune), Ok(vec![]));
        }
    }
}

/// Optimised tables have no code for what does not occur; a row that begins elsewhere needs it.
#[test]
fn a_dc_difference_without_a_code_is_given_one() {
    let size = Size::new(160, 32);
    let pixels: Vec<[u8; 3]> = (0..size.area())
        .map(|i| [(i % 160 / 8 * 12) as u8 + 8; 3])
        .collect();
    let kind = Kind {
        optimised: true,
        ..Kind::plain(SamplingFactor::F_1_1)
    };
    let bytes = encode(kind, size, &pixels);
    let (all, _) = levels(&bytes);
    let scan = walk(&sanitise(&bytes).unwrap());
    let mut replaced = 0;
    for x in 0..20 {
        let mut out = Vec::new();
        scan.splice(Rect::new(x, 1, 20 - x, 3), &mut out);
        let expected: Vec<_> = (1..4)
            .flat_map(|y| all[y * 20 + usize::from(x)..(y + 1) * 20].to_vec())
            .collect();
        assert_eq!(levels(&out).0, expected);
        // The standard luma DC table: one code of two bits, five of three.
        let standard = [0, 0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0];
        replaced += usize::from(out.windows(17).any(|seen| seen == standard));
    }
    assert!(replaced > 0 && replaced < 20, "{replaced}");
}

#[test]
fn the_bits_of_a_rectangle_are_those_of_its_mcus() {
    for kind in Kind::all() {
        let size = SIZES[1];
        let scan = walk(&jpeg(kind, size, &screen(size, 20, 3)));
        let (columns, rows) = scan.grid();
        let single = |i: usize| {
            let (x, y) = (i % columns, i / columns);
            scan.bits(Rect::new(x as u16, y as u16, 1, 1))
        };
        let sum: usize = (0..columns * rows).map(single).sum();
        let padding = scan.bits(scan.whole()) - sum;
        assert!(padding <= 7 * scan.intervals.len(), "{kind:?}: {padding}");
        assert_eq!(scan.bits(Rect::new(columns as u16, 0, 5, 5)), 0);
        assert_eq!(scan.bits(Rect::EMPTY), 0);
    }
}

#[test]
fn a_small_splice_leaves_out_codes_that_it_does_not_use() {
    let size = SIZES[0];
    let scan = walk(&jpeg(
        Kind::plain(SamplingFactor::F_2_1),
        size,
        &screen(size, 20, 3),
    ));
    let length = |mcus: Rect| {
        let mut out = Vec::new();
        scan.splice(mcus, &mut out);
        out.len() - scan.bits(mcus) / 8
    };
    assert!(length(Rect::new(0, 0, 1, 1)) + 250 < length(scan.whole()));
}

#[test]
fn a_walk_behind_another_picture_gives_the_same() {
    for kind in Kind::all() {
        for size in SIZES {
            let frames = [(20, 3), (20, 3), (21, 3), (2, 3), (20, 9), (60, 9)];
            let mut previous: Option<Scan> = None;
            for (at, seed) in frames {
                let jpeg = jpeg(kind, size, &screen(size, at, seed));
                let scan = Scan::walk(&jpeg, previous.as_ref()).unwrap();
                assert!(
                    scan.index == walk(&jpeg).index,
                    "{kind:?} {size} {at} {seed}"
                );
                previous = Some(scan);
            }
        }
    }
}

#[test]
fn a_picture_of_another_kind_is_no_help_and_no_harm() {
    let size = SIZES[0];
    let mut previous = None;
    for quality in [85, 86] {
        for mut kind in Kind::all() {
            kind.quality = quality;
            for size in [size, SIZES[1]] {
                let jpeg = jpeg(kind, size, &screen(size, 20, 3));
                let scan = Scan::walk(&jpeg, previous.as_ref()).unwrap();
                assert!(scan.index == walk(&jpeg).index, "{kind:?}");
                previous = Some(scan);
            }
        }
    }
}

/// Grey of a slowly rising level, in steps of one DC level.
#[test]
fn tolerance_keeps_ids_but_does_not_drift() {
    let size = SIZES[0];
    for kind in Kind::all() {
        let grey = |level: u8| jpeg(kind, size, &vec![[level; 3]; size.area()]);
        let level = |jpeg: &Jpeg| levels(&jpeg.bytes).0[0][0][0];
        let mut tolerance = Tolerance::new(2);
        let mut shown: Option<(i32, u64)> = None;
        let mut changes = 0;
        for sample in 100..130 {
            let jpeg = grey(sample);
            let mut scan = walk(&jpeg);
            tolerance.settle(&mut scan);
            let (now, id) = (level(&jpeg), scan.ids()[0]);
            match shown {
                Some((then, old)) if now.abs_diff(then) <= 2 => assert_eq!(id, old),
                _ => {
                    assert_eq!(id, walk(&jpeg).ids()[0]);
                    assert_ne!(Some(id), shown.map(|(_, id)| id));
                    shown = Some((now, id));
                    changes += 1;
                }
            }
        }
        assert!((4..30).contains(&changes), "{kind:?}: {changes}");
    }
}

/// Some MCUs become others, the rest is compared level by level.
#[test]
fn tolerance_looks_at_every_level() {
    let size = SIZES[1];
    for kind in Kind::all() {
        let frames = [(20, 3), (21, 3), (20, 4), (60, 4), (20, 3)];
        let mut tolerance = Tolerance::new(3);
        let mut shown: Vec<(Levels, u64)> = Vec::new();
        let mut previous: Option<Scan> = None;
        for (at, seed) in frames {
            let jpeg = jpeg(kind, size, &screen(size, at, seed));
            let mut scan = Scan::walk(&jpeg, previous.as_ref()).unwrap();
            let exact = scan.ids().to_vec();
            tolerance.settle(&mut scan);
            for (i, levels) in levels(&jpeg.bytes).0.into_iter().enumerate() {
                match shown.get_mut(i) {
                    None => shown.push((levels, exact[i])),
                    Some((then, id)) => {
                        let pairs = then.as_flattened().iter().zip(levels.as_flattened());
                        if pairs.into_iter().any(|(a, b)| a.abs_diff(*b) > 3) {
                            (*then, *id) = (levels, exact[i]);
                        }
                    }
                }
                assert_eq!(scan.ids()[i], shown[i].1, "{kind:?} {at} {seed} {i}");
            }
            assert_eq!(scan.index.ids, exact);
            previous = Some(scan);
        }
    }
}
