//! HTTP and WebSocket: the same strangers by another door. Checks 68, 69, 71 and 72.

use std::{
    io::{Read as _, Write as _},
    net::Shutdown,
};

use rfb::{security::vnc_auth::Password, testing::client::request};

use crate::{
    arena::PASSWORD,
    attack::{Attack, Noise},
    viewer::{
        Socket, Viewer,
        web::{BINARY, Messages, UPGRADE, ask_over, basic, masked},
    },
};

/// What a browser says first.
fn heads() -> Vec<Vec<u8>> {
    let upgrade = UPGRADE.join("\r\n");
    let login = basic("alice:swordfish");
    [
        "GET / HTTP/1.1\r\nHost: kvm\r\n\r\n".to_owned(),
        format!("GET /websockify HTTP/1.1\r\nHost: kvm\r\n{upgrade}\r\n\r\n"),
        format!("POST /type HTTP/1.1\r\nHost: kvm\r\n{login}\r\nContent-Length: 5\r\n\r\nhello"),
        "GET /settled?for=1ms&ignore=16x32 HTTP/1.1\r\nHost: kvm\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n".to_owned(),
    ]
    .map(String::into_bytes)
    .to_vec()
}

/// Says this and nothing more, and listens until the server has had enough of it.
fn ends(mut socket: Socket, bytes: &[u8]) {
    let _ = socket.0.write_all(bytes);
    let _ = socket.0.shutdown(Shutdown::Write);
    socket.read_to_close();
}

/// The page is there for somebody else all the time.
fn is_served(attack: &Attack<'_>) {
    let mut socket = attack.browser();
    assert_eq!(ask_over(&mut socket, "GET /", &[], &[]).status, 200);
}

pub fn cut(attack: &Attack<'_>) {
    for head in heads() {
        for length in 0..head.len() {
            ends(attack.browser(), &head[..length]);
        }
    }
    is_served(attack);
}

pub fn damaged(attack: &Attack<'_>) {
    let mut noise = Noise::new(72);
    let heads = heads();
    for _ in 0..crate::number("RFBRIDGE_HOSTILE", 500) {
        let mut bytes = heads[noise.below(heads.len())].clone();
        for _ in 0..=noise.below(8) {
            let place = noise.below(bytes.len());
            bytes[place] = noise.below(256) as u8;
        }
        ends(attack.browser(), &bytes);
    }
    for _ in 0..50 {
        ends(attack.browser(), &noise.bytes(2000));
    }
    is_served(attack);
}

/// Connections that say nothing, or never end what they say, and then nothing more.
pub fn idle(attack: &Attack<'_>) {
    let mut waiting = Vec::new();
    for number in 0..300 {
        let mut socket = attack.browser_from(attack.address);
        if number % 2 == 0 {
            let _ = socket.0.write_all(b"GET / HTTP/1.1\r\nHost: kvm\r\nX-");
        }
        waiting.push(socket);
        if number % 50 == 0 {
            is_served(attack);
        }
    }
    is_served(attack);
}

pub fn wrong_passwords(attack: &Attack<'_>) {
    for number in 0..12 {
        let login = basic(&format!(":wrong{number}"));
        let answer = ask_over(&mut attack.browser(), "GET /status", &[&login], &[]);
        assert!(matches!(answer.status, 401 | 429), "{answer:?}");
    }
    let right = basic(&format!(":{}", String::from_utf8_lossy(PASSWORD)));
    let answer = ask_over(&mut attack.browser(), "GET /status", &[&right], &[]);
    assert_eq!(answer.status, 200);
}

/// Frames that break the rules, before a login and after it.
pub fn damaged_frames(attack: &Attack<'_>) {
    let mut noise = Noise::new(73);
    for number in 0..crate::number("RFBRIDGE_HOSTILE", 200) {
        let mut socket = Messages::open(attack.browser());
        if number % 2 == 0 {
            log_in(&mut socket);
        }
        let length = noise.below(300);
        let mut bytes = masked(BINARY, &noise.bytes(length));
        for _ in 0..=noise.below(4) {
            let place = noise.below(bytes.len().min(14));
            bytes[place] = noise.below(256) as u8;
        }
        let stream = &mut socket.0.socket.0;
        let _ = stream.write_all(&bytes);
        let _ = stream.shutdown(Shutdown::Write);
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
    }
    is_served(attack);
}

/// Clients that ask for the screen again and again and read nothing of it.
pub fn stalled(attack: &Attack<'_>) {
    let mut stalled = Vec::new();
    for _ in 0..8 {
        let mut socket = Messages::open(attack.browser());
        log_in(&mut socket);
        let mut viewer = Viewer::init(socket);
        let all = viewer.client.size().rect();
        let requests = masked(BINARY, &request(false, all).repeat(100));
        let _ = viewer.socket.0.socket.0.write_all(&requests);
        stalled.push(viewer);
    }
    is_served(attack);
}

fn log_in(socket: &mut Socket<Messages>) {
    assert_eq!(socket.read(12), b"RFB 003.008\n");
    socket.send(b"RFB 003.008\n");
    assert_eq!(socket.read(2), [1, 2]);
    socket.send(&[2]);
    let challenge = socket.read(16).try_into().expect("16 bytes");
    socket.send(&Password::new(PASSWORD).respond(&challenge));
    assert_eq!(socket.read(4), [0; 4]);
}
