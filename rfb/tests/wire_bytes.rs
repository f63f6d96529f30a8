//! Rectangles written by hand after the specifications, so that encoders and decoders are held to them
//! and not just to each other.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use rfb::encoding::{Encoding, Parameters, Picture, encode};
use rfb::geom::{Rect, Size};
use rfb::pixel::PixelFormat;
use rfb::testing::{Decoder, Progress};

const RED: u32 = 0xff_00_00;
const BLUE: u32 = 0x00_00_ff;
const WHITE: u32 = 0xff_ff_ff;

/// PIXEL and CPIXEL of [`PixelFormat::BGRX`].
const RED_PIXEL: [u8; 4] = [0, 0, 0xff, 0];
const BLUE_PIXEL: [u8; 4] = [0xff, 0, 0, 0];
const WHITE_PIXEL: [u8; 4] = [0xff, 0xff, 0xff, 0];
const RED_CPIXEL: [u8; 3] = [0, 0, 0xff];
const BLUE_CPIXEL: [u8; 3] = [0xff, 0, 0];

fn encoded(encoding: Encoding, size: Size, pixels: &[u32], first: bool) -> Vec<u8> {
    let parameters = Parameters {
        format: PixelFormat::BGRX,
        jpeg: None,
        level: 6,
    };
    let mut out = Vec::new();
    encode(
        encoding,
        &Picture { size, pixels },
        &parameters,
        first,
        &mut out,
    );
    out
}

/// What the decoder makes of a rectangle at the origin.
fn decoded(encoding: i32, size: Size, bytes: &[u8]) -> Result<Vec<u32>, String> {
    let mut decoder = Decoder::new(size, PixelFormat::BGRX);
    match decoder.decode_rect(encoding, size.rect(), bytes) {
        Ok(Progress::Done(n)) if n == bytes.len() => Ok(decoder.rgb().to_vec()),
        Ok(other) => Err(format!("{other:?} of {}", bytes.len())),
        Err(error) => Err(error.what),
    }
}

/// Both directions.
fn assert_both(encoding: Encoding, size: Size, pixels: &[u32], bytes: &[u8]) {
    assert_eq!(encoded(encoding, size, pixels, false), bytes, "{encoding}");
    assert_eq!(
        decoded(encoding.number().0, size, bytes),
        Ok(pixels.to_vec()),
        "{encoding}"
    );
}

fn zlib(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len() + 100);
    Compress::new(Compression::fast(), true)
        .compress_vec(data, &mut out, FlushCompress::Sync)
        .expect("room for everything");
    out
}

/// U32 length and the data as one zlib chunk.
fn zlib_rect(data: &[u8]) -> Vec<u8> {
    let chunk = zlib(data);
    let length = u32::try_from(chunk.len()).expect("a short chunk");
    [&length.to_be_bytes()[..], &chunk].concat()
}

fn inflated(chunk: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(100_000);
    Decompress::new(true)
        .decompress_vec(chunk, &mut out, FlushDecompress::Sync)
        .expect("a zlib stream");
    out
}

#[test]
fn raw_is_pixels() {
    assert_both(
        Encoding::Raw,
        Size::new(2, 1),
        &[RED, BLUE],
        &[RED_PIXEL, BLUE_PIXEL].concat(),
    );
}

#[test]
fn rre_is_a_background_and_subrectangles() {
    // A white field, a blue 2x1 bar, a red dot.
    let pixels = [WHITE, BLUE, BLUE, WHITE, WHITE, RED];
    let bytes = [
        &[0, 0, 0, 2][..],
        &WHITE_PIXEL,
        &BLUE_PIXEL,
        &[0, 1, 0, 0, 0, 2, 0, 1],
        &RED_PIXEL,
        &[0, 2, 0, 1, 0, 1, 0, 1],
    ]
    .concat();
    assert_both(Encoding::Rre, Size::new(3, 2), &pixels, &bytes);
}

#[test]
fn hextile_carries_colours_over() {
    // Three tiles: white with a red bar, the same again, all white.
    let row = |y: usize| {
        (0..48).map(move |x| {
            if y == 3 && x % 16 == 5 && x < 32 {
                RED
            } else {
                WHITE
            }
        })
    };
    let pixels: Vec<u32> = (0..16).flat_map(row).collect();
    let bytes = [
        &[2 | 4 | 8][..],
        &WHITE_PIXEL,
        &RED_PIXEL,
        &[1, 0x53, 0x00],
        &[8, 1, 0x53, 0x00],
        &[0],
    ]
    .concat();
    assert_both(Encoding::Hextile, Size::new(48, 16), &pixels, &bytes);
}

#[test]
fn hextile_colours_its_subrectangles() {
    let mut pixels = vec![WHITE; 256];
    pixels[0] = RED;
    pixels[255] = BLUE;
    let bytes = [
        &[2 | 8 | 16][..],
        &WHITE_PIXEL,
        &[2],
        &RED_PIXEL,
        &[0x00, 0x00],
        &BLUE_PIXEL,
        &[0xff, 0x00],
    ]
    .concat();
    assert_both(Encoding::Hextile, Size::new(16, 16), &pixels, &bytes);
}

/// The four ways of a tile that are not raw, by TRLE, which has nothing around them.
#[test]
fn trle_tiles() {
    let solid = [&[1][..], &RED_CPIXEL].concat();
    assert_both(Encoding::Trle, Size::new(16, 16), &[RED; 256], &solid);

    // Columns in turn: one bit each, no runs worth the name.
    let columns: Vec<u32> = (0..18).map(|i| [RED, BLUE][i % 9 % 2]).collect();
    let packed = [&[2][..], &RED_CPIXEL, &BLUE_CPIXEL, &[0x55, 0, 0x55, 0]].concat();
    assert_both(Encoding::Trle, Size::new(9, 2), &columns, &packed);

    // Two long runs: lengths 100 and 156, each less one.
    let halves: Vec<u32> = (0..256).map(|i| if i < 100 { RED } else { BLUE }).collect();
    let runs = [&[128][..], &RED_CPIXEL, &[99], &BLUE_CPIXEL, &[155]].concat();
    assert_both(Encoding::Trle, Size::new(16, 16), &halves, &runs);

    // Runs of two colours that come again: 50 red, 1 blue, 50 red, 155 blue.
    let again: Vec<u32> = (0..256)
        .map(|i| {
            if i < 50 || (51..101).contains(&i) {
                RED
            } else {
                BLUE
            }
        })
        .collect();
    let palette = [
        &[130][..],
        &RED_CPIXEL,
        &BLUE_CPIXEL,
        &[0x80, 49, 0x01, 0x80, 49, 0x81, 154],
    ]
    .concat();
    assert_both(Encoding::Trle, Size::new(16, 16), &again, &palette);
}

/// A run length is the sum of its bytes plus one, and 255 means that more follow.
#[test]
fn zrle_run_lengths_and_its_stream() {
    // 64x64 pixels: 256 red, 3840 blue.
    let pixels: Vec<u32> = (0..4096)
        .map(|i| if i < 256 { RED } else { BLUE })
        .collect();
    let mut tile = [&[128][..], &RED_CPIXEL, &[255, 0], &BLUE_CPIXEL].concat();
    // 3839 = 15 * 255 + 14.
    tile.extend([255; 15]);
    tile.push(14);
    let size = Size::new(64, 64);
    let bytes = encoded(Encoding::Zrle, size, &pixels, true);
    let length = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    assert_eq!(length as usize, bytes.len() - 4);
    assert_eq!(inflated(&bytes[4..]), tile);
    assert_eq!(decoded(16, size, &zlib_rect(&tile)), Ok(pixels));
}

#[test]
fn zlib_is_raw_in_a_stream() {
    let size = Size::new(2, 1);
    let raw = [RED_PIXEL, BLUE_PIXEL].concat();
    let bytes = encoded(Encoding::Zlib, size, &[RED, BLUE], true);
    assert_eq!(inflated(&bytes[4..]), raw);
    assert_eq!(decoded(6, size, &zlib_rect(&raw)), Ok(vec![RED, BLUE]));
}

#[test]
fn tight_below_twelve_bytes() {
    // Full colour: TPIXELs are red, green, blue.
    assert_both(
        Encoding::Tight,
        Size::new(3, 1),
        &[RED, BLUE, WHITE],
        &[0x00, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff],
    );
    // Two colours, 9 pixels wide: two bytes a row.
    let columns: Vec<u32> = (0..18).map(|i| [RED, BLUE][i % 9 % 2]).collect();
    assert_both(
        Encoding::Tight,
        Size::new(9, 2),
        &columns,
        &[0x50, 1, 1, 0xff, 0, 0, 0, 0, 0xff, 0x55, 0, 0x55, 0],
    );
}

#[test]
fn copy_rect_copies_values() {
    let mut decoder = Decoder::new(Size::new(4, 1), PixelFormat::BGRX);
    let raw = [RED_PIXEL, BLUE_PIXEL].concat();
    let done = decoder.decode_rect(0, Rect::new(0, 0, 2, 1), &raw);
    assert_eq!(done, Ok(Progress::Done(8)));
    let done = decoder.decode_rect(1, Rect::new(2, 0, 2, 1), &[0, 0, 0, 0]);
    assert_eq!(done, Ok(Progress::Done(4)));
    assert_eq!(decoder.rgb(), [RED, BLUE, RED, BLUE]);
}

/// What a strict client must not swallow.
#[test]
fn broken_rectangles_are_refused() {
    let refused = |encoding: i32, size: Size, bytes: &[u8]| {
        decoded(encoding, size, bytes).expect_err("a broken rectangle")
    };
    let small = Size::new(2, 2);
    let tile = Size::new(16, 16);
    let cases: &[(i32, Size, Vec<u8>, &str)] = &[
        (
            2,
            small,
            [
                &[0, 0, 0, 1][..],
                &WHITE_PIXEL,
                &RED_PIXEL,
                &[0, 1, 0, 0, 0, 2, 0, 1],
            ]
            .concat(),
            "a subrectangle outside its rectangle",
        ),
        (
            2,
            small,
            [&[0, 0, 0, 1][..], &WHITE_PIXEL, &RED_PIXEL, &[0; 8]].concat(),
            "an empty subrectangle",
        ),
        (5, tile, vec![0], "a Hextile tile without a background"),
        (
            5,
            tile,
            [&[10][..], &RED_PIXEL, &[1, 0, 0]].concat(),
            "a Hextile subrectangle without a colour",
        ),
        (5, tile, vec![3], "Hextile flags 0x03"),
        (
            5,
            tile,
            [&[14][..], &WHITE_PIXEL, &RED_PIXEL, &[1, 0xf0, 0x10]].concat(),
            "a Hextile subrectangle outside its tile",
        ),
        (
            6,
            small,
            zlib_rect(&[0; 15]),
            "inflates to 15 bytes instead of 16",
        ),
        (
            6,
            small,
            zlib_rect(&[0; 17]),
            "inflates to more than 16 bytes",
        ),
        (15, tile, vec![127], "tile coding 127"),
        (15, tile, vec![129], "tile coding 129"),
        (15, tile, vec![17], "tile coding 17"),
        (
            15,
            tile,
            [&[128][..], &RED_CPIXEL, &[255, 1]].concat(),
            "a run beyond its tile",
        ),
        (
            15,
            tile,
            [&[130][..], &RED_CPIXEL, &RED_CPIXEL, &[2]].concat(),
            "index 2 in 2 colours",
        ),
        (
            15,
            tile,
            [&[3][..], &RED_CPIXEL, &RED_CPIXEL, &RED_CPIXEL, &[0xff; 64]].concat(),
            "index 3 in 3 colours",
        ),
        (
            16,
            tile,
            zlib_rect(&[1, 0, 0, 0, 0]),
            "1 bytes after the last tile",
        ),
        (
            16,
            tile,
            zlib_rect(&[1, 0, 0]),
            "the inflated tiles end too early",
        ),
        (7, small, vec![0xa0, 0], "Tight control byte 0xa0"),
        (7, small, vec![0x40, 3], "Tight filter 3"),
        (
            7,
            small,
            vec![0x40, 2],
            "the gradient filter, which clients do not all have",
        ),
        (7, small, vec![0x40, 1, 0], "a Tight palette of one colour"),
        (
            7,
            small,
            [&[0x40, 1, 2][..], &[0; 9], &[0, 1, 2, 3]].concat(),
            "index 3 in 3 colours",
        ),
        (
            7,
            Size::new(2, 3),
            [&[0x00, 0x81, 0x00][..], &[0]].concat(),
            "length 1 in two bytes",
        ),
        (-260, small, vec![0x00], "Tight control byte 0x00"),
        (99, small, vec![], "not an encoding that this decoder knows"),
    ];
    for (encoding, size, bytes, expected) in cases {
        assert_eq!(refused(*encoding, *size, bytes), *expected, "{bytes:x?}");
    }
    let mut decoder = Decoder::new(small, PixelFormat::BGRX);
    for rect in [
        Rect::new(0, 0, 3, 1),
        Rect::new(1, 1, 0, 0),
        Rect::new(2, 0, 1, 1),
    ] {
        assert!(decoder.decode_rect(0, rect, &[0; 12]).is_err(), "{rect:?}");
    }
}

/// A stream that was not restarted goes on; one that was, begins.
#[test]
fn tight_resets_are_honoured() {
    let size = Size::new(2, 3);
    let chunk = zlib(&[0x11; 18]);
    let begun = [&[0x00, chunk.len() as u8][..], &chunk].concat();
    let restarted = [&[0x01, chunk.len() as u8][..], &chunk].concat();
    let mut decoder = Decoder::new(size, PixelFormat::BGRX);
    let done = Ok(Progress::Done(begun.len()));
    assert_eq!(decoder.decode_rect(7, size.rect(), &begun), done);
    assert_eq!(decoder.decode_rect(7, size.rect(), &restarted), done);
    assert!(decoder.decode_rect(7, size.rect(), &begun).is_err());
    assert_eq!(decoder.seen.tight_controls, [0x00, 0x01]);
}
