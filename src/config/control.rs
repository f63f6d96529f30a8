//! Ways in beside a client's keys: the hotkeys' leader, the pace of typed texts, the control socket.

use std::{fmt, path::PathBuf, str::FromStr, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::values::{BadValue, as_text};

/// The key that begins a hotkey when it is tapped twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Leader {
    #[default]
    RightCtrl,
    LeftCtrl,
    RightShift,
    LeftShift,
    RightAlt,
    LeftAlt,
    ScrollLock,
    Pause,
    /// There are no hotkeys.
    None,
}

impl Leader {
    const NAMES: [(&str, Leader); 9] = [
        ("right-ctrl", Leader::RightCtrl),
        ("left-ctrl", Leader::LeftCtrl),
        ("right-shift", Leader::RightShift),
        ("left-shift", Leader::LeftShift),
        ("right-alt", Leader::RightAlt),
        ("left-alt", Leader::LeftAlt),
        ("scroll-lock", Leader::ScrollLock),
        ("pause", Leader::Pause),
        ("none", Leader::None),
    ];
}

impl FromStr for Leader {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let found = Self::NAMES.iter().find(|(name, _)| *name == text);
        found.map(|(_, leader)| *leader).ok_or_else(|| {
            let names: Vec<_> = Self::NAMES.iter().map(|(name, _)| *name).collect();
            BadValue(format!(
                "not a key that hotkeys can begin with; write one of {}",
                names.join(", ")
            ))
        })
    }
}

impl fmt::Display for Leader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = Self::NAMES.iter().find(|(_, leader)| leader == self);
        f.write_str(found.map_or("", |(name, _)| name))
    }
}

/// Time between two characters of a typed text, beside what the target takes: 0 to 1000 ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct TypeDelay(u16);

impl TypeDelay {
    pub fn duration(self) -> Duration {
        Duration::from_millis(self.0.into())
    }
}

/// Firmware takes a report each millisecond and keeps only some dozen characters for a program that is busy drawing: OVMF
/// forgets some with no pause and none with 2 ms, so this leaves some room.
impl Default for TypeDelay {
    fn default() -> Self {
        TypeDelay(5)
    }
}

impl TryFrom<i64> for TypeDelay {
    type Error = BadValue;

    fn try_from(value: i64) -> Result<Self, BadValue> {
        u16::try_from(value)
            .ok()
            .filter(|delay| *delay <= 1000)
            .map(TypeDelay)
            .ok_or_else(|| {
                BadValue("not a delay; write a whole number of milliseconds from 0 to 1000".into())
            })
    }
}

impl From<TypeDelay> for i64 {
    fn from(delay: TypeDelay) -> i64 {
        i64::from(delay.0)
    }
}

impl FromStr for TypeDelay {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        text.parse::<i64>().unwrap_or(-1).try_into()
    }
}

/// Where commands such as `rfbridge type` reach the server: a path, or `none`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ControlSocket {
    None,
    Path(PathBuf),
}

impl FromStr for ControlSocket {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        match text {
            "none" => Ok(ControlSocket::None),
            path if path.starts_with('/') => Ok(ControlSocket::Path(path.into())),
            _ => Err(BadValue(
                "not a socket; write its absolute path, for example /run/rfbridge/control.sock, or none"
                    .to_owned(),
            )),
        }
    }
}

impl fmt::Display for ControlSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ControlSocket::None => f.write_str("none"),
            ControlSocket::Path(path) => path.display().fmt(f),
        }
    }
}

as_text!(Leader, ControlSocket);
