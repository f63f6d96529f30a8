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
        "unknown key `{key}` in the configuration file {}; {suggestion}",
        path.display()
    )]
    UnknownKey {
        path: PathBuf,
        key: String,
        suggestion: String,
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
    if let Some((key, suggestion)) = unknown_key(&table) {
        return Err(FileError::UnknownKey {
            path: path.to_owned(),
            key,
            suggestion,
        });
    }
    // From the text again, not from the table: only so does an error know its line.
    toml::from_str(text).map_err(toml_error)
}

/// The first key that nothing knows, and what to say of it.
fn unknown_key(table: &toml::Table) -> Option<(String, String)> {
    let sections = Settings::SECTIONS;
    for (key, value) in table {
        match sections.iter().find(|(section, _)| section == key) {
            None if Settings::KEYS.contains(&key.as_str()) => {}
            None => {
                let names = sections.iter().map(|(section, _)| *section);
                let known: Vec<_> = Settings::KEYS.iter().copied().chain(names).collect();
                return Some((key.clone(), suggestion(key, &known)));
            }
            Some((section, known)) => {
                let mut keys = value.as_table().into_iter().flat_map(toml::Table::keys);
                if let Some(key) = keys.find(|key| !known.contains(&key.as_str())) {
                    return Some((format!("{section}.{key}"), suggestion(key, known)));
                }
            }
        }
    }
    None
}

/// The key that was probably meant, or all of them.
fn suggestion(key: &str, known: &[&str]) -> String {
    let key = key.to_lowercase().replace('_', "-");
    let nearest = known
        .iter()
        .map(|known| (strsim::jaro(&key, known), known))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match nearest {
        Some((_, known)) => format!("did you mean `{known}`?"),
        None => format!("known keys: {}", known.join(", ")),
    }
}
