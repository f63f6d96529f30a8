//! The command line. Nothing else knows clap.

mod ctl;
mod flags;
mod gadget;
mod user;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub use ctl::{CtlCommand, CtlOptions};
pub use gadget::{GadgetCommand, MediaCommand};
pub use user::{UserCommand, UserOptions};

use crate::config::{Settings, TypeDelay, Viewer};
use flags::{Common, Devices};

/// What the program is to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    /// Serve the simulated target.
    Demo { flags: Settings },
    /// Serve a real one.
    Serve {
        flags: Settings,
        /// The configuration file, if one was named.
        config: Option<PathBuf>,
        /// Print the effective configuration and end.
        print_config: bool,
    },
    /// Create, change or remove the USB gadget.
    Gadget(GadgetCommand),
    /// What is in the target's virtual drive.
    Media(MediaCommand),
    /// Look for what is wrong.
    Doctor(DoctorFlags),
    /// Have the running server type a text.
    Type(TypeOptions),
    /// Ask the running server about its clients, or tell it what is to become of them.
    Ctl(CtlOptions),
    /// Have the running server call a viewer.
    Connect(ConnectOptions),
    /// Change who is let in.
    User(UserOptions),
    /// Create a certificate, or show what it is known by.
    Cert(CertOptions),
}

/// What `doctor` is to look at, and how it tells.
#[derive(Args, Debug, PartialEq, Eq)]
pub struct DoctorFlags {
    /// TOML file that rfbridge is served with [default: /etc/rfbridge/rfbridge.toml if it exists]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub json: bool,
    /// Do not look at what the capture device sends, which takes 3 seconds
    #[arg(long)]
    pub no_capture: bool,
}

/// Where the certificate is, and what is to be done with it.
#[derive(Args, Debug, PartialEq, Eq)]
pub struct CertOptions {
    /// Where certificate.pem, key.pem and host-key.pem are
    #[arg(long, value_name = "DIR", default_value = "/etc/rfbridge")]
    pub directory: PathBuf,
    /// Name or IP address by which viewers reach this machine; repeatable [default: its host names and addresses]
    #[arg(long = "name", value_name = "NAME")]
    pub names: Vec<String>,
    /// Make the RSA key for RSA-AES, host-key.pem, instead
    #[arg(long, conflicts_with = "names")]
    pub host_key: bool,
    /// Replace what is there
    #[arg(long)]
    pub force: bool,
    /// Only show the fingerprints of what is there
    #[arg(long, conflicts_with_all = ["names", "force"])]
    pub show: bool,
}

/// Which viewer is called.
#[derive(Args, Debug, PartialEq, Eq)]
pub struct ConnectOptions {
    /// Where it listens
    #[arg(value_name = "HOST[:PORT]")]
    pub viewer: Viewer,
    /// Call only once
    #[arg(long)]
    pub once: bool,
    /// The server's control socket [default: the first of the usual places where one answers]
    #[arg(long, value_name = "PATH")]
    pub socket: Option<PathBuf>,
}

/// What is to be typed, and how.
#[derive(Args, Debug, PartialEq, Eq)]
pub struct TypeOptions {
    /// The text, in UTF-8; - is standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Milliseconds between two characters, 0 to 1000 [default: as the server was set]
    #[arg(long, value_name = "MS", allow_negative_numbers = true)]
    pub delay: Option<TypeDelay>,
    /// Leave out what the target's layout cannot type
    #[arg(long)]
    pub skip: bool,
    /// Only say what the target's layout cannot type
    #[arg(long)]
    pub dry_run: bool,
    /// The server's control socket [default: the first of the usual places where one answers]
    #[arg(long, value_name = "PATH")]
    pub socket: Option<PathBuf>,
}

/// Reads the command line. Help, version and usage errors end the process here (exit code 0 or 2).
pub fn parse() -> Command {
    CommandLine::parse().into()
}

/// The whole command line, to be described elsewhere.
pub fn command() -> clap::Command {
    <CommandLine as clap::CommandFactory>::command()
}

/// Reads `arguments`, of which the first is the program's name.
///
/// # Errors
/// The text to show, and whether it is an error or what was asked for (help, version).
pub fn parse_from<S: AsRef<str>>(arguments: &[S]) -> Result<Command, (String, bool)> {
    CommandLine::try_parse_from(arguments.iter().map(AsRef::as_ref))
        .map(Command::from)
        .map_err(|error| (error.to_string(), error.use_stderr()))
}

/// A VNC server for a machine you cannot touch: its screen comes in through an HDMI capture dongle, keys and
/// pointer go out through a USB gadget.
#[derive(Debug, Parser)]
#[command(name = "rfbridge", version, max_term_width = 100)]
struct CommandLine {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Serve a built-in simulated target: no hardware, no set-up
    #[command(after_help = "Then connect with: vncviewer 127.0.0.1:5900")]
    Demo {
        #[command(flatten)]
        common: Common,
    },
    /// Serve a real target: capture device in, USB keyboard and mouse out
    #[command(
        after_help = "Every flag is also a key of the configuration file (without the dashes; `gadget-` and the like are sections); flags win.\n\
            A password comes from --password-file, or from the systemd credential `rfbridge-password`."
    )]
    Serve {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        devices: Box<Devices>,
        /// TOML file with settings [default: /etc/rfbridge/rfbridge.toml if it exists]
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// Print the effective configuration as TOML and exit
        #[arg(long)]
        print_config: bool,
    },
    /// Create, change or remove the USB gadget: keyboard, mouse, media keys
    Gadget {
        #[command(subcommand)]
        command: GadgetCommand,
    },
    /// Virtual media: show the target an image as a CD-ROM or a disk
    Media {
        #[command(subcommand)]
        command: MediaCommand,
    },
    /// Find out why there is no picture, no keyboard or no connection, and what to do; changes nothing
    #[command(
        after_help = "Run it as root (sudo) to look at it all. The exit status is 1 if something is broken, else 0."
    )]
    Doctor {
        #[command(flatten)]
        flags: DoctorFlags,
    },
    /// Type a text at the target, through the running server
    #[command(
        after_help = "Ctrl-C cancels. Exit status: 0 all was typed, 1 it was not, 130 it was cancelled."
    )]
    Type(TypeOptions),
    /// Look after the running server: who is connected, who has control, what happens
    #[command(
        after_help = "Exit status: 0 done, 1 not done, 2 a wrong command line, 3 no server answers."
    )]
    Ctl(CtlOptions),
    /// Have the running server connect to a viewer that listens (`vncviewer -listen`)
    #[command(
        after_help = "It is called again and again until it answers; Ctrl-C ends that. The port is 5500 if it is not given.\n\
            To have it called for ever, name it in `connect` of the configuration."
    )]
    Connect(ConnectOptions),
    /// Change who may enter by a name and a password of his own; a running server follows by itself
    User(UserOptions),
    /// Create a certificate of this machine's own for TLS, or show its fingerprint
    #[command(
        after_help = "Viewers ask about a certificate that they do not know: compare the fingerprint that they show."
    )]
    Cert(CertOptions),
}

impl From<CommandLine> for Command {
    fn from(line: CommandLine) -> Self {
        match line.verb {
            Verb::Demo { common } => Command::Demo {
                flags: common.into(),
            },
            Verb::Serve {
                common,
                devices,
                config,
                print_config,
            } => Command::Serve {
                flags: Settings::from(common).over((*devices).into()),
                config,
                print_config,
            },
            Verb::Gadget { command } => Command::Gadget(command),
            Verb::Doctor { flags } => Command::Doctor(flags),
            Verb::Type(options) => Command::Type(options),
            Verb::Ctl(options) => Command::Ctl(options),
            Verb::Connect(options) => Command::Connect(options),
            Verb::User(options) => Command::User(options),
            Verb::Cert(options) => Command::Cert(options),
            Verb::Media { command } => Command::Media(command),
        }
    }
}

#[cfg(test)]
mod tests;
