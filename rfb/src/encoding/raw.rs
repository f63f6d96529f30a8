//! Raw (RFC 6143 §7.7.1): width × height PIXELs, row by row.

use super::{Parameters, Picture};
use crate::pixel::convert::Converter;

pub(super) fn encode(picture: &Picture<'_>, parameters: &Parameters, _: bool, out: &mut Vec<u8>) {
    let converter = Converter::new(&parameters.format);
    let codes = converter.codes(picture.pixels);
    converter.pixel().all(&codes, out);
}
