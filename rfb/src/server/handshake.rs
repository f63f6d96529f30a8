//! From the greeting to ClientInit (RFC 6143 §7.1 to §7.3), each state moved by value.

use crate::error::Error;
use crate::msg::server;
use crate::msg::version::{self, Version};
use crate::security::SecurityType;
use crate::security::vnc_auth::{Challenge, Password};
use crate::wire::{Put, Read, Reader};

/// What the server waits for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Handshake {
    #[default]
    ProtocolVersion,
    /// The choice among the types offered (3.7 and 3.8; in 3.3 the server chooses).
    SecurityChoice {
        version: Version,
        offered: SecurityType,
    },
    VncAuthResponse {
        version: Version,
    },
    ClientInit,
}

/// What the handshake needs to know of this connection.
pub(super) struct Peer<'a> {
    pub(super) password: Option<&'a Password>,
    pub(super) challenge: &'a Challenge,
    pub(super) refusal: Option<&'a str>,
}

/// What a message led to.
pub(super) enum Step {
    /// Nothing that changes the state.
    Done,
    Next {
        state: Handshake,
        authenticated: bool,
    },
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
            Self::SecurityChoice { version, offered } => {
                let choice = reader.u8()?;
                if choice == offered.number() {
                    Ok(begin(version, offered, peer, out))
                } else {
                    fail(version, out, "This security type was not offered.");
                    Err(Error::SecurityNotOffered(choice))
                }
            }
            Self::VncAuthResponse { version } => {
                let response = reader.array()?;
                if peer
                    .password
                    .is_some_and(|p| p.verify(peer.challenge, &response))
                {
                    out.put_u32(0);
                    Ok(Step::Next {
                        state: Self::ClientInit,
                        authenticated: true,
                    })
                } else {
                    fail(version, out, "Wrong password.");
                    Err(Error::AuthenticationFailed)
                }
            }
            Self::ClientInit => Ok(Step::Finished {
                shared: reader.u8()? != 0,
            }),
        })
    }
}

/// Offers the one security type there is: a list from 3.7 on, a decision in 3.3.
fn offer(version: Version, peer: &Peer<'_>, out: &mut Vec<u8>) -> Result<Step, Error> {
    if let Some(reason) = peer.refusal {
        match version {
            Version::V33 => out.put_u32(0),
            Version::V37 | Version::V38 => out.put_u8(0),
        }
        server::reason(out, reason);
        return Err(Error::Refused(reason.to_owned()));
    }
    let offered = match peer.password {
        Some(_) => SecurityType::VncAuth,
        None => SecurityType::None,
    };
    if version == Version::V33 {
        out.put_u32(u32::from(offered.number()));
        return Ok(begin(version, offered, peer, out));
    }
    out.put(&[1, offered.number()]);
    let state = Handshake::SecurityChoice { version, offered };
    Ok(Step::Next {
        state,
        authenticated: false,
    })
}

/// Starts the security type that was agreed on.
fn begin(version: Version, security: SecurityType, peer: &Peer<'_>, out: &mut Vec<u8>) -> Step {
    match security {
        SecurityType::None => {
            // Only 3.8 has a SecurityResult for None.
            if version == Version::V38 {
                out.put_u32(0);
            }
            Step::Next {
                state: Handshake::ClientInit,
                authenticated: true,
            }
        }
        SecurityType::VncAuth => {
            out.put(peer.challenge);
            Step::Next {
                state: Handshake::VncAuthResponse { version },
                authenticated: false,
            }
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
