use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use proptest::prelude::*;

use super::*;
use header::{MAX_GARBAGE, walk};

const SIZE: Size = Size::new(80, 48);

/// A picture with edges and colours, rows of red, green, blue.
fn picture() -> Vec<u8> {
    let (width, height) = (u32::from(SIZE.width), u32::from(SIZE.height));
    (0..width * height)
        .flat_map(|i| {
            let (x, y) = (i % width, i / width);
            [
                (x * 3) as u8,
                (y * 5) as u8,
                if (x / 8 + y / 8) % 2 == 0 { 240 } else { 20 },
            ]
        })
        .collect()
}

fn encode(sampling: SamplingFactor, colours: ColorType, progressive: bool) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = Encoder::new(&mut out, 90);
    encoder.set_sampling_factor(sampling);
    encoder.set_progressive(progressive);
    let pixels = match colours {
        ColorType::Luma => picture().chunks(3).map(|rgb| rgb[1]).collect(),
        _ => picture(),
    };
    encoder
        .encode(&pixels, SIZE.width, SIZE.height, colours)
        .unwrap();
    out
}

fn jpeg() -> Vec<u8> {
    encode(SamplingFactor::F_2_1, ColorType::Rgb, false)
}

/// Removes the segments with this code before the scan.
fn without(code: u8, jpeg: &[u8]) -> Vec<u8> {
    let mut out = jpeg[..2].to_vec();
    let mut at = 2;
    while jpeg[at + 1] != 0xda {
        let end = at + 2 + usize::from(jpeg[at + 2]) * 256 + usize::from(jpeg[at + 3]);
        if jpeg[at + 1] != code {
            out.extend_from_slice(&jpeg[at..end]);
        }
        at = end;
    }
    out.extend_from_slice(&jpeg[at..]);
    out
}

/// Changes the byte `offset` behind the marker with this code.
fn patched(code: u8, offset: usize, value: u8) -> Vec<u8> {
    let mut out = jpeg();
    let at = out.windows(2).position(|two| two == [0xff, code]).unwrap();
    out[at + offset] = value;
    out
}

fn decoders() -> Vec<(&'static str, Box<dyn JpegDecoder>)> {
    vec![
        ("zune-jpeg", Box::new(Zune)),
        #[cfg(feature = "turbojpeg")]
        ("turbojpeg", Box::new(Turbo::default())),
    ]
}

fn decode(decoder: &mut dyn JpegDecoder, captured: &[u8]) -> Result<Vec<u8>, BadPicture> {
    let jpeg = sanitise(captured)?;
    let mut bgrx = vec![0; jpeg.size.area() * 4];
    decoder.decode(&jpeg, &mut bgrx)?;
    Ok(bgrx)
}

#[test]
fn a_good_picture_is_passed_as_it_is() {
    for (sampling, colours, expected) in [
        (SamplingFactor::F_1_1, ColorType::Rgb, Sampling::S444),
        (SamplingFactor::F_2_1, ColorType::Rgb, Sampling::S422),
        (SamplingFactor::F_2_2, ColorType::Rgb, Sampling::S420),
        (SamplingFactor::F_1_1, ColorType::Luma, Sampling::Grey),
    ] {
        let bytes = encode(sampling, colours, false);
        let jpeg = sanitise(&bytes).unwrap();
        assert_eq!(jpeg.bytes, bytes);
        assert_eq!((jpeg.size, jpeg.sampling), (SIZE, expected));
        assert!(jpeg.is_for_clients());
    }
    // The first component's sampling factors, 2x1, become 1x2.
    let odd = sanitise(&patched(0xc0, 11, 0x12)).unwrap();
    assert_eq!(odd.sampling, Sampling::Other);
    assert!(!odd.is_for_clients());
}

#[test]
fn decoded_pixels_are_near_the_encoded_ones() {
    for (name, mut decoder) in decoders() {
        let bytes = encode(SamplingFactor::F_1_1, ColorType::Rgb, false);
        let bgrx = decode(decoder.as_mut(), &bytes).unwrap();
        let error: u64 = picture()
            .chunks(3)
            .zip(bgrx.chunks(4))
            .map(|(rgb, bgrx)| {
                (0..3)
                    .map(|i| u64::from(rgb[i].abs_diff(bgrx[2 - i])))
                    .sum::<u64>()
            })
            .sum();
        let mean = error as f64 / (SIZE.area() * 3) as f64;
        assert!(mean < 4.0, "{name}: {mean}");

        let grey = encode(SamplingFactor::F_1_1, ColorType::Luma, false);
        let bgrx = decode(decoder.as_mut(), &grey).unwrap();
        assert!(bgrx.chunks(4).all(|p| p[0] == p[1] && p[1] == p[2]));
        assert!(bgrx.chunks(4).any(|p| p[0] > 200) && bgrx.chunks(4).any(|p| p[0] < 20));
    }
}

/// `walk` finds the end of a picture whose tables were taken out; with the standard ones in their
/// place the picture is the same. The recorded screens use the standard tables, as dongles do.
#[test]
fn missing_huffman_tables_are_put_in() {
    let screens = std::fs::read(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/fixtures/screens/firmware.mjpeg"
    ))
    .unwrap();
    let whole = &screens[..walk(&screens).unwrap().end];
    let bare = without(0xc4, whole);
    assert!(bare.len() < whole.len());
    let jpeg = sanitise(&bare).unwrap();
    assert_eq!(jpeg.bytes.len(), bare.len() + 420);
    for (name, mut decoder) in decoders() {
        let expected = decode(decoder.as_mut(), whole).unwrap();
        assert_eq!(decode(decoder.as_mut(), &bare).unwrap(), expected, "{name}");
    }
}

#[test]
fn what_surrounds_the_picture_is_dropped() {
    let bytes = jpeg();
    let padded = [b"\xff\xd8garbage\xff".as_slice(), &bytes, &[0; 500]].concat();
    assert_eq!(sanitise(&padded).unwrap().bytes, bytes);

    let far = [vec![0x55; MAX_GARBAGE], bytes].concat();
    assert_eq!(sanitise(&far), Err(BadPicture::NoStart));
    assert_eq!(sanitise(&[]), Err(BadPicture::NoStart));
}

#[test]
fn a_picture_without_its_end_is_dropped_wherever_it_is_cut() {
    let bytes = jpeg();
    for length in 3..bytes.len() {
        let error = sanitise(&bytes[..length]).unwrap_err();
        assert_eq!(error, BadPicture::Truncated, "{length} bytes");
    }
    let padded = [&bytes[..bytes.len() - 2], &[0; 64]].concat();
    assert_eq!(sanitise(&padded), Err(BadPicture::Truncated));
}

#[test]
fn a_picture_that_starts_inside_another_is_the_one_that_counts() {
    let bytes = jpeg();
    let scan = walk(&bytes).unwrap().scan + 40;
    let cut = bytes[scan..].iter().position(|&b| b != 0xff).unwrap() + scan + 1;
    let glued = [&bytes[..cut], &bytes].concat();
    assert_eq!(sanitise(&glued).unwrap().bytes, bytes);
}

#[test]
fn what_no_dongle_sends_is_refused_with_its_name() {
    let reason = |bytes: &[u8]| sanitise(bytes).unwrap_err().to_string();
    let progressive = encode(SamplingFactor::F_2_1, ColorType::Rgb, true);
    assert!(reason(&progressive).starts_with("progressive JPEG is not supported"));
    assert!(reason(&patched(0xc0, 1, 0xc3)).starts_with("lossless JPEG"));
    assert!(reason(&patched(0xc0, 1, 0xc9)).starts_with("arithmetic coding"));
    assert!(reason(&patched(0xc0, 4, 12)).starts_with("JPEG of 12 bits"));
    assert!(reason(&without(0xdb, &jpeg())).contains("no quantisation table"));
    assert!(reason(&without(0xc0, &jpeg())).contains("before its header"));
}

#[test]
fn sizes_are_bounded_before_anything_is_allocated() {
    // Height at offsets 5 and 6 of the frame header, width at 7 and 8.
    assert_eq!(
        sanitise(&patched(0xc0, 5, 0xff)),
        Err(BadPicture::Size {
            width: 80,
            height: 0xff30
        })
    );
    assert_eq!(
        sanitise(&patched(0xc0, 6, 0)),
        Err(BadPicture::Size {
            width: 80,
            height: 0
        })
    );
    assert_eq!(
        sanitise(&patched(0xc0, 8, 15)),
        Err(BadPicture::Size {
            width: 15,
            height: 48
        })
    );
}

#[test]
fn a_damaged_header_does_not_spoil_the_next_picture() {
    let good = jpeg();
    // 255 Huffman codes of one bit.
    let bad = patched(0xc4, 5, 0xff);
    for (name, mut decoder) in decoders() {
        let expected = decode(decoder.as_mut(), &good).unwrap();
        assert!(decode(decoder.as_mut(), &bad).is_err(), "{name}");
        assert_eq!(decode(decoder.as_mut(), &good).unwrap(), expected, "{name}");
    }
}

/// zune-jpeg does not notice this and fills the rest with grey.
#[cfg(feature = "turbojpeg")]
#[test]
fn a_scan_cut_short_but_ended_is_an_error_of_the_decoder() {
    let bytes = jpeg();
    let Header { scan, end, .. } = walk(&bytes).unwrap();
    let mut cut = bytes[..scan + (end - scan) / 2].to_vec();
    while cut.last() == Some(&0xff) {
        cut.pop();
    }
    cut.extend_from_slice(&[0xff, 0xd9]);
    assert!(decode(&mut Turbo::default(), &cut).is_err());
}

proptest! {
    #[test]
    fn any_bytes_are_walked_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = walk(&bytes);
        let _ = walk(&[&[0xff, 0xd8, 0xff], bytes.as_slice()].concat());
    }

    #[test]
    fn damaged_pictures_are_walked_and_decoded_without_a_panic(
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = jpeg();
        for (at, value) in damage {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Ok(jpeg) = sanitise(&bytes)
            && jpeg.size.area() <= SIZE.area() * 64
        {
            prop_assert_eq!(&jpeg.bytes[..2], &[0xff, 0xd8]);
            prop_assert_eq!(&jpeg.bytes[jpeg.bytes.len() - 2..], &[0xff, 0xd9]);
            let mut bgrx = vec![0; jpeg.size.area() * 4];
            for (_, mut decoder) in decoders() {
                let _ = decoder.decode(&jpeg, &mut bgrx);
            }
        }
    }
}
