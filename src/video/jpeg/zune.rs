//! zune-jpeg: pure Rust, needs nothing to build.

use zune_jpeg::{
    JpegDecoder as Decoder,
    zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions},
};

use super::{Jpeg, JpegDecoder, header::Sampling};
use crate::video::{BadPicture, MAX_SIDE};

/// Decodes with zune-jpeg in strict mode; otherwise it fills what is missing with grey.
pub struct Zune;

impl JpegDecoder for Zune {
    fn decode(&mut self, jpeg: &Jpeg, bgrx: &mut [u8]) -> Result<(), BadPicture> {
        // From luma alone it makes RGBA but not BGRA; there the order makes no difference.
        let colours = match jpeg.sampling {
            Sampling::Grey => ColorSpace::RGBA,
            _ => ColorSpace::BGRA,
        };
        let options = DecoderOptions::default()
            .set_strict_mode(true)
            .set_max_width(usize::from(MAX_SIDE))
            .set_max_height(usize::from(MAX_SIDE))
            .jpeg_set_out_colorspace(colours);
        // A decoder lives for one picture, so nothing outlives a panic on damaged data.
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            Decoder::new_with_options(ZCursor::new(&jpeg.bytes[..]), options).decode_into(bgrx)
        }))
        .map_err(|_| BadPicture::Corrupt("the decoder gave up".to_owned()))?
        .map_err(|error| BadPicture::Corrupt(error.to_string()))
    }
}
