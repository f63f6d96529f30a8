//! JPEG (encoding 21): a JPEG file and nothing around it. The client finds its end by itself, so it
//! must end in EOI. Ours always carry their tables.

use super::jpeg_coder::{JpegEncoder, PureRust, default_encoder};
use super::{JpegQuality, Parameters, Picture};

pub(super) fn encode(picture: &Picture<'_>, parameters: &Parameters, _: bool, out: &mut Vec<u8>) {
    // This encoding has nothing but JPEG, so a caller who chose it against the client's wish gets
    // the best there is.
    let quality = parameters
        .jpeg
        .unwrap_or_else(|| JpegQuality::from_level(9));
    if default_encoder().encode(picture, quality, out).is_err() {
        PureRust
            .encode(picture, quality, out)
            .expect("a picture that is not empty always compresses: there is no IO to fail");
    }
}
