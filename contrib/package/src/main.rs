//! Writes what the package holds beside the program, made of what the program itself says: `rfbridge-pages DIR`.
//!
//! `man/` has a page for rfbridge and one for each command, `completions/` what shells complete, `rfbridge.toml` every setting with what it
//! means and nothing set but what a board needs out of the box, `configuration.md` the page of `contrib/doc` that lists them.

use std::{
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

use clap::{Arg, Command};
use clap_complete::{Shell, generate_to};
use rfbridge::config::Settings;

fn main() -> io::Result<()> {
    let directory = std::env::args_os().nth(1).map(PathBuf::from);
    let directory = directory.ok_or_else(|| io::Error::other("name a directory"))?;
    let mut command = rfbridge::cli::command();
    command.build();
    let man = directory.join("man");
    fs::create_dir_all(&man)?;
    pages(&command, "rfbridge", &man)?;
    let completions = directory.join("completions");
    fs::create_dir_all(&completions)?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        generate_to(shell, &mut command, "rfbridge", &completions)?;
    }
    let serve = command.find_subcommand("serve");
    let serve = serve.ok_or_else(|| io::Error::other("there is no command `serve`"))?;
    fs::write(directory.join("rfbridge.toml"), configuration(serve))?;
    fs::write(directory.join("configuration.md"), reference(serve))
}

/// A page for a command and for each below it.
fn pages(command: &Command, name: &str, directory: &Path) -> io::Result<()> {
    let mut page = Vec::new();
    let named = command
        .clone()
        .display_name(name)
        .bin_name(name.replace('-', " "));
    clap_mangen::Man::new(named).render(&mut page)?;
    fs::write(directory.join(format!("{name}.1")), page)?;
    let below = command
        .get_subcommands()
        .filter(|it| it.get_name() != "help");
    for command in below {
        pages(
            command,
            &format!("{name}-{}", command.get_name()),
            directory,
        )?;
    }
    Ok(())
}

/// A key of the configuration, and what `serve --help` says of its flag.
struct Key<'a> {
    name: &'a str,
    flag: String,
    argument: Option<&'a Arg>,
}

impl Key<'_> {
    fn help(&self) -> String {
        let help = self.argument.and_then(Arg::get_help);
        help.map(ToString::to_string).unwrap_or_default()
    }

    /// What stands for its value in `serve --help`.
    fn value(&self) -> Option<&str> {
        let names = self.argument.and_then(Arg::get_value_names)?;
        names.first().map(|name| name.as_str())
    }

    fn example(&self) -> String {
        match self.value() {
            _ if self
                .argument
                .is_some_and(|it| !it.get_action().takes_values()) =>
            {
                "true".into()
            }
            None | Some("BOOL") => "true".to_owned(),
            Some("SECONDS" | "N" | "MS" | "STEPS" | "LEVELS") => "0".to_owned(),
            Some(name) => format!("\"{name}\""),
        }
    }
}

fn keys<'a>(serve: &'a Command, section: &str, keys: &'a [&'a str]) -> Vec<Key<'a>> {
    let key = |name: &'a &'a str| {
        let flag = match section {
            "" => (*name).to_owned(),
            section => format!("{section}-{name}"),
        };
        let argument = serve
            .get_arguments()
            .find(|it| it.get_long() == Some(&flag));
        Key {
            name,
            flag,
            argument,
        }
    };
    keys.iter().map(key).collect()
}

/// Every section with its keys, those outside of any first.
fn sections(serve: &Command) -> Vec<(&'static str, Vec<Key<'_>>)> {
    let outside = std::iter::once(("", Settings::KEYS));
    let sections = Settings::SECTIONS.iter().map(|(name, keys)| (*name, *keys));
    let all = outside.chain(sections);
    all.map(|(name, names)| (name, keys(serve, name, names)))
        .collect()
}

/// The configuration file of a package.
fn configuration(serve: &Command) -> String {
    let mut text = "# Settings of rfbridge: all keys, each with what it means. What begins with # is not set.\n\
        # See what it runs with: rfbridge serve --print-config. Examples: /usr/share/doc/rfbridge/README.md.gz.\n"
        .to_owned();
    for (section, keys) in sections(serve) {
        if !section.is_empty() {
            let _ = write!(text, "\n[{section}]\n");
        }
        for key in keys {
            text.push('\n');
            for line in key.help().lines() {
                let _ = writeln!(text, "# {line}");
            }
            let _ = match out_of_the_box(&key.flag) {
                Some(value) => writeln!(text, "{} = {value}", key.name),
                None => writeln!(text, "#{} = {}", key.name, key.example()),
            };
        }
    }
    text
}

/// The page of the documentation that lists every key.
fn reference(serve: &Command) -> String {
    let mut text = "# Configuration\n\n\
        Every key of `/etc/rfbridge/rfbridge.toml` (or `--config FILE`), made of `rfbridge serve --help` by `contrib/package`. A flag goes \
        before the file. `rfbridge serve --print-config` says what a server would run with; a key that is unknown or wrong ends the \
        start with its line and what would be right.\n"
        .to_owned();
    for (section, keys) in sections(serve) {
        let _ = match section {
            "" => writeln!(text, "\n## Outside of any section\n"),
            section => writeln!(text, "\n## [{section}]\n"),
        };
        let _ = writeln!(text, "| key | flag | |\n|---|---|---|");
        for key in keys {
            let help = key.help().replace('|', "\\|").replace('\n', " ");
            let value = key.value().map(|value| format!(" {value}"));
            let value = value.filter(|_| {
                key.argument
                    .is_some_and(|it| it.get_action().takes_values())
            });
            let flag = format!("--{}{}", key.flag, value.unwrap_or_default()).replace('|', "\\|");
            let _ = writeln!(text, "| `{}` | `{flag}` | {help} |", key.name);
        }
    }
    text
}

/// What the package sets: everybody may come, and needs the password that it has made.
fn out_of_the_box(flag: &str) -> Option<&'static str> {
    match flag {
        "listen" => Some("[\"0.0.0.0:5900\"]"),
        "web-listen" => Some("[\"0.0.0.0:5800\"]"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key that nobody explains is one whose flag has another name.
    #[test]
    fn every_key_is_explained_and_what_is_set_can_be_read() {
        let command = rfbridge::cli::command();
        let serve = command.find_subcommand("serve").expect("serve");
        let text = configuration(serve);
        let all = Settings::SECTIONS.iter().flat_map(|(_, keys)| keys.iter());
        for key in Settings::KEYS.iter().chain(all) {
            let lines: Vec<_> = text.lines().collect();
            let at = lines.iter().position(|line| {
                line.trim_start_matches('#')
                    .starts_with(&format!("{key} = "))
            });
            let at = at.unwrap_or_else(|| panic!("{key} is missing"));
            assert!(lines[at - 1].starts_with("# "), "{key} is not explained");
        }
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("rfbridge.toml");
        fs::write(&path, &text).expect("a file");
        let settings = Settings::from_file(Some(&path)).expect("settings");
        assert_eq!(settings.listen.map(|listen| listen.len()), Some(1));
        assert_eq!(settings.web.listen.map(|listen| listen.len()), Some(1));
    }

    #[test]
    fn the_documentation_lists_what_there_is() {
        let command = rfbridge::cli::command();
        let text = reference(command.find_subcommand("serve").expect("serve"));
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../doc/configuration.md");
        let known = fs::read_to_string(path).unwrap_or_default();
        assert!(
            known == text,
            "make it anew: cargo run -p rfbridge-pages -- target/pages && cp target/pages/configuration.md contrib/doc/"
        );
    }
}
