//! Counting colours, with an early end when there are too many.

/// Slots of the hash table; four times the colours, so that a look-up rarely takes a second step.
const SLOTS: usize = 1024;
const EMPTY: u16 = u16::MAX;

/// Up to 256 colours in the order in which they were first seen.
pub(super) struct Palette {
    colours: Vec<u32>,
    limit: usize,
    slots: [u16; SLOTS],
}

impl Palette {
    pub(super) const LARGEST: usize = 256;

    /// An empty palette for at most `limit` colours (no more than [`Palette::LARGEST`]).
    pub(super) fn new(limit: usize) -> Self {
        let limit = limit.min(Self::LARGEST);
        Self {
            colours: Vec::with_capacity(limit),
            limit,
            slots: [EMPTY; SLOTS],
        }
    }

    /// Forgets all colours.
    pub(super) fn clear(&mut self) {
        self.colours.clear();
        self.slots.fill(EMPTY);
    }

    /// The index of a colour, added if it is new; `None` if there is no room for it.
    pub(super) fn index(&mut self, colour: u32) -> Option<u8> {
        // Fibonacci hashing: the top bits of the product depend on all bits of the colour.
        let mut slot = (colour.wrapping_mul(0x9e37_79b1) >> 22) as usize % SLOTS;
        loop {
            match self.slots[slot] {
                EMPTY => break,
                index if self.colours[usize::from(index)] == colour => {
                    return u8::try_from(index).ok();
                }
                _ => slot = (slot + 1) % SLOTS,
            }
        }
        if self.colours.len() == self.limit {
            return None;
        }
        let index = u8::try_from(self.colours.len()).ok()?;
        self.slots[slot] = u16::from(index);
        self.colours.push(colour);
        Some(index)
    }

    /// Replaces `indices` by those of all `codes` and returns the number of runs of equal codes;
    /// `None` if there are too many colours.
    pub(super) fn indices(&mut self, codes: &[u32], indices: &mut Vec<u8>) -> Option<usize> {
        self.clear();
        indices.clear();
        indices.reserve(codes.len());
        let mut runs = 0;
        for run in codes.chunk_by(|a, b| a == b) {
            let index = self.index(run[0])?;
            indices.resize(indices.len() + run.len(), index);
            runs += 1;
        }
        Some(runs)
    }

    pub(super) fn colours(&self) -> &[u32] {
        &self.colours
    }
}

/// Packs palette indices into bytes of `bits` bits each, the first pixel in the highest bits; each
/// row starts on a new byte.
pub(super) fn pack(indices: &[u8], width: usize, bits: usize, out: &mut Vec<u8>) {
    let per_byte = 8 / bits;
    for row in indices.chunks(width) {
        for group in row.chunks(per_byte) {
            let packed = group
                .iter()
                .fold(0u8, |byte, &index| (byte << (bits % 8)) | index);
            let missing = per_byte - group.len();
            out.push(packed << (missing * bits));
        }
    }
}
