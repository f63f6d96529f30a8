//! Checks 8 to 13: nobody enters without the password.

use rfb::security::vnc_auth::Password;

use crate::{
    arena::{self, PASSWORD},
    attack::Attack,
    viewer::Socket,
};

/// ClientInit, and a key behind it.
pub(super) const AHEAD: &[u8] = &[1, 4, 1, 0, 0, 0, 0, 0, 0x61];

/// What ends a handshake badly: nothing, or a failure, with a reason in 3.8, and nothing behind it.
pub(super) fn is_refusal(answer: &[u8], with_reason: bool) -> bool {
    match answer {
        [] => true,
        [0, 0, 0, 1] => !with_reason,
        [0, 0, 0, 1, a, b, c, d, reason @ ..] => {
            with_reason && reason.len() == u32::from_be_bytes([*a, *b, *c, *d]) as usize
        }
        _ => false,
    }
}

/// The types that are offered to a version from 3.7 on.
fn offered(socket: &mut Socket) -> Vec<u8> {
    let count = usize::from(socket.read(1)[0]);
    socket.read(count)
}

pub fn not_offered(attack: &Attack<'_>) {
    for (version, with_reason) in [(b"RFB 003.008\n", true), (b"RFB 003.007\n", false)] {
        for wanted in 0..=255 {
            let mut socket = attack.stranger(version);
            if offered(&mut socket).contains(&wanted) {
                continue;
            }
            socket.send(&[&[wanted], AHEAD].concat());
            let answer = socket.read_to_close();
            assert!(
                is_refusal(&answer, with_reason),
                "type {wanted}: {answer:?}"
            );
        }
    }
    // In 3.3 the server has decided; a client that goes on as in 3.7 has sent a wrong answer.
    let mut socket = attack.stranger(b"RFB 003.003\n");
    assert_eq!(socket.read(4), [0, 0, 0, 2]);
    socket.read(16);
    socket.send(&[&[1], AHEAD, &[0; 16]].concat());
    assert_eq!(socket.read_to_close(), [0, 0, 0, 1]);
    assert!(attack.server.reports().is_empty(), "no key was pressed");
}

pub fn wrong_passwords(attack: &Attack<'_>) {
    for (says, with_reason) in [
        (&b"RFB 003.008\n\x02"[..], true),
        (b"RFB 003.007\n\x02", false),
        (b"RFB 003.003\n", false),
    ] {
        let mut socket = attack.stranger(says);
        let challenge = challenge(&mut socket, says.len() == 13);
        socket.send(&Password::new(b"letmein?").respond(&challenge));
        let answer = socket.read_to_close();
        assert!(
            answer.len() >= 4 && is_refusal(&answer, with_reason),
            "{answer:?}"
        );
    }
    // Eight characters count: more of them are no other password (check 10).
    let mut socket = attack.stranger(b"RFB 003.008\n\x02");
    let challenge = challenge(&mut socket, true);
    socket.send(&Password::new(&[PASSWORD, b"and more"].concat()).respond(&challenge));
    assert_eq!(socket.read(4), [0; 4]);
}

/// The challenge of VncAuth, behind the list (from 3.7 on) or the type that was chosen.
fn challenge(socket: &mut Socket, has_list: bool) -> [u8; 16] {
    if has_list {
        offered(socket);
    } else {
        socket.read(4);
    }
    socket.read(16).try_into().expect("16 bytes")
}

pub fn replayed(attack: &Attack<'_>) {
    let mut seen = Vec::new();
    for _ in 0..20 {
        let mut socket = attack.stranger(b"RFB 003.008\n\x02");
        let fresh = challenge(&mut socket, true);
        assert!(!seen.contains(&fresh), "a challenge came twice");
        if let Some(old) = seen.last() {
            socket.send(&Password::new(PASSWORD).respond(old));
            assert!(is_refusal(&socket.read_to_close(), true));
        }
        seen.push(fresh);
    }
}

pub fn pipelined(attack: &Attack<'_>) {
    for _ in 0..20 {
        let ahead = [b"RFB 003.008\n\x02", &[0; 16][..], AHEAD].concat();
        let mut socket = attack.stranger(&ahead);
        challenge(&mut socket, true);
        let answer = socket.read_to_close();
        assert!(answer.len() > 4 && is_refusal(&answer, true), "{answer:?}");
    }
    assert!(attack.server.reports().is_empty(), "no key was pressed");
}

/// Many guesses from one address are slowed down and then refused; nobody else notices, and that address gets in with
/// the right password, too.
pub fn guessing(attack: &Attack<'_>) {
    let guesser = attack.fresh_address();
    let begin = || {
        let mut socket = attack.connect_from(guesser);
        socket.read(12);
        socket.send(b"RFB 003.008\n");
        socket
    };
    // At once, so that the delays of the answers run side by side.
    let mut guesses: Vec<Socket> = (0..7).map(|_| begin()).collect();
    for socket in &mut guesses {
        socket.send(&[2]);
        challenge(socket, true);
        socket.send(&[0; 16]);
    }
    for socket in &mut guesses {
        assert!(is_refusal(&socket.read_to_close(), true));
    }
    // Further ones wait for their turn, one after the other, until that would take too long.
    let mut operator = begin();
    let mut waiting = Vec::new();
    let refused = (0..16).find_map(|_| {
        let mut socket = begin();
        let stream = &socket.0;
        let mut first = [0xff];
        stream.set_nonblocking(true).expect("an option");
        // The next one's answer shows that this one was looked at.
        attack.client();
        let answered = stream.peek(&mut first).is_ok() && first == [0];
        stream.set_nonblocking(false).expect("an option");
        if answered {
            return Some(socket.read_to_close());
        }
        waiting.push(socket);
        None
    });
    let refused = refused.expect("a refusal");
    assert!(
        String::from_utf8_lossy(&refused).contains("Too many"),
        "{refused:?}"
    );
    drop(waiting);

    assert!(offered(&mut operator).contains(&2));
    operator.send(&[2]);
    let challenge = operator.read(16).try_into().expect("16 bytes");
    operator.send(&Password::new(PASSWORD).respond(&challenge));
    assert_eq!(operator.read(4), [0; 4], "its turn has come");
    // And that address is trusted again.
    arena::log_in(attack.connect_from(guesser));
}
