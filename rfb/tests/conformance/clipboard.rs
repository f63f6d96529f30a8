//! Checks 57 and 67: the client's clipboard is told of, fetched when somebody asks, and bounded.

use proptest::prelude::*;
use rfb::Error;
use rfb::server::{Clipboard, Event};
use rfb::testing::client::{
    EXTENDED_CLIPBOARD, Message, cut_text, extended_clipboard, key, provide_text,
};

use crate::talk::{ARRIVALS, Arrival, Session};

const TEXT: u32 = 1;
const CAPS: u32 = 1 << 24;
const REQUEST: u32 = 1 << 25;
const PEEK: u32 = 1 << 26;
const NOTIFY: u32 = 1 << 27;
const PROVIDE: u32 = 1 << 28;

/// A session whose client listed the Extended Clipboard.
fn extended(arrival: Arrival) -> Session {
    let mut session = Session::new(arrival);
    session.encodings(&[0, EXTENDED_CLIPBOARD]);
    session.talk.events.clear();
    session
}

/// What the clipboard is said to hold, by these bytes and a key that shows that the parser is in step.
fn told(session: &mut Session, bytes: &[u8]) -> Vec<Clipboard> {
    session.say(bytes);
    session.say(&key(true, 0x61));
    let mut events = std::mem::take(&mut session.talk.events);
    let expected = Event::Key {
        down: true,
        keysym: 0x61,
    };
    assert_eq!(events.pop(), Some(expected));
    let clipboard = |event| match event {
        Event::Clipboard(clipboard) => clipboard,
        other => panic!("only the clipboard, not {other:?}"),
    };
    events.into_iter().map(clipboard).collect()
}

fn text(text: &str) -> Clipboard {
    Clipboard::Text(text.to_owned())
}

/// A CutText header that announces this length, signed.
fn header(length: u32) -> Vec<u8> {
    [&[6, 0, 0, 0][..], &length.to_be_bytes()].concat()
}

#[test]
fn check_57_caps_follow_each_set_encodings_that_lists_the_extension() {
    let caps = [Message::Clipboard {
        flags: TEXT | CAPS | REQUEST | PEEK | NOTIFY | PROVIDE,
        // 0 bytes of text may be sent unasked, so clients only announce it.
        data: vec![0; 4],
    }];
    for arrival in ARRIVALS {
        let mut session = Session::new(arrival);
        assert!(session.encodings(&[0]).is_empty(), "not listed");
        for _ in 0..2 {
            assert_eq!(session.encodings(&[0, EXTENDED_CLIPBOARD]), caps);
        }
        assert!(session.encodings(&[0]).is_empty());
    }
}

#[test]
fn check_67_plain_text_is_kept_up_to_a_limit_and_passed_over_beyond() {
    for arrival in ARRIVALS {
        let mut session = Session::new(arrival);
        assert_eq!(told(&mut session, &cut_text(b"")), [Clipboard::Empty]);
        assert_eq!(
            told(&mut session, &cut_text(b"na\xefve\r\n")),
            [text("naïve\n")]
        );
        let kept = vec![b'x'; 256 << 10];
        assert_eq!(
            told(&mut session, &cut_text(&kept)),
            [text(&"x".repeat(256 << 10))]
        );
        for length in [(256 << 10) + 1, 300 << 10, 1 << 20] {
            // Were it taken for messages, the connection would end.
            let long = [header(length), vec![0x77; length as usize]].concat();
            assert_eq!(told(&mut session, &long), [Clipboard::TooLong], "{length}");
        }
        for length in [(1 << 20) + 1, 0x7fff_ffff, 0x8000_0000] {
            let mut session = Session::new(arrival);
            let (_, result) = session.talk.try_say(&header(length));
            assert!(
                matches!(result, Err(Error::CutTextTooLong { .. })),
                "{length:#x}"
            );
        }
    }
}

#[test]
fn check_67_an_extended_message_that_was_not_offered_is_passed_over() {
    for arrival in ARRIVALS {
        let mut session = Session::new(arrival);
        for message in [
            provide_text("secret"),
            extended_clipboard(NOTIFY | TEXT, &[]),
            extended_clipboard(PEEK, &[]),
            extended_clipboard(CAPS | 0xffff, &[]),
            [header(0xffff_ffff), vec![9]].concat(),
        ] {
            assert_eq!(told(&mut session, &message), []);
        }
    }
}

#[test]
fn text_stays_with_the_client_until_it_is_asked_for() {
    for arrival in ARRIVALS {
        let mut session = extended(arrival);
        assert!(
            !session.talk.connection.request_clipboard(),
            "nothing to ask for"
        );

        let caps = extended_clipboard(CAPS | TEXT | REQUEST | NOTIFY | PROVIDE, &[0, 0, 16, 0]);
        assert_eq!(told(&mut session, &caps), []);
        let notify = extended_clipboard(NOTIFY | TEXT, &[]);
        assert!(session.say(&notify).is_empty(), "nobody asked");
        session.talk.events.clear();

        assert!(session.talk.connection.request_clipboard());
        let bytes = session.talk.heard();
        let request = Message::Clipboard {
            flags: TEXT | REQUEST,
            data: Vec::new(),
        };
        assert_eq!(session.client.receive(&bytes), Ok(vec![request]));
        let provided = told(&mut session, &provide_text("two\nlines 😀"));
        assert_eq!(provided, [text("two\nlines 😀")]);

        assert!(
            session.talk.connection.request_clipboard(),
            "it may be fetched again"
        );
        session.talk.heard();
        let emptied = told(&mut session, &extended_clipboard(NOTIFY, &[]));
        assert_eq!(emptied, [Clipboard::Empty]);
        assert!(!session.talk.connection.request_clipboard());
    }
}

#[test]
fn a_client_that_gives_no_text_is_not_asked_and_plain_text_replaces_what_was_announced() {
    let mut session = extended(Arrival::Whole);
    told(&mut session, &extended_clipboard(NOTIFY | TEXT, &[]));
    told(&mut session, &cut_text(b"newer"));
    assert!(!session.talk.connection.request_clipboard());
    told(&mut session, &extended_clipboard(NOTIFY | TEXT, &[]));
    told(
        &mut session,
        &extended_clipboard(CAPS | TEXT | NOTIFY, &[0; 4]),
    );
    assert!(!session.talk.connection.request_clipboard());
}

#[test]
fn who_asks_for_the_servers_clipboard_is_told_that_there_is_nothing() {
    for arrival in ARRIVALS {
        let mut session = extended(arrival);
        for asks in [REQUEST | TEXT, PEEK, PEEK | 0xffff] {
            let nothing = Message::Clipboard {
                flags: NOTIFY,
                data: Vec::new(),
            };
            assert_eq!(session.say(&extended_clipboard(asks, &[])), [nothing]);
        }
    }
}

#[test]
fn check_67_malformed_extended_messages_end_the_connection() {
    let cut = provide_text("hello");
    let cut = &cut[12..cut.len() - 8];
    for arrival in ARRIVALS {
        let messages = [
            [header(1u32.wrapping_neg()), vec![1]].concat(),
            [header(3u32.wrapping_neg()), vec![1, 2, 3]].concat(),
            extended_clipboard(CAPS | 3, &[0; 7]),
            extended_clipboard(PROVIDE | TEXT, &[]),
            extended_clipboard(PROVIDE | TEXT, cut),
            extended_clipboard(PROVIDE | TEXT, &[0xff; 64]),
        ];
        for message in messages {
            let mut session = extended(arrival);
            let (_, result) = session.talk.try_say(&message);
            assert!(
                matches!(result, Err(Error::Clipboard(_))),
                "{message:?}: {result:?}"
            );
            assert!(session.talk.events.is_empty());
        }
    }
}

#[test]
fn check_67_a_zlib_bomb_is_capped() {
    let mut session = extended(Arrival::Whole);
    let bomb = provide_text(&"a".repeat(40 << 20));
    assert!(bomb.len() < 200 << 10, "1:1000 fits into what is kept");
    assert_eq!(told(&mut session, &bomb), [Clipboard::TooLong]);
}

proptest! {
    #[test]
    fn whatever_text_a_client_provides_arrives(copied in "[^\0\r]{0,300}") {
        let mut session = extended(Arrival::Whole);
        let expected = match copied.as_str() {
            "" => Clipboard::Empty,
            copied => text(copied),
        };
        let provided = told(&mut session, &provide_text(&copied));
        prop_assert!(provided == [expected], "{copied:?}");
    }

    /// A client cannot make it panic, answer what cannot be read, or lose its step.
    #[test]
    fn check_67_garbage_in_extended_messages_is_survived(
        flags in any::<u32>(),
        data in prop::collection::vec(any::<u8>(), 0..80),
    ) {
        let mut session = extended(Arrival::Whole);
        let message = extended_clipboard(flags, &data);
        match session.talk.try_say(&message) {
            (answer, Ok(())) => {
                prop_assert!(session.client.receive(&answer).is_ok());
                prop_assert!(told(&mut session, &[]).len() <= 1);
            }
            (answer, Err(error)) => {
                prop_assert!(answer.is_empty());
                prop_assert!(matches!(error, Error::Clipboard(_)));
            }
        }
    }
}
