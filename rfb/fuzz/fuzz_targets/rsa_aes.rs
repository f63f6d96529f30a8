//! A client that speaks RSA-AES as it should, but for one place. What it says in encrypted messages comes from the input,
//! so the fuzzer gets behind them without knowing how to encrypt.
//!
//! An input is: security type (bits 0 and 1), whether users have names (2) and whether the client is admitted (3); size
//! of the client's key; how many bytes arrive at a time; how many a message of the session carries; the number of the
//! message that is damaged, the place in it (two bytes), and by what (0: nothing comes from there on); length of the
//! credentials, these, and what is said in the session.
//!
//! RSA is the owner's affair and left out here: it would make each run another one.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use rfb::{
    frame::{Frame, FrameSeq},
    geom::Size,
    msg::version::GREETING,
    security::{
        Login, RsaAes, SecurityType, Upgrade,
        rsa_aes::{Done, Opener, PublicKey, Sealer, Strength, Task},
        secret::Secret,
    },
    server::{Connection, Event, ServerConfig},
    wire::Reader,
};
use sha1::Sha1;
use sha2::{Digest, Sha256};

const TYPES: [SecurityType; 4] = [
    SecurityType::Ra2,
    SecurityType::Ra2ne,
    SecurityType::Ra2Aes256,
    SecurityType::Ra2neAes256,
];
/// Bytes of the server's key, and the fewest of a client's.
const KEY: usize = 256;
const HOST_RANDOM: u8 = 0x5e;
/// The number of the last message that may be damaged and mean something else then, and that of the credentials.
const CHOICE: usize = 1;
const LOGIN: usize = 5;

fuzz_target!(|data: &[u8]| {
    let Some((header, text)) = data.split_first_chunk() else {
        return;
    };
    let &[
        how,
        size,
        at_a_time,
        carried,
        damaged,
        high,
        low,
        value,
        length,
    ] = header;
    if text.is_empty() {
        return;
    }
    let (credentials, session) = text.split_at(text.len().min(usize::from(length).max(1)));
    let carried = usize::from(carried).max(1);
    let case = Case::new(how, size);
    let mut messages = case.messages(credentials, session.chunks(carried));
    let damaged = usize::from(damaged);
    let damage = damage(&mut messages, damaged, [high, low], value).then_some(damaged);

    let mut server = Server::new(&case);
    let stream = messages.concat();
    let mut pieces = stream.chunks(usize::from(at_a_time).max(1));
    let has_failed = pieces.any(|piece| server.receive(piece).is_err());

    // Nothing that was damaged logs in, and nothing else comes out than what was put in.
    let login = login(credentials, case.names);
    match damage {
        Some(..=CHOICE) => assert!(server.login.is_none() || server.login == login),
        Some(..=LOGIN) => assert_eq!(server.login, None),
        _ => assert_eq!(server.login, login),
    }
    if case.all {
        let whole = match damage {
            Some(message) if message > LOGIN => (message - LOGIN - 1) * carried,
            _ => session.len(),
        };
        assert!(session[..whole].starts_with(&server.plain));
        let has_ended = has_failed || server.login.is_none();
        assert!(
            has_ended || server.plain.len() == whole,
            "bytes are missing"
        );
    }
    if damage.is_none() {
        let result = case.result(&server.sent);
        assert_eq!(result.is_empty(), login.is_none());
        if login.is_some() {
            assert_eq!(result[..4], u32::from(!case.admits).to_be_bytes());
        }
        if login.is_some() && case.admits && !session.is_empty() {
            assert_eq!(result[4..8], [0, 70, 0, 66]);
        }
    }
});

/// What both sides know.
struct Case {
    security: SecurityType,
    strength: Strength,
    /// Whether the session is encrypted as well.
    all: bool,
    names: bool,
    admits: bool,
    host_key: PublicKey,
    client_key: PublicKey,
    client_random: Secret,
    host_random: Secret,
}

impl Case {
    fn new(how: u8, size: u8) -> Self {
        let security = TYPES[usize::from(how & 3)];
        let RsaAes { strength, all } = security.rsa_aes().expect("all of them are");
        Self {
            security,
            strength,
            all,
            names: how & 4 != 0,
            admits: how & 8 != 0,
            host_key: key(KEY),
            client_key: key(KEY + usize::from(size) * 3),
            client_random: Secret::new(vec![0xc1; strength.bytes()]),
            host_random: Secret::new(vec![HOST_RANDOM; strength.bytes()]),
        }
    }

    /// The client's side of the stream.
    fn keys(&self) -> (Sealer, Opener) {
        self.strength.keys(&self.client_random, &self.host_random)
    }

    /// What the client says.
    fn messages<'a>(
        &self,
        credentials: &[u8],
        session: impl Iterator<Item = &'a [u8]>,
    ) -> Vec<Vec<u8>> {
        let (mut sealer, _) = self.keys();
        let mut sealed = |plain: &[u8]| {
            let mut out = Vec::new();
            sealer.seal(plain, &mut out);
            out
        };
        let mut messages = vec![
            GREETING.to_vec(),
            vec![self.number()],
            self.client_key.to_bytes(),
            encrypted(&self.client_random, &self.host_key),
            sealed(&self.hash(&self.client_key, &self.host_key)),
            sealed(credentials),
        ];
        messages.extend(session.map(|plain| match self.all {
            true => sealed(plain),
            false => plain.to_vec(),
        }));
        messages
    }

    /// What the server said behind the subtype; before it there is only what is due.
    fn result(&self, sent: &[u8]) -> Vec<u8> {
        let due = [
            &GREETING[..],
            &[1, self.number()],
            &self.host_key.to_bytes(),
            &encrypted(&self.host_random, &self.client_key),
        ];
        let rest = sent.strip_prefix(&due.concat()[..]).expect("what is due");
        let (_, mut opener) = self.keys();
        let mut reader = Reader::new(rest);
        let mut open = || {
            let opened = opener.open(&mut reader).ok()?;
            Some(opened.expect("the server's"))
        };
        assert_eq!(open(), Some(self.hash(&self.host_key, &self.client_key)));
        assert_eq!(open(), Some(vec![if self.names { 1 } else { 2 }]));
        match self.all {
            true => std::iter::from_fn(open).flatten().collect(),
            false => reader.rest().to_vec(),
        }
    }

    fn number(&self) -> u8 {
        self.security.number() as u8
    }

    fn hash(&self, first: &PublicKey, second: &PublicKey) -> Vec<u8> {
        let both = [first.to_bytes(), second.to_bytes()].concat();
        match self.strength {
            Strength::Aes128 => Sha1::digest(both).to_vec(),
            Strength::Aes256 => Sha256::digest(both).to_vec(),
        }
    }
}

/// The side whose owner does RSA and changes the stream.
struct Server {
    connection: Connection,
    admits: bool,
    stream: Option<(Sealer, Opener)>,
    incoming: Vec<u8>,
    /// What was decrypted.
    plain: Vec<u8>,
    login: Option<Login>,
    sent: Vec<u8>,
}

/// The connection has come to its end.
struct Ended;

impl Server {
    fn new(case: &Case) -> Self {
        let config = ServerConfig {
            name: "fuzzed".to_owned(),
            security: vec![case.security],
            host_key: Some(case.host_key.clone()),
            names: case.names,
        };
        let frame = Frame::solid(FrameSeq(1), Size::new(70, 66), 0x33_66_99);
        Self {
            connection: Connection::new(Arc::new(config), [7; 16], frame),
            admits: case.admits,
            stream: None,
            incoming: Vec::new(),
            plain: Vec::new(),
            login: None,
            sent: Vec::new(),
        }
    }

    fn receive(&mut self, piece: &[u8]) -> Result<(), Ended> {
        self.incoming.extend(piece);
        while !self.incoming.is_empty() {
            let plain = match &mut self.stream {
                None => std::mem::take(&mut self.incoming),
                Some((_, opener)) => {
                    let mut reader = Reader::new(&self.incoming);
                    let Ok(opened) = opener.open(&mut reader) else {
                        return Ok(());
                    };
                    let plain = opened.map_err(|_| Ended)?;
                    let consumed = reader.consumed();
                    self.incoming.drain(..consumed);
                    self.plain.extend(&plain);
                    plain
                }
            };
            let mut is_fine = self.connection.receive(&plain).is_ok();
            while let Some(event) = self.connection.next_event() {
                is_fine &= self.act(event);
            }
            self.send();
            if !is_fine {
                return Err(Ended);
            }
        }
        Ok(())
    }

    fn act(&mut self, event: Event) -> bool {
        match event {
            Event::Rsa(task) => return self.connection.rsa_done(perform(task)).is_ok(),
            Event::Upgrade(Upgrade::RsaAes {
                sealer,
                opener,
                received,
            }) => {
                self.send();
                self.incoming = received;
                self.stream = Some((sealer, opener));
                self.connection.upgraded();
            }
            Event::Upgrade(Upgrade::Tls) => panic!("it was not offered"),
            Event::Login(login) => {
                assert_eq!(self.login.replace(login), None);
                if self.admits {
                    return self.connection.admit().is_ok();
                }
                self.connection.deny("No.");
            }
            _ => {}
        }
        true
    }

    fn send(&mut self) {
        let output = self.connection.take_output();
        match &mut self.stream {
            None => self.sent.extend(output),
            Some((sealer, _)) => sealer.seal(&output, &mut self.sent),
        }
    }
}

/// Cuts the messages off at a place of one of them, or changes the byte there. False if there is no such place.
fn damage(messages: &mut Vec<Vec<u8>>, number: usize, place: [u8; 2], value: u8) -> bool {
    let place = usize::from(u16::from_be_bytes(place));
    let Some(message) = messages.get_mut(number) else {
        return false;
    };
    let Some(byte) = message.get_mut(place) else {
        return false;
    };
    *byte ^= value;
    if value == 0 {
        message.truncate(place);
        messages.truncate(number + 1);
    }
    true
}

/// Something that looks like a key of so many bytes.
fn key(size: usize) -> PublicKey {
    let modulus = vec![0xa5; size];
    PublicKey::new(&modulus, &[1, 0, 1]).expect("an odd number")
}

/// In the place of encryption: a number with zeros behind it, in as many bytes as the key has, and behind their number.
fn encrypted(number: &Secret, key: &PublicKey) -> Vec<u8> {
    let size = key.modulus().len();
    let mut out = (size as u16).to_be_bytes().to_vec();
    out.extend(number.as_bytes());
    out.resize(2 + size, 0);
    out
}

fn perform(task: Task) -> Done {
    match task {
        Task::Encrypt { key, length } => {
            let random = Secret::new(vec![HOST_RANDOM; length]);
            let encrypted = encrypted(&random, &key).split_off(2);
            Done::Encrypted { random, encrypted }
        }
        Task::Decrypt { encrypted, length } => {
            // Each byte counts.
            let mut random = vec![0; length];
            for (index, byte) in encrypted.into_iter().enumerate() {
                random[index % length] ^= byte;
            }
            Done::Decrypted(Secret::new(random))
        }
    }
}

/// What these credentials say, if they can be read.
fn login(credentials: &[u8], names: bool) -> Option<Login> {
    let text = |bytes: &[u8]| {
        let (length, rest) = bytes.split_first()?;
        let (text, rest) = rest.split_at_checked((*length).into())?;
        Some((text.to_vec(), rest.to_vec()))
    };
    let (user, rest) = text(credentials)?;
    let (password, _) = text(&rest)?;
    Some(Login::Password {
        user: names.then(|| String::from_utf8_lossy(&user).into_owned()),
        password: Secret::new(password),
    })
}
