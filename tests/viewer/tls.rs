//! VeNCrypt, and TLS below it.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::Arc,
};

use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
    crypto::aws_lc_rs, pki_types::CertificateDer,
};

use super::Socket;

pub type Tls = StreamOwned<ClientConnection, TcpStream>;

/// Greets and chooses VeNCrypt; gives the subtypes that are offered, of which one is to be sent next.
pub fn subtypes(socket: &mut Socket) -> Vec<u32> {
    let types = socket.greet();
    assert_eq!(types[0], 19, "{types:?}");
    subtypes_behind(socket)
}

/// Chooses VeNCrypt, which was offered.
pub fn subtypes_behind<S: Read + Write>(socket: &mut Socket<S>) -> Vec<u32> {
    socket.send(&[19]);
    assert_eq!(socket.read(2), [0, 2]);
    socket.send(&[0, 2]);
    assert_eq!(socket.read(1), [0]);
    let count = socket.read(1)[0];
    let subtypes = socket.read(4 * usize::from(count));
    let (subtypes, _) = subtypes.as_chunks::<4>();
    subtypes.iter().map(|s| u32::from_be_bytes(*s)).collect()
}

/// VeNCrypt up to where TLS begins.
pub fn chosen(mut socket: Socket, subtype: u32) -> Socket {
    let offered = subtypes(&mut socket);
    assert!(offered.contains(&subtype), "{offered:?}");
    socket.send(&subtype.to_be_bytes());
    assert_eq!(socket.read(1), [1]);
    socket
}

/// What a client knows that trusts this certificate and speaks this version. It takes up its earlier sessions again where it can.
pub fn client(
    certificate: CertificateDer<'static>,
    version: &'static SupportedProtocolVersion,
) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate).expect("a certificate");
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .expect("a version")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

/// The client's side of a session.
pub fn session(client: &Arc<ClientConfig>) -> ClientConnection {
    let name = "127.0.0.1".try_into().expect("a name");
    ClientConnection::new(Arc::clone(client), name).expect("a session")
}

/// The first that a client says.
pub fn hello(client: &Arc<ClientConfig>) -> Vec<u8> {
    let mut bytes = Vec::new();
    session(client).write_tls(&mut bytes).expect("memory");
    bytes
}

/// The socket as it is once TLS has begun.
pub fn over_tls(socket: Socket, client: &Arc<ClientConfig>) -> Socket<Tls> {
    Socket(StreamOwned::new(session(client), socket.0))
}

/// A name and a password as X509Plain has them.
pub fn plain(user: &[u8], password: &[u8]) -> Vec<u8> {
    let length = |text: &[u8]| u32::try_from(text.len()).expect("short").to_be_bytes();
    [&length(user)[..], &length(password), user, password].concat()
}
