//! Checks 19 to 45: requests, updates, encodings and pixel formats.

use rfb::encoding::Encoding;
use rfb::frame::{Frame, FrameSeq};
use rfb::geom::{Rect, Size};
use rfb::pixel::PixelFormat;
use rfb::server::Event;
use rfb::testing::client::{Message, continuous_updates, key, pointer, request};

use crate::talk::{ARRIVALS, Arrival, SIZE, Session, screen};

/// The rectangles of the only message.
pub fn only_update(messages: &[Message]) -> Vec<(Rect, i32)> {
    let [message] = messages else {
        panic!("one update, not {messages:?}");
    };
    message
        .rectangles()
        .iter()
        .map(|r| (r.rect, r.encoding))
        .collect()
}

#[test]
fn check_20_a_client_that_never_asks_gets_nothing() {
    let mut session = Session::new(Arrival::Whole);
    assert!(session.show(&screen(2, SIZE, None)).is_empty());
    assert!(
        session
            .encodings(&[7, 16, 0, -258, -316, -307, -261, -308, -223])
            .is_empty()
    );
    assert!(session.show(&screen(3, SIZE, None)).is_empty());
}

#[test]
fn check_21_22_one_raw_update_then_only_what_changed() {
    for arrival in ARRIVALS {
        let mut session = Session::new(arrival);
        let first = screen(1, SIZE, None);
        session.show(&first);
        assert_eq!(only_update(&session.request(false)), [(SIZE.rect(), 0)]);
        assert!(session.shows(&first));

        assert!(session.request(true).is_empty());
        let second = screen(2, SIZE, Some(&first));
        let rects = only_update(&session.show(&second));
        assert_eq!(rects, [(Rect::new(1, 70, 4, 2), 0)]);
        assert!(session.shows(&second));
    }
}

#[test]
fn check_22_what_changed_outside_the_area_asked_for_is_not_sent() {
    let mut session = Session::new(Arrival::Whole);
    let first = screen(1, SIZE, None);
    session.show(&first);
    session.request(false);
    let area = Rect::new(0, 0, 150, 60);
    assert!(session.say(&request(true, area)).is_empty());
    let second = screen(2, SIZE, Some(&first));
    assert!(session.show(&second).is_empty());
    let rects = only_update(&session.request(true));
    assert_eq!(rects, [(Rect::new(1, 70, 4, 2), 0)]);
}

#[test]
fn check_23_a_hundred_requests_are_one() {
    for arrival in ARRIVALS {
        let mut session = Session::new(arrival);
        let first = screen(1, SIZE, None);
        session.show(&first);
        session.request(false);
        let many = request(true, SIZE.rect()).repeat(100);
        assert!(session.say(&many).is_empty());
        let second = screen(2, SIZE, Some(&first));
        assert_eq!(session.show(&second).len(), 1);
        assert!(session.show(&screen(3, SIZE, Some(&second))).is_empty());
    }
}

#[test]
fn check_24_25_26_odd_areas_are_cut_and_never_disconnect() {
    for arrival in ARRIVALS {
        let mut session = Session::new(arrival);
        session.show(&screen(1, SIZE, None));
        for _ in 0..3 {
            let small = Rect::new(0, 0, 16, 16);
            assert_eq!(
                only_update(&session.say(&request(false, small))),
                [(small, 0)]
            );
        }
        assert!(
            session
                .say(&request(false, Rect::new(10, 10, 0, 0)))
                .is_empty()
        );
        assert!(
            session
                .say(&request(false, Rect::new(5000, 10, 20, 20)))
                .is_empty()
        );
        let beyond = Rect::new(140, 90, 65535, 65535);
        let cut = Rect::new(140, 90, 10, 10);
        assert_eq!(
            only_update(&session.say(&request(false, beyond))),
            [(cut, 0)]
        );
    }
}

#[test]
fn check_27_keys_work_before_anything_was_asked_for() {
    for arrival in ARRIVALS {
        let mut session = Session::new(arrival);
        session.say(&[key(true, 0x61), pointer(1, 20, 30), key(false, 0x61)].concat());
        assert_eq!(session.talk.events.len(), 3);
    }
}

#[test]
fn check_29_no_encodings_means_raw() {
    let mut session = Session::new(Arrival::Whole);
    session.encodings(&[]);
    assert_eq!(only_update(&session.request(false)), [(SIZE.rect(), 0)]);
}

/// The encodings of a full update for a client with this list.
fn chosen(list: &[i32]) -> Vec<i32> {
    let mut session = Session::new(Arrival::Whole);
    let frame = screen(1, SIZE, None);
    session.show(&frame);
    session.encodings(list);
    let mut seen: Vec<i32> = only_update(&session.request(false))
        .iter()
        .map(|r| r.1)
        .collect();
    seen.dedup();
    seen
}

#[test]
fn check_30_31_the_client_s_order_decides_among_what_it_can_read() {
    // Remmina's default, asyncvnc, openQA, TigerVNC, noVNC, RealVNC, a client that lists JPEG first.
    assert_eq!(chosen(&[1, 6, 5, 0, -255]), [6]);
    assert_eq!(chosen(&[6]), [6]);
    assert_eq!(chosen(&[16, 0, 7, -24]), [16]);
    assert_eq!(chosen(&[7, 1, 50, 21, 16, 5, 2, 0, -254, -24]), [7]);
    assert_eq!(chosen(&[1, 50, 7, -260, 16, 21, 5, 2, 6, 0]), [7]);
    assert_eq!(chosen(&[24, 22, 21, 15, 16, 2, 0]), [15]);
    assert_eq!(chosen(&[21, 0, -26]), [21]);
    assert_eq!(chosen(&[1, 9, 4, -239]), [0]);
}

#[test]
fn the_encoding_is_named_when_it_becomes_another_one() {
    for arrival in ARRIVALS {
        let mut session = Session::new(arrival);
        let rgb565 = PixelFormat::rgb(16, 16, (31, 11), (63, 5), (31, 0));
        session.format(rgb565);
        session.encodings(&[-260, 0]);
        session.encodings(&[-260, 0]);
        session.format(PixelFormat::BGRX);
        session.encodings(&[-260, 16, 0]);
        session.encodings(&[16, 0]);
        let named: Vec<&str> = session
            .talk
            .events
            .iter()
            .filter_map(encoding_named)
            .collect();
        assert_eq!(named, ["Raw", "TightPNG", "ZRLE"], "{arrival:?}");
    }
}

fn encoding_named(event: &Event) -> Option<&'static str> {
    match event {
        Event::EncodingChosen(name) => Some(name),
        _ => None,
    }
}

#[test]
fn check_32_no_jpeg_without_a_quality_level_in_the_latest_list() {
    let mut session = Session::new(Arrival::Whole);
    session.show(&photo(1));
    for (list, jpeg) in [(&[7, 0][..], false), (&[7, 0, -27], true), (&[7, 0], false)] {
        session.client.decoder.seen = Default::default();
        session.encodings(list);
        session.request(false);
        assert_eq!(
            !session.client.decoder.seen.jpegs.is_empty(),
            jpeg,
            "{list:?}"
        );
    }
    session.encodings(&[7, 0, -27]);
    session.format(PixelFormat::RGB332);
    session.client.decoder.seen = Default::default();
    session.request(false);
    assert!(
        session.client.decoder.seen.jpegs.is_empty(),
        "never at 8 bits"
    );
}

/// A picture that pays as JPEG.
fn photo(seq: u64) -> Frame {
    let size = Size::new(256, 192);
    let mut state = 1u32;
    let bgrx: Vec<u8> = (0..size.area())
        .flat_map(|i| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let smooth = (i % 256) as u8;
            [smooth, (i / 256) as u8, smooth ^ (state >> 27) as u8, 0]
        })
        .collect();
    Frame::from_bgrx(FrameSeq(seq), size, &bgrx, 1024, None)
}

#[test]
fn check_36_37_one_inflater_serves_for_the_whole_connection() {
    let everything = Encoding::ALL.map(|e| e.number().0);
    for (first, second) in [(16, 6), (6, 16)] {
        let mut session = Session::new(Arrival::Whole);
        session.client.decoder.share_zlib_stream();
        let mut frame = screen(1, SIZE, None);
        session.show(&frame);
        for round in 0..20 {
            let mut list = vec![if round % 2 == 0 { first } else { second }];
            list.extend(everything.iter().filter(|e| ![6, 16, 21].contains(*e)));
            session.encodings(&list);
            session.request(true);
            assert!(session.shows(&frame), "round {round}");
            frame = screen(round + 2, SIZE, Some(&frame));
            session.show(&frame);
        }
        let seen = &session.client.decoder.seen.encodings;
        assert!(
            seen.contains(&first) && !seen.contains(&second),
            "never both"
        );
    }
}

#[test]
fn check_39_40_every_format_in_every_encoding_shows_the_raw_picture() {
    let formats = [
        PixelFormat::BGRX,
        PixelFormat::BGRX.big_endian(),
        PixelFormat::rgb(32, 24, (255, 0), (255, 8), (255, 16)),
        PixelFormat::rgb(32, 8, (255, 16), (255, 8), (255, 0)).big_endian(),
        PixelFormat::rgb(16, 16, (31, 11), (63, 5), (31, 0)),
        PixelFormat::rgb(16, 16, (31, 11), (63, 5), (31, 0)).big_endian(),
        PixelFormat::rgb(16, 15, (31, 11), (31, 6), (31, 1)),
        PixelFormat::rgb(16, 16, (63, 0), (31, 6), (31, 11)),
        PixelFormat::rgb(8, 8, (7, 0), (7, 3), (3, 6)),
        PixelFormat::RGB332,
        PixelFormat::rgb(8, 6, (3, 4), (3, 2), (3, 0)),
        PixelFormat::rgb(8, 3, (1, 2), (1, 1), (1, 0)),
        PixelFormat {
            colour: rfb::pixel::Colour::Map,
            ..PixelFormat::RGB332
        },
    ];
    for format in formats {
        let frame = screen(1, SIZE, None);
        let mut raw = None;
        for encoding in [0, 2, 5, 6, 7, 15, 16] {
            let mut session = Session::new(Arrival::Whole);
            session.format(format);
            session.encodings(&[encoding]);
            session.show(&frame);
            let messages = session.request(false);
            let mapped = format.colour == rfb::pixel::Colour::Map;
            assert_eq!(matches!(messages[0], Message::ColourMap { .. }), mapped);
            let pixels = session.client.decoder.values().to_vec();
            let expected = raw.get_or_insert_with(|| pixels.clone());
            assert!(*expected == pixels, "encoding {encoding} in {format:?}");
            assert!(session.request(false).len() == 1, "the map is sent once");
        }
    }
}

#[test]
fn check_42_an_update_is_in_the_last_format_before_it() {
    for arrival in ARRIVALS {
        let mut session = Session::new(arrival);
        session.encodings(&[16]);
        let small = PixelFormat::rgb(16, 16, (31, 11), (63, 5), (31, 0));
        let mut frame = screen(1, SIZE, None);
        session.show(&frame);
        for round in 0..100 {
            session.format(if round % 2 == 0 {
                small
            } else {
                PixelFormat::BGRX
            });
            assert_eq!(session.request(false).len(), 1);
            frame = screen(round + 2, SIZE, Some(&frame));
            session.show(&frame);
        }
    }
}

#[test]
fn check_42_a_format_that_comes_while_an_update_is_encoded_makes_it_anew() {
    let mut session = Session::new(Arrival::Whole);
    session.encodings(&[16, -258]);
    let connection = &mut session.talk.connection;
    connection
        .receive(&request(false, SIZE.rect()))
        .expect("a request");
    let job = connection.plan_update().expect("a job");
    let bytes = session.client.set_pixel_format(PixelFormat::RGB332);
    connection.receive(&bytes).expect("a format");
    assert!(connection.plan_update().is_none(), "one job at a time");
    assert!(connection.finish_update(job.encode()).is_empty());
    let again = session.talk.heard();
    let messages = session
        .client
        .receive(&again)
        .expect("an update in the new format");
    let rects = only_update(&messages);
    assert_eq!(
        rects.len(),
        2,
        "the picture and the announcement: {rects:?}"
    );
}

#[test]
fn check_43_rectangles_are_counted_with_and_without_last_rect() {
    for list in [&[7, -224][..], &[7]] {
        let mut session = Session::new(Arrival::Whole);
        session.encodings(list);
        assert_eq!(session.request(false).len(), 1);
    }
}

#[test]
fn check_44_45_continuous_updates() {
    for arrival in ARRIVALS {
        let mut session = Session::new(arrival);
        let end = [Message::EndOfContinuousUpdates];
        assert_eq!(session.encodings(&[0, -313]), end);
        assert!(session.encodings(&[0, -313]).is_empty(), "said once");
        let mut frame = screen(1, SIZE, None);
        session.show(&frame);

        let area = Rect::new(0, 64, 100, 20);
        let rects = only_update(&session.say(&continuous_updates(true, area)));
        assert_eq!(rects, [(area, 0)]);
        assert!(session.request(true).len() <= 1);
        frame = screen(2, SIZE, Some(&frame));
        for (rect, _) in only_update(&session.show(&frame)) {
            assert!(area.contains(rect) || SIZE.rect() == rect);
        }
        assert_eq!(only_update(&session.request(false)), [(SIZE.rect(), 0)]);

        assert_eq!(session.say(&continuous_updates(false, area)), end);
        frame = screen(3, SIZE, Some(&frame));
        assert!(
            session.show(&frame).is_empty(),
            "silence until the next request"
        );
        assert_eq!(session.say(&continuous_updates(false, area)), end);
        assert_eq!(session.request(true).len(), 1);
        assert!(session.shows(&frame));
    }
}

#[test]
fn check_45_enabling_what_was_never_offered_changes_nothing() {
    let mut session = Session::new(Arrival::Whole);
    assert!(
        session
            .say(&continuous_updates(true, SIZE.rect()))
            .is_empty()
    );
    assert!(session.show(&screen(2, SIZE, None)).is_empty());
}

#[test]
fn a_frame_that_only_looks_new_costs_nothing_and_keeps_the_request_open() {
    let mut session = Session::new(Arrival::Whole);
    let first = screen(1, SIZE, None);
    session.show(&first);
    session.request(false);
    session.request(true);
    // The same pixels in new tiles, as after a source was reopened.
    assert!(session.show(&screen(51, SIZE, None)).is_empty());
    assert!(
        session.talk.connection.plan_update().is_none(),
        "it does not look again"
    );
    let changed = screen(2, SIZE, None);
    assert_eq!(
        only_update(&session.show(&changed)),
        [(Rect::new(1, 70, 4, 2), 0)]
    );
    assert!(session.shows(&changed));
}
