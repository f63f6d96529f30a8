//! How clients get in and are kept out: wrong passwords, guessing, too many at once.

use std::time::Duration;

use tokio::{io::AsyncReadExt as _, time::Instant};

use super::tests::{Bench, PASSWORD, enter, greet, log_in, read, request, write};

#[tokio::test(start_paused = true)]
async fn a_wrong_password_is_answered_late_and_with_the_reason() {
    let bench = Bench::new(Some(PASSWORD));
    let mut waits = Vec::new();
    for _ in 0..6 {
        let begun = Instant::now();
        let mut stream = bench.connect(4096);
        assert_eq!(log_in(&mut stream, b"guess").await, 1);
        waits.push(begun.elapsed().as_millis());
        let mut reason = Vec::new();
        stream.read_to_end(&mut reason).await.expect("an end");
        assert!(String::from_utf8_lossy(&reason).contains("password"));
    }
    assert_eq!(waits[..4], [100; 4]);
    assert_eq!(waits[4..], [1000, 2000]);
    // Check 13: the right one still opens.
    let mut stream = bench.connect(4096);
    assert_eq!(log_in(&mut stream, PASSWORD).await, 0);
}

#[tokio::test(start_paused = true)]
async fn guessing_in_parallel_gains_nothing() {
    let bench = Bench::new(Some(PASSWORD));
    for _ in 0..9 {
        let mut stream = bench.connect(4096);
        assert_eq!(log_in(&mut stream, b"guess").await, 1);
    }
    let mut first = bench.connect(4096);
    let mut second = bench.connect(4096);
    let mut third = bench.connect(4096);
    let begun = Instant::now();
    assert_eq!(log_in(&mut first, PASSWORD).await, 0);
    assert!(
        begun.elapsed() < Duration::from_secs(1),
        "its turn had come"
    );
    assert_eq!(log_in(&mut second, b"guess").await, 1);
    assert!(begun.elapsed() >= Duration::from_secs(16));
    read(&mut third, 12).await;
    write(&mut third, b"RFB 003.008\n").await;
    let mut refusal = Vec::new();
    third.read_to_end(&mut refusal).await.expect("an end");
    assert_eq!(refusal[0], 0, "no security type");
    assert!(String::from_utf8_lossy(&refusal).contains("wrong passwords"));
}

/// Somebody who has many addresses gets no more guesses a minute for that, and the operator notices nothing.
#[tokio::test(start_paused = true)]
async fn guessing_from_many_addresses_makes_only_strangers_wait() {
    let bench = Bench::new(Some(PASSWORD));
    let from = |ip| bench.connect_from(ip, 4096);
    assert_eq!(log_in(&mut from([192, 0, 2, 1]), PASSWORD).await, 0);
    let mut waits = Vec::new();
    for n in 0..60 {
        let begun = Instant::now();
        assert_eq!(log_in(&mut from([10, 0, 0, n]), b"guess").await, 1);
        waits.push(begun.elapsed().as_millis());
    }
    assert_eq!(waits[..29], [100; 29]);
    assert!(waits[45..].iter().all(|wait| *wait >= 1_900), "{waits:?}");
    assert!(waits.iter().all(|wait| *wait <= 16_000), "{waits:?}");
    // Who was in before does not wait, not even for a "no"; the right password lets in from elsewhere, a little later.
    let begun = Instant::now();
    assert_eq!(log_in(&mut from([192, 0, 2, 1]), b"guess").await, 1);
    assert_eq!(begun.elapsed().as_millis(), 100);
    assert_eq!(log_in(&mut from([192, 0, 2, 1]), PASSWORD).await, 0);
    assert_eq!(begun.elapsed().as_millis(), 100);
    assert_eq!(log_in(&mut from([192, 0, 2, 2]), PASSWORD).await, 0);
    assert!(begun.elapsed() <= Duration::from_secs(9));
}

/// Some clients hang up to ask for the password and come back.
#[tokio::test(start_paused = true)]
async fn hanging_up_before_the_answer_is_no_failure() {
    let bench = Bench::new(Some(PASSWORD));
    for _ in 0..20 {
        let mut stream = bench.connect(4096);
        greet(&mut stream).await;
        read(&mut stream, 16).await;
    }
    let begun = Instant::now();
    let mut stream = bench.connect(4096);
    assert_eq!(log_in(&mut stream, b"guess").await, 1);
    assert_eq!(begun.elapsed().as_millis(), 100);
}

/// Check 69: strangers do not push out clients, nor a client the next stranger.
#[tokio::test(start_paused = true)]
async fn too_many_strangers_push_out_each_other() {
    let bench = Bench::new(Some(PASSWORD));
    let begun = Instant::now();
    let mut inside = bench.connect(4096);
    assert_eq!(log_in(&mut inside, PASSWORD).await, 0);
    write(&mut inside, &[1]).await;
    read(&mut inside, 24 + 5).await;
    let mut strangers = Vec::new();
    for _ in 0..200 {
        strangers.push(bench.connect(4096));
        tokio::task::yield_now().await;
    }
    let mut late = bench.connect(4096);
    assert_eq!(log_in(&mut late, PASSWORD).await, 0);
    let mut greeting = Vec::new();
    strangers[0]
        .read_to_end(&mut greeting)
        .await
        .expect("an end");
    let waited = begun.elapsed();
    assert!(waited.as_secs() < 30, "it went before its time was over");
    write(&mut inside, &request(false)).await;
    assert_eq!(read(&mut inside, 1).await, [0]);
}

#[tokio::test(start_paused = true)]
async fn the_thirty_third_client_is_told_why_not() {
    let bench = Bench::new(None);
    let mut clients = Vec::new();
    for n in 0..32 {
        let mut stream = bench.connect_from([192, 0, 2, n % 4], 4096);
        enter(&mut stream).await;
        clients.push(stream);
    }
    let mut late = bench.connect(4096);
    read(&mut late, 12).await;
    write(&mut late, b"RFB 003.008\n").await;
    let mut refusal = Vec::new();
    late.read_to_end(&mut refusal).await.expect("an end");
    assert!(String::from_utf8_lossy(&refusal).contains("32 clients"));
}
