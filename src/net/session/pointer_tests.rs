//! Movements that are asked for, and what becomes of keys when nothing comes any more.

use std::time::Duration;

use rfb::testing::{
    Client,
    client::{self, key},
};
use tokio::{
    io::{AsyncReadExt as _, DuplexStream},
    time::{Instant, timeout},
};

use super::tests::{A, Bench, SIZE, enter, request, write};
use crate::hid::{Input, PointerMode};

/// What does not come within this does not come.
const PATIENCE: Duration = Duration::from_secs(60);

/// Reads until the client's messages satisfy `found`.
async fn hear<T>(
    stream: &mut DuplexStream,
    client: &mut Client,
    found: impl Fn(&client::Message) -> Option<T>,
) -> T {
    let mut buffer = [0; 4096];
    loop {
        let read = timeout(PATIENCE, stream.read(&mut buffer)).await;
        let n = read.expect("something comes").expect("bytes");
        let messages = client.receive(&buffer[..n]).expect("valid messages");
        if let Some(found) = messages.iter().find_map(&found) {
            return found;
        }
    }
}

/// Check 42: whoever listed -257 is told at once when movements are wanted, and then sends them.
#[tokio::test(start_paused = true)]
async fn a_client_is_asked_for_movements() {
    let mut bench = Bench::new(None);
    let mut stream = bench.connect(4096);
    enter(&mut stream).await;
    let mut client = Client::new(SIZE);
    write(&mut stream, &client.set_encodings(&[0, -257])).await;
    let mode = |message: &client::Message| match message {
        client::Message::Update(rectangles) => rectangles
            .iter()
            .find(|rectangle| rectangle.encoding == -257)
            .map(|rectangle| rectangle.rect.x),
        _ => None,
    };
    for (wanted, x) in [
        (PointerMode::Absolute, 1),
        (PointerMode::Relative, 0),
        (PointerMode::Absolute, 1),
    ] {
        write(&mut stream, &request(true)).await;
        bench.pointer_mode.send_replace(wanted);
        assert_eq!(hear(&mut stream, &mut client, mode).await, x);
        if wanted == PointerMode::Relative {
            write(&mut stream, &client::pointer(1, 0x7fff - 9, 0x7fff + 1)).await;
            let moved = Input::Motion {
                dx: -9,
                dy: 1,
                buttons: 1,
            };
            assert_eq!(bench.inputs.recv().await, Some(moved));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn complaint_8_a_dead_link_lets_go_of_what_it_held() {
    let mut bench = Bench::with_expiry(Duration::from_secs(10));
    let mut stream = bench.connect(4096);
    enter(&mut stream).await;
    let begun = Instant::now();
    write(&mut stream, &key(true, 0x61)).await;
    assert_eq!(bench.inputs.recv().await, Some(A[0]));
    assert_eq!(bench.inputs.recv().await, Some(Input::Expire));
    assert_eq!(begun.elapsed().as_secs(), 10);
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(bench.inputs(), [], "once, and the session goes on");
    write(&mut stream, &key(true, 0x61)).await;
    assert_eq!(bench.inputs.recv().await, Some(A[0]));
}

#[tokio::test(start_paused = true)]
async fn complaint_9_who_answers_the_fence_keeps_what_is_held() {
    let mut bench = Bench::with_expiry(Duration::from_secs(10));
    let mut stream = bench.connect(4096);
    enter(&mut stream).await;
    let mut client = Client::new(SIZE);
    write(&mut stream, &client.set_encodings(&[0, -312])).await;
    write(&mut stream, &client::pointer(1, 5, 5)).await;
    let asked = |message: &client::Message| match message {
        client::Message::Fence { flags, data } => Some((*flags, data.clone())),
        _ => None,
    };
    let begun = Instant::now();
    // The first one says that fences work here.
    for _ in 0..100 {
        let (flags, data) = hear(&mut stream, &mut client, asked).await;
        write(&mut stream, &client::fence(flags & !(1 << 31), &data)).await;
    }
    assert_eq!(begun.elapsed().as_secs(), 99 * 5);
    assert_eq!(bench.inputs().len(), 1, "the press alone");
    hear(&mut stream, &mut client, asked).await;
    assert_eq!(bench.inputs.recv().await, Some(Input::Expire));
    assert_eq!(begun.elapsed().as_secs(), 99 * 5 + 10);
}
