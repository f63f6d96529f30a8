//! Checks 28, 29, 41, 67 and 71: nothing that a client sends may panic, hang or grow.

use proptest::prelude::*;
use rfb::Error;
use rfb::server::Event;
use rfb::testing::client::{
    EXTENDED_CLIPBOARD, cut_text, extended_key, key, pointer, provide_text, request, set_encodings,
};

use crate::talk::{ARRIVALS, Arrival, SIZE, Session, Talk, screen};

#[test]
fn check_28_an_unknown_message_ends_the_connection() {
    for arrival in ARRIVALS {
        for kind in [1u8, 7, 11, 0x42, 252] {
            let mut session = Session::new(arrival);
            let (_, result) = session.talk.try_say(&[kind, 0, 0, 0]);
            assert_eq!(result, Err(Error::UnknownMessage(kind)));
            assert_eq!(session.talk.try_say(&key(true, 0x61)).1, Err(Error::Ended));
            assert!(session.talk.events.is_empty());
        }
    }
}

#[test]
fn check_29_as_many_encodings_as_fit_are_taken() {
    let mut session = Session::new(Arrival::Whole);
    let list: Vec<i32> = (0..65535).map(|n| 1_000_000 + n % 9).collect();
    assert!(session.say(&set_encodings(&list)).is_empty());
    assert!(session.say(&set_encodings(&[0, 0, 0])).is_empty());
    assert_eq!(session.request(false).len(), 1);
}

#[test]
fn check_41_a_pixel_format_that_cannot_be_ends_the_connection() {
    for arrival in ARRIVALS {
        let mut session = Session::new(arrival);
        let (_, result) = session.talk.try_say(&[0; 20]);
        assert!(matches!(result, Err(Error::PixelFormat(_))));
    }
}

#[test]
fn check_66_who_may_only_watch_is_read_in_step_and_not_obeyed() {
    for arrival in ARRIVALS {
        let mut talk = Talk::new(arrival, None);
        talk.connection.set_view_only(true);
        talk.heard();
        talk.say(b"RFB 003.008\n\x01\x01");
        talk.events.clear();
        let input = [
            key(true, 0x61),
            extended_key(true, 0x61, 0x1e),
            pointer(1, 2, 3),
            set_encodings(&[0, EXTENDED_CLIPBOARD]),
            cut_text(b"secret"),
            provide_text("secret"),
            [&cut_text(b"")[..4], &[0, 5, 0, 0], &vec![0; 5 << 16]].concat(),
            request(false, SIZE.rect()),
        ];
        let answer = talk.say(&input.concat());
        assert_eq!(answer[..4], [0, 0, 0, 1], "the update that was asked for");
        let is_input = |event: &Event| !matches!(event, Event::EncodingChosen(_));
        assert!(!talk.events.iter().any(is_input), "{:?}", talk.events);
    }
}

/// Messages that are well formed but for a byte here and there.
fn almost_messages() -> impl Strategy<Value = Vec<u8>> {
    let kinds = prop_oneof![
        Just(0u8),
        Just(2),
        Just(3),
        Just(4),
        Just(5),
        Just(6),
        Just(150),
        Just(248),
        Just(251),
        Just(255),
        any::<u8>()
    ];
    let message = (
        kinds,
        prop::collection::vec(prop_oneof![Just(0u8), Just(1), any::<u8>()], 0..40),
    );
    prop::collection::vec(message, 0..12).prop_map(|messages| {
        messages
            .into_iter()
            .flat_map(|(kind, rest)| std::iter::once(kind).chain(rest))
            .collect()
    })
}

proptest! {
    /// Check 71: whatever comes, the core neither panics nor answers what a strict client cannot read
    /// as far as the client knows what it asked for; and it does the same however the bytes are cut.
    #[test]
    fn check_71_garbage_is_survived_and_read_alike_however_it_is_cut(bytes in almost_messages()) {
        let run = |arrival| {
            let mut session = Session::new(arrival);
            let (_, result) = session.talk.try_say(&bytes);
            let keys: Vec<_> = session.talk.events.clone();
            session.talk.show(&screen(2, SIZE, None));
            session.talk.heard();
            (result, keys)
        };
        prop_assert_eq!(run(Arrival::Whole), run(Arrival::ByteByByte));
    }

    /// Check 71: the same before authentication.
    #[test]
    fn check_71_garbage_in_the_handshake_never_enters(
        bytes in prop::collection::vec(any::<u8>(), 0..64),
        greeted in any::<bool>(),
    ) {
        let mut talk = crate::talk::Talk::new(Arrival::Whole, Some(crate::talk::PASSWORD));
        let start: &[u8] = if greeted { b"RFB 003.008\n\x02" } else { b"" };
        let (_, _) = talk.try_say(&[start, &bytes].concat());
        prop_assert!(!talk.connection.is_running());
        prop_assert!(talk.events.is_empty());
    }
}

#[test]
fn check_71_a_message_cut_off_anywhere_is_just_not_there() {
    let message = request(false, SIZE.rect());
    for n in 0..message.len() {
        let mut session = Session::new(Arrival::Whole);
        assert!(session.say(&message[..n]).is_empty());
    }
}
