//! Huffman codes as deflate has them (RFC 1951 §3.2.2): canonical, of limited length, the first bit
//! of a code lowest in its number.

/// Most symbols of an alphabet of deflate: literals, the end of a block, and lengths.
const MOST_SYMBOLS: usize = 286;

/// A code: its bits, first bit lowest, and how many they are (0 for a symbol that does not occur).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Code {
    pub(super) bits: u16,
    pub(super) length: u8,
}

/// The codes for symbols that occur so often, none longer than `limit` bits (7 or 15).
///
/// At least two symbols get a code, even if fewer occur, because not every inflater takes less.
pub(super) fn codes<const N: usize>(frequencies: &[u32; N], limit: u8) -> [Code; N] {
    canonical(&lengths(frequencies, limit))
}

fn lengths<const N: usize>(frequencies: &[u32; N], limit: u8) -> [u8; N] {
    const { assert!(N >= 2 && N <= MOST_SYMBOLS) };
    let mut leaves: Vec<(u32, usize)> = (0..N)
        .filter(|&symbol| frequencies[symbol] > 0)
        .map(|symbol| (frequencies[symbol], symbol))
        .collect();
    let absent = (0..N).filter(|&symbol| frequencies[symbol] == 0);
    leaves.extend(
        absent
            .take(2_usize.saturating_sub(leaves.len()))
            .map(|symbol| (1, symbol)),
    );
    leaves.sort_unstable();

    let mut lengths = [0; N];
    loop {
        let depths = depths(&leaves);
        if depths.iter().all(|&depth| depth <= limit) {
            for (&(_, symbol), &depth) in leaves.iter().zip(&depths) {
                lengths[symbol] = depth;
            }
            return lengths;
        }
        // Flatter frequencies make a flatter tree; once all are 1 it is as flat as can be.
        for (frequency, _) in &mut leaves {
            *frequency = frequency.div_ceil(2);
        }
    }
}

/// How deep each leaf (two or more, rarest first) lies in the Huffman tree.
fn depths(leaves: &[(u32, usize)]) -> Vec<u8> {
    let count = leaves.len();
    // The leaves, then the inner nodes, which come into being rarest first as well.
    let mut weights: Vec<u32> = leaves.iter().map(|&(frequency, _)| frequency).collect();
    let mut parents = vec![0; 2 * count - 1];
    let (mut leaf, mut inner) = (0, count);
    for node in count..2 * count - 1 {
        let mut weight = 0;
        for _ in 0..2 {
            let rarest = if inner == node || (leaf < count && weights[leaf] <= weights[inner]) {
                &mut leaf
            } else {
                &mut inner
            };
            parents[*rarest] = node;
            weight += weights[*rarest];
            *rarest += 1;
        }
        weights.push(weight);
    }
    let mut depths = vec![0u8; 2 * count - 1];
    for node in (0..2 * count - 2).rev() {
        depths[node] = depths[parents[node]].saturating_add(1);
    }
    depths.truncate(count);
    depths
}

/// The codes that follow from the lengths alone: shorter before longer, then in the order of symbols.
fn canonical<const N: usize>(lengths: &[u8; N]) -> [Code; N] {
    let mut next = [0u16; 17];
    for &length in lengths {
        next[usize::from(length) + 1] += u16::from(length > 0);
    }
    for length in 1..16 {
        next[length] = (next[length] + next[length - 1]) << 1;
    }
    lengths.map(|length| {
        if length == 0 {
            return Code::default();
        }
        let code = next[usize::from(length)];
        next[usize::from(length)] += 1;
        let bits = code.reverse_bits() >> (16 - length);
        Code { bits, length }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frequencies for which Huffman's own tree is as deep as it gets.
    fn fibonacci<const N: usize>() -> [u32; N] {
        let (mut this, mut next) = (1, 1);
        std::array::from_fn(|_| {
            let frequency = this;
            (this, next) = (next, this + next);
            frequency
        })
    }

    fn assert_complete(lengths: &[u8], limit: u8) {
        assert!(lengths.iter().all(|&length| length <= limit));
        let used = lengths.iter().filter(|&&length| length > 0);
        let filled: u32 = used.map(|length| 1 << (15 - length)).sum();
        assert_eq!(filled, 1 << 15, "every code has a meaning: {lengths:?}");
    }

    #[test]
    fn codes_are_complete_and_not_too_long() {
        assert_complete(&lengths(&fibonacci::<30>(), 15), 15);
        assert_complete(&lengths(&fibonacci::<19>(), 7), 7);
        assert_complete(&lengths(&[5; 286], 15), 15);
        assert_complete(&lengths(&[0; 30], 15), 15);
        assert_complete(&lengths(&[0, 0, 9, 0], 15), 15);
    }

    /// The example of RFC 1951 §3.2.2, its codes written first bit lowest.
    #[test]
    fn codes_follow_from_lengths() {
        let bits = canonical(&[3, 3, 3, 3, 3, 2, 4, 4]).map(|code| code.bits);
        assert_eq!(
            bits,
            [0b010, 0b110, 0b001, 0b101, 0b011, 0b00, 0b0111, 0b1111]
        );
    }

    #[test]
    fn rarer_symbols_have_longer_codes() {
        assert_eq!(lengths(&[1, 1, 2, 4, 0], 15), [3, 3, 2, 1, 0]);
    }
}
