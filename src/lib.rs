//! rfbridge: a VNC server for a machine you cannot touch.
//!
//! It sees the machine's screen through an HDMI capture dongle and is its keyboard and mouse through a USB HID
//! gadget. The words used everywhere: the **target** is that machine; **frames** come from a **source**;
//! a frame is made of **tiles**; a **client** is a viewer or a tool, its connection a **session**, and what it is
//! sent an **update**; HID **reports** go to a **sink**.
//!
//! # The way the data goes
//!
//! ```text
//! dongle → source thread → (latest wins) → video thread: a frame of bytes → watch<Signal> → watch<Frame>
//!        → session → blocking pool: what does this client lack? tiles, rectangles, bytes (once for all who need the same)
//!        → socket
//! socket → session → Input → HID thread: state → reports → /dev/hidgN → target
//!                                          lock LEDs ← target → watch<Leds> → sessions
//! ```
//!
//! A frame ([`rfb::frame::Frame`]) is a vector of immutable tiles and shares those that did not change with the
//! frame before, so what a client lacks is a comparison of pointers, however many frames it skipped. Its tiles are made
//! when a client asks; those of a JPEG are found without decoding it, and what changed goes out as a part of that JPEG. The
//! keyboard is a state and not a stream of events: the HID side keeps the reports that it wants the target to
//! have and knows what the target took last. "No picture" is a value too ([`video::Signal`]), shown as a
//! drawn slate behind which keys still work.
//!
//! # Where things are
//!
//! | module | subject |
//! |---|---|
//! | [`app`] | wires it all, starts and stops it; which threads there are and why |
//! | [`cli`], [`config`], [`logging`] | what was asked for: flags over a file over defaults |
//! | [`source`] | where pictures come from: V4L2, a pipe, a recording; a supervisor keeps them open |
//! | [`video`] | captured bytes become frames: JPEG in its compressed form, YCbCr, RGB; slates |
//! | [`hid`] | keymaps, keyboard and mouse state, the thread that writes reports, sinks |
//! | [`gadget`] | creates and removes the USB gadget in configfs |
//! | [`typing`] | a text becomes keys, at the target's pace |
//! | [`control`] | the socket for other programs on this machine, `rfbridge type` and `rfbridge ctl` among them |
//! | [`power`] | switches the target on and off: GPIO, Wake-on-LAN, commands |
//! | [`access`] | who may enter, and what they may do then |
//! | [`identity`] | what clients know this server by: certificate and host key |
//! | [`net`] | listeners, sessions, who of them has control, and the limits that keep one peer from harming another |
//! | [`web`] | HTTP: the page for the browser, RFB over WebSocket, what programs fetch |
//! | [`doctor`] | looks at everything and says what to mend; changes nothing |
//! | [`metrics`] | what is counted for whoever watches the server |
//! | `sync` | the locks of what threads share, which a scheduler may stand in for |
//! | [`demo`] | a small simulated target that understands nothing but HID reports |
//!
//! The protocol itself is the crate [`rfb`], which does no IO.
//!
//! # Who may know whom
//!
//! `config ← {access, identity, video, hid} ← typing ← {source, gadget, net, control} ← web ← app ← main`, `demo` beside source, `doctor` above source and gadget. Sessions see frames
//! and input events, never devices; only `cli` knows clap, only `source::v4l` knows the `v4l` crate and only
//! the gadget sink opens `/dev/hidgN`. `tests/layering` enforces it. A new encoding, source or sink is one file,
//! its `mod` line and a row in a table.

pub mod access;
pub mod app;
pub mod cli;
pub mod config;
pub mod control;
pub mod demo;
pub mod doctor;
pub mod gadget;
pub mod hid;
pub mod identity;
pub mod logging;
pub mod metrics;
pub mod net;
pub mod power;
pub mod source;
mod sync;
pub mod typing;
pub mod video;
pub mod web;
