//! What is said over the control socket.

use serde::{Deserialize, Serialize};

use crate::{
    config::{PowerAction, Viewer},
    typing::Untypable,
};

/// The commands: `{"command":"type","text":"hello\n"}`.
#[derive(Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case")]
pub enum Request {
    /// Types a text; the connection stays open meanwhile, for closing it cancels. Lines with `typed` and `of` come as it
    /// goes on, then one with `done` or `error`.
    Type {
        text: String,
        /// Milliseconds between two characters, at most 1000.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        delay_ms: Option<u16>,
        /// Leave out what cannot be typed.
        #[serde(default)]
        skip: bool,
        /// Only look through the text.
        #[serde(default)]
        dry_run: bool,
    },
    /// Ends the text that is being typed, whoever began it.
    Cancel,
    /// Answered by [`Status`].
    Status,
    /// The VNC clients that are in; answered by [`Clients`].
    Clients,
    /// Sends clients away, these or all.
    Kick {
        #[serde(default)]
        clients: Vec<u64>,
        #[serde(default)]
        all: bool,
        /// For the log.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Lets a client only watch, or do again what its role lets it do.
    ViewOnly { client: u64, on: bool },
    /// Gives control to a client, where only one has it.
    Take { client: u64 },
    /// Calls a viewer that listens, once.
    Connect { viewer: Viewer },
    /// Switches the target on or off, or resets it; once that is done.
    Power { action: PowerAction },
    /// Reads again what can be changed without a restart.
    Reload,
    /// Answered by lines that are [`Event`]s, until the connection is closed.
    Events,
}

/// A line of an answer to what has none of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reply {
    /// Characters that the target took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub typed: Option<usize>,
    /// Characters that there are to type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<usize>,
    /// It was done; the last line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub done: Option<bool>,
    /// Why it was not, or not all of it; the last line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What ended was cancelled; or whether there was something to cancel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancelled: Option<bool>,
    /// What the layout cannot type; at most [`Reply::FINDINGS`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub untypable: Vec<Finding>,
    /// How many different characters the layout cannot type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub untypable_characters: Option<usize>,
    /// Clients that were sent away.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kicked: Vec<u64>,
    /// What was read again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reloaded: Vec<String>,
}

/// A character that the layout cannot type, how often it is there and where it is first, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub character: char,
    pub count: usize,
    pub line: usize,
    pub column: usize,
}

/// What the server is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    pub version: String,
    /// VNC clients that have logged in.
    pub clients: usize,
    pub view_only: bool,
    /// The pointer of the target that is used.
    pub pointer: Pointer,
    /// Its keyboard layout, by its XKB name.
    #[serde(default)]
    pub layout: String,
    /// The target's lock LEDs; `null` while unknown.
    pub leds: Option<Leds>,
    /// The text that is being typed.
    pub typing: Option<Reply>,
    pub picture: Picture,
    /// The USB device controller's state, `configured` while the target uses the keyboard; `null` without one.
    #[serde(default)]
    pub usb: Option<String>,
    /// The target's power, where something can be done or seen.
    #[serde(default)]
    pub power: Option<PowerStatus>,
    /// How clients share the target: `always`, `client` or `never`.
    pub share: String,
    /// Who may type and point: `shared`, `exclusive` or `first`.
    pub control: String,
    /// The client that has control, where only one has.
    pub controller: Option<u64>,
}

/// The target's power.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PowerStatus {
    /// By its LED; `null` where that is not seen.
    pub on: Option<bool>,
    /// What can be done: `on`, `off`, `force-off`, `reset`, `reboot`.
    pub actions: Vec<PowerAction>,
    /// The least role that may.
    pub role: String,
}

/// What the source shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    pub state: PictureState,
    /// Of a picture that is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u16>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PictureState {
    /// Nothing has come yet.
    Starting,
    Live,
    /// The device works, the target sends nothing.
    NoSignal,
    /// The device is gone.
    Lost,
}

/// The answer to `clients`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clients {
    pub clients: Vec<ClientStatus>,
}

/// A VNC client that is in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientStatus {
    /// As `kick`, `view-only` and `take` know it; never given twice.
    pub id: u64,
    pub address: String,
    /// Who logged in, where users have names.
    pub user: Option<String>,
    /// `view`, `control` or `admin`.
    pub role: String,
    pub encoding: Option<String>,
    /// What it types reaches the target.
    pub controls: bool,
    /// It may only watch, by its role or because an operator says so.
    pub view_only: bool,
    /// Since it came in.
    pub connected_seconds: u64,
    /// Since it typed or pointed last, if it ever did.
    pub idle_seconds: Option<u64>,
    pub bytes_sent: u64,
    /// Of late.
    pub bytes_per_second: u64,
    /// The shortest way there and back that was measured.
    pub round_trip_ms: Option<u64>,
    /// Sent, and not known to have arrived.
    #[serde(default)]
    pub bytes_in_flight: u64,
}

/// What happened: `{"event":"connected","client":3,"address":"192.0.2.7:40000"}`. The first one tells the picture that
/// there is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    Connected {
        client: u64,
        address: String,
    },
    Login {
        client: u64,
        address: String,
        user: Option<String>,
        role: String,
    },
    LoginFailed {
        client: u64,
        address: String,
        why: String,
    },
    /// Another client has control, or none.
    Control {
        client: Option<u64>,
        /// Its user, or its address.
        name: Option<String>,
    },
    Disconnected {
        client: u64,
        address: String,
        why: String,
    },
    Picture(Picture),
    Leds {
        leds: Option<Leds>,
    },
    /// So many were not told, because they were not read in time.
    Missed {
        count: u64,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pointer {
    Absolute,
    Relative,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leds {
    pub num: bool,
    pub caps: bool,
    pub scroll: bool,
}

impl Reply {
    /// Of a long list the beginning says what is wrong.
    pub const FINDINGS: usize = 100;

    pub(crate) fn error(why: impl Into<String>) -> Self {
        Self {
            error: Some(why.into()),
            ..Self::default()
        }
    }

    pub(crate) fn with_findings(self, untypable: &[Untypable]) -> Self {
        let findings = untypable.iter().take(Self::FINDINGS).map(Finding::from);
        Self {
            untypable: findings.collect(),
            untypable_characters: Some(untypable.len()),
            ..self
        }
    }
}

impl From<&Untypable> for Finding {
    fn from(untypable: &Untypable) -> Self {
        let Untypable {
            character,
            count,
            line,
            column,
        } = *untypable;
        Self {
            character,
            count,
            line,
            column,
        }
    }
}

impl From<&Finding> for Untypable {
    fn from(finding: &Finding) -> Self {
        let Finding {
            character,
            count,
            line,
            column,
        } = *finding;
        Self {
            character,
            count,
            line,
            column,
        }
    }
}
