//! Passwords and users: whether there are some where some must be, and whether others can read them.

use std::{
    io::ErrorKind,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use super::{Examination, finding::Verdict, machine::Machine, server, users};
use crate::config::{CREDENTIAL, Config, ConfigError, Password, PasswordError, Passwords};

const WRITE: &str = "printf 'SECRET\\n' | sudo install -D -m 600 /dev/stdin /etc/rfbridge/password, which the service reads; or \
     name a file in `password-file`";

pub(super) fn password(examination: &Examination<'_>) -> Verdict {
    let config = match examination.config() {
        Ok(config) => config,
        Err(skipped) => return skipped,
    };
    let machine = examination.machine;
    let users = match &config.security.users {
        None => None,
        Some(path) => match users::count(examination, path) {
            Ok(count) => Some(count),
            Err(verdict) => return verdict,
        },
    };
    let on_machine = |path: &Option<PathBuf>| path.as_deref().map(|path| machine.path(path));
    let here = Config {
        password_file: on_machine(&config.password_file),
        view_password_file: on_machine(&config.view_password_file),
        ..config.clone()
    };
    match here.passwords(machine.credentials.as_deref()) {
        Ok(Passwords {
            password: Some(password),
            ..
        }) => found(&password, "it is set"),
        Ok(Passwords {
            view: Some(view), ..
        }) => found(&view, "a view password is set, and no other"),
        // It is there, but for others than who asks.
        Err(PasswordError::Read { error, path }) if error.kind() == ErrorKind::PermissionDenied => {
            Verdict::ok(format!(
                "it is in {}, which only its owner may read",
                path.display()
            ))
        }
        Err(error) => {
            let text = error.to_string();
            let (what, fix) = text.split_once("; ").unwrap_or((&text, WRITE));
            Verdict::error(what, fix)
        }
        Ok(_) => match (credential(machine), users) {
            (Some(path), _) => of_the_service(machine, &path),
            (None, Some(count)) => Verdict::ok(format!("there is none; users: {count}")),
            (None, None) => none(config),
        },
    }
}

fn found(password: &Password, what: &str) -> Verdict {
    match password.is_cut_by_vnc_auth() {
        true => Verdict::note(
            format!("{what}; VNC authentication uses its first 8 bytes and ignores the rest"),
            "nothing; viewers cut it as well",
        ),
        false => Verdict::ok(what),
    }
}

/// The file that the service's unit passes on as a credential.
fn credential(machine: &Machine) -> Option<PathBuf> {
    let unit = server::unit(machine, "rfbridge.service")?;
    let mut paths = unit.lines().filter_map(|line| {
        let (name, path) = line
            .trim()
            .strip_prefix("LoadCredential=")?
            .split_once(':')?;
        (name == CREDENTIAL).then(|| PathBuf::from(path.trim()))
    });
    paths.next()
}

fn of_the_service(machine: &Machine, path: &Path) -> Verdict {
    let name = path.display();
    match machine.metadata(path) {
        None => Verdict::error(
            format!("the service does not start: its password, {name}, is not there"),
            format!("printf 'SECRET\\n' | sudo install -D -m 600 /dev/stdin {name}"),
        ),
        Some(metadata) if metadata.mode() & 0o077 != 0 => Verdict::warning(
            format!(
                "others can read the service's password, {name} (mode {:04o})",
                metadata.mode() & 0o7777
            ),
            format!("sudo chmod 600 {name}"),
        ),
        Some(_) => match Password::from_file(&machine.path(path)) {
            Ok(password) => found(&password, &format!("the service gets it from {name}")),
            Err(PasswordError::Empty { .. }) => Verdict::error(
                format!("the service's password, {name}, has an empty first line"),
                "write the password there",
            ),
            Err(_) => Verdict::ok(format!("the service gets it from {name}")),
        },
    }
}

fn none(config: &Config) -> Verdict {
    match config.check_exposure(&Passwords::default()) {
        Err(ConfigError::Exposed(address)) => Verdict::error(
            format!(
                "there is none, so rfbridge refuses to listen on {address}: whoever reaches it would control the target"
            ),
            WRITE,
        ),
        _ => Verdict::note(
            "there is none, so only this machine itself can connect",
            format!("to let others in: {WRITE}; and `listen = \"0.0.0.0:5900\"`"),
        ),
    }
}
