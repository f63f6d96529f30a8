//! The way from the sessions to the HID thread: a bounded queue in which a pointer move takes the place of the one before,
//! or is added to it.

use std::{
    collections::{HashMap, VecDeque},
    sync::PoisonError,
    time::Duration,
};

use super::{ClientId, Input};
use crate::sync::{Condvar, Mutex, MutexGuard, Notify};

/// Inputs that may wait before a client has to.
const ROOM: usize = if cfg!(feature = "shuttle") { 2 } else { 64 };

#[derive(Debug, Default)]
pub(super) struct Inbox {
    state: Mutex<State>,
    /// Something came, or the end.
    arrived: Condvar,
    /// Something left, for async and for blocking senders.
    left: Notify,
    left_blocking: Condvar,
}

#[derive(Debug, Default)]
struct State {
    items: VecDeque<Item>,
    /// Each client's buttons as it sent them last, to tell moves from edges.
    buttons: HashMap<ClientId, u16>,
    closed: bool,
}

#[derive(Clone, Copy, Debug)]
struct Item {
    client: ClientId,
    input: Input,
    is_move: bool,
}

/// What [`Inbox::wait`] came back with.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    Input(ClientId, Input),
    Nothing,
    Closed,
}

impl Inbox {
    /// Waits for room, then puts the input in. A pointer move joins the client's last one and a leave always has
    /// room, so neither waits long.
    pub(super) async fn send(&self, client: ClientId, input: Input) {
        loop {
            let left = self.left.notified();
            if self.put(&mut self.lock(), client, input) {
                return;
            }
            left.await;
        }
    }

    /// [`Inbox::send`] for threads outside the runtime.
    pub(super) fn blocking_send(&self, client: ClientId, input: Input) {
        let mut state = self.lock();
        while !self.put(&mut state, client, input) {
            state = self
                .left_blocking
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The next input if one is wanted, waiting for at most `timeout` (for ever if `None`).
    pub(super) fn wait(&self, wanted: bool, timeout: Option<Duration>) -> Arrival {
        let is_idle = |state: &mut State| !state.closed && (!wanted || state.items.is_empty());
        let state = self.lock();
        let mut state = match timeout {
            None => self
                .arrived
                .wait_while(state, is_idle)
                .unwrap_or_else(PoisonError::into_inner),
            Some(timeout) => {
                self.arrived
                    .wait_timeout_while(state, timeout, is_idle)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0
            }
        };
        if state.closed {
            return Arrival::Closed;
        }
        if !wanted {
            return Arrival::Nothing;
        }
        let Some(item) = state.items.pop_front() else {
            return Arrival::Nothing;
        };
        drop(state);
        self.left.notify_waiters();
        self.left_blocking.notify_all();
        Arrival::Input(item.client, item.input)
    }

    /// From now on everything is taken and forgotten.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.items.clear();
        drop(state);
        self.arrived.notify_all();
        self.left.notify_waiters();
        self.left_blocking.notify_all();
    }

    /// False if there is no room.
    fn put(&self, state: &mut State, client: ClientId, input: Input) -> bool {
        if state.closed {
            return true;
        }
        let buttons = input.buttons();
        let is_move = buttons.is_some() && buttons == state.buttons.get(&client).copied();
        let mut input = input;
        if is_move {
            input = state.and_then_move(client, input);
        }
        if state.items.len() >= ROOM && input != Input::Leave {
            return false;
        }
        if let Some(buttons) = buttons {
            state.buttons.insert(client, buttons);
        }
        if input == Input::Leave {
            state.buttons.remove(&client);
        }
        state.items.push_back(Item {
            client,
            input,
            is_move,
        });
        self.arrived.notify_all();
        true
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes out the client's last move, if nothing but moves came after it, and gives the one that stands for that and
    /// for `next`.
    fn and_then_move(&mut self, client: ClientId, next: Input) -> Input {
        let moves = self.items.iter().rev().take_while(|item| item.is_move);
        let back = moves.enumerate().find(|(_, item)| item.client == client);
        let both = back.and_then(|(back, item)| Some((back, item.input.and_then_move(next)?)));
        let Some((back, both)) = both else {
            return next;
        };
        self.items.remove(self.items.len() - 1 - back);
        both
    }
}

#[cfg(all(test, feature = "shuttle"))]
mod schedules;

#[cfg(test)]
mod tests {
    use super::*;
    use rfb::geom::{Point, Size};

    const ONE: ClientId = ClientId(1);

    fn pointer(x: u16, buttons: u16) -> Input {
        Input::Pointer {
            position: Point::new(x, 0),
            size: Size::new(100, 100),
            buttons,
        }
    }

    fn drain(inbox: &Inbox) -> Vec<Input> {
        std::iter::from_fn(|| match inbox.wait(true, Some(Duration::ZERO)) {
            Arrival::Input(_, input) => Some(input),
            _ => None,
        })
        .collect()
    }

    #[test]
    fn check_65_moves_become_one_and_edges_stay() {
        let inbox = Inbox::default();
        for event in 0..10_000 {
            inbox.blocking_send(ONE, pointer(event % 97, 0));
            inbox.blocking_send(ClientId(2), pointer(event % 89, 0));
        }
        inbox.blocking_send(ONE, pointer(10, 1));
        inbox.blocking_send(ONE, pointer(50, 1));
        inbox.blocking_send(ONE, pointer(60, 1));
        inbox.blocking_send(ONE, pointer(60, 0));
        let inputs = drain(&inbox);
        assert_eq!(
            inputs[inputs.len() - 3..],
            [pointer(10, 1), pointer(60, 1), pointer(60, 0)],
            "the press is where it was made"
        );
        assert!(inputs.len() <= 7, "{inputs:?}");
    }

    #[test]
    fn movements_of_each_client_add_up_until_something_else_comes() {
        let inbox = Inbox::default();
        let two = ClientId(2);
        let motion = |dx, buttons| Input::Motion {
            dx,
            dy: -1,
            buttons,
        };
        for client in [ONE, two] {
            inbox.blocking_send(client, motion(0, 0));
        }
        for _ in 0..1000 {
            inbox.blocking_send(ONE, motion(3, 0));
            inbox.blocking_send(two, motion(-2, 0));
        }
        inbox.blocking_send(ONE, motion(4, 1));
        inbox.blocking_send(two, motion(5, 0));
        inbox.blocking_send(two, pointer(7, 0));
        inbox.blocking_send(two, motion(6, 0));
        let sum = |dx, dy| Input::Motion { dx, dy, buttons: 0 };
        assert_eq!(
            drain(&inbox),
            [
                motion(0, 0),
                motion(0, 0),
                sum(3000, -1000),
                sum(-2000, -1000),
                motion(4, 1),
                motion(5, 0),
                pointer(7, 0),
                motion(6, 0),
            ]
        );
    }

    #[test]
    fn a_full_inbox_makes_keys_wait_but_not_who_leaves() {
        let inbox = Inbox::default();
        let key = Input::Key {
            down: true,
            keysym: 0x61,
        };
        for _ in 0..ROOM {
            assert!(inbox.put(&mut inbox.lock(), ONE, key));
        }
        assert!(!inbox.put(&mut inbox.lock(), ONE, key));
        inbox.blocking_send(ONE, Input::Leave);
        assert_eq!(drain(&inbox).len(), ROOM + 1);
        assert!(inbox.put(&mut inbox.lock(), ONE, key));
        assert_eq!(inbox.wait(false, Some(Duration::ZERO)), Arrival::Nothing);
        inbox.close();
        inbox.blocking_send(ONE, key);
        assert_eq!(inbox.wait(true, None), Arrival::Closed);
    }
}
