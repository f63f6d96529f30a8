//! From the greeting to ClientInit (RFC 6143 §7.1 to §7.3), each state moved by value.

use crate::error::Error;
use crate::msg::server;
use crate::msg::version::{self, Version};
use crate::security::vnc_auth::Challenge;
use crate::security::{Login, SecurityType};
use crate::wire::{Put, Read, Reader};

/// What the server waits for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Handshake {
    #[default]
    ProtocolVersion,
    /// The choice among the types offered (3.7 and 3.8; in 3.3 the server chooses).
    SecurityChoice {
        version: Version,
    },
    VncAuthResponse {
        version: Version,
    },
    ClientInit,
}

/// The client has given what it has to; whether that lets it in is not for the protocol to say, only how it is told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Verdict {
    version: Version,
    security: SecurityType,
}

/// What the handshake needs to know of this connection.
pub(super) struct Peer<'a> {
    pub(super) offer: &'a [SecurityType],
    pub(super) challenge: &'a Challenge,
    pub(super) refusal: Option<&'a str>,
}

/// What a message led to.
pub(super) enum Step {
    /// Nothing that changes the state.
    Done,
    Next(Handshake),
    /// The owner of the connection has to decide.
    Ask(Verdict, Login),
    Finished {
        shared: bool,
    },
}

impl Handshake {
    /// Reads one message and writes the answer. Nothing is written until the message is whole.
    pub(super) fn step(
        self,
        peer: &Peer<'_>,
        reader: &mut Reader<'_>,
        out: &mut Vec<u8>,
    ) -> Read<Result<Step, Error>> {
        Ok(match self {
            Self::ProtocolVersion => match version::read(reader)? {
                Ok(version) => offer(version, peer, out),
                Err(e) => Err(e),
            },
            Self::SecurityChoice { version } => {
                let choice = reader.u8()?;
                match peer.offer.iter().find(|s| s.number() == choice) {
                    Some(security) => Ok(begin(version, *security, peer, out)),
                    None => {
                        fail(version, out, "This security type was not offered.");
                        Err(Error::SecurityNotOffered(choice))
                    }
                }
            }
            Self::VncAuthResponse { version } => {
                let verdict = Verdict {
                    version,
                    security: SecurityType::VncAuth,
                };
                let login = Login::VncAuth {
                    challenge: *peer.challenge,
                    response: reader.array()?,
                };
                Ok(Step::Ask(verdict, login))
            }
            Self::ClientInit => Ok(Step::Finished {
                shared: reader.u8()? != 0,
            }),
        })
    }
}

impl Verdict {
    pub(super) fn admit(self, out: &mut Vec<u8>) {
        // Only 3.8 has a SecurityResult for None.
        if self.security != SecurityType::None || self.version == Version::V38 {
            out.put_u32(0);
        }
    }

    pub(super) fn deny(self, out: &mut Vec<u8>, reason: &str) {
        if self.security != SecurityType::None || self.version == Version::V38 {
            fail(self.version, out, reason);
        }
    }
}

/// Offers the security types: a list from 3.7 on, a decision in 3.3.
fn offer(version: Version, peer: &Peer<'_>, out: &mut Vec<u8>) -> Result<Step, Error> {
    if let Some(reason) = peer.refusal {
        return refuse(version, reason, out);
    }
    if version != Version::V33 {
        let list: Vec<u8> = peer.offer.iter().map(|s| s.number()).collect();
        out.put_u8(u8::try_from(list.len()).unwrap_or(0));
        out.put(&list);
        return Ok(Step::Next(Handshake::SecurityChoice { version }));
    }
    match peer.offer.first() {
        Some(security) => {
            out.put_u32(u32::from(security.number()));
            Ok(begin(version, *security, peer, out))
        }
        None => refuse(version, "No security type is offered.", out),
    }
}

fn refuse(version: Version, reason: &str, out: &mut Vec<u8>) -> Result<Step, Error> {
    match version {
        Version::V33 => out.put_u32(0),
        Version::V37 | Version::V38 => out.put_u8(0),
    }
    server::reason(out, reason);
    Err(Error::Refused(reason.to_owned()))
}

/// Starts the security type that was agreed on.
fn begin(version: Version, security: SecurityType, peer: &Peer<'_>, out: &mut Vec<u8>) -> Step {
    match security {
        SecurityType::None => Step::Ask(Verdict { version, security }, Login::Anonymous),
        SecurityType::VncAuth => {
            out.put(peer.challenge);
            Step::Next(Handshake::VncAuthResponse { version })
        }
    }
}

/// SecurityResult "failed"; only 3.8 has room for a reason.
fn fail(version: Version, out: &mut Vec<u8>, reason: &str) {
    out.put_u32(1);
    if version == Version::V38 {
        server::reason(out, reason);
    }
}
