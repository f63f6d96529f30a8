//! For sources that flicker: what differs by next to nothing keeps its id.

use std::sync::Arc;

use super::Scan;
use super::bits::peek;
use super::coding::{Block, Coding, Component};
use super::huffman::{END_OF_BLOCK, SIXTEEN_ZEROS, extend, run_of};
use super::walk::dc_category;
use crate::video::BadPicture;

/// Gives an MCU the id it had as long as each of its levels is near to what it was when it was last
/// given another id. It is not compared with the frame before, so slow changes do not get lost.
pub struct Tolerance {
    /// How far a level may be off.
    most: u16,
    reference: Option<Reference>,
}

struct Reference {
    coding: Arc<Coding>,
    /// For each MCU 64 levels of each block, in the order in which they are coded.
    levels: Vec<i16>,
    /// The ids that go with these levels.
    ids: Vec<u64>,
    /// The ids that the last frame had without tolerance.
    last: Vec<u64>,
}

impl Tolerance {
    /// Levels may be off by `most`.
    pub fn new(most: u8) -> Self {
        Self {
            most: most.into(),
            reference: None,
        }
    }

    /// Looks at the next frame of a stream and gives it the ids that [`Scan::ids`] tells from then
    /// on.
    pub fn settle(&mut self, scan: &mut Scan) {
        if self.most == 0 {
            return;
        }
        // Its levels are what the walk has read, so they can be read again.
        if self.try_settle(scan).is_err() {
            self.reference = None;
            scan.settled = None;
        }
    }

    fn try_settle(&mut self, scan: &mut Scan) -> Result<(), BadPicture> {
        let coding = scan.coding.clone();
        let is_new = |reference: &Reference| !reference.coding.has_same_levels(&coding);
        if self.reference.as_ref().is_none_or(is_new) {
            self.reference = None;
        }
        let ids = &scan.index.ids;
        let each = coding.blocks.len() * 64;
        let is_first = self.reference.is_none();
        let reference = self.reference.get_or_insert_with(|| Reference {
            coding: coding.clone(),
            levels: vec![0; ids.len() * each],
            ids: ids.clone(),
            last: ids.clone(),
        });
        let mut levels = vec![0; each];
        let references = reference.levels.chunks_exact_mut(each);
        for (mcu, held) in references.enumerate() {
            if !is_first && reference.last[mcu] == ids[mcu] {
                continue;
            }
            scan.read_levels(mcu, &mut levels)?;
            let is_near = |(a, b): (&i16, &i16)| a.abs_diff(*b) <= self.most;
            if is_first || !levels.iter().zip(&*held).all(is_near) {
                held.copy_from_slice(&levels);
                reference.ids[mcu] = ids[mcu];
            }
        }
        reference.last.copy_from_slice(ids);
        scan.settled = Some(reference.ids.clone());
        Ok(())
    }
}

impl Scan {
    /// Reads all levels of an MCU into `levels`, 64 for each block.
    fn read_levels(&self, mcu: usize, levels: &mut [i16]) -> Result<(), BadPicture> {
        levels.fill(0);
        let mut dc_levels = self.levels_before(mcu);
        let mut at = self.start(mcu);
        let blocks = self.coding.blocks.iter();
        for (&Block { component, .. }, levels) in blocks.zip(levels.as_chunks_mut::<64>().0) {
            let Component { dc, ac, .. } = &self.coding.components[component];
            let window = peek(&self.bytes, at);
            let (category, length) = dc_category(dc, window)?;
            at += (length + category) as usize;
            dc_levels[component] += extend(window << length, category) as i16;
            levels[0] = dc_levels[component];
            let mut next = 1;
            while next < 64 {
                let window = peek(&self.bytes, at);
                let (symbol, length) = ac.symbol(window)?;
                let category = u32::from(symbol & 15);
                at += (length + category) as usize;
                if symbol == END_OF_BLOCK {
                    break;
                }
                next += run_of(symbol).unwrap_or(64) as usize;
                if symbol != SIXTEEN_ZEROS
                    && let Some(level) = levels.get_mut(next - 1)
                {
                    *level = extend(window << length, category) as i16;
                }
            }
        }
        Ok(())
    }
}
