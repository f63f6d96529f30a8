//! `rfbridge cert`.

use std::path::Path;

use crate::{
    cli::CertOptions,
    config,
    identity::{self, CertificateError, CreateError, HostKey, HostKeyError, Names},
};

/// Why there is no certificate to tell of.
#[derive(Debug, thiserror::Error)]
pub enum CertError {
    #[error(transparent)]
    Create(#[from] CreateError),
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    #[error(transparent)]
    HostKey(#[from] HostKeyError),
    #[error("cannot write to standard output: {0}")]
    Output(#[from] std::io::Error),
}

pub(super) fn main(options: &CertOptions) -> Result<(), CertError> {
    let [certificate, key, host_key] =
        ["certificate.pem", "key.pem", "host-key.pem"].map(|name| options.directory.join(name));
    let text = if options.show {
        show(&certificate, &host_key)?
    } else if options.host_key {
        identity::create_host_key(&host_key, options.force)?;
        let fingerprint = HostKey::open(&host_key)?.public().fingerprint();
        let setting = format!("    host-key = {host_key:?}\n");
        let path = host_key.display();
        format!("made {path}\nfingerprint {fingerprint}\n{HOW_TO_USE}{setting}")
    } else {
        let names = match options.names.is_empty() {
            true => Names::of_this_machine(&config::host_name()),
            false => Names(options.names.clone()),
        };
        let sha256 = identity::create(&certificate, &key, &names, options.force)?;
        let setting = format!("    certificate = {certificate:?}\n    key = {key:?}\n");
        let (path, names) = (certificate.display(), names.0.join(", "));
        format!("made {path} for {names}\nSHA-256 {sha256}\n{TO_VIEWERS}{HOW_TO_USE}{setting}")
    };
    Ok(super::write_out(&text)?)
}

const TO_VIEWERS: &str = "\
viewers that know TLS have to be given that file, too, or to be told when they ask
(virt-viewer, GNOME Connections: as ~/.pki/CA/cacert.pem)
";

const HOW_TO_USE: &str = "\
to use it, let rfbridge's user read what is in there, and put this into
/etc/rfbridge/rfbridge.toml:

    [security]
";

/// The fingerprints of what there is.
fn show(certificate: &Path, host_key: &Path) -> Result<String, CertError> {
    let mut text = String::new();
    if certificate.exists() || !host_key.exists() {
        let sha256 = identity::fingerprint_of(certificate)?;
        text += &format!("{}: SHA-256 {sha256}\n", certificate.display());
    }
    if host_key.exists() {
        let fingerprint = HostKey::open(host_key)?.public().fingerprint();
        text += &format!("{}: fingerprint {fingerprint}\n", host_key.display());
    }
    Ok(text)
}
