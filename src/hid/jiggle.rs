//! When an idle target's pointer is stirred, so that it neither locks nor sleeps.

use std::time::Duration;

/// A clock that runs out after about `period` without input. Times are since any fixed moment.
#[derive(Debug)]
pub(super) struct Jiggle {
    period: Duration,
    due: Duration,
}

impl Jiggle {
    /// A `period` of zero never runs out.
    pub(super) fn new(period: Duration) -> Self {
        Self {
            period,
            due: period,
        }
    }

    /// Something was done to the target: counts anew, for the period less or more up to a quarter, by `dither`,
    /// any number that is another one each time.
    pub(super) fn restart(&mut self, now: Duration, dither: u32) {
        let share = u32::from((dither % 256) as u8);
        self.due = now + self.period * 3 / 4 + self.period / 2 * share / 255;
    }

    pub(super) fn is_due(&self, now: Duration) -> bool {
        self.is_on() && now >= self.due
    }

    /// How long it is until then; for ever if never.
    pub(super) fn due_in(&self, now: Duration) -> Option<Duration> {
        self.is_on().then(|| self.due.saturating_sub(now))
    }

    fn is_on(&self) -> bool {
        !self.period.is_zero()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn it_runs_out_after_the_period_give_or_take_a_quarter() {
        let mut jiggle = Jiggle::new(seconds(60));
        assert!(!jiggle.is_due(seconds(59)) && jiggle.is_due(seconds(60)));
        let mut periods = std::collections::BTreeSet::new();
        for dither in 0..1000 {
            jiggle.restart(seconds(100), dither);
            let wait = jiggle.due_in(seconds(100)).expect("it is on");
            assert!((seconds(45)..=seconds(75)).contains(&wait), "{wait:?}");
            assert!(!jiggle.is_due(seconds(100)) && jiggle.is_due(seconds(100) + wait));
            periods.insert(wait);
        }
        assert_eq!(periods.len(), 256);
        assert_eq!(periods.first(), Some(&seconds(45)));
        assert_eq!(periods.last(), Some(&seconds(75)));
    }

    #[test]
    fn zero_is_off() {
        let mut jiggle = Jiggle::new(Duration::ZERO);
        jiggle.restart(seconds(1), 7);
        assert!(!jiggle.is_due(Duration::MAX));
        assert_eq!(jiggle.due_in(seconds(1)), None);
    }
}
