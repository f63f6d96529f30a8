//! Keys of a client whose link went dead.
//!
//! A link may die without a word, and TCP takes minutes to find out; a key that is held then repeats on the target
//! all the while. So a client that holds something and of which nothing at all is heard for some time loses it. A viewer
//! that is there repeats the key that it holds, asks for pictures, or at least answers the fence that it is sent when half
//! of the time is over; of one without fences a mouse button held still looks like a dead link.

use std::{collections::BTreeSet, time::Duration};

use tokio::time::Instant;

use crate::hid::Input;

/// What one client holds, and when it was heard last.
#[derive(Debug)]
pub(super) struct Expiry {
    /// Zero for never.
    after: Duration,
    heard: Instant,
    asked: bool,
    /// Keys as they were pressed, by keysym and scancode.
    keys: BTreeSet<(u32, u32)>,
    buttons: u16,
}

/// What a silence calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Silence {
    /// Asking whether the client is there.
    Ask,
    /// Letting go of what it holds.
    LetGo,
}

impl Expiry {
    /// Keys that are told apart; of more it is only known that there are some.
    const KEYS: usize = 64;

    pub(super) fn new(after: Duration, now: Instant) -> Self {
        Self {
            after,
            heard: now,
            asked: false,
            keys: BTreeSet::new(),
            buttons: 0,
        }
    }

    /// Something came from the client, or nothing could come because nothing was read.
    pub(super) fn heard(&mut self, now: Instant) {
        self.heard = now;
        self.asked = false;
    }

    /// The client did this.
    pub(super) fn note(&mut self, input: &Input) {
        let (down, key) = match *input {
            Input::Key { down, keysym } => (down, (keysym, 0)),
            Input::ExtendedKey { down, keysym, code } => (down, (keysym, code)),
            Input::Pointer { buttons, .. } | Input::Motion { buttons, .. } => {
                self.buttons = buttons;
                return;
            }
            Input::Character { .. } | Input::TogglePointerMode => return,
            Input::Expire | Input::Leave => {
                self.keys.clear();
                self.buttons = 0;
                return;
            }
        };
        if !down {
            self.keys.remove(&key);
        } else if self.keys.len() < Self::KEYS {
            self.keys.insert(key);
        }
    }

    /// When something has to be done if nothing comes until then.
    pub(super) fn due_at(&self) -> Option<Instant> {
        let holds = !self.keys.is_empty() || self.buttons != 0;
        let after = if self.asked {
            self.after
        } else {
            self.after / 2
        };
        (holds && !self.after.is_zero()).then(|| self.heard + after)
    }

    /// What has to be done now.
    pub(super) fn due(&mut self, now: Instant) -> Option<Silence> {
        self.due_at().filter(|at| *at <= now)?;
        if now >= self.heard + self.after {
            return Some(Silence::LetGo);
        }
        self.asked = true;
        Some(Silence::Ask)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    fn key(down: bool, keysym: u32) -> Input {
        Input::Key { down, keysym }
    }

    #[test]
    fn complaint_8_who_holds_a_key_and_is_silent_is_asked_and_then_loses_it() {
        let start = Instant::now();
        let mut expiry = Expiry::new(seconds(10), start);
        assert_eq!(expiry.due_at(), None);
        expiry.note(&key(true, 0x61));
        expiry.heard(start + seconds(1));
        assert_eq!(expiry.due(start + seconds(5)), None);
        assert_eq!(expiry.due_at(), Some(start + seconds(6)));
        assert_eq!(expiry.due(start + seconds(6)), Some(Silence::Ask));
        assert_eq!(expiry.due(start + seconds(7)), None, "asked once");
        assert_eq!(expiry.due_at(), Some(start + seconds(11)));
        assert_eq!(expiry.due(start + seconds(11)), Some(Silence::LetGo));
        expiry.note(&Input::Expire);
        assert_eq!(expiry.due_at(), None);
    }

    #[test]
    fn complaint_9_who_answers_or_holds_nothing_is_left_alone() {
        let start = Instant::now();
        let mut expiry = Expiry::new(seconds(10), start);
        expiry.note(&key(true, 0x61));
        for second in 1..100 {
            let now = start + seconds(5 * second);
            assert_eq!(expiry.due(now), Some(Silence::Ask));
            expiry.heard(now);
        }
        expiry.note(&key(false, 0x61));
        assert_eq!(expiry.due_at(), None);
        let mut off = Expiry::new(Duration::ZERO, start);
        off.note(&key(true, 0x61));
        assert_eq!(off.due_at(), None);
    }

    #[test]
    fn a_flood_of_keys_is_not_remembered() {
        let mut expiry = Expiry::new(seconds(10), Instant::now());
        for keysym in 0..100_000 {
            expiry.note(&key(true, keysym));
        }
        assert_eq!(expiry.keys.len(), Expiry::KEYS);
    }
}
