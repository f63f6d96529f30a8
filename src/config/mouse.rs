//! `[mouse]`, and what it shares with `[keyboard]`.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{
    settings::MouseSettings,
    values::{BadValue, as_text},
};

/// How the target's pointer is moved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mouse {
    pub mode: MouseMode,
    pub scroll_rate: ScrollRate,
    /// After so long without input the pointer is stirred.
    pub jiggle: Seconds,
}

impl Mouse {
    pub(super) fn new(settings: MouseSettings) -> Self {
        Self {
            mode: settings.mode.unwrap_or_default(),
            scroll_rate: settings.scroll_rate.unwrap_or_default(),
            jiggle: settings.jiggle.unwrap_or_default(),
        }
    }

    pub(super) fn into_settings(self) -> MouseSettings {
        MouseSettings {
            mode: Some(self.mode),
            scroll_rate: Some(self.scroll_rate),
            jiggle: Some(self.jiggle),
        }
    }
}

/// Which of the target's pointers is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MouseMode {
    /// The absolute one, where the target has it.
    #[default]
    Auto,
    Absolute,
    Relative,
}

impl FromStr for MouseMode {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        match text {
            "auto" => Ok(Self::Auto),
            "absolute" => Ok(Self::Absolute),
            "relative" => Ok(Self::Relative),
            _ => Err(BadValue(
                "not a mouse mode; write auto (the default), absolute or relative".to_owned(),
            )),
        }
    }
}

impl fmt::Display for MouseMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Absolute => "absolute",
            Self::Relative => "relative",
        })
    }
}

as_text!(MouseMode);

/// Steps that the target scrolls for one turn of a client's wheel, 1 to 30.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct ScrollRate(u8);

impl ScrollRate {
    pub fn steps(self) -> u8 {
        self.0
    }
}

impl Default for ScrollRate {
    fn default() -> Self {
        Self(1)
    }
}

impl TryFrom<i64> for ScrollRate {
    type Error = BadValue;

    fn try_from(value: i64) -> Result<Self, BadValue> {
        let steps = u8::try_from(value).ok();
        let steps = steps.filter(|steps| (1..=30).contains(steps));
        steps
            .map(Self)
            .ok_or_else(|| BadValue("not a scroll rate; write a whole number from 1 to 30".into()))
    }
}

impl From<ScrollRate> for i64 {
    fn from(rate: ScrollRate) -> i64 {
        i64::from(rate.0)
    }
}

impl FromStr for ScrollRate {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        text.parse::<i64>().unwrap_or(0).try_into()
    }
}

/// A time in whole seconds up to a day; 0 is never.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Seconds(u32);

impl Seconds {
    const DAY: u32 = 24 * 60 * 60;

    /// Zero for never.
    pub fn duration(self) -> Duration {
        Duration::from_secs(self.0.into())
    }
}

impl TryFrom<i64> for Seconds {
    type Error = BadValue;

    fn try_from(value: i64) -> Result<Self, BadValue> {
        let seconds = u32::try_from(value).ok().filter(|s| *s <= Self::DAY);
        seconds.map(Self).ok_or_else(|| {
            let day = Self::DAY;
            BadValue(format!(
                "not a time; write whole seconds from 0 (never) to {day}"
            ))
        })
    }
}

impl From<Seconds> for i64 {
    fn from(seconds: Seconds) -> i64 {
        i64::from(seconds.0)
    }
}

impl FromStr for Seconds {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        text.parse::<i64>().unwrap_or(-1).try_into()
    }
}
