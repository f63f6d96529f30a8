//! Check 71: what real clients send, cut and damaged.

use std::{io::Write as _, net::Shutdown};

use crate::{
    attack::{self, Attack, Noise},
    viewer::Viewer,
};

/// Says this and nothing more, and listens until the server has had enough of it.
fn ends(mut client: Viewer, bytes: &[u8]) {
    let _ = client.socket.0.write_all(bytes);
    let _ = client.socket.0.shutdown(Shutdown::Write);
    client.socket.read_to_close();
}

pub fn cut(attack: &Attack<'_>) {
    for transcript in attack::transcripts() {
        for length in 0..=transcript.len() {
            ends(attack.client(), &transcript[..length]);
        }
    }
}

pub fn damaged(attack: &Attack<'_>) {
    let mut noise = Noise::new(71);
    let transcripts = attack::transcripts();
    for _ in 0..crate::number("RFBRIDGE_HOSTILE", 500) {
        let mut bytes = transcripts[noise.below(transcripts.len())].clone();
        for _ in 0..=noise.below(8) {
            let place = noise.below(bytes.len());
            match noise.below(3) {
                0 => bytes[place] = noise.below(256) as u8,
                1 => drop(bytes.drain(place..bytes.len().min(place + 1 + noise.below(8)))),
                _ => drop(bytes.splice(place..place, noise.bytes(4))),
            }
            if bytes.is_empty() {
                break;
            }
        }
        ends(attack.client(), &bytes);
    }
    for _ in 0..50 {
        ends(attack.client(), &noise.bytes(2000));
    }
}
