//! Deflate (RFC 1951) for pixels of three bytes that are no text: photographs, films, gradients.
//!
//! What is repeated there are whole pixels, so only those are looked for, which leaves a third of the
//! places to look at. (Measured on a film: 0.4 times the time of zlib's level 2, and no more bytes.)

use super::huffman::{Code, codes};

/// Bytes of a pixel.
const PIXEL: usize = 3;

/// Farthest and longest repetition in pixels: 32768 and 258 bytes.
const FARTHEST: usize = 32_768 / PIXEL;
const LONGEST: usize = 258 / PIXEL;

/// Tokens in a block: enough to make up for its codes, few enough that these follow the picture.
const BLOCK: usize = 16_384;

/// What stands in a token's top byte if it is a single byte.
const BYTE: u32 = 0xff;

const END_OF_BLOCK: usize = 256;

/// Fewer pixels are better left to a compressor that can do without codes of its own.
pub(super) const LEAST: usize = 512;

/// One chunk that stands for itself (see [`super::deflate`]), made of pixels and other bytes.
///
/// Repetitions are found within the pixels that are given together.
pub(super) struct Chunk {
    block: Block,
    bits: BitWriter,
    seen: Seen,
}

impl Chunk {
    pub(super) fn new() -> Self {
        Self {
            block: Block::new(),
            bits: BitWriter::default(),
            seen: Seen::new(),
        }
    }

    /// Goes on with `pixels`, each with its bytes in the order on the wire from the lowest up; the
    /// top byte is zero.
    pub(super) fn pixels(&mut self, pixels: &[u32], out: &mut Vec<u8>) {
        let mut at = 0;
        while at < pixels.len() {
            if let Some((distance, length)) = self.seen.repetition(pixels, at) {
                self.block.repeat(distance, length);
                at += length;
                // Where a repetition ends, the next is likely to begin.
                self.seen.note(pixels, at - 1);
            } else {
                self.block.literal(pixels[at]);
                at += 1;
            }
            self.write_full_block(out);
        }
        self.seen.base += pixels.len();
    }

    /// Goes on with these bytes as they are.
    pub(super) fn bytes(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        for &byte in bytes {
            self.block.byte(byte);
            self.write_full_block(out);
        }
    }

    pub(super) fn end(mut self, out: &mut Vec<u8>) {
        if !self.block.tokens.is_empty() {
            self.block.write(&mut self.bits, out);
        }
        self.bits.sync_flush(out);
    }

    fn write_full_block(&mut self, out: &mut Vec<u8>) {
        if self.block.tokens.len() == BLOCK {
            self.block.write(&mut self.bits, out);
        }
    }
}

/// Where each pair of pixels was last seen.
struct Seen {
    /// Places as indices plus `base`; smaller ones, zero among them, are of pixels before these.
    places: Box<[u32; Seen::SLOTS]>,
    base: usize,
}

impl Seen {
    const BITS: u32 = 14;
    const SLOTS: usize = 1 << Self::BITS;

    fn new() -> Self {
        Self {
            places: Box::new([0; Self::SLOTS]),
            base: 1,
        }
    }

    /// How far back the pixels at `at` were before, and how many of them.
    fn repetition(&mut self, pixels: &[u32], at: usize) -> Option<(usize, usize)> {
        let here = &pixels[at..];
        let mut best = None;
        let mut longest = 0;
        if at > 0 && pixels[at - 1] == here[0] {
            longest = common(&pixels[at - 1..], here);
            best = Some((1, longest));
        }
        if let Some(before) = self.note(pixels, at)
            && before < at
            && at - before <= FARTHEST
        {
            let length = common(&pixels[before..], here);
            if length >= 2 && length > longest {
                best = Some((at - before, length));
            }
        }
        best
    }

    /// Puts down the pair at `at`, if it is not the last pixel, and gives the place that was noted
    /// before, which may be that of another pair.
    fn note(&mut self, pixels: &[u32], at: usize) -> Option<usize> {
        let &[first, second, ..] = &pixels[at..] else {
            return None;
        };
        let pair = u64::from(first) | u64::from(second) << 24;
        // Fibonacci hashing: the top bits of the product depend on all bits of the pair.
        let slot = (pair.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - Self::BITS)) as usize;
        let before = std::mem::replace(&mut self.places[slot], (self.base + at) as u32);
        (before as usize).checked_sub(self.base)
    }
}

/// How many pixels both begin with alike, up to [`LONGEST`].
fn common(a: &[u32], b: &[u32]) -> usize {
    let pairs = a.iter().zip(b).take(LONGEST);
    pairs.take_while(|(a, b)| a == b).count()
}

/// A part of the input as literals and repetitions, and how often each symbol occurs in it.
struct Block {
    /// A pixel, `length << 24 | distance` (both in pixels), or `BYTE << 24 | byte`.
    tokens: Vec<u32>,
    literals: [u32; 286],
    distances: [u32; 30],
}

impl Block {
    fn new() -> Self {
        Self {
            tokens: Vec::with_capacity(BLOCK),
            literals: [0; 286],
            distances: [0; 30],
        }
    }

    fn literal(&mut self, pixel: u32) {
        self.tokens.push(pixel);
        let [a, b, c, _] = pixel.to_le_bytes();
        for byte in [a, b, c] {
            self.literals[usize::from(byte)] += 1;
        }
    }

    fn byte(&mut self, byte: u8) {
        self.tokens.push(BYTE << 24 | u32::from(byte));
        self.literals[usize::from(byte)] += 1;
    }

    fn repeat(&mut self, distance: usize, length: usize) {
        self.tokens.push((length << 24 | distance) as u32);
        self.literals[LENGTHS[length].symbol] += 1;
        self.distances[Extended::distance(distance * PIXEL).symbol] += 1;
    }

    /// Writes the block with codes of its own, and empties it.
    fn write(&mut self, bits: &mut BitWriter, out: &mut Vec<u8>) {
        self.literals[END_OF_BLOCK] = 1;
        let literals = codes(&self.literals, 15);
        let distances = codes(&self.distances, 15);
        put_codes(&literals, &distances, bits, out);

        let lengths = LENGTHS.map(|length| {
            if length.symbol == 0 {
                return (0, 0);
            }
            let code = literals[length.symbol];
            let extra = length.extra << code.length;
            (
                u64::from(code.bits) | u64::from(extra),
                u32::from(code.length) + length.bits,
            )
        });
        for &token in &self.tokens {
            let [a, b, c, length] = token.to_le_bytes().map(usize::from);
            if length == 0 {
                let [a, b, c] = [literals[a], literals[b], literals[c]];
                let mut all = u64::from(c.bits);
                all = all << b.length | u64::from(b.bits);
                all = all << a.length | u64::from(a.bits);
                bits.put(all, u32::from(a.length + b.length + c.length), out);
            } else if length == BYTE as usize {
                bits.code(literals[a], out);
            } else {
                let distance = Extended::distance((token & 0xff_ffff) as usize * PIXEL);
                let code = distances[distance.symbol];
                let (mut all, mut count) = lengths[length];
                all |= u64::from(code.bits) << count;
                count += u32::from(code.length);
                all |= u64::from(distance.extra) << count;
                count += distance.bits;
                bits.put(all, count, out);
            }
        }
        bits.code(literals[END_OF_BLOCK], out);
        self.tokens.clear();
        self.literals.fill(0);
        self.distances.fill(0);
    }
}

/// A symbol and the bits that follow its code (RFC 1951 §3.2.5).
#[derive(Clone, Copy)]
struct Extended {
    symbol: usize,
    extra: u32,
    bits: u32,
}

/// The symbols of repetitions of so many pixels.
const LENGTHS: [Extended; LONGEST + 1] = {
    let mut all = [Extended {
        symbol: 0,
        extra: 0,
        bits: 0,
    }; LONGEST + 1];
    let mut pixels = 1;
    while pixels <= LONGEST {
        all[pixels] = Extended::length(pixels * PIXEL);
        pixels += 1;
    }
    all
};

impl Extended {
    /// From bytes, 3..=258.
    const fn length(bytes: usize) -> Self {
        if bytes == 258 {
            return Self {
                symbol: 285,
                extra: 0,
                bits: 0,
            };
        }
        Self::grouped(bytes - 3, 2, 257)
    }

    /// From bytes, 1..=32768.
    const fn distance(bytes: usize) -> Self {
        Self::grouped(bytes - 1, 1, 0)
    }

    /// Two to the power of `fine` symbols for each power of two; the lowest numbers have one each.
    const fn grouped(value: usize, fine: u32, first: usize) -> Self {
        let bits = if value >> fine == 0 {
            0
        } else {
            value.ilog2() - fine
        };
        Self {
            symbol: first + ((bits as usize) << fine) + (value >> bits),
            extra: (value & ((1 << bits) - 1)) as u32,
            bits,
        }
    }
}

/// Writes the head of a block with codes of its own (RFC 1951 §3.2.7).
fn put_codes(
    literals: &[Code; 286],
    distances: &[Code; 30],
    bits: &mut BitWriter,
    out: &mut Vec<u8>,
) {
    let used = |codes: &[Code], least: usize| {
        let last = codes.iter().rposition(|code| code.length > 0);
        last.map_or(least, |last| least.max(last + 1))
    };
    let (literal_count, distance_count) = (used(literals, 257), used(distances, 1));
    let all = literals[..literal_count]
        .iter()
        .chain(&distances[..distance_count]);
    let all: Vec<u8> = all.map(|code| code.length).collect();
    let mut steps = Vec::new();
    let mut frequencies = [0; 19];
    for run in all.chunk_by(|a, b| a == b) {
        let (length, mut left) = (run[0], run.len());
        let mut step = |symbol: u8, extra: usize, bits: u32| {
            frequencies[usize::from(symbol)] += 1;
            steps.push((symbol, extra as u64, bits));
        };
        if length > 0 {
            step(length, 0, 0);
            left -= 1;
        }
        while left >= 3 {
            let count = match (length, left) {
                (0, 11..) => {
                    let count = left.min(138);
                    step(18, count - 11, 7);
                    count
                }
                (0, _) => {
                    step(17, left - 3, 3);
                    left
                }
                _ => {
                    let count = left.min(6);
                    step(16, count - 3, 2);
                    count
                }
            };
            left -= count;
        }
        for _ in 0..left {
            step(length, 0, 0);
        }
    }
    const ORDER: [usize; 19] = [
        16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
    ];
    let codes = codes(&frequencies, 7);
    let used = ORDER.iter().rposition(|&symbol| codes[symbol].length > 0);
    let count = used.map_or(4, |last| 4.max(last + 1));
    bits.put(0b100, 3, out);
    bits.put(literal_count as u64 - 257, 5, out);
    bits.put(distance_count as u64 - 1, 5, out);
    bits.put(count as u64 - 4, 4, out);
    for &symbol in &ORDER[..count] {
        bits.put(u64::from(codes[symbol].length), 3, out);
    }
    for (symbol, extra, extra_bits) in steps {
        bits.code(codes[usize::from(symbol)], out);
        bits.put(extra, extra_bits, out);
    }
}

/// Writes bits, the first in the lowest place of a byte.
#[derive(Default)]
struct BitWriter {
    /// Fewer than 8 bits that do not fill a byte yet.
    held: u64,
    count: u32,
}

impl BitWriter {
    /// Writes up to 56 bits.
    fn put(&mut self, bits: u64, count: u32, out: &mut Vec<u8>) {
        self.held |= bits << self.count;
        self.count += count;
        let whole = self.count / 8;
        let length = out.len();
        out.extend_from_slice(&self.held.to_le_bytes());
        out.truncate(length + whole as usize);
        self.held = self.held.checked_shr(whole * 8).unwrap_or(0);
        self.count %= 8;
    }

    fn code(&mut self, code: Code, out: &mut Vec<u8>) {
        self.put(u64::from(code.bits), u32::from(code.length), out);
    }

    /// An empty stored block: it ends on a byte.
    fn sync_flush(mut self, out: &mut Vec<u8>) {
        self.put(0, 3, out);
        self.put(0, (8 - self.count) % 8, out);
        out.extend_from_slice(&[0, 0, 0xff, 0xff]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Decompress, FlushDecompress};

    fn inflated(chunk: &[u8], size: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(size + 1);
        Decompress::new(false)
            .decompress_vec(chunk, &mut out, FlushDecompress::Sync)
            .expect("valid deflate");
        out
    }

    #[test]
    fn pixels_arrive() {
        let noise = |i: u32| i.wrapping_mul(0x9e37_79b1) >> 8;
        let pictures: Vec<Vec<u32>> = vec![
            vec![7],
            vec![7, 8],
            vec![0x12_34_56; 300],
            (0..70_000).map(noise).collect(),
            (0..40_000).map(|i| noise(i % 10_922)).collect(),
            (0..40_000).map(|i| noise(i % 10_923)).collect(),
            (0..40_000).map(|i| noise(i / 87)).collect(),
            (0..40_000).map(|i| noise(noise(i) % 50)).collect(),
        ];
        for pixels in pictures {
            let bytes: Vec<u8> = pixels
                .iter()
                .flat_map(|p| p.to_le_bytes()[..3].to_vec())
                .collect();
            let mut coded = Vec::new();
            let mut chunk = Chunk::new();
            chunk.pixels(&pixels, &mut coded);
            chunk.end(&mut coded);
            assert!(coded.ends_with(&[0, 0, 0xff, 0xff]));
            assert!(
                inflated(&coded, bytes.len()) == bytes,
                "{} pixels",
                pixels.len()
            );
        }
    }
}
