//! What real clients said to a server that offered no password, replayed against the core.
//!
//! The bytes (`fixtures/transcripts`) are those that each client sent while a person typed `aA!`. They must lead
//! to the same events however they are cut, and everything that the server answers must be readable by a
//! strict client that listed what the real one listed.

mod answer;

use std::sync::Arc;

use rfb::frame::{Frame, FrameSeq};
use rfb::geom::Size;
use rfb::msg::client::{self, ClientMessage};
use rfb::server::{Connection, Event, ServerConfig};
use rfb::testing::Client;
use rfb::wire::Reader;

use answer::answer;

const SIZE: Size = Size::new(1280, 720);
/// A client: its name, the bytes that it sent, the encoding chosen for it first, and how keys arrive.
struct Transcript {
    name: &'static str,
    bytes: &'static [u8],
    encoding: &'static str,
    typed: Typed,
}

#[derive(Clone, Copy, PartialEq)]
enum Typed {
    /// KeyEvents with these keysyms going down.
    Keysyms(&'static [u32]),
    /// Extended key events with these scancodes going down.
    Scancodes(&'static [u32]),
}

const SHIFT: u32 = 0xffe1;

const TRANSCRIPTS: [Transcript; 5] = [
    Transcript {
        name: "vncdotool 1.4",
        bytes: include_bytes!("../../fixtures/transcripts/vncdotool.bin"),
        encoding: "Raw",
        // Then Ctrl, Alt, Delete.
        typed: Typed::Keysyms(&[0x61, 0x41, 0x21, 0xffe3, 0xffe9, 0xffff]),
    },
    Transcript {
        name: "TigerVNC 1.12",
        bytes: include_bytes!("../../fixtures/transcripts/tigervnc.bin"),
        encoding: "Tight",
        typed: Typed::Scancodes(&[0x1e, 0x2a, 0x1e, 0x2a, 0x02]),
    },
    Transcript {
        name: "TightVNC 1.3",
        bytes: include_bytes!("../../fixtures/transcripts/tightvnc.bin"),
        // It prefers this to a server on its own machine.
        encoding: "Raw",
        typed: Typed::Keysyms(&[0x61, SHIFT, 0x41, SHIFT, 0x21]),
    },
    Transcript {
        name: "gtk-vnc 1.3",
        bytes: include_bytes!("../../fixtures/transcripts/gtk-vnc.bin"),
        encoding: "Tight",
        typed: Typed::Scancodes(&[0x1e, 0x2a, 0x1e, 0x2a, 0x02]),
    },
    Transcript {
        name: "vncsnapshot 1.2",
        bytes: include_bytes!("../../fixtures/transcripts/vncsnapshot.bin"),
        encoding: "Raw",
        typed: Typed::Keysyms(&[]),
    },
];

fn connection() -> Connection {
    let mut bgrx = Vec::with_capacity(SIZE.area() * 4);
    for i in 0..SIZE.area() {
        bgrx.extend_from_slice(&[(i % 7) as u8, (i / 1280) as u8, (i / 64 % 3) as u8, 0]);
    }
    let frame = Frame::from_bgrx(FrameSeq(1), SIZE, &bgrx, 1280 * 4, None);
    let config = ServerConfig {
        name: "a target".to_owned(),
        ..ServerConfig::default()
    };
    Connection::new(Arc::new(config), [0; 16], frame)
}

/// The events of a transcript that arrives in pieces of this size.
fn events(transcript: &Transcript, piece: usize) -> Vec<Event> {
    let mut connection = connection();
    let mut events = Vec::new();
    for bytes in transcript.bytes.chunks(piece) {
        let result = connection.receive(bytes);
        assert_eq!(result, Ok(()), "{} in pieces of {piece}", transcript.name);
        while let Some(event) = connection.next_event() {
            match event {
                Event::Login(_) => connection.admit().expect("more that is understood"),
                event => events.push(event),
            }
        }
        answer(&mut connection);
    }
    events
}

#[test]
fn every_client_is_understood_however_its_bytes_are_cut() {
    for transcript in &TRANSCRIPTS {
        let whole = events(transcript, transcript.bytes.len());
        for piece in [1, 2, 7, 64] {
            assert_eq!(events(transcript, piece), whole, "{}", transcript.name);
        }
        let chosen = whole.iter().find_map(|e| match e {
            Event::EncodingChosen(name) => Some(*name),
            _ => None,
        });
        assert_eq!(
            chosen.unwrap_or("Raw"),
            transcript.encoding,
            "{}",
            transcript.name
        );
        let typed: Vec<u32> = whole
            .iter()
            .filter_map(|event| match (event, transcript.typed) {
                (Event::Key { down: true, keysym }, Typed::Keysyms(_)) => Some(*keysym),
                (
                    Event::ExtendedKey {
                        down: true, code, ..
                    },
                    Typed::Scancodes(_),
                ) => Some(*code),
                (Event::Key { down: true, .. } | Event::ExtendedKey { down: true, .. }, _) => {
                    panic!("{}: a key of the other kind: {event:?}", transcript.name)
                }
                _ => None,
            })
            .collect();
        let (Typed::Keysyms(expected) | Typed::Scancodes(expected)) = transcript.typed;
        assert_eq!(typed, expected, "{}", transcript.name);
    }
}

#[test]
fn every_answer_is_readable_by_a_strict_client_with_the_same_wishes() {
    for transcript in &TRANSCRIPTS {
        // Version, from 3.7 on the choice of None, ClientInit.
        let is_3_3 = transcript.bytes.starts_with(b"RFB 003.003");
        let (handshake, mut rest) = transcript.bytes.split_at(if is_3_3 { 13 } else { 14 });
        let mut connection = connection();
        connection.receive(handshake).expect("a handshake");
        connection.admit().expect("ClientInit behind it");
        connection.take_output();
        let mut client = Client::new(SIZE);
        let mut updates = 0;
        while !rest.is_empty() {
            let mut reader = Reader::new(rest);
            match client::read(&mut reader, false) {
                Ok(Ok(ClientMessage::SetEncodings(list))) => drop(client.set_encodings(&list)),
                Ok(Ok(ClientMessage::SetPixelFormat(format))) => {
                    drop(client.set_pixel_format(format));
                }
                Ok(Ok(_)) => {}
                other => panic!("{}: {other:?}", transcript.name),
            }
            let (message, after) = rest.split_at(reader.consumed());
            rest = after;
            connection.receive(message).expect("a message");
            let messages = client.receive(&answer(&mut connection));
            updates += messages.expect("an answer that can be read").len();
            assert!(client.is_between_messages(), "{}", transcript.name);
        }
        assert!(updates > 0, "{} got a picture", transcript.name);
    }
}
