//! `rfbridge user`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::config::Role;

/// What is to become of the users file.
#[derive(Args, Debug, PartialEq, Eq)]
pub struct UserOptions {
    #[command(subcommand)]
    pub command: UserCommand,
    /// The users file [default: the one that the configuration names, else /etc/rfbridge/users]
    #[arg(long, value_name = "FILE", global = true)]
    pub file: Option<PathBuf>,
    /// TOML file that rfbridge is served with [default: /etc/rfbridge/rfbridge.toml if it exists]
    #[arg(long, value_name = "FILE", global = true, conflicts_with = "file")]
    pub config: Option<PathBuf>,
}

#[derive(Debug, PartialEq, Eq, Subcommand)]
pub enum UserCommand {
    /// Add a user
    #[command(after_help = "\
        view     may look\n\
        control  may type and point as well\n\
        admin    may send others away as well\n\n\
        The password is asked for twice on a terminal; otherwise it is a line of standard input.")]
    Add {
        #[arg(value_name = "NAME")]
        name: String,
        /// What the user may do: view, control or admin
        #[arg(long, value_name = "ROLE", default_value = "control")]
        role: Role,
    },
    /// Remove a user, and disconnect it
    Remove {
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Show all users and their roles
    List,
    /// Give a user another password, and disconnect who is in by the old one
    Passwd {
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Give a user another role, from the next login on, and disconnect it
    Role {
        #[arg(value_name = "NAME")]
        name: String,
        /// view, control or admin
        #[arg(value_name = "ROLE")]
        role: Role,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Command, parse_from};

    fn parse(line: &str) -> Result<Command, String> {
        let words: Vec<_> = line.split(' ').collect();
        parse_from(&words).map_err(|(text, _)| text)
    }

    #[test]
    fn what_may_be_done_to_users() {
        let name = || "alice".to_owned();
        for (line, command) in [
            (
                "add alice",
                UserCommand::Add {
                    name: name(),
                    role: Role::Control,
                },
            ),
            (
                "add alice --role view",
                UserCommand::Add {
                    name: name(),
                    role: Role::View,
                },
            ),
            ("remove alice", UserCommand::Remove { name: name() }),
            ("list", UserCommand::List),
            ("passwd alice", UserCommand::Passwd { name: name() }),
            (
                "role alice admin",
                UserCommand::Role {
                    name: name(),
                    role: Role::Admin,
                },
            ),
        ] {
            let options = UserOptions {
                command,
                file: Some("/u".into()),
                config: None,
            };
            let parsed = parse(&format!("rfbridge user {line} --file /u"));
            assert_eq!(parsed, Ok(Command::User(options)), "{line}");
        }
        let error = parse("rfbridge user role alice root").expect_err("no such role");
        assert!(error.contains("view, control or admin"), "{error}");
        for line in ["", "add", "add alice --password secret", "role alice"] {
            parse(&format!("rfbridge user {line}")).expect_err(line);
        }
    }
}
