//! What the kernel's configfs says of USB gadgets: which HID functions there are, and which node each has.
//!
//! Nodes are found by their number (major:minor), never by their name: names follow the order in which functions were
//! made, whoever made them. Only reading happens here; `gadget` writes.

use std::{
    fs,
    os::unix::fs::{FileTypeExt, MetadataExt},
    path::{Path, PathBuf},
};

use super::Function;

/// The name of the gadget that `rfbridge gadget up` makes, and of its directory.
pub const GADGET: &str = "rfbridge";

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

/// A HID function as configfs has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HidFunction {
    /// `major:minor` of its node.
    pub number: String,
    /// Bytes of an input report.
    pub report_length: usize,
}

impl Places {
    /// The directory of our gadget, whether or not there is one.
    pub fn gadget(&self) -> PathBuf {
        self.gadgets.join(GADGET)
    }

    /// The directory of one of its functions.
    pub fn function(&self, function: Function) -> PathBuf {
        self.gadget().join(format!("functions/hid.{function}"))
    }

    /// A function of our gadget, if it has that.
    pub fn hid_function(&self, function: Function) -> Option<HidFunction> {
        read_function(&self.function(function))
    }

    /// The controller that our gadget is plugged into.
    pub fn controller(&self) -> Option<String> {
        attribute(&self.gadget().join("UDC")).filter(|name| !name.is_empty())
    }

    /// The node in [`Places::devices`] with this number.
    pub fn node(&self, number: &str) -> Option<PathBuf> {
        let entries = fs::read_dir(&self.devices).ok()?;
        entries.flatten().map(|entry| entry.path()).find(|path| {
            let is_hidg = path
                .file_name()
                .is_some_and(|name| name.as_encoded_bytes().starts_with(b"hidg"));
            is_hidg && number_of(path).is_some_and(|other| other == number)
        })
    }

    /// How long the reports of a node are, if it is that of any gadget's function.
    pub fn report_length(&self, node: &Path) -> Option<usize> {
        let number = number_of(node)?;
        let gadgets = fs::read_dir(&self.gadgets).ok()?;
        let functions = gadgets
            .flatten()
            .filter_map(|gadget| fs::read_dir(gadget.path().join("functions")).ok())
            .flat_map(Iterator::flatten)
            .filter_map(|function| read_function(&function.path()));
        let mut of_node = functions.filter(|function| function.number == number);
        of_node.next().map(|function| function.report_length)
    }
}

/// The text of an attribute without the line's end.
pub fn attribute(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    Some(text.trim_end_matches('\n').to_owned())
}

/// Only HID functions have these attributes.
fn read_function(directory: &Path) -> Option<HidFunction> {
    Some(HidFunction {
        number: attribute(&directory.join("dev"))?,
        report_length: attribute(&directory.join("report_length"))?.parse().ok()?,
    })
}

/// `major:minor` of a character device.
fn number_of(node: &Path) -> Option<String> {
    let metadata = fs::metadata(node).ok()?;
    let device = metadata.rdev();
    let text = || format!("{}:{}", libc::major(device), libc::minor(device));
    metadata.file_type().is_char_device().then(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_found_by_number_and_only_among_hidg_nodes() {
        let root = tempfile::tempdir().unwrap();
        let places = Places {
            gadgets: root.path().join("gadgets"),
            controllers: root.path().join("udc"),
            devices: root.path().into(),
        };
        // Character devices that every machine has: /dev/null is 1:3, /dev/zero 1:5.
        let node = root.path().join("hidg7");
        std::os::unix::fs::symlink("/dev/null", &node).unwrap();
        std::os::unix::fs::symlink("/dev/zero", root.path().join("zero")).unwrap();
        fs::write(root.path().join("hidg0"), "").unwrap();
        assert_eq!(places.node("1:3"), Some(node.clone()));
        assert_eq!(places.node("1:5"), None);

        // A gadget that somebody else made.
        let function = root.path().join("gadgets/other/functions/hid.usb0");
        fs::create_dir_all(&function).unwrap();
        fs::write(function.join("dev"), "1:3\n").unwrap();
        fs::write(function.join("report_length"), "6\n").unwrap();
        assert_eq!(places.report_length(&node), Some(6));
        assert_eq!(places.report_length(&root.path().join("zero")), None);
    }
}
