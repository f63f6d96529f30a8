//! The Remote Framebuffer protocol (VNC), server side, without IO.
#![forbid(unsafe_code)]

pub mod encoding;
pub mod frame;
pub mod geom;
pub mod pixel;
#[cfg(feature = "testing")]
pub mod testing;
pub mod wire;
