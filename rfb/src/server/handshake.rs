//! From the greeting to ClientInit (RFC 6143 §7.1 to §7.3), each state moved by value.

use crate::error::Error;
use crate::msg::server;
use crate::msg::version::{self, Version};
use crate::security::rsa_aes::{Exchange, PublicKey, Task};
use crate::security::vnc_auth::Challenge;
use crate::security::{Asks, Login, RsaAes, SecurityType, Upgrade, plain, vencrypt};
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
    VeNCryptVersion {
        version: Version,
    },
    VeNCryptChoice {
        version: Version,
    },
    VncAuthResponse(Verdict),
    PlainLogin(Verdict),
    ClientInit,
}

/// The client has given what it has to, or will; whether that lets it in is not for the protocol to say, only how it is
/// told.
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
    pub(super) host_key: Option<&'a PublicKey>,
    /// Whether users have names.
    pub(super) names: bool,
}

/// What a message led to.
pub(super) enum Step {
    /// Nothing that changes the state.
    Done,
    Next(Handshake),
    /// The owner of the connection has to change the stream; then the login goes on, if it has not come yet.
    Upgrade(Upgrade, Verdict, Option<Login>),
    /// RSA-AES goes on from here.
    RsaAes(Verdict, Box<Exchange>),
    /// The owner of the connection has to do RSA.
    Rsa(Task),
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
            Self::SecurityChoice { version } => choice(version, reader.u8()?, peer, out),
            Self::VeNCryptVersion { version } => {
                vencrypt_version(version, reader.array()?, peer, out)
            }
            Self::VeNCryptChoice { version } => vencrypt_choice(version, reader.u32()?, peer, out),
            Self::VncAuthResponse(verdict) => {
                let login = Login::VncAuth {
                    challenge: *peer.challenge,
                    response: reader.array()?,
                };
                Ok(Step::Ask(verdict, login))
            }
            Self::PlainLogin(verdict) => {
                plain::read(reader)?.map(|login| Step::Ask(verdict, login))
            }
            Self::ClientInit => Ok(Step::Finished {
                shared: reader.u8()? != 0,
            }),
        })
    }
}

impl Verdict {
    /// Asks for what the security type needs, over the stream that it needs.
    pub(super) fn begin(self, peer: &Peer<'_>, out: &mut Vec<u8>) -> Step {
        if let (Some(RsaAes { strength, .. }), Some(host_key)) =
            (self.security.rsa_aes(), peer.host_key)
        {
            let exchange = Exchange::begin(strength, peer.names, host_key, out);
            return Step::RsaAes(self, Box::new(exchange));
        }
        match self.security.asks_for() {
            Asks::Nothing => Step::Ask(self, Login::Anonymous),
            Asks::Response => {
                out.put(peer.challenge);
                Step::Next(Handshake::VncAuthResponse(self))
            }
            Asks::Password => Step::Next(Handshake::PlainLogin(self)),
        }
    }

    pub(super) fn security(self) -> SecurityType {
        self.security
    }

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
        let list = numbers(peer.offer);
        out.put_u8(u8::try_from(list.len()).unwrap_or(0));
        out.put(&list);
        return Ok(Step::Next(Handshake::SecurityChoice { version }));
    }
    let old =
        |security: &&SecurityType| matches!(security, SecurityType::None | SecurityType::VncAuth);
    match peer.offer.iter().find(old) {
        Some(security) => {
            out.put_u32(security.number());
            let security = *security;
            Ok(Verdict { version, security }.begin(peer, out))
        }
        None => refuse(
            version,
            "RFB 3.3 has no security type that is offered.",
            out,
        ),
    }
}

/// What is offered as the list has it: all that runs over TLS is one entry.
fn numbers(offer: &[SecurityType]) -> Vec<u8> {
    let mut list = Vec::new();
    for security in offer {
        let number = u8::try_from(security.number()).unwrap_or(vencrypt::NUMBER);
        if !list.contains(&number) {
            list.push(number);
        }
    }
    list
}

fn refuse(version: Version, reason: &str, out: &mut Vec<u8>) -> Result<Step, Error> {
    match version {
        Version::V33 => out.put_u32(0),
        Version::V37 | Version::V38 => out.put_u8(0),
    }
    server::reason(out, reason);
    Err(Error::Refused(reason.to_owned()))
}

/// The client chose from the list.
fn choice(version: Version, number: u8, peer: &Peer<'_>, out: &mut Vec<u8>) -> Result<Step, Error> {
    if !numbers(peer.offer).contains(&number) {
        fail(version, out, "This security type was not offered.");
        return Err(Error::SecurityNotOffered(number.into()));
    }
    let chosen = |security: &&SecurityType| security.number() == u32::from(number);
    Ok(match peer.offer.iter().find(chosen) {
        Some(security) => {
            let security = *security;
            Verdict { version, security }.begin(peer, out)
        }
        None => {
            out.put(&vencrypt::VERSION);
            Step::Next(Handshake::VeNCryptVersion { version })
        }
    })
}

/// The client says which version of VeNCrypt it speaks; 0 is the acknowledgement.
fn vencrypt_version(
    version: Version,
    spoken: [u8; 2],
    peer: &Peer<'_>,
    out: &mut Vec<u8>,
) -> Result<Step, Error> {
    if spoken != vencrypt::VERSION {
        out.put_u8(0xff);
        let [major, minor] = spoken;
        return Err(Error::VeNCryptVersion { major, minor });
    }
    out.put_u8(0);
    let subtypes = vencrypt::subtypes(peer.offer);
    out.put_u8(u8::try_from(subtypes.len()).unwrap_or(0));
    for security in subtypes {
        out.put_u32(security.number());
    }
    Ok(Step::Next(Handshake::VeNCryptChoice { version }))
}

/// The client chose a subtype of VeNCrypt; 1 tells that TLS may begin, 0 that it may not.
fn vencrypt_choice(
    version: Version,
    number: u32,
    peer: &Peer<'_>,
    out: &mut Vec<u8>,
) -> Result<Step, Error> {
    let subtypes = vencrypt::subtypes(peer.offer);
    let Some(security) = subtypes.into_iter().find(|s| s.number() == number) else {
        out.put_u8(0);
        return Err(Error::SecurityNotOffered(number));
    };
    let verdict = Verdict { version, security };
    if security.is_over_tls() {
        out.put_u8(1);
        return Ok(Step::Upgrade(Upgrade::Tls, verdict, None));
    }
    Ok(verdict.begin(peer, out))
}

/// SecurityResult "failed"; only 3.8 has room for a reason.
fn fail(version: Version, out: &mut Vec<u8>, reason: &str) {
    out.put_u32(1);
    if version == Version::V38 {
        server::reason(out, reason);
    }
}
