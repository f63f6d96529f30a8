//! Pictures of all kinds.

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use rfb::geom::Size;

use super::levels::recode;
use crate::video::jpeg::{Jpeg, sanitise};

#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// `None` is luma only.
    pub sampling: Option<SamplingFactor>,
    /// MCUs in a restart interval; 0 for none.
    pub restart: u16,
    /// With Huffman tables made for the picture.
    pub optimised: bool,
    pub quality: u8,
}

impl Kind {
    pub fn plain(sampling: SamplingFactor) -> Self {
        Self {
            sampling: Some(sampling),
            restart: 0,
            optimised: false,
            quality: 85,
        }
    }

    /// Every sampling, with and without restart intervals, with standard and with other tables.
    pub fn all() -> Vec<Kind> {
        let samplings = [
            None,
            Some(SamplingFactor::F_1_1),
            Some(SamplingFactor::F_2_1),
            Some(SamplingFactor::F_1_2),
            Some(SamplingFactor::F_2_2),
        ];
        let mut all = Vec::new();
        for sampling in samplings {
            for (restart, optimised) in [(0, false), (0, true), (3, false), (5, true)] {
                all.push(Kind {
                    sampling,
                    restart,
                    optimised,
                    quality: 85,
                });
            }
        }
        all
    }
}

pub const SIZES: [Size; 3] = [Size::new(64, 48), Size::new(101, 35), Size::new(17, 70)];

/// A screen: flat areas, lines, a gradient, a noisy corner. `at` moves a box, `seed` changes noise.
pub fn screen(size: Size, at: u16, seed: u32) -> Vec<[u8; 3]> {
    let mut noise = seed | 1;
    let mut pixels = Vec::new();
    for y in 0..size.height {
        for x in 0..size.width {
            noise = noise.wrapping_mul(0x0019_660d).wrapping_add(0x3c6e_f35f);
            let bytes = noise.to_be_bytes();
            let (right, low) = (x > size.width / 2, y > size.height / 2);
            pixels.push(if (at..at + 9).contains(&x) && (5..23).contains(&y) {
                [250, 40, 30]
            } else if right && low {
                [bytes[0], bytes[1], bytes[2]]
            } else if low {
                [(x * 4) as u8, (y * 3) as u8, 90]
            } else if right && x % 7 == 0 {
                [0, 0, 0]
            } else {
                [30, 60, 200]
            });
        }
    }
    pixels
}

pub fn encode(kind: Kind, size: Size, pixels: &[[u8; 3]]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = Encoder::new(&mut out, kind.quality);
    encoder.set_restart_interval(kind.restart);
    let colours = match kind.sampling {
        Some(sampling) => {
            encoder.set_sampling_factor(sampling);
            ColorType::Rgb
        }
        None => ColorType::Luma,
    };
    let samples: Vec<u8> = match kind.sampling {
        Some(_) => pixels.as_flattened().to_vec(),
        None => pixels.iter().map(|rgb| rgb[1]).collect(),
    };
    encoder
        .encode(&samples, size.width, size.height, colours)
        .unwrap();
    if kind.optimised {
        recode(&out, kind.restart.into())
    } else {
        out
    }
}

pub fn jpeg(kind: Kind, size: Size, pixels: &[[u8; 3]]) -> Jpeg {
    sanitise(&encode(kind, size, pixels)).unwrap()
}
