//! Sessions that send, stop waiting and leave, and the HID thread, in many orders.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    task::Poll,
};

use shuttle::{future::block_on, thread};

use super::*;
use crate::sync::in_many_orders;

const ONE: ClientId = ClientId(1);
const TWO: ClientId = ClientId(2);
/// More than there is room for.
const KEYS: u32 = 5;

fn key(keysym: u32) -> Input {
    Input::Key { down: true, keysym }
}

/// What the HID thread takes until so many have left.
fn take(inbox: &Inbox, leaving: usize) -> Vec<(ClientId, Input)> {
    let mut taken = Vec::new();
    let left = |taken: &[(ClientId, Input)]| {
        taken
            .iter()
            .filter(|(_, input)| *input == Input::Leave)
            .count()
    };
    while left(&taken) < leaving {
        match inbox.wait(true, None) {
            Arrival::Input(client, input) => taken.push((client, input)),
            other => panic!("{other:?} although nobody closes it"),
        }
    }
    taken
}

/// Polls it once more than it needs to begin to wait, and then forgets it, as a session does that has to end.
async fn given_up(send: impl Future<Output = ()>) -> bool {
    let mut send = pin!(send);
    poll_fn(|context| Poll::Ready(send.as_mut().poll(context).is_ready())).await
}

#[test]
fn each_clients_keys_come_whole_and_in_order() {
    in_many_orders(|| {
        let inbox = Arc::new(Inbox::default());
        let waiting = Arc::clone(&inbox);
        let one = thread::spawn(move || {
            block_on(async {
                for keysym in 0..KEYS {
                    waiting.send(ONE, key(keysym)).await;
                }
            });
            waiting.blocking_send(ONE, Input::Leave);
        });
        let blocking = Arc::clone(&inbox);
        let two = thread::spawn(move || {
            for keysym in 0..KEYS {
                blocking.blocking_send(TWO, key(keysym));
            }
            blocking.blocking_send(TWO, Input::Leave);
        });
        let taken = take(&inbox, 2);
        for client in [ONE, TWO] {
            let inputs = taken.iter().filter(|(of, _)| *of == client);
            let inputs: Vec<_> = inputs.map(|(_, input)| *input).collect();
            let sent: Vec<_> = (0..KEYS).map(key).chain([Input::Leave]).collect();
            assert_eq!(inputs, sent, "{client:?}");
        }
        one.join().expect("no panic");
        two.join().expect("no panic");
    });
}

#[test]
fn a_send_that_was_given_up_has_taken_nothing_and_holds_nobody_up() {
    in_many_orders(|| {
        let inbox = Arc::new(Inbox::default());
        let leaving = Arc::clone(&inbox);
        let one = thread::spawn(move || {
            let mut sent = Vec::new();
            for keysym in 0..KEYS {
                if block_on(given_up(leaving.send(ONE, key(keysym)))) {
                    sent.push(key(keysym));
                }
            }
            leaving.blocking_send(ONE, Input::Leave);
            sent
        });
        let staying = Arc::clone(&inbox);
        let two = thread::spawn(move || {
            block_on(async {
                for keysym in 0..KEYS {
                    staying.send(TWO, key(keysym)).await;
                }
            });
            staying.blocking_send(TWO, Input::Leave);
        });
        let taken = take(&inbox, 2);
        let of = |client: ClientId| -> Vec<_> {
            let inputs = taken
                .iter()
                .filter(|(of, input)| *of == client && *input != Input::Leave);
            inputs.map(|(_, input)| *input).collect()
        };
        assert_eq!(of(ONE), one.join().expect("no panic"));
        assert_eq!(of(TWO), (0..KEYS).map(key).collect::<Vec<_>>());
        two.join().expect("no panic");
    });
}

#[test]
fn closing_ends_all_waits() {
    in_many_orders(|| {
        let inbox = Arc::new(Inbox::default());
        let waiting = Arc::clone(&inbox);
        let one = thread::spawn(move || {
            block_on(async {
                for keysym in 0..KEYS {
                    waiting.send(ONE, key(keysym)).await;
                }
            });
        });
        let blocking = Arc::clone(&inbox);
        let two = thread::spawn(move || {
            for keysym in 0..KEYS {
                blocking.blocking_send(TWO, key(keysym));
            }
        });
        let hid = Arc::clone(&inbox);
        let hid = thread::spawn(move || while hid.wait(true, None) != Arrival::Closed {});
        inbox.close();
        for thread in [one, two, hid] {
            thread.join().expect("no panic");
        }
    });
}
