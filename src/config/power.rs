//! `[power]`: how the target is switched on and off.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    str::FromStr,
    time::Duration,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{
    limits::Limit,
    role::Role,
    settings::PowerSettings,
    values::{BadValue, as_text},
};

/// Seconds that a command may take.
pub type CommandSeconds = Limit<1, 300>;

/// What is done for each action, and who may ask for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Power {
    /// The case's power button: pressed shortly for on and off, for long to force off.
    pub button: Option<Line>,
    pub on: Option<Way>,
    pub off: Option<Way>,
    pub force_off: Option<Way>,
    pub reset: Option<Way>,
    pub reboot: Option<Way>,
    /// Lit while the target is on.
    pub led: Option<Line>,
    /// The least role that may.
    pub role: Role,
    pub timeout: CommandSeconds,
}

impl From<PowerSettings> for Power {
    fn from(settings: PowerSettings) -> Self {
        Self {
            button: settings.button,
            on: settings.on,
            off: settings.off,
            force_off: settings.force_off,
            reset: settings.reset,
            reboot: settings.reboot,
            led: settings.led,
            role: settings.role.unwrap_or(Role::Admin),
            timeout: settings.timeout.unwrap_or(Limit::of::<30>()),
        }
    }
}

impl Power {
    pub(super) fn into_settings(self) -> PowerSettings {
        PowerSettings {
            button: self.button,
            on: self.on,
            off: self.off,
            force_off: self.force_off,
            reset: self.reset,
            reboot: self.reboot,
            led: self.led,
            role: Some(self.role),
            timeout: Some(self.timeout),
        }
    }

    /// How this is done, if it can be.
    pub fn way(&self, action: Action) -> Option<Way> {
        let press = |time: Duration| {
            let line = self.button.clone()?;
            let press = line.press.or(Some(time));
            Some(Way::Line(Line { press, ..line }))
        };
        match action {
            Action::On => self.on.clone().or_else(|| press(SHORT)),
            Action::Off => self.off.clone().or_else(|| press(SHORT)),
            Action::ForceOff => {
                let line = self.button.clone().map(|line| Line {
                    press: Some(LONG),
                    ..line
                });
                self.force_off.clone().or(line.map(Way::Line))
            }
            Action::Reset => self.reset.clone(),
            Action::Reboot => self.reboot.clone(),
        }
    }
}

/// What a short press is to a mainboard, and one that forces it off (4 s by the ATX specification).
pub const SHORT: Duration = Duration::from_millis(200);
pub const LONG: Duration = Duration::from_secs(6);
/// The longest press that can be asked for.
const LONGEST: Duration = Duration::from_secs(20);

/// What can be done with the target's power.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    On,
    /// By the system that runs, as the power button asks it to.
    Off,
    /// Whatever runs.
    ForceOff,
    Reset,
    /// By the system that runs.
    Reboot,
}

impl Action {
    pub const ALL: [Self; 5] = [
        Self::On,
        Self::Off,
        Self::ForceOff,
        Self::Reset,
        Self::Reboot,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Off => "off",
            Self::ForceOff => "force-off",
            Self::Reset => "reset",
            Self::Reboot => "reboot",
        }
    }
}

impl FromStr for Action {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let named = Self::ALL.into_iter().find(|action| action.name() == text);
        let rule = "no power action; they are on, off, force-off, reset and reboot";
        named.ok_or_else(|| BadValue(rule.to_owned()))
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How an action is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    Line(Line),
    /// Wake-on-LAN.
    Wake {
        mac: [u8; 6],
        to: SocketAddr,
    },
    /// A program with its arguments; no shell is between.
    Command(Vec<String>),
}

/// A GPIO line: `gpio:gpiochip0/23`; `,low` if low is active, `,press=500ms` for another time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub chip: String,
    pub offset: u32,
    pub active_low: bool,
    pub press: Option<Duration>,
}

impl FromStr for Line {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        parse_line(text).ok_or_else(|| {
            BadValue(
                "not a GPIO line; write gpio:CHIP/LINE, with ,low behind it if low is active and ,press=500ms for how long it is \
                 pressed (at most 20s): gpio:gpiochip0/23 (see them with: gpioinfo)"
                    .to_owned(),
            )
        })
    }
}

fn parse_line(text: &str) -> Option<Line> {
    let mut parts = text.strip_prefix("gpio:")?.split(',');
    let (chip, offset) = parts.next()?.trim_start_matches("/dev/").split_once('/')?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    let mut line = Line {
        chip: Some(chip)
            .filter(|chip| !chip.is_empty() && chip.chars().all(is_plain))?
            .to_owned(),
        offset: offset.parse().ok()?,
        active_low: false,
        press: None,
    };
    for part in parts {
        match part.strip_prefix("press=") {
            None if part == "low" && !line.active_low => line.active_low = true,
            Some(time) if line.press.is_none() => {
                let time = Duration::from_millis(time.strip_suffix("ms")?.parse().ok()?);
                line.press = Some(time).filter(|time| !time.is_zero() && *time <= LONGEST);
                line.press?;
            }
            _ => return None,
        }
    }
    Some(line)
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "gpio:{}/{}", self.chip, self.offset)?;
        if self.active_low {
            f.write_str(",low")?;
        }
        match self.press {
            Some(press) => write!(f, ",press={}ms", press.as_millis()),
            None => Ok(()),
        }
    }
}

impl FromStr for Way {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        if text.starts_with("gpio:") {
            return text.parse().map(Self::Line);
        }
        if let Some(rest) = text.strip_prefix("wol:") {
            return wake(rest).ok_or_else(|| {
                BadValue(
                    "not a Wake-on-LAN address; write wol:aa:bb:cc:dd:ee:ff, and @ADDRESS[:PORT] behind it for another than \
                     255.255.255.255:9"
                        .to_owned(),
                )
            });
        }
        let command = text.strip_prefix("command:").map(str::split_whitespace);
        let words: Vec<_> = command.into_iter().flatten().map(str::to_owned).collect();
        match words.first() {
            Some(program) if program.starts_with('/') => Ok(Self::Command(words)),
            _ => Err(BadValue(
                "nothing that can be done; write gpio:gpiochip0/23, wol:aa:bb:cc:dd:ee:ff or command:/path/of/program arguments"
                    .to_owned(),
            )),
        }
    }
}

fn wake(text: &str) -> Option<Way> {
    let (mac, to) = match text.split_once('@') {
        None => (text, SocketAddr::from((Ipv4Addr::BROADCAST, WAKE_PORT))),
        Some((mac, to)) => {
            let ip = || Some(SocketAddr::new(to.parse::<IpAddr>().ok()?, WAKE_PORT));
            (mac, to.parse().ok().or_else(ip)?)
        }
    };
    let digits: Vec<_> = mac.split(':').collect();
    let is_byte = |two: &&&str| two.len() == 2 && two.chars().all(|c| c.is_ascii_hexdigit());
    let bytes = digits.iter().filter(is_byte);
    let bytes = bytes.map(|two| u8::from_str_radix(two, 16));
    let bytes: Vec<u8> = bytes.collect::<Result<_, _>>().ok()?;
    let mac = (bytes.len() == digits.len()).then(|| bytes.try_into().ok())??;
    Some(Way::Wake { mac, to })
}

/// "discard", which nobody answers.
const WAKE_PORT: u16 = 9;

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => line.fmt(f),
            Self::Wake { mac, to } => {
                let mac = mac.map(|byte| format!("{byte:02x}")).join(":");
                write!(f, "wol:{mac}@{to}")
            }
            Self::Command(words) => write!(f, "command:{}", words.join(" ")),
        }
    }
}

as_text!(Action, Line, Way);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_are_written_as_they_are_read() {
        for (text, shown) in [
            ("gpio:gpiochip0/23", "gpio:gpiochip0/23"),
            ("gpio:/dev/gpiochip0/23,low", "gpio:gpiochip0/23,low"),
            (
                "gpio:gpiochip4/7,press=500ms,low",
                "gpio:gpiochip4/7,low,press=500ms",
            ),
            (
                "wol:AA:bb:cc:dd:ee:0f",
                "wol:aa:bb:cc:dd:ee:0f@255.255.255.255:9",
            ),
            (
                "wol:aa:bb:cc:dd:ee:ff@192.0.2.255",
                "wol:aa:bb:cc:dd:ee:ff@192.0.2.255:9",
            ),
            (
                "wol:aa:bb:cc:dd:ee:ff@192.0.2.255:7",
                "wol:aa:bb:cc:dd:ee:ff@192.0.2.255:7",
            ),
            ("command:/usr/bin/pdu  off 3", "command:/usr/bin/pdu off 3"),
        ] {
            let way: Way = text.parse().expect(text);
            assert_eq!(way.to_string(), shown);
            assert_eq!(shown.parse(), Ok(way));
        }
        for bad in [
            "gpio:23",
            "gpio:gpiochip0/x",
            "gpio:../x/1",
            "gpio:gpiochip0/1,high",
            "gpio:gpiochip0/1,press=0ms",
            "gpio:gpiochip0/1,press=21000ms",
            "wol:aa:bb:cc:dd:ee",
            "wol:aa:bb:cc:dd:ee:+f",
            "wol:aa:bb:cc:dd:ee:ff@nowhere",
            "command:reboot",
            "command:",
            "pdu off",
        ] {
            assert!(bad.parse::<Way>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_button_does_what_is_not_said_otherwise() {
        let settings = |text| toml::from_str::<PowerSettings>(text).expect("settings");
        let power = Power::from(settings(
            "button = \"gpio:gpiochip0/2\"\noff = \"command:/bin/off\"",
        ));
        let press = |action| match power.way(action) {
            Some(Way::Line(line)) => line.press,
            _ => None,
        };
        assert_eq!(press(Action::On), Some(SHORT));
        assert_eq!(press(Action::ForceOff), Some(LONG));
        assert_eq!(
            power.way(Action::Off),
            Some(Way::Command(vec!["/bin/off".to_owned()]))
        );
        assert_eq!(
            (power.way(Action::Reset), power.way(Action::Reboot)),
            (None, None)
        );
    }
}
