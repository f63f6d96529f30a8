//! RFB over WebSocket: check 72, and a session in it that is one like any other.

use std::io::Write as _;
use std::net::TcpStream;

use rfb::geom::Size;
use rfb::security::vnc_auth::Password;
use rfb::testing::client::key;
use tokio_rustls::rustls::version::TLS13;

use crate::input::{RELEASED, tap};
use crate::server::{self, Server, shows_picture, still_source};
use crate::sessions::ctl;
use crate::viewer::{
    Socket, Viewer,
    tls::{self, over_tls, plain, subtypes_behind},
    web::{ACCEPT, BINARY, CLOSE, Messages, UPGRADE, ask, masked, upgrade},
};

const WEB: [&str; 2] = ["--web-listen", "127.0.0.1:0"];

fn demo() -> Server {
    Server::start(&[&["demo"][..], &WEB].concat())
}

/// Through the handshake of a server without a password.
fn enter(server: &Server) -> Viewer<Messages> {
    let mut socket = Messages::open(Socket::connect(server.web()));
    assert_eq!(socket.read(12), b"RFB 003.008\n");
    socket.send(b"RFB 003.008\n");
    assert_eq!(socket.read(2), [1, 1]);
    socket.send(&[1]);
    assert_eq!(socket.read(4), [0; 4]);
    Viewer::init(socket)
}

/// Waits until `z` was pressed and released.
fn wait_for_z(server: &Server) {
    server.wait_for("z", |server| {
        let end = ["00001d0000000000", RELEASED].map(str::to_owned);
        server.keyboard().ends_with(&end).then_some(())
    });
}

#[test]
fn check_72_the_subprotocol_is_echoed_only_if_it_was_offered() {
    let server = demo();
    for (offered, chosen) in [
        (None, None),
        (Some("binary"), Some("binary")),
        (Some("base64, binary"), Some("binary")),
        (Some("base64"), None),
    ] {
        let header = offered.map(|names| format!("Sec-WebSocket-Protocol: {names}"));
        let headers: Vec<_> = header.iter().map(String::as_str).collect();
        let answer = upgrade(&mut Socket::connect(server.web()), &headers);
        assert_eq!(answer.status, 101, "{offered:?}");
        assert_eq!(answer.header("sec-websocket-accept"), Some(ACCEPT));
        assert_eq!(
            answer.header("sec-websocket-protocol"),
            chosen,
            "{offered:?}"
        );
    }
}

#[test]
fn check_72_pages_of_other_servers_may_not_connect_unless_they_are_named() {
    let named = ["--web-origins", "https://panel.example"];
    let server = Server::start(&[&["demo"][..], &WEB, &named].concat());
    let own = format!("http://{}", server.web());
    let host = format!("Host: {}", server.web());
    for (origin, status) in [
        (own.as_str(), 101),
        ("https://panel.example", 101),
        ("https://evil.example", 403),
        ("http://127.0.0.1", 403),
        ("null", 403),
        ("", 403),
    ] {
        let origin = format!("Origin: {origin}");
        let answer = upgrade(&mut Socket::connect(server.web()), &[&host, &origin]);
        assert_eq!(answer.status, status, "{origin}: {}", answer.text());
    }
    assert!(server.log().contains("https://evil.example"));
}

#[test]
fn an_opening_handshake_that_is_none_is_refused() {
    let server = demo();
    let [connection, websocket, version, key] = UPGRADE;
    for headers in [
        [connection, websocket, "Sec-WebSocket-Version: 8", key],
        [connection, websocket, version, "X: y"],
        ["Connection: close", websocket, version, key],
    ] {
        let answer = ask(server.web(), "GET /websockify", &headers, &[]);
        assert_eq!(answer.status, 400, "{headers:?}");
        assert_eq!(answer.header("sec-websocket-version"), Some("13"));
    }
    assert_eq!(ask(server.web(), "GET /websockify", &[], &[]).status, 426);
    assert_eq!(
        ask(server.web(), "GET /elsewhere", &UPGRADE, &[]).status,
        404
    );
    assert_eq!(
        ask(server.web(), "POST /websockify", &UPGRADE, &[]).status,
        400
    );
}

#[test]
fn a_picture_comes_and_a_key_goes_and_leaving_releases_it() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let source = still_source(dir.path(), Size::new(200, 120));
    let arguments = ["serve", "--source", &source, "--sink", "null"];
    let server = Server::start_in(dir, &[&arguments[..], &WEB].concat());
    let mut viewer = enter(&server);
    viewer.request(false);
    while !shows_picture(&viewer) {
        viewer.next();
    }
    viewer.send(&tap('z'.into()));
    wait_for_z(&server);
    viewer.send(&key(true, 'a'.into()));
    server.wait_for("a", |server| {
        (server.keyboard().last()? == "0000040000000000").then_some(())
    });
    drop(viewer);
    server.wait_for("the release", |server| {
        (server.keyboard().last()? == RELEASED).then_some(())
    });
}

/// Messages are cut anywhere: a byte in each, one in fragments, pings in between.
#[test]
fn check_72_the_bounds_of_messages_mean_nothing() {
    let server = demo();
    let mut viewer = enter(&server);
    let bytes = tap('z'.into());
    let socket = &mut viewer.socket.0.socket;
    for byte in &bytes {
        socket.send(&masked(BINARY, &[*byte]));
    }
    wait_for_z(&server);
    socket.send(&masked(0x02, &bytes[..3]));
    socket.send(&masked(0x89, b"ping"));
    socket.send(&masked(0x00, &bytes[3..9]));
    socket.send(&masked(0x80, &bytes[9..]));
    server.wait_for("z again", |server| {
        (server.keyboard().len() == 4).then_some(())
    });
    assert_eq!(viewer.socket.0.frame(), (0x8a, b"ping".to_vec()));
}

#[test]
fn check_72_what_breaks_the_rules_is_told_so_and_harms_nobody_else() {
    let server = demo();
    let unmasked = [BINARY, 4, b'R', b'F', b'B', b' '];
    let endless = [
        &[BINARY, 0x80 | 127][..],
        &(1u64 << 63).to_be_bytes(),
        &[0; 4],
    ]
    .concat();
    let large = [
        &[BINARY, 0x80 | 127][..],
        &(1u64 << 30).to_be_bytes(),
        &[0; 4],
    ]
    .concat();
    for (name, bytes, codes) in [
        ("unmasked", unmasked.to_vec(), &[1002][..]),
        ("text", masked(0x81, b"RFB 003.008\n"), &[1003]),
        ("no such opcode", masked(0x83, b""), &[1002]),
        ("a reserved bit", masked(0xc2, b"RFB"), &[1002]),
        ("a ping in fragments", masked(0x09, b"x"), &[1002]),
        ("a continuation of nothing", masked(0x80, b"x"), &[1002]),
        ("2^63 bytes", endless, &[1002, 1009]),
        ("more than is taken", large, &[1009]),
    ] {
        let mut socket = Messages::open(Socket::connect(server.web()));
        assert_eq!(socket.read(12), b"RFB 003.008\n");
        socket.0.socket.send(&bytes);
        let code = socket.0.close_code();
        assert!(codes.contains(&code), "{name}: {code}");
    }
    let mut viewer = enter(&server);
    viewer.send(&tap('z'.into()));
    wait_for_z(&server);
}

#[test]
fn a_close_frame_ends_the_session_as_a_close_does() {
    let server = demo();
    let mut viewer = enter(&server);
    viewer.send(&key(true, 'a'.into()));
    let socket = &mut viewer.socket.0;
    socket.socket.send(&masked(CLOSE, &1000u16.to_be_bytes()));
    assert_eq!(socket.close_code(), 1000);
    server.wait_for("the release", |server| {
        (server.keyboard().last()? == RELEASED).then_some(())
    });
}

/// A page comes back by itself, but not to where it was sent away from.
#[test]
fn who_is_sent_away_is_told_that_it_is_meant_and_at_the_end_nobody_is() {
    let mut server = demo();
    let mut viewer = enter(&server);
    assert_eq!(ctl(&server, &["kick", "1"]).0, 0);
    assert_eq!(viewer.socket.0.close_code(), 1000);
    let mut viewer = enter(&server);
    assert!(server.terminate().success());
    let mut rest = Vec::new();
    let _ = std::io::Read::read_to_end(&mut viewer.socket.0.socket.0, &mut rest);
    assert!(!rest.contains(&CLOSE), "{rest:?}");
}

#[test]
fn the_vnc_password_is_asked_for_in_a_websocket_as_well() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let [flag, file] = server::password(dir.path(), "correct1");
    let server = Server::start_in(dir, &[&["demo", &flag, &file][..], &WEB].concat());
    for (password, result) in [("wrong", 1), ("correct1", 0)] {
        let mut socket = Messages::open(Socket::connect(server.web()));
        assert_eq!(socket.read(12), b"RFB 003.008\n");
        socket.send(b"RFB 003.008\n");
        assert_eq!(socket.read(2), [1, 2]);
        socket.send(&[2]);
        let challenge = socket.read(16).try_into().expect("16 bytes");
        socket.send(&Password::new(password.as_bytes()).respond(&challenge));
        assert_eq!(socket.read(4), [0, 0, 0, result]);
    }
}

/// HTTPS with the certificate of VNC, and in it a name and a password, for which TLS need not be begun again.
#[test]
fn users_log_in_by_name_over_https() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let users = dir.path().join("users");
    server::user(&users, &["add", "bob", "--role", "view"], "octopus!!");
    let [certificate, key] = server::certificate(dir.path());
    let named = format!("--security-users={}", users.display());
    let arguments = ["demo", &named, &certificate, &key];
    let server = Server::start_in(dir, &[&arguments[..], &WEB].concat());
    let connect = || -> Socket<Messages<tls::Tls>> {
        let client = tls::client(server.certificate(), &TLS13);
        let mut socket = Messages::open(over_tls(
            Socket::<TcpStream>::connect(server.web()),
            &client,
        ));
        assert_eq!(socket.read(12), b"RFB 003.008\n");
        socket.send(b"RFB 003.008\n");
        assert_eq!(socket.read(2), [1, 19]);
        assert_eq!(subtypes_behind(&mut socket), [256]);
        socket.send(&256u32.to_be_bytes());
        socket
    };
    let mut socket = connect();
    socket.send(&plain(b"bob", b"wrong"));
    assert_eq!(socket.read(4), [0, 0, 0, 1]);
    let mut socket = connect();
    socket.send(&plain(b"bob", b"octopus!!"));
    assert_eq!(socket.read(4), [0; 4]);
    Viewer::init(socket);
    let log = server.log();
    assert!(
        log.contains("security=\"Plain\" role=view user=\"bob\""),
        "{log}"
    );
}

#[test]
fn what_is_no_http_and_what_never_ends_is_not_listened_to() {
    let server = demo();
    let mut socket = Socket::connect(server.web());
    socket.send(b"RFB 003.008\n\n\n");
    let answer = socket.read_to_close();
    assert!(answer.starts_with(b"HTTP/1.1 400 "), "{answer:?}");
    let mut socket = Socket::connect(server.web());
    let line = format!("X-{}: y\r\n", "x".repeat(1000));
    let head = format!("GET / HTTP/1.1\r\n{}", line.repeat(100));
    // It may hang up before it has all of it.
    let _ = socket.0.write_all(head.as_bytes());
    let answer = String::from_utf8(socket.read_to_close()).expect("ASCII");
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 431 "),
        "{answer}"
    );
    assert_eq!(ask(server.web(), "GET /", &[], &[]).status, 200);
}
