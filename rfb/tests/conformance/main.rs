//! The conformance checklist against the sans-IO core. Each check runs with the client's bytes whole and
//! one byte at a time, and every byte that the server sends is parsed by a strict client.

#[path = "../answer/mod.rs"]
mod answer;
mod clipboard;
mod extensions;
mod handshake;
mod hostile;
mod overlay;
mod power;
mod rsa_aes;
mod splicing;
mod talk;
mod updates;
mod vencrypt;
