//! What an attack works with, and how it is judged.

use std::{
    fs,
    net::Ipv4Addr,
    num::NonZero,
    sync::atomic::{AtomicU32, AtomicUsize, Ordering},
    thread,
};

use crate::{
    arena::{self, Arena, Usage},
    cases::Case,
    figures::{self, Row},
    server::Server,
    viewer::{Socket, Viewer},
};

/// What stays of memory, in KiB, after attacks that take and give back many times as much: pages that the allocator keeps.
/// 10,000 connections that leaked 2 KiB each would be more.
const ALLOCATORS_SHARE: u64 = 16 * 1024;
/// What a thread of the pool keeps, in KiB: a heap of its own, in which updates were made.
const THREADS_SHARE: u64 = 4 * 1024;
/// The pool that encodes has work for as many threads as there are cores. But it starts one whenever none is idle, and on a
/// busy machine those that have done their work are not idle yet.
const THREADS_PER_CORE: usize = 4;
/// What a connection may cause to be logged, in bytes.
const LOG: usize = 1024;
/// Pictures that the good client sees before and after.
const PICTURES: usize = 10;

pub struct Attack<'a> {
    pub server: &'a Server,
    /// The attacker's own address.
    pub address: Ipv4Addr,
    next_address: AtomicU32,
    connections: AtomicUsize,
}

impl Attack<'_> {
    /// A connection that has said and heard nothing yet.
    pub fn connect(&self) -> Socket {
        self.connect_from(self.address)
    }

    pub fn connect_from(&self, address: Ipv4Addr) -> Socket {
        self.connections.fetch_add(1, Ordering::Relaxed);
        Socket::connect_from(address, self.server.address)
    }

    /// A connection to the page's port, from an address that nobody had before.
    pub fn browser(&self) -> Socket {
        self.browser_from(self.fresh_address())
    }

    pub fn browser_from(&self, address: Ipv4Addr) -> Socket {
        self.connections.fetch_add(1, Ordering::Relaxed);
        Socket::connect_from(address, self.server.web())
    }

    /// An address that nobody had before.
    pub fn fresh_address(&self) -> Ipv4Addr {
        self.next_address.fetch_add(1, Ordering::Relaxed).into()
    }

    /// A connection from a fresh address, greeted, and with this said.
    pub fn stranger(&self, says: &[u8]) -> Socket {
        let mut socket = self.connect_from(self.fresh_address());
        assert_eq!(socket.read(12), b"RFB 003.008\n");
        socket.send(says);
        socket
    }

    /// Somebody who knows the password, from an address of his own: one address has places for a few only.
    pub fn client(&self) -> Viewer {
        arena::log_in(self.connect_from(self.fresh_address()))
    }

    pub fn usage(&self) -> Usage {
        Usage::of(self.server)
    }
}

/// Makes an attack twice, and judges the second time: the good client saw all its pictures, what the server uses came back
/// to what it was, no key is down, nothing panicked.
pub fn conduct(case: &Case, number: usize) {
    let mut arena = Arena::new();
    let own = Ipv4Addr::new(127, 1 + u8::try_from(number).expect("few cases"), 0, 1);
    let run = |arena: &mut Arena, half: u32| {
        let attack = Attack {
            server: &arena.server,
            address: own,
            next_address: AtomicU32::new(u32::from(own) + 1 + (half << 15)),
            connections: AtomicUsize::new(0),
        };
        (case.run)(&attack);
        attack.connections.into_inner()
    };
    let alone = arena.at_rest(None);
    let earlier_connections = run(&mut arena, 0);
    let before = arena.at_rest(Some(alone));
    arena.worst();
    arena.good.sees(PICTURES);
    let (earlier, _) = arena.worst();

    let connections = run(&mut arena, 1);
    arena.good.sees(1);
    let (meanwhile, pictures) = arena.worst();

    let after = arena.at_rest(Some(before));
    arena.good.sees(PICTURES);
    let (later, _) = arena.worst();
    figures::note(Row {
        name: case.name.to_owned(),
        connections,
        usage: [before, after],
        worst: [earlier, meanwhile, later],
        pictures,
    });

    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let threads = after.threads.saturating_sub(before.threads);
    assert!(
        threads <= cores * THREADS_PER_CORE,
        "threads: {before:?}, then {after:?}"
    );
    let kept = ALLOCATORS_SHARE + THREADS_SHARE * threads as u64;
    assert!(
        after.rss_kib <= before.rss_kib + kept,
        "RSS: {before:?}, then {after:?}"
    );
    all_keys_up(&arena.server);
    let log = arena.server.log();
    assert!(!log.contains("panicked"), "{log}");
    let logged = log.len() / (earlier_connections + connections + 10);
    assert!(logged <= LOG, "{logged} bytes of log for each connection");
}

/// Waits until the target has no key down.
pub fn all_keys_up(server: &Server) {
    server.wait_for("all keys to be up", |server| {
        server
            .keyboard()
            .last()
            .is_none_or(|report| report == RELEASED)
            .then_some(())
    });
}

/// A keyboard report with no key down.
pub const RELEASED: &str = "0000000000000000";

/// Bytes that look random and are the same each time.
pub struct Noise(u64);

impl Noise {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(2).wrapping_add(0x2545_f491_4f6c_dd1d))
    }

    /// Less than `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % end
    }

    pub fn bytes(&mut self, n: usize) -> Vec<u8> {
        (0..n).map(|_| self.below(256) as u8).collect()
    }
}

/// What real clients send once they are in: recorded, without the handshake.
pub fn transcripts() -> Vec<Vec<u8>> {
    let folder = fs::read_dir("fixtures/transcripts").expect("the fixtures");
    let files = folder.map(|entry| entry.expect("an entry").path());
    let mut files: Vec<_> = files.collect();
    files.sort();
    let handshake = |version: &[u8]| if version == b"RFB 003.003\n" { 13 } else { 14 };
    let read = |file| fs::read(file).expect("a transcript");
    let whole = files.iter().map(read);
    whole
        .map(|bytes| bytes[handshake(&bytes[..12])..].to_vec())
        .collect()
}
