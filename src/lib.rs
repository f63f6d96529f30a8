//! rfbridge: a VNC server for a machine you cannot touch.

pub mod app;
pub mod cli;
pub mod config;
pub mod demo;
pub mod gadget;
pub mod hid;
pub mod logging;
pub mod net;
pub mod source;
pub mod video;
