//! Sessions that send, stop waiting and leave, and the HID thread, in many orders.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    task::Poll,
};

use shuttle::{
    future::block_on,
    thread::{self, JoinHandle},
};

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

/// Begins it and forgets it if it has to wait, as a session does that ends; says whether it was done.
async fn given_up(send: impl Future<Output = ()>) -> bool {
    let mut send = pin!(send);
    poll_fn(|context| Poll::Ready(send.as_mut().poll(context).is_ready())).await
}

/// A session that types all keys and leaves.
fn session(inbox: &Arc<Inbox>, client: ClientId) -> JoinHandle<()> {
    let inbox = Arc::clone(inbox);
    thread::spawn(move || {
        block_on(async {
            for keysym in 0..KEYS {
                inbox.send(client, key(keysym)).await;
            }
        });
        inbox.blocking_send(client, Input::Leave);
    })
}

/// A thread outside the runtime that does the same.
fn blocking(inbox: &Arc<Inbox>, client: ClientId) -> JoinHandle<()> {
    let inbox = Arc::clone(inbox);
    thread::spawn(move || {
        for keysym in 0..KEYS {
            inbox.blocking_send(client, key(keysym));
        }
        inbox.blocking_send(client, Input::Leave);
    })
}

/// The keys that are this client's, in order.
fn keys_of(client: ClientId, taken: &[(ClientId, Input)]) -> Vec<Input> {
    let inputs = taken.iter().filter(|(of, _)| *of == client);
    let keys = inputs.filter(|(_, input)| *input != Input::Leave);
    keys.map(|(_, input)| *input).collect()
}

#[test]
fn each_clients_keys_come_whole_and_in_order() {
    in_many_orders(|| {
        let inbox = Arc::new(Inbox::default());
        let threads = [session(&inbox, ONE), blocking(&inbox, TWO)];
        let taken = take(&inbox, 2);
        for client in [ONE, TWO] {
            let sent: Vec<_> = (0..KEYS).map(key).collect();
            assert_eq!(keys_of(client, &taken), sent, "{client:?}");
            let last = taken.iter().rfind(|(of, _)| *of == client);
            assert_eq!(last, Some(&(client, Input::Leave)));
        }
        for thread in threads {
            thread.join().expect("no panic");
        }
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
        let two = session(&inbox, TWO);
        let taken = take(&inbox, 2);
        assert_eq!(keys_of(ONE, &taken), one.join().expect("no panic"));
        assert_eq!(keys_of(TWO, &taken), (0..KEYS).map(key).collect::<Vec<_>>());
        two.join().expect("no panic");
    });
}

#[test]
fn closing_ends_all_waits() {
    in_many_orders(|| {
        let inbox = Arc::new(Inbox::default());
        let hid = Arc::clone(&inbox);
        let hid = thread::spawn(move || while hid.wait(true, None) != Arrival::Closed {});
        let threads = [session(&inbox, ONE), blocking(&inbox, TWO), hid];
        inbox.close();
        for thread in threads {
            thread.join().expect("no panic");
        }
    });
}
