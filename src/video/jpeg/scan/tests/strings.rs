//! Bit strings against the plainest way to do the same.

use proptest::prelude::*;

use super::super::bits::{PEEK, Stuffing, common_bits, common_bytes, peek, unstuff};

fn bit(bytes: &[u8], at: usize) -> bool {
    bytes
        .get(at / 8)
        .is_none_or(|byte| byte >> (7 - at % 8) & 1 == 1)
}

/// Bytes, with more of 0xff and 0 than chance gives.
fn any_bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![4 => any::<u8>(), 1 => Just(0xff), 1 => Just(0)];
    proptest::collection::vec(byte, 0..most)
}

/// Stuffs bits one by one.
fn stuffed(bits: impl Iterator<Item = bool>) -> Vec<u8> {
    let mut bits: Vec<bool> = bits.collect();
    bits.resize(bits.len().next_multiple_of(8), true);
    let mut out = Vec::new();
    for eight in bits.chunks(8) {
        out.push(eight.iter().fold(0, |byte, &bit| byte << 1 | u8::from(bit)));
        if out.last() == Some(&0xff) {
            out.push(0);
        }
    }
    out
}

proptest! {
    #[test]
    fn peeked_bits_are_those_of_the_string(bytes in any_bytes(20), at in 0usize..200) {
        let window = peek(&bytes, at);
        for i in 0..PEEK {
            prop_assert_eq!(window >> (63 - i) & 1 == 1, bit(&bytes, at + i), "{}", i);
        }
    }

    #[test]
    fn stuffing_puts_any_pieces_together(
        bytes in any_bytes(80),
        pieces in proptest::collection::vec((0usize..600, 1usize..200, any::<bool>()), 0..12),
    ) {
        let mut out = Vec::new();
        let mut stuffing = Stuffing::new(&mut out);
        let mut expected = Vec::new();
        for (from, length, at_once) in pieces {
            let length = if at_once { length.min(PEEK) } else { length };
            expected.extend((from..from + length).map(|at| bit(&bytes, at)));
            if at_once {
                stuffing.put(peek(&bytes, from) >> (64 - length), length as u32);
            } else {
                stuffing.copy(&bytes, from, from + length);
            }
        }
        stuffing.finish();
        prop_assert_eq!(out, stuffed(expected.into_iter()));
    }

    #[test]
    fn unstuffing_undoes_stuffing(bytes in any_bytes(200)) {
        let mut out = Vec::new();
        let mut stuffing = Stuffing::new(&mut out);
        stuffing.copy(&bytes, 0, bytes.len() * 8);
        stuffing.finish();
        let whole = unstuff(&out).unwrap();
        prop_assert_eq!(&whole.bytes, &bytes);
        prop_assert_eq!(whole.intervals, [0]);

        // Two intervals, and fill bytes before the marker and the end.
        let two = unstuff(&[&out[..], &[0xff, 0xff, 0xd0], &out, &[0xff, 0xff]].concat()).unwrap();
        prop_assert_eq!(two.bytes, bytes.repeat(2));
        prop_assert_eq!(two.intervals, [0, bytes.len()]);
        prop_assert!(unstuff(&[&out[..], &[0xff, 0xc4]].concat()).is_err());
    }

    #[test]
    fn common_bits_end_at_the_first_difference(
        bytes in any_bytes(60),
        (shift, at, flipped) in (0usize..8, 0usize..100, 0usize..400),
        limit in 0usize..400,
    ) {
        // The same string `shift` bits further behind, but for one bit.
        let mut moved = vec![0u8; bytes.len() + 1];
        for i in 0..bytes.len() * 8 {
            let place = i + shift;
            let value = bit(&bytes, i) != (i == flipped);
            moved[place / 8] |= u8::from(value) << (7 - place % 8);
        }
        let limit = limit.min((bytes.len() * 8).saturating_sub(at));
        let plain = (0..limit)
            .take_while(|i| bit(&bytes, at + i) == bit(&moved, at + shift + i))
            .count();
        prop_assert_eq!(common_bits(&bytes, at, &moved, at + shift, limit), plain);
    }

    #[test]
    fn common_bytes_end_at_the_first_difference(
        bytes in any_bytes(700),
        cut in 0usize..700,
        flipped in 0usize..700,
    ) {
        let mut other = bytes[..cut.min(bytes.len())].to_vec();
        if let Some(byte) = other.get_mut(flipped) {
            *byte ^= 1;
        }
        let plain = bytes.iter().zip(&other).take_while(|(a, b)| a == b).count();
        prop_assert_eq!(common_bytes(&bytes, &other), plain);
    }
}
