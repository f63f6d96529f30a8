//! Making baseline JPEGs.

use jpeg_encoder::{ChromaSubsamplingMethod, ColorType, Encoder, SamplingFactor};

use super::{JpegQuality, Picture, Subsampling};

/// Something that compresses pictures to JPEG.
pub trait JpegEncoder {
    /// Appends a complete baseline JPEG (SOI to EOI with all its tables, 8 bits, YCbCr or grey)
    /// that has the size of the picture. On an error nothing was appended.
    fn encode(
        &self,
        picture: &Picture<'_>,
        quality: JpegQuality,
        out: &mut Vec<u8>,
    ) -> Result<(), JpegError>;
}

/// A picture could not be compressed to JPEG.
#[derive(Debug, thiserror::Error)]
#[error("a picture of {size} could not be compressed to JPEG: {reason}")]
pub struct JpegError {
    pub size: crate::geom::Size,
    pub reason: String,
}

impl JpegError {
    fn new(picture: &Picture<'_>, reason: impl std::fmt::Display) -> Self {
        Self {
            size: picture.size,
            reason: reason.to_string(),
        }
    }
}

/// The encoder that the encodings use.
pub(super) fn default_encoder() -> impl JpegEncoder {
    #[cfg(feature = "turbojpeg")]
    return Turbo;
    #[cfg(not(feature = "turbojpeg"))]
    PureRust
}

/// The crate `jpeg-encoder`: no C, no build tools.
#[derive(Clone, Copy, Debug, Default)]
pub struct PureRust;

impl JpegEncoder for PureRust {
    fn encode(
        &self,
        picture: &Picture<'_>,
        quality: JpegQuality,
        out: &mut Vec<u8>,
    ) -> Result<(), JpegError> {
        let (pixels, colours) = samples(picture, quality.subsampling);
        let start = out.len();
        let mut encoder = Encoder::new(&mut *out, quality.quality.clamp(1, 100));
        encoder.set_sampling_factor(match quality.subsampling {
            Subsampling::S444 | Subsampling::Grey => SamplingFactor::R_4_4_4,
            Subsampling::S422 => SamplingFactor::R_4_2_2,
            Subsampling::S420 => SamplingFactor::R_4_2_0,
        });
        encoder.set_chroma_subsampling_method(ChromaSubsamplingMethod::Average);
        let colours = match colours {
            Samples::Bgrx => ColorType::Bgra,
            Samples::Grey => ColorType::Luma,
        };
        encoder
            .encode(&pixels, picture.size.width, picture.size.height, colours)
            .map_err(|error| {
                out.truncate(start);
                JpegError::new(picture, error)
            })
    }
}

/// libjpeg-turbo through the crate `turbojpeg`: faster, above all on ARM, but needs cmake and nasm.
#[cfg(feature = "turbojpeg")]
#[derive(Clone, Copy, Debug, Default)]
pub struct Turbo;

#[cfg(feature = "turbojpeg")]
thread_local! {
    static COMPRESSOR: std::cell::RefCell<Option<turbojpeg::Compressor>> =
        const { std::cell::RefCell::new(None) };
}

#[cfg(feature = "turbojpeg")]
impl JpegEncoder for Turbo {
    fn encode(
        &self,
        picture: &Picture<'_>,
        quality: JpegQuality,
        out: &mut Vec<u8>,
    ) -> Result<(), JpegError> {
        let (pixels, colours) = samples(picture, quality.subsampling);
        let (width, height) = (
            usize::from(picture.size.width),
            usize::from(picture.size.height),
        );
        let (format, bytes) = match colours {
            Samples::Bgrx => (turbojpeg::PixelFormat::BGRX, 4),
            Samples::Grey => (turbojpeg::PixelFormat::GRAY, 1),
        };
        let image = turbojpeg::Image {
            pixels: &pixels[..],
            width,
            pitch: width * bytes,
            height,
            format,
        };
        let compress = |compressor: &mut turbojpeg::Compressor| {
            compressor.set_quality(i32::from(quality.quality.clamp(1, 100)))?;
            compressor.set_subsamp(match quality.subsampling {
                Subsampling::S444 => turbojpeg::Subsamp::None,
                Subsampling::S422 => turbojpeg::Subsamp::Sub2x1,
                Subsampling::S420 => turbojpeg::Subsamp::Sub2x2,
                Subsampling::Grey => turbojpeg::Subsamp::Gray,
            })?;
            compressor.compress_to_vec(image)
        };
        let jpeg = COMPRESSOR.with_borrow_mut(|cached| {
            let compressor = match cached {
                Some(compressor) => compressor,
                None => cached.insert(turbojpeg::Compressor::new()?),
            };
            compress(compressor)
        });
        out.extend_from_slice(&jpeg.map_err(|error| JpegError::new(picture, error))?);
        Ok(())
    }
}

enum Samples {
    Bgrx,
    Grey,
}

/// The picture as the bytes that the libraries take.
fn samples(picture: &Picture<'_>, subsampling: Subsampling) -> (Vec<u8>, Samples) {
    if subsampling == Subsampling::Grey {
        let grey = picture.pixels.iter().map(|pixel| {
            let [blue, green, red, _] = pixel.to_le_bytes().map(u32::from);
            // ITU-R BT.601 luma in 16-bit fixed point; the factors add up to 65536.
            ((19595 * red + 38470 * green + 7471 * blue + 32768) >> 16) as u8
        });
        return (grey.collect(), Samples::Grey);
    }
    let mut bytes = vec![0; picture.pixels.len() * 4];
    let (places, _) = bytes.as_chunks_mut::<4>();
    for (place, pixel) in places.iter_mut().zip(picture.pixels) {
        *place = pixel.to_le_bytes();
    }
    (bytes, Samples::Bgrx)
}
