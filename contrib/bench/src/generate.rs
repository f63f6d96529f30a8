//! Workloads that are made and not recorded: a still screen, the same with noise, and full motion.

use rfb::geom::Size;
use turbojpeg::{Compressor, Image, PixelFormat, Subsamp};

use crate::{
    Failure, barcode,
    workload::{Format, Workload},
};

/// What a capture chip without compression flickers by.
const NOISE: i16 = 1;
const NOISY_PICTURES: usize = 16;
const MOVING_PICTURES: usize = 60;
const FULL_HD: Size = Size::new(1920, 1080);

/// One picture of a recording, again and again, byte for byte.
pub fn still(recording: &Workload) -> Workload {
    Workload {
        name: "still".into(),
        pictures: vec![recording.pictures[0].clone()],
        ids: vec![recording.ids[0]],
        order: vec![0],
        ..*recording
    }
}

/// The same screen in YUYV, −1, 0 or 1 added to every byte of every frame: nothing changes, everything differs.
pub fn noise(recording: &Workload) -> Result<Workload, Failure> {
    let clean = yuyv(&recording.pictures[0])?;
    let mut random = Random(0x5eed_0fb1_71e5);
    let pictures = (0..NOISY_PICTURES)
        .map(|_| {
            let noisy = |&byte: &u8| {
                let offset = i16::try_from(random.next() % 3).unwrap_or(0) - NOISE;
                (i16::from(byte) + offset).clamp(0, 255) as u8
            };
            clean.iter().map(noisy).collect()
        })
        .collect();
    Ok(Workload {
        name: "noise-yuyv".into(),
        format: Format::Yuyv,
        size: recording.size,
        pictures,
        ids: vec![recording.ids[0]; NOISY_PICTURES],
        order: (0..NOISY_PICTURES).collect(),
    })
}

/// Every pixel of every frame is another one: coloured waves under grain, as a dongle compresses them.
pub fn motion() -> Result<Workload, Failure> {
    let mut random = Random(0x0b5e_55ed);
    let grain: Vec<u8> = (0..1 << 16).map(|_| (random.next() % 24) as u8).collect();
    let mut compressor = Compressor::new()?;
    compressor.set_quality(80)?;
    compressor.set_subsamp(Subsamp::Sub2x1)?;
    let ids: Vec<u32> = (1..).take(MOVING_PICTURES).collect();
    let pictures = ids
        .iter()
        .map(|&id| {
            let rgb = waves(id, &grain);
            let (width, height) = (usize::from(FULL_HD.width), usize::from(FULL_HD.height));
            let image = Image {
                pixels: &rgb[..],
                width,
                pitch: width * 3,
                height,
                format: PixelFormat::RGB,
            };
            Ok(compressor.compress_to_vec(image)?)
        })
        .collect::<Result<_, Failure>>()?;
    Ok(Workload {
        name: "motion".into(),
        format: Format::Mjpeg,
        size: FULL_HD,
        pictures,
        ids,
        order: (0..MOVING_PICTURES).collect(),
    })
}

fn waves(id: u32, grain: &[u8]) -> Vec<u8> {
    let time = f64::from(id) * 0.11;
    let wave = |position: u16, length: f64, speed: f64| {
        (f64::from(position) / length + time * speed).sin() * 55.0
    };
    let columns: Vec<[f64; 3]> = (0..FULL_HD.width)
        .map(|x| [wave(x, 91.0, 1.0), wave(x, 37.0, -1.7), wave(x, 19.0, 2.3)])
        .collect();
    let mut rgb = Vec::with_capacity(FULL_HD.area() * 3);
    for y in 0..FULL_HD.height {
        let rows = [wave(y, 53.0, 1.3), wave(y, 71.0, 0.9), wave(y, 23.0, -2.0)];
        let shift = usize::from(y) * 251 + id as usize * 40_503;
        for (x, column) in columns.iter().enumerate() {
            let grain = f64::from(grain[(x + shift) % grain.len()]);
            rgb.extend((0..3).map(|c| (110.0 + column[c] + rows[c] + grain) as u8));
        }
    }
    barcode::draw(id, usize::from(FULL_HD.width), &mut rgb);
    rgb
}

/// Decodes a JPEG to YUYV, BT.601 limited range.
fn yuyv(jpeg: &[u8]) -> Result<Vec<u8>, Failure> {
    let yuv = turbojpeg::decompress_to_yuv(jpeg)?;
    if yuv.subsamp != Subsamp::Sub2x1 || yuv.width % 2 != 0 {
        return Err("the still screen is not 4:2:2".into());
    }
    let (luma_width, luma_height) = (yuv.y_width(), yuv.y_height());
    let (chroma_width, chroma_height) = (yuv.uv_width(), yuv.uv_height());
    let (luma, chroma) = yuv.pixels.split_at(luma_width * luma_height);
    let (blue, red) = chroma.split_at(chroma_width * chroma_height);
    let limited = |value: u8, steps: u16| (16 + u16::from(value) * steps / 255) as u8;
    let mut out = Vec::with_capacity(yuv.width * yuv.height * 2);
    for y in 0..yuv.height {
        for pair in 0..yuv.width / 2 {
            let luma = |x: usize| limited(luma[y * luma_width + x], 219);
            let chroma = |plane: &[u8]| limited(plane[y * chroma_width + pair], 224);
            let [first, second] = [2 * pair, 2 * pair + 1].map(luma);
            out.extend([first, chroma(blue), second, chroma(red)]);
        }
    }
    Ok(out)
}

/// Xorshift: the same numbers in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 11
    }
}
