//! RSA-AES from the client's side, message by message, so that each can be another than it should.
//!
//! Of cryptography it has what the server has. A client that was written apart from that is `tests/clients/rsa_aes.py`.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    sync::LazyLock,
};

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use rfb::{
    security::{
        SecurityType,
        rsa_aes::{Done, Opener, PublicKey, Sealer, Strength, Task},
        secret::Secret,
    },
    wire::Reader,
};
use rfbridge::identity::{self, HostKey};

use super::Socket;

/// The key of all these clients: it takes a while to make one.
static KEY: LazyLock<HostKey> = LazyLock::new(|| {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("key.pem");
    identity::create_host_key(&path, false).expect("a key");
    HostKey::open(&path).expect("the key")
});

/// A login under way.
pub struct Exchange {
    pub socket: Socket,
    security: SecurityType,
    strength: Strength,
    /// As it came.
    pub server_key: Vec<u8>,
    own: Option<Secret>,
    keys: Option<(Sealer, Opener)>,
}

impl Exchange {
    /// Greets, chooses this type and reads the server's key.
    pub fn begin(mut socket: Socket, security: SecurityType) -> Self {
        let types = socket.greet();
        let number = u8::try_from(security.number()).expect("a type of its own");
        assert!(types.contains(&number), "{types:?}");
        Self::choose(socket, security)
    }

    /// Chooses this type, which was offered, and reads the server's key.
    pub fn choose(mut socket: Socket, security: SecurityType) -> Self {
        let number = u8::try_from(security.number()).expect("a type of its own");
        socket.send(&[number]);
        let mut server_key = socket.read(4);
        let bits = u32::from_be_bytes(server_key[..].try_into().expect("4 bytes"));
        server_key.extend(socket.read(2 * bits.div_ceil(8) as usize));
        Self {
            socket,
            security,
            strength: security.rsa_aes().expect("RSA-AES").strength,
            server_key,
            own: None,
            keys: None,
        }
    }

    /// The client's key, its first message.
    pub fn key(&self) -> Vec<u8> {
        KEY.public().to_bytes()
    }

    /// A random number, encrypted by the server's key.
    pub fn random(&mut self) -> Vec<u8> {
        let (modulus, exponent) = self.server_key[4..].split_at((self.server_key.len() - 4) / 2);
        let key = PublicKey::new(modulus, exponent).expect("a key");
        let length = self.strength.bytes();
        let Done::Encrypted { random, encrypted } = KEY.perform(Task::Encrypt { key, length })
        else {
            panic!("a key that encrypts")
        };
        self.own = Some(random);
        counted(&encrypted)
    }

    /// Reads the server's random number. From here on messages are sealed.
    pub fn hear_random(&mut self) {
        let encrypted = self.hear_counted();
        let length = self.strength.bytes();
        let Done::Decrypted(theirs) = KEY.perform(Task::Decrypt { encrypted, length }) else {
            panic!("a random number")
        };
        let own = self.own.as_ref().expect("sent before");
        self.keys = Some(self.strength.keys(own, &theirs));
    }

    /// The hash of one key behind another.
    pub fn hash(&self, first: &[u8], second: &[u8]) -> Vec<u8> {
        let algorithm = match self.strength {
            Strength::Aes128 => &SHA1_FOR_LEGACY_USE_ONLY,
            Strength::Aes256 => &SHA256,
        };
        digest(algorithm, &[first, second].concat())
            .as_ref()
            .to_vec()
    }

    /// What shows the server that the client saw the same keys.
    pub fn proof(&mut self) -> Vec<u8> {
        let hash = self.hash(&self.key(), &self.server_key);
        self.seal(&hash)
    }

    /// A message with this inside.
    pub fn seal(&mut self, plain: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let (sealer, _) = self.keys.as_mut().expect("the random numbers are known");
        sealer.seal(plain, &mut out);
        out
    }

    /// Reads a message as it comes, and gives what is inside as well.
    pub fn hear(&mut self) -> (Vec<u8>, Vec<u8>) {
        let (_, opener) = self.keys.as_mut().expect("the random numbers are known");
        let mut message = self.socket.read(2);
        let length = u16::from_be_bytes([message[0], message[1]]);
        message.extend(self.socket.read(usize::from(length) + TAG));
        let opened = opener.open(&mut Reader::new(&message)).expect("whole");
        (message, opened.expect("the server's"))
    }

    /// Both sides have shown that they saw the same keys; gives whether the server asks for a name as well.
    pub fn agree(&mut self) -> bool {
        let opening = [self.key(), self.random()].concat();
        self.socket.send(&opening);
        self.hear_random();
        let proof = self.proof();
        self.socket.send(&proof);
        let expected = self.hash(&self.server_key, &self.key());
        assert_eq!(self.hear().1, expected, "the server saw the same keys");
        match self.hear().1[..] {
            [1] => true,
            [2] => false,
            ref other => panic!("{other:?} is no subtype"),
        }
    }

    /// A name, empty if none is asked for, and a password.
    pub fn credentials(&mut self, user: &[u8], password: &[u8]) -> Vec<u8> {
        let length = |text: &[u8]| u8::try_from(text.len()).expect("short");
        let plain = [&[length(user)], user, &[length(password)], password].concat();
        self.seal(&plain)
    }

    /// Sends the name, if one is asked for, and the password; the result comes next.
    pub fn log_in(mut self, user: &str, password: &str) -> Socket<Sealed> {
        let user = if self.agree() { user } else { "" };
        let message = self.credentials(user.as_bytes(), password.as_bytes());
        self.socket.send(&message);
        self.over()
    }

    /// The stream as it is behind the password.
    pub fn over(self) -> Socket<Sealed> {
        let all = self.security.rsa_aes().expect("RSA-AES").all;
        Socket(Sealed {
            stream: self.socket.0,
            keys: self.keys.filter(|_| all),
            plain: Vec::new(),
        })
    }

    fn hear_counted(&mut self) -> Vec<u8> {
        let count = self.socket.read(2);
        self.socket
            .read(u16::from_be_bytes([count[0], count[1]]).into())
    }
}

/// A login by this type as far as the result, which comes next.
pub fn log_in(
    socket: Socket,
    security: SecurityType,
    user: &str,
    password: &str,
) -> Socket<Sealed> {
    Exchange::begin(socket, security).log_in(user, password)
}

/// U16 length, and so many bytes.
pub fn counted(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).expect("short").to_be_bytes();
    [&length, bytes].concat()
}

/// Bytes of authentication behind each sealed message.
const TAG: usize = 16;

/// A stream of sealed messages; behind RA2ne one in clear.
pub struct Sealed {
    pub stream: TcpStream,
    keys: Option<(Sealer, Opener)>,
    /// Opened and not read yet.
    plain: Vec<u8>,
}

impl Read for Sealed {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let Some((_, opener)) = &mut self.keys else {
            return self.stream.read(to);
        };
        while self.plain.is_empty() {
            let mut message = vec![0; 2];
            if self.stream.read(&mut message[..1])? == 0 {
                return Ok(0);
            }
            self.stream.read_exact(&mut message[1..])?;
            let length = u16::from_be_bytes([message[0], message[1]]);
            message.resize(2 + usize::from(length) + TAG, 0);
            self.stream.read_exact(&mut message[2..])?;
            let opened = opener.open(&mut Reader::new(&message)).expect("whole");
            self.plain = opened.map_err(io::Error::other)?;
        }
        let n = self.plain.as_slice().read(to)?;
        self.plain.drain(..n);
        Ok(n)
    }
}

impl Write for Sealed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some((sealer, _)) = &mut self.keys else {
            return self.stream.write(bytes);
        };
        let mut out = Vec::new();
        sealer.seal(bytes, &mut out);
        self.stream.write_all(&out).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}
