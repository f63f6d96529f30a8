//! Whether the target's Caps Lock and Num Lock are on.
//!
//! The LEDs are the truth. A target sets them some milliseconds after a lock key went down; until then, and for
//! [`PATIENCE`] at most, what that key does is believed.

use std::time::Duration;

use super::{Leds, keymap::Usage};

/// How long a target may take to set an LED.
pub(super) const PATIENCE: Duration = Duration::from_millis(500);

#[derive(Debug, Default)]
pub(super) struct Locks {
    /// As told last; `None` if nobody knows.
    leds: Option<Leds>,
    /// Since any fixed moment.
    now: Duration,
    caps: Expected,
    num: Expected,
}

/// What a lock will be once the target has answered.
#[derive(Clone, Copy, Debug, Default)]
struct Expected {
    on: bool,
    /// `None` if the LED says it all.
    until: Option<Duration>,
    /// The LED did not answer the key the last time.
    is_deaf: bool,
}

impl Locks {
    /// Takes in the time and the LEDs of this moment.
    pub(super) fn update(&mut self, now: Duration, leds: Option<Leds>) {
        self.now = now;
        let lit = |leds: Option<Leds>| (leds.map(|leds| leds.caps), leds.map(|leds| leds.num));
        let (before, after) = (lit(self.leds), lit(leds));
        self.caps.update(now, before.0, after.0);
        self.num.update(now, before.1, after.1);
        self.leds = leds;
    }

    /// A lock key went down.
    pub(super) fn pressed(&mut self, key: Usage) {
        let (caps, num) = (self.caps_on(), self.num_on());
        let until = Some(self.now + PATIENCE);
        match key {
            Usage::CAPS_LOCK => self.caps.expect(caps, until),
            Usage::NUM_LOCK => self.num.expect(num, until),
            _ => {}
        }
    }

    /// `None` if nobody knows.
    pub(super) fn caps_on(&self) -> Option<bool> {
        self.leds.map(|leds| self.caps.on(leds.caps))
    }

    /// `None` if nobody knows.
    pub(super) fn num_on(&self) -> Option<bool> {
        self.leds.map(|leds| self.num.on(leds.num))
    }

    /// Whether tapping Num Lock is of use: Macintoshes have none, and the key means something else there.
    pub(super) fn num_answers(&self) -> bool {
        !self.num.is_deaf
    }
}

impl Expected {
    fn update(&mut self, now: Duration, before: Option<bool>, after: Option<bool>) {
        if before != after {
            self.is_deaf = false;
        }
        let Some(until) = self.until else {
            return;
        };
        if after.is_none() || (before != after && after == Some(self.on)) {
            self.until = None;
        } else if now >= until {
            self.until = None;
            self.is_deaf = after != Some(self.on);
        }
    }

    fn expect(&mut self, on: Option<bool>, until: Option<Duration>) {
        if let Some(on) = on {
            self.on = !on;
            self.until = until;
        }
    }

    fn on(&self, led: bool) -> bool {
        match self.until {
            Some(_) => self.on,
            None => led,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leds(caps: bool) -> Option<Leds> {
        Some(Leds {
            caps,
            ..Leds::default()
        })
    }

    const fn at(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn complaint_16_the_led_is_the_truth_and_a_key_is_believed_until_it_answers() {
        let mut locks = Locks::default();
        assert_eq!(locks.caps_on(), None);
        locks.pressed(Usage::CAPS_LOCK);
        assert_eq!(locks.caps_on(), None, "nobody knows");
        locks.update(at(0), leds(false));
        locks.pressed(Usage::CAPS_LOCK);
        assert_eq!(locks.caps_on(), Some(true), "not answered yet");
        locks.update(at(10), leds(true));
        locks.update(at(20), leds(false));
        assert_eq!(locks.caps_on(), Some(false), "somebody else's key");
    }

    #[test]
    fn two_taps_before_an_answer_end_where_they_began() {
        let mut locks = Locks::default();
        locks.update(at(0), leds(false));
        locks.pressed(Usage::CAPS_LOCK);
        locks.pressed(Usage::CAPS_LOCK);
        for (time, led) in [(5, false), (10, true), (20, false)] {
            locks.update(at(time), leds(led));
            assert_eq!(locks.caps_on(), Some(false), "after {time} ms");
        }
    }

    #[test]
    fn a_target_that_does_not_answer_is_believed_in_the_end() {
        let mut locks = Locks::default();
        locks.update(at(0), leds(false));
        locks.pressed(Usage::NUM_LOCK);
        locks.update(at(499), leds(false));
        assert_eq!((locks.num_on(), locks.num_answers()), (Some(true), true));
        locks.update(at(500), leds(false));
        assert_eq!((locks.num_on(), locks.num_answers()), (Some(false), false));
        locks.update(at(600), None);
        assert_eq!(locks.num_on(), None);
        locks.update(at(700), leds(false));
        assert!(locks.num_answers(), "perhaps another target");
    }
}
