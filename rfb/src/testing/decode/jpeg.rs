//! JPEG in Tight and by itself (21): what clients need to find in it, and its pixels.

use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::{Fault, bad};
use crate::geom::{Rect, Size};
use crate::wire::Reader;

/// What the headers of a JPEG say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JpegHeader {
    pub size: Size,
    pub components: u8,
    /// Horizontal and vertical sampling factor of the first component.
    pub sampling: (u8, u8),
    /// Bytes from SOI to EOI.
    pub length: usize,
}

/// Bytes from SOI to EOI of the JPEG that the input starts with.
pub(super) fn length(reader: Reader<'_>) -> Result<usize, Fault> {
    Ok(parse(reader)?.length)
}

/// Checks a whole JPEG against check 33 and decodes it to 0x00RRGGBB.
pub(super) fn decode(file: &[u8], rect: Rect) -> Result<(JpegHeader, Vec<u32>), Fault> {
    let header = match parse(Reader::new(file)) {
        Err(Fault::Short) => return bad("a JPEG without its end"),
        parsed => parsed?,
    };
    if header.length != file.len() {
        return bad(format!("{} bytes after EOI", file.len() - header.length));
    }
    if header.size != rect.size() {
        return bad(format!("a JPEG of {}", header.size));
    }
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(file), options);
    let samples = match decoder.decode() {
        Ok(samples) => samples,
        Err(error) => return bad(format!("a JPEG that does not decode: {error:?}")),
    };
    let (pixels, rest) = samples.as_chunks::<3>();
    if pixels.len() != rect.area() || !rest.is_empty() {
        return bad(format!("a JPEG of {} samples", samples.len()));
    }
    let pixel = |&[red, green, blue]: &[u8; 3]| u32::from_be_bytes([0, red, green, blue]);
    Ok((header, pixels.iter().map(pixel).collect()))
}

/// Walks the segments: SOI, tables and one SOF0 in any order, one SOS, entropy-coded data, EOI.
fn parse(mut reader: Reader<'_>) -> Result<JpegHeader, Fault> {
    if reader.array()? != [0xff, 0xd8] {
        return bad("a JPEG that does not begin with SOI");
    }
    let mut header = None;
    let (mut quantisation, mut huffman) = (false, false);
    loop {
        let [0xff, marker] = reader.array()? else {
            return bad("a JPEG whose segments do not follow each other");
        };
        let length = reader.u16()?;
        let Some(length) = usize::from(length).checked_sub(2) else {
            return bad("a JPEG segment shorter than its length");
        };
        let mut segment = Reader::new(reader.take(length)?);
        let short = |_| Fault::Bad("a JPEG segment that is too short".into());
        match marker {
            0xdb => quantisation = true,
            0xc4 => huffman = true,
            0xc0 if header.is_none() => {
                header = Some(frame_header(&mut segment).map_err(|fault| match fault {
                    Fault::Short => short(()),
                    fault => fault,
                })?);
            }
            // APPn, COM, DRI.
            0xe0..=0xef | 0xfe | 0xdd => {}
            0xda => break,
            _ => return bad(format!("JPEG marker {marker:#04x}")),
        }
    }
    let Some(mut header) = header else {
        return bad("a JPEG without a frame header");
    };
    if !quantisation || !huffman {
        return bad("a JPEG without its tables");
    }
    loop {
        if reader.u8()? != 0xff {
            continue;
        }
        match reader.u8()? {
            0x00 | 0xd0..=0xd7 => {}
            0xd9 => break,
            marker => return bad(format!("JPEG marker {marker:#04x} after the scan began")),
        }
    }
    header.length = reader.consumed();
    Ok(header)
}

/// SOF0: U8 precision, U16 height, U16 width, U8 components, then each U8 id, sampling, table.
fn frame_header(segment: &mut Reader<'_>) -> Result<JpegHeader, Fault> {
    let precision = segment.u8()?;
    let (height, width) = (segment.u16()?, segment.u16()?);
    let components = segment.u8()?;
    let [_, sampling, _] = segment.array()?;
    if precision != 8 || !matches!(components, 1 | 3) {
        return bad(format!(
            "a JPEG of {components} components of {precision} bits"
        ));
    }
    Ok(JpegHeader {
        size: Size::new(width, height),
        components,
        sampling: (sampling >> 4, sampling & 15),
        length: 0,
    })
}
