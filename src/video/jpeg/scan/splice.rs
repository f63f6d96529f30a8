//! A JPEG of some of a picture's MCUs.
//!
//! Their bits are copied. Where an MCU has another neighbour before it than in the whole picture
//! (at the beginning of a row, and behind a restart marker, for these are dropped), the first DC
//! differences are coded anew.

use std::sync::Arc;

use rfb::geom::{Rect, Size};

use super::Scan;
use super::bits::{Stuffing, peek};
use super::coding::{Block, Component};
use super::huffman::{STANDARD, Table, categorise, extend};
use super::walk::dc_category;
use crate::video::BadPicture;

/// Up to so many bits, the tables are cut to what the MCUs use: for more it is not worth the time.
const MAX_BITS_SURVEYED: usize = 1 << 15;

impl Scan {
    /// Appends a whole baseline JPEG of these MCUs, of the size that they have within the picture.
    /// What is outside of the grid is cut off; nothing is appended if nothing is left.
    pub fn splice(&self, mcus: Rect, out: &mut Vec<u8>) {
        let mcus = mcus.intersection(self.whole());
        if mcus.is_empty() {
            return;
        }
        let length = out.len();
        // The walk has read all of this, so it can be read again.
        if self.try_splice(mcus, out).is_err() {
            out.truncate(length);
        }
    }

    /// The pixels that these MCUs have within the picture.
    pub fn pixels(&self, mcus: Rect) -> Rect {
        let mcu = self.mcu();
        let mcus = mcus.intersection(self.whole());
        Rect::from_edges(
            u32::from(mcus.x) * u32::from(mcu.width),
            u32::from(mcus.y) * u32::from(mcu.height),
            mcus.right() * u32::from(mcu.width),
            mcus.bottom() * u32::from(mcu.height),
        )
        .intersection(self.size().rect())
    }

    fn try_splice(&self, mcus: Rect, out: &mut Vec<u8>) -> Result<(), BadPicture> {
        let bits = self.bits(mcus);
        let mut head = Head::of(self);
        let mut changes = self.changes(mcus, Which::Needed)?;
        if !changes.iter().all(|change| head.has_code_for(change)) {
            head.take_standard_dc_tables();
            changes = self.changes(mcus, Which::All)?;
        }
        if bits <= MAX_BITS_SURVEYED {
            head.longest = self.longest_ac_codes(mcus)?;
        }
        out.reserve(bits / 8 + bits / 512 + 1024);
        head.write(self.pixels(mcus).size(), out);
        let mut changes = changes.into_iter().peekable();
        let mut stuffing = Stuffing::new(out);
        for (first, last) in self.runs(mcus) {
            let (mut at, end) = (self.start(first), self.end(last));
            while let Some(change) = changes.next_if(|change| change.from < end) {
                stuffing.copy(&self.bytes, at, change.from);
                let (value, count) = head.coded(&change);
                stuffing.put(value, count);
                at = change.to;
            }
            stuffing.copy(&self.bytes, at, end);
        }
        stuffing.finish();
        out.extend_from_slice(&[0xff, 0xd9]);
        Ok(())
    }

    /// The first and the last MCU of each piece of the scan that is copied: the rows, cut where
    /// a restart interval begins.
    fn runs(&self, mcus: Rect) -> impl Iterator<Item = (usize, usize)> + use<> {
        let restart = self.coding.restart;
        self.rows(mcus).flat_map(move |(first, last)| {
            (first / restart..=last / restart).map(move |interval| {
                let begin = interval.saturating_mul(restart);
                (
                    first.max(begin),
                    last.min(begin.saturating_add(restart - 1)),
                )
            })
        })
    }

    /// The DC differences that are not as they were, in their order.
    fn changes(&self, mcus: Rect, which: Which) -> Result<Vec<Change>, BadPicture> {
        let mut changes = Vec::new();
        // The levels from which the differences count in the new JPEG.
        let mut new = [0; 4];
        for (first, last) in self.runs(mcus) {
            let mut old = self.levels_before(first);
            let mut at = self.start(first);
            let walked = match which {
                Which::Needed => first..=first,
                Which::All => first..=last,
            };
            for _ in walked {
                for &Block { component, .. } in &self.coding.blocks {
                    let Component { dc, ac, .. } = &self.coding.components[component];
                    let window = peek(&self.bytes, at);
                    let (category, length) = dc_category(dc, window)?;
                    let from = at;
                    at += (length + category) as usize;
                    let level = old[component] + extend(window << length, category) as i16;
                    if which == Which::All || old[component] != new[component] {
                        changes.push(Change {
                            component,
                            difference: i32::from(level) - i32::from(new[component]),
                            from,
                            to: at,
                        });
                    }
                    (old[component], new[component]) = (level, level);
                    at = ac.skip(&self.bytes, at, peek(&self.bytes, at))?;
                }
            }
            new = self.index.levels[last];
        }
        Ok(changes)
    }

    /// The length of the longest AC code that these MCUs use, for each table.
    fn longest_ac_codes(&self, mcus: Rect) -> Result<[u8; 4], BadPicture> {
        let mut longest = [1; 4];
        for (first, last) in self.runs(mcus) {
            let mut at = self.start(first);
            for _ in first..=last {
                for &Block { component, .. } in &self.coding.blocks {
                    let Component {
                        dc, ac, ac_number, ..
                    } = &self.coding.components[component];
                    let (category, length) = dc_category(dc, peek(&self.bytes, at))?;
                    at += (length + category) as usize;
                    let longest = &mut longest[usize::from(*ac_number)];
                    at = ac.survey(&self.bytes, at, longest)?;
                }
            }
        }
        Ok(longest)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    /// Those at joints whose predictor is another one.
    Needed,
    All,
}

/// A DC difference that is coded anew.
struct Change {
    component: usize,
    difference: i32,
    /// The places of the old code, and behind the bits of the old difference.
    from: usize,
    to: usize,
}

/// What is before the coded data.
struct Head<'a> {
    scan: &'a Scan,
    /// For each component its table and the table's number.
    dc: Vec<(Arc<Table>, u8)>,
    /// For each AC table the length of the longest code that it needs.
    longest: [u8; 4],
}

impl<'a> Head<'a> {
    fn of(scan: &'a Scan) -> Self {
        let components = scan.coding.components.iter();
        Self {
            scan,
            dc: components.map(|c| (c.dc.clone(), c.dc_number)).collect(),
            longest: [16; 4],
        }
    }

    /// Tables with a code for every difference there can be.
    fn take_standard_dc_tables(&mut self) {
        for (i, (table, number)) in self.dc.iter_mut().enumerate() {
            *number = u8::from(i > 0);
            if let Some(standard) = &STANDARD.dc[usize::from(*number)] {
                *table = standard.clone();
            }
        }
    }

    fn has_code_for(&self, change: &Change) -> bool {
        let (category, _) = categorise(change.difference);
        self.dc[change.component].0.codes[usize::from(category)].length > 0
    }

    /// The bits of a difference, and how many they are.
    fn coded(&self, change: &Change) -> (u64, u32) {
        let (category, bits) = categorise(change.difference);
        let code = self.dc[change.component].0.codes[usize::from(category)];
        (
            u64::from(code.bits) << category | bits,
            u32::from(code.length + category),
        )
    }

    /// Appends everything from SOI to the scan header.
    fn write(&self, size: Size, out: &mut Vec<u8>) {
        let coding = &self.scan.coding;
        let components = &coding.components;
        out.extend_from_slice(&[0xff, 0xd8]);
        out.extend_from_slice(&coding.colours);

        segment(out, 0xdb, |out| {
            for (i, c) in components.iter().enumerate() {
                let mut before = components[..i].iter();
                if before.all(|other| other.quantisation_number != c.quantisation_number) {
                    out.extend_from_slice(&c.quantisation);
                }
            }
        });

        let id = |i: usize| match coding.is_plain {
            true => i as u8 + 1,
            false => components[i].id,
        };
        segment(out, coding.frame_code, |out| {
            out.push(8);
            out.extend_from_slice(&size.height.to_be_bytes());
            out.extend_from_slice(&size.width.to_be_bytes());
            out.push(components.len() as u8);
            for (i, c) in components.iter().enumerate() {
                out.extend_from_slice(&[id(i), c.across << 4 | c.down, c.quantisation_number]);
            }
        });

        segment(out, 0xc4, |out| {
            for (i, (table, number)) in self.dc.iter().enumerate() {
                if self.dc[..i].iter().all(|(_, other)| other != number) {
                    table.spec.write(*number, 16, out);
                }
            }
            for (i, c) in components.iter().enumerate() {
                let mut before = components[..i].iter();
                if before.all(|other| other.ac_number != c.ac_number) {
                    let longest = self.longest[usize::from(c.ac_number)];
                    c.ac.table.spec.write(0x10 | c.ac_number, longest, out);
                }
            }
        });

        segment(out, 0xda, |out| {
            out.push(components.len() as u8);
            for (i, c) in components.iter().enumerate() {
                out.extend_from_slice(&[id(i), self.dc[i].1 << 4 | c.ac_number]);
            }
            out.extend_from_slice(&[0, 63, 0]);
        });
    }
}

/// Appends a marker segment: marker, length, what `fill` appends.
fn segment(out: &mut Vec<u8>, code: u8, fill: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(&[0xff, code, 0, 0]);
    let start = out.len();
    fill(out);
    let length = (out.len() - start + 2) as u16;
    out[start - 2..start].copy_from_slice(&length.to_be_bytes());
}
