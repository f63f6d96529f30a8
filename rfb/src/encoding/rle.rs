//! The tiles that TRLE and ZRLE have in common (RFC 6143 §7.7.5 and §7.7.6).
//!
//! A tile is one byte that says how it is coded, then:
//!
//! | byte | follows |
//! |---|---|
//! | 0 | the CPIXELs |
//! | 1 | one CPIXEL for all |
//! | 2..=16 | a palette of that many CPIXELs; indices of 1, 2 or 4 bits, rows padded to bytes |
//! | 128 | runs: CPIXEL, length |
//! | 130..=255 | a palette of (byte - 128) CPIXELs; runs: index for one pixel, or index + 128 and length |
//!
//! A length is the sum of its bytes plus one; every byte but the last is 255. The codings that use
//! the palette of the tile before (127 and 129 in TRLE) are never produced, because clients
//! disagree about which palette that is.

use super::palette::{Palette, pack};
use crate::pixel::convert::Pen;

const RAW: u8 = 0;
const SOLID: u8 = 1;
const PLAIN_RLE: u8 = 128;

/// Most colours of a packed palette and of a palette with runs.
const LARGEST_PACKED: usize = 16;
const LARGEST_PALETTE: usize = 127;

struct Run {
    code: u32,
    length: usize,
    index: u8,
}

/// Writes tiles, each in the way that takes the fewest bytes.
pub(super) struct TileCoder<'c> {
    pen: Pen<'c>,
    palette: Palette,
    runs: Vec<Run>,
}

impl<'c> TileCoder<'c> {
    pub(super) fn new(pen: Pen<'c>) -> Self {
        Self {
            pen,
            palette: Palette::new(LARGEST_PALETTE),
            runs: Vec::new(),
        }
    }

    /// Appends the tile that has these codes.
    pub(super) fn encode(&mut self, codes: &[u32], width: usize, out: &mut Vec<u8>) {
        let Some(has_palette) = self.find_runs(codes) else {
            out.push(RAW);
            self.pen.all(codes, out);
            return;
        };
        let colours = self.palette.colours().len();
        if has_palette && colours == 1 {
            out.push(SOLID);
            self.pen.one(codes[0], out);
            return;
        }

        let pixel = self.pen.size();
        let raw = codes.len() * pixel;
        let plain_rle: usize = self
            .runs
            .iter()
            .map(|r| pixel + length_bytes(r.length))
            .sum();
        let packed = if has_palette && colours <= LARGEST_PACKED {
            let row = (width * packed_bits(colours)).div_ceil(8);
            colours * pixel + codes.len() / width * row
        } else {
            usize::MAX
        };
        let palette_rle = if has_palette {
            let run = |r: &Run| match r.length {
                1 => 1,
                length => 1 + length_bytes(length),
            };
            colours * pixel + self.runs.iter().map(run).sum::<usize>()
        } else {
            usize::MAX
        };

        // The first of equals is the easiest to decode.
        let smallest = raw.min(packed).min(palette_rle).min(plain_rle);
        let start = out.len();
        if raw == smallest {
            out.push(RAW);
            self.pen.all(codes, out);
        } else if packed == smallest {
            self.put_packed(width, out);
        } else if palette_rle == smallest {
            self.put_palette_rle(out);
        } else {
            self.put_plain_rle(out);
        }
        debug_assert_eq!(out.len() - start, 1 + smallest, "the size was foreseen");
    }

    /// Collects the runs and, as long as it has room, the palette. Says whether it had; `None` if
    /// it had not and there are so many runs that raw is smallest.
    fn find_runs(&mut self, codes: &[u32]) -> Option<bool> {
        self.runs.clear();
        self.palette.clear();
        let mut has_palette = true;
        for run in codes.chunk_by(|a, b| a == b) {
            let mut index = None;
            if has_palette {
                index = self.palette.index(run[0]);
                if index.is_none() {
                    has_palette = false;
                    let least = count_runs(codes) * (self.pen.size() + 1);
                    if least >= codes.len() * self.pen.size() {
                        return None;
                    }
                }
            }
            self.runs.push(Run {
                code: run[0],
                length: run.len(),
                index: index.unwrap_or(0),
            });
        }
        Some(has_palette)
    }

    fn put_packed(&self, width: usize, out: &mut Vec<u8>) {
        let colours = self.palette.colours();
        // At most LARGEST_PACKED, so it fits.
        out.push(colours.len() as u8);
        self.pen.all(colours, out);
        let mut indices = Vec::new();
        for run in &self.runs {
            indices.resize(indices.len() + run.length, run.index);
        }
        pack(&indices, width, packed_bits(colours.len()), out);
    }

    fn put_palette_rle(&self, out: &mut Vec<u8>) {
        let colours = self.palette.colours();
        // At most LARGEST_PALETTE, so it fits.
        out.push(PLAIN_RLE + colours.len() as u8);
        self.pen.all(colours, out);
        for run in &self.runs {
            if run.length == 1 {
                out.push(run.index);
            } else {
                out.push(run.index | 0x80);
                put_length(run.length, out);
            }
        }
    }

    fn put_plain_rle(&self, out: &mut Vec<u8>) {
        out.push(PLAIN_RLE);
        for run in &self.runs {
            self.pen.one(run.code, out);
            put_length(run.length, out);
        }
    }
}

/// The number of runs; compiles to vector code, so it is far cheaper than collecting them.
fn count_runs(codes: &[u32]) -> usize {
    let changes = codes.iter().zip(&codes[1..]).filter(|(a, b)| a != b);
    1 + changes.count()
}

fn packed_bits(colours: usize) -> usize {
    match colours {
        0..=2 => 1,
        3..=4 => 2,
        _ => 4,
    }
}

/// Bytes that a run length takes.
fn length_bytes(length: usize) -> usize {
    (length - 1) / 255 + 1
}

fn put_length(length: usize, out: &mut Vec<u8>) {
    let rest = length - 1;
    out.resize(out.len() + rest / 255, 255);
    out.push((rest % 255) as u8);
}
