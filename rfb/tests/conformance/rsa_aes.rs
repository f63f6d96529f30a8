//! RSA-AES, with numbers that nobody encrypted: RSA is the owner's affair, and here it only pads.

use std::sync::Arc;

use rfb::Error;
use rfb::security::rsa_aes::{Done, Opener, PublicKey, Sealer, Strength, Task};
use rfb::security::secret::Secret;
use rfb::security::{Login, SecurityType, Upgrade};
use rfb::server::{Connection, Event, ServerConfig};
use rfb::wire::Reader;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::talk::{ARRIVALS, Arrival, CHALLENGE, SIZE, screen};

const TYPES: [SecurityType; 4] = [
    SecurityType::Ra2,
    SecurityType::Ra2ne,
    SecurityType::Ra2Aes256,
    SecurityType::Ra2neAes256,
];
/// Bytes of the server's key, and of the client's.
const SIZES: (usize, usize) = (256, 384);

fn key(size: usize) -> PublicKey {
    let mut modulus = vec![0xa5; size];
    modulus[size - 1] = 1;
    PublicKey::new(&modulus, &[1, 0, 1]).expect("a key, by its looks")
}

/// A server that was asked for RSA-AES, and the client's side of it.
struct Exchange {
    connection: Connection,
    arrival: Arrival,
    strength: Strength,
    events: Vec<Event>,
    /// What the owner makes of the client's random number.
    decrypts: bool,
}

impl Exchange {
    fn new(arrival: Arrival, security: SecurityType, names: bool) -> Self {
        let config = ServerConfig {
            name: "a target".to_owned(),
            security: vec![security],
            host_key: Some(key(SIZES.0)),
            names,
        };
        let mut connection = Connection::new(Arc::new(config), CHALLENGE, screen(1, SIZE, None));
        connection.receive(b"RFB 003.008\n").expect("a version");
        let number = u8::try_from(security.number()).expect("a type of its own");
        assert_eq!(connection.take_output()[12..], [1, number]);
        connection.receive(&[number]).expect("what was offered");
        assert_eq!(connection.take_output(), key(SIZES.0).to_bytes());
        Self {
            connection,
            arrival,
            strength: security.rsa_aes().expect("RSA-AES").strength,
            events: Vec::new(),
            decrypts: true,
        }
    }

    /// Sends, does RSA where it is asked for, and gives what the server answers.
    fn say(&mut self, bytes: &[u8]) -> Result<Vec<u8>, Error> {
        let pieces: Vec<&[u8]> = match self.arrival {
            Arrival::Whole => vec![bytes],
            Arrival::ByteByByte => bytes.chunks(1).collect(),
        };
        for piece in pieces {
            self.connection.receive(piece)?;
            while let Some(event) = self.connection.next_event() {
                match event {
                    Event::Rsa(task) => {
                        let done = self.rsa(task);
                        self.connection.rsa_done(done)?;
                    }
                    other => self.events.push(other),
                }
            }
        }
        Ok(self.connection.take_output().to_vec())
    }

    fn rsa(&self, task: Task) -> Done {
        match task {
            Task::Encrypt { key, length } => {
                assert_eq!(key.modulus().len(), SIZES.1);
                Done::Encrypted {
                    random: Secret::new(vec![0x5e; length]),
                    encrypted: vec![0xee; SIZES.1],
                }
            }
            Task::Decrypt { encrypted, length } => {
                assert_eq!(encrypted, vec![0xcc; SIZES.0]);
                let byte = if self.decrypts { 0xc1 } else { 0 };
                Done::Decrypted(Secret::new(vec![byte; length]))
            }
        }
    }

    /// The client's key and its random number.
    fn opening(&self) -> Vec<u8> {
        let mut bytes = key(SIZES.1).to_bytes();
        bytes.extend(u16::try_from(SIZES.0).expect("short").to_be_bytes());
        bytes.extend(vec![0xcc; SIZES.0]);
        bytes
    }

    /// The client's directions of the stream.
    fn keys(&self) -> (Sealer, Opener) {
        let random = |byte| Secret::new(vec![byte; self.strength.bytes()]);
        self.strength.keys(&random(0xc1), &random(0x5e))
    }

    fn hash(&self, first: &PublicKey, second: &PublicKey) -> Vec<u8> {
        let both = [first.to_bytes(), second.to_bytes()].concat();
        match self.strength {
            Strength::Aes128 => Sha1::digest(both).to_vec(),
            Strength::Aes256 => Sha256::digest(both).to_vec(),
        }
    }

    /// Up to where credentials are due; gives the subtype as well.
    fn agreed(&mut self) -> (Sealer, Opener, Vec<u8>) {
        let (mut sealer, mut opener) = self.keys();
        let mut opening = self.opening();
        let hash = self.hash(&key(SIZES.1), &key(SIZES.0));
        sealer.seal(&hash, &mut opening);
        let answer = self.say(&opening).expect("what is right");
        let (random, sealed) = answer.split_at(2 + SIZES.1);
        assert_eq!(random[..2], [1, 128]);
        let mut reader = Reader::new(sealed);
        let mut open = || {
            opener
                .open(&mut reader)
                .expect("whole")
                .expect("the server's")
        };
        let (theirs, subtype) = (open(), open());
        assert_eq!(theirs, self.hash(&key(SIZES.0), &key(SIZES.1)));
        assert!(reader.rest().is_empty());
        (sealer, opener, subtype)
    }
}

fn credentials(user: &[u8], password: &[u8]) -> Vec<u8> {
    let length = |text: &[u8]| u8::try_from(text.len()).expect("short");
    [&[length(user)], user, &[length(password)], password].concat()
}

#[test]
fn each_type_hands_over_the_password_and_the_rest_in_its_way() {
    for arrival in ARRIVALS {
        for security in TYPES {
            for names in [false, true] {
                let mut exchange = Exchange::new(arrival, security, names);
                let (mut sealer, mut opener, subtype) = exchange.agreed();
                assert_eq!(subtype, [if names { 1 } else { 2 }]);
                let user: &[u8] = if names { b"somebody" } else { b"" };
                let mut sealed = Vec::new();
                sealer.seal(&credentials(user, b"letmein"), &mut sealed);
                assert_eq!(exchange.say(&sealed), Ok(vec![]));

                let all = security.rsa_aes().expect("RSA-AES").all;
                if all {
                    let Some(Event::Upgrade(Upgrade::RsaAes { sealer: theirs, .. })) =
                        exchange.events.pop()
                    else {
                        panic!("the stream has to change")
                    };
                    let (mut near, mut far) = (theirs, Vec::new());
                    near.seal(b"result", &mut far);
                    let opened = opener.open(&mut Reader::new(&far)).expect("whole");
                    assert_eq!(opened, Ok(b"result".to_vec()));
                    exchange.connection.upgraded();
                    exchange.events.extend(exchange.connection.next_event());
                }
                let login = Login::Password {
                    user: names.then(|| "somebody".to_owned()),
                    password: Secret::new(b"letmein".to_vec()),
                };
                assert_eq!(exchange.events, [Event::Login(login)]);
                exchange.connection.admit().expect("it waits for that");
                assert_eq!(exchange.connection.take_output(), [0; 4][..]);
                assert_eq!(exchange.connection.security(), Some(security));
            }
        }
    }
}

/// What a client sends behind its password belongs to the stream as it will be.
#[test]
fn what_comes_early_goes_with_the_stream() {
    let mut exchange = Exchange::new(Arrival::Whole, SecurityType::Ra2, false);
    let (mut sealer, _, _) = exchange.agreed();
    let (mut sealed, mut early) = (Vec::new(), Vec::new());
    sealer.seal(&credentials(b"", b"letmein"), &mut sealed);
    sealer.seal(&[1], &mut early);
    sealed.extend(&early);
    exchange.say(&sealed).expect("what is right");
    let Some(Event::Upgrade(Upgrade::RsaAes {
        mut opener,
        received,
        ..
    })) = exchange.events.pop()
    else {
        panic!("the stream has to change")
    };
    assert_eq!(received, early);
    let opened = opener.open(&mut Reader::new(&received)).expect("whole");
    assert_eq!(opened, Ok(vec![1]));
}

#[test]
fn keys_that_can_be_none_are_refused_before_anything_is_done_with_them() {
    let sent = |bits: u32, modulus: &[u8], exponent: &[u8]| {
        [&bits.to_be_bytes()[..], modulus, exponent].concat()
    };
    let padded = |number: &[u8], size: usize| [&vec![0; size - number.len()][..], number].concat();
    let good = key(256).modulus().to_vec();
    let mut even = good.clone();
    even[255] = 2;
    let e = padded(&[3], 256);
    for (bits, modulus, exponent) in [
        (0, &[][..], &[][..]),
        (u32::MAX, &[], &[]),
        (8193, &[], &[]),
        (1024, &good[..128], &e[128..]),
        (2048, &padded(&[], 256), &e),
        (2048, &padded(&[1], 256), &e),
        (2048, &even, &e),
        (2048, &padded(&good[128..], 256), &e),
        (2048, &good, &padded(&[], 256)),
        (2048, &good, &padded(&[1], 256)),
        (2048, &good, &padded(&[4], 256)),
        (2048, &good, &good),
    ] {
        for arrival in ARRIVALS {
            let mut exchange = Exchange::new(arrival, SecurityType::Ra2, false);
            let result = exchange.say(&sent(bits, modulus, exponent));
            assert_eq!(result, Err(Error::RsaKey(bits)));
            assert_eq!(exchange.say(&[0]), Err(Error::Ended));
        }
    }
}

#[test]
fn whoever_cannot_decrypt_or_saw_another_key_gets_no_further() {
    for arrival in ARRIVALS {
        // The owner drew a number instead of what it could not decrypt.
        let mut exchange = Exchange::new(arrival, SecurityType::Ra2, false);
        exchange.decrypts = false;
        let (mut sealer, _) = exchange.keys();
        let mut opening = exchange.opening();
        let hash = exchange.hash(&key(SIZES.1), &key(SIZES.0));
        sealer.seal(&hash, &mut opening);
        assert!(matches!(exchange.say(&opening), Err(Error::RsaAes(_))));

        let mut exchange = Exchange::new(arrival, SecurityType::Ra2, false);
        let (mut sealer, _) = exchange.keys();
        let mut opening = exchange.opening();
        let hash = exchange.hash(&key(SIZES.1), &key(SIZES.1));
        sealer.seal(&hash, &mut opening);
        assert!(matches!(exchange.say(&opening), Err(Error::RsaAes(_))));
        assert!(exchange.events.is_empty());

        let mut exchange = Exchange::new(arrival, SecurityType::Ra2, false);
        let mut opening = key(SIZES.1).to_bytes();
        opening.extend([0xff, 0xff]);
        assert!(matches!(exchange.say(&opening), Err(Error::RsaAes(_))));
    }
}

#[test]
fn credentials_that_lie_about_their_length_end_the_connection() {
    for plain in [&[200, 1, 2][..], &[0, 200, 1], &[1, b'a']] {
        let mut exchange = Exchange::new(Arrival::ByteByByte, SecurityType::Ra2ne, true);
        let (mut sealer, _, _) = exchange.agreed();
        let mut sealed = Vec::new();
        sealer.seal(plain, &mut sealed);
        assert!(matches!(exchange.say(&sealed), Err(Error::RsaAes(_))));
        assert!(exchange.events.is_empty());
    }
    let mut exchange = Exchange::new(Arrival::Whole, SecurityType::Ra2ne, true);
    exchange.agreed();
    let result = exchange.say(&[0xff, 0xff]);
    assert!(
        matches!(result, Err(Error::RsaAes(_))),
        "before it is there"
    );
}
