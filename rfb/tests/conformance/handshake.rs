//! Checks 1 to 13, 17 and 18.

use rfb::Error;
use rfb::security::vnc_auth::Password;
use rfb::server::Event;

use crate::talk::{ARRIVALS, Arrival, CHALLENGE, PASSWORD, Talk};

fn response(password: &[u8]) -> [u8; 16] {
    Password::new(password).respond(&CHALLENGE)
}

/// Greeted and with the version said.
fn versioned(arrival: Arrival, password: Option<&[u8]>, version: &[u8; 12]) -> (Talk, Vec<u8>) {
    let mut talk = Talk::new(arrival, password);
    talk.heard();
    let answer = talk.say(version);
    (talk, answer)
}

#[test]
fn check_01_the_greeting_comes_unasked_and_alone() {
    let mut talk = Talk::new(Arrival::Whole, Some(PASSWORD));
    assert_eq!(talk.heard(), b"RFB 003.008\n");
    assert!(talk.heard().is_empty());
}

#[test]
fn check_02_03_the_list_has_vnc_auth_and_nothing_that_breaks_clients() {
    for arrival in ARRIVALS {
        for version in [b"RFB 003.008\n", b"RFB 003.007\n", b"RFB 003.889\n"] {
            let (_, list) = versioned(arrival, Some(PASSWORD), version);
            assert_eq!(list, [1, 2]);
        }
    }
}

#[test]
fn check_04_05_rfb_3_3_with_a_password() {
    for arrival in ARRIVALS {
        for version in [b"RFB 003.003\n", b"RFB 003.005\n"] {
            let (mut talk, answer) = versioned(arrival, Some(PASSWORD), version);
            assert_eq!(answer[..4], [0, 0, 0, 2]);
            assert_eq!(answer[4..], CHALLENGE);
            assert_eq!(talk.say(&response(PASSWORD)), [0, 0, 0, 0]);
            assert_eq!(talk.say(&[1]).len(), 4 + 16 + 4 + 8);
            assert_eq!(talk.events, [Event::Ready { shared: true }]);
        }
    }
}

#[test]
fn check_05_06_what_is_no_version_is_closed_without_a_word() {
    for arrival in ARRIVALS {
        for bytes in [
            &b"RFB 004.000\n"[..],
            b"GET / HTTP/1.1\r\n",
            b"RFB 00A.008\n",
            &[0; 12],
        ] {
            let mut talk = Talk::new(arrival, Some(PASSWORD));
            talk.heard();
            let (answer, result) = talk.try_say(bytes);
            assert!(answer.is_empty(), "nothing is reflected");
            assert!(matches!(
                result,
                Err(Error::NotRfb(_) | Error::Version { .. })
            ));
            assert_eq!(talk.try_say(b"more").1, Err(Error::Ended));
        }
    }
}

#[test]
fn check_07_without_a_password_each_version_has_its_own_way() {
    for arrival in ARRIVALS {
        let (mut talk, answer) = versioned(arrival, None, b"RFB 003.003\n");
        assert_eq!(answer, [0, 0, 0, 1]);
        assert!(talk.say(&[1]).starts_with(&[0, 150, 0, 100]));

        let (mut talk, answer) = versioned(arrival, None, b"RFB 003.007\n");
        assert_eq!(answer, [1, 1]);
        assert!(talk.say(&[1]).is_empty(), "3.7 has no result for None");
        assert!(talk.say(&[1]).starts_with(&[0, 150, 0, 100]));

        let (mut talk, answer) = versioned(arrival, None, b"RFB 003.008\n");
        assert_eq!(answer, [1, 1]);
        assert_eq!(talk.say(&[1]), [0, 0, 0, 0]);
        assert!(talk.say(&[1]).starts_with(&[0, 150, 0, 100]));
    }
}

#[test]
fn check_08_a_type_that_was_not_offered_is_never_taken() {
    for arrival in ARRIVALS {
        for (version, with_reason) in [(b"RFB 003.008\n", true), (b"RFB 003.007\n", false)] {
            for choice in [0, 1, 5, 16, 19, 255] {
                let (mut talk, _) = versioned(arrival, Some(PASSWORD), version);
                // ClientInit follows at once, as an attacker would send it.
                let (answer, result) = talk.try_say(&[choice, 1]);
                assert_eq!(result, Err(Error::SecurityNotOffered(choice.into())));
                assert_eq!(answer[..4], [0, 0, 0, 1]);
                assert_eq!(answer.len() > 4, with_reason);
                assert!(talk.events.is_empty());
            }
        }
    }
}

#[test]
fn check_09_a_wrong_password_gets_a_reason_only_in_3_8() {
    for arrival in ARRIVALS {
        let (mut talk, _) = versioned(arrival, Some(PASSWORD), b"RFB 003.008\n");
        assert_eq!(talk.say(&[2]), CHALLENGE);
        let (answer, _) = talk.try_say(&response(b"letmeout"));
        assert_eq!(talk.admitted, Some(false));
        let length = u32::from_be_bytes(answer[4..8].try_into().expect("4 bytes"));
        assert_eq!(answer[..4], [0, 0, 0, 1]);
        assert_eq!(length as usize, answer.len() - 8);

        let (mut talk, _) = versioned(arrival, Some(PASSWORD), b"RFB 003.007\n");
        talk.say(&[2]);
        assert_eq!(talk.try_say(&[0; 16]).0, [0, 0, 0, 1]);

        let (mut talk, _) = versioned(arrival, Some(PASSWORD), b"RFB 003.003\n");
        assert_eq!(talk.try_say(&[0; 16]).0, [0, 0, 0, 1]);
    }
}

#[test]
fn check_10_only_eight_bytes_of_a_password_count() {
    for (set, given) in [
        (&b"12345678"[..], &b"123456789"[..]),
        (b"123456789", b"12345678"),
        (b"\xe4\xf6\xfc\xff", b"\xe4\xf6\xfc\xff"),
    ] {
        let (mut talk, _) = versioned(Arrival::Whole, Some(set), b"RFB 003.008\n");
        talk.say(&[2]);
        assert_eq!(talk.say(&response(given)), [0, 0, 0, 0]);
    }
}

#[test]
fn check_11_a_response_to_another_challenge_fails() {
    let (mut talk, _) = versioned(Arrival::Whole, Some(PASSWORD), b"RFB 003.008\n");
    talk.say(&[2]);
    let replayed = Password::new(PASSWORD).respond(b"challenge before");
    talk.say(&replayed);
    assert_eq!(talk.admitted, Some(false));
    assert_eq!(talk.try_say(&[1]).1, Err(Error::Ended));
}

#[test]
fn check_12_what_is_sent_ahead_of_authentication_counts_for_nothing() {
    for arrival in ARRIVALS {
        let mut talk = Talk::new(arrival, Some(PASSWORD));
        talk.heard();
        let mut ahead = b"RFB 003.008\n\x02".to_vec();
        ahead.extend_from_slice(&[0; 16]);
        ahead.push(1);
        ahead.extend_from_slice(&[4, 1, 0, 0, 0, 0, 0, 0x61]);
        let (answer, _) = talk.try_say(&ahead);
        assert_eq!(talk.admitted, Some(false));
        assert_eq!(answer[..2], [1, 2]);
        assert_eq!(answer[2..18], CHALLENGE);
        assert_eq!(answer[18..22], [0, 0, 0, 1]);
        assert!(talk.events.is_empty(), "no key was pressed");
    }
}

#[test]
fn check_13_a_refused_client_is_told_why_in_its_own_version() {
    let frame = crate::talk::screen(1, crate::talk::SIZE, None);
    for (version, prefix) in [
        (b"RFB 003.003\n", &[0, 0, 0, 0][..]),
        (b"RFB 003.007\n", &[0]),
        (b"RFB 003.008\n", &[0]),
    ] {
        let mut talk = Talk::new(Arrival::ByteByByte, None);
        talk.connection = rfb::server::Connection::refusing("Too many.".to_owned(), frame.clone());
        talk.heard();
        let (answer, result) = talk.try_say(version);
        assert_eq!(result, Err(Error::Refused("Too many.".to_owned())));
        assert_eq!(answer, [prefix, &[0, 0, 0, 9], b"Too many."].concat());
    }
}

#[test]
fn check_17_18_either_client_init_gets_the_server_init_that_all_clients_take() {
    for arrival in ARRIVALS {
        for shared in [0u8, 1, 255] {
            let (mut talk, _) = versioned(arrival, None, b"RFB 003.008\n");
            talk.say(&[1]);
            let init = talk.say(&[shared]);
            assert_eq!(init[..4], [0, 150, 0, 100]);
            assert_eq!(
                init[4..20],
                [32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0]
            );
            assert_eq!(init[20..], *b"\0\0\0\x08a target");
            assert_eq!(
                talk.events.last(),
                Some(&Event::Ready {
                    shared: shared != 0
                })
            );
        }
    }
}

#[test]
fn check_12_little_is_kept_of_what_comes_before_the_verdict() {
    let mut talk = Talk::new(Arrival::Whole, None);
    talk.heard();
    let mut ahead = b"RFB 003.008\n\x01".to_vec();
    ahead.extend_from_slice(&[1; 2000]);
    assert_eq!(talk.try_say(&ahead).1, Err(Error::Impatient(2000)));
}
