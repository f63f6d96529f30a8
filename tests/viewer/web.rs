//! A browser's side of HTTP and WebSocket, written down byte by byte.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};

use super::Socket;

/// What came of a request.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    headers: String,
    pub body: Vec<u8>,
}

impl Answer {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self
            .headers
            .lines()
            .filter_map(|line| line.split_once(": "));
        lines
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// One request on a connection of its own; `headers` are whole lines.
pub fn ask(address: SocketAddr, request: &str, headers: &[&str], body: &[u8]) -> Answer {
    ask_over(&mut Socket::connect(address), request, headers, body)
}

/// One request.
pub fn ask_over<S: Read + Write>(
    socket: &mut Socket<S>,
    request: &str,
    headers: &[&str],
    body: &[u8],
) -> Answer {
    let host = match headers.iter().any(|line| line.starts_with("Host:")) {
        true => "",
        false => "Host: 127.0.0.1\r\n",
    };
    let lines: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
    let length = match body.is_empty() {
        true => String::new(),
        false => format!("Content-Length: {}\r\n", body.len()),
    };
    socket.send(format!("{request} HTTP/1.1\r\n{host}{lines}{length}\r\n").as_bytes());
    socket.send(body);
    read_answer(socket, request.starts_with("HEAD"))
}

/// What comes next, without what may follow it.
pub fn read_answer<S: Read + Write>(socket: &mut Socket<S>, is_head: bool) -> Answer {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.extend(socket.read(1));
    }
    let head = String::from_utf8(head).expect("a head of ASCII");
    let (first, headers) = head.split_once("\r\n").expect("a first line");
    let status = first.split(' ').nth(1).expect("a status").parse();
    let mut answer = Answer {
        status: status.expect("a number"),
        headers: headers.to_owned(),
        body: Vec::new(),
    };
    let length = answer.header("content-length").map(str::parse::<usize>);
    if !is_head && answer.status != 304 {
        answer.body = socket.read(length.map_or(0, |length| length.expect("a length")));
    }
    answer
}

/// `user:password` as RFC 7617 has it.
pub fn basic(pair: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = "Authorization: Basic ".to_owned();
    for group in pair.as_bytes().chunks(3) {
        let bits = group
            .iter()
            .fold(0u32, |bits, byte| bits << 8 | u32::from(*byte));
        let bits = bits << (8 * (3 - group.len()));
        for digit in 0..4 {
            text.push(match digit <= group.len() {
                true => char::from(DIGITS[(bits >> (18 - 6 * digit)) as usize % 64]),
                false => '=',
            });
        }
    }
    text
}

pub const UPGRADE: [&str; 4] = [
    "Connection: keep-alive, Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];
/// What RFC 6455 §1.3 gives for that key.
pub const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// Opening handshake with more headers than it needs.
pub fn upgrade<S: Read + Write>(socket: &mut Socket<S>, more: &[&str]) -> Answer {
    let headers = [&UPGRADE[..], more].concat();
    ask_over(socket, "GET /websockify", &headers, &[])
}

/// Bytes in binary messages, each write one of its own.
pub struct Messages<S = TcpStream> {
    pub socket: Socket<S>,
    rest: Vec<u8>,
}

impl<S: Read + Write> Messages<S> {
    pub fn open(mut socket: Socket<S>) -> Socket<Self> {
        let answer = upgrade(&mut socket, &["Sec-WebSocket-Protocol: binary"]);
        assert_eq!(answer.status, 101, "{answer:?}");
        Socket(Self::over(socket))
    }

    pub fn over(socket: Socket<S>) -> Self {
        let rest = Vec::new();
        Self { socket, rest }
    }

    /// The next frame: its first byte, and what is in it.
    pub fn frame(&mut self) -> (u8, Vec<u8>) {
        let head = self.socket.read(2);
        let length = match head[1] {
            126 => u64::from(u16::from_be_bytes(
                self.socket.read(2).try_into().expect("two"),
            )),
            127 => u64::from_be_bytes(self.socket.read(8).try_into().expect("eight")),
            short => {
                assert!(short < 126, "servers do not mask");
                u64::from(short)
            }
        };
        let length = usize::try_from(length).expect("fits into memory");
        (head[0], self.socket.read(length))
    }

    /// The code of the close frame, behind whatever else comes before it.
    pub fn close_code(&mut self) -> u16 {
        loop {
            if let (CLOSE, body) = self.frame() {
                return u16::from_be_bytes([body[0], body[1]]);
            }
        }
    }
}

pub const BINARY: u8 = 0x82;
pub const CLOSE: u8 = 0x88;

/// A frame as clients send it, masked.
pub fn masked(first: u8, body: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match body.len() {
        length @ 0..=125 => frame.push(0x80 | length as u8),
        length @ 126..=0xffff => {
            frame.push(0x80 | 126);
            frame.extend((length as u16).to_be_bytes());
        }
        length => {
            frame.push(0x80 | 127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    let mask = [0x12, 0x34, 0x56, 0x78];
    frame.extend(mask);
    frame.extend(
        body.iter()
            .zip(mask.iter().cycle())
            .map(|(byte, mask)| byte ^ mask),
    );
    frame
}

impl<S: Read + Write> Read for Messages<S> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() {
            match self.frame() {
                (BINARY, body) => self.rest = body,
                (CLOSE, _) => return Ok(0),
                (other, _) => panic!("a frame that begins with {other:#x}"),
            }
        }
        let part = self.rest.len().min(to.len());
        to[..part].copy_from_slice(&self.rest[..part]);
        self.rest.drain(..part);
        Ok(part)
    }
}

impl<S: Read + Write> Write for Messages<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.send(&masked(BINARY, bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
