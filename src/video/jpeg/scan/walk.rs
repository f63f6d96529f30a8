//! Going through a scan once, to find where each MCU's bits lie and what its levels are.
//!
//! No level but DC is worked out: AC levels are skipped several at a time. What the previous
//! picture has the same bits for is taken over from it, which is sound wherever the predictors of
//! the DC levels are the same as well.

use super::Scan;
use super::bits::{common_bits, common_bytes, peek};
use super::coding::Coding;
use super::huffman::{AcTable, END_OF_BLOCK, MAX_DC_CATEGORY, Table, corrupt, extend};
use crate::video::BadPicture;

/// What is known of each MCU, row by row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Index {
    /// The place behind its last bit.
    pub ends: Vec<u32>,
    /// The DC level of the last block of each component.
    pub levels: Vec<[i16; 4]>,
    pub ids: Vec<u64>,
}

/// Bytes between the last block and EOI that mean nothing: many cameras leave some there, and every decoder passes over
/// them.
const EXTRANEOUS: usize = 64;

/// Walks the coded data `bytes`, whose restart intervals begin at the bytes `intervals`.
pub fn walk(
    coding: &Coding,
    bytes: &[u8],
    intervals: &[usize],
    previous: Option<&Scan>,
) -> Result<Index, BadPicture> {
    let count = coding.grid.0 * coding.grid.1;
    // A block has at least two bits, so this bounds what is allocated.
    if bytes.len() > u32::MAX as usize / 8 || bytes.len() * 8 < count * coding.blocks.len() * 2 {
        return Err(corrupt("its scan has too few bits, or too many"));
    }
    if intervals.len() != count.div_ceil(coding.restart) {
        return Err(corrupt("it has too few restart intervals, or too many"));
    }
    let mut walker = Walker::new(coding, bytes, count);
    // Restart intervals begin anew anyhow, and cameras that use them are rare.
    let previous = previous
        .filter(|previous| coding.restart == usize::MAX && coding.is_compatible(&previous.coding));
    for (number, &start) in intervals.iter().enumerate() {
        let end = intervals.get(number + 1).map_or(bytes.len(), |&end| end) * 8;
        walker.at = start * 8;
        walker.dc = [0; 4];
        if let Some(previous) = previous {
            walker.take_over_beginning(previous);
        }
        let to = count.min(coding.restart.saturating_mul(number + 1));
        if coding.identity.is_standard {
            walker.run::<true>(to, end, previous)?;
        } else {
            walker.run::<false>(to, end, previous)?;
        }
        let allowed = match number + 1 == intervals.len() {
            true => EXTRANEOUS * 8,
            false => 0,
        };
        if end - walker.at >= 8 + allowed {
            return Err(corrupt("its scan has more bits than blocks"));
        }
    }
    Ok(walker.index)
}

struct Walker<'a> {
    coding: &'a Coding,
    blocks: Vec<Block<'a>>,
    flat: Flat,
    bytes: &'a [u8],
    index: Index,
    /// The place of the next MCU.
    at: usize,
    /// The DC levels before it.
    dc: [i16; 4],
}

/// A block of an MCU, with what is needed to read it.
struct Block<'a> {
    dc: &'a Table,
    ac: &'a AcTable,
    component: usize,
    is_chroma: bool,
    is_first: bool,
}

/// The MCU that screens are full of: no AC level, and the DC levels of the one before.
struct Flat {
    /// Its bits, the first one highest.
    bits: u64,
    /// How many; 0 if such an MCU cannot be told by them.
    length: u32,
    /// The id it has with these DC levels.
    id: u64,
    dc: [i16; 4],
}

impl<'a> Walker<'a> {
    fn new(coding: &'a Coding, bytes: &'a [u8], count: usize) -> Self {
        let blocks: Vec<Block> = coding
            .blocks
            .iter()
            .map(|block| Block {
                dc: &coding.components[block.component].dc,
                ac: &coding.components[block.component].ac,
                component: block.component,
                is_chroma: block.component > 0,
                is_first: block.is_first,
            })
            .collect();
        Self {
            coding,
            flat: Flat::new(coding, &blocks),
            blocks,
            bytes,
            index: Index {
                ends: Vec::with_capacity(count),
                levels: Vec::with_capacity(count),
                ids: Vec::with_capacity(count),
            },
            at: 0,
            dc: [0; 4],
        }
    }

    /// Walks up to the MCU `to`. The bits end at `end`.
    fn run<const STANDARD: bool>(
        &mut self,
        to: usize,
        end: usize,
        previous: Option<&Scan>,
    ) -> Result<(), BadPicture> {
        while self.index.ids.len() < to {
            let window = peek(self.bytes, self.at);
            let id = if self.flat.is_at(window) {
                self.at += self.flat.length as usize;
                self.flat.id(self.coding, &self.dc)
            } else {
                self.mcu::<STANDARD>()?
            };
            if self.at > end {
                return Err(corrupt("its scan has fewer bits than blocks"));
            }
            self.index.ends.push(self.at as u32);
            self.index.levels.push(self.dc);
            self.index.ids.push(id);
            if let Some(previous) = previous {
                self.take_over_next(previous);
            }
        }
        Ok(())
    }

    /// Walks one MCU and returns its id.
    #[inline(always)]
    fn mcu<const STANDARD: bool>(&mut self) -> Result<u64, BadPicture> {
        let mut hash = self.coding.identity.begin();
        let mut range = 0;
        for block in &self.blocks {
            let window = peek(self.bytes, self.at);
            let (category, length) = dc_category(block.dc, window)?;
            let difference = extend(window << length, category) as i16;
            self.at += (length + category) as usize;
            // At most 10 × 2047 are added before the range is looked at.
            let dc = self.dc[block.component].wrapping_add(difference);
            self.dc[block.component] = dc;
            range |= dc.wrapping_add(1024) as u16;
            hash.mark_textured(block.is_chroma && !block.is_first && difference != 0);
            if STANDARD {
                let window = match length {
                    ..=9 => window << (length + category),
                    _ => peek(self.bytes, self.at),
                };
                let from = self.at;
                self.at = block.ac.skip(self.bytes, from, window)?;
                hash.take(self.bytes, from, self.at, dc, block.is_chroma);
            } else {
                self.at = hash.take_recoded(self.bytes, self.at, block.ac, dc, block.is_chroma)?;
            }
        }
        if range >> 11 != 0 {
            return Err(corrupt("a DC level is out of range"));
        }
        Ok(hash.id(self.coding.components.len(), &self.dc))
    }

    /// Takes over what the previous picture begins with as well.
    fn take_over_beginning(&mut self, previous: &Scan) {
        let same = common_bytes(self.bytes, &previous.bytes) * 8;
        let ends = &previous.index.ends;
        self.take_over(
            previous,
            ends.partition_point(|&end| end as usize <= same),
            0,
        );
    }

    /// Takes over what follows in the previous picture as well, if the DC levels are the same here.
    #[inline(always)]
    fn take_over_next(&mut self, previous: &Scan) {
        let next = self.index.ids.len();
        if previous.index.levels[next - 1] != self.dc {
            return;
        }
        let ends = &previous.index.ends;
        let old_at = ends[next - 1] as usize;
        let limit = (previous.bytes.len() * 8 - old_at).min(self.bytes.len() * 8 - self.at);
        let same = common_bits(self.bytes, self.at, &previous.bytes, old_at, limit);
        let reached = old_at + same;
        if ends.get(next).is_some_and(|&end| end as usize <= reached) {
            let more = ends[next..].partition_point(|&end| end as usize <= reached);
            let moved = (self.at as u32).wrapping_sub(old_at as u32);
            self.take_over(previous, next + more, moved);
        }
    }

    /// Takes over the MCUs up to `to`, whose bits lie `moved` further behind.
    fn take_over(&mut self, previous: &Scan, to: usize, moved: u32) {
        let Index { ends, levels, ids } = &mut self.index;
        let range = ids.len()..to;
        let old_ends = &previous.index.ends[range.clone()];
        ends.extend(old_ends.iter().map(|end| end.wrapping_add(moved)));
        levels.extend_from_slice(&previous.index.levels[range.clone()]);
        ids.extend_from_slice(&previous.index.ids[range]);
        if let (Some(&end), Some(&level)) = (ends.last(), levels.last()) {
            self.at = end as usize;
            self.dc = level;
        }
    }
}

/// The category of the DC difference that `window` begins with and the length of its code.
#[inline(always)]
pub fn dc_category(dc: &Table, window: u64) -> Result<(u32, u32), BadPicture> {
    match dc.symbol(window) {
        Some((category, length)) if category <= MAX_DC_CATEGORY => {
            Ok((u32::from(category), length))
        }
        Some(_) => Err(corrupt("a DC difference is larger than there can be")),
        None => Err(corrupt("a code is in none of its tables")),
    }
}

impl Flat {
    fn new(coding: &Coding, blocks: &[Block]) -> Self {
        let (mut bits, mut length) = (0, 0);
        for block in blocks {
            let dc = block.dc.codes[0];
            let ac = block.ac.table.codes[usize::from(END_OF_BLOCK)];
            for code in [dc, ac] {
                bits = bits << code.length | u128::from(code.bits);
                length += u32::from(code.length);
                if code.length == 0 || length > super::bits::PEEK as u32 {
                    return Self {
                        bits: 0,
                        length: 0,
                        id: 0,
                        dc: [0; 4],
                    };
                }
            }
        }
        Self {
            bits: (bits << (64 - length)) as u64,
            length,
            id: coding.identity.of_flat(&coding.components, &[0; 4]),
            dc: [0; 4],
        }
    }

    /// Whether `window` begins with such an MCU.
    #[inline(always)]
    fn is_at(&self, window: u64) -> bool {
        self.length > 0 && (window ^ self.bits) >> (64 - self.length) == 0
    }

    #[inline(always)]
    fn id(&mut self, coding: &Coding, dc: &[i16; 4]) -> u64 {
        if self.dc != *dc {
            self.id = coding.identity.of_flat(&coding.components, dc);
            self.dc = *dc;
        }
        self.id
    }
}
