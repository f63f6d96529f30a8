//! How near a picture comes to the source's.

use std::fmt;

use rfb::geom::Size;
use turbojpeg::{Decompressor, Image, PixelFormat};
use zune_jpeg::zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions};

use crate::{
    Failure,
    workload::{Format, Workload},
};

/// The likeness of two pictures.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub enum Quality {
    /// Peak signal to noise ratio in dB.
    Psnr(f64),
    Exact,
}

impl fmt::Display for Quality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Quality::Psnr(db) => write!(f, "{db:.0} dB"),
            Quality::Exact => f.write_str("exact"),
        }
    }
}

/// The source's pictures, decoded when they are needed.
///
/// The JPEG standard leaves a decoder some freedom, and servers use different ones. A pixel is right if any of
/// these has it: libjpeg-turbo with smoothed chroma (what peers decode with), the same without (which alone
/// gives pieces of a picture the same pixels as the whole), zune-jpeg (rfbridge's own).
pub struct References<'w> {
    workload: &'w Workload,
    decoded: Option<(usize, [Vec<u32>; 3])>,
}

impl<'w> References<'w> {
    pub fn new(workload: &'w Workload) -> Self {
        Self {
            workload,
            decoded: None,
        }
    }

    /// Compares pixels with the picture that has this number; `None` if there is nothing to compare with.
    pub fn compare(&mut self, id: u32, pixels: &[u32]) -> Result<Option<Quality>, Failure> {
        let workload = self.workload;
        let picture = workload.ids.iter().position(|&other| other == id);
        let picture = match picture {
            Some(picture) if workload.format == Format::Mjpeg => picture,
            _ => return Ok(None),
        };
        if self.decoded.as_ref().is_none_or(|(of, _)| *of != picture) {
            let (jpeg, size) = (&workload.pictures[picture], workload.size);
            self.decoded = Some((picture, decode(jpeg, size)?));
        }
        let references = self.decoded.as_ref().map(|(_, references)| references);
        Ok(references.map(|references| quality(pixels, references)))
    }
}

fn quality(pixels: &[u32], references: &[Vec<u32>; 3]) -> Quality {
    if pixels.len() != references[0].len() {
        return Quality::Psnr(0.0);
    }
    let error = |a: u32, b: u32| -> u64 {
        let difference = |shift: u32| u64::from((a >> shift & 0xff).abs_diff(b >> shift & 0xff));
        [0, 8, 16]
            .map(|shift| difference(shift).pow(2))
            .iter()
            .sum()
    };
    let least = |index: usize| {
        let errors = references
            .each_ref()
            .map(|r| error(pixels[index], r[index]));
        errors.into_iter().min().unwrap_or(0)
    };
    let wrong = (0..pixels.len()).filter(|&index| pixels[index] != references[0][index]);
    match wrong.map(least).sum::<u64>() {
        0 => Quality::Exact,
        sum => {
            let mean = sum as f64 / (3 * pixels.len()) as f64;
            Quality::Psnr(10.0 * (255.0 * 255.0 / mean).log10())
        }
    }
}

fn decode(jpeg: &[u8], size: Size) -> Result<[Vec<u32>; 3], Failure> {
    let pixels = |bgrx: Vec<u8>| {
        let (pixels, _) = bgrx.as_chunks::<4>();
        let pixel = |&bytes: &[u8; 4]| u32::from_le_bytes(bytes) & 0x00ff_ffff;
        pixels.iter().map(pixel).collect()
    };
    let plain = decompress(&mut plain_decompressor()?, jpeg, size)?;
    let smooth = decompress(&mut Decompressor::new()?, jpeg, size)?;
    let options = DecoderOptions::default().jpeg_set_out_colorspace(ColorSpace::BGRA);
    let zune = zune_jpeg::JpegDecoder::new_with_options(ZCursor::new(jpeg), options)
        .decode()
        .map_err(|error| format!("a picture does not decode: {error:?}"))?;
    Ok([plain, smooth, zune].map(pixels))
}

/// A decoder that repeats chroma samples and so looks at nothing beyond the block it decodes.
pub fn plain_decompressor() -> Result<Decompressor, Failure> {
    let mut decompressor = Decompressor::new()?;
    decompressor.set_fast_upsample(true)?;
    Ok(decompressor)
}

/// Decodes a JPEG of just that size to BGRX.
pub fn decompress(jpeg: &mut Decompressor, bytes: &[u8], size: Size) -> Result<Vec<u8>, Failure> {
    let mut bgrx = vec![0; size.area() * 4];
    decompress_into(jpeg, bytes, size, &mut bgrx)?;
    Ok(bgrx)
}

/// The same into memory that is there: 4 bytes for each pixel.
pub fn decompress_into(
    jpeg: &mut Decompressor,
    bytes: &[u8],
    size: Size,
    bgrx: &mut [u8],
) -> Result<(), Failure> {
    let (width, height) = (usize::from(size.width), usize::from(size.height));
    let header = jpeg.read_header(bytes)?;
    if (header.width, header.height) != (width, height) {
        return Err(format!("a JPEG of {}x{} for {size}", header.width, header.height).into());
    }
    let image = Image {
        pixels: bgrx,
        width,
        pitch: width * 4,
        height,
        format: PixelFormat::BGRX,
    };
    Ok(jpeg.decompress(bytes, image)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pixel_is_right_if_any_decoder_has_it() {
        let references = [vec![1, 2, 3], vec![1, 9, 3], vec![1, 2, 0x10_00_03]];
        assert_eq!(quality(&[1, 9, 0x10_00_03], &references), Quality::Exact);
        let Quality::Psnr(db) = quality(&[1, 10, 3], &references) else {
            panic!("10 is no one's pixel");
        };
        // One step in one of nine samples.
        assert!((db - 10.0 * (255.0f64 * 255.0 * 9.0).log10()).abs() < 1e-9);
    }

    #[test]
    fn worse_is_less() {
        assert!(Quality::Psnr(20.0) < Quality::Psnr(40.0));
        assert!(Quality::Psnr(99.0) < Quality::Exact);
    }
}
