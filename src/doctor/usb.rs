//! The dongle as a USB device: which it is, and whether its port is fast enough.

use std::{fmt, path::PathBuf};

use super::{finding::Verdict, machine::Machine};

/// Class of the interfaces of cameras and capture dongles: USB Video Class, 4.
const VIDEO: &str = "0e";
/// Chips by vendor and product, and whether they need USB 3 for what they promise.
const CHIPS: [(&str, &str, &str, bool); 5] = [
    ("534d", "2109", "MS2109", false),
    ("534d", "2130", "MS2130", true),
    ("345f", "2109", "MS2109", false),
    ("345f", "2130", "MS2130", true),
    ("345f", "2131", "MS2131", true),
];

/// A USB device with a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Dongle {
    /// Of sysfs, where links lead.
    directory: PathBuf,
    vendor: String,
    product: String,
    name: Option<String>,
    /// Mbit/s
    speed: Option<u32>,
    /// `bcdUSB` such as 2.10; from 2.01 on a device could do more on another port (USB 3.2, 9.2.6.6).
    version: Option<(u32, u32)>,
    bus: Option<u32>,
}

impl Dongle {
    fn read(machine: &Machine, directory: PathBuf) -> Option<Self> {
        let attribute = |name: &str| machine.text(directory.join(name));
        let version = attribute("version").and_then(|text| {
            let (major, minor) = text.split_once('.')?;
            Some((major.trim().parse().ok()?, minor.parse().ok()?))
        });
        Some(Self {
            vendor: attribute("idVendor")?,
            product: attribute("idProduct")?,
            name: attribute("product").filter(|name| !name.is_empty()),
            speed: attribute("speed").and_then(|text| text.parse().ok()),
            version,
            bus: attribute("busnum").and_then(|text| text.parse().ok()),
            directory,
        })
    }

    fn chip(&self) -> Option<(&'static str, bool)> {
        let mut chips = CHIPS.iter();
        let (.., chip, is_usb3) = chips
            .find(|(vendor, product, ..)| (*vendor, *product) == (&self.vendor, &self.product))?;
        Some((chip, *is_usb3))
    }
}

/// Such as `USB Video (MS2109, 534d:2109)`.
impl fmt::Display for Dongle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name.as_deref().unwrap_or("a dongle");
        let chip = self
            .chip()
            .map_or_else(String::new, |(chip, _)| format!("{chip}, "));
        write!(f, "{name} ({chip}{}:{})", self.vendor, self.product)
    }
}

/// The USB device of which `device` (of sysfs) is an interface.
pub(super) fn dongle(machine: &Machine, device: &str) -> Option<Dongle> {
    let interface = machine.resolved(device)?;
    let mut above = interface.ancestors().take(4);
    let directory = above.find(|directory| machine.has(directory.join("idVendor")))?;
    Dongle::read(machine, directory.to_owned())
}

/// Each one once, whatever nodes it has.
pub(super) fn dongles<'d>(all: impl Iterator<Item = &'d Dongle>) -> Vec<&'d Dongle> {
    let mut dongles: Vec<&Dongle> = Vec::new();
    for dongle in all {
        if !dongles
            .iter()
            .any(|other| other.directory == dongle.directory)
        {
            dongles.push(dongle);
        }
    }
    dongles
}

/// A USB device with a picture that no driver has taken.
pub(super) fn without_driver(machine: &Machine) -> Option<Dongle> {
    const DEVICES: &str = "/sys/bus/usb/devices";
    let names = machine.names(DEVICES).into_iter();
    // An interface is named after its device: 1-1.2:1.0 of 1-1.2.
    let mut interfaces = names.filter(|name| {
        let interface = format!("{DEVICES}/{name}");
        let class = machine.text(format!("{interface}/bInterfaceClass"));
        class.as_deref() == Some(VIDEO) && !machine.has(format!("{interface}/driver"))
    });
    interfaces.find_map(|name| {
        let device = name.split(':').next()?;
        Dongle::read(machine, format!("{DEVICES}/{device}").into())
    })
}

/// Whether the port is fast enough, and whether anybody else takes its time.
pub(super) fn speed(dongle: &Dongle, all: &[&Dongle]) -> Verdict {
    let is_made_for_3 = dongle.chip().is_some_and(|(_, is_usb3)| is_usb3);
    let could_do_more = dongle.version.is_some_and(|version| version >= (2, 1));
    let beside = all.iter().any(|other| {
        other.directory != dongle.directory
            && other.bus == dongle.bus
            && other.speed.is_some_and(|speed| speed <= 480)
    });
    const OTHER_PORT: &str =
        "plug it into a USB 3 port (blue inside), with no USB 2 hub or extension between";
    match dongle.speed {
        None => Verdict::note("the kernel does not tell its speed", "nothing"),
        Some(speed) if speed < 480 => Verdict::error(
            format!("it runs at {speed} Mbit/s (USB 1), too slow for any picture"),
            "try another port, cable or hub, and put the plug in with a firm push",
        ),
        Some(480) if beside => Verdict::warning(
            "two dongles share one USB 2 bus and starve each other",
            "plug one into a port of another bus (`lsusb -t` shows them), such as a USB 3 port",
        ),
        Some(480) if is_made_for_3 => Verdict::warning(
            "it is made for USB 3 but runs at 480 Mbit/s (USB 2): 1080p at 60 a second, or without compression, does not fit",
            OTHER_PORT,
        ),
        Some(480) if could_do_more => Verdict::note(
            "it runs at 480 Mbit/s (USB 2) and seems to be made for USB 3",
            OTHER_PORT,
        ),
        Some(480) => Verdict::ok("480 Mbit/s (USB 2), enough for MJPEG at 1080p"),
        Some(speed) => Verdict::ok(format!("{speed} Mbit/s (USB 3)")),
    }
}
