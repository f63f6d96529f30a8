//! Zlib (encoding 6): U32 length, then that many bytes of a zlib stream that lasts as long as the
//! connection; inflated they are the rectangle in Raw.

use super::{Parameters, Picture, deflate, raw};
use crate::wire::{Put, put_u32_prefixed};

pub(super) fn encode(
    picture: &Picture<'_>,
    parameters: &Parameters,
    first_of_stream: bool,
    out: &mut Vec<u8>,
) {
    let mut pixels = Vec::new();
    raw::encode(picture, parameters, false, &mut pixels);
    put_u32_prefixed(out, |out| {
        if first_of_stream {
            out.put(&deflate::HEADER);
        }
        deflate::chunk(parameters.level, &pixels, out);
    });
}
