//! A server and a client in one thread.

use std::sync::Arc;

use rfb::Error;
use rfb::frame::{Frame, FrameSeq};
use rfb::geom::{Rect, Size};
use rfb::pixel::PixelFormat;
use rfb::security::secret::Secret;
use rfb::security::vnc_auth::{Challenge, Password};
use rfb::security::{Login, SecurityType};
use rfb::server::{Connection, Event, ServerConfig};
use rfb::testing::client::{Client, Message, request};

use crate::answer::answer;

pub const SIZE: Size = Size::new(150, 100);
pub const CHALLENGE: Challenge = *b"fresh random 16B";
pub const PASSWORD: &[u8] = b"letmein";

/// How the client's bytes arrive.
#[derive(Clone, Copy, Debug)]
pub enum Arrival {
    Whole,
    ByteByByte,
}

pub const ARRIVALS: [Arrival; 2] = [Arrival::Whole, Arrival::ByteByByte];

/// Both ends of a connection.
pub struct Talk {
    pub connection: Connection,
    pub arrival: Arrival,
    /// But for those that told of a login.
    pub events: Vec<Event>,
    /// What lets clients in.
    password: Option<Vec<u8>>,
    /// Whether the client was let in, once it gave what it had to.
    pub admitted: Option<bool>,
}

impl Talk {
    pub fn new(arrival: Arrival, password: Option<&[u8]>) -> Self {
        let security = match password {
            Some(_) => SecurityType::VncAuth,
            None => SecurityType::None,
        };
        Self::offering(arrival, &[security], password)
    }

    /// At a server that offers these security types.
    pub fn offering(arrival: Arrival, security: &[SecurityType], password: Option<&[u8]>) -> Self {
        let config = ServerConfig {
            name: "a target".to_owned(),
            security: security.to_vec(),
            ..ServerConfig::default()
        };
        let connection = Connection::new(Arc::new(config), CHALLENGE, screen(1, SIZE, None));
        Self {
            connection,
            arrival,
            events: Vec::new(),
            password: password.map(<[u8]>::to_vec),
            admitted: None,
        }
    }

    /// Decides about the client if that is asked for.
    fn decide(&mut self) -> Result<(), Error> {
        while let Some(event) = self.connection.next_event() {
            let Event::Login(login) = event else {
                self.events.push(event);
                continue;
            };
            let admitted = match (&self.password, login) {
                (None, Login::Anonymous) => true,
                (
                    Some(password),
                    Login::VncAuth {
                        challenge,
                        response,
                    },
                ) => Password::new(password).verify(&challenge, &response),
                (Some(expected), Login::Password { user, password }) => {
                    user.as_deref() != Some("") && password == Secret::new(expected.clone())
                }
                (_, other) => panic!("not offered: {other:?}"),
            };
            self.admitted = Some(admitted);
            match admitted {
                true => self.connection.admit()?,
                false => self.connection.deny("Wrong password."),
            }
        }
        Ok(())
    }

    /// The stream became what the server asked for; gives what it sends then.
    pub fn upgraded(&mut self) -> Vec<u8> {
        self.connection.upgraded();
        assert_eq!(self.decide(), Ok(()));
        self.heard()
    }

    /// What the server sends of itself now.
    pub fn heard(&mut self) -> Vec<u8> {
        answer(&mut self.connection)
    }

    /// Sends, and gives all that the server answers and how it ended.
    pub fn try_say(&mut self, bytes: &[u8]) -> (Vec<u8>, Result<(), Error>) {
        let pieces: Vec<&[u8]> = match self.arrival {
            Arrival::Whole => vec![bytes],
            Arrival::ByteByByte => bytes.chunks(1).collect(),
        };
        let mut out = Vec::new();
        for piece in pieces {
            let received = self.connection.receive(piece);
            let decided = self.decide();
            let result = received.and(decided);
            out.extend(self.heard());
            if result.is_err() {
                return (out, result);
            }
        }
        (out, Ok(()))
    }

    /// Sends what must be accepted.
    pub fn say(&mut self, bytes: &[u8]) -> Vec<u8> {
        let (out, result) = self.try_say(bytes);
        assert_eq!(result, Ok(()), "{:?}", self.arrival);
        out
    }

    pub fn show(&mut self, frame: &Frame) {
        self.connection.show(frame.clone());
    }
}

/// A client after the handshake, at a server without a password.
pub struct Session {
    pub talk: Talk,
    pub client: Client,
}

impl Session {
    pub fn new(arrival: Arrival) -> Self {
        let mut talk = Talk::new(arrival, None);
        talk.heard();
        talk.say(b"RFB 003.008\n");
        talk.say(&[1]);
        let init = talk.say(&[1]);
        assert_eq!(&init[..4], [0, 150, 0, 100]);
        talk.events.clear();
        Self {
            talk,
            client: Client::new(SIZE),
        }
    }

    /// Sends, and gives the messages that come back, all whole.
    pub fn say(&mut self, bytes: &[u8]) -> Vec<Message> {
        let answer = self.talk.say(bytes);
        self.hear(&answer)
    }

    fn hear(&mut self, bytes: &[u8]) -> Vec<Message> {
        let messages = self
            .client
            .receive(bytes)
            .expect("bytes that a strict client takes");
        assert!(
            self.client.is_between_messages(),
            "the server stopped inside a message"
        );
        messages
    }

    /// What the server says of itself now.
    pub fn heard(&mut self) -> Vec<Message> {
        let bytes = self.talk.heard();
        self.hear(&bytes)
    }

    pub fn encodings(&mut self, list: &[i32]) -> Vec<Message> {
        let bytes = self.client.set_encodings(list);
        self.say(&bytes)
    }

    pub fn format(&mut self, format: PixelFormat) -> Vec<Message> {
        let bytes = self.client.set_pixel_format(format);
        self.say(&bytes)
    }

    /// Asks for the whole screen.
    pub fn request(&mut self, incremental: bool) -> Vec<Message> {
        let area = self.client.size().rect();
        self.say(&request(incremental, area))
    }

    /// The server gets a new frame; gives what it sends.
    pub fn show(&mut self, frame: &Frame) -> Vec<Message> {
        self.talk.show(frame);
        let bytes = self.talk.heard();
        self.hear(&bytes)
    }

    /// Whether the client's screen is this frame (in a 24-bit format, losslessly sent).
    pub fn shows(&self, frame: &Frame) -> bool {
        Ok(self.client.decoder.rgb().to_vec()) == frame.pixels(frame.size().rect())
    }
}

/// A picture with some of everything; `seq` moves a small mark, so that two of them differ little.
pub fn screen(seq: u64, size: Size, previous: Option<&Frame>) -> Frame {
    let mut bgrx = Vec::with_capacity(size.area() * 4);
    let mark = Rect::new(u16::try_from(seq % 50).unwrap_or(0), 70, 3, 2);
    for y in 0..size.height {
        for x in 0..size.width {
            let here = Rect::new(x, y, 1, 1);
            let colour: u32 = if mark.contains(here) {
                0xff_ff_ff
            } else if y < 40 {
                (u32::from(x / 8) * 0x0a_05_07) & 0xff_ff_ff
            } else if y < 60 {
                (u32::from(x) * 7919 + u32::from(y) * 104_729) & 0xff_ff_ff
            } else {
                0x10_20_80
            };
            bgrx.extend_from_slice(&colour.to_le_bytes());
        }
    }
    let stride = usize::from(size.width) * 4;
    Frame::from_bgrx(FrameSeq(seq), size, &bgrx, stride, previous)
}
