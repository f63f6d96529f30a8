//! `rfbridge ctl`: what is asked of the running server.

use std::path::PathBuf;

use crate::config::PowerAction;
use clap::{Args, Subcommand, ValueEnum};

/// What is asked, and where.
#[derive(Args, Debug, PartialEq, Eq)]
pub struct CtlOptions {
    #[command(subcommand)]
    pub command: CtlCommand,
    /// The server's control socket [default: the first of the usual places where one answers]
    #[arg(long, value_name = "PATH", global = true)]
    pub socket: Option<PathBuf>,
}

#[derive(Debug, PartialEq, Eq, Subcommand)]
pub enum CtlCommand {
    /// What the server is doing
    Status {
        /// Print one JSON object instead of text
        #[arg(long)]
        json: bool,
    },
    /// The clients that are connected
    Clients {
        /// Print one JSON object instead of a table
        #[arg(long)]
        json: bool,
    },
    /// Send clients away
    Kick {
        /// Their numbers, as `clients` shows them
        #[arg(value_name = "ID", required_unless_present = "all")]
        clients: Vec<u64>,
        /// Every client
        #[arg(long, conflicts_with = "clients")]
        all: bool,
        /// Why, for the log
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Let a client only watch, or do again what it may
    ViewOnly {
        /// Its number
        #[arg(value_name = "ID")]
        client: u64,
        /// Whether it only watches
        on: Switch,
    },
    /// Give control to a client, where only one has it
    Take {
        /// Its number
        #[arg(value_name = "ID")]
        client: u64,
    },
    /// Switch the target on or off, or reset it
    Power {
        /// on, off, force-off, reset or reboot
        action: PowerAction,
    },
    /// Read again what can be changed without a restart
    Reload,
    /// Print what happens as JSON, one object to a line, until interrupted
    Events,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    On,
    Off,
}

impl Switch {
    pub fn is_on(self) -> bool {
        self == Switch::On
    }
}
