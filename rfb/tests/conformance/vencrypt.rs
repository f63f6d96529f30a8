//! VeNCrypt: checks 8, 12, 14 and 16.

use rfb::Error;
use rfb::security::vnc_auth::Password;
use rfb::security::{SecurityType, Upgrade};
use rfb::server::Event;

use crate::talk::{ARRIVALS, Arrival, CHALLENGE, PASSWORD, Talk};

use SecurityType::{None, VncAuth, X509None, X509Plain, X509Vnc};

/// With the version said; gives the list of security types.
fn versioned(arrival: Arrival, offer: &[SecurityType], version: &[u8; 12]) -> (Talk, Vec<u8>) {
    let password = offer.contains(&None) || offer.contains(&X509None);
    let mut talk = Talk::offering(arrival, offer, (!password).then_some(PASSWORD));
    talk.heard();
    let list = talk.say(version);
    (talk, list)
}

/// With VeNCrypt 0.2 agreed on; gives the subtypes.
fn agreed(arrival: Arrival, offer: &[SecurityType]) -> (Talk, Vec<u8>) {
    let (mut talk, _) = versioned(arrival, offer, b"RFB 003.008\n");
    assert_eq!(talk.say(&[19]), [0, 2]);
    let subtypes = talk.say(&[0, 2]);
    (talk, subtypes)
}

/// Inside TLS by this subtype; gives what the server sends first there.
fn inside(arrival: Arrival, subtype: SecurityType) -> (Talk, Vec<u8>) {
    let (mut talk, _) = agreed(arrival, &[subtype]);
    assert_eq!(talk.say(&subtype.number().to_be_bytes()), [1]);
    assert_eq!(talk.events, [Event::Upgrade(Upgrade::Tls)]);
    assert_eq!(talk.admitted, Option::None);
    talk.events.clear();
    let first = talk.upgraded();
    (talk, first)
}

fn plain(user: &[u8], password: &[u8]) -> Vec<u8> {
    let length = |text: &[u8]| u32::try_from(text.len()).expect("short").to_be_bytes();
    [&length(user)[..], &length(password), user, password].concat()
}

#[test]
fn check_02_all_that_runs_over_tls_is_one_entry_where_the_first_of_them_stands() {
    for arrival in ARRIVALS {
        for version in [b"RFB 003.007\n", b"RFB 003.008\n"] {
            let (_, list) = versioned(arrival, &[X509Plain, VncAuth, X509Vnc], version);
            assert_eq!(list, [2, 19, 2]);
        }
        let (_, list) = versioned(arrival, &[None, X509None], b"RFB 003.008\n");
        assert_eq!(list, [2, 1, 19]);
    }
}

/// noVNC takes VeNCrypt where it comes first, and then knows no subtype over TLS.
#[test]
fn what_is_offered_in_clear_anyway_is_the_last_subtype_as_well() {
    for arrival in ARRIVALS {
        let (mut talk, subtypes) = agreed(arrival, &[VncAuth, X509Plain, X509Vnc]);
        assert_eq!(subtypes, [0, 3, 0, 0, 1, 6, 0, 0, 1, 5, 0, 0, 0, 2]);
        assert_eq!(talk.say(&[0, 0, 0, 2]), CHALLENGE);
        let response = Password::new(PASSWORD).respond(&CHALLENGE);
        assert_eq!(talk.say(&response), [0; 4]);

        let (_, subtypes) = agreed(arrival, &[X509Plain, X509Vnc]);
        assert_eq!(subtypes, [0, 2, 0, 0, 1, 6, 0, 0, 1, 5]);
    }
}

#[test]
fn check_04_rfb_3_3_gets_what_it_knows_or_a_reason() {
    for arrival in ARRIVALS {
        let (_, answer) = versioned(arrival, &[X509Vnc, VncAuth], b"RFB 003.003\n");
        assert_eq!(answer, [&[0, 0, 0, 2][..], &CHALLENGE].concat());

        let mut talk = Talk::offering(arrival, &[X509Vnc], Some(PASSWORD));
        talk.heard();
        let (answer, result) = talk.try_say(b"RFB 003.003\n");
        assert!(matches!(result, Err(Error::Refused(_))));
        assert_eq!(answer[..4], [0; 4]);
        assert_eq!(usize::from(answer[7]), answer.len() - 8);
    }
}

#[test]
fn check_14_inside_tls_each_subtype_logs_in() {
    for arrival in ARRIVALS {
        let (mut talk, first) = inside(arrival, X509None);
        assert_eq!(first, [0; 4]);
        assert!(talk.say(&[1]).starts_with(&[0, 150, 0, 100]));

        let (mut talk, first) = inside(arrival, X509Vnc);
        assert_eq!(first, CHALLENGE);
        let response = Password::new(PASSWORD).respond(&CHALLENGE);
        assert_eq!(talk.say(&response), [0; 4]);

        let (mut talk, first) = inside(arrival, X509Plain);
        assert!(first.is_empty());
        assert_eq!(talk.say(&plain(b"somebody", PASSWORD)), [0; 4]);
        assert!(talk.say(&[1]).starts_with(&[0, 150, 0, 100]));

        let (mut talk, _) = inside(arrival, X509Plain);
        let (answer, _) = talk.try_say(&plain(b"somebody", b"letmeout"));
        assert_eq!(answer[..4], [0, 0, 0, 1]);
        assert_eq!(talk.admitted, Some(false));
    }
}

/// In 3.7, too, what VeNCrypt has inside ends with a result.
#[test]
fn check_07_14_x509_none_has_a_result_in_3_7() {
    let (mut talk, _) = versioned(Arrival::Whole, &[X509None], b"RFB 003.007\n");
    talk.say(&[19]);
    talk.say(&[0, 2]);
    talk.say(&260u32.to_be_bytes());
    assert_eq!(talk.upgraded(), [0; 4]);
}

#[test]
fn check_14_another_version_or_subtype_ends_the_connection() {
    for arrival in ARRIVALS {
        for version in [[0, 1], [0, 0], [1, 2], [0, 3]] {
            let (mut talk, _) = versioned(arrival, &[X509Vnc], b"RFB 003.008\n");
            talk.say(&[19]);
            let (answer, result) = talk.try_say(&version);
            assert_eq!(answer, [0xff]);
            assert!(matches!(result, Err(Error::VeNCryptVersion { .. })));
        }
        for subtype in [0, 1, 2, 19, 256, 257, 258, 259, 260, 262, 263, 261 << 8] {
            let (mut talk, _) = agreed(arrival, &[X509Vnc]);
            let (answer, result) = talk.try_say(&u32::to_be_bytes(subtype));
            assert_eq!(answer, [0]);
            assert_eq!(result, Err(Error::SecurityNotOffered(subtype)));
            assert!(talk.events.is_empty());
        }
        let (mut talk, _) = versioned(arrival, &[VncAuth], b"RFB 003.008\n");
        assert_eq!(talk.try_say(&[19]).1, Err(Error::SecurityNotOffered(19)));
    }
}

/// Trap 5: whoever sits in between can write into what comes before TLS.
#[test]
fn check_12_14_what_comes_before_tls_ends_the_connection() {
    for arrival in ARRIVALS {
        let (mut talk, _) = agreed(arrival, &[X509Plain]);
        let login = plain(b"somebody", PASSWORD);
        let (_, result) = talk.try_say(&[&262u32.to_be_bytes()[..], &login].concat());
        assert!(
            matches!(result, Err(Error::AheadOfEncryption(_))),
            "{result:?}"
        );
        assert_eq!(talk.admitted, Option::None);
        talk.connection.upgraded();
        assert_eq!(talk.try_say(&login).1, Err(Error::Ended));
    }
}

#[test]
fn check_16_names_and_passwords_are_bounded() {
    for arrival in ARRIVALS {
        for bytes in [
            [0xff; 8],
            [0, 0, 4, 1, 0, 0, 0, 0],
            [0, 0, 0, 1, 0, 0, 4, 1],
        ] {
            let (mut talk, _) = inside(arrival, X509Plain);
            let (answer, result) = talk.try_say(&bytes);
            assert!(matches!(
                result,
                Err(Error::LoginTooLong { limit: 1024, .. })
            ));
            assert!(answer.is_empty());
        }
        let (mut talk, _) = inside(arrival, X509Plain);
        let _ = talk.try_say(&plain(&[b'a'; 1024], &[b'b'; 1024]));
        assert_eq!(talk.admitted, Some(false), "that is read");
        let (mut talk, _) = inside(arrival, X509Plain);
        let _ = talk.try_say(&plain(b"", PASSWORD));
        assert_eq!(talk.admitted, Some(false));
    }
}
