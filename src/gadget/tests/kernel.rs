//! A kernel of the tests' own: plain directories, in which objects come with their attributes and go with them, attributes
//! of linked functions answer EBUSY, and any call can be made to fail.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::symlink,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::super::*;
use crate::hid::sink::configfs::attribute;

#[derive(Clone, Debug)]
pub(super) struct Fake {
    pub places: Places,
    pub calls: Arc<AtomicUsize>,
    /// The number of the call that fails.
    fails_at: usize,
}

impl Fake {
    fn count(&self) -> io::Result<()> {
        if self.calls.fetch_add(1, Ordering::Relaxed) == self.fails_at {
            return Err(io::Error::from_raw_os_error(libc::EIO));
        }
        Ok(())
    }

    /// Whether any configuration of the gadget has the function.
    fn is_linked(function: &Path) -> bool {
        let Some(gadget) = function.ancestors().nth(2) else {
            return false;
        };
        let configurations = configfs::names(&gadget.join("configs")).into_iter();
        configurations
            .map(|name| gadget.join("configs").join(name))
            .any(|configuration| {
                let links = configfs::names(&configuration).into_iter();
                links
                    .filter_map(|link| fs::read_link(configuration.join(link)).ok())
                    .any(|to| to == function)
            })
    }
}

pub(super) fn refused(code: i32) -> io::Result<()> {
    Err(io::Error::from_raw_os_error(code))
}

impl Calls for Fake {
    fn make_directory(&self, path: &Path) -> io::Result<()> {
        self.count()?;
        let below = path.strip_prefix(&self.places.gadgets).unwrap();
        let parts: Vec<_> = below.iter().map(|part| part.to_str().unwrap()).collect();
        fs::create_dir(path)?;
        let number = fs::read_dir(path.parent().unwrap()).unwrap().count() - 1;
        let files: &[(&str, &str)] = match parts[..] {
            [_] => {
                for directory in ["functions", "configs", "strings", "os_desc"] {
                    fs::create_dir(path.join(directory))?;
                }
                &[
                    ("UDC", "\n"),
                    ("idVendor", "0x0000\n"),
                    ("idProduct", "0x0000\n"),
                    ("bcdUSB", "0x0000\n"),
                    ("bcdDevice", "0x0601\n"),
                    ("max_speed", "super-speed-plus\n"),
                ]
            }
            [_, "strings", _] => &[("manufacturer", ""), ("product", ""), ("serialnumber", "")],
            [_, "configs", _, "strings", _] => &[("configuration", "")],
            [_, "configs", _] => {
                fs::create_dir(path.join("strings"))?;
                &[("bmAttributes", "0x80\n"), ("MaxPower", "2\n")]
            }
            [_, "functions", name] if name.starts_with("hid.") => {
                fs::write(path.join("dev"), format!("236:{number}\n"))?;
                &[
                    ("subclass", "0\n"),
                    ("protocol", "0\n"),
                    ("report_length", "0\n"),
                    ("report_desc", ""),
                    ("no_out_endpoint", "0\n"),
                ]
            }
            [_, "functions", name] if name.starts_with("mass_storage.") => {
                fs::create_dir(path.join("lun.0"))?;
                for (name, value) in [
                    ("file", ""),
                    ("ro", "0\n"),
                    ("cdrom", "0\n"),
                    ("removable", "1\n"),
                    ("inquiry_string", "\n"),
                    ("forced_eject", ""),
                ] {
                    fs::write(path.join("lun.0").join(name), value)?;
                }
                &[("stall", "1\n")]
            }
            [_, "functions", name] if name.starts_with("acm.") => &[("port_num", "0\n")],
            [_, "functions", name, unit]
                if name.starts_with("mass_storage.") && unit != "lun.0" =>
            {
                &[("file", "")]
            }
            _ => return refused(libc::ENOENT),
        };
        for (name, value) in files {
            fs::write(path.join(name), value)?;
        }
        Ok(())
    }

    fn remove_directory(&self, path: &Path) -> io::Result<()> {
        self.count()?;
        if !path.exists() {
            return refused(libc::ENOENT);
        }
        let below = path.strip_prefix(&self.places.gadgets).unwrap();
        let parts: Vec<_> = below.iter().map(|part| part.to_str().unwrap()).collect();
        let has_objects = |directory: &Path| {
            let names = configfs::names(directory).into_iter();
            names
                .map(|name| directory.join(name))
                .any(|path| path.is_symlink() || path.is_dir())
        };
        let is_busy = match parts[..] {
            [_] => {
                attribute(&path.join("UDC")).is_some_and(|name| !name.is_empty())
                    || ["functions", "configs", "strings"]
                        .iter()
                        .any(|part| has_objects(&path.join(part)))
            }
            [_, "functions", _] => {
                Self::is_linked(path)
                    || configfs::names(path)
                        .iter()
                        .any(|name| name.starts_with("lun.") && name != "lun.0")
            }
            [_, "configs", _] => {
                has_objects(&path.join("strings"))
                    || configfs::names(path)
                        .iter()
                        .any(|name| path.join(name).is_symlink())
            }
            [_, "strings", _] | [_, "configs", _, "strings", _] => false,
            [_, "functions", _, unit] if unit != "lun.0" => false,
            // What the kernel made.
            _ => return refused(libc::EPERM),
        };
        if is_busy {
            return refused(libc::EBUSY);
        }
        fs::remove_dir_all(path)
    }

    fn link(&self, target: &Path, link: &Path) -> io::Result<()> {
        self.count()?;
        let udc = self.places.gadget().join("UDC");
        if attribute(&udc).is_some_and(|name| !name.is_empty()) {
            return refused(libc::EINVAL);
        }
        symlink(target, link)
    }

    fn unlink(&self, link: &Path) -> io::Result<()> {
        self.count()?;
        let udc = self.places.gadget().join("UDC");
        assert_eq!(
            attribute(&udc).as_deref(),
            Some(""),
            "the kernel unplugs it by itself, which is noticed late"
        );
        fs::remove_file(link)
    }

    fn write(&self, path: &Path, value: &[u8]) -> io::Result<()> {
        self.count()?;
        if !path.exists() {
            return refused(libc::EACCES);
        }
        let name = path.file_name().unwrap().to_str().unwrap();
        let function = path.ancestors().find(|path| {
            path.parent()
                .is_some_and(|parent| parent.ends_with("functions"))
        });
        match name {
            "forced_eject" => return fs::write(path.with_file_name("file"), ""),
            "file" => {
                let value = value.strip_suffix(b"\n").unwrap_or(value);
                let line: &[u8] = if value.is_empty() { b"" } else { b"\n" };
                return fs::write(path, [value, line].concat());
            }
            "cdrom" | "ro"
                if attribute(&path.with_file_name("file")).is_some_and(|file| !file.is_empty()) =>
            {
                return refused(libc::EBUSY);
            }
            "cdrom" if value == b"1" => fs::write(path.with_file_name("ro"), "1\n")?,
            "UDC" => {
                let now = attribute(path).unwrap_or_default();
                let wanted = String::from_utf8_lossy(value).trim().to_owned();
                if wanted.is_empty() == now.is_empty() {
                    return refused(if wanted.is_empty() {
                        libc::ENODEV
                    } else {
                        libc::EBUSY
                    });
                }
            }
            "report_desc" => return fs::write(path, value),
            "ro" | "cdrom" | "removable" | "inquiry_string" => {}
            _ => {
                if function.is_some_and(Self::is_linked) {
                    return refused(libc::EBUSY);
                }
            }
        }
        let text = String::from_utf8_lossy(value);
        fs::write(path, format!("{}\n", text.trim_end_matches('\n')))
    }
}

pub(super) struct Machine {
    pub root: tempfile::TempDir,
    pub fake: Fake,
}

impl Machine {
    pub(super) fn new(controllers: &[&str]) -> Self {
        let root = tempfile::tempdir().unwrap();
        for directory in ["gadgets", "udc", "dev", "drivers"] {
            fs::create_dir(root.path().join(directory)).unwrap();
        }
        for controller in controllers {
            fs::create_dir_all(root.path().join("udc").join(controller).join("device")).unwrap();
        }
        let fake = Fake {
            places: Places {
                gadgets: root.path().join("gadgets"),
                controllers: root.path().join("udc"),
                devices: root.path().join("dev"),
            },
            calls: Arc::default(),
            fails_at: usize::MAX,
        };
        Self { root, fake }
    }

    pub(super) fn driver(&self, controller: &str, driver: &str) {
        let to = self.root.path().join("drivers").join(driver);
        symlink(
            to,
            self.root
                .path()
                .join("udc")
                .join(controller)
                .join("device/driver"),
        )
        .unwrap();
    }

    /// The same machine, whose call of this number from now on fails.
    pub(super) fn failing(&self, number: usize) -> Fake {
        Fake {
            calls: Arc::default(),
            fails_at: number,
            ..self.fake.clone()
        }
    }

    pub(super) fn up(&self, profile: Option<Profile>) -> Result<Gadget, GadgetError> {
        self.up_on(profile, None)
    }

    pub(super) fn up_on(
        &self,
        profile: Option<Profile>,
        controller: Option<&str>,
    ) -> Result<Gadget, GadgetError> {
        let fake = Box::new(self.fake.clone());
        Gadget::up_with(fake, self.fake.places.clone(), profile, controller)
    }

    pub(super) fn gadget(&self) -> Gadget {
        self.with(self.fake.clone())
    }

    pub(super) fn with(&self, fake: Fake) -> Gadget {
        Gadget::existing_with(Box::new(fake), self.fake.places.clone()).unwrap()
    }

    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.root.path().join("gadgets/rfbridge").join(path)
    }

    pub(super) fn read(&self, path: &str) -> String {
        attribute(&self.path(path)).unwrap()
    }

    /// A function that somebody else puts into our gadget.
    pub(super) fn add_other(&self, name: &str) {
        self.fake
            .make_directory(&self.path(&format!("functions/{name}")))
            .unwrap();
        let link = self.path(&format!("configs/c.1/{name}"));
        symlink(self.path(&format!("functions/{name}")), link).unwrap();
    }

    /// Another gadget.
    pub(super) fn add_gadget(&self, name: &str, functions: &[&str], controller: &str) {
        let directory = self.root.path().join("gadgets").join(name);
        self.fake.make_directory(&directory).unwrap();
        for function in functions {
            self.fake
                .make_directory(&directory.join("functions").join(function))
                .unwrap();
        }
        fs::write(directory.join("UDC"), format!("{controller}\n")).unwrap();
    }

    /// The whole of configfs: each path with what it holds or leads to.
    pub(super) fn snapshot(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        fn visit(path: &Path, all: &mut BTreeMap<PathBuf, Vec<u8>>) {
            for name in configfs::names(path) {
                let path = path.join(name);
                if path.is_symlink() {
                    let to = fs::read_link(&path).unwrap();
                    all.insert(path, to.as_os_str().as_encoded_bytes().to_vec());
                } else if path.is_dir() {
                    all.insert(path.clone(), Vec::new());
                    visit(&path, all);
                } else {
                    // Numbers are given out anew.
                    let is_number = path.ends_with("dev");
                    let bytes = if is_number {
                        Vec::new()
                    } else {
                        fs::read(&path).unwrap()
                    };
                    all.insert(path, bytes);
                }
            }
        }
        let mut all = BTreeMap::new();
        visit(&self.fake.places.gadgets, &mut all);
        all
    }

    pub(super) fn image(&self, name: &str, size: usize) -> PathBuf {
        let path = self.root.path().join(name);
        fs::write(&path, vec![0; size]).unwrap();
        path
    }
}
