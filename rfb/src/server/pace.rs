//! How fast a client's line is, and what follows from that.
//!
//! The time from an update to the client's answer tells: a fence that was sent behind it comes back, or else the next
//! request. A line is taken for slow only after an update could not be handed to it at once; a client that takes its time
//! for drawing is none. On a slow line what cannot be sent in time is sent with less quality, and no more is on its way than the
//! line takes.

use std::collections::VecDeque;

use super::Millis;

/// Updates below this say how long a way is, not how wide.
const SMALL: usize = 4 * 1024;
/// Updates from here on say how wide it is.
const LARGE: usize = 24 * 1024;
/// Bytes a second from which on a line is fast enough for anything.
const FAST: u64 = 4_000_000;
/// How long an update may be on its way. A change waits for one that is out, is encoded, sent, and shown; all that
/// together has to stay below a quarter of a second.
const ON_ITS_WAY: u64 = 70;
/// The best of so many samples counts, and fewer say nothing: a client or a machine that was busy for a moment, as
/// viewers are that have just opened their window, is no slow line.
const SAMPLES: usize = 3;
/// An update that was on its way for so long came too late in any case: then it alone counts. If it was a moment, the
/// next one tells.
const TOO_LATE: u64 = 250;
/// An update that waited for so long until all of it was handed over was held up by the line.
const HELD_UP: u64 = 40;
/// Unanswered updates under ContinuousUpdates.
const MOST_OUT: usize = 2;
/// Fences that are remembered; a client that never answers any gets no more memory.
const MOST_KEPT: usize = 8;
/// A client that leaves a fence unanswered for so long does not answer fences.
const PATIENCE: u64 = 5_000;
/// Qualities of the JPEGs that are made for a slow line, as libjpeg counts.
const QUALITIES: std::ops::RangeInclusive<u8> = 5..=85;

/// What an update may cost on a slow line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Budget {
    pub(super) bytes: usize,
    /// The quality at which larger pictures are compressed anew.
    pub(super) quality: u8,
}

/// What is known of one client's line.
#[derive(Debug)]
pub(super) struct Pace {
    /// Fences on their way, oldest first.
    fences: VecDeque<Sent>,
    next: u32,
    /// The update that the next request answers.
    unanswered: Option<Sent>,
    /// Bytes a second, newest last.
    rates: VecDeque<u64>,
    /// The shortest way there and back.
    trip: Option<u64>,
    quality: u8,
}

#[derive(Clone, Copy, Debug)]
struct Sent {
    fence: u32,
    bytes: usize,
    at: Millis,
    held_up: bool,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            fences: VecDeque::new(),
            next: 1,
            unanswered: None,
            rates: VecDeque::new(),
            trip: None,
            quality: 40,
        }
    }
}

impl Pace {
    /// An update was handed over for sending. Gives the data of the fence that has to follow it, if one is of use;
    /// `fences`: the client answers them, `continuous`: it need not ask for updates.
    pub(super) fn sent(
        &mut self,
        bytes: usize,
        now: Millis,
        fences: bool,
        continuous: bool,
    ) -> Option<[u8; 4]> {
        let sent = Sent {
            fence: self.next,
            bytes,
            at: now,
            held_up: false,
        };
        if !fences {
            self.unanswered = Some(sent);
            return None;
        }
        self.unanswered = None;
        if !continuous && bytes < self.large() {
            return None;
        }
        self.next = self.next.wrapping_add(1);
        self.fences.push_back(sent);
        if self.fences.len() > MOST_KEPT {
            self.fences.pop_front();
        }
        Some(sent.fence.to_be_bytes())
    }

    /// All of the last update was handed to the line.
    pub(super) fn written(&mut self, now: Millis) {
        for sent in self.unanswered.iter_mut().chain(self.fences.back_mut()) {
            sent.held_up |= now.0.saturating_sub(sent.at.0) >= HELD_UP;
        }
    }

    /// The client asked for the next update.
    pub(super) fn asked(&mut self, now: Millis) {
        if let Some(sent) = self.unanswered.take() {
            self.learn(sent, now);
        }
    }

    /// A fence came back.
    pub(super) fn answered(&mut self, data: &[u8], now: Millis) {
        let Ok(number) = <[u8; 4]>::try_from(data).map(u32::from_be_bytes) else {
            return;
        };
        let place = self.fences.iter().position(|sent| sent.fence == number);
        if let Some(sent) = place.and_then(|place| self.fences.drain(..=place).next_back()) {
            self.learn(sent, now);
        }
    }

    fn learn(&mut self, sent: Sent, now: Millis) {
        let elapsed = now.0.saturating_sub(sent.at.0);
        if sent.bytes < SMALL {
            let longer = self.trip.map(|trip| trip + trip / 8 + 1);
            self.trip = Some(elapsed.min(longer.unwrap_or(elapsed)));
        } else if sent.bytes >= self.large() {
            // Not all of the time went into sending.
            let sending = elapsed.saturating_sub(self.trip.unwrap_or(0));
            let sending = sending.max(elapsed / 4).max(1);
            let rate = sent.bytes as u64 * 1000 / sending;
            let slow_itself = self.budget().is_none() && !sent.held_up;
            let rate = if slow_itself { rate.max(FAST) } else { rate };
            let counts = if elapsed >= TOO_LATE { SAMPLES } else { 1 };
            self.rates.extend(std::iter::repeat_n(rate, counts));
            while self.rates.len() > SAMPLES {
                self.rates.pop_front();
            }
        }
    }

    /// Bytes that are on their way, as far as fences and requests tell.
    pub(super) fn in_flight(&self) -> usize {
        let fences = self.fences.iter().map(|sent| sent.bytes);
        let unanswered = self.unanswered.iter().map(|sent| sent.bytes);
        fences.chain(unanswered).sum()
    }

    /// The shortest way there and back.
    pub(super) fn trip(&self) -> Option<Millis> {
        self.trip.map(Millis)
    }

    /// From how many bytes on an update tells how wide the line is.
    fn large(&self) -> usize {
        self.budget()
            .map_or(LARGE, |budget| LARGE.min(budget.bytes / 2))
    }

    /// Whether another update may be sent though the client has not said that it has the last ones.
    pub(super) fn has_room(&mut self, now: Millis) -> bool {
        if self.gives_up_at(now).is_some_and(|at| at <= now) {
            self.fences.clear();
        }
        self.fences.len() < self.most_out()
    }

    /// While there is no room: when there will be some though nothing comes.
    pub(super) fn gives_up_at(&self, now: Millis) -> Option<Millis> {
        let oldest = self.fences.front()?;
        let given_up = Millis(oldest.at.0.saturating_add(PATIENCE));
        (self.fences.len() >= self.most_out() || given_up <= now).then_some(given_up)
    }

    fn most_out(&self) -> usize {
        match self.budget() {
            Some(_) => 1,
            None => MOST_OUT,
        }
    }

    /// What an update may cost; `None` on a line that takes all there is.
    pub(super) fn budget(&self) -> Option<Budget> {
        let rate = self.rates.iter().copied().max()?;
        (rate < FAST && self.rates.len() >= SAMPLES).then(|| Budget {
            bytes: coarse((rate * ON_ITS_WAY / 1000) as usize).max(SMALL),
            quality: self.quality,
        })
    }

    /// Pictures were compressed anew to so many bytes: the next ones may be better, or must be worse.
    pub(super) fn compressed(&mut self, bytes: usize) {
        if let Some(budget) = self.budget() {
            let ratio = (budget.bytes * 100 / bytes.max(1)).clamp(50, 140);
            let quality = (usize::from(self.quality) * ratio + 50) / 100;
            let (least, most) = (*QUALITIES.start(), *QUALITIES.end());
            self.quality = u8::try_from(quality).unwrap_or(most).clamp(least, most);
        }
    }
}

/// The next lower of few numbers, so that clients on the same kind of line are served alike.
fn coarse(bytes: usize) -> usize {
    let power = 1 << bytes.max(1).ilog2();
    let half_more = power + power / 2;
    if bytes >= half_more { half_more } else { power }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends an update and answers it `elapsed` later; gives the time then.
    fn exchange(pace: &mut Pace, bytes: usize, now: u64, elapsed: u64) -> u64 {
        assert_eq!(pace.sent(bytes, Millis(now), false, false), None);
        pace.written(Millis(now + elapsed));
        pace.asked(Millis(now + elapsed));
        now + elapsed
    }

    #[test]
    fn a_line_is_fast_until_it_is_slow_several_times() {
        let mut pace = Pace::default();
        assert_eq!(pace.budget(), None);
        let mut now = exchange(&mut pace, 400_000, 0, 10);
        for _ in 0..SAMPLES - 1 {
            now = exchange(&mut pace, 100_000, now, 170);
            assert_eq!(pace.budget(), None, "it may have been a moment");
        }
        now = exchange(&mut pace, 100_000, now, 170);
        let budget = pace.budget().expect("a slow line");
        assert!(
            (32_768..=588_235 * 70 / 1000).contains(&budget.bytes),
            "{budget:?}"
        );
        now = exchange(&mut pace, 400_000, now, 10);
        assert_eq!(pace.budget(), None);
        now = exchange(&mut pace, 400_000, now, 700);
        assert!(pace.budget().is_some(), "too late once is enough");
        exchange(&mut pace, 30_000, now, 1);
        assert_eq!(pace.budget(), None);
    }

    #[test]
    fn a_viewer_that_opens_its_window_is_no_slow_line() {
        let mut pace = Pace::default();
        // What TigerVNC and gtk-vnc took for their first picture.
        let now = exchange(&mut pace, 124_000, 0, 43);
        assert_eq!(pace.budget(), None);
        exchange(&mut pace, 115_000, now, 6);
        assert_eq!(pace.budget(), None);
        // A line on which nothing comes in time is slow from the first picture on.
        let mut pace = Pace::default();
        exchange(&mut pace, 124_000, 0, 400);
        assert!(pace.budget().is_some());
    }

    #[test]
    fn the_way_is_not_taken_for_a_narrow_line() {
        let mut pace = Pace::default();
        let now = exchange(&mut pace, 100, 0, 80);
        exchange(&mut pace, 400_000, now, 120);
        assert_eq!(pace.budget(), None, "400 KB in 40 ms");
        let mut near = Pace::default();
        let mut now = 0;
        for _ in 0..SAMPLES {
            now = exchange(&mut near, 400_000, now, 120);
        }
        assert!(near.budget().is_some(), "400 KB in 120 ms");
    }

    #[test]
    fn a_client_that_is_slow_itself_is_no_slow_line() {
        let mut pace = Pace::default();
        for now in [0, 1000, 2000, 3000] {
            pace.sent(400_000, Millis(now), false, false);
            pace.written(Millis(now + 3));
            pace.asked(Millis(now + 900));
        }
        assert_eq!(pace.budget(), None);
    }

    #[test]
    fn two_updates_are_out_at_most_until_a_fence_comes_back_or_never_does() {
        let mut pace = Pace::default();
        let first = pace.sent(100, Millis(0), true, true).expect("a fence");
        assert!(pace.has_room(Millis(0)));
        let second = pace.sent(100, Millis(1), true, true).expect("a fence");
        assert_ne!(first, second);
        assert!(!pace.has_room(Millis(2)));
        assert_eq!(pace.gives_up_at(Millis(2)), Some(Millis(PATIENCE)));
        pace.answered(b"what?", Millis(3));
        assert!(!pace.has_room(Millis(3)));
        // The second tells that the first was there as well.
        pace.answered(&second, Millis(4));
        assert!(pace.has_room(Millis(4)) && pace.fences.is_empty());
        pace.sent(100, Millis(5), true, true);
        pace.sent(100, Millis(6), true, true);
        assert!(!pace.has_room(Millis(5 + PATIENCE - 1)));
        assert!(pace.has_room(Millis(5 + PATIENCE)));
    }

    #[test]
    fn a_client_that_asks_needs_fences_behind_large_updates_only() {
        let mut pace = Pace::default();
        assert_eq!(pace.sent(100, Millis(0), true, false), None);
        assert!(pace.sent(LARGE, Millis(0), true, false).is_some());
    }

    #[test]
    fn quality_follows_what_came_of_it() {
        let mut pace = Pace::default();
        exchange(&mut pace, 100_000, 0, 1000);
        let budget = pace.budget().expect("a slow line");
        pace.compressed(budget.bytes * 2);
        let worse = pace.budget().expect("a slow line").quality;
        assert!(worse < budget.quality);
        for _ in 0..20 {
            pace.compressed(budget.bytes * 100);
        }
        assert_eq!(pace.budget().map(|b| b.quality), Some(*QUALITIES.start()));
        for _ in 0..20 {
            pace.compressed(10);
        }
        assert_eq!(pace.budget().map(|b| b.quality), Some(*QUALITIES.end()));
    }

    #[test]
    fn budgets_are_few() {
        let budgets: std::collections::BTreeSet<usize> = (4096..1_000_000).map(coarse).collect();
        assert!(budgets.len() < 20);
        assert!((1..100_000).all(|bytes| coarse(bytes) <= bytes && coarse(bytes) * 2 > bytes));
    }
}
