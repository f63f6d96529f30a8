//! What somebody may do.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::values::{BadValue, as_text};

/// What somebody may do. Each may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Look.
    View,
    /// Type and point.
    Control,
    /// Send others away, and use the target's power buttons.
    Admin,
}

impl Role {
    pub const ALL: [Self; 3] = [Self::View, Self::Control, Self::Admin];

    const fn name(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Control => "control",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Role {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        Self::ALL
            .into_iter()
            .find(|role| role.name() == text)
            .ok_or_else(|| BadValue("not a role; write view, control or admin".to_owned()))
    }
}

as_text!(Role);
