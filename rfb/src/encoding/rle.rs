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

pub(super) const RAW: u8 = 0;
const SOLID: u8 = 1;
const PLAIN_RLE: u8 = 128;

/// Most colours of a packed palette and of a palette with runs.
const LARGEST_PACKED: usize = 16;
const LARGEST_PALETTE: usize = 127;

/// In tiles that are deflated, runs shorter than this are written as single pixels: the same pixels
/// then make the same bytes whatever stands beside them.
const LEAST_DEFLATED_RUN: usize = 5;

/// How a tile is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Raw,
    Solid,
    Packed,
    PaletteRle,
    PlainRle,
}

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
    /// Runs shorter than this are not written as runs in a palette.
    least_run: usize,
    /// A tile's palette begins with that of the tile before as long as there is room, so that the
    /// same pixels have the same indices in both.
    carries_palette: bool,
}

impl<'c> TileCoder<'c> {
    /// For tiles that go as they are.
    pub(super) fn new(pen: Pen<'c>) -> Self {
        Self {
            pen,
            palette: Palette::new(LARGEST_PALETTE),
            runs: Vec::new(),
            least_run: 2,
            carries_palette: false,
        }
    }

    /// For tiles that are deflated one after the other, so that what is alike in them costs little.
    pub(super) fn deflated(pen: Pen<'c>) -> Self {
        Self {
            least_run: LEAST_DEFLATED_RUN,
            carries_palette: true,
            ..Self::new(pen)
        }
    }

    /// Appends the tile that has these codes.
    pub(super) fn encode(&mut self, codes: &[u32], width: usize, out: &mut Vec<u8>) {
        let coding = self.choose(codes, width);
        self.put(coding, codes, width, out);
    }

    /// The coding of the tile that has these codes; what [`TileCoder::put`] needs for it is kept.
    pub(super) fn choose(&mut self, codes: &[u32], width: usize) -> Coding {
        if codes.iter().all(|&code| code == codes[0]) {
            return Coding::Solid;
        }
        let pixel = self.pen.size();
        let raw = codes.len() * pixel;
        let has_palette = self.find_palette(codes);
        if !has_palette {
            if count_runs(codes) * (pixel + 1) >= raw {
                return Coding::Raw;
            }
            self.find_runs(codes);
        }

        let colours = self.palette.colours().len();
        let run = |r: &Run| pixel + length_bytes(r.length);
        let plain_rle = self.runs.iter().map(run).sum();
        let packed = if has_palette && colours <= LARGEST_PACKED {
            let row = (width * packed_bits(colours)).div_ceil(8);
            colours * pixel + codes.len() / width * row
        } else {
            usize::MAX
        };
        let palette_rle = if has_palette {
            let run = |r: &Run| match r.length {
                length if length < self.least_run => length,
                length => 1 + length_bytes(length),
            };
            colours * pixel + self.runs.iter().map(run).sum::<usize>()
        } else {
            usize::MAX
        };

        // The first of equals is the easiest to decode.
        let sizes = [
            (raw, Coding::Raw),
            (packed, Coding::Packed),
            (palette_rle, Coding::PaletteRle),
            (plain_rle, Coding::PlainRle),
        ];
        let smallest = sizes.into_iter().min_by_key(|&(size, _)| size);
        smallest.map_or(Coding::Raw, |(_, coding)| coding)
    }

    /// Appends the tile for which this coding was just chosen.
    pub(super) fn put(&self, coding: Coding, codes: &[u32], width: usize, out: &mut Vec<u8>) {
        match coding {
            Coding::Raw => {
                out.push(RAW);
                self.pen.all(codes, out);
            }
            Coding::Solid => {
                out.push(SOLID);
                self.pen.one(codes[0], out);
            }
            Coding::Packed => self.put_packed(width, out),
            Coding::PaletteRle => self.put_palette_rle(out),
            Coding::PlainRle => self.put_plain_rle(out),
        }
    }

    /// Collects the runs and the palette; false if there are too many colours for one.
    fn find_palette(&mut self, codes: &[u32]) -> bool {
        if self.carries_palette && !self.palette.colours().is_empty() && self.find_indices(codes) {
            return true;
        }
        self.palette.clear();
        let found = self.find_indices(codes);
        if !found {
            self.palette.clear();
        }
        found
    }

    /// Collects the runs with their indices, adding to the palette; false if it has not enough room.
    fn find_indices(&mut self, codes: &[u32]) -> bool {
        self.runs.clear();
        for run in codes.chunk_by(|a, b| a == b) {
            let Some(index) = self.palette.index(run[0]) else {
                return false;
            };
            self.runs.push(Run {
                code: run[0],
                length: run.len(),
                index,
            });
        }
        true
    }

    /// Collects the runs alone.
    fn find_runs(&mut self, codes: &[u32]) {
        let runs = codes.chunk_by(|a, b| a == b).map(|run| Run {
            code: run[0],
            length: run.len(),
            index: 0,
        });
        self.runs.clear();
        self.runs.extend(runs);
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
            if run.length < self.least_run {
                out.resize(out.len() + run.length, run.index);
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
