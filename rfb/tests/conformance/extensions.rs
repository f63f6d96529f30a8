//! Checks 44 to 57: what is announced, when, and how often.

use rfb::geom::{Point, Rect, Size};
use rfb::server::{Event, LedState, PointerMode};
use rfb::testing::client::{Message, extended_key, fence, pointer, request, set_desktop_size};

use crate::talk::{ARRIVALS, Arrival, SIZE, Session, screen};

/// How many rectangles of this encoding there are in these messages.
fn count(messages: &[Message], encoding: i32) -> usize {
    messages
        .iter()
        .filter_map(|m| match m {
            Message::Update(rects) => Some(rects),
            _ => None,
        })
        .flatten()
        .filter(|r| r.encoding == encoding)
        .count()
}

#[test]
fn check_46_fences_are_echoed_and_the_server_sends_one_first() {
    const REQUEST: u32 = 1 << 31;
    for arrival in ARRIVALS {
        let mut session = Session::new(arrival);
        assert!(
            session.say(&fence(REQUEST | 1, b"early")).is_empty(),
            "not offered yet"
        );
        let messages = session.encodings(&[0, -312]);
        let [Message::Fence { flags, data }] = &messages[..] else {
            panic!("one fence, not {messages:?}");
        };
        assert!(flags & REQUEST != 0 && data.len() <= 64);
        assert!(
            session.say(&fence(*flags & !REQUEST, data)).is_empty(),
            "an answer gets none"
        );
        assert!(session.encodings(&[0, -312]).is_empty());

        let echo = session.say(&fence(REQUEST | 0x7ff5, b"hello"));
        assert_eq!(
            echo,
            [Message::Fence {
                flags: 5,
                data: b"hello".to_vec()
            }]
        );
        for length in [0, 64] {
            assert_eq!(session.say(&fence(REQUEST | 1, &vec![7; length])).len(), 1);
        }
        for length in [65, 255] {
            assert!(
                session
                    .say(&fence(REQUEST | 1, &vec![7; length]))
                    .is_empty()
            );
        }
    }
}

#[test]
fn check_47_a_fence_waits_for_the_update_that_is_out() {
    let mut session = Session::new(Arrival::Whole);
    session.encodings(&[0, -312]);
    let connection = &mut session.talk.connection;
    connection
        .receive(&request(false, SIZE.rect()))
        .expect("a request");
    let job = connection.plan_update().expect("a job");
    connection
        .receive(&fence(1 << 31 | 4, b"sync"))
        .expect("a fence");
    assert!(connection.take_output().is_empty());
    let bytes = connection.finish_update(job.encode());
    let messages = session
        .client
        .receive(&bytes.concat())
        .expect("an update and a fence");
    assert!(matches!(
        &messages[..],
        // Between them the server's own, behind a large update.
        [Message::Update(_), .., Message::Fence { flags: 4, .. }]
    ));
}

/// Not before the first pixels, which KRDC then did not show, and never two updates for one request: libvncclient then
/// stays one behind.
#[test]
fn check_48_the_desktop_size_is_told_once_in_an_update_of_its_own() {
    for arrival in ARRIVALS {
        for incremental in [true, false] {
            let mut session = Session::new(arrival);
            session.encodings(&[0, -308]);
            let messages = session.request(false);
            assert_eq!((messages.len(), count(&messages, -308)), (1, 0));
            let messages = session.request(incremental);
            assert_eq!(messages.len(), 1);
            let told = messages[0].rectangles();
            assert_eq!(told.len(), 1);
            assert_eq!((told[0].encoding, told[0].rect), (-308, SIZE.rect()));
            // What that request asked for comes with the next one.
            let messages = session.request(true);
            assert_eq!(messages.len(), usize::from(!incremental));
            for _ in 0..50 {
                assert_eq!(count(&session.request(false), -308), 0);
            }
        }
    }
}

#[test]
fn check_49_every_set_desktop_size_is_refused_with_the_truth() {
    for arrival in ARRIVALS {
        let mut session = Session::new(arrival);
        assert!(
            session
                .say(&set_desktop_size(Size::new(800, 600), 1))
                .is_empty()
        );
        session.encodings(&[0, -308]);
        for (size, screens) in [
            (Size::new(800, 600), 1),
            (Size::new(800, 600), 0),
            (Size::new(800, 600), 255),
            (Size::new(0, 0), 1),
            (Size::new(65535, 65535), 2),
        ] {
            let messages = session.say(&set_desktop_size(size, screens));
            assert_eq!(messages.len(), 1);
            let [answer] = messages[0].rectangles() else {
                panic!("one rectangle");
            };
            assert_eq!(
                (answer.encoding, answer.rect),
                (-308, Rect::new(1, 1, 150, 100))
            );
        }
        assert_eq!(session.client.size(), SIZE);
    }
}

#[test]
fn check_50_51_a_mode_change_reaches_each_kind_of_client() {
    let larger = screen(2, Size::new(200, 120), None);
    for (list, told) in [
        (&[0, -308][..], -308),
        (&[0, -223], -223),
        (&[0, -223, -308], -308),
    ] {
        let mut session = Session::new(Arrival::Whole);
        session.encodings(list);
        session.show(&screen(1, SIZE, None));
        session.request(false);
        // As clients do: a request for each update that they get.
        while !session.request(true).is_empty() {}
        let messages = session.show(&larger);
        assert_eq!(
            messages.len(),
            1,
            "the request is answered by the resize alone"
        );
        let rects = messages[0].rectangles();
        assert_eq!(rects.len(), 1);
        assert_eq!(
            (rects[0].encoding, rects[0].rect),
            (told, larger.size().rect())
        );
        // The next request, even an incremental one, gets everything.
        session.request(true);
        assert!(session.shows(&larger));
        assert!(session.request(true).is_empty());
    }
}

#[test]
fn check_50_a_client_that_cannot_resize_keeps_its_size() {
    let mut session = Session::new(Arrival::Whole);
    session.show(&screen(1, SIZE, None));
    session.request(false);
    session.request(true);
    // Twice as wide: letterboxed above and below, the pointer where the picture is.
    let wide = screen(2, Size::new(300, 100), None);
    let messages = session.show(&wide);
    assert_eq!(messages.len(), 1);
    let rgb = session.client.decoder.rgb();
    assert!(
        rgb[..150 * 25]
            .iter()
            .chain(&rgb[150 * 75..])
            .all(|p| *p == 0)
    );
    assert!(rgb[150 * 25..150 * 26].iter().any(|p| *p != 0));
    session.say(&pointer(0, 149, 74));
    let expected = Event::Pointer {
        position: Point::new(299, 99),
        size: Size::new(300, 100),
        buttons: 0,
    };
    assert_eq!(session.talk.events.pop(), Some(expected));
    session.request(true);
    assert!(
        session.show(&wide).is_empty(),
        "the same frame again costs nothing"
    );
    let back = screen(3, SIZE, None);
    session.show(&back);
    assert!(session.shows(&back));
}

#[test]
fn check_50_a_size_change_under_continuous_updates() {
    let mut session = Session::new(Arrival::Whole);
    session.encodings(&[0, -308, -313]);
    session.show(&screen(1, SIZE, None));
    session.say(&rfb::testing::client::continuous_updates(true, SIZE.rect()));
    let larger = screen(2, Size::new(200, 120), None);
    let messages = session.show(&larger);
    assert_eq!(count(&messages, -308), 1);
    let area = larger.size().rect();
    session.say(&rfb::testing::client::continuous_updates(true, area));
    assert!(session.shows(&larger));
}

#[test]
fn check_52_54_55_announcements_ride_behind_the_first_picture_once() {
    for arrival in ARRIVALS {
        let mut session = Session::new(arrival);
        let list = [0, -258, -316, -257, -261];
        assert!(session.encodings(&list).is_empty());
        let messages = session.request(false);
        assert_eq!(messages.len(), 1);
        let encodings: Vec<i32> = messages[0]
            .rectangles()
            .iter()
            .map(|r| r.encoding)
            .collect();
        assert_eq!(
            encodings,
            [0, -258, -316, -257],
            "the picture first; LEDs are unknown"
        );
        assert_eq!(
            messages[0].rectangles()[3].rect.x,
            1,
            "positions are absolute"
        );
        session.encodings(&list);
        let again = session.request(false);
        assert_eq!(again[0].rectangles().len(), 1);
    }
}

#[test]
fn check_53_extended_keys_arrive_with_their_scancode() {
    for arrival in ARRIVALS {
        let mut session = Session::new(arrival);
        session.say(&extended_key(true, 0x61, 0x1e));
        session.say(&extended_key(false, 0, 0xb7));
        assert_eq!(
            session.talk.events,
            [
                Event::ExtendedKey {
                    down: true,
                    keysym: 0x61,
                    code: 0x1e
                },
                Event::ExtendedKey {
                    down: false,
                    keysym: 0,
                    code: 0xb7
                },
            ]
        );
    }
}

#[test]
fn check_54_the_eighth_button_bit_means_what_was_agreed() {
    for arrival in ARRIVALS {
        let buttons = |session: &mut Session| match session.talk.events.pop() {
            Some(Event::Pointer { buttons, .. }) => buttons,
            other => panic!("a pointer event, not {other:?}"),
        };
        let mut session = Session::new(arrival);
        session.say(&pointer(0x80, 1, 2));
        assert_eq!(buttons(&mut session), 0x80);

        session.encodings(&[0, -316]);
        session.request(false);
        session.say(&[5, 0x81, 0, 1, 0, 2, 1]);
        assert_eq!(buttons(&mut session), 0x81);
        session.say(&[5, 0x80, 0, 1, 0, 2, 2]);
        assert_eq!(buttons(&mut session), 0x100);
        session.say(&pointer(0x7f, 1, 2));
        assert_eq!(buttons(&mut session), 0x7f);
    }
}

#[test]
fn check_55_lock_leds_are_told_when_known_and_when_they_change() {
    for (list, encoding, length) in [
        (&[0, -261][..], -261, 1),
        (&[0, 0x574d_5668], 0x574d_5668, 4),
        (&[0, -261, 0x574d_5668], -261, 1),
    ] {
        let mut session = Session::new(Arrival::Whole);
        session.encodings(list);
        session.talk.connection.set_leds(None);
        assert_eq!(count(&session.request(false), encoding), 0);
        session.request(true);
        let leds = LedState {
            caps: true,
            ..LedState::default()
        };
        session.talk.connection.set_leds(Some(leds));
        let messages = session.show(&screen(1, SIZE, None));
        assert_eq!(count(&messages, encoding), 1);
        let payload = &messages[0].rectangles().last().expect("a rectangle").pseudo;
        assert_eq!((payload.len(), payload.last()), (length, Some(&4)));
        session.talk.connection.set_leds(Some(leds));
        assert_eq!(
            count(&session.request(false), encoding),
            0,
            "no change, no word"
        );
    }
}

#[test]
fn check_57_a_new_name_is_told_to_who_listed_it() {
    let mut session = Session::new(Arrival::Whole);
    session.encodings(&[0, -307]);
    assert_eq!(count(&session.request(false), -307), 0, "ServerInit had it");
    session.talk.connection.set_name("new");
    let messages = session.request(true);
    assert_eq!(count(&messages, -307), 1);
    assert_eq!(messages[0].rectangles()[0].pseudo, b"\0\0\0\x03new");
}

/// The x positions of the −257 rectangles in these messages: 1 absolute, 0 relative.
fn pointer_modes(messages: &[Message]) -> Vec<u16> {
    let updates = messages.iter().flat_map(Message::rectangles);
    updates
        .filter(|r| r.encoding == -257)
        .map(|r| r.rect.x)
        .collect()
}

/// Each −257 rectangle makes gtk-vnc ask for the picture again.
#[test]
fn check_55_the_pointer_mode_is_told_once_and_then_when_it_changes() {
    for first in [PointerMode::Absolute, PointerMode::Relative] {
        let mut session = Session::new(Arrival::Whole);
        session.talk.connection.set_pointer_mode(first);
        session.encodings(&[0, -257]);
        let second = match first {
            PointerMode::Absolute => PointerMode::Relative,
            PointerMode::Relative => PointerMode::Absolute,
        };
        let number = |mode| u16::from(mode == PointerMode::Absolute);
        assert_eq!(pointer_modes(&session.request(false)), [number(first)]);
        session.encodings(&[0, -257]);
        session.talk.connection.set_pointer_mode(first);
        assert_eq!(pointer_modes(&session.request(false)), []);
        assert!(session.request(true).is_empty(), "nothing is new");
        session.talk.connection.set_pointer_mode(second);
        let told = session.show(&screen(1, SIZE, None));
        assert_eq!(pointer_modes(&told), [number(second)], "and at once");
        assert_eq!(told[0].rectangles().len(), 1, "without a picture");
        assert_eq!(pointer_modes(&session.request(false)), []);
    }
    let mut other = Session::new(Arrival::Whole);
    other
        .talk
        .connection
        .set_pointer_mode(PointerMode::Relative);
    other.encodings(&[0]);
    assert_eq!(pointer_modes(&other.request(false)), [], "not listed");
}

#[test]
fn check_42_only_who_was_told_sends_movements() {
    let motion = |dx, dy, buttons| Event::Motion { dx, dy, buttons };
    let position = |x, y, buttons| Event::Pointer {
        position: Point::new(x, y),
        size: SIZE,
        buttons,
    };
    let last = |session: &mut Session, buttons, x, y| {
        session.say(&pointer(buttons, x, y));
        session.talk.events.pop().expect("an event")
    };
    for arrival in ARRIVALS {
        let mut session = Session::new(arrival);
        let s = &mut session;
        s.talk.connection.set_pointer_mode(PointerMode::Relative);
        s.encodings(&[0, -257]);
        assert_eq!(last(s, 1, 0xffff, 0xffff), position(149, 99, 1), "clamped");
        s.request(false);
        assert_eq!(last(s, 0, 0x7fff, 0x7fff), motion(0, 0, 0));
        assert_eq!(last(s, 4, 0x7fff + 5, 0x7fff - 300), motion(5, -300, 4));
        assert_eq!(last(s, 0, 0xffff, 0x4000), motion(0x7fff, -0x3fff, 0));
        // A position that was on its way when the mode changed, and one that makes no sense.
        assert_eq!(last(s, 1, 100, 50), motion(0, 0, 1));
        assert_eq!(last(s, 1, 0x7fff, 50), motion(0, 0, 1));

        s.talk.connection.set_pointer_mode(PointerMode::Absolute);
        assert_eq!(last(s, 0, 0x7fff, 0x8000), motion(0, 1, 0), "not told yet");
        s.request(true);
        assert_eq!(last(s, 1, 0x7fff + 5, 0x7fff), motion(0, 0, 1), "late");
        assert_eq!(last(s, 1, 100, 50), position(100, 50, 1));
    }
    let mut other = Session::new(Arrival::Whole);
    other
        .talk
        .connection
        .set_pointer_mode(PointerMode::Relative);
    other.request(false);
    assert_eq!(last(&mut other, 1, 100, 50), position(100, 50, 1));
    assert_eq!(last(&mut other, 1, 0x8000, 0x8000), position(149, 99, 1));
}

#[test]
fn a_probe_is_answered_by_who_takes_fences_and_sent_to_no_one_else() {
    let mut session = Session::new(Arrival::Whole);
    session.talk.connection.probe();
    assert!(session.talk.heard().is_empty());
    session.encodings(&[0, -312]);
    session.talk.connection.probe();
    let bytes = session.talk.heard();
    let messages = session.client.receive(&bytes).expect("a fence");
    let [Message::Fence { flags, data }] = &messages[..] else {
        panic!("one fence, not {messages:?}");
    };
    assert_eq!(flags & 1 << 31, 1 << 31);
    assert!(session.say(&fence(flags & !(1 << 31), data)).is_empty());
}
