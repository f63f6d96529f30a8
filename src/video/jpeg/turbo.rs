//! libjpeg-turbo: faster on x86 and much faster on ARM; cmake (and nasm on x86) must be there to build it.

use turbojpeg::{Decompressor, Image, PixelFormat};

use super::{Jpeg, JpegDecoder};
use crate::video::BadPicture;

/// Decodes with libjpeg-turbo.
#[derive(Default)]
pub struct Turbo {
    /// Made when it is needed, and anew after any error: a bad frame header spoils a decompressor
    /// for all pictures after it.
    decompressor: Option<Decompressor>,
}

impl JpegDecoder for Turbo {
    fn decode(&mut self, jpeg: &Jpeg, bgrx: &mut [u8]) -> Result<(), BadPicture> {
        let failed = |error: turbojpeg::Error| BadPicture::Corrupt(error.to_string());
        let mut decompressor = match self.decompressor.take() {
            Some(decompressor) => decompressor,
            None => Decompressor::new().map_err(failed)?,
        };
        let header = decompressor.read_header(&jpeg.bytes).map_err(failed)?;
        let (width, height) = (usize::from(jpeg.size.width), usize::from(jpeg.size.height));
        if (header.width, header.height) != (width, height) {
            return Err(BadPicture::Corrupt("its size is not certain".to_owned()));
        }
        // "Premature end" and "Corrupt JPEG data" come as errors too, though a picture was made.
        decompressor
            .decompress(
                &jpeg.bytes,
                Image {
                    pixels: bgrx,
                    width,
                    pitch: width * 4,
                    height,
                    format: PixelFormat::BGRX,
                },
            )
            .map_err(failed)?;
        self.decompressor = Some(decompressor);
        Ok(())
    }
}
