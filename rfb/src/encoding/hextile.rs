//! Hextile (RFC 6143 §7.7.4): tiles of 16×16 pixels, each either raw or a background with
//! subrectangles.
//!
//! A tile is one byte of flags; then PIXEL background and foreground if their flags are set; then
//! U8 number of subrectangles, and for each its PIXEL (if coloured), U8 `x << 4 | y` and
//! U8 `(width - 1) << 4 | (height - 1)`.

use super::subrects::{Subrect, background, cover};
use super::{Parameters, Picture, tiles};
use crate::pixel::convert::{Converter, Pen};

const SIDE: usize = 16;

const RAW: u8 = 1;
const BACKGROUND: u8 = 2;
const FOREGROUND: u8 = 4;
const SUBRECTS: u8 = 8;
const COLOURED: u8 = 16;

pub(super) fn encode(picture: &Picture<'_>, parameters: &Parameters, _: bool, out: &mut Vec<u8>) {
    let converter = Converter::new(&parameters.format);
    let codes = converter.codes(picture.pixels);
    let mut coder = Coder {
        pen: converter.pixel(),
        carried: Carried::default(),
        subrects: Vec::new(),
        scratch: Vec::new(),
    };
    tiles::for_each(&codes, picture.size, SIDE, |tile, width, _| {
        coder.tile(tile, width, out);
    });
}

/// The colours that a tile need not repeat. After a raw tile neither is relied on, nor the
/// foreground after coloured subrectangles: clients differ in what they keep.
#[derive(Default)]
struct Carried {
    background: Option<u32>,
    foreground: Option<u32>,
}

struct Coder<'c> {
    pen: Pen<'c>,
    carried: Carried,
    subrects: Vec<Subrect>,
    scratch: Vec<u32>,
}

impl Coder<'_> {
    fn tile(&mut self, codes: &[u32], width: usize, out: &mut Vec<u8>) {
        let start = out.len();
        let raw_size = 1 + codes.len() * self.pen.size();
        let back = background(codes, &mut self.scratch);
        self.scratch.clear();
        self.scratch.extend_from_slice(codes);
        // 255 is what the count can say; more than raw takes is useless as well.
        let limit = 255.min(raw_size / 2);
        let covered = cover(&mut self.scratch, width, back, limit, &mut self.subrects);
        if covered.is_some() {
            let carried = self.put_subrects(back, out);
            if out.len() - start < raw_size {
                self.carried = carried;
                return;
            }
            out.truncate(start);
        }
        out.push(RAW);
        self.pen.all(codes, out);
        self.carried = Carried::default();
    }

    /// Writes the tile as background and subrectangles; returns what the next tile can rely on.
    fn put_subrects(&self, back: u32, out: &mut Vec<u8>) -> Carried {
        let pen = self.pen;
        let mut flags = 0;
        if self.carried.background != Some(back) {
            flags |= BACKGROUND;
        }
        let mut carried = Carried {
            background: Some(back),
            foreground: self.carried.foreground,
        };
        let Some(first) = self.subrects.first() else {
            out.push(flags);
            if flags & BACKGROUND != 0 {
                pen.one(back, out);
            }
            return carried;
        };

        flags |= SUBRECTS;
        if self.subrects.iter().any(|s| s.code != first.code) {
            flags |= COLOURED;
            carried.foreground = None;
        } else if self.carried.foreground != Some(first.code) {
            flags |= FOREGROUND;
            carried.foreground = Some(first.code);
        }
        out.push(flags);
        if flags & BACKGROUND != 0 {
            pen.one(back, out);
        }
        if flags & FOREGROUND != 0 {
            pen.one(first.code, out);
        }
        out.push(self.subrects.len() as u8);
        for subrect in &self.subrects {
            if flags & COLOURED != 0 {
                pen.one(subrect.code, out);
            }
            out.push((subrect.x << 4 | subrect.y) as u8);
            out.push(((subrect.width - 1) << 4 | (subrect.height - 1)) as u8);
        }
        carried
    }
}
