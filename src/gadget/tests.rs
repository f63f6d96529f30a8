//! The gadget over a kernel of the tests' own: plain directories, in which objects come with their attributes and go with
//! them, attributes of linked functions answer EBUSY, and any call can be made to fail.

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

use super::*;
use crate::hid::sink::configfs::attribute;

#[derive(Clone, Debug)]
struct Fake {
    places: Places,
    calls: Arc<AtomicUsize>,
    /// The number of the call that fails, and all that have the same number after it if it is `usize::MAX`: none.
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

fn refused(code: i32) -> io::Result<()> {
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

struct Machine {
    root: tempfile::TempDir,
    fake: Fake,
}

impl Machine {
    fn new(controllers: &[&str]) -> Self {
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

    fn driver(&self, controller: &str, driver: &str) {
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
    fn failing(&self, number: usize) -> Fake {
        Fake {
            calls: Arc::default(),
            fails_at: number,
            ..self.fake.clone()
        }
    }

    fn up(&self, profile: Option<Profile>) -> Result<Gadget, GadgetError> {
        self.up_on(profile, None)
    }

    fn up_on(
        &self,
        profile: Option<Profile>,
        controller: Option<&str>,
    ) -> Result<Gadget, GadgetError> {
        let fake = Box::new(self.fake.clone());
        Gadget::up_with(fake, self.fake.places.clone(), profile, controller)
    }

    fn gadget(&self) -> Gadget {
        self.with(self.fake.clone())
    }

    fn with(&self, fake: Fake) -> Gadget {
        Gadget::existing_with(Box::new(fake), self.fake.places.clone()).unwrap()
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.path().join("gadgets/rfbridge").join(path)
    }

    fn read(&self, path: &str) -> String {
        attribute(&self.path(path)).unwrap()
    }

    /// A function that somebody else puts into our gadget.
    fn add_other(&self, name: &str) {
        self.fake
            .make_directory(&self.path(&format!("functions/{name}")))
            .unwrap();
        let link = self.path(&format!("configs/c.1/{name}"));
        symlink(self.path(&format!("functions/{name}")), link).unwrap();
    }

    /// Another gadget.
    fn add_gadget(&self, name: &str, functions: &[&str], controller: &str) {
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
    fn snapshot(&self) -> BTreeMap<PathBuf, Vec<u8>> {
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

    fn image(&self, name: &str, size: usize) -> PathBuf {
        let path = self.root.path().join(name);
        fs::write(&path, vec![0; size]).unwrap();
        path
    }
}

fn names_of(profile: Profile) -> Vec<String> {
    let functions = profile.functions().iter();
    let mut names: Vec<_> = functions
        .map(|(function, _)| shape::name(*function))
        .collect();
    names.sort();
    names
}

#[test]
fn up_makes_each_profile_and_plugs_it_in() {
    for profile in Profile::ALL {
        let machine = Machine::new(&["b.usb", "a.usb"]);
        machine.up(Some(profile)).unwrap();
        assert_eq!(machine.read("UDC"), "a.usb");
        assert_eq!(machine.read("idVendor"), "0x1d6b");
        assert_eq!(machine.read("idProduct"), "0x0104");
        assert_eq!(machine.read("configs/c.1/bmAttributes"), "0xa0");
        let is_bios = profile == Profile::Bios;
        assert_eq!(
            machine.read("bcdUSB"),
            if is_bios { "0x0110" } else { "0x0200" }
        );
        assert_eq!(machine.read("max_speed") == "full-speed", is_bios);
        for (function, descriptor) in profile.functions() {
            let attribute = |name: &str| format!("functions/hid.{function}/{name}");
            assert_eq!(
                fs::read(machine.path(&attribute("report_desc"))).unwrap(),
                descriptor.report
            );
            let number = |name: &str| machine.read(&attribute(name)).parse::<usize>().unwrap();
            assert_eq!(number("report_length"), descriptor.report_length);
            assert_eq!(number("subclass"), usize::from(descriptor.subclass));
            assert_eq!(number("protocol"), usize::from(descriptor.protocol));
            assert_eq!(number("no_out_endpoint"), 1);
            let link = machine.path(&format!("configs/c.1/hid.{function}"));
            assert_eq!(
                fs::read_link(link).unwrap(),
                machine.path(&format!("functions/hid.{function}"))
            );
        }
        assert_eq!(
            configfs::names(&machine.path("functions")),
            names_of(profile)
        );
        let status = Status::read(&machine.fake.places);
        assert_eq!(status.profile, Some(profile.name()));
        assert_eq!(machine.gadget().down(false).unwrap(), Left::Nothing);
        assert!(machine.snapshot().is_empty());
    }
}

#[test]
fn up_again_changes_nothing_and_plugs_in_what_is_out() {
    let machine = Machine::new(&["a.usb"]);
    machine.up(Some(Profile::Nvr)).unwrap();
    let before = machine.snapshot();
    let fake = machine.failing(0);
    Gadget::up_with(Box::new(fake.clone()), fake.places.clone(), None, None).unwrap();
    machine
        .with(machine.failing(0))
        .set_profile(Profile::Nvr)
        .unwrap();
    assert_eq!(fake.calls.load(Ordering::Relaxed), 0);

    fs::write(machine.path("UDC"), "\n").unwrap();
    machine.up(None).unwrap();
    assert_eq!(machine.snapshot(), before);
}

#[test]
fn complaint_11_another_profile_is_another_device_with_another_release() {
    let machine = Machine::new(&["a.usb"]);
    machine.up(None).unwrap();
    let mut releases = Vec::new();
    for profile in [
        Profile::Bios,
        Profile::Nvr,
        Profile::Mac,
        Profile::Full,
        Profile::Bios,
    ] {
        machine.gadget().set_profile(profile).unwrap();
        assert_eq!(machine.read("UDC"), "a.usb");
        assert_eq!(
            configfs::names(&machine.path("functions")),
            names_of(profile)
        );
        assert_eq!(
            Status::read(&machine.fake.places).profile,
            Some(profile.name())
        );
        releases.push(machine.read("bcdDevice"));
    }
    assert_eq!(releases.remove(4), releases[0]);
    releases.sort();
    releases.dedup();
    assert_eq!(releases.len(), 4);
}

#[test]
fn functions_of_others_stay_behind_ours_and_keep_their_attributes() {
    let machine = Machine::new(&["a.usb"]);
    machine.up(None).unwrap();
    fs::write(machine.path("UDC"), "\n").unwrap();
    machine.add_other("acm.usb0");
    fs::write(machine.path("functions/acm.usb0/port_num"), "7\n").unwrap();
    machine.up(None).unwrap();
    let with_other = machine.read("bcdDevice");
    machine.gadget().set_profile(Profile::Bios).unwrap();
    assert_ne!(machine.read("bcdDevice"), with_other);
    let mut names = names_of(Profile::Bios);
    names.insert(0, "acm.usb0".to_owned());
    assert_eq!(configfs::names(&machine.path("functions")), names);
    assert!(machine.path("configs/c.1/acm.usb0").is_symlink());
    assert_eq!(machine.read("functions/acm.usb0/port_num"), "7");
    assert_eq!(Status::read(&machine.fake.places).others, ["acm.usb0"]);

    // Ours go, theirs stay plugged in; then ours come back.
    let left = machine.gadget().down(false).unwrap();
    assert_eq!(left, Left::Others(vec!["acm.usb0".to_owned()]));
    assert_eq!(configfs::names(&machine.path("functions")), ["acm.usb0"]);
    assert_eq!(machine.read("UDC"), "a.usb");
    machine.up(None).unwrap();
    assert_eq!(Status::read(&machine.fake.places).profile, Some("full"));
    assert_eq!(machine.read("bcdDevice"), with_other);
    assert_eq!(machine.gadget().down(true).unwrap(), Left::Nothing);
    assert!(machine.snapshot().is_empty());
}

#[test]
fn down_takes_apart_what_is_half_made() {
    // Each state in which a program that was killed may have left it.
    for number in 0..80 {
        let machine = Machine::new(&["a.usb"]);
        let fake = machine.failing(number);
        let gadget = Gadget::at(Box::new(fake.clone()), fake.places.clone());
        let made = gadget.directory.make("").and_then(|()| {
            let drive = Drive {
                kind: Kind::Cdrom,
                read_only: true,
                file: None,
            };
            Shape::new(Some(Profile::Full), Some(drive), Vec::new()).make(&gadget.directory)
        });
        if made.is_ok() {
            assert!(number > 40, "{number} calls are too few");
            return;
        }
        if machine.path("").exists() {
            machine.gadget().down(false).unwrap();
        }
        assert!(machine.snapshot().is_empty(), "call {number}");
    }
    panic!("more than 80 calls");
}

#[test]
fn whatever_fails_all_is_as_it_was() {
    type Change = fn(&Machine, &Gadget) -> Result<(), GadgetError>;
    let changes: [(&str, Change); 4] = [
        ("profile", |_, gadget| gadget.set_profile(Profile::Bios)),
        ("another controller", |machine, _| {
            machine.up_on(None, Some("b.usb")).map(drop)
        }),
        ("insert", |machine, gadget| {
            gadget.insert(&Image::open(&machine.root.path().join("i.iso"), None, false).unwrap())
        }),
        ("remove", |_, gadget| gadget.remove_drive().map(drop)),
    ];
    for (what, change) in changes {
        for number in 0.. {
            let mut machine = Machine::new(&["a.usb", "b.usb"]);
            machine.image("i.iso", 1 << 20);
            machine.up(Some(Profile::Full)).unwrap();
            fs::write(machine.path("UDC"), "\n").unwrap();
            machine.add_other("acm.usb0");
            machine.up(None).unwrap();
            if what == "remove" {
                let image = machine.image("disk", 1 << 20);
                machine
                    .gadget()
                    .insert(&Image::open(&image, None, false).unwrap())
                    .unwrap();
            }
            let before = machine.snapshot();
            machine.fake = machine.failing(number);
            if change(&machine, &machine.gadget()).is_ok() {
                assert!(number > 10, "{what}: only {number} calls");
                assert_ne!(machine.snapshot(), before, "{what}");
                break;
            }
            assert_eq!(machine.snapshot(), before, "{what}: call {number}");
        }
    }
    // A new gadget is gone again.
    for number in 0.. {
        let mut machine = Machine::new(&["a.usb"]);
        machine.fake = machine.failing(number);
        if machine.up(None).is_ok() {
            assert!(number > 30);
            break;
        }
        assert!(machine.snapshot().is_empty(), "call {number}");
    }
}

#[test]
fn who_has_the_controller_is_named_with_what_to_do() {
    let machine = Machine::new(&["a.usb"]);
    machine.add_gadget("g1", &[], "a.usb");
    let error = machine.up(None).unwrap_err().to_string();
    assert!(
        error.contains("`g1`") && error.contains("g1/UDC"),
        "{error}"
    );
    assert!(!machine.path("").exists());
    // The next one is free.
    let machine = Machine::new(&["a.usb", "b.usb"]);
    machine.add_gadget("g1", &[], "a.usb");
    machine.up(None).unwrap();
    assert_eq!(machine.read("UDC"), "b.usb");
    // An older gadget driver, which is a module.
    let machine = Machine::new(&["a.usb"]);
    fs::write(machine.root.path().join("udc/a.usb/function"), "g_ether\n").unwrap();
    let error = machine.up(None).unwrap_err().to_string();
    assert!(error.contains("rmmod g_ether"), "{error}");
}

#[test]
fn what_is_missing_is_named() {
    let machine = Machine::new(&[]);
    assert!(matches!(
        machine.up(None),
        Err(GadgetError::NoController(_))
    ));
    assert!(!machine.path("").exists());
    let machine = Machine::new(&["a.usb"]);
    let error = machine.up_on(None, Some("z.usb")).unwrap_err().to_string();
    assert!(
        error.contains("z.usb") && error.contains("a.usb"),
        "{error}"
    );
    let existing =
        Gadget::existing_with(Box::new(machine.fake.clone()), machine.fake.places.clone());
    assert!(
        existing
            .unwrap_err()
            .to_string()
            .contains("rfbridge gadget up")
    );
    let status = Status::read(&machine.fake.places);
    assert!(!status.exists && status.problems[0].contains("rfbridge gadget up"));
    fs::remove_dir(machine.root.path().join("gadgets")).unwrap();
    assert!(matches!(machine.up(None), Err(GadgetError::NoConfigfs(_))));
}

#[test]
fn an_error_says_that_root_is_needed() {
    let places = Places {
        // Nothing can be made there, by nobody.
        gadgets: "/proc/self".into(),
        ..Machine::new(&["a.usb"]).fake.places
    };
    assert!(matches!(
        Gadget::up(places, None, None),
        Err(GadgetError::NoController(_) | GadgetError::Io { .. })
    ));
    let denied = io::Error::from_raw_os_error(libc::EACCES);
    let error = configfs::failed("create", Path::new("/x"))(denied).to_string();
    assert!(error.contains("only root"), "{error}");
}

#[test]
fn endpoints_are_counted_before_anything_is_changed() {
    let machine = Machine::new(&["a.usb"]);
    machine.driver("a.usb", "dwc2");
    // 4 of ours, 3 + 3 of others: one too many.
    machine.up(None).unwrap();
    fs::write(machine.path("UDC"), "\n").unwrap();
    machine.add_other("acm.usb0");
    machine.add_other("acm.usb1");
    let before = machine.snapshot();
    let error = machine.up(None).unwrap_err().to_string();
    assert!(
        error.contains("10 endpoints") && error.contains("has 9") && error.contains("acm.usb1 3"),
        "{error}"
    );
    assert_eq!(machine.snapshot(), before);
    machine.up(Some(Profile::Nvr)).unwrap();
    let before = machine.snapshot();
    // The drive is two more.
    let image = machine.image("disk", 512);
    let error = machine
        .gadget()
        .insert(&Image::open(&image, None, false).unwrap())
        .unwrap_err();
    assert!(
        matches!(error, GadgetError::Endpoints { needs: 11, .. }),
        "{error}"
    );
    assert_eq!(machine.snapshot(), before);
}

#[test]
fn the_kernels_numbers_for_hid_functions_are_counted() {
    let machine = Machine::new(&["a.usb", "b.usb"]);
    machine.add_gadget("g1", &["hid.usb0", "hid.usb1"], "b.usb");
    let error = machine.up(None).unwrap_err().to_string();
    assert!(
        error.contains("g1/hid.usb0, g1/hid.usb1") && error.contains("2 left"),
        "{error}"
    );
    assert!(!machine.path("").exists());
    machine.up(Some(Profile::Bios)).unwrap();
}

#[test]
fn an_image_goes_in_and_out_and_the_drive_with_another_kind_is_another_drive() {
    let machine = Machine::new(&["a.usb"]);
    machine.up(None).unwrap();
    let plain = machine.read("bcdDevice");
    let (iso, disk) = (
        machine.image("i.iso", 1 << 20),
        machine.image("disk", 1 << 20),
    );
    let open = |path: &Path, kind, writable| Image::open(path, kind, writable).unwrap();

    machine.gadget().insert(&open(&iso, None, false)).unwrap();
    assert_ne!(machine.read("bcdDevice"), plain);
    assert_eq!(machine.read("UDC"), "a.usb");
    let unit = |name: &str| machine.read(&format!("functions/mass_storage.media/lun.0/{name}"));
    assert_eq!((unit("cdrom").as_str(), unit("ro").as_str()), ("1", "1"));
    assert_eq!(Path::new(&unit("file")), iso.canonicalize().unwrap());
    assert!(machine.path("configs/c.1/mass_storage.media").is_symlink());
    // The same again is nothing new; another one does not push it out.
    machine
        .with(machine.failing(0))
        .insert(&open(&iso, None, false))
        .unwrap();
    let error = machine
        .gadget()
        .insert(&open(&disk, None, false))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("i.iso") && error.contains("media eject"),
        "{error}"
    );
    let status = MediaStatus::read(&machine.fake.places);
    assert_eq!(
        (status.kind, status.size, status.read_only),
        (Some(Kind::Cdrom), Some(1 << 20), Some(true))
    );

    assert_eq!(
        machine.gadget().eject().unwrap(),
        Some(iso.canonicalize().unwrap())
    );
    assert_eq!(machine.gadget().eject().unwrap(), None);
    assert!(MediaStatus::read(&machine.fake.places).drive);
    // Another image of the same kind does not unplug anything: three calls.
    let fake = machine.failing(usize::MAX);
    machine
        .with(fake.clone())
        .insert(&open(&disk, Some(Kind::Cdrom), false))
        .unwrap();
    assert_eq!(fake.calls.load(Ordering::Relaxed), 3);
    machine.gadget().eject().unwrap();

    machine.gadget().insert(&open(&disk, None, true)).unwrap();
    assert_eq!((unit("cdrom").as_str(), unit("ro").as_str()), ("0", "0"));
    // It stays through a change of profile, and goes when it is taken away.
    machine.gadget().set_profile(Profile::Mac).unwrap();
    assert_eq!(Path::new(&unit("file")), disk.canonicalize().unwrap());
    assert!(machine.gadget().remove_drive().unwrap());
    assert!(!machine.gadget().remove_drive().unwrap());
    assert!(!machine.path("functions/mass_storage.media").exists());
    assert_eq!(Status::read(&machine.fake.places).profile, Some("mac"));
}

#[test]
fn an_older_kernel_ejects_a_locked_image_by_unplugging() {
    /// Without `forced_eject`; the target locks the drive while it is plugged in.
    #[derive(Debug)]
    struct Locked(Fake);
    impl Calls for Locked {
        fn make_directory(&self, path: &Path) -> io::Result<()> {
            self.0.make_directory(path)
        }
        fn remove_directory(&self, path: &Path) -> io::Result<()> {
            self.0.remove_directory(path)
        }
        fn link(&self, target: &Path, link: &Path) -> io::Result<()> {
            self.0.link(target, link)
        }
        fn unlink(&self, link: &Path) -> io::Result<()> {
            self.0.unlink(link)
        }
        fn write(&self, path: &Path, value: &[u8]) -> io::Result<()> {
            let is_plugged = self.0.places.controller().is_some();
            if path.ends_with("lun.0/file") && is_plugged {
                return refused(libc::EBUSY);
            }
            self.0.write(path, value)
        }
    }
    let machine = Machine::new(&["a.usb"]);
    machine.up(None).unwrap();
    let image = machine.image("disk", 1 << 20);
    machine
        .gadget()
        .insert(&Image::open(&image, None, false).unwrap())
        .unwrap();
    fs::remove_file(machine.path("functions/mass_storage.media/lun.0/forced_eject")).unwrap();
    let locked = Box::new(Locked(machine.fake.clone()));
    let gadget = Gadget::existing_with(locked, machine.fake.places.clone()).unwrap();
    assert_eq!(gadget.eject().unwrap(), Some(image.canonicalize().unwrap()));
    assert_eq!(machine.read("UDC"), "a.usb");
    let status = MediaStatus::read(&machine.fake.places);
    assert!(status.drive && !status.inserted);
}

#[test]
fn images_are_looked_at_before_anything_is_done() {
    let machine = Machine::new(&[]);
    let error =
        |path: &Path, kind, writable| Image::open(path, kind, writable).unwrap_err().to_string();
    let missing = error(&machine.root.path().join("missing"), None, false);
    assert!(
        missing.contains("missing") && missing.contains("check the path"),
        "{missing}"
    );
    assert!(error(machine.root.path(), None, false).contains("neither a file nor a block device"));
    assert!(error(Path::new("/dev/null"), None, false).contains("neither"));
    assert!(error(&machine.image("empty", 0), None, false).contains("512 at least"));
    assert!(error(&machine.image("small.iso", 2048), None, false).contains("614400 at least"));
    let large = machine.image("large", 0);
    fs::File::options()
        .write(true)
        .open(&large)
        .unwrap()
        .set_len((1 << 41) + 512)
        .unwrap();
    assert!(error(&large, None, false).contains("2 TiB"));

    // What it is, by its name, by its content, or because it is to be written to.
    let open = |path: &Path, kind, writable| Image::open(path, kind, writable).unwrap();
    let iso = machine.image("A.ISO", 1 << 20);
    assert_eq!(open(&iso, None, false).kind, Kind::Cdrom);
    assert_eq!(open(&iso, None, true).kind, Kind::Disk);
    assert_eq!(open(&iso, Some(Kind::Disk), false).kind, Kind::Disk);
    let mut bytes = vec![0; 1 << 20];
    bytes[32769..32774].copy_from_slice(b"CD001");
    let unnamed = machine.root.path().join("unnamed");
    fs::write(&unnamed, &bytes).unwrap();
    assert_eq!(open(&unnamed, None, false).kind, Kind::Cdrom);
    assert_eq!(
        open(&machine.image("disk", 512), None, false).kind,
        Kind::Disk
    );
    // A link is followed, so what the kernel shows is what was asked for.
    let link = machine.root.path().join("link");
    symlink(&iso, &link).unwrap();
    assert_eq!(open(&link, None, false).path, iso.canonicalize().unwrap());
    let odd = open(&machine.image("odd", 1000), None, false);
    assert!(odd.notes()[0].contains("last 488 bytes"));
}

#[test]
fn the_status_says_what_is_wrong_and_what_to_do() {
    let machine = Machine::new(&["a.usb"]);
    let udc = machine.root.path().join("udc/a.usb");
    let status = || Status::read(&machine.fake.places);
    machine.up(Some(Profile::Bios)).unwrap();
    for (function, _) in Profile::Bios.functions() {
        // A character device that every machine has stands for the node.
        fs::write(
            machine.path(&format!("functions/hid.{function}/dev")),
            "1:3\n",
        )
        .unwrap();
    }
    symlink("/dev/null", machine.root.path().join("dev/hidg0")).unwrap();
    fs::write(udc.join("state"), "configured\n").unwrap();
    fs::write(udc.join("current_speed"), "full-speed\n").unwrap();
    let good = status();
    assert!(good.problems.is_empty(), "{:?}", good.problems);
    let text = good.to_string();
    for line in [
        "gadget    bios, plugged into a.usb",
        "target    configured, full-speed",
        "reports of 3 bytes",
    ] {
        assert!(text.contains(line), "{text}");
    }
    let json: serde_json::Value = serde_json::from_str(&good.to_json()).unwrap();
    assert_eq!(json["profile"], "bios");
    assert_eq!(json["functions"][1]["report_length"], 3);
    assert_eq!(json["media"]["drive"], false);

    for (state, word) in [("not attached\n", "cable"), ("suspended\n", "asleep")] {
        fs::write(udc.join("state"), state).unwrap();
        assert!(
            status().problems[0].contains(word),
            "{:?}",
            status().problems
        );
    }
    fs::write(udc.join("state"), "configured\n").unwrap();
    fs::remove_file(machine.root.path().join("dev/hidg0")).unwrap();
    assert!(status().problems[0].contains("no device node for keyboard"));
    fs::write(machine.path("UDC"), "\n").unwrap();
    assert!(status().problems[0].contains("not plugged"));
    fs::write(machine.path("functions/hid.keyboard/report_desc"), "other").unwrap();
    assert!(status().problems[1].contains("gadget profile full"));
}
