//! TRLE (RFC 6143 §7.7.5): tiles of 16×16 pixels, nothing around them.

use super::rle::TileCoder;
use super::{Parameters, Picture, tiles};
use crate::pixel::convert::Converter;

const SIDE: usize = 16;

pub(super) fn encode(picture: &Picture<'_>, parameters: &Parameters, _: bool, out: &mut Vec<u8>) {
    let converter = Converter::new(&parameters.format);
    let codes = converter.codes(picture.pixels);
    let mut coder = TileCoder::new(converter.cpixel());
    tiles::for_each(&codes, picture.size, SIDE, |tile, width, _| {
        coder.encode(tile, width, out);
    });
}
