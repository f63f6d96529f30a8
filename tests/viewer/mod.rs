//! A client of a running rfbridge over TCP, strict in what it reads.

pub mod rsa_aes;
pub mod tls;
pub mod web;

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use rfb::geom::{Rect, Size};
use rfb::security::vnc_auth::Password;
use rfb::testing::client::{Client, Message, request};

/// Nothing that is waited for takes this long unless it never comes.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// A socket to the server, or what became of it.
pub struct Socket<S = TcpStream>(pub S);

impl Socket {
    pub fn connect(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).expect("a connection"))
    }

    /// A connection that comes from another of this machine's own addresses (Linux has all of 127.0.0.0/8).
    pub fn connect_from(from: Ipv4Addr, address: SocketAddr) -> Self {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)
            .expect("a socket");
        let from = SocketAddr::from((from, 0));
        socket
            .bind(&from.into())
            .expect("an address of this machine");
        socket.connect(&address.into()).expect("a connection");
        Self::over(socket.into())
    }

    /// Greets; gives the security types that are offered, none if the server has a reason not to.
    pub fn greet(&mut self) -> Vec<u8> {
        assert_eq!(self.read(12), b"RFB 003.008\n");
        self.send(b"RFB 003.008\n");
        let count = self.read(1)[0];
        self.read(count.into())
    }

    pub fn over(stream: TcpStream) -> Self {
        stream.set_nodelay(true).expect("an option");
        stream.set_read_timeout(Some(DEADLINE)).expect("an option");
        Socket(stream)
    }
}

impl<S: Read + Write> Socket<S> {
    pub fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).expect("the server takes it");
    }

    /// Exactly `n` bytes.
    pub fn read(&mut self, n: usize) -> Vec<u8> {
        let mut bytes = vec![0; n];
        self.0
            .read_exact(&mut bytes)
            .expect("bytes from the server");
        bytes
    }

    /// All that comes until the server closes.
    pub fn read_to_close(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match self.0.read_to_end(&mut bytes) {
            Ok(_) => bytes,
            Err(e) if e.kind() == ErrorKind::ConnectionReset => bytes,
            // It does not take leave of TLS.
            Err(e) if e.kind() == ErrorKind::UnexpectedEof => bytes,
            Err(e) => panic!("the server closes the connection, not: {e}"),
        }
    }
}

/// A client after the handshake, strict in what it reads.
pub struct Viewer<S = TcpStream> {
    pub socket: Socket<S>,
    pub client: Client,
    waiting: Vec<Message>,
}

impl Viewer {
    /// Connects to a server without a password.
    pub fn connect(address: SocketAddr) -> Self {
        let mut socket = Socket::connect(address);
        assert_eq!(socket.greet(), [1]);
        socket.send(&[1]);
        assert_eq!(socket.read(4), [0; 4]);
        Self::init(socket)
    }

    /// Connects with a password.
    pub fn log_in(address: SocketAddr, password: &[u8]) -> Self {
        Self::log_in_as(address, password, &[2])
    }

    /// Connects with a password to a server that offers these security types, VNC authentication among them.
    pub fn log_in_as(address: SocketAddr, password: &[u8], offer: &[u8]) -> Self {
        let mut socket = Socket::connect(address);
        assert_eq!(socket.greet(), offer);
        socket.send(&[2]);
        let challenge = socket.read(16).try_into().expect("16 bytes");
        socket.send(&Password::new(password).respond(&challenge));
        assert_eq!(socket.read(4), [0; 4]);
        Self::init(socket)
    }

    /// Waits this long for what is awaited, instead of [`DEADLINE`].
    pub fn has_patience(&mut self, patience: Duration) {
        let stream = &self.socket.0;
        stream.set_read_timeout(Some(patience)).expect("an option");
    }
}

impl<S: Read + Write> Viewer<S> {
    /// Sends ClientInit and reads its answer.
    pub fn init(mut socket: Socket<S>) -> Self {
        socket.send(&[1]);
        let init = socket.read(24);
        let size = Size::new(
            u16::from_be_bytes([init[0], init[1]]),
            u16::from_be_bytes([init[2], init[3]]),
        );
        let name = u32::from_be_bytes(init[20..24].try_into().expect("4 bytes"));
        socket.read(name as usize);
        Viewer {
            socket,
            client: Client::new(size),
            waiting: Vec::new(),
        }
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.socket.send(bytes);
    }

    pub fn encodings(&mut self, list: &[i32]) {
        let bytes = self.client.set_encodings(list);
        self.send(&bytes);
    }

    /// The next message.
    pub fn next(&mut self) -> Message {
        let mut buffer = vec![0; 1 << 16];
        while self.waiting.is_empty() {
            let n = match self.socket.0.read(&mut buffer) {
                Err(e) if e.kind() == ErrorKind::WouldBlock => panic!("the server stays silent"),
                read => read.expect("bytes from the server"),
            };
            assert!(n > 0, "the server closed the connection");
            self.waiting = self
                .client
                .receive(&buffer[..n])
                .expect("bytes that can be read");
        }
        self.waiting.remove(0)
    }

    /// Asks for the whole screen.
    pub fn request(&mut self, incremental: bool) {
        let area = self.client.size().rect();
        self.send(&request(incremental, area));
    }

    /// All that the server had to say before it answers a last request for one pixel, which it must do
    /// at once: what does not come before that does not come. No other request may be open, or the
    /// server answers both as one.
    pub fn all_so_far(&mut self) -> Vec<Message> {
        let pixel = Rect::new(self.client.size().width - 1, 0, 1, 1);
        self.send(&request(false, pixel));
        let mut messages = Vec::new();
        loop {
            let message = self.next();
            if matches!(&message, Message::Update(rects) if rects.iter().any(|r| r.rect == pixel)) {
                return messages;
            }
            messages.push(message);
        }
    }
}
