//! RSA-AES: who has no certificate encrypts by a host key.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use rfb::{geom::Size, security::SecurityType};

use crate::input::{RELEASED, tap};
use crate::server::{self, Server, cert, shows_picture};
use crate::viewer::{
    Socket, Viewer,
    rsa_aes::{Exchange, counted, log_in},
};

const PASSWORD: &str = "letmein, please";
const TYPES: [SecurityType; 4] = [
    SecurityType::Ra2,
    SecurityType::Ra2ne,
    SecurityType::Ra2Aes256,
    SecurityType::Ra2neAes256,
];

/// A server with a password and a host key that offers RSA-AES in all its forms, and a still picture.
fn encrypted(arguments: &[&str]) -> Server {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let source = server::still_source(dir.path(), Size::new(200, 100));
    let [flag, password] = server::password(dir.path(), PASSWORD);
    let host_key = server::host_key(dir.path());
    let types = TYPES.map(SecurityType::name).join(",");
    let mut all = vec!["serve", "--source", &source, "--sink", "null"];
    all.extend([&flag, &password, &host_key, "--security-types", &types]);
    all.extend(arguments);
    Server::start_in(dir, &all)
}

#[test]
fn each_type_shows_the_picture_and_takes_keys_behind_the_whole_password() {
    let server = encrypted(&[]);
    for security in TYPES {
        let enter = |password| {
            let socket = Socket::connect(server.address);
            log_in(socket, security, "", password)
        };
        let mut refused = enter("letmein,").read_to_close();
        assert_eq!(refused.drain(..4).as_slice(), [0, 0, 0, 1]);
        assert_eq!(refused[4..], *b"Wrong password.", "{security}");

        let mut socket = enter(PASSWORD);
        assert_eq!(socket.read(4), [0; 4], "{security}");
        let mut viewer = Viewer::init(socket);
        viewer.request(false);
        viewer.next();
        assert!(shows_picture(&viewer), "{security}");
        let before = server.keyboard().len();
        viewer.send(&tap('a'.into()));
        let pressed = server.wait_for("the key", |s| {
            let reports = s.keyboard();
            (reports.len() >= before + 2).then(|| reports[before..].to_vec())
        });
        assert_eq!(pressed, ["0000040000000000", RELEASED], "{security}");
        let login = format!("security=\"{security}\" role=admin");
        assert!(server.log().contains(&login), "{}", server.log());
    }
}

/// By it people know the server, so it is of the key that came.
#[test]
fn the_fingerprint_that_is_shown_is_that_of_the_key_on_the_wire() {
    let server = encrypted(&[]);
    let exchange = Exchange::begin(Socket::connect(server.address), SecurityType::Ra2);
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, &exchange.server_key);
    let pairs = hash.as_ref()[..8].iter().map(|byte| format!("{byte:02x}"));
    let fingerprint = pairs.collect::<Vec<_>>().join("-");
    let told = cert(server.dir.path(), &["--show"]);
    assert!(
        told.ends_with(&format!(": fingerprint {fingerprint}\n")),
        "{told}, not {fingerprint}"
    );
    assert!(server.log().contains(&fingerprint), "{}", server.log());
}

/// What is sealed for RA2 to the end is sealed for RA2ne up to the password.
#[test]
fn what_comes_in_clear_behind_the_password_ends_the_connection() {
    let server = encrypted(&[]);
    for security in [SecurityType::Ra2, SecurityType::Ra2Aes256] {
        let mut socket = log_in(Socket::connect(server.address), security, "", PASSWORD);
        assert_eq!(socket.read(4), [0; 4]);
        let mut viewer = Viewer::init(socket);
        viewer.all_so_far();
        // As a message that would be as long as it says.
        let mut socket = Socket(viewer.socket.0.stream);
        socket.send(&[counted(&tap('a'.into())), vec![0; 16]].concat());
        socket.read_to_close();
    }
    assert!(server.reports().is_empty(), "no key was pressed");
}

/// Whichever message a client leaves away, or breaks off.
#[test]
fn a_client_that_stalls_in_between_is_ended_at_the_deadline() {
    let server = encrypted(&["--limits-handshake", "5"]);
    let enter = || {
        let socket = Socket::connect(server.address);
        let mut socket = log_in(socket, SecurityType::Ra2, "", PASSWORD);
        assert_eq!(socket.read(4), [0; 4]);
        Viewer::init(socket)
    };
    // The client's key is made once, and before time counts.
    let mut earlier = enter();
    let begin = || Exchange::begin(Socket::connect(server.address), SecurityType::Ra2);
    let mut stalled = Vec::new();
    stalled.push(begin());

    let mut exchange = begin();
    let key = exchange.key();
    exchange.socket.send(&key[..key.len() / 2]);
    stalled.push(exchange);

    let mut exchange = begin();
    exchange.socket.send(&key);
    let random = exchange.random();
    exchange.hear_random();
    exchange.socket.send(&random[..random.len() - 1]);
    stalled.push(exchange);

    let mut exchange = begin();
    exchange.agree();
    let credentials = exchange.credentials(b"", PASSWORD.as_bytes());
    exchange.socket.send(&credentials[..credentials.len() - 1]);
    stalled.push(exchange);

    let mut meanwhile = enter();
    let expected = stalled.len();
    for mut exchange in stalled {
        assert!(exchange.socket.read_to_close().is_empty());
    }
    server.wait_for("the reasons", |s| {
        let log = s.log();
        (log.matches("no complete handshake within 5 s").count() == expected).then_some(())
    });
    earlier.all_so_far();
    meanwhile.all_so_far();
}
