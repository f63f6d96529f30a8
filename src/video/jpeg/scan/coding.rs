//! How a picture is coded: what its markers say, ready for walking its scan (T.81, Annex B).

use std::sync::Arc;

use rfb::geom::Size;

use super::huffman::{AcTable, STANDARD, Table, Tables, corrupt};
use super::identity::Identity;
use crate::video::{
    BadPicture,
    jpeg::{
        Jpeg,
        header::{Sampling, next_marker, segment},
    },
};

/// Most blocks in an MCU (B.2.3).
const MAX_BLOCKS: usize = 10;

/// All that a scan's bits depend on.
pub struct Coding {
    /// The bytes up to the coded data; the same bytes mean the same coding.
    pub head: Vec<u8>,
    pub size: Size,
    pub sampling: Sampling,
    /// Pixels of an MCU.
    pub mcu: Size,
    /// MCUs in a row, and rows.
    pub grid: (usize, usize),
    /// MCUs in a restart interval; `usize::MAX` if there are none.
    pub restart: usize,
    pub components: Vec<Component>,
    /// In the order in which an MCU has them.
    pub blocks: Vec<Block>,
    pub identity: Identity,
    /// Whether its components are Y, Cb, Cr, or Y, without any segment that says so.
    pub is_plain: bool,
    /// The segments that say which colours the components are, with their markers.
    pub colours: Vec<u8>,
    /// The frame header's code: SOF0 or SOF1.
    pub frame_code: u8,
    tables: Tables,
}

pub struct Component {
    pub id: u8,
    /// Blocks of an MCU in a row, and rows of them.
    pub across: u8,
    pub down: u8,
    pub quantisation_number: u8,
    /// As in a DQT segment: precision and number, then the steps.
    pub quantisation: Arc<[u8]>,
    pub dc_number: u8,
    pub ac_number: u8,
    pub dc: Arc<Table>,
    pub ac: Arc<AcTable>,
}

/// One 8x8 block of an MCU.
#[derive(Clone, Copy)]
pub struct Block {
    pub component: usize,
    /// Whether it is its component's first one in the MCU.
    pub is_first: bool,
}

impl Coding {
    /// Reads the markers of `jpeg`; returns also where its coded data begin. What is in `known`
    /// is not made again.
    pub fn read(
        jpeg: &Jpeg,
        known: Option<&Arc<Coding>>,
    ) -> Result<(Arc<Coding>, usize), BadPicture> {
        let bytes = &jpeg.bytes[..];
        if let Some(known) = known.filter(|known| bytes.starts_with(&known.head)) {
            return Ok((known.clone(), known.head.len()));
        }
        let none = Tables::default();
        let known_tables = known.map_or(&none, |known| &known.tables);
        let mut segments = Segments::default();
        let mut at = 2;
        loop {
            let (marker, code) = next_marker(bytes, at)?;
            let (held, after) = segment(bytes, marker)?;
            at = after;
            match code {
                0xc4 => segments.tables.take(held, known_tables)?,
                0xdb => segments.take_quantisation(held)?,
                0xdd => segments.restart = restart_interval(held)?,
                0xc0 | 0xc1 => segments.frame = Some((code, held)),
                0xe0 | 0xee if held.starts_with(b"JFIF\0") || held.starts_with(b"Adobe") => {
                    segments.colours.extend_from_slice(&bytes[marker..after])
                }
                0xda => break segments.coding(jpeg, held, &bytes[..after]),
                _ => {}
            }
        }
        .map(|coding| (Arc::new(coding), at))
    }

    /// Whether the same bits mean the same levels, and the same id.
    pub fn is_compatible(&self, other: &Coding) -> bool {
        let alike = |(a, b): (&Component, &Component)| {
            (a.across, a.down) == (b.across, b.down)
                && a.dc.spec == b.dc.spec
                && a.ac.table.spec == b.ac.table.spec
        };
        self.has_same_levels(other)
            && self.restart == other.restart
            && self.components.len() == other.components.len()
            && self.components.iter().zip(&other.components).all(alike)
    }

    /// Whether the same levels mean the same picture, and the same id.
    pub fn has_same_levels(&self, other: &Coding) -> bool {
        let shape = |coding: &Coding| (coding.size, coding.mcu, coding.blocks.len());
        shape(self) == shape(other) && self.identity.is_same(&other.identity)
    }

    /// Whether there are fewer samples than pixels in a row, and whether there are fewer rows.
    pub fn is_subsampled(&self) -> (bool, bool) {
        let fewer = |of: fn(&Component) -> u8| {
            let all = self.components.iter().map(of);
            self.components.len() > 1 && all.clone().min() != all.max()
        };
        (fewer(|c| c.across), fewer(|c| c.down))
    }
}

/// What has been read before the scan header.
#[derive(Default)]
struct Segments<'a> {
    frame: Option<(u8, &'a [u8])>,
    quantisation: [Option<Arc<[u8]>>; 4],
    tables: Tables,
    restart: usize,
    colours: Vec<u8>,
}

fn restart_interval(segment: &[u8]) -> Result<usize, BadPicture> {
    match *segment {
        [high, low] => Ok(usize::from(high) << 8 | usize::from(low)),
        _ => Err(corrupt("its restart interval has the wrong length")),
    }
}

impl Segments<'_> {
    fn take_quantisation(&mut self, mut segment: &[u8]) -> Result<(), BadPicture> {
        while let Some(&precision_and_number) = segment.first() {
            let length = match precision_and_number >> 4 {
                0 => 1 + 64,
                1 => 1 + 128,
                _ => return Err(corrupt("a quantisation table has an impossible precision")),
            };
            let place = self
                .quantisation
                .get_mut(usize::from(precision_and_number & 15))
                .ok_or_else(|| corrupt("a quantisation table has an impossible number"))?;
            let (table, rest) = segment
                .split_at_checked(length)
                .ok_or_else(|| corrupt("a quantisation table is cut short"))?;
            *place = Some(table.into());
            segment = rest;
        }
        Ok(())
    }

    fn coding(self, jpeg: &Jpeg, scan: &[u8], head: &[u8]) -> Result<Coding, BadPicture> {
        // The header walk has checked both lengths.
        let (frame_code, frame) = self
            .frame
            .ok_or_else(|| corrupt("it has no frame header"))?;
        let in_frame = frame.get(6..).unwrap_or(&[]).as_chunks::<3>().0;
        let in_scan = scan.get(1..).unwrap_or(&[]).as_chunks::<2>().0;
        let components: Vec<Component> = in_frame
            .iter()
            .zip(in_scan)
            .map(|(frame, scan)| self.component(frame, scan, in_frame.len()))
            .collect::<Result<_, _>>()?;
        let blocks: Vec<Block> = components
            .iter()
            .enumerate()
            .flat_map(|(component, Component { across, down, .. })| {
                (0..across * down).map(move |i| Block {
                    component,
                    is_first: i == 0,
                })
            })
            .collect();
        if blocks.is_empty() || blocks.len() > MAX_BLOCKS {
            return Err(corrupt("its sampling factors are too large"));
        }
        let most = |of: fn(&Component) -> u8| components.iter().map(of).max().unwrap_or(1);
        let mcu = Size::new(
            u16::from(most(|c| c.across)) * 8,
            u16::from(most(|c| c.down)) * 8,
        );
        let is_plain = jpeg.is_plain;
        Ok(Coding {
            head: head.to_vec(),
            size: jpeg.size,
            sampling: jpeg.sampling,
            mcu,
            grid: (
                jpeg.size.width.div_ceil(mcu.width).into(),
                jpeg.size.height.div_ceil(mcu.height).into(),
            ),
            restart: match self.restart {
                0 => usize::MAX,
                count => count,
            },
            identity: Identity::new(&components),
            components,
            blocks,
            is_plain,
            colours: if is_plain { Vec::new() } else { self.colours },
            frame_code,
            tables: self.tables,
        })
    }

    fn component(
        &self,
        &[id, factors, quantisation_number]: &[u8; 3],
        &[id_in_scan, tables]: &[u8; 2],
        count: usize,
    ) -> Result<Component, BadPicture> {
        if id != id_in_scan {
            return Err(corrupt("its scan has other components than its frame"));
        }
        let (dc_number, ac_number) = (tables >> 4, tables & 15);
        let missing = || corrupt("a Huffman table is missing");
        Ok(Component {
            id,
            // A scan of one component has its blocks one by one, whatever the factors are (A.2.2).
            across: if count == 1 { 1 } else { factors >> 4 },
            down: if count == 1 { 1 } else { factors & 15 },
            quantisation_number,
            quantisation: table(&self.quantisation, quantisation_number)
                .ok_or_else(|| corrupt("a quantisation table is missing"))?,
            dc_number,
            ac_number,
            dc: table(&self.tables.dc, dc_number).ok_or_else(missing)?,
            ac: table(&self.tables.ac, ac_number).ok_or_else(missing)?,
        })
    }
}

fn table<T: ?Sized>(tables: &[Option<Arc<T>>; 4], number: u8) -> Option<Arc<T>> {
    tables.get(usize::from(number))?.clone()
}

impl Component {
    /// Whether its AC levels are coded as Annex K does it for luma, or for chroma.
    pub fn is_standard(&self, is_chroma: bool) -> bool {
        let standard = STANDARD.ac[usize::from(is_chroma)].as_ref();
        standard.is_some_and(|standard| standard.table.spec == self.ac.table.spec)
    }
}
