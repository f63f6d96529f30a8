//! Writes what the package holds beside the program, made of what the program itself says: `rfbridge-pages DIR`.
//!
//! `man/` has a page for rfbridge and one for each command, `completions/` what shells complete, `rfbridge.toml` every setting with what it
//! means and nothing set but what a board needs out of the box.

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
    fs::write(directory.join("rfbridge.toml"), configuration(serve))
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

/// Every key with what `serve --help` says of its flag.
fn configuration(serve: &Command) -> String {
    let mut text = "# Settings of rfbridge: all keys, each with what it means. What begins with # is not set.\n\
        # See what it runs with: rfbridge serve --print-config. Examples: /usr/share/doc/rfbridge/README.md.gz.\n"
        .to_owned();
    keys(&mut text, serve, "", Settings::KEYS);
    for (section, section_keys) in Settings::SECTIONS {
        let _ = write!(text, "\n[{section}]\n");
        keys(&mut text, serve, section, section_keys);
    }
    text
}

fn keys(text: &mut String, serve: &Command, section: &str, keys: &[&str]) {
    for key in keys {
        let flag = match section {
            "" => (*key).to_owned(),
            section => format!("{section}-{key}"),
        };
        let argument = serve
            .get_arguments()
            .find(|it| it.get_long() == Some(&flag));
        let help = argument.and_then(Arg::get_help).map(ToString::to_string);
        text.push('\n');
        for line in help.unwrap_or_default().lines() {
            let _ = writeln!(text, "# {line}");
        }
        let _ = match out_of_the_box(&flag) {
            Some(value) => writeln!(text, "{key} = {value}"),
            None => writeln!(text, "#{key} = {}", example(argument)),
        };
    }
}

/// What the package sets: everybody may come, and needs the password that it has made.
fn out_of_the_box(flag: &str) -> Option<&'static str> {
    match flag {
        "listen" => Some("[\"0.0.0.0:5900\"]"),
        "web-listen" => Some("[\"0.0.0.0:5800\"]"),
        _ => None,
    }
}

fn example(argument: Option<&Arg>) -> String {
    let names = argument.and_then(Arg::get_value_names).unwrap_or_default();
    match names.first().map(|name| name.as_str()) {
        _ if argument.is_some_and(|it| !it.get_action().takes_values()) => "true".to_owned(),
        None | Some("BOOL") => "true".to_owned(),
        Some("SECONDS" | "N" | "MS" | "STEPS" | "LEVELS") => "0".to_owned(),
        Some(name) => format!("\"{name}\""),
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
}
