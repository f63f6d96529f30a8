//! RSA-AES: nobody enters without the password, with another key than the one that was seen, or with somebody else's messages.

use std::{io::Write as _, net::Shutdown, time::Duration};

use rfb::{security::SecurityType, testing::client::key};

use super::handshake::AHEAD;
use crate::{
    arena::PASSWORD,
    attack::{Attack, Noise, RELEASED},
    server::Server,
    viewer::{
        Socket,
        rsa_aes::{self, Exchange, counted},
    },
};

/// One of each strength, one that encrypts everything and one that does not.
const TYPES: [SecurityType; 2] = [SecurityType::Ra2, SecurityType::Ra2neAes256];

fn begin(attack: &Attack<'_>, security: SecurityType) -> Exchange {
    let socket = attack.connect_from(attack.fresh_address());
    Exchange::begin(socket, security)
}

/// Up to where the client's proof is due: everything until then was right. The server's proof came.
fn shown(attack: &Attack<'_>, security: SecurityType) -> (Exchange, Vec<u8>) {
    let mut exchange = begin(attack, security);
    let opening = [exchange.key(), exchange.random()].concat();
    exchange.socket.send(&opening);
    exchange.hear_random();
    let (message, _) = exchange.hear();
    (exchange, message)
}

/// Says this, and that ends the connection without a word, whatever comes behind it.
fn ends(socket: &mut Socket, bytes: &[u8], what: &str) {
    // It may hang up before it has been told everything.
    let _ = socket.0.write_all(bytes);
    let _ = socket.0.write_all(AHEAD);
    let answer = socket.read_to_close();
    assert!(answer.is_empty(), "{what}: {answer:02x?}");
}

pub fn impossible_keys(attack: &Attack<'_>) {
    let sent = |bits: u32, modulus: &[u8], exponent: &[u8]| {
        [&bits.to_be_bytes()[..], modulus, exponent].concat()
    };
    let padded = |number: &[u8], size: usize| [&vec![0; size - number.len()][..], number].concat();
    let mut noise = Noise::new(5);
    // By its looks a key of so many bits.
    let mut modulus = |bits: usize| {
        let mut modulus = noise.bytes(bits.div_ceil(8));
        modulus[0] |= 0x80;
        *modulus.last_mut().expect("some bytes") |= 1;
        modulus[0] >>= modulus.len() * 8 - bits;
        modulus
    };
    let whole = |bits: u32, modulus: &[u8]| sent(bits, modulus, &padded(&[3], modulus.len()));
    let good = modulus(2048);
    let e = padded(&[1, 0, 1], 256);
    let mut even = good.clone();
    even[255] ^= 1;
    let mut keys = vec![
        ("an even modulus", sent(2048, &even, &e)),
        ("no modulus", sent(2048, &[0; 256], &e)),
        ("1 as modulus", sent(2048, &padded(&[1], 256), &e)),
        (
            "a modulus that is shorter",
            sent(2048, &padded(&good[128..], 256), &e),
        ),
        ("no exponent", sent(2048, &good, &[0; 256])),
        ("1 as exponent", sent(2048, &good, &padded(&[1], 256))),
        ("an even exponent", sent(2048, &good, &padded(&[4], 256))),
        ("a huge exponent", sent(2048, &good, &good)),
        ("nothing but ones", sent(2048, &[0xff; 256], &[0xff; 256])),
    ];
    for bits in [0, 1, 512, 1023, 1024, 2047, 8193, 16384, 65535] {
        let key = whole(bits, &modulus((bits as usize).max(1)));
        keys.push(("another size", key));
    }
    for bits in [0x7fff_ffff, 0x8000_0000, u32::MAX] {
        keys.push(("another size", whole(bits, &good)));
    }
    let rounds = crate::number("RFBRIDGE_HOSTILE", 40).div_ceil(2 * keys.len());
    let refused = |server: &Server| server.log().matches("an RSA key that is none").count();
    let expected = refused(attack.server) + rounds * 2 * keys.len();
    for _ in 0..rounds {
        for security in TYPES {
            for (what, key) in &keys {
                let mut exchange = begin(attack, security);
                let what = format!("{security}, {what}: {:02x?}", &key[..4]);
                ends(&mut exchange.socket, key, &what);
            }
        }
    }
    attack.server.wait_for("the reasons", |server| {
        (refused(server) == expected).then_some(())
    });
    // Numbers of the right sizes are keys by all that can be seen; nobody has the other half.
    for bits in [2048u16, 2049, 3072, 4096, 8191, 8192] {
        for security in TYPES {
            let mut exchange = begin(attack, security);
            let key = whole(bits.into(), &modulus(bits.into()));
            exchange.socket.send(&key);
            let length = exchange.socket.read(2);
            let length = u16::from_be_bytes([length[0], length[1]]);
            assert_eq!(length, bits.div_ceil(8));
            exchange.socket.read(length.into());
            exchange
                .socket
                .send(&counted(&vec![0x5a; server_size(&exchange)]));
            let proof = exchange.socket.read(2);
            let length = usize::from(u16::from_be_bytes([proof[0], proof[1]]));
            exchange.socket.read(length + 16);
            let forged = counted(&vec![0; length]);
            ends(
                &mut exchange.socket,
                &[forged, vec![0; 16]].concat(),
                "a guess",
            );
        }
    }
    assert!(attack.server.reports().is_empty(), "no key was pressed");
}

/// Bytes of what the server's key encrypts.
fn server_size(exchange: &Exchange) -> usize {
    (exchange.server_key.len() - 4) / 2
}

pub fn wrong_hashes(attack: &Attack<'_>) {
    /// Makes what is said in place of the proof; the server's own message is given.
    type Lie = fn(&mut Exchange, &[u8]) -> Vec<u8>;
    let lies: &[(&str, Lie)] = &[
        ("the server's hash", |exchange, _| {
            let hash = exchange.hash(&exchange.server_key, &exchange.key());
            exchange.seal(&hash)
        }),
        ("the server's own message", |_, message| message.to_vec()),
        ("a hash of another key", |exchange, _| {
            let hash = exchange.hash(&exchange.key(), &exchange.key());
            exchange.seal(&hash)
        }),
        ("a hash that differs in its last bit", |exchange, _| {
            let mut hash = exchange.hash(&exchange.key(), &exchange.server_key);
            *hash.last_mut().expect("some bytes") ^= 1;
            exchange.seal(&hash)
        }),
        ("zeros", |exchange, message| {
            exchange.seal(&vec![0; message.len() - 18])
        }),
        ("half a hash", |exchange, _| {
            let hash = exchange.hash(&exchange.key(), &exchange.server_key);
            exchange.seal(&hash[..hash.len() / 2])
        }),
        ("a hash and more", |exchange, _| {
            let hash = exchange.hash(&exchange.key(), &exchange.server_key);
            exchange.seal(&[hash, vec![0]].concat())
        }),
        ("nothing", |_, _| [0; 18].to_vec()),
        ("a message that is longer than any", |_, _| vec![0xff; 100]),
        ("another length", |exchange, _| {
            let mut message = exchange.proof();
            message[1] ^= 1;
            message
        }),
        ("another byte", |exchange, _| {
            let mut message = exchange.proof();
            message[2] ^= 1;
            message
        }),
        ("another end", |exchange, _| {
            let mut message = exchange.proof();
            *message.last_mut().expect("some bytes") ^= 1;
            message
        }),
        ("the proof as a second message", |exchange, _| {
            exchange.proof();
            exchange.proof()
        }),
        ("the password at once", |exchange, _| {
            exchange.credentials(b"", PASSWORD)
        }),
    ];
    let rounds = crate::number("RFBRIDGE_HOSTILE", 50).div_ceil(2 * lies.len());
    for _ in 0..rounds {
        for security in TYPES {
            for (what, lie) in lies {
                let (mut exchange, message) = shown(attack, security);
                let said = lie(&mut exchange, &message);
                ends(&mut exchange.socket, &said, what);
            }
        }
    }
    // Random numbers that the server cannot decrypt, or that have another size than its key.
    for security in TYPES {
        let mut noise = Noise::new(6);
        for right_size in [true, false] {
            for _ in 0..5 {
                let mut exchange = begin(attack, security);
                let size = server_size(&exchange);
                let size = if right_size { size } else { noise.below(size) };
                let key = exchange.key();
                exchange.socket.send(&key);
                // A number that the client knows, in place of the one that it sends.
                exchange.random();
                exchange.hear_random();
                let random = counted(&noise.bytes(size));
                let proof = exchange.proof();
                exchange.socket.send(&random);
                let _ = exchange.socket.0.write_all(&proof);
                let answer = exchange.socket.read_to_close();
                // Its own proof, by keys that nobody knows.
                let expected = if right_size { proof.len() } else { 0 };
                assert_eq!(answer.len(), expected, "{security}");
            }
        }
    }
    assert!(attack.server.reports().is_empty(), "no key was pressed");
}

/// A whole login, left within each of its messages, by FIN and by RST.
pub fn cut(attack: &Attack<'_>) {
    const CUTS: usize = 6;
    let messages = 4;
    let rounds = crate::number("RFBRIDGE_HOSTILE", 96).div_ceil(2 * 2 * CUTS * messages);
    let mut noise = Noise::new(70);
    for _ in 0..rounds {
        for security in TYPES {
            for last in 0..messages {
                for cut in 0..CUTS {
                    for reset in [false, true] {
                        let (mut exchange, message) = before(attack, security, last);
                        let length = match cut {
                            0 => 0,
                            1 => 1,
                            2 => message.len() - 1,
                            _ => noise.below(message.len()),
                        };
                        exchange.socket.send(&message[..length]);
                        let stream = &exchange.socket.0;
                        if reset {
                            let socket = socket2::SockRef::from(stream);
                            socket.set_linger(Some(Duration::ZERO)).expect("an option");
                            continue;
                        }
                        stream.shutdown(Shutdown::Write).expect("a socket");
                        let answer = exchange.socket.read_to_close();
                        assert!(answer.is_empty(), "message {last}: {answer:02x?}");
                    }
                }
            }
        }
    }
    let mut socket = rsa_aes::log_in(attack.connect(), TYPES[0], "", "letmein!");
    assert_eq!(socket.read(4), [0; 4]);
}

/// A login of which so many of the client's messages were said and answered, and the next one.
fn before(attack: &Attack<'_>, security: SecurityType, said: usize) -> (Exchange, Vec<u8>) {
    let mut exchange = begin(attack, security);
    let key = exchange.key();
    if said == 0 {
        return (exchange, key);
    }
    exchange.socket.send(&key);
    let random = exchange.random();
    exchange.hear_random();
    if said == 1 {
        return (exchange, random);
    }
    exchange.socket.send(&random);
    exchange.hear();
    let proof = exchange.proof();
    if said == 2 {
        return (exchange, proof);
    }
    exchange.socket.send(&proof);
    exchange.hear();
    let credentials = exchange.credentials(b"", PASSWORD);
    (exchange, credentials)
}

/// What somebody recorded lets nobody in, and presses no key once more.
pub fn replayed(attack: &Attack<'_>) {
    let rounds = crate::number("RFBRIDGE_HOSTILE", 20).div_ceil(4);
    let reports = attack.server.reports();
    for security in TYPES {
        let mut exchange = begin(attack, security);
        let opening = [exchange.key(), exchange.random()].concat();
        exchange.socket.send(&opening);
        exchange.hear_random();
        exchange.hear();
        let proof = exchange.proof();
        let credentials = exchange.credentials(b"", PASSWORD);
        let ahead = exchange.seal(AHEAD);
        exchange.socket.send(&[&proof[..], &credentials].concat());
        exchange.hear();
        let mut socket = exchange.over();
        assert_eq!(socket.read(4), [0; 4], "the right password");

        for _ in 0..rounds {
            let mut thief = begin(attack, security);
            let recorded = [&opening[..], &proof, &credentials, &ahead].concat();
            // It may hang up before it has been told everything.
            let _ = thief.socket.0.write_all(&recorded);
            let answer = thief.socket.read_to_close();
            // Another random number, and a proof by keys that the thief does not know.
            let random = 2 + (thief.key().len() - 4) / 2;
            assert_eq!(answer.len(), random + proof.len(), "{security}");
        }
    }
    assert_eq!(attack.server.reports(), reports, "no key was pressed");

    // Within a session: a key that was pressed once.
    let tap = |letter: char| [key(true, letter.into()), key(false, letter.into())].concat();
    for _ in 0..rounds {
        let before = attack.server.keyboard().len();
        let mut exchange = begin(attack, SecurityType::Ra2);
        exchange.agree();
        let credentials = exchange.credentials(b"", PASSWORD);
        exchange.socket.send(&credentials);
        assert_eq!(exchange.hear().1, [0; 4]);
        let init = exchange.seal(&[1]);
        let press = exchange.seal(&tap('b'));
        let mut raw = exchange.socket;
        // It may hang up before it has been told everything.
        let _ = raw
            .0
            .write_all(&[&init[..], &press, &press, &press].concat());
        raw.read_to_close();
        let mut other = attack.client();
        other.send(&tap('c'));
        let pressed = attack.server.wait_for("another's key", |server| {
            let pressed = server.keyboard().split_off(before);
            let ended = pressed.ends_with(&[C, RELEASED].map(str::to_owned));
            ended.then_some(pressed)
        });
        assert_eq!(pressed, [B, RELEASED, C, RELEASED], "once");
    }
}

const B: &str = "0000050000000000";
const C: &str = "0000060000000000";
