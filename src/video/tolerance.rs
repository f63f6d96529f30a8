//! Whether two pictures are the same, to the bit or but for noise.

/// How many samples are looked at before a difference ends the comparison: enough for vectors to
/// pay, few enough for a changed picture to be found out early.
const RUN: usize = 4096;

/// Whether the bytes are equal. The very same memory is not read.
pub(crate) fn equal(one: &[u8], other: &[u8]) -> bool {
    std::ptr::eq(one, other) || one == other
}

/// Whether no sample differs from the other's by more than `tolerance`.
pub(crate) fn within(tolerance: u8, one: &[u8], other: &[u8]) -> bool {
    if tolerance == 0 || std::ptr::eq(one, other) {
        return equal(one, other);
    }
    one.len() == other.len()
        && one
            .chunks(RUN)
            .zip(other.chunks(RUN))
            .all(|(one, other)| largest_difference(one, other) <= tolerance)
}

/// Without a branch, so that it becomes vector instructions.
fn largest_difference(one: &[u8], other: &[u8]) -> u8 {
    one.iter()
        .zip(other)
        .fold(0, |largest, (one, other)| largest.max(one.abs_diff(*other)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_counts_wherever_it_is() {
        let last: Vec<u8> = (0..10_001_u32).map(|i| (i * 7 % 256) as u8).collect();
        for at in [0, 1, RUN - 1, RUN, 9_999, 10_000] {
            for difference in [-3_i16, -2, -1, 0, 1, 2, 3] {
                let mut next = last.clone();
                let sample = i16::from(next[at]) + difference;
                let Ok(sample) = u8::try_from(sample) else {
                    continue;
                };
                next[at] = sample;
                let size = difference.unsigned_abs();
                for tolerance in 0..=3 {
                    let expected = size <= u16::from(tolerance);
                    assert_eq!(
                        within(tolerance, &last, &next),
                        expected,
                        "{at} {difference}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_difference_does_not_wrap_around() {
        assert!(!within(16, &[0], &[255]));
        assert!(!within(16, &[255], &[0]));
        assert!(within(16, &[0, 255], &[16, 239]));
    }

    #[test]
    fn a_shorter_picture_is_another_one() {
        for tolerance in [0, 16] {
            assert!(!within(tolerance, &[1, 2, 3], &[1, 2]));
            assert!(!within(tolerance, &[], &[1]));
        }
    }
}
