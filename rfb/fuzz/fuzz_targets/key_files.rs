//! Files of certificates and keys: what is taken can be used.
//!
//! First byte: whether the rest is a file as it is, or the binary content of one block of PEM, and of which.
#![no_main]

use std::{fs, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::PathBuf, sync::LazyLock};

use libfuzzer_sys::fuzz_target;
use rfb::security::rsa_aes::{BITS, Done, Task};
use rfbridge::identity::{Certificate, HostKey, Tls, fingerprint_of};

static FILE: LazyLock<PathBuf> = LazyLock::new(|| {
    let name = format!("rfbridge-fuzz-{}.pem", std::process::id());
    std::env::temp_dir().join(name)
});

/// PKCS #8, PKCS #1, SEC 1 and X.509.
const BLOCKS: [&str; 4] = [
    "PRIVATE KEY",
    "RSA PRIVATE KEY",
    "EC PRIVATE KEY",
    "CERTIFICATE",
];

fuzz_target!(|data: &[u8]| {
    let Some((&how, content)) = data.split_first() else {
        return;
    };
    match BLOCKS.get(usize::from(how & 7)) {
        Some(label) => write(pem(label, content).as_bytes()),
        None => write(content),
    }
    match HostKey::open(&FILE) {
        Ok(key) => use_key(&key),
        Err(error) => explained(&error),
    }
    match fingerprint_of(&FILE) {
        Ok(fingerprint) => assert_eq!(fingerprint.len(), 32 * 3 - 1),
        Err(error) => explained(&error),
    }
    match Certificate::open(FILE.clone(), FILE.clone()) {
        Ok(certificate) => Tls::new(certificate).map(drop).expect("TLS"),
        Err(error) => explained(&error),
    }
});

fn use_key(key: &HostKey) {
    let bits = key.public().modulus().len() as u32 * 8;
    assert!(BITS.contains(&bits) || BITS.contains(&(bits - 7)), "{bits}");
    let length = 16;
    let task = Task::Encrypt {
        key: key.public().clone(),
        length,
    };
    let Done::Encrypted { random, encrypted } = key.perform(task) else {
        panic!("nothing encrypts by {key:?}")
    };
    let decrypted = key.perform(Task::Decrypt { encrypted, length });
    assert_eq!(decrypted, Done::Decrypted(random), "{key:?}");
}

fn write(text: &[u8]) {
    let file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&*FILE);
    file.and_then(|mut file| file.write_all(text))
        .expect("a file");
}

fn pem(label: &str, content: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = format!("-----BEGIN {label}-----\n");
    for (index, three) in content.chunks(3).enumerate() {
        let bits = (0..3).fold(0, |bits, at| {
            bits << 8 | u32::from(three.get(at).copied().unwrap_or(0))
        });
        for at in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * at) & 63) as usize];
            text.push(if at <= three.len() { digit.into() } else { '=' });
        }
        if index % 16 == 15 {
            text.push('\n');
        }
    }
    text.push_str(&format!("\n-----END {label}-----\n"));
    text
}

fn explained(error: &dyn std::error::Error) {
    assert!(!error.to_string().is_empty());
}
