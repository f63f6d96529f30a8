//! Creates a certificate that this machine signs itself, and shows fingerprints.

use std::{
    fmt::Write as _,
    fs::{self, OpenOptions},
    io::{self, Write as _},
    net::{IpAddr, UdpSocket},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use rcgen::{
    CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_RSA_SHA256, RsaKeySize,
    date_time_ymd,
};
use zeroize::Zeroizing;

/// Why no certificate was created.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    #[error(
        "{} exists; viewers that know it would no longer know this machine, so it is replaced with --force only", path.display()
    )]
    Exists { path: PathBuf },
    #[error("cannot write {}: {error}", path.display())]
    Write { path: PathBuf, error: io::Error },
    #[error(
        "no certificate can be made for these names ({0}); a name is a host name or an IP address"
    )]
    Names(rcgen::Error),
    #[error("no key can be made: {0}")]
    Make(rcgen::Error),
}

/// The names and addresses by which viewers reach this machine, the main one first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names(pub Vec<String>);

impl Names {
    /// What this machine is called here and by its neighbours, and its addresses towards them.
    pub fn of_this_machine(host: &str) -> Self {
        let mut names = vec![host.to_owned()];
        if !host.contains('.') {
            names.push(format!("{host}.local"));
        }
        names.extend(["localhost", "127.0.0.1", "::1"].map(str::to_owned));
        // Nothing is sent: the system is asked only from which address it would be. Both ends are for documentation.
        let ways = [("0.0.0.0:0", "192.0.2.1:9"), ("[::]:0", "[2001:db8::1]:9")];
        let own = ways.into_iter().filter_map(|(from, to)| {
            let socket = UdpSocket::bind(from).ok()?;
            socket.connect(to).ok()?;
            Some(socket.local_addr().ok()?.ip())
        });
        names.extend(
            own.filter(|ip| !ip.is_unspecified())
                .map(|ip: IpAddr| ip.to_string()),
        );
        let mut seen = std::collections::HashSet::new();
        names.retain(|name| seen.insert(name.clone()));
        Self(names)
    }
}

/// Writes a new certificate for `names` and its key, which only the file's owner can read.
///
/// Gives the certificate's fingerprint. Files that exist are replaced only if `force` says so.
pub fn create(
    certificate: &Path,
    key: &Path,
    names: &Names,
    force: bool,
) -> Result<String, CreateError> {
    refuse_existing(certificate, force)?;
    refuse_existing(key, force)?;
    let pair = KeyPair::generate().map_err(CreateError::Make)?;
    let mut parameters = CertificateParams::new(names.0.clone()).map_err(CreateError::Names)?;
    let mut subject = DistinguishedName::new();
    if let Some(name) = names.0.first() {
        subject.push(DnType::CommonName, name.as_str());
    }
    parameters.distinguished_name = subject;
    // Who trusts it trusts its fingerprint, which no date makes better; and boards without a battery do not know what
    // day it is. These are the first day of this century and the last one that the short form of time can say.
    parameters.not_before = date_time_ymd(2000, 1, 1);
    parameters.not_after = date_time_ymd(2049, 12, 31);
    let signed = parameters.self_signed(&pair).map_err(CreateError::Names)?;
    let secret = Zeroizing::new(pair.serialize_pem());
    write(key, secret.as_bytes(), 0o600)?;
    write(certificate, signed.pem().as_bytes(), 0o644)?;
    Ok(fingerprint(signed.der()))
}

/// Writes a new RSA key that only the file's owner can read. A file that exists is replaced only if `force` says so.
pub fn create_host_key(path: &Path, force: bool) -> Result<(), CreateError> {
    refuse_existing(path, force)?;
    // Viewers make a key of the same size for each connection; 4096 bits keep slow ones waiting for seconds.
    let pair = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_3072);
    let pair = pair.map_err(CreateError::Make)?;
    let secret = Zeroizing::new(pair.serialize_pem());
    write(path, secret.as_bytes(), 0o600)
}

fn refuse_existing(path: &Path, force: bool) -> Result<(), CreateError> {
    if force || path.symlink_metadata().is_err() {
        return Ok(());
    }
    let path = path.to_owned();
    Err(CreateError::Exists { path })
}

/// Puts a file in its place as a whole, so that nobody reads half of one.
fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), CreateError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let written = (|| {
        let _ = fs::remove_file(&beside);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    })();
    written.map_err(|error| {
        let path = path.to_owned();
        CreateError::Write { path, error }
    })
}

/// The SHA-256 of a certificate in DER form, as viewers show it: pairs of hexadecimal digits with colons between.
pub fn fingerprint(der: &[u8]) -> String {
    let mut text = String::new();
    for byte in aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, der).as_ref() {
        if !text.is_empty() {
            text.push(':');
        }
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02X}");
    }
    text
}
