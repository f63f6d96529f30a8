//! The Remote Framebuffer protocol (VNC), server side, without IO.
//!
//! Bytes in, events and bytes out: nothing here opens a socket, reads a clock, draws randomness or knows
//! an async runtime. That is what lets every handshake be tested whole and byte by byte, and lets TLS or a
//! WebSocket be just another stream underneath.
//!
//! # Layers
//!
//! ```text
//!   server      one client: handshake, session, what it lacks, when it gets it
//!   ├─ security     one file per security type
//!   ├─ encoding     one file per encoding: (pixels, format, parameters) → bytes
//!   └─ msg          messages as they are on the wire
//!      └─ pixel, frame, error      pixel formats; frames as vectors of immutable tiles
//!         └─ geom, wire            rectangles; big-endian integers
//!   testing     a strict client with decoders of its own (feature "testing")
//! ```
//!
//! A lower layer never knows a higher one; `security` and `encoding` are blind to each other.
//!
//! # Run loop
//!
//! The owner of a [`server::Connection`] does this, in whatever form suits its sockets:
//!
//! 0. Tell the time ([`set_now`](server::Connection::set_now)) before each of these.
//! 1. Send [`take_output`](server::Connection::take_output).
//! 2. Feed what was received to [`receive`](server::Connection::receive); act on
//!    [`next_event`](server::Connection::next_event). After an error, send the output and close.
//! 3. Hand in each new frame with [`show`](server::Connection::show).
//! 4. When nothing of the last update is left to be sent,
//!    [`plan_update`](server::Connection::plan_update); send the output; run
//!    [`encode`](server::UpdateJob::encode) somewhere else; give its result to
//!    [`finish_update`](server::Connection::finish_update) and send what that returns. Jobs of several connections whose
//!    [`key`](server::UpdateJob::key)s are equal need the work done once only.
//! 5. Try 4 again at [`wakes_at`](server::Connection::wakes_at), too.
//!
//! # Invariants
//!
//! * A message is consumed whole or not at all: no state depends on where the input was cut.
//! * No update without a request (or ContinuousUpdates, then two that the client has not confirmed at most); at most one
//!   is being encoded or written.
//! * What the client shows is known exactly, tile by tile; whatever differs from the newest frame is what
//!   it still gets, so nothing can be forgotten and nothing queues up.
//! * Encoded bytes depend on nothing but what was encoded. zlib streams that must live as long as the
//!   connection are fed with pieces that refer to nothing before them.
//! * Every length that a peer names is bounded before anything is allocated for it.
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
pub mod server;
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
