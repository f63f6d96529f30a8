//! A peer that says anything at all to a server that offers some of the security types. Its stream changes where it has
//! to, which costs the fuzzer nothing: what is sent over TLS is given here as it is.
//!
//! The first two bytes say which types are offered, the third whether the client is admitted (bit 0), whether users have
//! names (bit 1), and how many bytes arrive at a time (the rest).
#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use rfb::{
    Error,
    frame::{Frame, FrameSeq},
    geom::Size,
    security::{
        Asks, Login, SecurityType, Upgrade, plain,
        rsa_aes::{Done, Task},
        secret::Secret,
    },
    server::{Connection, Event, ServerConfig},
};
use rfbridge::identity::{HostKey, create_host_key};

const CHALLENGE: [u8; 16] = [7; 16];
/// More than every answer of a handshake together.
const MOST_OUTPUT: usize = 4096;

/// RSA is really done, by a key of this process. What comes of it is random and only looked at.
static KEY: LazyLock<HostKey> = LazyLock::new(|| {
    let name = format!("rfbridge-fuzz-{}.key", std::process::id());
    let path = std::env::temp_dir().join(name);
    create_host_key(&path, true).expect("a new key");
    HostKey::open(&path).expect("what was written")
});

fuzz_target!(|data: &[u8]| {
    let Some((&[high, low, how], bytes)) = data.split_first_chunk() else {
        return;
    };
    let offered = u16::from_be_bytes([high, low]);
    let types = SecurityType::ALL.into_iter().enumerate();
    let types = types.filter(|(bit, _)| offered >> bit & 1 != 0);
    let config = Arc::new(ServerConfig {
        name: "fuzzed".to_owned(),
        security: types.map(|(_, security)| security).collect(),
        host_key: Some(KEY.public().clone()),
        names: how & 2 != 0,
    });
    if config.security.is_empty() {
        return;
    }
    let bytewise = talk(&config, how & 1 != 0, bytes.chunks(1));
    assert!(bytewise.output.len() <= MOST_OUTPUT + bytes.len() * 16);

    // The same comes of it in other pieces, if none begins before a change of the stream and ends behind it.
    let (before, behind) = bytes.split_at(bytewise.over_tls_from.unwrap_or(bytes.len()));
    let at_a_time = usize::from(how >> 2).max(1);
    let pieces = before.chunks(at_a_time).chain(behind.chunks(at_a_time));
    assert_eq!(talk(&config, how & 1 != 0, pieces), bytewise);
});

#[derive(Debug, PartialEq)]
struct Talk {
    /// But for those that ask for RSA.
    events: Vec<Event>,
    output: Vec<u8>,
    end: Result<(), Error>,
    /// After how many bytes the stream became TLS.
    over_tls_from: Option<usize>,
}

fn talk<'a>(
    config: &Arc<ServerConfig>,
    admits: bool,
    pieces: impl Iterator<Item = &'a [u8]>,
) -> Talk {
    let frame = Frame::solid(FrameSeq(1), Size::new(70, 66), 0x33_66_99);
    let mut connection = Connection::new(Arc::clone(config), CHALLENGE, frame);
    let mut talk = Talk {
        events: Vec::new(),
        output: Vec::new(),
        end: Ok(()),
        over_tls_from: None,
    };
    let mut received = 0;
    for piece in pieces {
        received += piece.len();
        talk.end = match connection.receive(piece) {
            // It shows as much as had come by then.
            Err(Error::NotRfb(_)) => Err(Error::NotRfb(String::new())),
            end => end,
        };
        while let Some(event) = connection.next_event() {
            let is_over_tls = talk.over_tls_from.is_some();
            talk.end = talk.end.and_then(|()| match &event {
                Event::Upgrade(Upgrade::Tls) => {
                    assert!(
                        config
                            .security
                            .iter()
                            .any(|security| security.is_over_tls())
                    );
                    talk.over_tls_from = Some(received);
                    connection.upgraded();
                    Ok(())
                }
                Event::Upgrade(_) => panic!("nobody makes what is encrypted by chance"),
                Event::Rsa(task) => connection.rsa_done(perform(task)),
                Event::Login(login) => {
                    let security = connection.security().expect("it is known by now");
                    assert!(config.security.contains(&security), "{security}");
                    assert_eq!(security.is_over_tls(), is_over_tls, "{security}");
                    check(security.asks_for(), login);
                    match admits {
                        true => connection.admit(),
                        false => {
                            connection.deny("No.");
                            Err(Error::Ended)
                        }
                    }
                }
                _ => Ok(()),
            });
            if !matches!(event, Event::Rsa(_)) {
                talk.events.push(event);
            }
        }
        talk.output.extend(connection.take_output());
        if talk.end.is_err() {
            assert_eq!(connection.receive(b"more"), Err(Error::Ended));
            break;
        }
    }
    talk
}

fn check(asks: Asks, login: &Login) {
    match (asks, login) {
        (Asks::Nothing, Login::Anonymous) => {}
        (Asks::Response, Login::VncAuth { challenge, .. }) => assert_eq!(*challenge, CHALLENGE),
        (Asks::Password, Login::Password { user, password }) => {
            // A byte that is no UTF-8 becomes three.
            let user = user.as_ref().map_or(0, String::len);
            assert!(user <= 3 * plain::LIMIT as usize);
            assert!(password.as_bytes().len() <= plain::LIMIT as usize);
        }
        _ => panic!("{asks:?} and not {login:?}"),
    }
}

/// Does what is asked for, and gives something of the same form that is always the same.
fn perform(task: &Task) -> Done {
    match (KEY.perform(task.clone()), task) {
        (Done::Encrypted { encrypted, .. }, Task::Encrypt { key, length }) => {
            assert_eq!(encrypted.len(), key.modulus().len());
            Done::Encrypted {
                random: Secret::new(vec![1; *length]),
                encrypted: vec![2; encrypted.len()],
            }
        }
        (Done::BadKey, Task::Encrypt { .. }) => Done::BadKey,
        (Done::Decrypted(random), Task::Decrypt { length, .. }) => {
            assert_eq!(random.as_bytes().len(), *length);
            Done::Decrypted(Secret::new(vec![3; *length]))
        }
        (done, task) => panic!("{done:?} of {task:?}"),
    }
}
