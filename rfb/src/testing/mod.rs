//! What tests need to be a client: decoders written apart from the encoders.

pub mod decode;

pub use decode::{DecodeError, Decoder, JpegHeader, Progress, Seen};
