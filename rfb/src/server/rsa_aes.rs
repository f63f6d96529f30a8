//! Steps of RSA-AES in the handshake.

use super::handshake::{Step, Verdict};
use crate::error::Error;
use crate::security::Upgrade;
use crate::security::rsa_aes::{Exchange, Progress};
use crate::wire::{Read, Reader};

/// Reads one message. Behind the last one everything is taken that has come: it belongs to the stream as it will be.
pub(super) fn step(
    verdict: Verdict,
    exchange: &mut Exchange,
    reader: &mut Reader<'_>,
    out: &mut Vec<u8>,
) -> Read<Result<Step, Error>> {
    let progress = match exchange.step(reader, out)? {
        Ok(progress) => progress,
        Err(error) => return Ok(Err(error)),
    };
    Ok(Ok(match progress {
        Progress::Ask(task) => Step::Rsa(task),
        Progress::Continue => Step::Done,
        Progress::Login(login, sealer, opener) => {
            if !verdict.security().rsa_aes().is_some_and(|how| how.all) {
                return Ok(Ok(Step::Ask(verdict, login)));
            }
            let received = reader.take(reader.rest().len())?.to_vec();
            let upgrade = Upgrade::RsaAes {
                sealer,
                opener,
                received,
            };
            Step::Upgrade(upgrade, verdict, Some(login))
        }
    }))
}
