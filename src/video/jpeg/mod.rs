//! JPEG as dongles send it.
//!
//! [`sanitise`] makes of captured bytes one complete JPEG that every decoder reads, or says why it
//! cannot. [`JpegDecoder`] is the one edge to the codecs.

pub mod header;
pub mod picture;
pub mod scan;
mod tables;
#[cfg(test)]
mod tests;
#[cfg(feature = "turbojpeg")]
mod turbo;
mod zune;

use bytes::Bytes;
use rfb::geom::Size;

use header::{Header, Sampling};

use super::BadPicture;

#[cfg(feature = "turbojpeg")]
pub use turbo::Turbo;
pub use zune::Zune;

/// Decodes JPEGs that [`sanitise`] has passed.
pub trait JpegDecoder: Send {
    /// Decodes `jpeg` into `bgrx`, rows top to bottom without padding, 4 bytes a pixel in the order
    /// blue, green, red, unused. `bgrx` is exactly as long as the picture needs. A picture with any
    /// damage that the decoder notices is an error, and `bgrx` holds anything then.
    fn decode(&mut self, jpeg: &Jpeg, bgrx: &mut [u8]) -> Result<(), BadPicture>;
}

/// The decoder of this build.
pub fn decoder() -> Box<dyn JpegDecoder> {
    #[cfg(feature = "turbojpeg")]
    return Box::new(Turbo::default());
    #[cfg(not(feature = "turbojpeg"))]
    Box::new(Zune)
}

/// One complete JPEG: from SOI to EOI, with every table it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jpeg {
    pub bytes: Bytes,
    pub size: Size,
    pub sampling: Sampling,
    is_plain: bool,
}

impl Jpeg {
    /// Whether it may be given to clients as it is: baseline, in colours and sampling that each of
    /// them knows.
    pub fn is_for_clients(&self) -> bool {
        self.is_plain && self.sampling != Sampling::Other
    }
}

/// Makes a complete JPEG of captured bytes: what is before SOI and after EOI is dropped, and the
/// standard Huffman tables are put in if there are none.
pub fn sanitise(captured: &[u8]) -> Result<Jpeg, BadPicture> {
    sanitise_shared(&Bytes::copy_from_slice(captured))
}

/// [`sanitise`], sharing the bytes instead of copying them where nothing has to be put in.
pub fn sanitise_shared(captured: &Bytes) -> Result<Jpeg, BadPicture> {
    let Header {
        start,
        scan,
        end,
        size,
        sampling,
        has_huffman_tables,
        is_plain,
    } = header::walk(captured)?;
    let bytes = if has_huffman_tables {
        captured.slice(start..end)
    } else {
        let tables: &[u8] = &tables::STANDARD_HUFFMAN;
        Bytes::from([&captured[start..scan], tables, &captured[scan..end]].concat())
    };
    Ok(Jpeg {
        bytes,
        size,
        sampling,
        is_plain,
    })
}
