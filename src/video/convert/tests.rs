use std::sync::atomic::{AtomicUsize, Ordering};

use rfb::geom::{Rect, Size};

use super::*;
use crate::video::{Colour, Matrix, Range};

const SIZE: Size = Size::new(32, 16);

fn captured(layout: Layout, stride: usize, bytes: &[u8]) -> Captured<'_> {
    Captured {
        layout,
        size: SIZE,
        stride,
        colour: Colour::default(),
        bytes,
    }
}

fn screens(name: &str) -> Vec<u8> {
    std::fs::read(format!(
        "{}/fixtures/screens/{name}.mjpeg",
        env!("CARGO_MANIFEST_DIR")
    ))
    .unwrap()
}

/// The first two pictures of a recorded screen.
fn two_pictures(screens: &[u8]) -> (&[u8], &[u8]) {
    let first = jpeg::header::walk(screens).unwrap().end;
    let (first, rest) = screens.split_at(first);
    (first, &rest[..jpeg::header::walk(rest).unwrap().end])
}

fn pixel(frame: &Frame, x: u16, y: u16) -> [u8; 3] {
    let pixel = frame.pixels(Rect::new(x, y, 1, 1)).unwrap()[0];
    let [_, red, green, blue] = pixel.to_be_bytes();
    [red, green, blue]
}

#[test]
fn recorded_screens_become_frames_that_carry_their_jpeg() {
    for name in ["firmware", "console-scroll", "console-typing", "desktop"] {
        let screens = screens(name);
        let (first, second) = two_pictures(&screens);
        let mut converter = Converter::new();
        let jpeg = |bytes| captured(Layout::Mjpeg, 0, bytes);

        let frame = converter.convert(&jpeg(first)).unwrap().unwrap();
        assert_eq!(frame.size(), Size::new(1920, 1080), "{name}");
        assert_eq!(frame.seq(), FrameSeq(1));
        assert_eq!(frame.compressed().unwrap().whole(), first);
        // The barcode's first cell is white, its last one black.
        assert!(pixel(&frame, 8, 8).iter().all(|&c| c > 230), "{name}");
        assert!(pixel(&frame, 56, 56).iter().all(|&c| c < 25), "{name}");

        let next = converter.convert(&jpeg(second)).unwrap().unwrap();
        assert_eq!(next.seq(), FrameSeq(2));
        let shared = shared(&frame, &next);
        assert!(shared < 510, "{name}: something changed");
        if name == "console-typing" {
            assert!(
                shared > 400,
                "a letter changes few tiles: {shared} are shared"
            );
        }
    }
}

/// How many tiles two frames share.
fn shared(a: &Frame, b: &Frame) -> usize {
    let tiles = a.tiles().unwrap().iter().zip(b.tiles().unwrap());
    tiles.filter(|(a, b)| Arc::ptr_eq(a, b)).count()
}

/// Counts the pictures that it decodes, and how large they are.
#[derive(Clone, Default)]
struct Counting(Arc<(AtomicUsize, AtomicUsize)>);

impl JpegDecoder for Counting {
    fn decode(&mut self, jpeg: &jpeg::Jpeg, bgrx: &mut [u8]) -> Result<(), BadPicture> {
        self.0.0.fetch_add(1, Ordering::Relaxed);
        self.0.1.fetch_add(jpeg.size.area(), Ordering::Relaxed);
        jpeg::decoder().decode(jpeg, bgrx)
    }
}

#[test]
fn nothing_is_decoded_until_pixels_are_asked_for_and_no_more_than_those() {
    let screens = screens("console-typing");
    let (first, second) = two_pictures(&screens);
    let counting = Counting::default();
    let mut converter = Converter::with(Manner {
        decoder: Box::new(counting.clone()),
        ..Manner::default()
    });
    let mut convert = |bytes| {
        converter
            .convert(&captured(Layout::Mjpeg, 0, bytes))
            .unwrap()
    };
    let frame = convert(first).unwrap();
    for _ in 0..3 {
        assert!(convert(first).is_none());
    }
    let next = convert(second).unwrap();
    assert!(shared(&frame, &next) > 400);
    assert_eq!(
        counting.0.0.load(Ordering::Relaxed),
        0,
        "tiles need no pixels"
    );
    next.pixels(Rect::new(100, 100, 20, 10)).unwrap();
    assert_eq!(counting.0.0.load(Ordering::Relaxed), 1);
    assert!(counting.0.1.load(Ordering::Relaxed) < 100 * 50);
    let counters = converter.counters();
    assert_eq!(
        (counters.captured, counters.changed, counters.identical),
        (5, 2, 3)
    );
}

#[test]
fn a_damaged_scan_is_reported_by_who_looks_into_it_and_told_once() {
    let screens = screens("console-typing");
    let (first, _) = two_pictures(&screens);
    let mut damaged = first.to_vec();
    let middle = damaged.len() / 2;
    damaged[middle..middle + 200].fill(0x55);
    let reports = Arc::new(AtomicUsize::new(0));
    let told = Arc::clone(&reports);
    let mut converter = Converter::with(Manner {
        on_damage: Arc::new(move |reason| {
            assert!(matches!(reason, BadPicture::Corrupt(_)));
            told.fetch_add(1, Ordering::Relaxed);
        }),
        ..Manner::default()
    });
    let picture = captured(Layout::Mjpeg, 0, &damaged);
    let frame = converter.convert(&picture).unwrap().unwrap();
    assert_eq!(reports.load(Ordering::Relaxed), 0);
    for _ in 0..2 {
        assert!(frame.tiles().is_err() && frame.pixels(Rect::new(0, 0, 1, 1)).is_err());
        assert_eq!(reports.load(Ordering::Relaxed), 1);
    }
    converter.count_damaged(&BadPicture::Corrupt("a scan".to_owned()), 1);
    assert_eq!(converter.counters().dropped.corrupt, 1);
    // The same bytes are not taken for a picture that is shown.
    assert!(converter.convert(&picture).unwrap().is_some());
    let good = converter.convert(&captured(Layout::Mjpeg, 0, first));
    assert!(good.unwrap().unwrap().tiles().is_ok());
}

#[test]
fn only_the_tiles_of_a_raw_picture_that_changed_are_made_anew_and_noise_builds_up_to_nothing() {
    let size = Size::new(200, 130);
    let yuyv = |by: u8, dot: u8| {
        let mut bytes: Vec<u8> = (0..size.area() * 2)
            .map(|i| 100 + (i % 7) as u8 + by)
            .collect();
        bytes[(70 * 200 + 150) * 2] = dot;
        bytes
    };
    let frames = |tolerance: u8, pictures: &[Vec<u8>]| -> Vec<Frame> {
        let mut converter = Converter::with(Manner {
            tolerance,
            ..Manner::default()
        });
        let picture = |bytes| Captured {
            size,
            ..captured(Layout::Yuyv, 400, bytes)
        };
        pictures
            .iter()
            .map(|bytes| converter.convert(&picture(bytes)).unwrap().unwrap())
            .inspect(|frame| assert_eq!(frame.tiles().unwrap().len(), 12))
            .collect()
    };
    let exact = frames(0, &[yuyv(0, 0), yuyv(0, 200), yuyv(1, 200)]);
    assert_eq!(
        (shared(&exact[0], &exact[1]), shared(&exact[1], &exact[2])),
        (11, 0)
    );
    // Each picture is one level from the one before: the third is too far from the first.
    let noisy = frames(1, &[yuyv(0, 0), yuyv(1, 200), yuyv(2, 200), yuyv(3, 200)]);
    assert_eq!(shared(&noisy[0], &noisy[1]), 11);
    assert_eq!(shared(&noisy[1], &noisy[2]), 1, "the dot's tile is newer");
    assert_eq!(shared(&noisy[2], &noisy[3]), 11);
    let whole = |frame: &Frame| frame.pixels(size.rect()).unwrap();
    let alone = frames(0, &[yuyv(0, 200)]);
    assert!(
        whole(&exact[1]) == whole(&alone[0]),
        "made from tiles or at once"
    );
}

#[test]
fn a_bad_picture_is_counted_and_leaves_the_last_frame() {
    let screens = screens("console-typing");
    let (first, _) = two_pictures(&screens);
    let mut converter = Converter::new();
    let jpeg = |bytes| captured(Layout::Mjpeg, 0, bytes);
    let frame = converter.convert(&jpeg(first)).unwrap().unwrap();
    let cut = converter.convert(&jpeg(&first[..first.len() / 2]));
    assert_eq!(cut.unwrap_err(), BadPicture::Truncated);
    assert_eq!(
        converter.convert(&jpeg(&[0; 99])).unwrap_err(),
        BadPicture::NoStart
    );
    assert!(converter.frame().unwrap().same_picture(&frame));
    assert!(converter.convert(&jpeg(first)).unwrap().is_none());
    let counters = converter.counters();
    assert_eq!(
        (counters.dropped.truncated, counters.dropped.no_start),
        (1, 1)
    );
    assert_eq!((counters.dropped.total(), counters.captured), (2, 4));
}

#[test]
fn the_size_in_the_jpeg_wins() {
    let mut converter = Converter::new();
    let screens = screens("desktop");
    let (first, _) = two_pictures(&screens);
    // `captured` says 32x16, as if the mode had just changed.
    let frame = converter
        .convert(&captured(Layout::Mjpeg, 0, first))
        .unwrap();
    assert_eq!(frame.unwrap().size(), Size::new(1920, 1080));
}

/// Samples that differ from pixel to pixel, 16 to 235 for luma, 16 to 240 for chroma.
fn luma(x: usize, y: usize) -> u8 {
    (16 + (x * 37 + y * 91) % 220) as u8
}

fn chroma(x: usize, y: usize) -> (u8, u8) {
    (
        (16 + (x / 2 * 53 + y * 17) % 225) as u8,
        (16 + (x / 2 * 29 + y * 71) % 225) as u8,
    )
}

/// The conversion as ITU-R BT.601 and BT.709 have it, in floating point. The crate computes with
/// integers and is off by up to 3 where chroma is extreme.
fn rgb(colour: Colour, y: u8, (cb, cr): (u8, u8)) -> [f64; 3] {
    let (kr, kb) = match colour.matrix {
        Matrix::Bt601 => (0.299, 0.114),
        Matrix::Bt709 => (0.2126, 0.0722),
        Matrix::Bt2020 => (0.2627, 0.0593),
    };
    let (y, cb, cr) = (f64::from(y), f64::from(cb) - 128.0, f64::from(cr) - 128.0);
    let (y, cb, cr) = match colour.range {
        Range::Limited => (
            (y - 16.0) * 255.0 / 219.0,
            cb * 255.0 / 224.0,
            cr * 255.0 / 224.0,
        ),
        Range::Full => (y, cb, cr),
    };
    let red = y + 2.0 * (1.0 - kr) * cr;
    let blue = y + 2.0 * (1.0 - kb) * cb;
    let green = (y - kr * red - kb * blue) / (1.0 - kr - kb);
    [red, green, blue].map(|v| v.clamp(0.0, 255.0))
}

#[test]
fn raw_layouts_are_converted_by_the_standard_s_formulas() {
    let (width, height) = (usize::from(SIZE.width), usize::from(SIZE.height));
    // With padding at the ends of rows, which must not be seen.
    let packed = |order: fn(u8, u8, u8, u8) -> [u8; 4]| {
        let mut out = Vec::new();
        for y in 0..height {
            for x in (0..width).step_by(2) {
                let (cb, cr) = chroma(x, y);
                out.extend(order(luma(x, y), cb, luma(x + 1, y), cr));
            }
            out.extend([255; 6]);
        }
        out
    };
    let mut nv12 = Vec::new();
    for y in 0..height {
        nv12.extend((0..width).map(|x| luma(x, y)));
        nv12.extend([255; 6]);
    }
    for y in (0..height).step_by(2) {
        nv12.extend((0..width).step_by(2).flat_map(|x| {
            let (cb, cr) = chroma(x, y);
            [cb, cr]
        }));
        nv12.extend([255; 6]);
    }
    let cases = [
        (
            Layout::Yuyv,
            width * 2 + 6,
            packed(|y0, cb, y1, cr| [y0, cb, y1, cr]),
        ),
        (
            Layout::Uyvy,
            width * 2 + 6,
            packed(|y0, cb, y1, cr| [cb, y0, cr, y1]),
        ),
        (Layout::Nv12, width + 6, nv12),
    ];
    let colours = [
        Colour::default(),
        Colour {
            matrix: Matrix::Bt709,
            range: Range::Limited,
        },
        Colour {
            matrix: Matrix::Bt601,
            range: Range::Full,
        },
    ];
    for (layout, stride, bytes) in &cases {
        let mut converter = Converter::new();
        for colour in colours {
            let picture = Captured {
                colour,
                ..captured(*layout, *stride, bytes)
            };
            let frame = converter.convert(&picture).unwrap().expect("other colours");
            for y in 0..height {
                for x in 0..width {
                    let chroma_row = if *layout == Layout::Nv12 {
                        y / 2 * 2
                    } else {
                        y
                    };
                    let expected = rgb(colour, luma(x, y), chroma(x, chroma_row));
                    let got = pixel(&frame, x as u16, y as u16);
                    let near = (0..3).all(|i| (f64::from(got[i]) - expected[i]).abs() <= 3.0);
                    assert!(
                        near,
                        "{layout:?} {colour:?} {x},{y}: {got:?} for {expected:?}"
                    );
                }
            }
            assert!(converter.convert(&picture).unwrap().is_none());
        }
    }
}

#[test]
fn rgb_layouts_keep_every_pixel() {
    let (width, height) = (usize::from(SIZE.width), usize::from(SIZE.height));
    let colour = |x: usize, y: usize| [(x * 7) as u8, (y * 13) as u8, (x * y) as u8];
    let with_order = |order: fn([u8; 3]) -> Vec<u8>| {
        (0..width * height)
            .flat_map(|i| order(colour(i % width, i / width)))
            .collect::<Vec<u8>>()
    };
    for (layout, pixel_bytes, bytes) in [
        (Layout::Rgb24, 3, with_order(|[r, g, b]| vec![r, g, b])),
        (Layout::Bgr24, 3, with_order(|[r, g, b]| vec![b, g, r])),
        (Layout::Bgrx, 4, with_order(|[r, g, b]| vec![b, g, r, 0x5a])),
    ] {
        let mut converter = Converter::new();
        let picture = Captured {
            colour: Colour {
                range: Range::Full,
                ..Colour::default()
            },
            ..captured(layout, width * pixel_bytes, &bytes)
        };
        let frame = converter.convert(&picture).unwrap().unwrap();
        for (x, y) in [(0, 0), (31, 0), (5, 7), (0, 15), (31, 15)] {
            assert_eq!(
                pixel(&frame, x, y),
                colour(x.into(), y.into()),
                "{layout:?}"
            );
        }
        assert!(frame.compressed().is_none());
    }
}

#[test]
fn rgb_of_limited_range_is_widened() {
    let levels = [[16, 235, 126], [0, 255, 15], [180, 17, 234]];
    let expected = [[0, 255, 128], [0, 255, 0], [191, 1, 254]];
    let pixels = usize::from(SIZE.width) * usize::from(SIZE.height);
    for layout in [Layout::Rgb24, Layout::Bgr24] {
        let mut bytes = Vec::new();
        for mut level in levels.into_iter().cycle().take(pixels) {
            if layout == Layout::Bgr24 {
                level.reverse();
            }
            bytes.extend(level);
        }
        let picture = captured(layout, usize::from(SIZE.width) * 3, &bytes);
        let frame = Converter::new().convert(&picture).unwrap().unwrap();
        let got = [0, 1, 2].map(|x| pixel(&frame, x, 0));
        assert_eq!(got, expected, "{layout:?}");
    }
}

#[test]
fn raw_pictures_of_the_wrong_length_or_size_are_dropped() {
    let mut converter = Converter::new();
    let bytes = vec![0; 32 * 16 * 4];
    let short = converter.convert(&captured(Layout::Yuyv, 64, &bytes[..1023]));
    assert_eq!(
        short.unwrap_err(),
        BadPicture::Short {
            have: 1023,
            need: 1024
        }
    );
    let narrow = converter.convert(&captured(Layout::Bgrx, 100, &bytes));
    assert_eq!(
        narrow.unwrap_err(),
        BadPicture::Short {
            have: 100,
            need: 128
        }
    );
    let endless = converter.convert(&captured(Layout::Nv12, usize::MAX, &bytes));
    assert!(matches!(endless, Err(BadPicture::Short { .. })));
    for (size, layout) in [
        (Size::new(15, 16), Layout::Bgrx),
        (Size::new(8192, 8192), Layout::Bgrx),
        (Size::new(0, 0), Layout::Yuyv),
    ] {
        let picture = Captured {
            size,
            ..captured(layout, 32768, &bytes)
        };
        assert!(matches!(
            converter.convert(&picture),
            Err(BadPicture::Size { .. })
        ));
    }
    let odd = Captured {
        size: Size::new(31, 16),
        ..captured(Layout::Yuyv, 64, &bytes)
    };
    assert!(matches!(
        converter.convert(&odd),
        Err(BadPicture::Corrupt(_))
    ));
    assert_eq!(converter.counters().dropped.total(), 7);
}
