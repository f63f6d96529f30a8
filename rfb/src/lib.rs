//! The Remote Framebuffer protocol (VNC), server side, without IO.
#![forbid(unsafe_code)]

pub mod encoding;
pub mod error;
pub mod frame;
pub mod geom;
#[cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic
    )
)]
pub mod msg;
pub mod pixel;
#[cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic
    )
)]
pub mod security;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic
    )
)]
pub mod wire;

pub use error::Error;
