use super::*;
use crate::hid::{
    MouseOptions, TargetLayout,
    sink::{Function, Offer},
};
use rfb::geom::{Point, Size};
use std::sync::{Condvar, Mutex};

const ONE: ClientId = ClientId(1);

type Taken = (Function, Vec<u8>);

/// What the sink does, and what it took.
#[derive(Default)]
struct Shared {
    state: Mutex<(Option<Offer>, Vec<Taken>)>,
    changed: Condvar,
}

struct TestSink(Arc<Shared>);

impl Sink for TestSink {
    fn offer(&mut self, function: Function, report: &[u8]) -> Offer {
        let mut state = self.0.state.lock().unwrap();
        if let Some(offer) = &state.0 {
            return offer.clone();
        }
        state.1.push((function, report.to_vec()));
        self.0.changed.notify_all();
        Offer::Taken
    }
}

impl Shared {
    fn answer(&self, offer: Option<Offer>) {
        self.state.lock().unwrap().0 = offer;
    }

    fn wait_for(&self, count: usize) -> Vec<Taken> {
        let state = self.state.lock().unwrap();
        // So long that only a report that never comes fails here.
        let patience = Duration::from_secs(30);
        let too_few = |state: &mut (_, Vec<Taken>)| state.1.len() < count;
        let (state, waited) = self
            .changed
            .wait_timeout_while(state, patience, too_few)
            .unwrap();
        assert!(
            !waited.timed_out(),
            "{count} reports wanted, {:?} came",
            state.1
        );
        state.1.clone()
    }
}

fn start() -> (HidHandle, HidThread, Arc<Shared>) {
    start_with(MouseOptions::default())
}

fn start_with(mouse: MouseOptions) -> (HidHandle, HidThread, Arc<Shared>) {
    let shared = Arc::new(Shared::default());
    let options = Options {
        layout: TargetLayout::default(),
        leds: watch::channel(None).1,
        lock_inference: true,
        mouse,
    };
    let (handle, thread) = spawn(Box::new(TestSink(Arc::clone(&shared))), options).unwrap();
    (handle, thread, shared)
}

fn key(down: bool, keysym: u32) -> Input {
    Input::Key { down, keysym }
}

#[tokio::test]
async fn check_61_a_burst_of_keys_arrives_whole() {
    let (handle, thread, shared) = start();
    // Through a task, as sessions are.
    let session = tokio::spawn({
        let handle = handle.clone();
        async move {
            for _ in 0..200 {
                handle.send(ONE, key(true, 0x61)).await;
                handle.send(ONE, key(false, 0x61)).await;
            }
        }
    });
    session.await.unwrap();
    let reports = shared.wait_for(400);
    for pair in reports.chunks(2) {
        assert_eq!((pair[0].1[2], pair[1].1[2]), (4, 0));
    }
    thread.stop();
}

#[test]
fn stopping_releases_what_is_down() {
    let (handle, thread, shared) = start();
    handle.blocking_send(ONE, key(true, 0xffe3));
    handle.blocking_send(
        ONE,
        Input::Pointer {
            position: Point::new(0, 0),
            size: Size::new(8, 8),
            buttons: 1,
        },
    );
    shared.wait_for(3);
    thread.stop();
    let reports = shared.wait_for(5);
    assert_eq!(reports[3], (Function::Keyboard, vec![0; 8]));
    assert_eq!(reports[4], (Function::Absolute, vec![0; 7]));
    handle.blocking_send(ONE, key(true, 0x61));
    assert_eq!(
        shared.wait_for(5).len(),
        5,
        "a stopped thread takes and forgets"
    );
}

#[test]
fn complaint_15_nobody_waits_for_a_target_that_is_offline_or_asleep() {
    for offer in [Offer::Offline("gone".into()), Offer::Busy] {
        let (handle, thread, shared) = start();
        shared.answer(Some(offer));
        for _ in 0..1000 {
            handle.blocking_send(ONE, key(true, 0x61));
            handle.blocking_send(ONE, key(false, 0x61));
        }
        thread.stop();
        shared.answer(None);
        assert_eq!(shared.wait_for(0), []);
    }
}

#[test]
fn a_leaving_client_is_released() {
    let (handle, _thread, shared) = start();
    handle.blocking_send(ONE, key(true, 0x61));
    handle.leave(ONE);
    assert_eq!(shared.wait_for(2)[1], (Function::Keyboard, vec![0; 8]));
}

fn stroke(down: bool) -> Input {
    let character = 'a';
    Input::Character { down, character }
}

#[tokio::test]
async fn who_types_a_text_is_told_how_much_of_it_was_taken() {
    let (handle, thread, shared) = start();
    let mut typed = handle.typed();
    for down in [true, false, true, false] {
        handle.send(ONE, stroke(down)).await;
    }
    let all = typed.wait_for(|typed| typed.client == ONE && typed.strokes == 4);
    assert_eq!(all.await.expect("it runs").lost, None);
    assert_eq!(shared.wait_for(4).len(), 4);
    thread.stop();
    assert!(typed.changed().await.is_err(), "no news after the end");
}

/// A target that goes away or falls asleep in the middle, or was asleep before: no character after the gap is typed.
#[tokio::test]
async fn a_text_ends_where_the_target_stopped_taking_it() {
    for offer in [Offer::Offline("no cable".into()), Offer::Busy] {
        let (handle, thread, shared) = start();
        let mut typed = handle.typed();
        for down in [true, false] {
            handle.send(ONE, stroke(down)).await;
        }
        let first = typed.wait_for(|typed| typed.strokes == 2);
        first.await.expect("it runs");
        for client in [ONE, ClientId(2), ClientId(4)] {
            shared.answer(Some(offer.clone()));
            handle.send(client, stroke(true)).await;
            handle.send(client, stroke(false)).await;
            let lost = typed.wait_for(|typed| typed.client == client && typed.lost.is_some());
            let strokes = lost.await.expect("it runs").strokes;
            assert_eq!(strokes, if client == ONE { 2 } else { 0 });
            if client == ONE {
                // All that was sent has been looked at.
                handle.send(ONE, stroke(true)).await;
                handle.send(ONE, stroke(false)).await;
                handle.send(ONE, Input::Leave).await;
                handle.send(ClientId(3), stroke(false)).await;
                let seen = typed.wait_for(|typed| typed.client == ClientId(3));
                seen.await.expect("it runs");
                // It is back, too late for the rest; an ordinary key shows that it is.
                shared.answer(None);
                handle.send(ClientId(3), key(true, 0x62)).await;
                handle.send(ClientId(3), key(false, 0x62)).await;
                let reports = shared.wait_for(4);
                let pressed: Vec<u8> = reports.iter().map(|(_, report)| report[2]).collect();
                assert_eq!(pressed, [4, 0, 5, 0], "{offer:?}");
            }
        }
        thread.stop();
    }
}

#[test]
fn sessions_hear_which_pointer_is_used() {
    let (handle, thread, shared) = start();
    let mode = handle.pointer_mode();
    assert_eq!(*mode.borrow(), PointerMode::Absolute);
    handle.blocking_send(ONE, Input::TogglePointerMode);
    let moved = Input::Motion {
        dx: 3,
        dy: 0,
        buttons: 0,
    };
    handle.blocking_send(ONE, moved);
    assert_eq!(
        shared.wait_for(1),
        [(Function::Relative, vec![0, 3, 0, 0, 0])]
    );
    assert_eq!(*mode.borrow(), PointerMode::Relative);
    thread.stop();
}

#[test]
fn an_idle_target_is_stirred() {
    let jiggle = Duration::from_millis(1);
    let (_handle, thread, shared) = start_with(MouseOptions {
        jiggle,
        ..MouseOptions::default()
    });
    let reports = shared.wait_for(4);
    thread.stop();
    let place = |x: u16| {
        let [low, high] = x.to_le_bytes();
        vec![0, low, high, 0xff, 0x3f, 0, 0]
    };
    for pair in reports[..4].chunks(2) {
        assert_eq!(pair[0], (Function::Absolute, place(16382)));
        assert_eq!(pair[1], (Function::Absolute, place(16383)));
    }
}
