//! `rfbridge user`: asks for passwords, and says what was done.

use std::{
    io::{self, IsTerminal as _, Read as _},
    path::{Path, PathBuf},
};

use rfb::security::secret::Secret;
use zeroize::Zeroizing;

use super::{StartError, print};
use crate::{
    access::edit,
    cli::{UserCommand, UserOptions},
    config::Settings,
};

/// Where users are unless something else is said.
const DEFAULT_PATH: &str = "/etc/rfbridge/users";
/// In bytes. Viewers send no longer ones.
const LONGEST: usize = 1024;
/// In characters. A shorter one is guessed, however well it is hashed.
const SHORTEST: usize = 8;

/// Why there is no password.
#[derive(Debug, thiserror::Error)]
pub enum BadPassword {
    #[error("the password cannot be read: {0}")]
    Read(#[from] io::Error),
    #[error("there is no password: standard input has no first line")]
    None,
    #[error("the two passwords differ; nothing was changed")]
    Differ,
    #[error("a password has {SHORTEST} characters at least")]
    Short,
    #[error("a password has {LONGEST} bytes at most")]
    Long,
    #[error("the password is not UTF-8")]
    NotText,
}

const FOLLOWED: &str = "a running server disconnects that user within seconds";

pub(super) fn main(options: UserOptions) -> Result<(), StartError> {
    let path = path(options.file, options.config)?;
    match options.command {
        UserCommand::Add { name, role } => {
            edit::check_new(&path, &name)?;
            let is_first = !path.exists();
            edit::add(&path, &name, role, &ask(&name)?)?;
            let hint = match is_first {
                true => format!(
                    "{} is new; the configuration names it: users = {:?} below [security]\n",
                    path.display(),
                    path.display().to_string()
                ),
                false => String::new(),
            };
            print(&format!("{name} may enter, role {role}\n{hint}"))
        }
        UserCommand::Remove { name } => {
            edit::remove(&path, &name)?;
            print(&format!("{name} is removed; {FOLLOWED}\n"))
        }
        UserCommand::List => {
            let users = edit::list(&path)?;
            let widest = users.iter().map(|(name, _)| name.chars().count()).max();
            let width = widest.unwrap_or(0);
            let lines = users
                .iter()
                .map(|(name, role)| format!("{name:width$}  {role}\n"));
            print(&lines.collect::<String>())
        }
        UserCommand::Passwd { name } => {
            edit::check_known(&path, &name)?;
            edit::set_password(&path, &name, &ask(&name)?)?;
            print(&format!("{name} has a new password; {FOLLOWED}\n"))
        }
        UserCommand::Role { name, role } => {
            edit::set_role(&path, &name, role)?;
            print(&format!("{name} has the role {role}; {FOLLOWED}\n"))
        }
    }
}

fn path(file: Option<PathBuf>, config: Option<PathBuf>) -> Result<PathBuf, StartError> {
    if let Some(path) = file {
        return Ok(path);
    }
    let settings = Settings::from_file(config.as_deref())?;
    let named = settings.security.users;
    Ok(named.unwrap_or_else(|| Path::new(DEFAULT_PATH).to_owned()))
}

/// A new password: twice from a terminal, without showing it; else a line of standard input.
fn ask(name: &str) -> Result<Secret, BadPassword> {
    let password = if io::stdin().is_terminal() {
        let ask = |prompt: String| rpassword::prompt_password(prompt).map(Zeroizing::new);
        let first = ask(format!("New password of {name}: "))?;
        if first != ask("Once more: ".to_owned())? {
            return Err(BadPassword::Differ);
        }
        Zeroizing::new(first.as_bytes().to_vec())
    } else {
        first_line(io::stdin().lock())?
    };
    let text = std::str::from_utf8(&password).map_err(|_| BadPassword::NotText)?;
    if text.chars().count() < SHORTEST {
        return Err(BadPassword::Short);
    }
    if text.len() > LONGEST {
        return Err(BadPassword::Long);
    }
    Ok(Secret::new(password.to_vec()))
}

fn first_line(input: impl io::Read) -> Result<Zeroizing<Vec<u8>>, BadPassword> {
    // Not more than fits, so that no copy is left behind when it grows.
    let most = LONGEST + 2;
    let mut bytes = Zeroizing::new(Vec::with_capacity(most));
    input.take(most as u64).read_to_end(&mut bytes)?;
    let line = bytes
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    match line.is_empty() {
        true => Err(BadPassword::None),
        false => Ok(Zeroizing::new(line.to_vec())),
    }
}
