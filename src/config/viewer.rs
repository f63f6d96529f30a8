//! A viewer that listens, to which the server connects.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::values::{BadValue, as_text};

/// Where viewers listen if nothing else is said: `vncviewer -listen`.
const PORT: u16 = 5500;

/// Host and port of a listening viewer: `desk.example`, `desk.example:5501`, `[2001:db8::1]:5500`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    pub host: String,
    pub port: u16,
}

impl FromStr for Viewer {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let rule = || {
            BadValue(format!(
                "not a viewer's address; write HOST or HOST:PORT, for example desk.example:{PORT} or [2001:db8::1]:{PORT}"
            ))
        };
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, rest) = rest.split_once(']').ok_or_else(rule)?;
                (
                    host,
                    rest.strip_prefix(':').or(rest.is_empty().then_some("")),
                )
            }
            None => match text.split_once(':') {
                Some((host, port)) => (host, Some(port).filter(|port| !port.is_empty())),
                None => (text, Some("")),
            },
        };
        let port = match port.ok_or_else(rule)? {
            "" => PORT,
            port => port.parse().map_err(|_| rule())?,
        };
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._:%".contains(c);
        match !host.is_empty() && port != 0 && host.len() <= 255 && host.chars().all(is_plain) {
            true => Ok(Self {
                host: host.to_owned(),
                port,
            }),
            false => Err(rule()),
        }
    }
}

impl fmt::Display for Viewer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        match host.contains(':') {
            true => write!(f, "[{host}]:{port}"),
            false => write!(f, "{host}:{port}"),
        }
    }
}

as_text!(Viewer);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_viewer_has_a_host_and_perhaps_a_port() {
        for (text, shown) in [
            ("desk", "desk:5500"),
            ("desk.example:5501", "desk.example:5501"),
            ("192.0.2.7", "192.0.2.7:5500"),
            ("[2001:db8::1]", "[2001:db8::1]:5500"),
            ("[2001:db8::1]:7", "[2001:db8::1]:7"),
        ] {
            let viewer: Viewer = text.parse().expect(text);
            assert_eq!(viewer.to_string(), shown);
        }
        for bad in [
            "",
            ":5500",
            "desk:",
            "desk:x",
            "desk:0",
            "[::1",
            "[::1]5500",
            "a b",
            "::1",
        ] {
            assert!(bad.parse::<Viewer>().is_err(), "{bad}");
        }
    }
}
