//! What is said over the control socket.

use serde::{Deserialize, Serialize};

use crate::typing::Untypable;

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
}

/// A line of an answer to anything but `status`.
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
    /// The target's lock LEDs; `null` while unknown.
    pub leds: Option<Leds>,
    /// The text that is being typed.
    pub typing: Option<Reply>,
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

    pub(super) fn error(why: impl Into<String>) -> Self {
        Self {
            error: Some(why.into()),
            ..Self::default()
        }
    }

    pub(super) fn with_findings(self, untypable: &[Untypable]) -> Self {
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
