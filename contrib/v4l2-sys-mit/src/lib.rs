//! Bindings to `<linux/videodev2.h>`, generated beforehand.
//!
//! `v4l` 0.14 gets its bindings from `v4l2-sys-mit`, whose build script runs bindgen and so needs
//! libclang on every machine that builds. This crate takes its place through `[patch.crates-io]`
//! in the workspace's `Cargo.toml` and needs nothing but rustc.
//!
//! The V4L2 structures are the same text on x86_64, aarch64 and armv7; their sizes differ only by
//! the C types in them, which `tests/sizes.rs` checks. `./regenerate` makes `src/bindings.rs` anew.
#![allow(non_camel_case_types, non_snake_case, non_upper_case_globals)]
// Not written by hand.
#![allow(clippy::all, unreachable_pub)]

include!("bindings.rs");
