//! Bit strings: coded data without its byte stuffing, and the way back (T.81, B.1.1.5 and F.1.2.3).
//!
//! A place in a bit string is a number of bits from its beginning; the first bit is the highest of
//! the first byte. Behind the end there are only ones.

use memchr::memchr;

use crate::video::BadPicture;

/// So many bits from any place on are seen by [`peek`].
pub const PEEK: usize = 57;

/// The bits from the place `at` on, the first one highest; at least [`PEEK`] of them are right.
#[inline(always)]
pub fn peek(bytes: &[u8], at: usize) -> u64 {
    let eight = bytes.get(at >> 3..).and_then(<[u8]>::first_chunk);
    match eight {
        Some(&eight) => u64::from_be_bytes(eight) << (at & 7),
        None => peek_at_end(bytes, at),
    }
}

#[cold]
fn peek_at_end(bytes: &[u8], at: usize) -> u64 {
    let mut eight = [0xff; 8];
    for (byte, &held) in eight.iter_mut().zip(bytes.get(at >> 3..).unwrap_or(&[])) {
        *byte = held;
    }
    u64::from_be_bytes(eight) << (at & 7) | !(u64::MAX << (at & 7))
}

/// Coded data as one bit string.
pub struct Unstuffed {
    pub bytes: Vec<u8>,
    /// The first byte of each restart interval; always begins with 0.
    pub intervals: Vec<usize>,
}

/// Takes the stuffed zeros, fill bytes and restart markers out of a scan's coded data.
pub fn unstuff(scan: &[u8]) -> Result<Unstuffed, BadPicture> {
    let mut bytes = Vec::with_capacity(scan.len());
    let mut intervals = vec![0];
    let mut rest = scan;
    while let Some(at) = memchr(0xff, rest) {
        let (kept, next) = match rest.get(at + 1) {
            Some(0) => (at + 1, at + 2),
            // Fill bytes before a marker; the last one is EOI, behind `scan`.
            Some(0xff) | None => (at, at + 1),
            Some(0xd0..=0xd7) => (at, at + 2),
            Some(_) => {
                return Err(BadPicture::Corrupt("a marker is in its scan".to_owned()));
            }
        };
        bytes.extend_from_slice(&rest[..kept]);
        if next == at + 2 && kept == at {
            intervals.push(bytes.len());
        }
        rest = &rest[next..];
    }
    bytes.extend_from_slice(rest);
    Ok(Unstuffed { bytes, intervals })
}

/// How many bytes two strings have in common at their beginning.
pub fn common_bytes(a: &[u8], b: &[u8]) -> usize {
    const BLOCK: usize = 256;
    let blocks = a.as_chunks::<BLOCK>().0.iter().zip(b.as_chunks().0);
    let same = blocks.take_while(|(a, b)| a == b).count() * BLOCK;
    let rest = a[same..].iter().zip(&b[same..]);
    same + rest.take_while(|(a, b)| a == b).count()
}

/// How many of `limit` bits are the same in `a` from the place `a_at` on and in `b` from `b_at` on.
pub fn common_bits(a: &[u8], a_at: usize, b: &[u8], b_at: usize, limit: usize) -> usize {
    const STEP: usize = PEEK - 1;
    let mut same = 0;
    while same < limit {
        let difference = (peek(a, a_at + same) ^ peek(b, b_at + same)) >> (64 - STEP);
        if difference != 0 {
            let run = difference.leading_zeros() as usize - (64 - STEP);
            return limit.min(same + run);
        }
        same += STEP;
    }
    limit
}

/// Writes coded data: a zero goes behind each byte 0xff.
pub struct Stuffing<'a> {
    out: &'a mut Vec<u8>,
    /// Bits not yet in `out`, the first one highest, zeros behind them.
    word: u64,
    /// How many; fewer than 64.
    held: u32,
}

impl<'a> Stuffing<'a> {
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        Self {
            out,
            word: 0,
            held: 0,
        }
    }

    /// Appends the lowest `count` bits of `value`, at least 1 and at most [`PEEK`]; those above
    /// them are zero.
    #[inline(always)]
    pub fn put(&mut self, value: u64, count: u32) {
        let free = 64 - self.held;
        if count < free {
            self.word |= value << (free - count);
            self.held += count;
            return;
        }
        let left = count - free;
        flush(self.out, self.word | value >> left);
        // In two steps, for there may be nothing left.
        self.word = value << 1 << (63 - left);
        self.held = left;
    }

    /// Appends the bits of `bytes` between two places.
    pub fn copy(&mut self, bytes: &[u8], from: usize, to: usize) {
        const STEP: usize = PEEK - 1;
        let mut at = from;
        while at + STEP <= to {
            self.put(peek(bytes, at) >> (64 - STEP), STEP as u32);
            at += STEP;
        }
        if at < to {
            let count = to - at;
            self.put(peek(bytes, at) >> (64 - count), count as u32);
        }
    }

    /// Fills the last byte with ones.
    pub fn finish(mut self) {
        let padding = self.held.wrapping_neg() % 8;
        if padding > 0 {
            self.put((1 << padding) - 1, padding);
        }
        for &byte in &self.word.to_be_bytes()[..self.held as usize / 8] {
            push(self.out, byte);
        }
    }
}

#[inline(always)]
fn flush(out: &mut Vec<u8>, word: u64) {
    const LOW: u64 = 0x0101_0101_0101_0101;
    // A byte of the complement is zero: the usual test for that.
    let has_ff = (!word).wrapping_sub(LOW) & word & (LOW << 7) != 0;
    if has_ff {
        for byte in word.to_be_bytes() {
            push(out, byte);
        }
    } else {
        out.extend_from_slice(&word.to_be_bytes());
    }
}

fn push(out: &mut Vec<u8>, byte: u8) {
    out.push(byte);
    if byte == 0xff {
        out.push(0);
    }
}
