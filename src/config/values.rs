//! The values of settings: written the same way in a flag and in the file.

use std::{
    fmt,
    marker::PhantomData,
    net::SocketAddr,
    path::{Path, PathBuf},
    str::FromStr,
};

use super::security::SecurityTypes;
use rfb::geom::Size;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Why a value cannot be taken, and what to write instead. Who shows it names the flag or key and the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadValue(pub(super) String);

/// Where to listen: `127.0.0.1:5900`, `[::1]:5900`, `localhost:5900`; port 0 lets the system choose. Other security types
/// than elsewhere are written behind it: `127.0.0.1:5901=VncAuth`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    pub address: SocketAddr,
    pub security: Option<SecurityTypes>,
}

impl Default for Listen {
    fn default() -> Self {
        Listen {
            address: SocketAddr::from(([127, 0, 0, 1], 5900)),
            security: None,
        }
    }
}

impl FromStr for Listen {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let (text, security) = match text.split_once('=') {
            Some((address, types)) => (address, Some(types.parse()?)),
            None => (text, None),
        };
        let address = address(text, 5900)?;
        Ok(Self { address, security })
    }
}

/// An address and port; `usual` is the port of the example where it is none.
pub(super) fn address(text: &str, usual: u16) -> Result<SocketAddr, BadValue> {
    let numeric = match text.strip_prefix("localhost:") {
        Some(port) => format!("127.0.0.1:{port}"),
        None => text.to_owned(),
    };
    numeric.parse().map_err(|_| {
        let port = text.trim_start_matches(':').parse().unwrap_or(usual);
        BadValue(format!(
            "not an address and port; write ADDR:PORT with a numeric address, for example 127.0.0.1:{port} or [::1]:{port}"
        ))
    })
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)?;
        match &self.security {
            Some(types) => write!(f, "={types}"),
            None => Ok(()),
        }
    }
}

/// Width and height of a screen in pixels: `1920x1080`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScreenSize(pub Size);

impl ScreenSize {
    /// No firmware sets a smaller mode and no dongle captures a larger one.
    const SIDES: std::ops::RangeInclusive<u16> = 64..=8192;
}

impl FromStr for ScreenSize {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let side = |text: &str| {
            text.parse::<u16>()
                .ok()
                .filter(|side| Self::SIDES.contains(side))
        };
        text.split_once('x')
            .and_then(|(width, height)| Some(Size::new(side(width)?, side(height)?)))
            .map(ScreenSize)
            .ok_or_else(|| {
                BadValue(format!(
                    "not a size; write WIDTHxHEIGHT in pixels, each from {} to {}, for example 1920x1080",
                    Self::SIDES.start(),
                    Self::SIDES.end()
                ))
            })
    }
}

impl fmt::Display for ScreenSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Frames per second, 1 to 240.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct FramesPerSecond(u16);

impl FramesPerSecond {
    pub fn per_second(self) -> u16 {
        self.0
    }
}

impl TryFrom<i64> for FramesPerSecond {
    type Error = BadValue;

    fn try_from(value: i64) -> Result<Self, BadValue> {
        u16::try_from(value)
            .ok()
            .filter(|rate| (1..=240).contains(rate))
            .map(FramesPerSecond)
            .ok_or_else(|| {
                BadValue("not a frame rate; write a whole number from 1 to 240".to_owned())
            })
    }
}

impl From<FramesPerSecond> for i64 {
    fn from(rate: FramesPerSecond) -> i64 {
        i64::from(rate.0)
    }
}

impl FromStr for FramesPerSecond {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        text.parse::<i64>().unwrap_or(0).try_into()
    }
}

/// By how many levels the samples of a still screen waver about their value, up and down: 0 to 16.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct NoiseTolerance(u8);

impl NoiseTolerance {
    /// By how much a sample may differ from the one that is shown, which wavered too, and count as the same.
    pub fn levels(self) -> u8 {
        self.0 * 2
    }
}

impl TryFrom<i64> for NoiseTolerance {
    type Error = BadValue;

    fn try_from(value: i64) -> Result<Self, BadValue> {
        u8::try_from(value)
            .ok()
            .filter(|levels| *levels <= 16)
            .map(NoiseTolerance)
            .ok_or_else(|| {
                BadValue(
                    "not a noise tolerance; write a whole number from 0 (off) to 16".to_owned(),
                )
            })
    }
}

impl From<NoiseTolerance> for i64 {
    fn from(tolerance: NoiseTolerance) -> i64 {
        i64::from(tolerance.0)
    }
}

impl FromStr for NoiseTolerance {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        text.parse::<i64>().unwrap_or(-1).try_into()
    }
}

/// Where frames come from: `v4l`, `v4l:/dev/video0`, `pipe:-`, `pipe:PATH`, `replay:PATH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A V4L2 capture device; the first one that captures if it is not named.
    V4l(Option<PathBuf>),
    /// Pictures from standard input, one after the other.
    Stdin,
    /// Pictures from a FIFO, one after the other.
    Pipe(PathBuf),
    /// A recording, looped.
    Replay(PathBuf),
}

impl FromStr for Source {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let (kind, path) = match text.split_once(':') {
            Some((kind, path)) => (kind, Some(path)),
            None => (text, None),
        };
        match (kind, path) {
            ("v4l", None) => Ok(Source::V4l(None)),
            ("v4l", Some(path)) if !path.is_empty() => Ok(Source::V4l(Some(path.into()))),
            ("pipe", Some("-")) => Ok(Source::Stdin),
            ("pipe", Some(path)) if !path.is_empty() => Ok(Source::Pipe(path.into())),
            ("replay", Some(path)) if !path.is_empty() => Ok(Source::Replay(path.into())),
            _ => Err(BadValue(
                "not a source; write v4l, v4l:/dev/videoN, pipe:- (standard input), pipe:PATH or replay:PATH"
                    .to_owned(),
            )),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::V4l(None) => f.write_str("v4l"),
            Source::V4l(Some(path)) => write!(f, "v4l:{}", path.display()),
            Source::Stdin => f.write_str("pipe:-"),
            Source::Pipe(path) => write!(f, "pipe:{}", path.display()),
            Source::Replay(path) => write!(f, "replay:{}", path.display()),
        }
    }
}

/// The format a V4L2 device is told to deliver, or that a pipe has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Mjpeg,
    Yuyv,
    Uyvy,
    Nv12,
    Rgb24,
    Bgr24,
}

impl Format {
    const NAMES: [(&str, Format); 6] = [
        ("mjpeg", Format::Mjpeg),
        ("yuyv", Format::Yuyv),
        ("uyvy", Format::Uyvy),
        ("nv12", Format::Nv12),
        ("rgb24", Format::Rgb24),
        ("bgr24", Format::Bgr24),
    ];
}

impl FromStr for Format {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let found = Self::NAMES.iter().find(|(name, _)| *name == text);
        found.map(|(_, layout)| *layout).ok_or_else(|| {
            let names: Vec<_> = Self::NAMES.iter().map(|(name, _)| *name).collect();
            BadValue(format!(
                "not a capture format; write one of {}",
                names.join(", ")
            ))
        })
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = Self::NAMES.iter().find(|(_, layout)| layout == self);
        f.write_str(found.map_or("", |(name, _)| name))
    }
}

/// Where HID reports go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sink {
    /// To the devices of the USB gadget.
    Gadget,
    /// Nowhere: there is a picture and no input.
    Null,
}

impl FromStr for Sink {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        match text {
            "gadget" => Ok(Sink::Gadget),
            "null" => Ok(Sink::Null),
            _ => Err(BadValue(
                "not a sink; write gadget (the default) or null".to_owned(),
            )),
        }
    }
}

impl fmt::Display for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Sink::Gadget => "gadget",
            Sink::Null => "null",
        })
    }
}

/// The device of a HID function: `auto`, a path such as `/dev/hidg0`, or `none`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Function {
    /// Whichever node the gadget's function has.
    #[default]
    Auto,
    None,
    Device(PathBuf),
}

impl Function {
    pub fn device(path: impl Into<PathBuf>) -> Self {
        Function::Device(path.into())
    }

    pub fn path(&self) -> Option<&Path> {
        match self {
            Function::Auto | Function::None => None,
            Function::Device(path) => Some(path),
        }
    }
}

impl FromStr for Function {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        match text {
            "auto" => Ok(Function::Auto),
            "none" => Ok(Function::None),
            path if path.starts_with('/') => Ok(Function::device(path)),
            _ => Err(BadValue(
                "not a device; write auto (the default), its absolute path, for example /dev/hidg0, or none"
                    .to_owned(),
            )),
        }
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Function::Auto => f.write_str("auto"),
            Function::None => f.write_str("none"),
            Function::Device(path) => path.display().fmt(f),
        }
    }
}

/// What the USB gadget shows to the target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Profile {
    /// Everything.
    #[default]
    Full,
    /// For firmware: a boot keyboard and a boot mouse, as plain as they can be.
    Bios,
    /// For video recorders and old firmware: no horizontal wheel, no media keys.
    Nvr,
    /// For Macs: one pointer only.
    Mac,
}

impl Profile {
    pub const ALL: [Profile; 4] = [Profile::Full, Profile::Bios, Profile::Nvr, Profile::Mac];

    pub fn name(self) -> &'static str {
        match self {
            Profile::Full => "full",
            Profile::Bios => "bios",
            Profile::Nvr => "nvr",
            Profile::Mac => "mac",
        }
    }
}

impl FromStr for Profile {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let found = Self::ALL.into_iter().find(|profile| profile.name() == text);
        found.ok_or_else(|| {
            let names = Self::ALL.map(Profile::name);
            BadValue(format!("not a profile; write one of {}", names.join(", ")))
        })
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// In the file a value is the text that the flag takes.
macro_rules! as_text {
    ($($type:ty),*) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    )*};
}

pub(super) use as_text;

as_text!(Listen, ScreenSize, Source, Format, Sink, Function);

/// `listen = "127.0.0.1:5900"` as well as `listen = ["127.0.0.1:5900", "[::1]:5900"]`.
pub(super) fn one_or_many<'de, D, T>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + FromStr<Err = BadValue>,
{
    struct OneOrMany<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de> + FromStr<Err = BadValue>> de::Visitor<'de> for OneOrMany<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("ADDR:PORT or a list of them")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
            Ok(vec![text.parse().map_err(E::custom)?])
        }

        fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut out = Vec::new();
            while let Some(listen) = list.next_element()? {
                out.push(listen);
            }
            Ok(out)
        }
    }

    deserializer
        .deserialize_any(OneOrMany(PhantomData))
        .map(Some)
}
