//! What tests need to be a client: decoders written apart from the encoders.

pub mod client;
pub mod decode;

pub use client::{Client, ClientError, Message, Rectangle};
pub use decode::{DecodeError, Decoder, JpegHeader, Progress, Seen};
