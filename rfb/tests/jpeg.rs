//! JPEG in Tight, in TightPNG and by itself.

mod pictures;

use pictures::{Sample, colour, noise};
use rfb::encoding::{
    Encoding, JpegEncoder, JpegQuality, Parameters, Picture, PureRust, Subsampling, encode,
    jpeg_fits, split, tight_jpeg_payload,
};
use rfb::geom::Size;
use rfb::pixel::PixelFormat;
use rfb::testing::{Decoder, JpegHeader, Progress};

fn encoders() -> Vec<(&'static str, Box<dyn JpegEncoder>)> {
    vec![
        ("jpeg-encoder", Box::new(PureRust)),
        #[cfg(feature = "turbojpeg")]
        ("turbojpeg", Box::new(rfb::encoding::Turbo)),
    ]
}

/// Soft shapes with some edges and a line of grain, as a photograph on a desktop has.
fn photo(width: u16, height: u16) -> Sample {
    Sample::new("photo", width, height, |x, y| {
        let wave = |period: f64, at: u32| ((f64::from(at) / period).sin() * 60.0) as i32 + 128;
        let grain = (noise(x, y) % 5) as i32;
        let red = wave(31.0, x) + grain;
        let green = wave(47.0, x + y) + grain;
        let blue = if x > 2 * y { 40 } else { wave(59.0, y) };
        (red << 16 | green << 8 | blue) as u32
    })
}

fn picture(sample: &Sample) -> Picture<'_> {
    Picture {
        size: sample.size,
        pixels: &sample.pixels,
    }
}

/// Peak signal-to-noise ratio over all channels, in dB.
fn psnr(a: &[u32], b: &[u32]) -> f64 {
    assert_eq!(a.len(), b.len());
    let error: u64 = a
        .iter()
        .zip(b)
        .flat_map(|(a, b)| a.to_be_bytes().into_iter().zip(b.to_be_bytes()))
        .map(|(a, b)| u64::from(a.abs_diff(b)).pow(2))
        .sum();
    let mean = error as f64 / (a.len() * 3) as f64;
    10.0 * (255.0 * 255.0 / mean.max(1e-9)).log10()
}

/// Decodes a plain JPEG rectangle.
fn decoded(jpeg: &[u8], size: Size) -> (Vec<u32>, JpegHeader) {
    let mut decoder = Decoder::new(size, PixelFormat::BGRX);
    let progress = decoder.decode_rect(21, size.rect(), jpeg);
    assert_eq!(progress, Ok(Progress::Done(jpeg.len())));
    (decoder.rgb().to_vec(), decoder.seen.jpegs[0].clone())
}

/// Check 33: baseline, complete, as large as the rectangle, and close to the picture.
#[test]
fn check_33_every_encoder_makes_what_clients_can_read() {
    for (name, encoder) in encoders() {
        for (w, h) in [(1, 1), (7, 3), (16, 16), (65, 33), (256, 256), (2048, 20)] {
            let sample = photo(w, h);
            for level in 0..=9 {
                let quality = JpegQuality::from_level(level);
                let mut jpeg = vec![0xaa];
                encoder
                    .encode(&picture(&sample), quality, &mut jpeg)
                    .unwrap_or_else(|error| panic!("{name}: {error}"));
                let (pixels, header) = decoded(&jpeg[1..], sample.size);
                assert_eq!(header.components, 3);
                let sampling = match quality.subsampling {
                    Subsampling::S420 => (2, 2),
                    Subsampling::S422 => (2, 1),
                    Subsampling::S444 | Subsampling::Grey => (1, 1),
                };
                assert_eq!(header.sampling, sampling, "{name} level {level}");
                // A handful of pixels says little about quality.
                if sample.size.area() < 2000 {
                    continue;
                }
                let least = [24.0, 27.0, 28.0, 28.0, 30.0, 32.0, 34.0, 35.0, 37.0, 40.0];
                let psnr = psnr(&pixels, &sample.pixels);
                assert!(
                    psnr >= least[usize::from(level)],
                    "{name} {w}x{h} level {level}: {psnr:.1} dB"
                );
            }
        }
    }
}

#[test]
fn grey_has_one_component() {
    for (name, encoder) in encoders() {
        let sample = Sample::new("grey", 40, 30, |x, y| (x * 4 + y) * 0x01_01_01);
        let quality = JpegQuality {
            quality: 90,
            subsampling: Subsampling::Grey,
        };
        let mut jpeg = Vec::new();
        encoder
            .encode(&picture(&sample), quality, &mut jpeg)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let (pixels, header) = decoded(&jpeg, sample.size);
        assert_eq!(header.components, 1);
        assert!(psnr(&pixels, &sample.pixels) > 40.0, "{name}");
    }
}

/// Better levels cost more and look better; the fine scale covers the coarse one.
#[test]
fn quality_grows_with_the_level() {
    let sample = photo(256, 256);
    let mut last = (0, 0.0);
    for level in 0..=9 {
        let mut jpeg = Vec::new();
        PureRust
            .encode(&picture(&sample), JpegQuality::from_level(level), &mut jpeg)
            .expect("a picture");
        let (pixels, _) = decoded(&jpeg, sample.size);
        let now = (jpeg.len(), psnr(&pixels, &sample.pixels));
        assert!(
            now.0 > last.0 && now.1 > last.1,
            "level {level}: {now:?} after {last:?}"
        );
        last = now;
        let coarse = JpegQuality::from_level(level);
        assert_eq!(JpegQuality::from_fine(coarse.quality), coarse);
    }
    assert_eq!(JpegQuality::from_fine(0).quality, 1);
    assert_eq!(JpegQuality::from_fine(255).quality, 100);
}

/// All of Tight's ways in one picture: a photograph goes as JPEG, text and flat areas do not.
#[test]
fn content_decides_between_jpeg_and_lossless() {
    let photo = photo(1024, 128);
    let sample = Sample::new("desktop", 1024, 128, |x, y| match x / 256 {
        0 => 0x20_40_60,
        1 => colour(u32::from(noise(x, y).is_multiple_of(5))),
        2 => colour(noise(x, y) % 30),
        _ => photo.pixels[(y * 1024 + x) as usize],
    });
    for (format, least) in [
        (PixelFormat::BGRX, 33.0),
        (PixelFormat::rgb(16, 16, (31, 11), (63, 5), (31, 0)), 28.0),
    ] {
        for (encoding, controls) in [
            (Encoding::Tight, [0x80, 0x52, 0x64, 0x90]),
            (Encoding::TightPng, [0x80, 0xa0, 0xa0, 0x90]),
        ] {
            let mut decoder = Decoder::new(sample.size, format);
            let parameters = Parameters {
                format,
                jpeg: Some(JpegQuality::from_level(6)),
                level: 1,
            };
            for rect in split(encoding, sample.size.rect()) {
                let pixels = sample.cut(rect);
                let picture = Picture {
                    size: rect.size(),
                    pixels: &pixels,
                };
                let mut payload = Vec::new();
                encode(encoding, &picture, &parameters, false, &mut payload);
                assert_eq!(
                    decoder.decode_rect(encoding.number().0, rect, &payload),
                    Ok(Progress::Done(payload.len()))
                );
            }
            assert_eq!(decoder.seen.tight_controls, controls, "{encoding}");
            let psnr = psnr(decoder.rgb(), &sample.pixels);
            assert!(psnr > least, "{encoding}: {psnr:.1} dB");
        }
    }
}

/// libvncclient decodes a JPEG for 16 bits a pixel into a fixed buffer: 65536 pixels are safe.
#[test]
fn jpegs_for_16_bit_clients_are_small() {
    let format = PixelFormat::rgb(16, 16, (31, 11), (63, 5), (31, 0));
    let sample = photo(2000, 600);
    let mut decoder = Decoder::new(sample.size, format);
    let parameters = Parameters {
        format,
        jpeg: Some(JpegQuality::from_level(3)),
        level: 1,
    };
    for rect in split(Encoding::Tight, sample.size.rect()) {
        let pixels = sample.cut(rect);
        let picture = Picture {
            size: rect.size(),
            pixels: &pixels,
        };
        let mut payload = Vec::new();
        encode(Encoding::Tight, &picture, &parameters, false, &mut payload);
        let progress = decoder.decode_rect(7, rect, &payload);
        assert_eq!(progress, Ok(Progress::Done(payload.len())));
    }
    assert!(!decoder.seen.jpegs.is_empty());
    for jpeg in &decoder.seen.jpegs {
        assert!(jpeg.size.area() <= 65536, "{}", jpeg.size);
    }

    // A caller who does not split as much as we do gets no JPEG beyond that either.
    let large = photo(2000, 256);
    let mut payload = Vec::new();
    encode(
        Encoding::Tight,
        &picture(&large),
        &parameters,
        false,
        &mut payload,
    );
    assert_eq!(payload[0], 0x01);
}

/// Encoding 21, whole and in every fragment.
#[test]
fn a_plain_jpeg_is_found_by_its_own_end() {
    let sample = photo(65, 33);
    let parameters = Parameters {
        format: PixelFormat::BGRX,
        jpeg: Some(JpegQuality::from_level(4)),
        level: 1,
    };
    let mut payload = Vec::new();
    encode(
        Encoding::Jpeg,
        &picture(&sample),
        &parameters,
        false,
        &mut payload,
    );
    let mut decoder = Decoder::new(sample.size, PixelFormat::BGRX);
    let rect = sample.size.rect();
    for end in 0..payload.len() {
        assert_eq!(
            decoder.decode_rect(21, rect, &payload[..end]),
            Ok(Progress::NeedMore)
        );
    }
    assert_eq!(
        decoder.decode_rect(21, rect, &payload),
        Ok(Progress::Done(payload.len()))
    );
}

/// Check 33: a JPEG from elsewhere goes through untouched, its length in the compact form at the
/// boundary between two bytes and three.
#[test]
fn check_33_compact_length_of_a_foreign_jpeg() {
    let sample = photo(64, 64);
    let mut jpeg = Vec::new();
    PureRust
        .encode(&picture(&sample), JpegQuality::from_level(5), &mut jpeg)
        .expect("a picture");
    for (target, head) in [
        (16_383, &[0x90, 0xff, 0x7f][..]),
        (16_384, &[0x90, 0x80, 0x80, 0x01]),
    ] {
        // A comment behind SOI brings it to the length.
        let comment = target - jpeg.len() - 2;
        let mut long = jpeg[..2].to_vec();
        long.extend_from_slice(&[0xff, 0xfe]);
        long.extend_from_slice(
            &u16::try_from(comment)
                .expect("a segment's length")
                .to_be_bytes(),
        );
        long.resize(2 + 2 + comment, b' ');
        long.extend_from_slice(&jpeg[2..]);
        assert_eq!(long.len(), target);

        let mut payload = Vec::new();
        tight_jpeg_payload(&long, &mut payload);
        assert_eq!(&payload[..head.len()], head);
        assert_eq!(&payload[head.len()..], long);
        let mut decoder = Decoder::new(sample.size, PixelFormat::BGRX);
        assert_eq!(
            decoder.decode_rect(7, sample.size.rect(), &payload),
            Ok(Progress::Done(payload.len()))
        );
        assert_eq!(decoder.seen.jpegs[0].length, target);
    }
    assert!(jpeg_fits(4_194_303) && !jpeg_fits(4_194_304));
}

/// Check 33: zlib data of 127 and of 128 bytes, at the boundary between one length byte and two.
#[test]
fn check_33_compact_length_of_zlib_data() {
    let mut lengths = Vec::new();
    for width in 100..=130 {
        let sample = Sample::new("noise", width, 1, noise);
        let parameters = Parameters {
            format: PixelFormat::RGB332,
            jpeg: None,
            level: 0,
        };
        let mut payload = Vec::new();
        encode(
            Encoding::Tight,
            &picture(&sample),
            &parameters,
            false,
            &mut payload,
        );
        let mut decoder = Decoder::new(sample.size, PixelFormat::RGB332);
        assert_eq!(
            decoder.decode_rect(7, sample.size.rect(), &payload),
            Ok(Progress::Done(payload.len()))
        );
        let length_bytes = if payload[1] < 0x80 { 1 } else { 2 };
        lengths.push(payload.len() - 1 - length_bytes);
    }
    assert!(
        lengths.contains(&127) && lengths.contains(&128),
        "{lengths:?}"
    );
}

/// The strict decoder sees what is wrong with a JPEG; otherwise the tests above would prove little.
#[test]
fn broken_jpegs_are_refused() {
    let sample = photo(40, 40);
    let mut jpeg = Vec::new();
    PureRust
        .encode(&picture(&sample), JpegQuality::from_level(5), &mut jpeg)
        .expect("a picture");
    let refused = |jpeg: &[u8], size: Size| {
        let mut payload = Vec::new();
        tight_jpeg_payload(jpeg, &mut payload);
        Decoder::new(size, PixelFormat::BGRX)
            .decode_rect(7, size.rect(), &payload)
            .expect_err("a broken JPEG")
            .what
    };
    assert_eq!(refused(&jpeg, Size::new(40, 41)), "a JPEG of 40x40");
    assert_eq!(
        refused(&jpeg[..jpeg.len() - 2], sample.size),
        "a JPEG without its end"
    );
    let mut more = jpeg.clone();
    more.push(0);
    assert_eq!(refused(&more, sample.size), "1 bytes after EOI");
    let start_of_frame = jpeg
        .windows(2)
        .position(|w| w == [0xff, 0xc0])
        .expect("a baseline frame header");
    let mut progressive = jpeg.clone();
    progressive[start_of_frame + 1] = 0xc2;
    assert_eq!(refused(&progressive, sample.size), "JPEG marker 0xc2");
    let tables = jpeg
        .windows(2)
        .position(|w| w == [0xff, 0xc4])
        .expect("a Huffman table");
    let scan = jpeg
        .windows(2)
        .position(|w| w == [0xff, 0xda])
        .expect("a scan");
    let without = [&jpeg[..tables], &jpeg[scan..]].concat();
    assert_eq!(refused(&without, sample.size), "a JPEG without its tables");
}
