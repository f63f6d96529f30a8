//! What the levels of a JPEG are, by a reader and a writer that share nothing with the walk.

use std::collections::{BTreeMap, HashMap};

/// The levels of an MCU: its blocks, each in zigzag order with its DC level in full.
pub type Levels = Vec<[i32; 64]>;

/// The levels of all MCUs, and for each block of an MCU its component.
pub fn levels(jpeg: &[u8]) -> (Vec<Levels>, Vec<usize>) {
    let mut tables: HashMap<(u8, usize, u32), u8> = HashMap::new();
    let (mut size, mut components, mut restart) = ((0, 0), Vec::new(), 0);
    let mut at = 2;
    loop {
        let code = jpeg[at + 1];
        let end = at + 2 + usize::from(jpeg[at + 2]) * 256 + usize::from(jpeg[at + 3]);
        let mut held = &jpeg[at + 4..end];
        at = end;
        match code {
            0xc4 => {
                while !held.is_empty() {
                    let (mut code, mut next) = (0, 17);
                    for length in 1..=16 {
                        for _ in 0..held[length] {
                            tables.insert((held[0], length, code), held[next]);
                            code += 1;
                            next += 1;
                        }
                        code <<= 1;
                    }
                    held = &held[next..];
                }
            }
            0xc0 => {
                size = (
                    usize::from(held[3]) * 256 + usize::from(held[4]),
                    usize::from(held[1]) * 256 + usize::from(held[2]),
                );
                components = held[6..].chunks(3).map(|c| (c[1], 0)).collect();
            }
            0xdd => restart = usize::from(held[0]) * 256 + usize::from(held[1]),
            0xda => {
                for (i, component) in components.iter_mut().enumerate() {
                    component.1 = held[2 + 2 * i];
                }
                break;
            }
            _ => {}
        }
    }
    if let [only] = components.as_mut_slice() {
        only.0 = 0x11;
    }
    let most = |shift: u8| {
        let factors = components.iter().map(|c| usize::from(c.0 >> shift & 15));
        factors.max().unwrap() * 8
    };
    let count = size.0.div_ceil(most(4)) * size.1.div_ceil(most(0));
    let order: Vec<usize> = (0..components.len())
        .flat_map(|i| vec![i; usize::from((components[i].0 >> 4) * (components[i].0 & 15))])
        .collect();

    let mut reader = BitReader { jpeg, at, bit: 0 };
    let mut all = Vec::new();
    let mut dc = [0; 3];
    for mcu in 0..count {
        if restart > 0 && mcu > 0 && mcu % restart == 0 {
            reader.restart();
            dc = [0; 3];
        }
        let mut blocks = Vec::new();
        for &component in &order {
            let numbers = components[component].1;
            let mut block = [0; 64];
            let category = reader.symbol(&tables, numbers >> 4);
            dc[component] += reader.level(category);
            block[0] = dc[component];
            let mut k = 1;
            while k < 64 {
                let symbol = reader.symbol(&tables, 0x10 | numbers & 15);
                match symbol {
                    0 => break,
                    0xf0 => k += 16,
                    _ => {
                        k += usize::from(symbol >> 4);
                        block[k] = reader.level(symbol & 15);
                        k += 1;
                    }
                }
            }
            blocks.push(block);
        }
        all.push(blocks);
    }
    (all, order)
}

struct BitReader<'a> {
    jpeg: &'a [u8],
    at: usize,
    bit: u32,
}

impl BitReader<'_> {
    fn bit(&mut self) -> u32 {
        let bit = u32::from(self.jpeg[self.at]) >> (7 - self.bit) & 1;
        self.bit += 1;
        if self.bit == 8 {
            self.bit = 0;
            self.at += if self.jpeg[self.at] == 0xff { 2 } else { 1 };
        }
        bit
    }

    fn restart(&mut self) {
        if self.bit > 0 {
            self.at += if self.jpeg[self.at] == 0xff { 2 } else { 1 };
            self.bit = 0;
        }
        assert_eq!(self.jpeg[self.at], 0xff);
        self.at += 2;
    }

    fn symbol(&mut self, tables: &HashMap<(u8, usize, u32), u8>, table: u8) -> u8 {
        let mut code = 0;
        for length in 1..=16 {
            code = code << 1 | self.bit();
            if let Some(&value) = tables.get(&(table, length, code)) {
                return value;
            }
        }
        panic!("no code");
    }

    fn level(&mut self, category: u8) -> i32 {
        let bits = (0..category).fold(0, |bits, _| bits << 1 | self.bit() as i32);
        if category > 0 && bits < 1 << (category - 1) {
            bits - (1 << category) + 1
        } else {
            bits
        }
    }
}

/// Codes the levels of `jpeg` with tables that hold no more than it needs: the two most frequent
/// symbols in 2 bits, three in 4, twenty in 8, all others in 14.
pub fn recode(jpeg: &[u8], restart: usize) -> Vec<u8> {
    let (all, order) = levels(jpeg);
    // Table, symbol, bits of the level and how many; `None` between restart intervals.
    let mut symbols: Vec<Option<(u8, u8, u32)>> = Vec::new();
    let mut dc = [0; 3];
    for (mcu, blocks) in all.iter().enumerate() {
        if restart > 0 && mcu > 0 && mcu % restart == 0 {
            symbols.push(None);
            dc = [0; 3];
        }
        for (block, &component) in blocks.iter().zip(&order) {
            let table = u8::from(component > 0);
            let (category, bits) = category(block[0] - dc[component]);
            dc[component] = block[0];
            symbols.push(Some((table, category, bits)));
            let mut run = 0;
            let last = block.iter().rposition(|&level| level != 0).unwrap_or(0);
            for &level in &block[1..last.max(1)] {
                push_level(&mut symbols, 0x10 | table, &mut run, level);
            }
            if last > 0 {
                push_level(&mut symbols, 0x10 | table, &mut run, block[last]);
            }
            if last < 63 {
                symbols.push(Some((0x10 | table, 0, 0)));
            }
        }
    }

    let mut frequencies: BTreeMap<u8, BTreeMap<u8, usize>> = BTreeMap::new();
    for &(table, symbol, _) in symbols.iter().flatten() {
        *frequencies
            .entry(table)
            .or_default()
            .entry(symbol)
            .or_default() += 1;
    }
    let mut tables = Vec::new();
    let mut codes: HashMap<(u8, u8), (u32, u32)> = HashMap::new();
    for (&table, seen) in &frequencies {
        let mut values: Vec<u8> = seen.keys().copied().collect();
        values.sort_by_key(|value| std::cmp::Reverse(seen[value]));
        let mut counts = [0; 16];
        let (mut code, mut length) = (0, 2);
        for (i, &value) in values.iter().enumerate() {
            let wanted = [2, 2, 4, 4, 4].get(i).copied();
            let wanted = wanted.unwrap_or(if i < 25 { 8 } else { 14 });
            code <<= wanted - length;
            length = wanted;
            codes.insert((table, value), (code, length));
            counts[length as usize - 1] += 1;
            code += 1;
        }
        tables.push(table);
        tables.extend_from_slice(&counts);
        tables.extend_from_slice(&values);
    }

    let mut out = jpeg[..2].to_vec();
    let mut at = 2;
    loop {
        let end = at + 2 + usize::from(jpeg[at + 2]) * 256 + usize::from(jpeg[at + 3]);
        let code = jpeg[at + 1];
        if code == 0xda {
            out.extend_from_slice(&[0xff, 0xc4]);
            out.extend_from_slice(&(tables.len() as u16 + 2).to_be_bytes());
            out.extend_from_slice(&tables);
            out.extend_from_slice(&[0xff, 0xdd, 0, 4, 0, restart as u8]);
        }
        if code != 0xc4 && code != 0xdd {
            out.extend_from_slice(&jpeg[at..end]);
        }
        at = end;
        if code == 0xda {
            break;
        }
    }
    let mut bits: Vec<bool> = Vec::new();
    let mut marker = 0xd0;
    for symbol in symbols {
        let Some((table, symbol, level)) = symbol else {
            push_bytes(&mut out, &mut bits);
            out.extend_from_slice(&[0xff, marker]);
            marker = 0xd0 | (marker + 1) & 7;
            continue;
        };
        let (code, length) = codes[&(table, symbol)];
        bits.extend((0..length).rev().map(|i| code >> i & 1 == 1));
        bits.extend((0..symbol & 15).rev().map(|i| level >> i & 1 == 1));
    }
    push_bytes(&mut out, &mut bits);
    out.extend_from_slice(&[0xff, 0xd9]);
    out
}

fn push_level(symbols: &mut Vec<Option<(u8, u8, u32)>>, table: u8, run: &mut u8, level: i32) {
    if level == 0 {
        *run += 1;
        return;
    }
    while *run > 15 {
        symbols.push(Some((table, 0xf0, 0)));
        *run -= 16;
    }
    let (category, bits) = category(level);
    symbols.push(Some((table, *run << 4 | category, bits)));
    *run = 0;
}

fn category(level: i32) -> (u8, u32) {
    let category = (0..).find(|&c| level.abs() < 1 << c).unwrap();
    let bits = if level < 0 {
        level + (1 << category) - 1
    } else {
        level
    };
    (category as u8, bits as u32)
}

/// Pads with ones and stuffs.
fn push_bytes(out: &mut Vec<u8>, bits: &mut Vec<bool>) {
    bits.resize(bits.len().next_multiple_of(8), true);
    for eight in bits.chunks(8) {
        let byte = eight.iter().fold(0, |byte, &bit| byte << 1 | u8::from(bit));
        out.push(byte);
        if byte == 0xff {
            out.push(0);
        }
    }
    bits.clear();
}
