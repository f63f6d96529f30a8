//! Transfers, frames and cables.

use std::time::Instant;

use super::{
    host::{Answer, CLEAR_HALT, LARGEST_PAYLOAD},
    *,
};

/// What fits into the largest payload beside its header.
const ROOM: usize = LARGEST_PAYLOAD - 2;

#[test]
fn frames_come_byte_for_byte_in_order_and_over_again() {
    let lengths = [1, ROOM - 1, ROOM, ROOM + 1, 2 * ROOM, 300_000];
    let given = frames(&lengths);
    let (dongle, mut host, _plugged) = playing(&given);
    let got: Vec<_> = (0..15).map(|_| host.frame()).collect();
    for (number, frame) in got.iter().enumerate() {
        assert!(frame.bytes == given[number % given.len()], "frame {number}");
        assert_eq!(usize::from(frame.id), number % 2, "frame {number}");
        assert_eq!(frame.damaged.0, 0, "frame {number}");
    }
    let counted = |status: &Status| status.frames_sent >= 15;
    dongle.wait_until(DEADLINE, counted).unwrap();
    assert_eq!(dongle.status().frames_spoilt, 0);
}

/// A payload that fills its transfers without being the largest ends with an empty one.
#[test]
fn payloads_go_into_transfers_of_any_length() {
    let given = frames(&[1022, 1023, 2046, ROOM, ROOM + 1022, 40_000]);
    for transfer in [512, 1024, 4096, 60_000] {
        let dongle = showing(&given);
        let (mut host, _plugged) = streaming(&dongle);
        host.transfer = transfer;
        assert!(taken(&mut host, 6) == given, "transfers of {transfer}");
    }
}

#[test]
fn frames_come_no_faster_than_negotiated() {
    let started = Instant::now();
    let (_dongle, mut host, _plugged) = playing(&frames(&[100]));
    taken(&mut host, 11);
    assert!(started.elapsed().as_micros() >= 10 * 16_666);
}

#[test]
fn frames_that_the_host_is_too_slow_for_are_counted_and_skipped() {
    let given = frames(&[100, 200, 300, 400]);
    let started = Instant::now();
    let (dongle, mut host, _plugged) = playing(&given);
    while started.elapsed().as_millis() < 200 {
        host.tell(SET_ALTERNATE_OF_CONTROL, &[]).unwrap();
    }
    assert_eq!(dongle.status().late, 0, "the first one waits");
    assert!(taken(&mut host, 4) == given);
    let late = dongle.wait_until(DEADLINE, |it| it.late >= 4).unwrap().late;
    let passed = started.elapsed().as_micros() / 16_666;
    assert!(u128::from(late) <= passed, "{late} of {passed}");
}

/// Changes nothing.
const SET_ALTERNATE_OF_CONTROL: host::Request = host::Request {
    request_type: 0x01,
    request: 11,
    value: 0,
    index: 0,
};

#[test]
fn a_transfer_is_answered_or_given_up_but_never_both() {
    // The dongle always has something to send, so that unlinks and answers meet.
    let (_dongle, mut host, _plugged) = playing(&frames(&[8_000_000]));
    let started = Instant::now();
    let (mut too_late, mut in_time) = (0, 0);
    while too_late < 500 || in_time < 500 {
        assert!(started.elapsed() < DEADLINE, "{too_late}, {in_time}");
        host.submit();
        let number = host.submit();
        host.unlink(number);
        loop {
            match host.answer().expect("the cable is in") {
                Answer::Submit(_, answer) => drop(answer.expect("data")),
                Answer::Unlink { victim, given_up } => {
                    assert_eq!(victim, number);
                    in_time += usize::from(given_up);
                    too_late += usize::from(!given_up);
                    break;
                }
            }
        }
    }
}

/// Linux may send them in this order, and cannot tell until both are sent.
#[test]
fn an_unlink_that_comes_before_its_transfer_is_answered_after_it() {
    let (_dongle, mut host, _plugged) = playing(&frames(&[100]));
    let [control, transfer] = [host.number(), host.number()];
    host.unlink(transfer);
    host.submit_as(control);
    let first = host.answer().unwrap();
    assert!(matches!(first, Answer::Submit(it, Ok(_)) if it == control));
    host.submit_as(transfer);
    let second = Answer::Unlink {
        victim: transfer,
        given_up: true,
    };
    assert_eq!(host.answer(), Some(second));
    host.frame();
}

#[test]
fn a_stream_that_is_started_again_begins_with_the_first_frame() {
    let given = frames(&[50_000, 60_000, 70_000]);
    let (dongle, mut host, _plugged) = playing(&given);
    for _ in 0..20 {
        assert!(host.frame().bytes == given[0]);
        host.submit();
        host.stop();
        assert_eq!(dongle.status().streaming, None);
        host.start_fast();
    }
}

#[test]
fn whatever_ends_a_stream_ends_it() {
    let select = |request_type, request, value, index| host::Request {
        request_type,
        request,
        value,
        index,
    };
    for request in [
        CLEAR_HALT,
        select(0x01, 11, 0, 1), // SET_INTERFACE.
        select(0x00, 9, 1, 0),  // SET_CONFIGURATION.
    ] {
        let (dongle, mut host, _plugged) = playing(&frames(&[100]));
        host.frame();
        host.tell(request, &[]).unwrap();
        assert_eq!(dongle.status().streaming, None, "{request:?}");
        assert!(dongle.status().plugged);
    }
}

#[test]
fn a_pulled_cable_is_the_end_at_once() {
    let given = frames(&[4_000_000]);
    let (dongle, mut host, plugged) = playing(&given);
    host.submit();
    host.submit();
    assert!(matches!(host.answer(), Some(Answer::Submit(_, Ok(_)))));
    dongle.unplug();
    let status = dongle.status();
    assert_eq!((status.plugged, status.streaming), (false, None));
    while host.answer().is_some() {}
    plugged.wait().unwrap();

    let (mut host, plugged) = streaming(&dongle);
    assert!(host.frame().bytes == given[0], "its screen is still there");
    host.send_part_of_a_message();
    dongle.unplug();
    plugged.wait().unwrap();

    let (mut host, plugged) = Host::with(&dongle);
    host.send_part_of_a_message();
    drop(host);
    plugged.wait().unwrap_err();

    let (mut host, plugged) = streaming(&dongle);
    drop(plugged);
    while host.answer().is_some() {}
    dongle.unplug(); // What is out stays out.

    let (_first, plugged) = streaming(&dongle);
    let (mut second, _plugged) = streaming(&dongle);
    plugged.wait().unwrap();
    assert!(second.frame().bytes == given[0]);
    drop(second);
    dongle.wait_until(DEADLINE, |it| !it.plugged).unwrap();
}

#[test]
fn nonsense_ends_the_link_and_is_told() {
    let dongle = Dongle::new();
    let told = |words: &[u32]| {
        let (mut host, plugged) = Host::with(&dongle);
        host.send(words, [0; 8], &[]);
        assert_eq!(host.answer(), None);
        plugged.wait().unwrap_err().to_string()
    };
    assert_eq!(
        told(&[0x0111_8003]),
        "the host sent 0x01118003, which is no USB/IP command"
    );
    assert_eq!(
        told(&[1, 1, 0, 0, 0, 0, 1 << 20]),
        "the host wants to send 1048576 bytes at once, more than 65536"
    );
    let (mut host, _plugged) = Host::with(&dongle);
    assert!(
        host.send_to(2, [0; 8], &[1, 2, 3]).is_none(),
        "no such endpoint"
    );
}

#[test]
fn what_does_not_come_is_told_with_how_it_is() {
    let dongle = Dongle::new();
    let error = dongle
        .wait_until(std::time::Duration::ZERO, |status| status.plugged)
        .unwrap_err();
    assert_eq!(error.last, Status::default());
    assert!(
        error
            .to_string()
            .starts_with("after 0 s the dongle is still Status")
    );
    assert!(error.to_string().contains("plugged: false"));
}
