//! Checks 8 and 14 to 16: nobody enters through VeNCrypt without the password, and nothing counts that TLS did not carry.

use std::{
    io::{Read as _, Write as _},
    net::Shutdown,
    time::Duration,
};

use rfb::security::plain::LIMIT;
use tokio_rustls::rustls::version::{TLS12, TLS13};

use super::{
    handshake::{AHEAD, is_refusal},
    messages::MEANWHILE,
};
use crate::{
    arena::PASSWORD,
    attack::{Attack, Noise},
    server::Server,
    viewer::{
        Socket,
        tls::{self, Tls, chosen, over_tls, plain},
    },
};

const X509VNC: u32 = 261;
const X509PLAIN: u32 = 262;

/// A whole dialogue up to the choice, said at once.
const UNHEARD: &[u8] = b"RFB 003.008\n\x13\x00\x02";

/// Somebody from a fresh address.
fn stranger(attack: &Attack<'_>) -> Socket {
    attack.connect_from(attack.fresh_address())
}

pub fn not_offered(attack: &Attack<'_>) {
    let offered = tls::subtypes(&mut stranger(attack));
    // All that VeNCrypt and the list of types have, and what becomes of it by a mistake with bytes or signs.
    let mut wanted: Vec<u32> = (0..=300).collect();
    for bit in 0..32 {
        let power = 1u32 << bit;
        wanted.extend([power - 1, power, power + 1, !power, power.wrapping_neg()]);
    }
    for number in &offered {
        wanted.extend([number.swap_bytes(), number << 8, number << 16, !number]);
        wanted.extend((8..32).map(|bit| number ^ 1 << bit));
    }
    let mut noise = Noise::new(8);
    for _ in 0..crate::number("RFBRIDGE_HOSTILE", 50) {
        wanted.push(u32::from_be_bytes(
            noise.bytes(4).try_into().expect("4 bytes"),
        ));
    }
    for number in wanted {
        if offered.contains(&number) {
            continue;
        }
        let mut socket = stranger(attack);
        assert_eq!(tls::subtypes(&mut socket), offered);
        socket.send(&[&number.to_be_bytes(), AHEAD].concat());
        assert_eq!(socket.read_to_close(), [0], "subtype {number}");
    }
    for version in [
        [0, 0],
        [0, 1],
        [0, 3],
        [0, 0xff],
        [1, 0],
        [2, 0],
        [0xff, 0xff],
    ] {
        let mut socket = attack.stranger(b"RFB 003.008\n\x13");
        let types = usize::from(socket.read(1)[0]);
        socket.read(types);
        assert_eq!(socket.read(2), [0, 2]);
        socket.send(&[&version, AHEAD].concat());
        assert_eq!(socket.read_to_close(), [0xff], "VeNCrypt {version:?}");
    }
    assert!(attack.server.reports().is_empty(), "no key was pressed");
}

/// Who sits in between writes a login, or more, into what comes before TLS.
pub fn ahead(attack: &Attack<'_>) {
    let hello = tls::hello(&tls::client(attack.server.certificate(), &TLS13));
    let login = plain(b"somebody", PASSWORD);
    let injected = [
        [&login, AHEAD].concat(),
        [&[0; 16], AHEAD].concat(),
        AHEAD.to_vec(),
        vec![1],
        hello,
    ];
    let rounds = crate::number("RFBRIDGE_HOSTILE", 40).div_ceil(2 * injected.len());
    let noticed = times_noticed(attack.server);
    for subtype in [X509VNC, X509PLAIN] {
        let polite = {
            let mut socket = attack.stranger(UNHEARD);
            let types = socket.read(1);
            let mut heard = [types.clone(), socket.read(types[0].into())].concat();
            heard.extend(socket.read(3));
            let subtypes = socket.read(1);
            heard.extend(&subtypes);
            heard.extend(socket.read(4 * usize::from(subtypes[0])));
            heard.push(1);
            heard
        };
        for bytes in injected.iter().cycle().take(rounds * injected.len()) {
            let choice = [&subtype.to_be_bytes(), &bytes[..]].concat();
            let mut socket = attack.stranger(&[UNHEARD, &choice].concat());
            assert_eq!(socket.read_to_close(), polite, "{subtype}, then {bytes:?}");
        }
    }
    let expected = noticed + 2 * rounds * injected.len();
    attack.server.wait_for("the reasons", |server| {
        (times_noticed(server) == expected).then_some(())
    });
    assert!(attack.server.reports().is_empty(), "no key was pressed");
}

fn times_noticed(server: &Server) -> usize {
    server.log().matches("before the encryption that").count()
}

/// What a TLS server says, if anything: whole records of handshake, alerts and the rest, and nothing in clear.
fn is_tls(mut answer: &[u8]) -> bool {
    while let [kind, 3, 1..=4, a, b, rest @ ..] = answer {
        let length = usize::from(u16::from_be_bytes([*a, *b]));
        match rest.split_at_checked(length) {
            Some((_, rest)) if (20..=23).contains(kind) => answer = rest,
            _ => return false,
        }
    }
    answer.is_empty()
}

/// Says this in place of TLS, and no more.
fn says(attack: &Attack<'_>, bytes: &[u8]) {
    let mut socket = chosen(stranger(attack), X509VNC);
    // It may hang up before it has been told everything.
    let _ = socket.0.write_all(bytes);
    let _ = socket.0.shutdown(Shutdown::Write);
    let answer = socket.read_to_close();
    assert!(is_tls(&answer), "{bytes:02x?}: {answer:02x?}");
}

pub fn broken(attack: &Attack<'_>) {
    let mut noise = Noise::new(15);
    for version in [&TLS12, &TLS13] {
        let hello = tls::hello(&tls::client(attack.server.certificate(), version));
        for length in 0..=hello.len() {
            says(attack, &hello[..length]);
        }
        // Left by RST, too.
        for length in 0..=hello.len() {
            let mut socket = chosen(stranger(attack), X509VNC);
            socket.send(&hello[..length]);
            let socket = socket2::SockRef::from(&socket.0);
            socket.set_linger(Some(Duration::ZERO)).expect("an option");
        }
        for place in 0..hello.len() {
            let mut damaged = hello.clone();
            damaged[place] ^= 1 + noise.below(255) as u8;
            says(attack, &damaged);
        }
    }
    // Alerts of both levels and one that there is not, and records that are larger than they may be.
    for level in [1, 2, 3] {
        for description in 0..=255 {
            says(attack, &[21, 3, 3, 0, 2, level, description]);
        }
    }
    for kind in 0..=255 {
        says(attack, &[kind, 3, 3, 0xff, 0xff, 0, 0, 0]);
        says(attack, &[kind, 3, 3, 0, 0]);
    }
    for _ in 0..crate::number("RFBRIDGE_HOSTILE", 150).div_ceil(3) {
        let length = 1 + noise.below(2000);
        let mut garbage = noise.bytes(length);
        says(attack, &garbage);
        // In a record that may be one, and as a handshake that may be one.
        let length = u16::try_from(garbage.len()).expect("short").to_be_bytes();
        garbage.splice(..0, [22, 3, 1, length[0], length[1]]);
        says(attack, &garbage);
        garbage[5] = 1;
        says(attack, &garbage);
    }
    // What breaks a session later on ends it as well.
    for version in [&TLS12, &TLS13] {
        let client = tls::client(attack.server.certificate(), version);
        let mut socket = over_tls(chosen(stranger(attack), X509VNC), &client);
        socket.read(16);
        let raw = &mut socket.0.sock;
        raw.write_all(&noise.bytes(100)).expect("a server");
        raw.shutdown(Shutdown::Write).expect("a socket");
        let mut rest = Vec::new();
        let _ = raw.read_to_end(&mut rest);
        assert!(is_tls(&rest), "{rest:02x?}");
    }
}

/// Says no more.
fn hang_up(socket: &Socket<Tls>) {
    socket.0.sock.shutdown(Shutdown::Write).expect("a socket");
}

/// A name and a password of any length that is told, and with as little behind it as can be.
pub fn plain_lengths(attack: &Attack<'_>) {
    const LENGTHS: [u32; 12] = [
        0,
        1,
        255,
        LIMIT - 1,
        LIMIT,
        LIMIT + 1,
        0xffff,
        0x1_0000,
        0x7fff_ffff,
        0x8000_0000,
        0x8000_0001,
        0xffff_ffff,
    ];
    let client = tls::client(attack.server.certificate(), &TLS13);
    let enter = || over_tls(chosen(stranger(attack), X509PLAIN), &client);
    enter().send(&[0]);
    let peak = attack.usage().peak_kib;
    let rounds = crate::number("RFBRIDGE_HOSTILE", 144).div_ceil(LENGTHS.len().pow(2));
    for _ in 0..rounds {
        for user in LENGTHS {
            for password in LENGTHS {
                if user == 0 && password == 0 {
                    continue;
                }
                let mut socket = enter();
                socket.send(&[user.to_be_bytes(), password.to_be_bytes()].concat());
                // What is too long ends without anybody hanging up.
                if user.max(password) <= LIMIT {
                    hang_up(&socket);
                }
                let answer = socket.read_to_close();
                assert!(answer.is_empty(), "{user} and {password}: {answer:?}");
            }
        }
    }
    let grown = attack.usage().peak_kib - peak;
    assert!(grown < MEANWHILE, "{grown} KiB");

    let longest = [b'x'; LIMIT as usize];
    let refused = [plain(b"", PASSWORD), plain(&longest, &longest)];
    for login in refused {
        let mut socket = enter();
        socket.send(&[&login, AHEAD].concat());
        let answer = socket.read_to_close();
        assert!(answer.len() > 4 && is_refusal(&answer, true), "{answer:?}");
    }
    let mut socket = enter();
    socket.send(&plain(&longest, PASSWORD));
    assert_eq!(socket.read(4), [0; 4], "the longest name there can be");
    assert!(attack.server.reports().is_empty(), "no key was pressed");
}
