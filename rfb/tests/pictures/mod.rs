//! Pictures and pixel formats to test encodings with, and a conversion to compare with.
#![allow(dead_code, reason = "each test program uses a part")]

use rfb::geom::{Rect, Size};
use rfb::pixel::{Colour, PixelFormat};

#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) size: Size,
    pub(crate) pixels: Vec<u32>,
}

impl Sample {
    pub(crate) fn new(
        name: impl Into<String>,
        width: u16,
        height: u16,
        colour: impl Fn(u32, u32) -> u32,
    ) -> Self {
        let (w, h) = (u32::from(width), u32::from(height));
        Self {
            name: name.into(),
            size: Size::new(width, height),
            pixels: (0..h)
                .flat_map(|y| (0..w).map(move |x| (x, y)))
                .map(|(x, y)| colour(x, y) & 0xff_ffff)
                .collect(),
        }
    }

    /// The pixels of a part.
    pub(crate) fn cut(&self, rect: Rect) -> Vec<u32> {
        let width = usize::from(self.size.width);
        (rect.y..rect.y + rect.height)
            .flat_map(|y| {
                let start = usize::from(y) * width + usize::from(rect.x);
                &self.pixels[start..start + usize::from(rect.width)]
            })
            .copied()
            .collect()
    }
}

/// A number that looks random, the same in every run.
pub(crate) fn noise(x: u32, y: u32) -> u32 {
    let mut v = x.wrapping_mul(0x9e37_79b9) ^ y.wrapping_mul(0x85eb_ca6b) ^ 0x1234_5678;
    v ^= v >> 16;
    v = v.wrapping_mul(0x7feb_352d);
    v ^= v >> 15;
    v = v.wrapping_mul(0x846c_a68b);
    v ^ v >> 16
}

/// `n` colours that stay apart even in coarse formats as far as these can tell them apart.
pub(crate) fn colour(i: u32) -> u32 {
    i.wrapping_mul(0x0051_7cc1).rotate_left(5) ^ i
}

pub(crate) fn samples() -> Vec<Sample> {
    let mut all = Vec::new();
    for (w, h) in [
        (1, 1),
        (1, 13),
        (13, 1),
        (3, 1),
        (4, 1),
        (11, 1),
        (12, 1),
        (15, 15),
        (16, 16),
        (17, 17),
        (63, 65),
        (64, 64),
        (65, 63),
        (130, 70),
    ] {
        let label = |kind: &str| format!("{kind} {w}x{h}");
        all.push(Sample::new(label("solid"), w, h, |_, _| 0x12_89_fe));
        all.push(Sample::new(label("two colours"), w, h, |x, y| {
            if noise(x, y) & 3 == 0 {
                0xff_ff_ff
            } else {
                0x10_20_80
            }
        }));
        all.push(Sample::new(label("noise"), w, h, noise));
        all.push(Sample::new(label("gradient"), w, h, |x, y| {
            (x * 3) << 16 | (y * 2) << 8 | (x + y)
        }));
        all.push(Sample::new(label("bars"), w, h, |x, y| {
            colour(x / 7 + y / 5)
        }));
    }
    for n in [
        3, 4, 5, 15, 16, 17, 95, 96, 97, 126, 127, 128, 129, 255, 256, 257, 300,
    ] {
        all.push(Sample::new(
            format!("{n} colours at random"),
            80,
            70,
            |x, y| colour(noise(x, y) % n),
        ));
        all.push(Sample::new(
            format!("{n} colours in runs"),
            70,
            80,
            |x, y| colour((y * 70 + x) / 9 % n),
        ));
    }
    all.push(Sample::new("text", 200, 90, |x, y| {
        match (y % 15, noise(x / 2, y / 15 * 100 + y % 15 / 2) % 3) {
            (2..=11, 0) if x % 9 < 7 => 0xd0_d0_d0,
            _ if y / 15 == 3 => 0x00_00_a0,
            _ => 0,
        }
    }));
    // A run of exactly 255, 256, 257 pixels and a tile's worth.
    for run in [255, 256, 257, 510, 511, 4095] {
        all.push(Sample::new(format!("run of {run}"), 64, 64, |x, y| {
            if y * 64 + x < run {
                0x30_30_30
            } else {
                noise(x, y)
            }
        }));
    }
    all.push(Sample::new("wide", 2049, 3, |x, y| {
        colour((x / 100 + y) % 40)
    }));
    all.push(Sample::new("wide noise", 2100, 17, noise));
    all.push(Sample::new("high", 5, 700, |x, y| colour(x * 1000 + y / 3)));
    all.push(Sample::new("mixed", 530, 270, |x, y| {
        match (x / 130, y / 130) {
            (0, 0) => 0xff_00_00,
            (1, 0) => noise(x, y),
            (2, 1) => x << 16 | y << 8,
            _ => colour((x / 20 + y / 10) % 5),
        }
    }));
    all
}

/// The formats of check 39, and the colour map of check 40.
pub(crate) fn formats() -> Vec<(&'static str, PixelFormat)> {
    let rgb = PixelFormat::rgb;
    let rgb565 = rgb(16, 16, (31, 11), (63, 5), (31, 0));
    let rgbx = rgb(32, 24, (255, 0), (255, 8), (255, 16));
    let high = rgb(32, 24, (255, 24), (255, 16), (255, 8));
    vec![
        ("BGRX", PixelFormat::BGRX),
        ("RGBX", rgbx),
        ("XBGR in the high bytes", high),
        ("BGRX big-endian", PixelFormat::BGRX.big_endian()),
        ("RGBX big-endian", rgbx.big_endian()),
        ("high bytes big-endian", high.big_endian()),
        ("depth 32", rgb(32, 32, (255, 16), (255, 8), (255, 0))),
        (
            "32 bits, depth 8, big-endian",
            rgb(32, 8, (7, 5), (7, 2), (3, 0)).big_endian(),
        ),
        (
            "10 bits a channel",
            rgb(32, 30, (1023, 20), (1023, 10), (1023, 0)),
        ),
        (
            "bits in the middle bytes",
            rgb(32, 16, (31, 19), (63, 13), (31, 8)),
        ),
        (
            "bits in the middle, big-endian",
            rgb(32, 16, (31, 19), (63, 13), (31, 8)).big_endian(),
        ),
        ("565", rgb565),
        ("565 big-endian", rgb565.big_endian()),
        (
            "16 bits, depth 15, 11/6/1",
            rgb(16, 15, (31, 11), (31, 6), (31, 1)),
        ),
        (
            "16 bits, depth 16, 10/5/0",
            rgb(16, 16, (31, 10), (31, 5), (31, 0)),
        ),
        ("UltraVNC", rgb(16, 16, (63, 0), (31, 6), (31, 11))),
        ("BGR233", rgb(8, 8, (7, 0), (7, 3), (3, 6))),
        ("RGB332", PixelFormat::RGB332),
        ("RGB222", rgb(8, 6, (3, 4), (3, 2), (3, 0))),
        ("RGB111", rgb(8, 3, (1, 2), (1, 1), (1, 0))),
        ("depth 3, 7/6/5", rgb(8, 3, (1, 7), (1, 6), (1, 5))),
        ("odd maximum", rgb(16, 16, (20, 11), (40, 5), (20, 0))),
        (
            "colour map",
            PixelFormat {
                colour: Colour::Map,
                ..PixelFormat::RGB332
            },
        ),
    ]
}

/// The colour 0x00RRGGBB that a client sees for each pixel, and its pixel value.
pub(crate) fn seen_through(format: &PixelFormat, pixel: u32) -> (u32, u32) {
    let (channels, map) = match format.colour {
        Colour::True { red, green, blue } => ([red, green, blue], false),
        Colour::Map => match PixelFormat::RGB332.colour {
            Colour::True { red, green, blue } => ([red, green, blue], true),
            Colour::Map => unreachable!("RGB332 is true colour"),
        },
    };
    let (mut rgb, mut value) = (0, 0);
    for (i, channel) in channels.iter().enumerate() {
        let (sample, max) = (pixel >> (16 - 8 * i) & 255, u32::from(channel.max));
        let scaled = (sample * max * 2 + 255) / 510;
        value |= scaled << channel.shift;
        let back = if map {
            // The map holds 16-bit samples, of which clients show the upper 8 bits.
            ((scaled * 65535 * 2 + max) / (max * 2)) >> 8
        } else {
            (scaled * 255 * 2 + max) / (max * 2)
        };
        rgb |= back << (16 - 8 * i);
    }
    (rgb, value)
}
