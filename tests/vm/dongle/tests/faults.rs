//! Each fault, ordered before a stream begins, so that it meets the first frames.

use std::time::{Duration, Instant};

use super::*;

const LENGTH: usize = 50_000;
const SIX_FRAMES: Duration = Duration::from_millis(100);

/// A dongle with four frames and this fault, and its stream.
fn faulty(fault: Fault) -> (Vec<Vec<u8>>, Dongle, Host, Plugged) {
    let given = frames(&[LENGTH; 4]);
    let dongle = showing(&given);
    dongle.fault(fault);
    let (host, plugged) = streaming(&dongle);
    (given, dongle, host, plugged)
}

#[test]
fn truncated_frames_lack_their_second_half() {
    let (given, dongle, mut host, _plugged) = faulty(Fault::Truncate(2));
    let got = taken(&mut host, 4);
    assert!(got[0] == given[0][..LENGTH / 2]);
    assert!(got[1] == given[1][..LENGTH / 2]);
    assert!(got[2..] == given[2..]);
    assert_eq!(dongle.status().frames_spoilt, 2);
}

#[test]
fn garbage_is_as_long_as_the_frame_and_the_same_each_time() {
    let runs = [(); 2].map(|()| {
        let (given, dongle, mut host, _plugged) = faulty(Fault::Garbage(2));
        let got = taken(&mut host, 4);
        assert!(got[2..] == given[2..]);
        assert_eq!(dongle.status().frames_spoilt, 2);
        got
    });
    let [first, second, ..] = runs[0].as_slice() else {
        panic!("frames");
    };
    assert_eq!((first.len(), second.len()), (LENGTH, LENGTH));
    assert!(first != second, "each has its own");
    for value in 0..=u8::MAX {
        let count = first.iter().filter(|byte| **byte == value).count();
        assert!((100..300).contains(&count), "{count} times {value}");
    }
    assert!(runs[0] == runs[1]);
}

#[test]
fn frames_called_damaged_are_so_in_every_payload() {
    let (given, dongle, mut host, _plugged) = faulty(Fault::Error(2));
    let got: Vec<_> = (0..4).map(|_| host.frame()).collect();
    assert_eq!(
        got.iter().map(|frame| frame.damaged).collect::<Vec<_>>(),
        [(4, 4), (4, 4), (0, 4), (0, 4)]
    );
    for (frame, given) in got.iter().zip(&given) {
        assert!(frame.bytes == *given, "nothing else is wrong");
    }
    assert_eq!(dongle.status().frames_spoilt, 2);
}

#[test]
fn dropped_frames_leave_no_trace() {
    let (given, dongle, mut host, _plugged) = faulty(Fault::Drop(3));
    let got: Vec<_> = (0..2).map(|_| host.frame()).collect();
    assert!(got[0].bytes == given[3] && got[1].bytes == given[0]);
    assert_eq!((got[0].id, got[1].id), (0, 1));
    assert_eq!(dongle.status().frames_spoilt, 3);
}

#[test]
fn frames_without_their_first_payload_end_as_they_should() {
    let (given, dongle, mut host, _plugged) = faulty(Fault::LoseFirstPayload(2));
    let got: Vec<_> = (0..4).map(|_| host.frame()).collect();
    let room = host::LARGEST_PAYLOAD - 2;
    assert!(got[0].bytes == given[0][room..]);
    assert!(got[1].bytes == given[1][room..]);
    assert!(got[2].bytes == given[2] && got[3].bytes == given[3]);
    assert!(got.iter().map(|frame| frame.id).eq([0, 1, 0, 1]));
    assert_eq!(dongle.status().frames_spoilt, 2);
}

#[test]
fn a_dongle_that_freezes_ends_the_frame_and_sends_no_more_until_it_thaws() {
    let given = frames(&[LENGTH; 4]);
    let (dongle, mut host, _plugged) = playing(&given);
    host.frame();
    dongle.fault(Fault::Freeze);
    let sent = dongle.status().frames_sent;
    for _ in 0..40 {
        host.submit();
    }
    let one_more = dongle.wait_until(SIX_FRAMES, |it| it.frames_sent > sent + 1);
    one_more.expect_err("it is frozen");
    host.unlink_all();
    dongle.thaw();
    host.frame(); // Perhaps the rest of one.
    assert!(given.contains(&host.frame().bytes));
    assert_eq!(dongle.status().frames_spoilt, 0);
}

#[test]
fn a_frozen_dongle_answers_but_sends_nothing() {
    let (given, dongle, mut host, _plugged) = faulty(Fault::Freeze);
    for _ in 0..5 {
        host.submit();
    }
    let frozen = Instant::now();
    while frozen.elapsed() < SIX_FRAMES {
        host.ask(host::PROBE.get(), 26).expect("an answer");
    }
    assert_eq!(host.unlink_all(), 5, "all transfers wait");
    dongle.thaw();
    assert!(host.frame().bytes == given[0]);
}

#[test]
fn faults_meet_wait_for_a_cable_and_are_called_off() {
    let given = frames(&[LENGTH; 4]);
    let dongle = showing(&given);
    dongle.fault(Fault::Truncate(2));
    dongle.fault(Fault::Error(1));
    dongle.fault(Fault::Garbage(9));
    dongle.fault(Fault::Garbage(0));
    let (mut host, plugged) = streaming(&dongle);
    let first = host.frame();
    assert!(first.bytes == given[0][..LENGTH / 2]);
    assert_eq!(first.damaged, (2, 2));
    drop(plugged);

    dongle.fault(Fault::Drop(1));
    dongle.fault(Fault::Truncate(1));
    let (mut host, _plugged) = streaming(&dongle);
    let got = taken(&mut host, 2);
    assert!(got[0] == given[1][..LENGTH / 2], "after the one left out");
    assert!(got[1] == given[2]);
}
