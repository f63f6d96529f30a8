//! Which MCUs are the same picture: an id made of their levels.
//!
//! The upper 48 bits of an id are a hash of the quantisation tables, the sampling and all levels,
//! DC levels in full and not as differences. The lower 16 bits are the chroma class: 0 if the
//! chroma has any AC level, otherwise a number made of its DC levels (1 if there is no chroma). If
//! two MCUs side by side have the same class that is not 0, then chroma that is smoothed between
//! them stays what it is.
//!
//! The levels are hashed as the tables of Annex K code them: a scan that uses these is hashed as it
//! is, others are recoded for it. So an id does not depend on the tables, nor on any other frame.

use super::bits::peek;
use super::coding::Component;
use super::huffman::{AcTable, END_OF_BLOCK, STANDARD, corrupt, run_of};
use crate::video::BadPicture;

/// What the ids of a picture's MCUs have in common.
#[derive(Clone, Copy, Debug)]
pub struct Identity {
    /// A hash of sampling and quantisation.
    seed: u64,
    /// Whether all AC levels are coded with the tables of Annex K.
    pub is_standard: bool,
}

/// How many bits END_OF_BLOCK has in the standard AC tables of luma and chroma.
const END_BITS: [(u64, u32); 2] = [(0b1010, 4), (0b00, 2)];

impl Identity {
    pub fn new(components: &[Component]) -> Self {
        let mut seed = 0;
        for component in components {
            let shape = u64::from(component.across) << 4 | u64::from(component.down);
            seed = mix(seed, shape, components.len() as u64);
            // Without the table's number.
            let precision = u64::from(component.quantisation[0] >> 4);
            for &step in &component.quantisation[1..] {
                seed = mix(seed, step.into(), precision);
            }
        }
        let mut numbered = components.iter().enumerate();
        Self {
            seed,
            is_standard: numbered.all(|(i, component)| component.is_standard(i > 0)),
        }
    }

    pub fn is_same(&self, other: &Identity) -> bool {
        self.seed == other.seed
    }

    /// Begins an MCU.
    #[inline(always)]
    pub fn begin(&self) -> Hash {
        Hash {
            hash: self.seed,
            is_textured: false,
        }
    }

    /// The id of an MCU all of whose blocks have the DC levels `dc` and no AC level.
    pub fn of_flat(&self, components: &[Component], dc: &[i16; 4]) -> u64 {
        let mut hash = self.begin();
        for (i, component) in components.iter().enumerate() {
            let (bits, count) = END_BITS[usize::from(i > 0)];
            for _ in 0..component.across * component.down {
                hash.take_piece(bits, count, dc[i]);
            }
        }
        hash.id(components.len(), dc)
    }
}

/// Bits are hashed in pieces of so many, the last piece of a block apart.
const STEP: usize = 56;

/// An MCU's levels, hashed so far.
pub struct Hash {
    hash: u64,
    is_textured: bool,
}

impl Hash {
    /// Takes a block: its AC levels are the bits between two places, coded with the standard table.
    #[inline(always)]
    pub fn take(&mut self, bytes: &[u8], mut from: usize, to: usize, dc: i16, is_chroma: bool) {
        self.is_textured |= is_chroma && to - from != END_BITS[1].1 as usize;
        while to - from > STEP {
            self.hash = mix(self.hash, peek(bytes, from) >> 8, 0);
            from += STEP;
        }
        let count = to - from;
        self.take_piece(peek(bytes, from) >> (64 - count), count as u32, dc);
    }

    /// Takes a block whose AC levels begin at `at` and are coded with the table `ac`; returns the
    /// place behind them.
    pub fn take_recoded(
        &mut self,
        bytes: &[u8],
        mut at: usize,
        ac: &AcTable,
        dc: i16,
        is_chroma: bool,
    ) -> Result<usize, BadPicture> {
        let standard = STANDARD.ac[usize::from(is_chroma)].as_deref();
        let codes = &standard.unwrap_or(ac).table.codes;
        // The last `count` bits of `recoded` are not yet hashed.
        let (mut recoded, mut count, mut total) = (0u128, 0, 0);
        let mut known = 1;
        loop {
            let window = peek(bytes, at);
            let (symbol, length) = ac.symbol(window)?;
            let category = u32::from(symbol & 15);
            let level = window << length >> 1 >> (63 - category);
            at += (length + category) as usize;
            let code = codes[usize::from(symbol)];
            let more = u32::from(code.length) + category;
            recoded = recoded << more | u128::from(code.bits) << category | u128::from(level);
            count += more;
            total += more;
            while count > STEP as u32 {
                count -= STEP as u32;
                let piece = (recoded >> count) as u64 & ((1 << STEP) - 1);
                self.hash = mix(self.hash, piece, 0);
            }
            if symbol == END_OF_BLOCK {
                break;
            }
            known += run_of(symbol).unwrap_or(64);
            match known {
                0..64 => {}
                64 => break,
                _ => return Err(corrupt("a block has more than 64 levels")),
            }
        }
        self.is_textured |= is_chroma && total != END_BITS[1].1;
        self.take_piece(recoded as u64 & ((1 << count) - 1), count, dc);
        Ok(at)
    }

    #[inline(always)]
    fn take_piece(&mut self, bits: u64, count: u32, dc: i16) {
        let extra = u64::from(count) << 16 | u64::from(dc as u16);
        self.hash = mix(self.hash, bits, extra);
    }

    /// The chroma of this MCU has several blocks of a component, and they are not alike.
    #[inline(always)]
    pub fn mark_textured(&mut self, if_so: bool) {
        self.is_textured |= if_so;
    }

    /// The id, where `dc` are the DC levels of the components' last blocks. Never 0.
    #[inline(always)]
    pub fn id(self, components: usize, dc: &[i16; 4]) -> u64 {
        let class = match (components, self.is_textured) {
            (1, _) => 1,
            (_, true) => 0,
            _ => chroma_class(dc[1], dc[2]),
        };
        match self.hash & !0xffff | class {
            0 => 1 << 16,
            id => id,
        }
    }
}

/// Different for any two pairs of levels between -127 and 127; levels beyond them are the same as
/// others that are a multiple of 255 away.
fn chroma_class(blue: i16, red: i16) -> u64 {
    let cut = |level: i16| level.rem_euclid(255) as u64;
    cut(blue) * 255 + cut(red) + 1
}

#[inline(always)]
fn mix(hash: u64, bits: u64, extra: u64) -> u64 {
    // Any numbers without a pattern.
    let product =
        u128::from(hash ^ bits ^ 0x9e37_79b9_7f4a_7c15) * u128::from(extra ^ 0xd6e8_feb8_6659_fd93);
    product as u64 ^ (product >> 64) as u64
}
