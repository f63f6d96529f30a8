//! `[web]`: the page for the browser, and what programs fetch.

use std::{fmt, net::SocketAddr, path::PathBuf, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{
    settings::WebSettings,
    values::{BadValue, address, as_text},
};

/// Debian, Alpine and Arch, npm.
const NOVNC_PLACES: [&str; 5] = [
    "/usr/share/novnc",
    "/usr/share/webapps/novnc",
    "/usr/local/share/novnc",
    "/usr/lib/node_modules/@novnc/novnc",
    "/usr/local/lib/node_modules/@novnc/novnc",
];

/// What is served over HTTP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Web {
    /// Nothing is served if it is empty.
    pub listen: Vec<SocketAddr>,
    /// Where noVNC is; looked for in the usual places if it is not given.
    pub novnc: Option<PathBuf>,
    /// Pages of other servers that may connect.
    pub origins: Vec<Origin>,
    /// What is given without a login.
    pub open: Vec<Resource>,
}

impl Web {
    pub(super) fn new(settings: WebSettings) -> Self {
        let listen = settings.listen.unwrap_or_default();
        Self {
            listen: listen.into_iter().map(|listen| listen.0).collect(),
            novnc: settings.novnc,
            origins: settings.origins.unwrap_or_default(),
            open: settings.open.unwrap_or_default(),
        }
    }

    /// Where noVNC is looked for, in this order.
    pub fn novnc_places(&self) -> Vec<PathBuf> {
        match &self.novnc {
            Some(path) => vec![path.clone()],
            None => NOVNC_PLACES.map(PathBuf::from).to_vec(),
        }
    }

    pub(super) fn into_settings(self) -> WebSettings {
        WebSettings {
            listen: Some(self.listen.into_iter().map(WebListen).collect()),
            novnc: self.novnc,
            origins: Some(self.origins),
            open: Some(self.open),
        }
    }
}

/// An address and port to serve the page at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebListen(pub SocketAddr);

impl FromStr for WebListen {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        address(text, 5800).map(Self)
    }
}

impl fmt::Display for WebListen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where a page comes from, as browsers say it (RFC 6454 §6): `https://kvm.example:8443`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// Whether a browser means this one.
    pub fn is(&self, origin: &str) -> bool {
        self.0.eq_ignore_ascii_case(origin)
    }
}

impl FromStr for Origin {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let text = text.to_ascii_lowercase();
        let host = text
            .strip_prefix("https://")
            .or_else(|| text.strip_prefix("http://"));
        let plain = |c: char| c.is_ascii_alphanumeric() || "-.:[]_".contains(c);
        match host {
            Some(host) if !host.is_empty() && host.chars().all(plain) => {
                Ok(Self(text))
            }
            _ => Err(BadValue(
                "not an origin; write it without a path, for example https://kvm.example or http://192.0.2.7:8080"
                    .to_owned(),
            )),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What programs fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    Healthz,
    Metrics,
    Settled,
    Snapshot,
}

impl FromStr for Resource {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        match text {
            "healthz" => Ok(Self::Healthz),
            "metrics" => Ok(Self::Metrics),
            "settled" => Ok(Self::Settled),
            "snapshot" => Ok(Self::Snapshot),
            _ => Err(BadValue(
                "nothing that can be open to all; write healthz, metrics, settled or snapshot"
                    .to_owned(),
            )),
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Healthz => "healthz",
            Self::Metrics => "metrics",
            Self::Settled => "settled",
            Self::Snapshot => "snapshot",
        })
    }
}

as_text!(WebListen, Origin, Resource);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_scheme_and_a_host() {
        let origin: Origin = "HTTPS://Kvm.example:8443".parse().expect("an origin");
        assert!(origin.is("https://kvm.example:8443"));
        assert!(!origin.is("https://kvm.example"));
        assert!("http://[::1]:5800".parse::<Origin>().is_ok());
        for bad in [
            "kvm.example",
            "https://",
            "https://kvm/",
            "null",
            "*",
            "ftp://kvm",
        ] {
            assert!(bad.parse::<Origin>().is_err(), "{bad}");
        }
    }
}
