//! Check 56: the machine's power, which xvp asks for.

use rfb::server::{Event, PowerRequest};
use rfb::testing::client::{Message, xvp};

use crate::talk::{ARRIVALS, Session};

const XVP: i32 = -309;
const FAIL: Message = Message::Xvp(0);
const INIT: Message = Message::Xvp(1);

#[test]
fn check_56_requests_are_offered_once_to_who_knows_them_and_may_make_them() {
    for arrival in ARRIVALS {
        let mut session = Session::new(arrival);
        session.talk.connection.take_power(true);
        assert!(session.encodings(&[0]).is_empty(), "it does not know xvp");
        assert_eq!(session.encodings(&[0, XVP]), [INIT]);
        assert!(session.encodings(&[0, XVP]).is_empty(), "once");
        for (code, request) in [
            (2, PowerRequest::Shutdown),
            (3, PowerRequest::Reboot),
            (4, PowerRequest::Reset),
        ] {
            assert!(session.say(&xvp(code)).is_empty());
            assert_eq!(session.talk.events.pop(), Some(Event::Power(request)));
        }
        session.talk.connection.refuse_power();
        assert_eq!(session.heard(), [FAIL]);
    }
}

#[test]
fn check_56_what_is_not_taken_fails_and_is_no_event() {
    for arrival in ARRIVALS {
        let mut session = Session::new(arrival);
        assert!(session.encodings(&[0, XVP]).is_empty(), "not offered");
        assert_eq!(session.say(&xvp(4)), [FAIL]);
        session.talk.connection.take_power(true);
        assert_eq!(session.heard(), [INIT], "offered later");
        for wrong in [[250, 0, 1, 0], [250, 0, 1, 9], [250, 0, 2, 4]] {
            assert_eq!(session.say(&wrong), [FAIL]);
        }
        session.talk.connection.take_power(false);
        assert_eq!(session.say(&xvp(4)), [FAIL]);
        session.encodings(&[0]);
        assert!(
            session.say(&xvp(4)).is_empty(),
            "it would not know the answer"
        );
        let is_power = |event: &Event| matches!(event, Event::Power(_));
        assert!(!session.talk.events.iter().any(is_power));
    }
}
