//! What connections are encrypted with: whether the server can use it, and viewers will.

use std::{io::ErrorKind, path::Path};

use super::{Examination, finding::Verdict};
use crate::{
    config::Config,
    identity::{Certificate, CertificateError, FileError, HostKey, HostKeyError, Validity},
};

const MAKE: &str = "sudo rfbridge cert makes a certificate, sudo rfbridge cert --host-key a key for TigerVNC from 1.13 on and RealVNC, \
     and each says what to write into the configuration; or let rfbridge listen on 127.0.0.1 and come through SSH";

pub(super) fn encryption(examination: &Examination<'_>) -> Verdict {
    let config = match examination.config() {
        Ok(config) => config,
        Err(skipped) => return skipped,
    };
    let mut means = Vec::new();
    for look in [certificate, host_key] {
        match look(examination, config) {
            Ok(found) => means.extend(found),
            Err(verdict) => return verdict,
        }
    }
    match (means.is_empty(), config.exposed()) {
        (false, _) => Verdict::ok(means.join("; ")),
        (true, None) => {
            Verdict::ok("there is none, and only this machine itself can connect".to_owned())
        }
        (true, Some(address)) => Verdict::note(
            format!(
                "there is none: who is between a viewer and {address} sees the screen and all that is typed"
            ),
            MAKE,
        ),
    }
}

/// What is found, if it can be used; else what to say of it.
type Found = Result<Option<String>, Verdict>;

fn certificate(examination: &Examination<'_>, config: &Config) -> Found {
    let Some(files) = &config.security.certificate else {
        return Ok(None);
    };
    let machine = examination.machine;
    let name = files.certificate.display();
    let path = machine.path(&files.certificate);
    let certificate = match Certificate::open(path, machine.path(&files.key)) {
        Ok(certificate) => certificate,
        Err(CertificateError::File(error)) if is_for_others(&error) => {
            return Ok(Some(format!(
                "TLS with {name}, which this user may not read"
            )));
        }
        Err(error) => return Err(unusable(&error.to_string())),
    };
    readable(examination, &files.certificate)?;
    readable(examination, &files.key)?;
    let clock = &machine.clock;
    // A clock that is wrong is told of by itself.
    let time = clock.now.max(clock.not_before);
    let fault = match certificate.validity(time) {
        Validity::Good => {
            let sha256 = certificate.fingerprint();
            return Ok(Some(format!("TLS with {name}, SHA-256 {sha256}")));
        }
        Validity::Expired => "has expired",
        Validity::NotYet => "is not valid yet",
    };
    Err(Verdict::warning(
        format!("the certificate {name} {fault}: viewers warn of it or refuse to connect"),
        "renew it; sudo rfbridge cert --force makes one that does not expire",
    ))
}

fn host_key(examination: &Examination<'_>, config: &Config) -> Found {
    let Some(path) = &config.security.host_key else {
        return Ok(None);
    };
    let name = path.display();
    match HostKey::open(&examination.machine.path(path)) {
        Ok(key) => {
            readable(examination, path)?;
            let fingerprint = key.public().fingerprint();
            Ok(Some(format!(
                "RSA-AES with {name}, fingerprint {fingerprint}"
            )))
        }
        Err(HostKeyError::File(error)) if is_for_others(&error) => Ok(Some(format!(
            "RSA-AES with {name}, which this user may not read"
        ))),
        Err(error) => Err(unusable(&error.to_string())),
    }
}

/// Whether it is there, but for others than who asks.
fn is_for_others(error: &FileError) -> bool {
    matches!(error, FileError::Read { error, .. } if error.kind() == ErrorKind::PermissionDenied)
}

/// Whether the server may read it, too.
fn readable(examination: &Examination<'_>, path: &Path) -> Result<(), Verdict> {
    match examination.machine.metadata(path) {
        Some(metadata) if !examination.user.may(&metadata, 0o4) => {
            let (user, name) = (&examination.user.name, path.display());
            Err(Verdict::error(
                format!("rfbridge does not start: {user} may not read {name}"),
                format!("sudo chgrp {user} {name} && sudo chmod 640 {name}"),
            ))
        }
        _ => Ok(()),
    }
}

fn unusable(text: &str) -> Verdict {
    let (what, fix) = text.rsplit_once("; ").unwrap_or((
        text,
        "mend it, or make another: sudo rfbridge cert (--host-key)",
    ));
    Verdict::error(format!("rfbridge does not start: {what}"), fix)
}
