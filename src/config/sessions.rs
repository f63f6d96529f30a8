//! `[sessions]`: how several clients share the target, and for how long one may stay.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{
    mouse::Seconds,
    settings::SessionsSettings,
    values::{BadValue, as_text},
};

/// Who may be there together, who has control, and for how long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sessions {
    pub share: Share,
    pub control: ControlPolicy,
    /// A client that may type and point and does neither for so long is disconnected.
    pub idle_timeout: Seconds,
    /// So long after it came in a client is disconnected.
    pub max_time: Seconds,
}

impl Sessions {
    pub(super) fn new(settings: SessionsSettings) -> Self {
        Self {
            share: settings.share.unwrap_or_default(),
            control: settings.control.unwrap_or_default(),
            idle_timeout: settings.idle_timeout.unwrap_or_default(),
            max_time: settings.max_time.unwrap_or_default(),
        }
    }

    pub(super) fn into_settings(self) -> SessionsSettings {
        SessionsSettings {
            share: Some(self.share),
            control: Some(self.control),
            idle_timeout: Some(self.idle_timeout),
            max_time: Some(self.max_time),
        }
    }
}

/// Whether clients may be connected at the same time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Share {
    /// Whatever they ask for: TigerVNC asks to be alone unless it is told not to.
    #[default]
    Always,
    /// Unless one that may control asks to be alone.
    Client,
    /// One at a time.
    Never,
}

/// How many clients may type and point at the same time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ControlPolicy {
    /// All whose role lets them.
    #[default]
    Shared,
    /// The one that took control last.
    Exclusive,
    /// The one that was there first.
    First,
}

impl FromStr for Share {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        match text {
            "always" => Ok(Self::Always),
            "client" => Ok(Self::Client),
            "never" => Ok(Self::Never),
            _ => Err(BadValue(
                "not a way to share; write always (the default), client or never".to_owned(),
            )),
        }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Always => "always",
            Self::Client => "client",
            Self::Never => "never",
        })
    }
}

impl FromStr for ControlPolicy {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        match text {
            "shared" => Ok(Self::Shared),
            "exclusive" => Ok(Self::Exclusive),
            "first" => Ok(Self::First),
            _ => Err(BadValue(
                "not a way to give control; write shared (the default), exclusive or first"
                    .to_owned(),
            )),
        }
    }
}

impl fmt::Display for ControlPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Shared => "shared",
            Self::Exclusive => "exclusive",
            Self::First => "first",
        })
    }
}

as_text!(Share, ControlPolicy);
