//! The conformance checklist over TCP against the running binary, and what only shows there: reports at
//! the far end, processes that end, clients that leave.

mod handshake;
mod input;
mod pictures;
mod pointer;
mod power;
mod reverse;
mod robustness;
mod rsa_aes;
mod server;
mod sessions;
mod tls;
mod typing;
mod updates;
mod users;
#[path = "../viewer/mod.rs"]
#[allow(dead_code, reason = "the tests in a machine use the rest")]
mod viewer;
mod web;
mod websocket;
