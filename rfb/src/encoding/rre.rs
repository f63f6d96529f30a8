//! RRE (RFC 6143 §7.7.3): U32 number of subrectangles, the background PIXEL, then for each
//! subrectangle its PIXEL and U16 x, y, width, height.
//!
//! There is no way to send pixels as they are, so a photograph grows to (8 + PIXEL) bytes a pixel in
//! the worst case; that is legal, and clients that have anything better list it first. Rectangles
//! are cut to 64×64 so that each has its own background and the search stays cheap.

use super::subrects::{background, cover};
use super::{Parameters, Picture};
use crate::pixel::convert::Converter;
use crate::wire::Put;

pub(super) fn encode(picture: &Picture<'_>, parameters: &Parameters, _: bool, out: &mut Vec<u8>) {
    let converter = Converter::new(&parameters.format);
    let pen = converter.pixel();
    let mut codes = converter.codes(picture.pixels).into_owned();
    let mut subrects = Vec::new();
    let back = background(&codes, &mut Vec::new());
    let width = usize::from(picture.size.width);
    // No more subrectangles than pixels, so the limit is never met.
    let _ = cover(&mut codes, width, back, usize::MAX, &mut subrects);
    out.put_u32(subrects.len() as u32);
    pen.one(back, out);
    for subrect in &subrects {
        pen.one(subrect.code, out);
        for edge in [subrect.x, subrect.y, subrect.width, subrect.height] {
            out.put_u16(edge as u16);
        }
    }
}
