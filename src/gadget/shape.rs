//! What a gadget is, as a value: read from configfs, compared, and made so.
//!
//! A change is made by unplugging the gadget, taking every function out of its configuration, and building anew what is
//! to be there. The one that was before is a [`Shape`] too, so that a change that fails is undone by making that one.

use super::{
    GadgetError,
    configfs::Directory,
    media::{self, Drive},
    profile::device_release,
};
use crate::{config::Profile, hid::sink::Function};

const CONFIGURATION: &str = "configs/c.1";
/// US English, for the strings.
const LANGUAGE: &str = "strings/0x409";
/// What differs between profiles, besides their functions.
const ATTRIBUTES: [&str; 4] = ["bcdUSB", "bcdDevice", "max_speed", "configs/c.1/MaxPower"];
/// What is the same for all profiles. Whoever sets another vendor keeps that, and the rest with it.
const CONSTANTS: [(&str, &str); 7] = [
    ("idVendor", "0x1d6b"),  // Linux Foundation
    ("idProduct", "0x0104"), // Multifunction Composite Gadget
    ("strings/0x409/manufacturer", "rfbridge"),
    ("strings/0x409/product", "rfbridge keyboard and mouse"),
    ("strings/0x409/serialnumber", "rfbridge"),
    ("configs/c.1/bmAttributes", "0xa0"), // bus powered, may wake the target
    ("configs/c.1/strings/0x409/configuration", "HID"),
];

/// Everything that this program decides about a gadget, and the links of what others put into it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Shape {
    /// Values of [`ATTRIBUTES`]; older kernels do not know all of them.
    attributes: Vec<(&'static str, String)>,
    /// In the order of their interfaces.
    pub hid: Vec<(Function, Hid)>,
    pub drive: Option<Drive>,
    /// Functions of others in our configuration, each as its link's name and what that leads to. They keep their attributes;
    /// only their interfaces come behind ours.
    pub others: Vec<(String, String)>,
}

/// The attributes of a HID function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hid {
    pub subclass: String,
    pub protocol: String,
    pub report_length: String,
    pub report_descriptor: Vec<u8>,
    /// Firmware sets LEDs by a control request, which the kernel refuses while there is an OUT endpoint. `None` where the
    /// kernel is too old to have the attribute.
    pub no_out_endpoint: Option<String>,
}

impl Shape {
    /// A profile, or none of our HID functions, with a drive or not, beside what others have there.
    pub(super) fn new(
        profile: Option<Profile>,
        drive: Option<Drive>,
        others: Vec<(String, String)>,
    ) -> Self {
        let functions = profile.map_or(&[][..], |profile| profile.functions());
        let hid = functions.iter().map(|(function, descriptor)| {
            let hid = Hid {
                subclass: descriptor.subclass.to_string(),
                protocol: descriptor.protocol.to_string(),
                report_length: descriptor.report_length.to_string(),
                report_descriptor: descriptor.report.to_vec(),
                no_out_endpoint: Some("1".to_owned()),
            };
            (*function, hid)
        });
        let attributes = profile.unwrap_or_default().attributes();
        let attributes = attributes.map(|(name, value)| (name, value.to_owned()));
        let mut shape = Self {
            attributes: attributes.into(),
            hid: hid.collect(),
            drive,
            others,
        };
        let release = shape.release(profile);
        shape.attributes.push(("bcdDevice", release));
        shape
    }

    /// The same with another drive, or none.
    pub(super) fn with_drive(&self, drive: Option<Drive>) -> Self {
        let mut shape = Self {
            drive,
            ..self.clone()
        };
        let release = shape.release(self.profile());
        for (name, value) in &mut shape.attributes {
            if *name == "bcdDevice" {
                value.clone_from(&release);
            }
        }
        shape
    }

    fn release(&self, profile: Option<Profile>) -> String {
        let drive = self.drive.iter().map(|_| media::FUNCTION);
        let others = self.others.iter().map(|(_, function)| function.as_str());
        device_release(profile, drive.chain(others))
    }

    /// What a gadget is now.
    pub(super) fn read(gadget: &Directory) -> Self {
        let attributes = ATTRIBUTES
            .iter()
            .filter_map(|name| Some((*name, gadget.read(name)?)));
        let hid = Function::ALL.into_iter().filter_map(|function| {
            let attribute = |name: &str| format!("{}/{name}", directory(function));
            let text = |name: &str| gadget.read(&attribute(name));
            let hid = Hid {
                subclass: text("subclass")?,
                protocol: text("protocol")?,
                report_length: text("report_length")?,
                report_descriptor: gadget.read_bytes(&attribute("report_desc"))?,
                no_out_endpoint: text("no_out_endpoint"),
            };
            Some((function, hid))
        });
        Self {
            attributes: attributes.collect(),
            hid: hid.collect(),
            drive: Drive::read(gadget),
            others: links(gadget)
                .into_iter()
                .filter(|(_, function)| !is_ours(function))
                .collect(),
        }
    }

    /// The profile that has just these functions.
    pub(super) fn profile(&self) -> Option<Profile> {
        Profile::ALL.into_iter().find(|profile| {
            let functions = profile.functions();
            let is_same = |(have, want): (&(Function, Hid), &(Function, _))| {
                let descriptor: &crate::hid::descriptor::Descriptor = want.1;
                have.0 == want.0 && have.1.report_descriptor == descriptor.report
            };
            functions.len() == self.hid.len() && self.hid.iter().zip(functions).all(is_same)
        })
    }

    /// Whether a gadget is this already, with everything in its configuration.
    pub(super) fn is_made(&self, gadget: &Directory) -> bool {
        let now = Self::read(gadget);
        let linked: Vec<_> = links(gadget).into_iter().map(|(_, to)| to).collect();
        let is_same = |(name, value): &(&str, String)| {
            let have = now.attributes.iter().find(|(have, _)| have == name);
            have.is_none_or(|(_, have)| have == value)
        };
        self.attributes.iter().all(is_same)
            && self.hid.len() == now.hid.len()
            && self
                .hid
                .iter()
                .zip(&now.hid)
                .all(|(want, have)| want.0 == have.0 && want.1.is_satisfied_by(&have.1))
            && self.drive == now.drive
            && self.others == now.others
            && self.ours().all(|name| linked.contains(&name))
    }

    /// The names of our functions, in the order of their interfaces.
    pub(super) fn ours(&self) -> impl Iterator<Item = String> {
        let hid = self.hid.iter().map(|(function, _)| name(*function));
        hid.chain(self.drive.iter().map(|_| media::FUNCTION.to_owned()))
    }

    /// Makes an unplugged gadget this.
    pub(super) fn make(&self, gadget: &Directory) -> Result<(), GadgetError> {
        gadget.make(LANGUAGE)?;
        gadget.make(CONFIGURATION)?;
        gadget.make(&format!("{CONFIGURATION}/{LANGUAGE}"))?;
        for (link, _) in links(gadget) {
            gadget.unlink(&format!("{CONFIGURATION}/{link}"))?;
        }
        if gadget.read("idVendor").as_deref() == Some("0x0000") {
            for (attribute, value) in CONSTANTS.into_iter().rev() {
                gadget.write(attribute, value)?;
            }
        }
        for (attribute, value) in &self.attributes {
            gadget.write_if_known(attribute, value)?;
        }
        // The ones that stay keep their numbers, and with these their nodes' names.
        for function in Function::ALL {
            if !self.hid.iter().any(|(wanted, _)| *wanted == function) {
                gadget.remove(&directory(function))?;
            }
        }
        for (function, hid) in &self.hid {
            hid.make(gadget, *function)?;
        }
        match &self.drive {
            Some(drive) => drive.make(gadget)?,
            None => gadget.remove_tree(&format!("functions/{}", media::FUNCTION))?,
        }
        let ours = self.ours().map(|name| (name.clone(), name));
        for (link, function) in ours.chain(self.others.iter().cloned()) {
            gadget.link(
                &format!("functions/{function}"),
                &format!("{CONFIGURATION}/{link}"),
            )?;
        }
        Ok(())
    }
}

impl Hid {
    fn make(&self, gadget: &Directory, function: Function) -> Result<(), GadgetError> {
        gadget.make_function(&name(function))?;
        let attribute = |name: &str| format!("{}/{name}", directory(function));
        gadget.write(&attribute("subclass"), &self.subclass)?;
        gadget.write(&attribute("protocol"), &self.protocol)?;
        gadget.write(&attribute("report_length"), &self.report_length)?;
        gadget.write(&attribute("report_desc"), &self.report_descriptor)?;
        if let Some(value) = &self.no_out_endpoint {
            gadget.write_if_known(&attribute("no_out_endpoint"), value)?;
        }
        Ok(())
    }

    /// Whether the other is the same, as far as its kernel knows the attributes.
    fn is_satisfied_by(&self, other: &Self) -> bool {
        let no_out_endpoint = match &other.no_out_endpoint {
            None => None,
            Some(_) => self.no_out_endpoint.clone(),
        };
        let wanted = Self {
            no_out_endpoint,
            ..self.clone()
        };
        wanted == *other
    }
}

/// Takes apart an unplugged gadget, with what others put into it.
pub(super) fn demolish(gadget: &Directory) -> Result<(), GadgetError> {
    gadget.clear("os_desc");
    // Functions can go when no configuration has them.
    for part in ["configs", "functions", "strings"] {
        for name in gadget.list(part) {
            gadget.remove_tree(&format!("{part}/{name}"))?;
        }
    }
    gadget.remove("")
}

/// The functions of others that a gadget has, in a configuration or not.
pub(super) fn functions_of_others(gadget: &Directory) -> Vec<String> {
    let mut names = gadget.list("functions");
    names.retain(|name| !is_ours(name));
    names
}

/// The name of a HID function of ours.
pub(super) fn name(function: Function) -> String {
    format!("hid.{function}")
}

fn directory(function: Function) -> String {
    format!("functions/{}", name(function))
}

fn is_ours(name: &str) -> bool {
    name == media::FUNCTION || Function::ALL.into_iter().any(|f| self::name(f) == name)
}

/// The links in our configuration: each one's name, and the function to which it leads.
fn links(gadget: &Directory) -> Vec<(String, String)> {
    let names = gadget.list(CONFIGURATION).into_iter();
    let links = names.filter_map(|link| {
        let to = std::fs::read_link(gadget.join(&format!("{CONFIGURATION}/{link}"))).ok()?;
        Some((link, to.file_name()?.to_str()?.to_owned()))
    });
    links.collect()
}
