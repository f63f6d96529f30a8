//! What clients press and move, on its way to the HID thread.

use std::{collections::VecDeque, future::Future, time::Duration};

use super::roster::Permit;
use crate::hid::{ClientId, HidHandle, Input};

/// Where the input of all clients goes.
pub trait InputSink: Clone + Send + Sync + 'static {
    /// Takes what a client did; waits while too much is waiting already. Dropped before it is ready,
    /// it has taken nothing.
    fn send(&self, client: ClientId, input: Input) -> impl Future<Output = ()> + Send;

    /// Tells that a client holds nothing any more, without waiting: it is gone, or may do nothing for now.
    fn leave(&self, client: ClientId);
}

impl InputSink for HidHandle {
    fn send(&self, client: ClientId, input: Input) -> impl Future<Output = ()> + Send {
        HidHandle::send(self, client, input)
    }

    fn leave(&self, client: ClientId) {
        HidHandle::leave(self, client);
    }
}

/// Inputs of one client that the HID thread has not taken yet; without a permit they are dropped. When it is dropped, in whatever way the session
/// ends, the client's keys are released.
pub(super) struct Inputs<'a, I: InputSink> {
    sink: &'a I,
    client: ClientId,
    permit: Permit,
    waiting: VecDeque<Input>,
    /// The buttons of the last pointer event, and whether the last that waits changed none.
    buttons: Option<u16>,
    ends_in_move: bool,
    left: bool,
}

impl<'a, I: InputSink> Inputs<'a, I> {
    /// While so many wait, nothing more is read from the client.
    const LIMIT: usize = 256;
    /// Time for the keys of a client that typed and left at once.
    const DRAIN: Duration = Duration::from_secs(5);

    pub(super) fn new(sink: &'a I, client: ClientId) -> Self {
        Self {
            sink,
            client,
            permit: Permit::default(),
            waiting: VecDeque::new(),
            buttons: None,
            ends_in_move: false,
            left: false,
        }
    }

    /// What has to be granted before anything is handed over.
    pub(super) fn permit(&self) -> Permit {
        self.permit.clone()
    }

    /// Adds an input behind the others. Moves in a row become one; a press stays where it was made.
    pub(super) fn push(&mut self, input: Input) {
        let buttons = input.buttons();
        let is_move = buttons.is_some() && buttons == self.buttons;
        self.buttons = buttons.or(self.buttons);
        let both = self.waiting.back().filter(|_| is_move && self.ends_in_move);
        match both.and_then(|last| last.and_then_move(input)) {
            Some(both) => {
                self.waiting.pop_back();
                self.waiting.push_back(both);
            }
            None => self.waiting.push_back(input),
        }
        self.ends_in_move = is_move;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() >= Self::LIMIT
    }

    /// Hands over the oldest input. Cancel-safe: it stays here unless it was taken.
    pub(super) async fn send_next(&mut self) {
        if let Some(input) = self.waiting.front() {
            let send = self.sink.send(self.client, *input);
            self.permit.pass(send).await;
            self.waiting.pop_front();
        }
    }

    /// Drops what waits: the client may do nothing any more.
    pub(super) fn forget(&mut self) {
        self.waiting.clear();
        self.buttons = None;
        self.ends_in_move = false;
    }

    /// Hands over what is left, as long as that takes no more than a few seconds.
    pub(super) async fn drain(&mut self) {
        let all = async {
            while !self.is_empty() {
                self.send_next().await;
            }
        };
        // Whoever waits longer for the target has nothing to type any more.
        let _ = tokio::time::timeout(Self::DRAIN, all).await;
    }

    /// The client is gone. Said once; what still waits is forgotten.
    pub(super) fn leave(&mut self) {
        self.waiting.clear();
        if !std::mem::replace(&mut self.left, true) {
            self.sink.leave(self.client);
        }
    }
}

impl<I: InputSink> Drop for Inputs<'_, I> {
    fn drop(&mut self) {
        self.leave();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use rfb::geom::{Point, Size};

    use super::*;

    #[derive(Clone, Default)]
    struct Taken(Arc<Mutex<Vec<Input>>>);

    impl InputSink for Taken {
        async fn send(&self, _: ClientId, input: Input) {
            self.0.lock().expect("no panic").push(input);
        }

        fn leave(&self, _: ClientId) {
            self.0.lock().expect("no panic").push(Input::Leave);
        }
    }

    fn pointer(x: u16, buttons: u16) -> Input {
        Input::Pointer {
            position: Point::new(x, 0),
            size: Size::new(640, 480),
            buttons,
        }
    }

    fn motion(dx: i16, buttons: u16) -> Input {
        Input::Motion { dx, dy: 1, buttons }
    }

    /// Check 65: moves are coalesced, button edges are not.
    #[tokio::test]
    async fn moves_in_a_row_are_one_and_edges_stay() {
        let sink = Taken::default();
        let key = Input::Key {
            down: true,
            keysym: 0x61,
        };
        let mut inputs = Inputs::new(&sink, ClientId(1));
        inputs.permit().grant();
        for input in [
            pointer(1, 0),
            pointer(2, 0),
            pointer(2, 1),
            pointer(3, 1),
            pointer(4, 1),
            pointer(4, 0),
            key,
            pointer(5, 0),
            pointer(6, 0),
        ] {
            inputs.push(input);
        }
        inputs.drain().await;
        inputs.leave();
        drop(inputs);
        let expected = [
            pointer(1, 0),
            pointer(2, 0),
            pointer(2, 1),
            pointer(4, 1),
            pointer(4, 0),
            key,
            pointer(6, 0),
            Input::Leave,
        ];
        assert_eq!(*sink.0.lock().expect("no panic"), expected);
    }
    #[tokio::test]
    async fn movements_in_a_row_add_up_and_a_press_stays_between_them() {
        let sink = Taken::default();
        let mut inputs = Inputs::new(&sink, ClientId(1));
        inputs.permit().grant();
        for input in [
            motion(5, 0),
            motion(6, 0),
            motion(-1, 0),
            motion(2, 1),
            motion(3, 1),
            motion(i16::MAX, 1),
            pointer(4, 1),
            motion(7, 1),
        ] {
            inputs.push(input);
        }
        inputs.drain().await;
        let sum = |dx, dy, buttons| Input::Motion { dx, dy, buttons };
        let expected = [
            motion(5, 0),
            sum(5, 2, 0),
            motion(2, 1),
            sum(i16::MAX, 2, 1),
            pointer(4, 1),
            motion(7, 1),
        ];
        assert_eq!(*sink.0.lock().expect("no panic"), expected);
    }
}
