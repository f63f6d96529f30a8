//! rfbridge: a VNC server for a machine you cannot touch.

pub mod demo;
pub mod gadget;
pub mod hid;
pub mod source;
pub mod video;
