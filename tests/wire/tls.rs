//! VeNCrypt over TLS: checks 8, 14, 15 and 16, and certificates that change under sessions.

use std::{net::Shutdown, path::Path};

use rfb::{geom::Size, security::vnc_auth::Password};
use tokio_rustls::rustls::{
    HandshakeKind, SupportedProtocolVersion,
    version::{TLS12, TLS13},
};

use crate::input::tap;
use crate::server::{self, Server, cert, shows_picture};
use crate::viewer::{
    Socket, Viewer,
    tls::{self, Tls, chosen, over_tls, plain},
};

const PASSWORD: &str = "letmein!";

/// What `rfbridge cert` tells of a certificate.
fn fingerprint(told: &str) -> &str {
    let line = told.lines().find_map(|line| line.split_once("SHA-256 "));
    line.expect("a fingerprint").1
}

/// A server with a password and a certificate, and a still picture.
fn encrypted(arguments: &[&str]) -> Server {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let source = server::still_source(dir.path(), Size::new(200, 100));
    let password = server::password(dir.path(), PASSWORD);
    let certificate = server::certificate(dir.path());
    let secrets = password.iter().chain(&certificate).map(String::as_str);
    let mut all = vec!["serve", "--source", &source, "--sink", "null"];
    all.extend(secrets);
    all.extend(arguments);
    Server::start_in(dir, &all)
}

/// TLS by this subtype, with nothing said inside.
fn inside(
    server: &Server,
    subtype: u32,
    version: &'static SupportedProtocolVersion,
) -> Socket<Tls> {
    let socket = chosen(Socket::connect(server.address), subtype);
    over_tls(socket, &tls::client(server.certificate(), version))
}

/// Answers the challenge of X509Vnc.
fn answer_challenge(socket: &mut Socket<Tls>) {
    let challenge = socket.read(16).try_into().expect("16 bytes");
    socket.send(&Password::new(PASSWORD.as_bytes()).respond(&challenge));
    assert_eq!(socket.read(4), [0; 4]);
}

/// Logged in by X509Vnc.
fn logged_in(server: &Server, version: &'static SupportedProtocolVersion) -> Viewer<Tls> {
    let mut socket = inside(server, 261, version);
    answer_challenge(&mut socket);
    Viewer::init(socket)
}

/// Asks for all of the screen and sees it.
fn sees_all(viewer: &mut Viewer<Tls>) {
    viewer.request(false);
    viewer.next();
    assert!(shows_picture(viewer));
}

#[test]
fn check_14_pictures_and_keys_go_through_tls_1_2_and_1_3() {
    let server = encrypted(&[]);
    for version in [&TLS12, &TLS13] {
        let mut viewer = logged_in(&server, version);
        sees_all(&mut viewer);
        let before = server.keyboard().len();
        viewer.send(&tap('a'.into()));
        server.wait_for("the key", |s| {
            (s.keyboard().len() >= before + 2).then_some(())
        });
        let session = &viewer.socket.0.conn;
        assert_eq!(session.protocol_version(), Some(version.version));
    }
    Viewer::log_in_as(server.address, PASSWORD.as_bytes(), &[19, 2]);
}

/// TigerVNC 1.12 does not see what comes right behind a ticket, and waits for ever for a challenge that it has got.
#[test]
fn no_ticket_comes_before_the_challenge_and_no_session_is_taken_up_again() {
    let server = encrypted(&[]);
    for version in [&TLS13, &TLS12] {
        let client = tls::client(server.certificate(), version);
        for _ in 0..2 {
            let socket = chosen(Socket::connect(server.address), 261);
            let mut socket = over_tls(socket, &client);
            answer_challenge(&mut socket);
            let session = &socket.0.conn;
            assert_eq!(session.tls13_tickets_received(), 0);
            assert_eq!(session.handshake_kind(), Some(HandshakeKind::Full));
        }
    }
}

#[test]
fn check_14_plain_takes_the_whole_password_and_check_16_its_lengths_are_bounded() {
    let server = encrypted(&["--security-types", "X509Plain"]);
    let login = |user: &str, password: &str| {
        let mut socket = inside(&server, 262, &TLS13);
        socket.send(&plain(user.as_bytes(), password.as_bytes()));
        socket.read(4)
    };
    assert_eq!(login("somebody", PASSWORD), [0; 4]);
    assert_eq!(login("somebody", "letmein!?"), [0, 0, 0, 1]);
    assert_eq!(login("", PASSWORD), [0, 0, 0, 1]);

    let mut socket = inside(&server, 262, &TLS13);
    socket.send(&[0xff; 8]);
    assert!(socket.read_to_close().is_empty());
    server.wait_for("the reason in the log", |s| {
        s.log().contains("4294967295 bytes").then_some(())
    });
}

#[test]
fn check_08_14_what_was_not_offered_or_comes_before_tls_ends_the_connection() {
    let server = encrypted(&["--security-types", "X509Vnc"]);
    for choice in [2u32, 256, 260, 262, 258, 19] {
        let mut socket = Socket::connect(server.address);
        assert_eq!(tls::subtypes(&mut socket), [261]);
        socket.send(&choice.to_be_bytes());
        assert_eq!(socket.read_to_close(), [0], "{choice}");
    }

    // A response that was injected ahead of TLS.
    let mut ahead = 261u32.to_be_bytes().to_vec();
    ahead.extend([0; 16]);
    let mut socket = Socket::connect(server.address);
    socket.send(&[b"RFB 003.008\n\x13\x00\x02".as_slice(), &ahead].concat());
    let answer = socket.read_to_close();
    assert_eq!(answer[12..], [1, 19, 0, 2, 0, 1, 0, 0, 1, 5, 1]);
    server.wait_for("the reason in the log", |s| {
        s.log()
            .contains("16 bytes before the encryption")
            .then_some(())
    });

    let mut socket = Socket::connect(server.address);
    socket.send(b"RFB 003.008\n\x13\x00\x01");
    assert_eq!(socket.read_to_close()[14..], [0, 2, 0xff]);

    let mut socket = Socket::connect(server.address);
    socket.send(b"RFB 003.003\n");
    assert_eq!(socket.read_to_close()[12..16], [0; 4], "a reason");
}

#[test]
fn check_15_a_broken_tls_handshake_ends_its_own_connection_only() {
    let server = encrypted(&[]);
    let mut good = logged_in(&server, &TLS13);
    for bytes in [
        &b""[..],
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03",
        b"GET / HTTP/1.1\r\n\r\n",
    ] {
        let mut socket = chosen(Socket::connect(server.address), 261);
        socket.send(bytes);
        socket.0.shutdown(Shutdown::Write).expect("a socket");
        socket.read_to_close();
    }
    sees_all(&mut good);
}

/// The deadline is for all of the handshake, and whoever let it pass is the only one to notice.
#[test]
fn check_15_a_tls_handshake_that_stalls_is_ended_at_the_deadline() {
    let server = encrypted(&["--limits-handshake", "5"]);
    let mut earlier = logged_in(&server, &TLS13);
    let hello = tls::hello(&tls::client(server.certificate(), &TLS13));
    let stalled = [0, 1, 5, hello.len() / 2, hello.len() - 1, hello.len()].map(|said| {
        let mut socket = chosen(Socket::connect(server.address), 261);
        socket.send(&hello[..said]);
        socket
    });
    let mut inside = inside(&server, 261, &TLS13);
    inside.read(16);
    let mut meanwhile = logged_in(&server, &TLS13);
    for mut socket in stalled {
        let answer = socket.read_to_close();
        // To a whole one the server answers before it waits.
        assert!(answer.is_empty() || answer[0] == 22, "{answer:?}");
    }
    assert!(inside.read_to_close().is_empty());
    server.wait_for("the reasons", |s| {
        let log = s.log();
        (log.matches("no complete handshake within 5 s").count() == 7).then_some(())
    });
    sees_all(&mut earlier);
    sees_all(&mut meanwhile);
}

/// Complaints about the new certificate change nothing either.
/// The operator sees why, whichever side of the handshake's end the viewer goes on.
#[test]
fn a_viewer_that_does_not_like_the_certificate_is_explained_and_a_login_is_not() {
    let server = encrypted(&[]);
    let explained = |times: usize| {
        server.wait_for("the explanation", |server| {
            let log = server.log();
            (log.matches("no login came of TLS").count() == times).then_some(())
        });
    };
    drop(logged_in(&server, &TLS13));
    drop(chosen(Socket::connect(server.address), 261));
    explained(1);
    let mut socket = inside(&server, 261, &TLS13);
    socket.read(16);
    drop(socket);
    explained(2);
}

#[test]
fn a_new_certificate_is_shown_to_the_next_client_and_sessions_go_on() {
    let server = encrypted(&[]);
    let dir: &Path = server.dir.path();
    let mut session = logged_in(&server, &TLS13);
    let shown = server.certificate();
    let key = dir.join("key.pem");
    let kept = std::fs::read(&key).expect("a key");

    std::fs::write(&key, "no key").expect("a file");
    server.wait_for("the complaint", |s| {
        s.log().contains("holds no private key").then_some(())
    });
    inside(&server, 261, &TLS13).read(16);

    std::fs::write(&key, kept).expect("a file");
    let told = cert(dir, &["--force", "--name", "127.0.0.1"]);
    let fingerprint = fingerprint(&told);
    assert!(cert(dir, &["--show"]).contains(fingerprint));
    server.wait_for("the new one", |s| {
        let log = s.log();
        let told = log
            .lines()
            .find(|line| line.contains("a new certificate is shown"));
        told.map(|line| assert!(line.contains(fingerprint), "{line}"))
    });
    assert_ne!(server.certificate(), shown);
    logged_in(&server, &TLS13);
    sees_all(&mut session);
}
