//! The TOML file.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::Settings;

/// Read if it exists and no other file is named.
pub const DEFAULT_PATH: &str = "/etc/rfbridge/rfbridge.toml";

/// Why a configuration file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("cannot read the configuration file {}: {error}; check the path and its permissions", path.display())]
    Read { path: PathBuf, error: io::Error },
    #[error(
        "unknown key `{key}` in the configuration file {}; {}",
        path.display(),
        match suggestion {
            Some(known) => format!("did you mean `{known}`?"),
            None => format!("known keys: {}", Settings::KEYS.join(", ")),
        }
    )]
    UnknownKey {
        path: PathBuf,
        key: String,
        suggestion: Option<&'static str>,
    },
    /// The parser's text shows the line and marks the place.
    #[error("the configuration file {} is not usable: {}", path.display(), error.to_string().trim_end())]
    Toml {
        path: PathBuf,
        error: Box<toml::de::Error>,
    },
}

pub(super) fn read(path: Option<&Path>) -> Result<Settings, FileError> {
    let (path, optional) = match path {
        Some(path) => (path, false),
        None => (Path::new(DEFAULT_PATH), true),
    };
    match std::fs::read_to_string(path) {
        Ok(text) => parse(path, &text),
        Err(error) if optional && error.kind() == io::ErrorKind::NotFound => {
            Ok(Settings::default())
        }
        Err(error) => Err(FileError::Read {
            path: path.to_owned(),
            error,
        }),
    }
}

fn parse(path: &Path, text: &str) -> Result<Settings, FileError> {
    let toml_error = |error| FileError::Toml {
        path: path.to_owned(),
        error: Box::new(error),
    };
    let table: toml::Table = toml::from_str(text).map_err(toml_error)?;
    if let Some(key) = table.keys().find(|k| !Settings::KEYS.contains(&k.as_str())) {
        return Err(FileError::UnknownKey {
            path: path.to_owned(),
            key: key.clone(),
            suggestion: nearest(key),
        });
    }
    // From the text again, not from the table: only so does an error know its line.
    toml::from_str(text).map_err(toml_error)
}

/// The key that was probably meant.
fn nearest(key: &str) -> Option<&'static str> {
    let key = key.to_lowercase().replace('_', "-");
    Settings::KEYS
        .into_iter()
        .map(|known| (strsim::jaro(&key, known), known))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}
