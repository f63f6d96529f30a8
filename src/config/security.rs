//! `[security]`: which security types are offered, and what proves who this server is.

use std::{fmt, path::PathBuf, str::FromStr};

use rfb::security::SecurityType;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{ConfigError, settings::SecuritySettings, values::BadValue};

/// How clients prove who they are, and this server to them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Security {
    /// The file with the users.
    pub users: Option<PathBuf>,
    /// What is offered, in order; what can be, best first, if it is not given.
    pub types: Option<SecurityTypes>,
    pub certificate: Option<CertificateFiles>,
    /// The file of the RSA key for RSA-AES.
    pub host_key: Option<PathBuf>,
}

/// The files of a certificate with its chain, and of its private key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Security {
    pub(super) fn new(settings: SecuritySettings) -> Result<Self, ConfigError> {
        let certificate = match (settings.certificate, settings.key) {
            (Some(certificate), Some(key)) => Some(CertificateFiles { certificate, key }),
            (None, None) => None,
            (Some(_), None) => return Err(ConfigError::NoKey),
            (None, Some(_)) => return Err(ConfigError::NoCertificate),
        };
        Ok(Self {
            users: settings.users,
            types: settings.types,
            certificate,
            host_key: settings.host_key,
        })
    }

    pub(super) fn into_settings(self) -> SecuritySettings {
        let (certificate, key) = match self.certificate {
            Some(files) => (Some(files.certificate), Some(files.key)),
            None => (None, None),
        };
        SecuritySettings {
            users: self.users,
            types: self.types,
            certificate,
            key,
            host_key: self.host_key,
        }
    }
}

/// Security types, each once, the first preferred: `X509Vnc,VncAuth`, or in the file `["X509Vnc", "VncAuth"]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityTypes(pub Vec<SecurityType>);

impl SecurityTypes {
    fn add(&mut self, name: &str) -> Result<(), BadValue> {
        let known = || {
            let names = SecurityType::ALL.map(SecurityType::name);
            names.join(", ")
        };
        let name = name.trim();
        let security = name.parse().map_err(|_| {
            BadValue(format!(
                "{name:?} is no security type; they are {}",
                known()
            ))
        })?;
        if self.0.contains(&security) {
            return Err(BadValue(format!("{security} is named twice; name it once")));
        }
        self.0.push(security);
        Ok(())
    }

    fn not_empty(self) -> Result<Self, BadValue> {
        match self.0.is_empty() {
            false => Ok(self),
            true => Err(BadValue(
                "an empty list, so nobody could log in; leave it out to offer what can be offered"
                    .to_owned(),
            )),
        }
    }
}

impl FromStr for SecurityTypes {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let mut types = Self(Vec::new());
        if !text.trim().is_empty() {
            text.split(',').try_for_each(|name| types.add(name))?;
        }
        types.not_empty()
    }
}

impl fmt::Display for SecurityTypes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.iter().map(|security| security.name()).collect();
        f.write_str(&names.join(","))
    }
}

impl Serialize for SecurityTypes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|security| security.name()))
    }
}

impl<'de> Deserialize<'de> for SecurityTypes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;

        impl<'de> de::Visitor<'de> for Names {
            type Value = SecurityTypes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of security types")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_seq<A: de::SeqAccess<'de>>(
                self,
                mut list: A,
            ) -> Result<Self::Value, A::Error> {
                let mut types = SecurityTypes(Vec::new());
                while let Some(name) = list.next_element::<String>()? {
                    types.add(&name).map_err(de::Error::custom)?;
                }
                types.not_empty().map_err(de::Error::custom)
            }
        }

        deserializer.deserialize_any(Names)
    }
}
