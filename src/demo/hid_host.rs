//! What a USB host makes of a HID function: it reads the report descriptor (Device Class Definition
//! for HID 1.11, section 6.2.2) and takes reports apart as that says.

use std::{collections::BTreeMap, ops::RangeInclusive};

/// Usage page in the upper 16 bits, usage in the lower.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Usage(pub(super) u32);

impl Usage {
    pub(super) const fn new(page: u16, id: u16) -> Self {
        Self((page as u32) << 16 | id as u32)
    }

    pub(super) const fn page(self) -> u16 {
        (self.0 >> 16) as u16
    }

    pub(super) const fn id(self) -> u16 {
        self.0 as u16
    }
}

/// A descriptor that a host would refuse; `offset` is where the item starts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DescriptorError {
    #[error("the item at byte {offset} is cut short")]
    Truncated { offset: usize },
    #[error("the item at byte {offset} (prefix {prefix:#04x}) is of a reserved type")]
    Reserved { offset: usize, prefix: u8 },
    #[error("the item at byte {offset}: {what}")]
    Invalid { offset: usize, what: &'static str },
}

/// A report that does not fit its descriptor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ReportError {
    #[error("a report of {got} bytes came where the descriptor declares {expected}")]
    Length { got: usize, expected: usize },
    #[error("report ID {0} is not declared")]
    UnknownId(u8),
}

/// One thing a report says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) usage: Usage,
    /// 1 for a usage that is listed in an array.
    pub(super) value: i32,
    pub(super) minimum: i32,
    pub(super) maximum: i32,
    pub(super) relative: bool,
}

/// A report taken apart. Usages of an array that are not listed are up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    /// 0 if the descriptor declares no report IDs.
    pub(super) report_id: u8,
    pub(super) values: Vec<Value>,
}

/// A main item that carries data.
#[derive(Clone, Debug)]
struct Field {
    report_id: u8,
    /// From the start of the report, after the ID.
    bit_offset: usize,
    bits: usize,
    count: usize,
    usages: Vec<RangeInclusive<u32>>,
    minimum: i32,
    maximum: i32,
    variable: bool,
    relative: bool,
}

/// A parsed report descriptor.
#[derive(Clone, Debug)]
pub(super) struct ReportDescriptor {
    inputs: Vec<Field>,
    outputs: Vec<Field>,
    /// Bits of each input report by its ID, and of each output report.
    input_bits: BTreeMap<u8, usize>,
    output_bits: BTreeMap<u8, usize>,
    numbered: bool,
}

/// More than any real device declares; keeps garbage from asking for memory.
const MOST_BITS: usize = 8 * 4096;
const DEEPEST_STACK: usize = 16;

impl ReportDescriptor {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, DescriptorError> {
        Parser::default().run(bytes)
    }

    /// Bytes of the input report with this ID, the ID itself included; 0 if there is none.
    pub(super) fn input_length(&self, report_id: u8) -> usize {
        let bits = self.input_bits.get(&report_id).copied();
        bits.map_or(0, |bits| bits.div_ceil(8) + usize::from(self.numbered))
    }

    /// Takes an input report apart. A value outside its logical range says nothing, as section
    /// 5.10 (null values) has it, and is left out.
    pub(super) fn read(&self, report: &[u8]) -> Result<Reading, ReportError> {
        let (report_id, data) = match (self.numbered, report.split_first()) {
            (true, Some((id, data))) => (*id, data),
            _ => (0, report),
        };
        if !self.input_bits.contains_key(&report_id) {
            return Err(ReportError::UnknownId(report_id));
        }
        let expected = self.input_length(report_id);
        if report.len() != expected {
            let got = report.len();
            return Err(ReportError::Length { got, expected });
        }
        let fields = self.inputs.iter().filter(|f| f.report_id == report_id);
        let values = fields.flat_map(|field| field.values(data)).collect();
        Ok(Reading { report_id, values })
    }

    /// The first output report, without its ID, with each declared usage set as `state` says.
    /// Empty if none is declared.
    pub(super) fn output(&self, state: impl Fn(Usage) -> bool) -> Vec<u8> {
        let Some((id, bits)) = self.output_bits.first_key_value() else {
            return Vec::new();
        };
        let mut report = vec![0; bits.div_ceil(8)];
        for field in self
            .outputs
            .iter()
            .filter(|f| f.report_id == *id && f.variable)
        {
            for index in 0..field.count {
                let at = field.bit_offset + index * field.bits;
                let on = field.usage(index).is_some_and(&state);
                if let (true, Some(byte)) = (on, report.get_mut(at / 8)) {
                    *byte |= 1 << (at % 8);
                }
            }
        }
        report
    }
}

impl Field {
    fn values(&self, data: &[u8]) -> impl Iterator<Item = Value> {
        (0..self.count).filter_map(|index| {
            let raw = bits(data, self.bit_offset + index * self.bits, self.bits);
            let value = if self.minimum < 0 {
                sign_extended(raw, self.bits)
            } else {
                i64::from(raw)
            };
            let value = i32::try_from(value).ok()?;
            if !(self.minimum..=self.maximum).contains(&value) {
                return None;
            }
            let (usage, value) = if self.variable {
                (self.usage(index)?, value)
            } else {
                let listed = i64::from(value) - i64::from(self.minimum);
                (self.listed_usage(usize::try_from(listed).ok()?)?, 1)
            };
            Some(Value {
                usage,
                value,
                minimum: self.minimum,
                maximum: self.maximum,
                relative: self.relative,
            })
        })
    }

    /// The usage of a variable's element; the last one declared stands for all that follow.
    fn usage(&self, index: usize) -> Option<Usage> {
        let last = || self.usages.last().map(|range| Usage(*range.end()));
        self.listed_usage(index).or_else(last)
    }

    fn listed_usage(&self, index: usize) -> Option<Usage> {
        let mut index = u32::try_from(index).ok()?;
        for range in &self.usages {
            let further = range.end() - range.start();
            if index <= further {
                return Some(Usage(range.start() + index));
            }
            index -= further + 1;
        }
        None
    }
}

/// `count` (at most 32) bits from bit `offset`, the least significant first.
fn bits(data: &[u8], offset: usize, count: usize) -> u32 {
    (0..count).fold(0, |value, bit| {
        let at = offset + bit;
        let byte = data.get(at / 8).copied().unwrap_or(0);
        value | u32::from(byte >> (at % 8) & 1) << bit
    })
}

fn sign_extended(raw: u32, bits: usize) -> i64 {
    let unused = 64 - bits as u32;
    ((u64::from(raw) << unused) as i64) >> unused
}

/// The global items, which Push and Pop save and restore (section 6.2.2.7).
#[derive(Clone, Default)]
struct Globals {
    page: u16,
    minimum: Number,
    maximum: Number,
    size: u32,
    count: u32,
    report_id: u8,
}

/// An item's data, whose sign depends on the field it is used for.
#[derive(Clone, Copy, Default)]
struct Number {
    raw: u32,
    bytes: usize,
}

impl Number {
    fn signed(self) -> i64 {
        if self.bytes == 0 {
            return 0;
        }
        sign_extended(self.raw, self.bytes * 8)
    }
}

/// The local items, which the next main item uses up (section 6.2.2.8).
#[derive(Default)]
struct Locals {
    usages: Vec<(Number, Number)>,
    first: Option<Number>,
}

#[derive(Default)]
struct Parser {
    globals: Globals,
    saved: Vec<Globals>,
    locals: Locals,
    depth: usize,
    inputs: Vec<Field>,
    outputs: Vec<Field>,
    input_bits: BTreeMap<u8, usize>,
    output_bits: BTreeMap<u8, usize>,
}

impl Parser {
    fn run(mut self, bytes: &[u8]) -> Result<ReportDescriptor, DescriptorError> {
        let mut offset = 0;
        while let Some(&prefix) = bytes.get(offset) {
            let truncated = DescriptorError::Truncated { offset };
            if prefix == 0xfe {
                // A long item: length, tag, data; none is defined, so all are skipped.
                let length = bytes.get(offset + 1).ok_or(truncated.clone())?;
                let next = offset + 3 + usize::from(*length);
                if next > bytes.len() {
                    return Err(truncated);
                }
                offset = next;
                continue;
            }
            let length = [0, 1, 2, 4][usize::from(prefix & 3)];
            let end = offset + 1 + length;
            let data = bytes.get(offset + 1..end).ok_or(truncated)?;
            let raw = data.iter().rev().fold(0, |raw, b| raw << 8 | u32::from(*b));
            self.item(offset, prefix, Number { raw, bytes: length })?;
            offset = end;
        }
        let invalid = |what| Err(DescriptorError::Invalid { offset, what });
        if self.depth > 0 {
            return invalid("the descriptor ends inside a collection");
        }
        if self.input_bits.is_empty() && self.output_bits.is_empty() {
            return invalid("the descriptor declares no report");
        }
        let numbered = !self.input_bits.contains_key(&0) && !self.output_bits.contains_key(&0);
        let ids = || self.input_bits.keys().chain(self.output_bits.keys());
        if !numbered && ids().any(|id| *id != 0) {
            return invalid("some reports have an ID and some have none");
        }
        Ok(ReportDescriptor {
            inputs: self.inputs,
            outputs: self.outputs,
            input_bits: self.input_bits,
            output_bits: self.output_bits,
            numbered,
        })
    }

    fn item(&mut self, offset: usize, prefix: u8, data: Number) -> Result<(), DescriptorError> {
        let invalid = |what| DescriptorError::Invalid { offset, what };
        match prefix >> 2 & 3 {
            0 => self.main(prefix >> 4, data.raw).map_err(invalid),
            1 => self.global(prefix >> 4, data).map_err(invalid),
            2 => self.local(prefix >> 4, data).map_err(invalid),
            _ => Err(DescriptorError::Reserved { offset, prefix }),
        }
    }

    fn main(&mut self, tag: u8, flags: u32) -> Result<(), &'static str> {
        match tag {
            0x8 => self.field(flags, true)?,
            0x9 => self.field(flags, false)?,
            // A feature report is not exchanged here.
            0xb => {}
            0xa => self.depth += 1,
            0xc => {
                self.depth = self
                    .depth
                    .checked_sub(1)
                    .ok_or("a collection ends that was not opened")?;
            }
            _ => return Err("an unknown main item"),
        }
        self.locals = Locals::default();
        Ok(())
    }

    fn global(&mut self, tag: u8, data: Number) -> Result<(), &'static str> {
        let globals = &mut self.globals;
        match tag {
            0x0 => globals.page = u16::try_from(data.raw).map_err(|_| "no such usage page")?,
            0x1 => globals.minimum = data,
            0x2 => globals.maximum = data,
            // Physical range and unit do not change what a report means here.
            0x3..=0x6 => {}
            0x7 => globals.size = data.raw,
            0x8 => {
                let id = u8::try_from(data.raw).ok().filter(|id| *id != 0);
                globals.report_id = id.ok_or("a report ID is 1 to 255")?;
            }
            0x9 => globals.count = data.raw,
            0xa if self.saved.len() < DEEPEST_STACK => self.saved.push(globals.clone()),
            0xa => return Err("too many Push items"),
            0xb => self.globals = self.saved.pop().ok_or("Pop without Push")?,
            _ => return Err("an unknown global item"),
        }
        Ok(())
    }

    fn local(&mut self, tag: u8, data: Number) -> Result<(), &'static str> {
        match tag {
            0x0 => self.locals.usages.push((data, data)),
            0x1 => self.locals.first = Some(data),
            0x2 => {
                let first = self.locals.first.take();
                let first = first.ok_or("Usage Maximum without Usage Minimum")?;
                self.locals.usages.push((first, data));
            }
            // Designators, strings and delimiters.
            0x3..=0x5 | 0x7..=0xa => {}
            _ => return Err("an unknown local item"),
        }
        Ok(())
    }

    fn field(&mut self, flags: u32, input: bool) -> Result<(), &'static str> {
        let globals = &self.globals;
        let (bits, count) = (globals.size as usize, globals.count as usize);
        let totals = if input {
            &mut self.input_bits
        } else {
            &mut self.output_bits
        };
        let total = totals.entry(globals.report_id).or_default();
        let bit_offset = *total;
        *total = bits
            .checked_mul(count)
            .and_then(|length| length.checked_add(bit_offset))
            .filter(|total| *total <= MOST_BITS)
            .ok_or("a report of more than 4096 bytes")?;
        const CONSTANT: u32 = 1;
        if flags & CONSTANT != 0 || count == 0 {
            return Ok(());
        }
        if !(1..=32).contains(&bits) {
            return Err("a data field is 1 to 32 bits wide");
        }

        // The minimum is signed; the maximum is only if the minimum is negative, so that a short
        // 0xff after a minimum of 0 means 255, as hosts read it.
        let minimum = globals.minimum.signed();
        let maximum = if minimum < 0 {
            globals.maximum.signed()
        } else {
            i64::from(globals.maximum.raw)
        };
        let fits = |value: i64| i32::try_from(value).map_err(|_| "a logical range beyond 31 bits");
        let (minimum, maximum) = (fits(minimum)?, fits(maximum)?);
        if minimum > maximum {
            return Err("the logical minimum is above the maximum");
        }

        if self.locals.first.is_some() {
            return Err("Usage Minimum without Usage Maximum");
        }
        // A usage of up to two bytes belongs to the page that is current here, not where it stood.
        let full = |usage: Number| match usage.bytes {
            4 => usage.raw,
            _ => u32::from(globals.page) << 16 | usage.raw,
        };
        let ranges = self.locals.usages.iter();
        let usages: Vec<_> = ranges.map(|(a, b)| full(*a)..=full(*b)).collect();
        if usages.iter().any(RangeInclusive::is_empty) {
            return Err("the usage minimum is above the maximum");
        }
        if usages
            .iter()
            .any(|range| range.start() >> 16 != range.end() >> 16)
        {
            return Err("a usage range crosses usage pages");
        }
        let fields = if input {
            &mut self.inputs
        } else {
            &mut self.outputs
        };
        fields.push(Field {
            report_id: globals.report_id,
            bit_offset,
            bits,
            count,
            usages,
            minimum,
            maximum,
            variable: flags & 2 != 0,
            relative: flags & 4 != 0,
        });
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests;
