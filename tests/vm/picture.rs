//! Pictures: what is fed, what comes out, and how alike the two are.

use std::{fs, path::Path};

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use rfb::{frame::Frame, geom::Size};
use zune_jpeg::{JpegDecoder, zune_core::bytestream::ZCursor};

/// 0x00RRGGBB, row by row.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    pub size: Size,
    pub pixels: Vec<u32>,
}

impl Picture {
    pub fn new(size: Size, pixels: Vec<u32>) -> Picture {
        assert_eq!(pixels.len(), size.area());
        Picture { size, pixels }
    }

    pub fn from_fn(size: Size, pixel: impl Fn(u32, u32) -> [u8; 3]) -> Picture {
        let rows = 0..u32::from(size.height);
        let pixels = rows.flat_map(|y| {
            let pixel = &pixel;
            (0..u32::from(size.width)).map(move |x| {
                let [r, g, b] = pixel(x, y);
                u32::from_be_bytes([0, r, g, b])
            })
        });
        Picture::new(size, pixels.collect())
    }

    pub fn of_frame(frame: &Frame) -> Picture {
        Picture::new(
            frame.size(),
            frame.pixels(frame.size().rect()).expect("pixels"),
        )
    }

    /// A picture that a wrong stride, byte order, matrix or range shows in: patches of every hue and shade, of
    /// 16×16 pixels so that halved chroma loses nothing. `number` tells one from another.
    pub fn test_card(size: Size, number: u32) -> Picture {
        Picture::from_fn(size, |x, y| {
            let (column, row) = (x / 16, y / 16);
            let mix = (column.wrapping_mul(2_654_435_761) ^ row.wrapping_mul(40_503))
                .wrapping_add(number.wrapping_mul(977_777));
            let level = |shift: u32| ((mix >> shift) & 0xff) as u8;
            match (column + row + number) % 3 {
                0 => [level(8); 3],
                1 => [level(3), level(11), level(19)],
                // Saturated, as the bars of a test pattern.
                _ => [0, 1, 2].map(|bit| 255 * ((mix >> (14 + bit)) & 1) as u8),
            }
        })
    }

    /// Likeness in decibels; infinite if they are equal.
    pub fn psnr(&self, other: &Picture) -> f64 {
        if self.size != other.size {
            return 0.0;
        }
        let error = |(a, b): (&u32, &u32)| {
            let levels = a.to_be_bytes().into_iter().zip(b.to_be_bytes());
            levels
                .map(|(a, b)| u64::from(a.abs_diff(b)).pow(2))
                .sum::<u64>()
        };
        let sum: u64 = self.pixels.iter().zip(&other.pixels).map(error).sum();
        let mean = sum as f64 / (3 * self.pixels.len()) as f64;
        10.0 * (255.0 * 255.0 / mean).log10()
    }

    pub fn rgb(&self) -> Vec<u8> {
        let bytes = |pixel: &u32| {
            let [_, r, g, b] = pixel.to_be_bytes();
            [r, g, b]
        };
        self.pixels.iter().flat_map(bytes).collect()
    }

    /// As dongles scale: by the nearest pixel.
    pub fn scaled(&self, size: Size) -> Picture {
        let nearest =
            |at: u32, from: u16, to: u16| at as usize * usize::from(from) / usize::from(to);
        let width = usize::from(self.size.width);
        Picture::from_fn(size, |x, y| {
            let (x, y) = (
                nearest(x, self.size.width, size.width),
                nearest(y, self.size.height, size.height),
            );
            let [_, rgb @ ..] = self.pixels[y * width + x].to_be_bytes();
            rgb
        })
    }

    /// As dongles compress.
    pub fn jpeg(&self) -> Vec<u8> {
        let mut jpeg = Vec::new();
        let mut encoder = Encoder::new(&mut jpeg, 85);
        encoder.set_sampling_factor(SamplingFactor::R_4_2_2);
        let Size { width, height } = self.size;
        let encoded = encoder.encode(&self.rgb(), width, height, ColorType::Rgb);
        encoded.expect("a JPEG");
        jpeg
    }

    pub fn from_jpeg(jpeg: &[u8]) -> Picture {
        let mut decoder = JpegDecoder::new(ZCursor::new(jpeg));
        let rgb = decoder.decode().expect("a JPEG");
        let (width, height) = decoder.dimensions().expect("its size");
        let side = |length: usize| u16::try_from(length).expect("a screen's side");
        let pixel = |[r, g, b]: &[u8; 3]| u32::from_be_bytes([0, *r, *g, *b]);
        let pixels = rgb.as_chunks::<3>().0.iter().map(pixel).collect();
        Picture::new(Size::new(side(width), side(height)), pixels)
    }

    /// The picture as a PNG.
    pub fn png(&self) -> Vec<u8> {
        let mut png = Vec::new();
        let mut encoder =
            png::Encoder::new(&mut png, self.size.width.into(), self.size.height.into());
        encoder.set_color(png::ColorType::Rgb);
        let mut writer = encoder.write_header().expect("a header");
        writer.write_image_data(&self.rgb()).expect("the pixels");
        drop(writer);
        png
    }

    /// Writes a PNG for people to look at.
    pub fn save(&self, path: &Path) {
        fs::write(path, self.png()).expect("a file");
    }
}

/// Ways to say a picture in bytes, as V4L2's four letters name them.
pub mod layout {
    use super::Picture;

    /// Levels by BT.601, limited range, as V4L2 assumes of `V4L2_COLORSPACE_SRGB`.
    fn ycbcr(pixel: u32) -> [f64; 3] {
        let [_, r, g, b] = pixel.to_be_bytes().map(f64::from);
        let y = 0.299 * r + 0.587 * g + 0.114 * b;
        [
            16.0 + y * 219.0 / 255.0,
            128.0 + (b - y) / 1.772 * 224.0 / 255.0,
            128.0 + (r - y) / 1.402 * 224.0 / 255.0,
        ]
    }

    fn level(value: f64) -> u8 {
        value.round() as u8
    }

    /// The bytes of a picture.
    pub fn bytes(picture: &Picture, fourcc: &[u8; 4]) -> Vec<u8> {
        let rgb = picture.pixels.iter().map(|pixel| pixel.to_be_bytes());
        match fourcc {
            b"RGB3" => rgb.flat_map(|[_, r, g, b]| [r, g, b]).collect(),
            b"BGR3" => rgb.flat_map(|[_, r, g, b]| [b, g, r]).collect(),
            b"XR24" => rgb.flat_map(|[_, r, g, b]| [b, g, r, 0]).collect(),
            b"YUYV" => packed(picture, |[y0, y1, u, v]| [y0, u, y1, v]),
            b"UYVY" => packed(picture, |[y0, y1, u, v]| [u, y0, v, y1]),
            b"NV12" => nv12(picture),
            other => panic!("{other:?} is not known here"),
        }
    }

    /// Two pixels after the other, their chroma averaged.
    fn packed(picture: &Picture, order: impl Fn([u8; 4]) -> [u8; 4]) -> Vec<u8> {
        let pairs = picture.pixels.as_chunks::<2>().0.iter();
        let bytes = |pair: &[u32; 2]| {
            let [a, b] = pair.map(ycbcr);
            order([a[0], b[0], (a[1] + b[1]) / 2.0, (a[2] + b[2]) / 2.0].map(level))
        };
        pairs.flat_map(bytes).collect()
    }

    /// Luma, then the chroma of each two by two pixels.
    fn nv12(picture: &Picture) -> Vec<u8> {
        let width = usize::from(picture.size.width);
        let luma = picture.pixels.iter().map(|pixel| level(ycbcr(*pixel)[0]));
        let mut bytes: Vec<u8> = luma.collect();
        for rows in picture.pixels.chunks_exact(2 * width) {
            for x in (0..width).step_by(2) {
                let four = [x, x + 1, width + x, width + x + 1].map(|at| ycbcr(rows[at]));
                let mean = |part: usize| four.iter().map(|levels| levels[part]).sum::<f64>() / 4.0;
                bytes.extend([level(mean(1)), level(mean(2))]);
            }
        }
        bytes
    }
}
