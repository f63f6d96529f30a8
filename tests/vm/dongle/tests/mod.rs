//! The dongle in front of a [`host::Host`]: what it says of itself, what it sends, what its faults do.

mod control;
mod faults;
mod host;
mod link;
mod pictures;

use std::sync::Arc;

use crate::dongle::*;
use host::{DEADLINE, Host};

/// A dongle that plays these, and its host with a stream of MJPEG at 60 frames a second.
fn playing(frames: &[Vec<u8>]) -> (Dongle, Host, Plugged) {
    let dongle = showing(frames);
    let (host, plugged) = streaming(&dongle);
    (dongle, host, plugged)
}

fn showing(frames: &[Vec<u8>]) -> Dongle {
    let dongle = Dongle::new();
    dongle.show(Screen::Jpegs(Arc::from(frames)));
    dongle
}

fn streaming(dongle: &Dongle) -> (Host, Plugged) {
    let (mut host, plugged) = Host::with(dongle);
    host.start_fast();
    (host, plugged)
}

/// Frames of these lengths, each of bytes that are nowhere else. The dongle does not look into them.
fn frames(lengths: &[usize]) -> Vec<Vec<u8>> {
    let counting = |(number, length): (usize, &usize)| {
        (0..*length)
            .map(|at| (at * 7 + at / 251 + number * 31) as u8)
            .collect()
    };
    lengths.iter().enumerate().map(counting).collect()
}

/// The bytes of the next frames.
fn taken(host: &mut Host, count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|_| host.frame().bytes).collect()
}
