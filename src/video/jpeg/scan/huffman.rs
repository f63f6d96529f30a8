//! Huffman tables: as they are written, and made ready for reading (T.81, B.2.4.2, Annex C, F.2.2).

use std::sync::{Arc, LazyLock};

use super::bits::peek;
use crate::video::{BadPicture, jpeg::tables::STANDARD_HUFFMAN};

/// Highest category of a DC difference, and of an AC level, of 8-bit samples (F.1.2.1.1, F.1.2.2.1).
pub const MAX_DC_CATEGORY: u8 = 11;
pub const MAX_AC_CATEGORY: u8 = 10;

/// AC symbols that stand for no level: the rest of the block is zero, and 16 zeros.
pub const END_OF_BLOCK: u8 = 0x00;
pub const SIXTEEN_ZEROS: u8 = 0xf0;

/// A table as DHT says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// How many codes there are of 1 to 16 bits.
    counts: [u8; 16],
    /// In the order of their codes.
    values: Vec<u8>,
}

/// One code of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Code {
    pub bits: u16,
    /// 0 if there is no such code.
    pub length: u8,
}

impl Spec {
    /// Reads counts and values; returns also what follows them.
    pub fn parse(bytes: &[u8]) -> Result<(Spec, &[u8]), BadPicture> {
        let (counts, rest) = bytes
            .split_first_chunk::<16>()
            .ok_or_else(|| corrupt("a Huffman table is cut short"))?;
        let total = counts.iter().map(|&count| usize::from(count)).sum();
        let (values, rest) = rest
            .split_at_checked(total)
            .filter(|_| total <= 256)
            .ok_or_else(|| corrupt("a Huffman table is cut short"))?;
        let spec = Spec {
            counts: *counts,
            values: values.to_vec(),
        };
        let fits = spec
            .codes()
            .all(|(_, code, length)| code < 1 << length && length > 0);
        if fits {
            Ok((spec, rest))
        } else {
            Err(corrupt("a Huffman table has more codes than there can be"))
        }
    }

    /// Value, code and its length, shortest first.
    fn codes(&self) -> impl Iterator<Item = (u8, u32, u32)> {
        let mut code = 0;
        let lengths = (1..).zip(&self.counts);
        let codes = lengths.flat_map(move |(length, &count)| {
            let first = code;
            code = (code + u32::from(count)) << 1;
            (first..first + u32::from(count)).map(move |code| (code, length))
        });
        let values = self.values.iter();
        values
            .zip(codes)
            .map(|(&value, (code, length))| (value, code, length))
    }

    /// By value.
    fn by_value(&self) -> [Code; 256] {
        let mut all = [Code::default(); 256];
        for (value, bits, length) in self.codes() {
            all[usize::from(value)] = Code {
                bits: bits as u16,
                length: length as u8,
            };
        }
        all
    }

    /// Appends the table as in a DHT segment, without the codes longer than `longest`: those kept
    /// stay as they are. `class_and_number` is its first byte.
    pub fn write(&self, class_and_number: u8, longest: u8, out: &mut Vec<u8>) {
        let kept = &self.counts[..usize::from(longest).min(16)];
        let total = kept.iter().map(|&count| usize::from(count)).sum();
        out.push(class_and_number);
        out.extend_from_slice(kept);
        out.resize(out.len() + 16 - kept.len(), 0);
        out.extend_from_slice(&self.values[..total]);
    }
}

/// Reads one symbol at a time.
pub struct Symbols {
    /// By the next [`Symbols::DIRECT`] bits: value << 8 | length, or 0 for a longer code.
    direct: Box<[u16; 1 << Symbols::DIRECT]>,
    /// By length - 1: the first 16 bits behind the codes up to this length, where the values of
    /// this length begin and the first code of it.
    limits: [u32; 16],
    values_at: [usize; 16],
    first_codes: [u32; 16],
}

impl Symbols {
    const DIRECT: usize = 9;

    fn new(spec: &Spec) -> Self {
        let mut symbols = Self {
            direct: Box::new([0; 1 << Self::DIRECT]),
            limits: [0; 16],
            values_at: [0; 16],
            first_codes: [0; 16],
        };
        let (mut code, mut at) = (0, 0);
        for (i, &count) in spec.counts.iter().enumerate() {
            symbols.first_codes[i] = code;
            symbols.values_at[i] = at;
            code += u32::from(count);
            at += usize::from(count);
            symbols.limits[i] = code << (15 - i);
            code <<= 1;
        }
        for (value, code, length) in spec.codes() {
            if let Some(spare) = (Self::DIRECT as u32).checked_sub(length) {
                let first = (code << spare) as usize;
                let entry = u16::from(value) << 8 | length as u16;
                symbols.direct[first..first + (1 << spare)].fill(entry);
            }
        }
        symbols
    }

    /// The value and the length of the code that `window` begins with.
    #[inline(always)]
    fn read(&self, spec: &Spec, window: u64) -> Option<(u8, u32)> {
        match self.direct[(window >> (64 - Self::DIRECT)) as usize] {
            0 => self.read_long(spec, window),
            entry => Some(((entry >> 8) as u8, u32::from(entry & 0xff))),
        }
    }

    #[cold]
    fn read_long(&self, spec: &Spec, window: u64) -> Option<(u8, u32)> {
        let next = (window >> 48) as u32;
        let i = self.limits.iter().position(|&limit| next < limit)?;
        let index = (next >> (15 - i)).checked_sub(self.first_codes[i])?;
        let value = spec.values.get(self.values_at[i] + index as usize)?;
        Some((*value, i as u32 + 1))
    }
}

/// A table of DC categories, or of AC symbols.
pub struct Table {
    pub spec: Spec,
    /// By symbol.
    pub codes: Box<[Code; 256]>,
    symbols: Symbols,
}

impl Table {
    fn new(spec: Spec) -> Self {
        Self {
            codes: Box::new(spec.by_value()),
            symbols: Symbols::new(&spec),
            spec,
        }
    }

    /// The symbol that `window` begins with and the length of its code.
    #[inline(always)]
    pub fn symbol(&self, window: u64) -> Option<(u8, u32)> {
        self.symbols.read(&self.spec, window)
    }
}

/// The level or difference of a category: `window` begins with its bits (Table F.1, EXTEND).
#[inline(always)]
pub fn extend(window: u64, category: u32) -> i32 {
    let value = (window >> 1 >> (63 - category)) as i32;
    let is_negative = !(window as i64) >> 63;
    value - (is_negative as i32 & ((1 << category) - 1))
}

/// The category of a difference or level, and its bits.
pub fn categorise(value: i32) -> (u8, u64) {
    let category = 32 - value.unsigned_abs().leading_zeros();
    let bits = if value < 0 {
        value + (1 << category) - 1
    } else {
        value
    };
    (category as u8, bits as u64)
}

/// A table of AC symbols that also skips several of them at once.
pub struct AcTable {
    pub table: Table,
    skips: Box<[Skip; 1 << AcTable::WINDOW]>,
}

/// What the symbols take whose codes begin with these bits: in the lower byte their bits with those
/// of their levels, in the upper byte how many coefficients they stand for.
///
/// It is the symbols whose codes lie wholly in the window; the bits of the last level may reach
/// beyond it. [`ENDS`] is added if the last one ends the block. [`AcTable::UNKNOWN`]
/// is a code that is longer than the window, or none at all.
#[derive(Clone, Copy)]
struct Skip(u16);

const ENDS: u32 = 128;

impl AcTable {
    const WINDOW: usize = 13;
    const UNKNOWN: Skip = Skip(0xff00);

    fn new(spec: Spec) -> Self {
        let table = Table::new(spec);
        let mut skips = Box::new([Self::UNKNOWN; 1 << Self::WINDOW]);
        for (window, skip) in (0u64..).zip(skips.iter_mut()) {
            *skip = Self::skip_in(&table, window << (64 - Self::WINDOW));
        }
        Self { table, skips }
    }

    fn skip_in(table: &Table, window: u64) -> Skip {
        let (mut bits, mut coefficients) = (0, 0);
        while bits < Self::WINDOW as u32 {
            // The zeros behind the window are not known, so a code that needs them is none.
            let Some((symbol, length)) = table.symbol(window << bits) else {
                break;
            };
            if bits + length > Self::WINDOW as u32 {
                break;
            }
            if symbol == END_OF_BLOCK {
                bits += length;
                coefficients += ENDS;
                break;
            }
            let Some(run) = run_of(symbol).filter(|run| coefficients + run < 64) else {
                break;
            };
            bits += length + u32::from(symbol & 15);
            coefficients += run;
        }
        match bits {
            0 => Self::UNKNOWN,
            _ => Skip((coefficients << 8 | bits) as u16),
        }
    }

    /// The place behind the AC levels of a block that begin at `at`, where `window` was peeked of
    /// which at least 37 bits are left.
    #[inline(always)]
    pub fn skip(&self, bytes: &[u8], mut at: usize, mut window: u64) -> Result<usize, BadPicture> {
        // Of the whole block, the DC level is behind us.
        let mut known = 1;
        loop {
            // A skip takes at most 13 + 10 bits.
            for _ in 0..2 {
                let Skip(skip) = self.skips[(window >> (64 - Self::WINDOW)) as usize];
                let (bits, coefficients) = (u32::from(skip & 0xff), u32::from(skip >> 8));
                let reached = known + coefficients;
                if reached >= 64 {
                    if reached == 64 || (ENDS..ENDS + 64).contains(&reached) {
                        return Ok(at + bits as usize);
                    }
                    match self.step(bytes, &mut at, &mut known)? {
                        Step::End => return Ok(at),
                        Step::On => break,
                    }
                }
                known = reached;
                at += bits as usize;
                window <<= bits;
            }
            window = peek(bytes, at);
        }
    }

    /// One symbol, with all checks.
    #[cold]
    fn step(&self, bytes: &[u8], at: &mut usize, known: &mut u32) -> Result<Step, BadPicture> {
        let (symbol, length) = self.symbol(peek(bytes, *at))?;
        *at += (length + u32::from(symbol & 15)) as usize;
        if symbol == END_OF_BLOCK {
            return Ok(Step::End);
        }
        *known += run_of(symbol).unwrap_or(64);
        match *known {
            0..64 => Ok(Step::On),
            64 => Ok(Step::End),
            _ => Err(corrupt("a block has more than 64 levels")),
        }
    }

    /// The place behind the AC levels of a block that begin at `at`; `longest` becomes the length of
    /// the longest code there, if it is longer.
    pub fn survey(
        &self,
        bytes: &[u8],
        mut at: usize,
        longest: &mut u8,
    ) -> Result<usize, BadPicture> {
        let mut known = 1;
        while known < 64 {
            let (symbol, length) = self.symbol(peek(bytes, at))?;
            at += (length + u32::from(symbol & 15)) as usize;
            *longest = (*longest).max(length as u8);
            if symbol == END_OF_BLOCK {
                break;
            }
            known += run_of(symbol).unwrap_or(64);
        }
        Ok(at)
    }

    /// The symbol that `window` begins with, one that there may be, and the length of its code.
    #[inline(always)]
    pub fn symbol(&self, window: u64) -> Result<(u8, u32), BadPicture> {
        match self.table.symbol(window) {
            Some((symbol, length)) if symbol == END_OF_BLOCK || run_of(symbol).is_some() => {
                Ok((symbol, length))
            }
            Some(_) => Err(corrupt("a level is larger than there can be")),
            None => Err(corrupt("a code is in none of its tables")),
        }
    }
}

enum Step {
    On,
    End,
}

/// How many coefficients a symbol stands for, [`END_OF_BLOCK`] apart; `None` if baseline JPEG has
/// no such symbol.
#[inline(always)]
pub fn run_of(symbol: u8) -> Option<u32> {
    let known = symbol == SIXTEEN_ZEROS || (1..=MAX_AC_CATEGORY).contains(&(symbol & 15));
    known.then_some(u32::from(symbol >> 4) + 1)
}

/// The tables of one picture's DHT segments, by their numbers.
#[derive(Default)]
pub struct Tables {
    pub dc: [Option<Arc<Table>>; 4],
    pub ac: [Option<Arc<AcTable>>; 4],
}

impl Tables {
    /// Takes the tables of a DHT segment. Those that are standard or also in `known` are not made
    /// again.
    pub fn take(&mut self, mut segment: &[u8], known: &Tables) -> Result<(), BadPicture> {
        while let Some((&class_and_number, rest)) = segment.split_first() {
            let (spec, rest) = Spec::parse(rest)?;
            segment = rest;
            let number = usize::from(class_and_number & 15);
            let standard = &*STANDARD;
            match class_and_number >> 4 {
                0 if number < 4 => {
                    let mut made = standard.dc.iter().chain(&known.dc).flatten();
                    let table = match made.find(|table| table.spec == spec) {
                        Some(table) => table.clone(),
                        None => Arc::new(Table::new(spec)),
                    };
                    self.dc[number] = Some(table);
                }
                1 if number < 4 => {
                    let mut made = standard.ac.iter().chain(&known.ac).flatten();
                    let table = match made.find(|ac| ac.table.spec == spec) {
                        Some(table) => table.clone(),
                        None => Arc::new(AcTable::new(spec)),
                    };
                    self.ac[number] = Some(table);
                }
                _ => return Err(corrupt("a Huffman table has an impossible number")),
            }
        }
        Ok(())
    }
}

/// The tables of Annex K.3: number 0 is for luma, number 1 for chroma.
pub static STANDARD: LazyLock<Tables> = LazyLock::new(|| {
    let mut tables = Tables::default();
    let mut segment = &STANDARD_HUFFMAN[4..];
    while let Some((&class_and_number, rest)) = segment.split_first() {
        let Ok((spec, rest)) = Spec::parse(rest) else {
            break;
        };
        segment = rest;
        let number = usize::from(class_and_number & 1);
        match class_and_number >> 4 {
            0 => tables.dc[number] = Some(Arc::new(Table::new(spec))),
            _ => tables.ac[number] = Some(Arc::new(AcTable::new(spec))),
        }
    }
    tables
});

pub fn corrupt(what: &str) -> BadPicture {
    BadPicture::Corrupt(what.to_owned())
}
