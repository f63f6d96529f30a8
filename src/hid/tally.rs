//! How much of a text the target took, so that who types it can keep pace and say where it ended.

use std::{collections::VecDeque, sync::Arc};

use tokio::sync::watch;

use super::ClientId;

/// What became of the characters ([`Input::Character`](super::Input::Character)) of the client that sent some last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typed {
    pub client: ClientId,
    /// Presses and releases whose reports the target took, all of them in order.
    pub strokes: usize,
    /// Why a report was dropped. After that nothing more of this client's text is typed: it would have a hole.
    pub lost: Option<Arc<str>>,
}

/// Counts, on the HID thread.
#[derive(Debug)]
pub(super) struct Tally {
    typed: watch::Sender<Typed>,
    /// Of each stroke on its way: the number of the first report behind it.
    on_their_way: VecDeque<u64>,
}

impl Tally {
    pub(super) fn new() -> (Self, watch::Receiver<Typed>) {
        let (typed, receiver) = watch::channel(Typed {
            client: ClientId(0),
            strokes: 0,
            lost: None,
        });
        let tally = Self {
            typed,
            on_their_way: VecDeque::new(),
        };
        (tally, receiver)
    }

    /// Whether this client's text is still whole.
    pub(super) fn is_whole(&self, client: ClientId) -> bool {
        let typed = self.typed.borrow();
        typed.client != client || typed.lost.is_none()
    }

    /// A stroke is on its way; reports from `behind` on are not part of it.
    pub(super) fn add(&mut self, client: ClientId, behind: u64) {
        if self.typed.borrow().client != client {
            self.on_their_way.clear();
            self.typed.send_replace(Typed {
                client,
                strokes: 0,
                lost: None,
            });
        }
        self.on_their_way.push_back(behind);
    }

    /// Every report before `waiting` has left the keyboard's lane.
    pub(super) fn taken_before(&mut self, waiting: u64) {
        let strokes = self
            .on_their_way
            .partition_point(|behind| *behind <= waiting);
        if strokes > 0 {
            self.on_their_way.drain(..strokes);
            self.typed.send_modify(|typed| typed.strokes += strokes);
        }
    }

    /// What waited for the keyboard is dropped.
    pub(super) fn lost(&mut self, why: &str) {
        if !self.on_their_way.is_empty() {
            self.on_their_way.clear();
            self.typed
                .send_modify(|typed| typed.lost = Some(why.into()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: ClientId = ClientId(1);

    #[test]
    fn strokes_count_when_all_of_their_reports_were_taken() {
        let (mut tally, typed) = Tally::new();
        let strokes = || typed.borrow().strokes;
        tally.add(ONE, 2);
        tally.add(ONE, 3);
        tally.taken_before(1);
        assert_eq!(strokes(), 0, "one report of the first is left");
        tally.taken_before(2);
        assert_eq!(strokes(), 1);
        // One that needs no report is done with the one before it.
        tally.add(ONE, 3);
        tally.taken_before(9);
        assert_eq!(strokes(), 3);
        tally.lost("nothing of it");
        assert!(tally.is_whole(ONE));
    }

    #[test]
    fn a_text_with_a_hole_in_it_is_not_typed_on() {
        let (mut tally, typed) = Tally::new();
        tally.add(ONE, 2);
        tally.add(ONE, 3);
        tally.taken_before(2);
        tally.lost("gone");
        tally.taken_before(9);
        let expected = Typed {
            client: ONE,
            strokes: 1,
            lost: Some("gone".into()),
        };
        assert_eq!(*typed.borrow(), expected);
        assert!(!tally.is_whole(ONE) && tally.is_whole(ClientId(2)));
        tally.add(ClientId(2), 10);
        assert_eq!(typed.borrow().strokes, 0);
        assert!(tally.is_whole(ONE));
    }
}
