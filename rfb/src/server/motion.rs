//! When most of the picture keeps changing, looking for what did not change costs more than it saves.

/// How much of a frame changed from one update to the next, lately.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Motion {
    /// Updates in a row in which most changed.
    streak: u8,
    /// Frames that are still to go out unseen.
    unseen: u8,
    /// How many go out unseen after the next look.
    next: u8,
    /// What [`alike_at_ends`] said when most had changed.
    alike: bool,
}

/// From so many updates in a row on it is motion.
const STREAK: u8 = 3;
const FIRST_UNSEEN: u8 = 4;
const MOST_UNSEEN: u8 = 64;

impl Motion {
    /// Whether the next frame may go out as it came, without a look at what changed. `alike`: the two JPEGs begin or
    /// end alike.
    pub(super) fn goes_unseen(&self, alike: bool) -> bool {
        self.unseen > 0 && (!alike || self.alike)
    }

    pub(super) fn went_unseen(&mut self) {
        self.unseen = self.unseen.saturating_sub(1);
    }

    /// What a look has shown.
    pub(super) fn seen(&mut self, most_changed: bool, alike: bool) {
        if !most_changed {
            *self = Self::default();
            return;
        }
        self.alike = alike;
        self.streak = self.streak.saturating_add(1);
        if self.streak >= STREAK {
            self.unseen = self.next.clamp(FIRST_UNSEEN, MOST_UNSEEN);
            self.next = self.unseen.saturating_mul(2);
        }
    }
}

/// Whether a good part of two JPEGs is the same at their beginning, or their very ends are, so that the top or the
/// bottom of the picture did not change. Costs little; full motion fails it.
pub(super) fn alike_at_ends(old: &[u8], new: &[u8]) -> bool {
    const HEADERS: usize = 1024;
    let shorter = old.len().min(new.len());
    let piece = HEADERS + shorter / 16;
    if shorter < piece {
        return true;
    }
    old[..piece] == new[..piece] || ends_alike(old, new)
}

/// Whether the last bits before EOI are the same, at whatever place in a byte they begin.
fn ends_alike(old: &[u8], new: &[u8]) -> bool {
    const LENGTH: usize = 24;
    let bits = |jpeg: &[u8]| -> Option<u128> {
        let end = jpeg.len().checked_sub(2)?;
        let last = jpeg.get(end.checked_sub(LENGTH)?..end)?;
        let last = last.last_chunk::<16>()?;
        let bits = u128::from_be_bytes(*last);
        // The padding is made of ones.
        Some(bits >> bits.trailing_ones().min(7))
    };
    let (Some(old), Some(new)) = (bits(old), bits(new)) else {
        return true;
    };
    const COMPARED: u128 = (1 << 96) - 1;
    (0..8).any(|shift| (old >> shift) & COMPARED == new & COMPARED)
        || (1..8).any(|shift| old & COMPARED == (new >> shift) & COMPARED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_three_full_changes_frames_go_out_unseen_ever_longer() {
        let mut motion = Motion::default();
        let mut unseen = Vec::new();
        for _ in 0..6 {
            motion.seen(true, false);
            let mut count = 0;
            while motion.goes_unseen(false) {
                motion.went_unseen();
                count += 1;
            }
            unseen.push(count);
        }
        assert_eq!(unseen, [0, 0, 4, 8, 16, 32]);
        motion.seen(false, false);
        assert!(!motion.goes_unseen(false));
        motion.seen(true, false);
        assert!(!motion.goes_unseen(false), "it begins anew");
    }

    #[test]
    fn a_frame_like_the_last_one_is_looked_at_unless_motion_was_like_that() {
        let mut motion = Motion::default();
        (0..3).for_each(|_| motion.seen(true, false));
        assert!(motion.goes_unseen(false) && !motion.goes_unseen(true));
        let mut motion = Motion::default();
        (0..3).for_each(|_| motion.seen(true, true));
        assert!(motion.goes_unseen(true));
    }

    #[test]
    fn ends_are_compared_bit_by_bit() {
        let noise = |seed: u32, length: usize| -> Vec<u8> {
            (0..length)
                .scan(seed, |state, _| {
                    *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    Some((*state >> 24) as u8)
                })
                .collect()
        };
        let old = [noise(1, 20_000), vec![0x35, 0xff, 0xd9]].concat();
        let other = [noise(2, 20_000), vec![0x35, 0xff, 0xd9]].concat();
        assert!(alike_at_ends(&old, &old));
        assert!(!alike_at_ends(&old, &other));
        let begins = [&old[..10_000], &other[10_000..]].concat();
        assert!(alike_at_ends(&old, &begins));
        // The same end, three bits later.
        let mut shifted = noise(3, 10_000);
        for pair in old[9_999..old.len() - 2].windows(2) {
            shifted.push(pair[0] << 5 | pair[1] >> 3);
        }
        shifted.push(0x35 << 5 | 0x1f);
        shifted.extend([0xff, 0xd9]);
        assert!(alike_at_ends(&old, &shifted));
    }
}
