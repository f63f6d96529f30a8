//! ZRLE (RFC 6143 §7.7.6): U32 length, then that many bytes of a zlib stream that lasts as long as
//! the connection; inflated they are tiles of 64×64 pixels and nothing else.

use super::rle::{self, Coding, TileCoder};
use super::{Parameters, Picture, deflate, deflate_pixels, tiles};
use crate::pixel::convert::Converter;
use crate::wire::{Put, put_u32_prefixed};

const SIDE: usize = 64;

/// Up to so many bytes between raw tiles are not worth a chunk of their own.
const SHORT: usize = 64;

pub(super) fn encode(
    picture: &Picture<'_>,
    parameters: &Parameters,
    first_of_stream: bool,
    out: &mut Vec<u8>,
) {
    let converter = Converter::new(&parameters.format);
    let codes = converter.codes(picture.pixels);
    let pen = converter.cpixel();
    let mut coder = TileCoder::deflated(pen);
    put_u32_prefixed(out, |out| {
        if first_of_stream {
            out.put(&deflate::HEADER);
        }
        let mut chunks = Chunks::new(parameters.level, out);
        tiles::for_each(&codes, picture.size, SIDE, |tile, width, _| {
            let coding = coder.choose(tile, width);
            let by_pixels = coding == Coding::Raw && tile.len() >= deflate_pixels::LEAST;
            match pen.triples(if by_pixels { tile } else { &[] }) {
                Some(pixels) if by_pixels => chunks.put_raw(&pixels),
                _ => coder.put(coding, tile, width, &mut chunks.coded),
            }
        });
        chunks.end();
    });
}

/// Deflates tiles, those that are raw by pixels and what stands between them by bytes.
struct Chunks<'o> {
    level: u8,
    /// Tiles that are not yet in a chunk; they come after those in `raw`.
    coded: Vec<u8>,
    /// The chunk of raw tiles that has begun.
    raw: Option<deflate_pixels::Chunk>,
    out: &'o mut Vec<u8>,
}

impl<'o> Chunks<'o> {
    fn new(level: u8, out: &'o mut Vec<u8>) -> Self {
        Self {
            level,
            coded: Vec::new(),
            raw: None,
            out,
        }
    }

    fn put_raw(&mut self, pixels: &[u32]) {
        self.settle();
        let raw = self.raw.get_or_insert_with(deflate_pixels::Chunk::new);
        raw.bytes(&[rle::RAW], self.out);
        raw.pixels(pixels, self.out);
    }

    /// Brings what is in `coded` into a chunk.
    fn settle(&mut self) {
        if let Some(raw) = &mut self.raw
            && self.coded.len() <= SHORT
        {
            raw.bytes(&self.coded, self.out);
        } else if !self.coded.is_empty() {
            if let Some(raw) = self.raw.take() {
                raw.end(self.out);
            }
            deflate::chunk(self.level, &self.coded, self.out);
        }
        self.coded.clear();
    }

    fn end(mut self) {
        self.settle();
        if let Some(raw) = self.raw {
            raw.end(self.out);
        }
    }
}
