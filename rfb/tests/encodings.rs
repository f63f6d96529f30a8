//! decode(encode(x)) == x for every lossless encoding, with decoders written apart.

mod pictures;

use pictures::{Sample, colour, formats, noise, samples, seen_through};
use rfb::encoding::{Encoding, JpegQuality, Parameters, Picture, encode, split};
use rfb::geom::{Rect, Size};
use rfb::pixel::{Colour, PixelFormat, convert::colour_map};
use rfb::testing::{Decoder, Progress};

const LOSSLESS: [Encoding; 8] = [
    Encoding::Raw,
    Encoding::Rre,
    Encoding::Hextile,
    Encoding::Zlib,
    Encoding::Zrle,
    Encoding::Trle,
    Encoding::Tight,
    Encoding::TightPng,
];

fn parameters(format: PixelFormat, level: u8) -> Parameters {
    Parameters {
        format,
        jpeg: None,
        level,
    }
}

/// A PNG has no place in a colour map; all else goes with everything here, ambiguous CPIXELs
/// included, because the decoder keeps to the spec.
fn suits(encoding: Encoding, format: PixelFormat) -> bool {
    encoding != Encoding::TightPng || format.colour != Colour::Map
}

/// A server's side of the streams, and the client.
struct Connection {
    decoder: Decoder,
    zlib_begun: bool,
    zrle_begun: bool,
}

impl Connection {
    fn new(size: Size, format: PixelFormat) -> Self {
        let mut decoder = Decoder::new(size, format);
        decoder.set_colour_map(0, &colour_map());
        decoder.allow_jpeg(false);
        Self {
            decoder,
            zlib_begun: false,
            zrle_begun: false,
        }
    }

    fn first_of_stream(&mut self, encoding: Encoding) -> bool {
        match encoding {
            Encoding::Zlib => !std::mem::replace(&mut self.zlib_begun, true),
            Encoding::Zrle => !std::mem::replace(&mut self.zrle_begun, true),
            _ => false,
        }
    }

    /// Sends a sample as one update with its top left at the origin; returns the payload bytes.
    fn update(&mut self, encoding: Encoding, sample: &Sample, parameters: &Parameters) -> usize {
        let mut bytes = 0;
        for piece in split(encoding, sample.size.rect()) {
            let payload = self.payload(encoding, sample, piece, parameters);
            let progress = self
                .decoder
                .decode_rect(encoding.number().0, piece, &payload)
                .unwrap_or_else(|error| panic!("{encoding} of {}: {error}", sample.name));
            assert_eq!(
                progress,
                Progress::Done(payload.len()),
                "{encoding} of {}",
                sample.name
            );
            bytes += payload.len();
        }
        bytes
    }

    fn payload(
        &mut self,
        encoding: Encoding,
        sample: &Sample,
        piece: Rect,
        parameters: &Parameters,
    ) -> Vec<u8> {
        let pixels = sample.cut(piece);
        let picture = Picture {
            size: piece.size(),
            pixels: &pixels,
        };
        let first = self.first_of_stream(encoding);
        let mut payload = Vec::new();
        encode(encoding, &picture, parameters, first, &mut payload);
        payload
    }

    fn assert_shows(&self, sample: &Sample, format: &PixelFormat, what: &str) {
        let width = usize::from(self.decoder.size().width);
        for (i, &pixel) in sample.pixels.iter().enumerate() {
            let (x, y) = (
                i % usize::from(sample.size.width),
                i / usize::from(sample.size.width),
            );
            let (rgb, value) = seen_through(format, pixel);
            let at = y * width + x;
            assert_eq!(
                (self.decoder.rgb()[at], self.decoder.values()[at]),
                (rgb, value),
                "{what} of {} at {x},{y}: captured {pixel:06x}",
                sample.name
            );
        }
    }
}

/// Checks 35, 36, 37, 38, 39: one connection goes through all formats, encodings, pictures and
/// compression levels, and each picture arrives as the reference conversion says.
#[test]
fn every_picture_arrives_in_every_format_and_encoding() {
    let samples = samples();
    let mut connection = Connection::new(Size::new(2100, 700), PixelFormat::BGRX);
    for (round, (name, format)) in formats().into_iter().enumerate() {
        connection.decoder.set_format(format);
        for encoding in LOSSLESS {
            if !suits(encoding, format) {
                continue;
            }
            for (i, sample) in samples.iter().enumerate() {
                // A level has no bearing on the format; go through them all on the way.
                let parameters = parameters(format, ((i + round) % 10) as u8);
                connection.update(encoding, sample, &parameters);
                connection.assert_shows(sample, &format, &format!("{encoding} in {name}"));
            }
        }
    }
}

/// Check 37: a connection that uses one of Zlib and ZRLE can inflate both with one stream.
#[test]
fn one_shared_inflater_serves_zlib_or_zrle() {
    for encoding in [Encoding::Zlib, Encoding::Zrle] {
        let mut connection = Connection::new(Size::new(2100, 700), PixelFormat::BGRX);
        connection.decoder.share_zlib_stream();
        for sample in &samples() {
            connection.update(encoding, sample, &parameters(PixelFormat::BGRX, 2));
            connection.assert_shows(sample, &PixelFormat::BGRX, "a shared stream");
        }
    }
}

/// A rectangle's end is found from its own bytes: not before all are there, and never later.
#[test]
fn a_rectangle_is_whole_at_its_last_byte_and_not_before() {
    let samples = [
        Sample::new("text", 40, 33, |x, y| {
            if noise(x, y) & 7 == 0 { 0xff_ff_ff } else { 0 }
        }),
        Sample::new("noise", 19, 18, noise),
        Sample::new("palette", 33, 20, |x, y| colour((x + y) % 20)),
        Sample::new("dot", 1, 1, noise),
    ];
    for format in [PixelFormat::BGRX, PixelFormat::RGB332] {
        for encoding in LOSSLESS {
            let mut connection = Connection::new(Size::new(64, 64), format);
            for sample in &samples {
                let rect = sample.size.rect();
                let payload = connection.payload(encoding, sample, rect, &parameters(format, 6));
                let number = encoding.number().0;
                for end in 0..payload.len() {
                    assert_eq!(
                        connection
                            .decoder
                            .decode_rect(number, rect, &payload[..end]),
                        Ok(Progress::NeedMore),
                        "{encoding} of {}, {end} of {} bytes",
                        sample.name,
                        payload.len()
                    );
                }
                let mut more = payload.clone();
                more.extend_from_slice(&[0x5a; 300]);
                assert_eq!(
                    connection.decoder.decode_rect(number, rect, &more),
                    Ok(Progress::Done(payload.len())),
                    "{encoding} of {}",
                    sample.name
                );
                connection.assert_shows(sample, &format, "fragments");
            }
        }
    }
}

/// The same picture makes the same bytes, whatever was encoded before and on whichever thread.
#[test]
fn encoding_remembers_nothing() {
    let samples = samples();
    let quality = Some(JpegQuality::from_level(6));
    let all = |order: &mut dyn Iterator<Item = &Sample>| -> Vec<(String, Vec<u8>)> {
        let mut out = Vec::new();
        for sample in order {
            for encoding in Encoding::ALL {
                let piece = split(encoding, sample.size.rect())[0];
                let pixels = sample.cut(piece);
                let picture = Picture {
                    size: piece.size(),
                    pixels: &pixels,
                };
                let parameters = Parameters {
                    format: PixelFormat::BGRX,
                    jpeg: quality,
                    level: 3,
                };
                let mut bytes = Vec::new();
                encode(encoding, &picture, &parameters, false, &mut bytes);
                out.push((format!("{encoding} of {}", sample.name), bytes));
            }
        }
        out.sort();
        out
    };
    let forwards = all(&mut samples.iter());
    let backwards = std::thread::scope(|scope| {
        let thread = scope.spawn(|| all(&mut samples.iter().rev()));
        thread.join().expect("the other thread ends well")
    });
    for (a, b) in forwards.iter().zip(&backwards) {
        assert!(a == b, "{}", a.0);
    }
}

/// The header of a stream is all that the first rectangle has more than the others.
#[test]
fn only_the_first_rectangle_of_a_stream_has_the_header() {
    let sample = Sample::new("gradient", 50, 50, |x, y| x << 16 | y);
    let picture = Picture {
        size: sample.size,
        pixels: &sample.pixels,
    };
    for encoding in Encoding::ALL {
        let (mut first, mut next) = (Vec::new(), Vec::new());
        let parameters = parameters(PixelFormat::BGRX, 1);
        encode(encoding, &picture, &parameters, true, &mut first);
        encode(encoding, &picture, &parameters, false, &mut next);
        if matches!(encoding, Encoding::Zlib | Encoding::Zrle) {
            assert_eq!(first[4..6], [0x78, 0x01]);
            assert_eq!(first[6..], next[4..]);
            assert_eq!(
                u32::from_be_bytes([first[0], first[1], first[2], first[3]]) as usize,
                first.len() - 4
            );
        } else {
            assert_eq!(first, next, "{encoding}");
        }
    }
}

/// Check 32: without a quality level, and at 8 bits a pixel, nothing is sent as JPEG; the strict
/// decoder of the other tests refuses it as well.
#[test]
fn check_32_no_jpeg_without_a_quality_level() {
    let sample = Sample::new("photo", 256, 256, |x, y| noise(x / 3, y / 3));
    let cases = [
        (PixelFormat::BGRX, None, false),
        (PixelFormat::BGRX, Some(JpegQuality::from_level(5)), true),
        (PixelFormat::RGB332, Some(JpegQuality::from_level(5)), false),
    ];
    for encoding in [Encoding::Tight, Encoding::TightPng] {
        for (format, jpeg, expected) in cases {
            let mut connection = Connection::new(sample.size, format);
            connection.decoder.allow_jpeg(expected);
            let parameters = Parameters {
                format,
                jpeg,
                level: 1,
            };
            connection.update(encoding, &sample, &parameters);
            let controls = &connection.decoder.seen.tight_controls;
            assert_eq!(
                controls.contains(&0x90),
                expected,
                "{encoding} {controls:x?}"
            );
            assert_eq!(Encoding::Jpeg.suits(&parameters), expected);
        }
    }
}

/// Check 34: control byte and one TPIXEL.
#[test]
fn check_34_fill_has_the_size_of_a_pixel() {
    let sample = Sample::new("solid", 256, 256, |_, _| 0x11_22_33);
    for (format, expected) in [
        (PixelFormat::BGRX, &[0x80, 0x11, 0x22, 0x33][..]),
        (PixelFormat::BGRX.big_endian(), &[0x80, 0x11, 0x22, 0x33]),
        (
            PixelFormat::rgb(32, 32, (255, 16), (255, 8), (255, 0)),
            &[0x80, 0x33, 0x22, 0x11, 0],
        ),
        (
            PixelFormat::rgb(16, 16, (31, 11), (63, 5), (31, 0)),
            &[0x80, 0x06, 0x11],
        ),
        (PixelFormat::RGB332, &[0x80, 0x05]),
    ] {
        let mut connection = Connection::new(sample.size, format);
        let rect = sample.size.rect();
        let payload = connection.payload(Encoding::Tight, &sample, rect, &parameters(format, 1));
        assert_eq!(payload, expected);
    }
}

/// Check 35: each way of Tight's basic compression names its own stream and restarts it, except where
/// less than 12 bytes go without zlib.
#[test]
fn check_35_tight_streams_start_anew_in_each_rectangle() {
    let mut connection = Connection::new(Size::new(256, 256), PixelFormat::BGRX);
    let cases = [
        (
            Sample::new("two colours", 64, 64, |x, y| noise(x, y) & 1),
            0x52,
        ),
        (
            Sample::new("seven colours", 64, 64, |x, y| noise(x, y) % 7),
            0x64,
        ),
        (Sample::new("noise", 64, 64, noise), 0x01),
        (Sample::new("few bits", 8, 11, |x, y| noise(x, y) & 1), 0x50),
        (
            Sample::new("many bits", 8, 12, |x, y| noise(x, y) & 1),
            0x52,
        ),
        (Sample::new("three pixels", 3, 1, |x, _| x), 0x00),
        (Sample::new("four pixels", 4, 1, |x, _| x), 0x01),
    ];
    for _ in 0..50 {
        for (sample, control) in &cases {
            connection.update(Encoding::Tight, sample, &parameters(PixelFormat::BGRX, 1));
            assert_eq!(
                connection.decoder.seen.tight_controls.pop(),
                Some(*control),
                "{}",
                sample.name
            );
        }
    }
}

/// TightPNG has no basic compression.
#[test]
fn tight_png_knows_only_fill_and_png_without_a_quality_level() {
    let mut connection = Connection::new(Size::new(2100, 700), PixelFormat::BGRX);
    for sample in &samples() {
        connection.update(
            Encoding::TightPng,
            sample,
            &parameters(PixelFormat::BGRX, 1),
        );
    }
    let controls = &connection.decoder.seen.tight_controls;
    assert!(controls.iter().all(|c| matches!(c, 0x80 | 0xa0)));
}

/// ZRLE and TRLE use all their codings, and none that clients disagree about.
#[test]
fn check_36_tiles_are_coded_in_every_way() {
    for encoding in [Encoding::Zrle, Encoding::Trle] {
        let mut connection = Connection::new(Size::new(2100, 700), PixelFormat::BGRX);
        let few = (2..=16).map(|n| {
            Sample::new(format!("{n} colours"), 64, 64, move |x, y| {
                colour(noise(x, y) % n)
            })
        });
        for sample in samples().into_iter().chain(few) {
            connection.update(encoding, &sample, &parameters(PixelFormat::BGRX, 1));
        }
        let codings = &connection.decoder.seen.tile_codings;
        let has = |coding| codings.contains(&coding);
        assert!(
            (0..=16).all(has),
            "{encoding}: raw, solid and packed palettes"
        );
        assert!(has(128), "{encoding}: plain runs");
        assert!(
            codings.iter().any(|c| *c >= 130),
            "{encoding}: palette with runs"
        );
        assert!(
            !codings.iter().any(|c| matches!(c, 17..=127 | 129)),
            "{encoding}"
        );
    }
}

/// What stands in one tile costs ZRLE little in the next, even if it begins elsewhere there.
#[test]
fn what_moved_to_another_tile_is_found_by_zrle() {
    let text = |x: u32, y: u32| colour(noise(x % 64, (y + x / 64 * 10) % 64) % 40);
    let bytes = |width| {
        let sample = Sample::new("text", width, 64, text);
        let mut connection = Connection::new(sample.size, PixelFormat::BGRX);
        let bytes = connection.update(Encoding::Zrle, &sample, &parameters(PixelFormat::BGRX, 2));
        connection.assert_shows(&sample, &PixelFormat::BGRX, "text");
        bytes
    };
    let (one, two) = (bytes(64), bytes(128));
    assert!(
        two < one + one / 4,
        "{one} bytes for one tile, {two} for two"
    );
}

/// Tiles that ZRLE deflates by pixels and tiles that it deflates by bytes, few or many between
/// them, and such at the beginning and the end, are one stream.
#[test]
fn photographs_and_text_are_one_zrle_stream() {
    let kinds = ["tppsptp", "pstsp", "spspt", "p", "pp", "tsp"];
    let mut connection = Connection::new(Size::new(64 * 7, 64), PixelFormat::BGRX);
    for kinds in kinds {
        let tile = |x: u32, y: u32| match kinds.as_bytes()[(x / 64) as usize] {
            b's' => 0x20_30_40,
            b't' => colour(noise(x, y) % 40),
            _ => noise(x, y / 2),
        };
        let sample = Sample::new(kinds, 64 * kinds.len() as u16, 64, tile);
        connection.update(Encoding::Zrle, &sample, &parameters(PixelFormat::BGRX, 2));
        connection.assert_shows(&sample, &PixelFormat::BGRX, "ZRLE");
    }
    let codings = &connection.decoder.seen.tile_codings;
    assert!([0, 1].iter().all(|coding| codings.contains(coding)));
    assert!(codings.iter().any(|coding| *coding >= 130));
}

mod random {
    use super::*;
    use proptest::prelude::*;

    fn any_sample() -> impl Strategy<Value = Sample> {
        (1u16..150, 1u16..90, 1usize..300, any::<u32>()).prop_flat_map(|(w, h, colours, seed)| {
            let area = usize::from(w) * usize::from(h);
            let palette = prop::collection::vec(0u32..0x100_0000, colours);
            let runs = prop::collection::vec((any::<u16>(), 1usize..400), 1..area.min(200) + 1);
            (palette, runs).prop_map(move |(palette, runs)| {
                let mut pixels: Vec<u32> = runs
                    .iter()
                    .flat_map(|&(i, n)| {
                        // Every other run is made of single pixels.
                        let step = usize::from(i & 1) * 7;
                        let palette = &palette;
                        (0..n).map(move |j| palette[(usize::from(i) + j * step) % palette.len()])
                    })
                    .take(area)
                    .collect();
                for i in pixels.len()..area {
                    pixels.push(palette[noise(i as u32, seed) as usize % palette.len()]);
                }
                Sample {
                    name: format!("random {w}x{h}"),
                    size: Size::new(w, h),
                    pixels,
                }
            })
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn pictures_arrive(
            sample in any_sample(),
            format in prop::sample::select(formats()),
            level in 0u8..=9,
        ) {
            let mut connection = Connection::new(sample.size, format.1);
            for encoding in LOSSLESS.into_iter().filter(|e| suits(*e, format.1)) {
                connection.decoder.resize(sample.size);
                connection.update(encoding, &sample, &parameters(format.1, level));
                connection.assert_shows(&sample, &format.1, &format!("{encoding} in {}", format.0));
            }
        }

        /// Bytes from anywhere are refused or taken, but never a panic.
        #[test]
        fn the_decoder_survives_anything(
            encoding in prop::sample::select(vec![0, 1, 2, 5, 6, 7, 15, 16, 21, -260, 99]),
            bytes in prop::collection::vec(any::<u8>(), 0..300),
            format in prop::sample::select(formats()),
        ) {
            let mut decoder = Decoder::new(Size::new(40, 40), format.1);
            let _ = decoder.decode_rect(encoding, Rect::new(3, 4, 20, 17), &bytes);
        }
    }
}
