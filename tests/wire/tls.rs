//! VeNCrypt over TLS: checks 8, 14, 15 and 16, and certificates that change under sessions.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::Command,
    sync::Arc,
};

use rfb::security::vnc_auth::Password;
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, pem::PemObject as _},
    version::{TLS12, TLS13},
};

use crate::server::Server;
use crate::viewer::{Socket, Viewer};

const PASSWORD: &str = "letmein!";

/// `rfbridge cert`; gives the fingerprint that it tells.
fn make_certificate(directory: &Path, arguments: &[&str]) -> String {
    let made = Command::new(env!("CARGO_BIN_EXE_rfbridge"))
        .args(["cert", "--directory"])
        .arg(directory)
        .args(arguments)
        .output()
        .expect("the binary runs");
    let text = String::from_utf8_lossy(&made.stdout).into_owned();
    assert!(made.status.success(), "{made:?}");
    let line = text.lines().find_map(|line| line.split_once("SHA-256 "));
    line.expect("a fingerprint").1.to_owned()
}

/// A server with a password and a certificate.
fn encrypted(arguments: &[&str]) -> Server {
    let dir = tempfile::tempdir().expect("a temporary directory");
    make_certificate(dir.path(), &["--name", "127.0.0.1"]);
    let secret = dir.path().join("password");
    crate::server::write_secret(&secret, PASSWORD);
    let path = |name: &str| dir.path().join(name).display().to_string();
    let (secret, certificate, key) = (path("password"), path("certificate.pem"), path("key.pem"));
    let mut all = vec!["demo", "--password-file", &secret];
    all.extend([
        "--security-certificate",
        &certificate,
        "--security-key",
        &key,
    ]);
    all.extend(arguments);
    Server::start_in(dir, &all)
}

fn certificate_of(server: &Server) -> CertificateDer<'static> {
    let path = server.dir.path().join("certificate.pem");
    CertificateDer::from_pem_file(path).expect("a certificate")
}

/// VeNCrypt up to the subtype; gives the subtypes that were offered.
fn vencrypt(server: &Server, choice: u32) -> (Socket, Vec<u32>) {
    let mut socket = Socket::connect(server.address);
    socket.read(12);
    socket.send(b"RFB 003.008\n");
    let count = socket.read(1)[0];
    let types = socket.read(count.into());
    assert_eq!(types[0], 19, "{types:?}");
    socket.send(&[19]);
    assert_eq!(socket.read(2), [0, 2]);
    socket.send(&[0, 2]);
    assert_eq!(socket.read(1), [0]);
    let count = socket.read(1)[0];
    let subtypes = socket.read(4 * usize::from(count));
    let (subtypes, _) = subtypes.as_chunks::<4>();
    let subtypes = subtypes.iter().map(|s| u32::from_be_bytes(*s)).collect();
    socket.send(&choice.to_be_bytes());
    (socket, subtypes)
}

type Tls = StreamOwned<ClientConnection, TcpStream>;

/// TLS in this version, with a server that shows this certificate.
fn tls(
    socket: Socket,
    certificate: CertificateDer<'static>,
    version: &'static SupportedProtocolVersion,
) -> Tls {
    let mut roots = RootCertStore::empty();
    roots.add(certificate).expect("a certificate");
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .expect("a version")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = "127.0.0.1".try_into().expect("a name");
    let session = ClientConnection::new(Arc::new(config), name).expect("a session");
    StreamOwned::new(session, socket.0)
}

fn read(stream: &mut Tls, n: usize) -> Vec<u8> {
    let mut bytes = vec![0; n];
    stream
        .read_exact(&mut bytes)
        .expect("bytes from the server");
    bytes
}

/// Logged in by X509Vnc.
fn logged_in(server: &Server, version: &'static SupportedProtocolVersion) -> Tls {
    let (mut socket, subtypes) = vencrypt(server, 261);
    assert_eq!(subtypes, [261, 2], "clear text last");
    assert_eq!(socket.read(1), [1]);
    let mut stream = tls(socket, certificate_of(server), version);
    let challenge = read(&mut stream, 16).try_into().expect("16 bytes");
    let response = Password::new(PASSWORD.as_bytes()).respond(&challenge);
    stream.write_all(&response).expect("a server");
    assert_eq!(read(&mut stream, 4), [0; 4]);
    stream
}

/// Sends ClientInit and gives the width and height.
fn size(stream: &mut Tls) -> [u8; 4] {
    stream.write_all(&[1]).expect("a server");
    let init = read(stream, 24);
    let name = u32::from_be_bytes(init[20..24].try_into().expect("4 bytes"));
    read(stream, name as usize);
    init[..4].try_into().expect("4 bytes")
}

/// Asks for all of the screen, raw, and reads it to its end.
fn whole_screen(stream: &mut Tls, [a, b, c, d]: [u8; 4]) {
    let pixels = usize::from(u16::from_be_bytes([a, b])) * usize::from(u16::from_be_bytes([c, d]));
    stream
        .write_all(&[3, 0, 0, 0, 0, 0, a, b, c, d])
        .expect("a server");
    let header = read(stream, 4);
    let mut left = pixels;
    for _ in 0..u16::from_be_bytes([header[2], header[3]]) {
        let rect = read(stream, 12);
        assert_eq!(rect[8..], [0; 4], "raw");
        let side = |at: usize| usize::from(u16::from_be_bytes([rect[at], rect[at + 1]]));
        let area = side(4) * side(6);
        read(stream, area * 4);
        left -= area;
    }
    assert_eq!(left, 0);
}

#[test]
fn check_14_pictures_and_keys_go_through_tls_1_2_and_1_3() {
    let server = encrypted(&[]);
    for version in [&TLS12, &TLS13] {
        let mut stream = logged_in(&server, version);
        let size = size(&mut stream);
        whole_screen(&mut stream, size);
        let before = server.keyboard().len();
        stream
            .write_all(&[4, 1, 0, 0, 0, 0, 0, 0x61, 4, 0, 0, 0, 0, 0, 0, 0x61])
            .expect("a server");
        server.wait_for("the key", |s| {
            (s.keyboard().len() >= before + 2).then_some(())
        });
        assert_eq!(stream.conn.protocol_version(), Some(version.version));
    }
    Viewer::log_in_as(server.address, PASSWORD.as_bytes(), &[19, 2]);
}

#[test]
fn check_14_plain_takes_the_whole_password_and_check_16_its_lengths_are_bounded() {
    let server = encrypted(&["--security-types", "X509Plain"]);
    let login = |user: &str, password: &str| {
        let (mut socket, subtypes) = vencrypt(&server, 262);
        assert_eq!(subtypes, [262]);
        assert_eq!(socket.read(1), [1]);
        let mut stream = tls(socket, certificate_of(&server), &TLS13);
        let mut bytes = Vec::new();
        for text in [user, password] {
            bytes.extend(u32::try_from(text.len()).expect("short").to_be_bytes());
        }
        bytes.extend([user.as_bytes(), password.as_bytes()].concat());
        stream.write_all(&bytes).expect("a server");
        read(&mut stream, 4)
    };
    assert_eq!(login("somebody", PASSWORD), [0; 4]);
    assert_eq!(login("somebody", "letmein!?"), [0, 0, 0, 1]);
    assert_eq!(login("", PASSWORD), [0, 0, 0, 1]);

    let (mut socket, _) = vencrypt(&server, 262);
    socket.read(1);
    let mut stream = tls(socket, certificate_of(&server), &TLS13);
    stream.write_all(&[0xff; 8]).expect("a server");
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    assert!(rest.is_empty());
    server.wait_for("the reason in the log", |s| {
        s.log().contains("4294967295 bytes").then_some(())
    });
}

#[test]
fn check_08_14_what_was_not_offered_or_comes_before_tls_ends_the_connection() {
    let server = encrypted(&["--security-types", "X509Vnc"]);
    for choice in [2, 256, 260, 262, 258, 19] {
        let (mut socket, subtypes) = vencrypt(&server, choice);
        assert_eq!(subtypes, [261]);
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
    let size = size(&mut good);
    for bytes in [
        &b""[..],
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03",
        b"GET / HTTP/1.1\r\n\r\n",
    ] {
        let (mut socket, _) = vencrypt(&server, 261);
        assert_eq!(socket.read(1), [1]);
        socket.send(bytes);
        socket
            .0
            .shutdown(std::net::Shutdown::Write)
            .expect("a socket");
        socket.read_to_close();
    }
    whole_screen(&mut good, size);
}

/// Complaints about the new certificate change nothing either.
#[test]
fn a_new_certificate_is_shown_to_the_next_client_and_sessions_go_on() {
    let server = encrypted(&[]);
    let mut session = logged_in(&server, &TLS13);
    let size = size(&mut session);
    let shown = certificate_of(&server);
    let key = server.dir.path().join("key.pem");
    let kept = std::fs::read(&key).expect("a key");

    std::fs::write(&key, "no key").expect("a file");
    server.wait_for("the complaint", |s| {
        s.log().contains("holds no private key").then_some(())
    });
    let (mut socket, _) = vencrypt(&server, 261);
    socket.read(1);
    read(&mut tls(socket, shown.clone(), &TLS13), 16);

    std::fs::write(&key, kept).expect("a file");
    let fingerprint = make_certificate(server.dir.path(), &["--force", "--name", "127.0.0.1"]);
    assert_eq!(
        make_certificate(server.dir.path(), &["--show"]),
        fingerprint
    );
    server.wait_for("the new one", |s| {
        let log = s.log();
        let told = log
            .lines()
            .find(|line| line.contains("a new certificate is shown"));
        told.map(|line| assert!(line.contains(&fingerprint), "{line}"))
    });
    assert_ne!(certificate_of(&server), shown);
    logged_in(&server, &TLS13);
    whole_screen(&mut session, size);
}
