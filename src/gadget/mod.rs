//! Creates and removes the USB gadget: the kernel's configfs, `usb_gadget/rfbridge`.
//!
//! In configfs a directory is an object, its files are the attributes that the kernel put there, and a symlink from a
//! configuration to a function puts the function into it. After that its attributes answer EBUSY, so all of
//! them are written before. Writing a controller's name to `UDC` plugs the gadget in.

mod nodes;

use std::{
    fs,
    io::{self, ErrorKind},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use crate::hid::sink::Function;

/// The gadget's directory and name.
pub const NAME: &str = "rfbridge";
/// US English, for the strings.
const LANGUAGE: &str = "strings/0x409";
const CONFIGURATION: &str = "configs/c.1";
/// In this order: some firmware looks at the first HID interface only.
const FUNCTIONS: [Function; 3] = [Function::Keyboard, Function::Absolute, Function::Relative];

/// Where the kernel's interfaces are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// configfs: `/sys/kernel/config/usb_gadget`.
    pub gadgets: PathBuf,
    /// The device controllers: `/sys/class/udc`.
    pub controllers: PathBuf,
    /// Device nodes: `/dev`.
    pub devices: PathBuf,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            gadgets: "/sys/kernel/config/usb_gadget".into(),
            controllers: "/sys/class/udc".into(),
            devices: "/dev".into(),
        }
    }
}

/// What could not be done to the gadget.
#[derive(Debug, thiserror::Error)]
pub enum GadgetError {
    #[error(
        "{0} is not there: load the module (`modprobe libcomposite`) and mount configfs on /sys/kernel/config"
    )]
    NoConfigfs(PathBuf),
    #[error(
        "no USB device controller in {0}: this machine has no port that can be a gadget, or its driver is not in that mode (Raspberry Pi: dtoverlay=dwc2,dr_mode=peripheral)"
    )]
    NoController(PathBuf),
    #[error("there is no USB device controller `{wanted}`; there are: {there}")]
    UnknownController { wanted: String, there: String },
    #[error("the gadget {0} is there already: take it down first (`rfbridge gadget down`)")]
    Exists(PathBuf),
    #[error("cannot {what} {}: {error}", path.display())]
    Io {
        what: &'static str,
        path: PathBuf,
        error: io::Error,
    },
    #[error(
        "the kernel has no HID function for gadgets: load its module (`modprobe usb_f_hid`); {0} cannot be created"
    )]
    NoHidFunction(PathBuf),
    #[error("no device node for {0} appeared in {1}: is udev or devtmpfs running?")]
    NoNode(Function, PathBuf),
}

/// The gadget in configfs, bound or not.
#[derive(Debug)]
pub struct Gadget {
    places: Places,
}

impl Gadget {
    /// Creates the gadget and plugs it into the controller of this name, or the first there is. What was made
    /// is taken back if anything fails.
    pub fn up(places: Places, controller: Option<&str>) -> Result<Self, GadgetError> {
        if !places.gadgets.is_dir() {
            return Err(GadgetError::NoConfigfs(places.gadgets));
        }
        let controller = choose_controller(&places.controllers, controller)?;
        let gadget = Self { places };
        let directory = gadget.directory();
        match fs::create_dir(&directory) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                return Err(GadgetError::Exists(directory));
            }
            made => made.map_err(failed("create", &directory))?,
        }
        if let Err(error) = gadget.fill(&controller) {
            if let Err(also) = gadget.remove() {
                tracing::warn!(%also, "the half-made gadget could not be removed");
            }
            return Err(error);
        }
        Ok(gadget)
    }

    /// The gadget that is there, if it is.
    pub fn existing(places: Places) -> Option<Self> {
        let gadget = Self { places };
        gadget.directory().is_dir().then_some(gadget)
    }

    /// Unplugs the gadget and removes it.
    pub fn down(self) -> Result<(), GadgetError> {
        self.remove()
    }

    /// Each function's device node, found by the number that configfs gives, since names depend on what else is there.
    pub fn nodes(&self) -> Result<Vec<(Function, PathBuf)>, GadgetError> {
        let find = |function: Function| {
            let path = self.function(function).join("dev");
            let number = fs::read_to_string(&path).map_err(failed("read", &path))?;
            nodes::find(&self.places.devices, number.trim())
                .map(|node| (function, node))
                .ok_or_else(|| GadgetError::NoNode(function, self.places.devices.clone()))
        };
        FUNCTIONS.into_iter().map(find).collect()
    }

    fn fill(&self, controller: &str) -> Result<(), GadgetError> {
        let directory = self.directory();
        self.write("idVendor", "0x1d6b")?; // Linux Foundation
        self.write("idProduct", "0x0104")?; // Multifunction Composite Gadget
        self.write("bcdUSB", "0x0200")?;
        // Windows keeps what it read under vendor, product and this: raise it with every change of a descriptor.
        self.write("bcdDevice", "0x0100")?;
        create(&directory.join(LANGUAGE))?;
        self.write("strings/0x409/manufacturer", "rfbridge")?;
        self.write("strings/0x409/product", "rfbridge keyboard and mouse")?;
        self.write("strings/0x409/serialnumber", "rfbridge")?;
        create(&directory.join(CONFIGURATION))?;
        self.write("configs/c.1/bmAttributes", "0xa0")?; // bus powered, may wake the target
        self.write("configs/c.1/MaxPower", "250")?; // mA
        create(&directory.join(CONFIGURATION).join(LANGUAGE))?;
        self.write("configs/c.1/strings/0x409/configuration", "HID")?;
        for function in FUNCTIONS {
            self.add(function)?;
        }
        self.write("UDC", controller)
    }

    fn add(&self, function: Function) -> Result<(), GadgetError> {
        let directory = self.function(function);
        let descriptor = function.descriptor();
        // The kernel looks for a module for what stands before the dot.
        create(&directory).map_err(|error| match error {
            GadgetError::Io { error, path, .. } if error.kind() == ErrorKind::NotFound => {
                GadgetError::NoHidFunction(path)
            }
            other => other,
        })?;
        write(
            &directory.join("subclass"),
            descriptor.subclass.to_string().as_bytes(),
        )?;
        write(
            &directory.join("protocol"),
            descriptor.protocol.to_string().as_bytes(),
        )?;
        write(
            &directory.join("report_length"),
            descriptor.report_length.to_string().as_bytes(),
        )?;
        write(&directory.join("report_desc"), descriptor.report)?;
        // Firmware sets LEDs by a control request, which the kernel refuses while there is an OUT endpoint. Older kernels do not
        // have the attribute.
        match write(&directory.join("no_out_endpoint"), b"1") {
            Err(GadgetError::Io { error, .. })
                if matches!(
                    error.kind(),
                    ErrorKind::NotFound | ErrorKind::PermissionDenied
                ) => {}
            written => written?,
        }
        let link = self.link(function);
        symlink(&directory, &link).map_err(failed("create", &link))
    }

    /// Removes whatever is there of the gadget, in the order that configfs demands.
    fn remove(&self) -> Result<(), GadgetError> {
        let directory = self.directory();
        let udc = directory.join("UDC");
        let is_bound = fs::read_to_string(&udc).is_ok_and(|name| !name.trim().is_empty());
        if is_bound {
            match fs::write(&udc, "\n") {
                // The controller may be gone by itself.
                Err(error) if error.raw_os_error() == Some(libc::ENODEV) => {}
                written => written.map_err(failed("write", &udc))?,
            }
        }
        for function in FUNCTIONS.into_iter().rev() {
            let link = self.link(function);
            unless_gone(fs::remove_file(&link)).map_err(failed("remove", &link))?;
        }
        for directory in self.made_directories() {
            unless_gone(fs::remove_dir(&directory)).map_err(failed("remove", &directory))?;
        }
        Ok(())
    }

    /// The directories that were made, in the order in which configfs lets go of them. The ones between, such as
    /// `functions`, came with the gadget and go with it.
    fn made_directories(&self) -> Vec<PathBuf> {
        let directory = self.directory();
        let configuration = directory.join(CONFIGURATION);
        let functions = FUNCTIONS
            .into_iter()
            .rev()
            .map(|function| self.function(function));
        [configuration.join(LANGUAGE), configuration]
            .into_iter()
            .chain(functions)
            .chain([directory.join(LANGUAGE), directory])
            .collect()
    }

    fn write(&self, attribute: &str, value: &str) -> Result<(), GadgetError> {
        write(&self.directory().join(attribute), value.as_bytes())
    }

    fn directory(&self) -> PathBuf {
        self.places.gadgets.join(NAME)
    }

    fn function(&self, function: Function) -> PathBuf {
        self.directory().join(format!("functions/hid.{function}"))
    }

    fn link(&self, function: Function) -> PathBuf {
        self.directory()
            .join(CONFIGURATION)
            .join(format!("hid.{function}"))
    }
}

fn choose_controller(directory: &Path, wanted: Option<&str>) -> Result<String, GadgetError> {
    let mut there: Vec<String> = fs::read_dir(directory)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    there.sort();
    match wanted {
        None => there
            .into_iter()
            .next()
            .ok_or_else(|| GadgetError::NoController(directory.to_owned())),
        Some(name) if there.iter().any(|there| there == name) => Ok(name.to_owned()),
        Some(_) if there.is_empty() => Err(GadgetError::NoController(directory.to_owned())),
        Some(name) => Err(GadgetError::UnknownController {
            wanted: name.to_owned(),
            there: there.join(", "),
        }),
    }
}

fn create(directory: &Path) -> Result<(), GadgetError> {
    fs::create_dir_all(directory).map_err(failed("create", directory))
}

/// One write call, as configfs needs it.
fn write(path: &Path, value: &[u8]) -> Result<(), GadgetError> {
    fs::write(path, value).map_err(failed("write", path))
}

fn unless_gone(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> GadgetError {
    let path = path.to_owned();
    move |error| GadgetError::Io { what, path, error }
}

#[cfg(test)]
mod tests;
