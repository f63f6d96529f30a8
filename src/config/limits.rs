//! `[limits]`: how many clients there may be, and how fast passwords may be guessed by all together.

use std::{str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};

use super::{settings::LimitsSettings, values::BadValue};

/// Seconds from the first byte to the end of the handshake.
pub type HandshakeSeconds = Limit<5, 300>;
/// Connections or clients.
pub type Count = Limit<1, 1000>;
/// Failed logins in a minute.
pub type PerMinute = Limit<1, 6000>;

/// What one peer may not exceed, and all of them together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub handshake: HandshakeSeconds,
    /// Connections that have not logged in yet.
    pub strangers: Count,
    /// Clients that have.
    pub clients: Count,
    /// Of these, from one address that is not this machine's own.
    pub clients_per_address: Count,
    /// Failed logins from all addresses together; beyond that those that never logged in wait.
    pub failures_per_minute: PerMinute,
}

impl Limits {
    pub(super) fn new(settings: LimitsSettings) -> Self {
        Self {
            handshake: settings.handshake.unwrap_or(Limit(30)),
            strangers: settings.strangers.unwrap_or(Limit(16)),
            clients: settings.clients.unwrap_or(Limit(32)),
            clients_per_address: settings.clients_per_address.unwrap_or(Limit(16)),
            failures_per_minute: settings.failures_per_minute.unwrap_or(Limit(30)),
        }
    }

    pub(super) fn into_settings(self) -> LimitsSettings {
        LimitsSettings {
            handshake: Some(self.handshake),
            strangers: Some(self.strangers),
            clients: Some(self.clients),
            clients_per_address: Some(self.clients_per_address),
            failures_per_minute: Some(self.failures_per_minute),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::new(LimitsSettings::default())
    }
}

/// A whole number in a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Limit<const LEAST: u32, const MOST: u32>(u32);

impl<const LEAST: u32, const MOST: u32> Limit<LEAST, MOST> {
    /// The number that is known to be in the range.
    pub(super) const fn of<const NUMBER: u32>() -> Self {
        const { assert!(NUMBER >= LEAST && NUMBER <= MOST) };
        Self(NUMBER)
    }

    pub fn count(self) -> usize {
        self.0 as usize
    }

    /// Of so many seconds.
    pub fn duration(self) -> Duration {
        Duration::from_secs(self.0.into())
    }

    /// From one to the next, if there are so many in a minute.
    pub fn interval(self) -> Duration {
        Duration::from_secs(60) / self.0.max(1)
    }
}

impl<const LEAST: u32, const MOST: u32> TryFrom<i64> for Limit<LEAST, MOST> {
    type Error = BadValue;

    fn try_from(value: i64) -> Result<Self, BadValue> {
        let number = u32::try_from(value).ok();
        let number = number.filter(|number| (LEAST..=MOST).contains(number));
        number.map(Self).ok_or_else(|| {
            BadValue(format!(
                "not within the limits; write a whole number from {LEAST} to {MOST}"
            ))
        })
    }
}

impl<const LEAST: u32, const MOST: u32> From<Limit<LEAST, MOST>> for i64 {
    fn from(limit: Limit<LEAST, MOST>) -> i64 {
        limit.0.into()
    }
}

impl<const LEAST: u32, const MOST: u32> FromStr for Limit<LEAST, MOST> {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        text.parse::<i64>().unwrap_or(-1).try_into()
    }
}
