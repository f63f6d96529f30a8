//! What the dongle shows, made into the bytes of a frame.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use rfb::geom::Size;

use super::{Format, Mode};

/// What is at the dongle's HDMI end. Cheap to clone.
#[derive(Clone)]
pub enum Screen {
    /// Frames that are ready: one after the other at the stream's rate, from the first one when a stream starts,
    /// and over again. They are sent as they are, whatever mode the host has chosen.
    Jpegs(Arc<[Vec<u8>]>),
    /// One picture, scaled to the mode's size as dongles do and made into its format.
    Picture(Picture),
    /// A picture that is asked for at each frame; see [`Screen::live`].
    Live(Arc<Mutex<Painter>>),
}

type Painter = dyn FnMut(Size) -> Picture + Send;

impl Screen {
    /// Asks `painter` for a picture at each frame; it is told the mode's size, but may give any.
    pub fn live(painter: impl FnMut(Size) -> Picture + Send + 'static) -> Self {
        Self::Live(Arc::new(Mutex::new(painter)))
    }
}

impl fmt::Debug for Screen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Screen::Jpegs(jpegs) => write!(f, "Jpegs({})", jpegs.len()),
            Screen::Picture(picture) => write!(f, "Picture({})", picture.size),
            Screen::Live(_) => f.write_str("Live"),
        }
    }
}

/// Rows of red, green and blue bytes, the top one first. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    size: Size,
    rgb: Bytes,
}

impl Picture {
    /// Panics if there are not three bytes for each pixel, or no pixels.
    pub fn new(size: Size, rgb: impl Into<Bytes>) -> Self {
        let rgb = rgb.into();
        assert!(!size.is_empty(), "a picture has pixels");
        assert_eq!(rgb.len(), size.area() * 3, "three bytes for each pixel");
        Self { size, rgb }
    }

    /// One colour all over.
    pub fn plain(size: Size, colour: [u8; 3]) -> Self {
        Self::new(size, colour.repeat(size.area()))
    }

    /// By the nearest pixel, so that no colour comes up which was not there.
    fn scaled(&self, size: Size) -> Picture {
        if self.size == size {
            return self.clone();
        }
        let nearest =
            |at: u16, from: u16, to: u16| usize::from(at) * usize::from(from) / usize::from(to);
        let (width, rows) = (usize::from(self.size.width), &self.rgb);
        let mut rgb = Vec::with_capacity(size.area() * 3);
        for y in 0..size.height {
            let row = nearest(y, self.size.height, size.height) * width;
            for x in 0..size.width {
                let pixel = (row + nearest(x, self.size.width, size.width)) * 3;
                rgb.extend(&rows[pixel..pixel + 3]);
            }
        }
        Picture::new(size, rgb)
    }

    /// As most dongles compress: colour at half the width.
    fn jpeg(&self) -> Bytes {
        let mut jpeg = Vec::new();
        let mut encoder = Encoder::new(&mut jpeg, 80);
        encoder.set_sampling_factor(SamplingFactor::R_4_2_2);
        encoder
            .encode(&self.rgb, self.size.width, self.size.height, ColorType::Rgb)
            .expect("a picture can be made into a JPEG");
        jpeg.into()
    }

    /// Y0 Cb Y1 Cr for each two pixels, by BT.601 with black at 16: what a driver's silence on it means.
    fn yuyv(&self) -> Bytes {
        let mut yuyv = Vec::with_capacity(self.size.area() * 2);
        for pair in self.rgb.chunks_exact(6) {
            let [r, g, b, r1, g1, b1] = std::array::from_fn(|at| i32::from(pair[at]));
            let luma = |r: i32, g: i32, b: i32| 16 + ((66 * r + 129 * g + 25 * b + 128) >> 8);
            let (r2, g2, b2) = (r + r1, g + g1, b + b1); // Twice their mean.
            let cb = 128 + ((-38 * r2 - 74 * g2 + 112 * b2 + 256) >> 9);
            let cr = 128 + ((112 * r2 - 94 * g2 - 18 * b2 + 256) >> 9);
            for value in [luma(r, g, b), cb, luma(r1, g1, b1), cr] {
                yuyv.push(u8::try_from(value).expect("16 to 240"));
            }
        }
        yuyv.into()
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Picture({})", self.size)
    }
}

/// Makes the frames of a stream, each picture once.
#[derive(Default)]
pub(super) struct Player {
    /// What the position counts in.
    playing: Option<(u64, u64)>,
    position: usize,
    made: Option<(Picture, Mode, Bytes)>,
}

impl Player {
    /// The next frame. It is the first one if `playing`, which tells streams and screens apart, is not what it was.
    pub(super) fn next(&mut self, screen: &Screen, mode: Mode, playing: (u64, u64)) -> Bytes {
        if self.playing.replace(playing) != Some(playing) {
            self.position = 0;
        }
        let position = self.position;
        self.position += 1;
        match screen {
            Screen::Jpegs(jpegs) => Bytes::copy_from_slice(&jpegs[position % jpegs.len()]),
            Screen::Picture(picture) => self.make(picture.clone(), mode),
            Screen::Live(painter) => {
                let mut paint = painter.lock().unwrap_or_else(PoisonError::into_inner);
                let picture = paint(mode.size);
                drop(paint);
                self.make(picture, mode)
            }
        }
    }

    fn make(&mut self, picture: Picture, mode: Mode) -> Bytes {
        match &self.made {
            Some((last, last_mode, frame)) if *last_mode == mode && *last == picture => {
                frame.clone()
            }
            _ => {
                let scaled = picture.scaled(mode.size);
                let frame = match mode.format {
                    Format::Mjpeg => scaled.jpeg(),
                    Format::Yuyv => scaled.yuyv(),
                };
                self.made = Some((picture, mode, frame.clone()));
                frame
            }
        }
    }
}

/// The same bytes for the same seed, without an order in them (xorshift64*).
pub(super) fn noise(seed: u64, length: usize) -> Bytes {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let words = std::iter::repeat_with(|| {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_be_bytes()
    });
    words.flatten().take(length).collect()
}
