//! A configuration file: what can be used can be written down, and is then read as the same.
#![no_main]

use std::{fs, path::PathBuf, sync::LazyLock};

use libfuzzer_sys::fuzz_target;
use rfbridge::config::{Config, Settings};

static FILE: LazyLock<PathBuf> = LazyLock::new(|| {
    let name = format!("rfbridge-fuzz-{}.toml", std::process::id());
    std::env::temp_dir().join(name)
});

fuzz_target!(|data: &[u8]| {
    let Some(config) = read(data) else {
        return;
    };
    let Ok(text) = config.to_toml() else {
        return;
    };
    let again = read(text.as_bytes()).expect("what was written can be read");
    assert!(again == config, "{text}");
});

fn read(text: &[u8]) -> Option<Config> {
    fs::write(&*FILE, text).expect("a file");
    match Settings::from_file(Some(&FILE)) {
        Ok(settings) => match Config::new(settings) {
            Ok(config) => Some(config),
            Err(error) => explained(&error),
        },
        Err(error) => explained(&error),
    }
}

fn explained(error: &dyn std::error::Error) -> Option<Config> {
    assert!(!error.to_string().is_empty());
    None
}
