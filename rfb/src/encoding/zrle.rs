//! ZRLE (RFC 6143 §7.7.6): U32 length, then that many bytes of a zlib stream that lasts as long as
//! the connection; inflated they are tiles of 64×64 pixels and nothing else.

use super::rle::TileCoder;
use super::{Parameters, Picture, deflate, tiles};
use crate::pixel::convert::Converter;
use crate::wire::{Put, put_u32_prefixed};

const SIDE: usize = 64;

pub(super) fn encode(
    picture: &Picture<'_>,
    parameters: &Parameters,
    first_of_stream: bool,
    out: &mut Vec<u8>,
) {
    let converter = Converter::new(&parameters.format);
    let codes = converter.codes(picture.pixels);
    let mut coder = TileCoder::deflated(converter.cpixel());
    let mut coded = Vec::new();
    tiles::for_each(&codes, picture.size, SIDE, |tile, width, _| {
        coder.encode(tile, width, &mut coded);
    });
    put_u32_prefixed(out, |out| {
        if first_of_stream {
            out.put(&deflate::HEADER);
        }
        deflate::chunk(parameters.level, &coded, out);
    });
}
