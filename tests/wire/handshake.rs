//! Checks 1 to 13 and 17 to 19.

use rfb::geom::Size;
use rfb::security::vnc_auth::Password;

use crate::server::{Server, write_secret};
use crate::viewer::{Socket, Viewer};

const PASSWORD: &[u8] = b"letmein!";

fn guarded() -> Server {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let file = dir.path().join("password");
    write_secret(&file, "letmein!");
    let file = file.to_str().expect("a UTF-8 path").to_owned();
    Server::start_in(dir, &["demo", "--password-file", &file])
}

/// Greeted, and with this version said.
fn versioned(server: &Server, version: &[u8]) -> Socket {
    let mut socket = Socket::connect(server.address);
    assert_eq!(socket.read(12), b"RFB 003.008\n");
    socket.send(version);
    socket
}

#[test]
fn check_01_02_03_a_version_in_pieces_is_a_version() {
    let server = guarded();
    let mut socket = Socket::connect(server.address);
    assert_eq!(socket.read(12), b"RFB 003.008\n");
    for byte in b"RFB 003.008\n" {
        socket.send(&[*byte]);
    }
    assert_eq!(socket.read(2), [1, 2]);
}

#[test]
fn check_04_rfb_3_3_logs_in() {
    let server = guarded();
    let mut socket = versioned(&server, b"RFB 003.003\n");
    assert_eq!(socket.read(4), [0, 0, 0, 2]);
    let challenge = socket.read(16).try_into().expect("16 bytes");
    socket.send(&Password::new(PASSWORD).respond(&challenge));
    assert_eq!(socket.read(4), [0; 4]);
    socket.send(&[0]);
    let init = socket.read(24);
    assert_ne!((&init[..2], &init[2..4]), (&[0, 0][..], &[0, 0][..]));
    assert_eq!(
        init[4..20],
        [32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0]
    );
}

#[test]
fn check_05_06_what_is_not_rfb_is_closed_and_the_next_one_served() {
    let server = guarded();
    for bytes in [
        &b"RFB 004.000\n"[..],
        b"GET / HTTP/1.1\r\n\r\n",
        &[0; 12],
        b"RFB 00A.008\n",
    ] {
        assert!(versioned(&server, bytes).read_to_close().is_empty());
    }
    Viewer::log_in(server.address, PASSWORD);
}

#[test]
fn check_07_without_a_password_in_each_version() {
    let server = Server::demo();
    let mut socket = versioned(&server, b"RFB 003.003\n");
    assert_eq!(socket.read(4), [0, 0, 0, 1]);
    socket.send(&[1]);
    socket.read(24);
    let mut socket = versioned(&server, b"RFB 003.007\n");
    assert_eq!(socket.read(2), [1, 1]);
    socket.send(&[1, 1]);
    assert_eq!(
        socket.read(24)[4..6],
        [32, 24],
        "no result before ServerInit"
    );
    Viewer::connect(server.address);
}

#[test]
fn check_08_12_nobody_enters_without_the_password() {
    let server = guarded();
    let mut socket = versioned(&server, b"RFB 003.008\n\x01\x01");
    let answer = socket.read_to_close();
    assert_eq!(answer[..6], [1, 2, 0, 0, 0, 1]);

    let mut ahead = b"RFB 003.008\n\x02".to_vec();
    ahead.extend_from_slice(&[0; 16]);
    ahead.extend_from_slice(&[1, 4, 1, 0, 0, 0, 0, 0, 0x61]);
    let mut socket = versioned(&server, &ahead);
    let answer = socket.read_to_close();
    assert_eq!(answer[18..22], [0, 0, 0, 1]);
    let length = u32::from_be_bytes(answer[22..26].try_into().expect("4 bytes"));
    assert_eq!(
        answer.len(),
        26 + length as usize,
        "a reason, and nothing behind it"
    );
    assert!(server.reports().is_empty(), "no key was pressed");
}

#[test]
fn check_09_a_wrong_password_without_a_reason_in_3_3_and_3_7() {
    let server = guarded();
    let mut socket = versioned(&server, b"RFB 003.007\n\x02");
    socket.read(2 + 16);
    socket.send(&[0; 16]);
    assert_eq!(socket.read_to_close(), [0, 0, 0, 1]);
}

#[test]
fn check_11_challenges_differ_and_a_replay_fails() {
    let server = guarded();
    let challenge = |socket: &mut Socket| -> [u8; 16] {
        socket.read(2);
        socket.send(&[2]);
        socket.read(16).try_into().expect("16 bytes")
    };
    let mut first = versioned(&server, b"RFB 003.008\n");
    let mut second = versioned(&server, b"RFB 003.008\n");
    let (one, two) = (challenge(&mut first), challenge(&mut second));
    assert_ne!(one, two);
    second.send(&Password::new(PASSWORD).respond(&one));
    assert_eq!(second.read_to_close()[..4], [0, 0, 0, 1]);
    first.send(&Password::new(PASSWORD).respond(&one));
    assert_eq!(first.read(4), [0; 4]);
}

/// gnome-connections hangs up in the middle to ask for the password, and comes back.
#[test]
fn check_13_hanging_up_is_no_failed_login_and_failures_lock_nobody_out() {
    let server = guarded();
    for _ in 0..20 {
        let mut socket = versioned(&server, b"RFB 003.008\n\x02");
        socket.read(2 + 16);
    }
    let mut viewer = Viewer::log_in(server.address, PASSWORD);
    viewer.request(false);
    viewer.next();
    for _ in 0..3 {
        let mut socket = versioned(&server, b"RFB 003.008\n\x02");
        socket.read(2 + 16);
        socket.send(&[0; 16]);
        socket.read_to_close();
    }
    Viewer::log_in(server.address, PASSWORD);
}

#[test]
fn check_19_there_is_a_screen_before_there_is_a_picture() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let missing = dir.path().join("missing").display().to_string();
    let source = format!("v4l:{missing}");
    let arguments = [
        "serve", "--source", &source, "--sink", "null", "--size", "800x600",
    ];
    let server = Server::start_in(dir, &arguments);
    let mut viewer = Viewer::connect(server.address);
    assert_eq!(viewer.client.size(), Size::new(800, 600));
    viewer.request(false);
    viewer.next();
    let shown = viewer.client.decoder.rgb();
    assert!(
        shown.iter().any(|p| *p != shown[0]),
        "a slate that says something"
    );
}
